"""`scripts/compare.py`: differences are named, sampling noise is told from a shift, nothing is compared in silence."""

from __future__ import annotations

import copy
import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import xarray as xr
from typer.testing import Result

from models.runs.folder import Run
from reports.text import comparison, comparison_tables, shifts
from reports.text.comparison import GROUPS, Comparison, compare
from tests.command_line import messages, run
from tests.report_fixture import RED, Recipe, make
from tests.test_report_script import ROOT, saved

MEDIATED = Recipe(mediators=("continuous", "share"))


def changed(run: Run, **manifest: object) -> Run:
    """The same run under another id, with other entries of its manifest."""
    return replace(run, manifest=copy.deepcopy(run.manifest) | {"run_id": "another", **manifest})


def moved(run: Run, field: str, by: float, row: int = 0) -> Run:
    """A run one number of which moved by so many of its Monte-Carlo errors."""
    tree = run.tree.copy(deep=True)
    table = tree["summary"].to_dataset()
    values = table[field].to_numpy().copy()
    values[row] += by * float(table[f"mcse_{field}"][row])
    tree["summary"] = xr.DataTree(table.assign({field: ("row", values)}))
    return replace(changed(run), tree=tree)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make(tmp_path_factory.mktemp("first"), MEDIATED)


def groups(found: Comparison) -> set[str]:
    return {group for group, changes in found.changes.items() if changes}


def test_a_run_is_identical_to_itself(first: Run) -> None:
    found = compare(first, first)
    assert found.identical
    assert found.nothing
    assert "\n" not in comparison_tables.headline(found)
    assert not list(comparison_tables.tables(found))


def test_equal_numbers_in_other_bytes_are_not_called_identical(first: Run) -> None:
    other = replace(first, manifest=first.manifest | {"files": {"run.nc": "33" * 32}})
    found = compare(first, other)
    assert not found.identical
    assert comparison_tables.headline(found) == "Nothing that is compared differs; only bytes of the files do."


MU_0 = {"parameter": "mu_0", "distribution": "normal (sd 9)", "why": "Wide.", "source": "made up"}


@pytest.mark.parametrize(
    ("group", "what", "entry"),
    [
        ("data", "SHA-256", {"study": {"data_sha256": "00" * 32}}),
        ("priors", "set", {"priors": {"name": "sceptical"}}),
        ("priors", "mu_0, distribution", {"priors": {"rows": [MU_0]}}),
        ("models and sampler", "sampler: seed", {"sampler": {"seed": 2}}),
        ("models and sampler", "limitations named", {"notes": ["another"]}),
        ("code and versions", "pymc", {"versions": {"pymc": "7.0.0"}}),
        ("code and versions", "code, SHA-256", {"code_sha256": "00" * 32}),
        ("code and versions", "commit", {"git": "0000000"}),
    ],
)
def test_what_went_in_is_compared(first: Run, group: str, what: str, entry: dict) -> None:
    merged = {key: first.manifest[key] | value if isinstance(value, dict) else value for key, value in entry.items()}
    found = compare(first, changed(first, **merged))
    assert groups(found) == {group}
    assert what in [one.what for one in found.changes[group]]
    assert not found.moved


def test_keys_of_the_study_file_are_named_as_faults_name_them(first: Run) -> None:
    waves = (first.study.waves[0].model_copy(update={"month": -1.0}), *first.study.waves[1:])
    study = first.study.model_copy(update={"waves": waves, "author": {"funding": "a foundation"}})
    found = compare(first, replace(changed(first), study=study))
    told = {one.what: (one.first, one.second) for one in found.changes["study file"]}
    assert told == {
        "waves (no. 1).month": ("0.0", "-1.0"),
        "author.registration": ("none", "—"),
        "author.funding": ("none", "a foundation"),
    }


def test_counts_follow_the_rule_for_small_cells(tmp_path: Path) -> None:
    one, two = (make(tmp_path, Recipe(minimum_cell=5, seed=seed)) for seed in (7, 8))
    told = [one for one in compare(one, changed(two)).changes["data"] if one.what.startswith("outcome observed")]
    assert told
    for change in told:
        for side in (change.first, change.second):
            assert not side.isdigit() or int(side) >= 5


