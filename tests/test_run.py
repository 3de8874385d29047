"""The run folder: the same bytes twice, whole or absent, and nothing in it that names a participant."""

import json
import shutil
import warnings

import arviz
import numpy as np
import pytest
import xarray as xr

from models.faults import InvalidInput, OutputExists
from models.runs import folder as run
from models.runs import job
from models.simulation import study_folder
from models.simulation.simulated_trial import load, simulate
from reports.diagnostics.diagnostic_plots import drawing

TRUTH = {"outcome": "violence_any", "risk_difference": {"6 months": -0.05}}
SMALL = {"draws": 150, "tune": 200, "chains": 2}
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("short_refits")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small simulated study whose identifiers could not be mistaken for anything else."""
    made = simulate(load("mar"), 3)
    where = tmp_path_factory.mktemp("study")
    data = study_folder.data_text(made).replace("\nP", "\nSECRET-P")
    (where / "data.csv").write_text(data, encoding="utf-8")
    (where / "study.toml").write_text(study_folder.study_text(made), encoding="utf-8")
    (where / "truth.json").write_text(json.dumps(TRUTH), encoding="utf-8")
    return where


def _job(folder, out, **changes):
    given = {
        "study": folder,
        "model": "effect",
        "priors": "weakly_informative",
        "out": out,
        "changes": SMALL,
        "command": "x",
    }
    return job.Job(**(given | changes))


@pytest.fixture(scope="module")
def finished(folder, tmp_path_factory, short_refits):
    out = tmp_path_factory.mktemp("runs") / "first"
    steps = []
    assert job.execute(_job(folder, out), steps.append) == (out, True)
    assert steps[0] == "reading the data"
    return out


@pytest.mark.slow
def test_a_repeated_run_has_the_same_bytes(folder, finished, tmp_path):
    job.execute(_job(folder, tmp_path / "second"))
    assert (tmp_path / "second" / "SHA256SUMS").read_text() == (finished / "SHA256SUMS").read_text()


def test_the_sums_are_those_of_the_files(finished):
    lines = (finished / "SHA256SUMS").read_text().splitlines()
    listed = {line.split("  ")[1]: line.split("  ")[0] for line in lines}
    files = {"manifest.json", "run.nc", "gate.json", "study.resolved.toml"}
    files |= {"truth.json"}
    assert set(listed) == files
    assert all(run.digest(finished / name) == value for name, value in listed.items())


def test_no_identifier_is_in_any_file(finished):
    for path in finished.rglob("*"):
        assert b"SECRET" not in path.read_bytes(), path.name
    loaded = run.load(finished)
    for group in loaded.tree.subtree:
        for name, value in group.variables.items():
            text = value.dtype.kind in "OUT"
            assert not (text and any("SECRET" in str(cell) for cell in np.ravel(value.values))), name


def test_what_was_saved_can_be_read(finished):
    loaded = run.load(finished)
    assert loaded.tree["posterior"].sizes["draw"] == 150
    groups = {"posterior", "sample_stats", "estimands", "observed_data", "constant_data", "trial", "summary"}
    groups |= {"prior", "prior_estimands", "log_prior", "loo"}
    assert groups <= set(loaded.tree.children)
    with xr.open_datatree(finished / "run.nc", engine="h5netcdf") as whole:
        assert set(run.LARGE) <= set(whole.children), "saved, and left in the file"
    assert not set(run.LARGE) & set(loaded.tree.children)
    assert set(loaded.asked("refits")["kind"]) >= {"priors", "participants", "model"}
    assert loaded.estimates.primary.sum() == 1
    assert loaded.manifest["sampler"]["seed"] == loaded.study.seed
    assert loaded.manifest["sampler"]["tune"] == 200
    assert len(loaded.manifest["priors"]["rows"]) >= 7


def test_tables_keep_their_types(finished):
    loaded = run.load(finished)
    assert loaded.estimates["median"].dtype.kind == "f"
    assert loaded.predictive_checks["n"].dtype.kind == "i"
    for table, flag in (
        (loaded.estimates, "primary"),
        (loaded.asked("refits"), "primary"),
        (loaded.predictive_checks, "inside"),
        (loaded.power_scaling, "flag"),
        (loaded.model_free, "flag"),
    ):
        assert table[flag].dtype.kind == "b", flag
    assert set(map(type, loaded.estimates["evidence"])) == {str}


def test_arviz_opens_the_run_whole(finished):
    """The cells of all groups over observations are those of the trial, and have its outcomes."""
    with arviz.from_netcdf(finished / "run.nc") as whole:
        assert set(run.LARGE) | {"posterior", "prior", "log_prior", "estimands", "refits"} <= set(whole.children)
        known, observed = whole["trial"].to_dataset().load(), whole["observed_data"].to_dataset().load()
        person, wave = (whole["constant_data"][f"{name}_of"].to_numpy() for name in ("participant", "wave"))
        assert np.array_equal(observed["outcome"], known["outcome"].to_numpy()[person, wave])
        assert observed["outcome"].size == int(np.isfinite(known["outcome"]).sum())
        assert np.array_equal(observed["wave"], known["wave"].to_numpy()[wave])
        assert np.array_equal(observed["arm"] == "treated", known["arm"].to_numpy()[person] == 1)
        for name in run.LARGE:
            assert np.array_equal(whole[name]["observation"], observed["observation"]), name
            assert np.array_equal(whole[name]["arm"], observed["arm"]), name


def test_arviz_works_on_the_run_as_it_is(finished):
    with arviz.from_netcdf(finished / "run.nc") as whole, drawing():
        top = [name for name in whole["posterior"].data_vars if name != "trait"]
        assert set(top) == set(whole["log_prior"].data_vars), "docs/diagnostics.md"
        table = arviz.summary(whole, var_names=top)
        assert {"tau", "theta[6 months]"} <= set(table.index)
        assert "risk_difference[population, 6 months]" in arviz.summary(whole, group="estimands").index
        for plot, given in (
            (arviz.plot_trace_dist, {"var_names": ["tau", "theta"]}),
            (arviz.plot_forest, {"group": "estimands", "var_names": ["risk_difference"]}),
            (arviz.plot_prior_posterior, {"var_names": ["tau", "theta"]}),
            (arviz.plot_ppc_pava, {}),
            (arviz.plot_ppc_pit, {}),
            (arviz.plot_ppc_dist, {}),
        ):
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="Variables outcome in")  # yes or no: pava is for these
                assert plot(whole, **given).get_viz("figure").axes, plot.__name__
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Estimated shape parameter of Pareto distribution")
            found = arviz.loo(whole)
        assert found.n_data_points == whole["observed_data"].sizes["observation"]
        assert found.n_samples == 300
        assert set(arviz.psense_summary(whole, var_names=["theta"]).index) == {"theta[3 months]", "theta[6 months]"}


def test_the_truth_of_a_simulated_trial_is_carried_and_of_another_refused(folder, finished, tmp_path):
    assert run.load(finished).truth == TRUTH
    other = shutil.copytree(folder, tmp_path / "other")
    (other / "truth.json").write_text("[1", encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"truth\.json cannot be read"):
        job.execute(_job(other, tmp_path / "run"))
    assert not (tmp_path / "run").exists()
    study = (other / "study.toml").read_text(encoding="utf-8").replace("simulated = true", "simulated = false")
    (other / "study.toml").write_text(study, encoding="utf-8")
    assert job._truth(job.studies.read(other)[0], other) == [], "true values of a real trial are not known"


def test_at_no_bias_the_table_returns_to_the_last_bit(finished):
    """Every sensitivity analysis of the saved run uses all of its draws."""
    loaded = run.load(finished)
    main = loaded.estimates[loaded.estimates["primary"]].iloc[0]
    for name, none in (("missing_not_at_random", 0.0), ("misreporting", 1.0)):
        table = loaded.asked(name)
        at = table[(table["kind"] == "grid") & (table["control"] == none) & (table["treated"] == none)]
        assert len(at) == 1
        assert [at[key].iloc[0] for key in ("median", "lower", "upper")] == [
            main[key] for key in ("median", "lower", "upper")
        ]


def test_an_identical_run_is_not_repeated(folder, finished):
    before = (finished / "run.log").read_text()
    assert job.execute(_job(folder, finished)) == (finished, False)
    assert (finished / "run.log").read_text() == before


def test_another_run_is_not_overwritten_unasked(folder, finished):
    with pytest.raises(OutputExists, match="--force"):
        job.execute(_job(folder, finished, changes=SMALL | {"seed": 5}))
    assert run.load(finished).manifest["sampler"]["seed"] != 5


@pytest.fixture(scope="module")
def forced(folder, finished, tmp_path_factory):
    """The same run replaced by one with another seed, whose data change while they are analysed."""
    where = tmp_path_factory.mktemp("again")
    study, out = where / "study", where / "runs" / "again"
    shutil.copytree(folder, study)
    shutil.copytree(finished, out)

    def meddle(step):
        if step == "checking":
            with (study / "data.csv").open("a") as stream:
                stream.write("\n")

    job.execute(_job(study, out, changes=SMALL | {"seed": 5}, force=True), meddle)
    return out


@pytest.mark.slow
def test_force_replaces_it_and_another_seed_has_other_bytes(finished, forced):
    assert run.load(forced).manifest["sampler"]["seed"] == 5
    assert run.digest(forced / "run.nc") != run.digest(finished / "run.nc")
    assert [path.name for path in forced.parent.iterdir()] == ["again"]


def _interrupted(out, force):
    with run.written_whole(out, force) as partial:
        (partial / "half").write_text("x")
        raise KeyboardInterrupt


def test_a_failure_leaves_nothing_and_keeps_what_was_there(finished, tmp_path):
    for force, before in ((False, None), (True, b"kept")):
        out = tmp_path / f"run{force}"
        if before:
            out.mkdir()
            (out / "old").write_bytes(before)
        with pytest.raises(KeyboardInterrupt):
            _interrupted(out, force)
        assert not out.with_name(out.name + ".partial").exists()
        assert (out / "old").exists() if before else not out.exists()


def test_a_changed_file_is_refused(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "run")
    gate = tmp_path / "run" / "gate.json"
    gate.write_text(gate.read_text().replace("red", "green"))
    if gate.read_text() == (finished / "gate.json").read_text():
        gate.write_text(gate.read_text() + " ")
    with pytest.raises(InvalidInput, match="changed"):
        run.load(tmp_path / "run")


def test_an_unfinished_run_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="no finished run"):
        run.load(tmp_path)


def test_a_broken_manifest_is_refused(finished, tmp_path):
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(InvalidInput, match="damaged"):
        run.load(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"format": run.FORMAT, "files": {"run.nc": "0"}}))
    with pytest.raises(InvalidInput, match="damaged"):
        run.load(tmp_path)


@pytest.mark.parametrize("older", [{}, {"format": 1}, {"format": run.FORMAT + 1}])
def test_a_run_in_another_format_is_refused(finished, tmp_path, older):
    """Format 1 named none: draws, checks and sensitivity analyses lay in three files."""
    manifest = json.loads((finished / "manifest.json").read_text(encoding="utf-8"))
    del manifest["format"]
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | older | {"files": {"core.nc": "0"}}))
    with pytest.raises(InvalidInput, match=f"in format {older.get('format', 1)}; this edition reads format 2") as told:
        run.load(tmp_path)
    assert "run the analysis again" in told.value.fix


@pytest.mark.parametrize(("changes", "said"), [({"model": "magic"}, "effect"), ({"priors": "flat"}, "diffuse")])
def test_an_unknown_name_lists_the_known_ones(folder, tmp_path, changes, said):
    with pytest.raises(InvalidInput) as caught:
        job.execute(_job(folder, tmp_path / "x", **changes))
    assert said in str(caught.value)
    assert not (tmp_path / "x").exists()


@pytest.mark.slow
def test_data_that_change_while_they_are_analysed_make_the_gate_red(finished, forced):
    loaded = run.load(forced)
    assert loaded.gate.status == "red"
    assert "data hash" in [check.name for check in loaded.gate.worst]
    assert "data hash" not in [check.name for check in run.load(finished).gate.worst]