@pytest.mark.slow
@pytest.mark.parametrize("model", ["effect", "mediation"])
def test_a_gate_that_came_out_otherwise_is_told_check_by_check(tmp_path: Path, model: str) -> None:
    field = {"effect": "status", "mediation": "mediation"}[model]
    amber = replace(MEDIATED, **{field: "amber"})
    found = compare(make(tmp_path, MEDIATED), changed(make(tmp_path, amber)))
    assert groups(found) == {"gate"}
    change = found.changes["gate"][0]
    assert change.what == f"{model}: R-hat, largest"
    assert (change.first[:6], change.second[:6]) == ("green:", "amber:")
    assert len(found.gates) == 12


@pytest.mark.parametrize(("errors", "beyond"), [(5.6, False), (5.7, True), (-5.7, True)])
@pytest.mark.parametrize("field", shifts.FIELDS)
def test_monte_carlo_error_draws_the_line_at_four(first: Run, field: str, errors: float, beyond: bool) -> None:
    # two equal errors make one of √2: four of these are 5.66 of the single one
    found = compare(first, moved(first, field, errors))
    assert [shift.beyond for shift in found.moved] == [beyond]
    shift = found.moved[0]
    if field == "median":
        assert shift.size == pytest.approx(errors * shift.first.mcse_median)
        assert shift.in_sds == pytest.approx(errors * 0.02)  # the fixture's error is 2% of the SD
    printed = comparison_tables._row(shift)
    assert printed["beyond"].text == ("yes" if beyond else "no")
    assert printed["unit"].text == "percentage points"
    assert f"{int(beyond)} of" in comparison_tables.headline(found)


def test_an_error_that_is_not_known_explains_nothing(first: Run) -> None:
    tree = first.tree.copy(deep=True)
    table = tree["summary"].to_dataset()
    tree["summary"] = xr.DataTree(table.assign(mcse_lower=table["mcse_lower"] * math.nan))
    other = moved(replace(first, tree=tree), "median", 1.0)
    found = compare(first, other).moved
    assert [shift.beyond for shift in found] == [None]
    assert comparison_tables._row(found[0])["beyond"].text == "not known"


def test_further_fits_and_what_only_one_run_has(tmp_path: Path, first: Run) -> None:
    without = make(tmp_path, Recipe(mediators=("continuous", "share"), mediation=None))
    found = compare(first, changed(without))
    only = [shift for shift in found.shifts if not shift.both]
    assert {shift.key[0] for shift in only} == {"mediation"}
    assert all(shift.second is None for shift in only)
    assert comparison_tables._row(only[0])["beyond"].text == "only in the first run"
    further = next(iter(first.further.values()))
    other = replace(changed(first), further={"mediation": moved(further, "median", 50.0, row=0)})
    assert [shift.key[0] for shift in compare(first, other).moved] == ["mediation"]


def test_a_class_of_evidence_that_changed_is_no_equal_estimate(first: Run) -> None:
    tree = first.tree.copy(deep=True)
    table = tree["summary"].to_dataset()
    words = table["evidence"].to_numpy().astype(object)
    words[0] = "assumption-driven"
    tree["summary"] = xr.DataTree(table.assign(evidence=("row", words)))
    found = compare(first, replace(changed(first), tree=tree)).moved
    assert len(found) == 1
    assert "evidence randomised + MAR → assumption-driven" in comparison_tables._row(found[0])["beyond"].text


def test_simulated_against_real_is_said_first(tmp_path: Path) -> None:
    real, simulated = make(tmp_path, Recipe(simulated=False)), make(tmp_path)
    for one, two, which in ((simulated, real, "first"), (real, simulated, "second")):
        found = compare(one, changed(two))
        assert found.warnings[0].startswith(f"SIMULATED AGAINST REAL: the {which} run is of simulated data")
        assert json.loads(found.as_json())["warnings"] == list(found.warnings)
    assert compare(simulated, changed(simulated)).warnings == (
        "SIMULATED DATA in both runs: these numbers describe nobody.",
    )
    assert compare(real, changed(real)).warnings == ()


def test_another_question_is_said(tmp_path: Path) -> None:
    found = compare(make(tmp_path), changed(make(tmp_path, Recipe(kind="count"))))
    assert any(warning.startswith("NOT THE SAME QUESTION: kind of outcome differ") for warning in found.warnings)


def test_a_red_gate_withholds_the_numbers_of_its_fit_alone(tmp_path: Path, first: Run) -> None:
    red = changed(make(tmp_path, replace(MEDIATED, mediation=RED)))
    found = compare(first, red)
    assert found.withheld == ("mediation",)
    assert {shift.key[0] for shift in found.shifts} == {"effect"}
    assert "GATE RED" in found.warnings[-1]
    assert "numbers of mediation are withheld" in comparison_tables.headline(found)
    anyway = compare(first, red, show_anyway=True)
    assert {shift.key[0] for shift in anyway.shifts} == {"effect", "mediation"}
    assert "GATE RED" in anyway.warnings[-1]


def test_hostile_words_stay_in_their_cell(first: Run) -> None:
    study = first.study.model_copy(update={"title": "\x1b[31m" + "W" * 10_000 + "\u202e\n"})
    rows = [row for table in comparison_tables.tables(compare(first, replace(changed(first), study=study)))
            for row in table.rows]  # fmt: skip
    texts = [cell.text for row in rows for cell in row.values()]
    assert texts
    assert all(text.isprintable() and len(text) <= 60 for text in texts)


def test_json_has_every_estimate_and_no_nan(first: Run) -> None:
    found = json.loads(compare(first, moved(first, "median", 1.0)).as_json())
    assert set(found["changes"]) == set(GROUPS)
    assert len(found["estimates"]) > 90
    row = found["estimates"][0]
    assert row["second"]["median"] - row["first"]["median"] == pytest.approx(row["shift"])
    assert row["beyond_monte_carlo_error"] is False
    assert {one["model"] for one in found["estimates"]} == {"effect", "mediation"}


# the script


def call(*arguments: str | Path) -> Result:
    return run("compare", *arguments)


@pytest.mark.slow
def test_stdout_has_the_result_alone(tmp_path: Path) -> None:
    one, two = saved(tmp_path / "one"), saved(tmp_path / "two", Recipe(seed=8, simulated=False))
    same = call(one, one)
    assert (same.exit_code, same.stderr) == (0, "")
    assert same.stdout == "Identical: the same inputs, and the same draws, checks and gates to the byte.\n"
    other = call(one, two)
    assert (other.exit_code, other.stderr) == (0, "")
    assert other.stdout.startswith("! SIMULATED AGAINST REAL")
    assert "Study file: 1 change" in other.stdout
    as_json = call(one, two, "--json")
    assert as_json.exit_code == 0
    assert json.loads(as_json.stdout)["identical"] is False
    assert as_json.stderr.startswith("! SIMULATED AGAINST REAL")


@pytest.mark.slow
@pytest.mark.parametrize("harm", ["no folder", "no manifest", "changed", "a file"])
def test_what_is_no_run_exits_3(tmp_path: Path, harm: str) -> None:
    good, bad = saved(tmp_path / "good"), tmp_path / "bad"
    if harm in ("no manifest", "changed"):
        saved(bad)
        (bad / "manifest.json").unlink() if harm == "no manifest" else (bad / "gate.json").write_text("{}")
    if harm == "a file":
        bad.write_text("not a run", encoding="utf-8")
    for pair in ((good, bad), (bad, good)):
        result = call(*pair)
        assert (result.exit_code, result.stdout) == (3, "")
        assert messages(result.stderr) == ["What", "Why", "Fix"]
        assert str(bad) in result.stderr


@pytest.mark.slow
def test_it_never_imports_a_sampler(tmp_path: Path) -> None:
    one, two = saved(tmp_path / "one"), saved(tmp_path / "two", Recipe(seed=8))
    code = (
        "import sys\nfrom scripts import compare\n"
        "heavy = lambda: sorted({name.split('.')[0] for name in sys.modules} & {'numpy', 'xarray', 'pymc', 'nutpie', "
        "'pytensor', 'arviz', 'arviz_stats', 'numba'})\nprint(heavy())\n"
        f"compare.app([{str(one)!r}, {str(two)!r}], standalone_mode=False)\nprint(heavy())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    lines = done.stdout.splitlines()
    assert (lines[0], lines[-1]) == ("[]", "['numpy', 'xarray']")


def test_every_group_is_filled_by_the_comparison(first: Run) -> None:
    assert tuple(compare(first, first).changes) == GROUPS == comparison.GROUPS
