"""Continuous outcomes from the study file to the report, and studies of a single wave, whatever the kind of outcome."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tomli_w
import xarray as xr
from scipy import stats

from models.checks import predictive
from models.design import layout as designs
from models.equations import integrated
from models.equations.effect import Effect
from models.equations.effect_integrated import Integrated
from models.equations.integrated import Draws
from models.equations.likelihoods import dispersion
from models.estimands import estimands, model_free, summary
from models.estimands.response import response
from models.faults import InvalidInput
from models.inference import nuts
from models.runs import folder as runs
from models.runs import job
from models.simulation import simulated_trial, study_folder
from models.trial import dataset
from models.trial.draft import draft
from models.trial.study_file import study as studies
from models.trial.study_file.study import Study
from priors import prior_set
from reports.page import build
from tests import pinned, trials

effect = Effect()
effect_integrated = Effect(Integrated())

KINDS = ("binary", "count", "continuous")
SOON = {"draws": 1000, "tune": 500}
"""Enough for a green gate on these small models."""


def one_wave(folder: Path, kind: str, people: int = 120, shift: float = 0.0, unit: float = 1.0) -> Path:
    """A study folder of one follow-up, no baseline, one row a participant; a few outcomes are missing."""
    rng = np.random.default_rng(8)
    arm, age = rng.permutation(np.repeat([0, 1], people // 2)), rng.normal(40, 10, people).round()
    noise = rng.standard_normal(people)
    outcome = {
        "binary": (noise > 0.3 + 0.3 * arm).astype(int),
        "count": rng.poisson(np.exp(1 - 0.4 * arm)),
        "continuous": shift + unit * (0.3 * arm - 0.02 * (age - 40) + noise).round(4),
    }[kind]
    table = pd.DataFrame(
        {"id": [f"p{k:03d}" for k in range(people)], "month": 12, "group": arm, "y": outcome, "age": age}
    )
    folder.mkdir(exist_ok=True)
    table.assign(y=table.y.where(np.arange(people) % 40 > 0)).to_csv(folder / "data.csv", index=False)
    plan = {
        "title": "One wave",
        "simulated": True,
        "seed": 4,
        "primary_wave": "12",
        "data": {"file": "data.csv"},
        "columns": {"participant": "id", "wave": "month", "arm": "group"},
        "arms": {"control": {"value": "0", "label": "usual care"}, "treated": {"value": "1", "label": "programme"}},
        "waves": [{"value": "12", "label": "a year", "month": 12, "role": "follow-up"}],
        "outcome": {
            "column": "y",
            "kind": kind,
            "label": "score",
            "better": "lower",
            "margin": 0.3 * unit,
            "margin_reason": "made up",
        },
        "covariates": [{"column": "age", "kind": "continuous", "label": "age, years"}],
    }
    (folder / "study.toml").write_text(tomli_w.dumps(plan), encoding="utf-8")
    return folder


def loaded(folder: Path) -> tuple[Study, xr.Dataset]:
    """The study as the product reads it."""
    study, where = studies.read(folder)
    return study, dataset.load(study, where)


def least_squares(study: Study, data: xr.Dataset, before: bool) -> tuple[float, float]:
    """Coefficient of the arm and its standard error at the primary wave, by NumPy alone."""
    y, arm = data["outcome"].sel(wave=study.primary_wave).to_numpy(), data["arm"].to_numpy()
    columns = [np.ones_like(y), arm, *designs.design(study, data).covariates.T]
    if before:
        columns.append(data["outcome"].isel(wave=0).to_numpy())
    matrix = np.column_stack(columns)
    keep = ~np.isnan(y) & ~np.isnan(matrix).any(1)
    y, matrix = y[keep], matrix[keep]
    beta = np.linalg.solve(matrix.T @ matrix, matrix.T @ y)
    variance = ((y - matrix @ beta) ** 2).sum() / (len(y) - len(beta))
    return float(beta[1]), float(np.sqrt(variance * np.linalg.inv(matrix.T @ matrix)[1, 1]))


@pytest.fixture(scope="module")
def repeated() -> tuple[Study, xr.Dataset]:
    """A continuous outcome at four waves, some of it missing."""
    return trials.simulated(scores(), 6)


def scores() -> simulated_trial.Scenario:
    """Scores around 20 with SD 5, an effect of −3."""
    return simulated_trial.load("mcar").with_outcome(
        kind="continuous",
        intercepts=(24, 22, 20, 19),
        arm_effects=(0, 0, -3, -3),
        trait_sd=4.0,
        residual_sd=3.0,
        covariates={},
        mediators={},
        interactions={},
        margin=2.0,
    )


# reading


@pytest.mark.parametrize("text", ["-1.5", "+2", "0", "1e-3", "1234567.25"])
def test_any_finite_number_is_an_outcome(tmp_path: Path, text: str) -> None:
    folder = one_wave(tmp_path / "s", "continuous")
    lines = (folder / "data.csv").read_text(encoding="utf-8").splitlines()
    cells = lines[5].split(",")
    cells[3] = text
    (folder / "data.csv").write_text("\n".join([*lines[:5], ",".join(cells), *lines[6:]]), encoding="utf-8")
    study, data = loaded(folder)
    assert float(data["outcome"][4, 0]) == float(text)
    assert designs.design(study, data).likelihood == "normal"


@pytest.mark.parametrize("text", ["inf", "1,5", "high", "1e999"])
def test_what_is_no_finite_number_is_a_fault(tmp_path: Path, text: str) -> None:
    folder = one_wave(tmp_path / "s", "continuous")
    table = pd.read_csv(folder / "data.csv", dtype=str)
    table.loc[3, "y"] = text
    table.to_csv(folder / "data.csv", index=False)
    with pytest.raises(InvalidInput) as caught:
        loaded(folder)
    hint = "; a decimal comma? Then set decimal in [data]" if text == "1,5" else ""
    assert [(fault.row, fault.allowed) for fault in caught.value.faults] == [(5, f"a number{hint}")]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ("0.5 1 2", "continuous"),
        ("-1 0 2", "continuous"),
        ("0 1 5", "count"),
        ("0 1 7", "binary"),  # 7 is a usual code of a missing answer, and check.py asks
    ],
)
def test_a_draft_sees_decimals_and_negative_numbers(tmp_path: Path, values: str, kind: str) -> None:
    rows = [f"{who},{when},{who % 2},{value}" for who in range(6) for when, value in enumerate(values.split())]
    (tmp_path / "data.csv").write_text("\n".join(["id,visit,arm,score", *rows]), encoding="utf-8")
    assert tomllib.loads(draft.draft(tmp_path / "data.csv").text)["outcome"]["kind"] == kind


# the likelihood without the trait


def _given(layout: designs.Design, draws: int = 3, **fixed: object) -> Draws:
    found = pinned.posterior(layout, draws=draws, **fixed)
    fixed = effect.predictor(found, layout, np.zeros((2, draws, layout.participants)))[0]
    return Draws(fixed, found["tau"].to_numpy()[0], dispersion(found, layout)[0])


@pytest.mark.parametrize("scale", [1.0, 250.0])
def test_the_integrated_likelihood_is_multivariate_normal(scale: float) -> None:
    layout = replace(pinned.layout("normal"), location=20.0, scale=scale)
    given = _given(layout)
    found = integrated.log_likelihood(given, layout)
    for person in (0, 3, layout.participants - 1):
        mine = layout.participant_of == person
        for d in range(3):
            covariance = np.diag(given.dispersion[d, mine] ** 2) + given.scale[d] ** 2
            # density in the outcome's own unit: both the mean and the root of the covariance are `scale` times as large
            exact = stats.multivariate_normal(20 + scale * given.fixed[d, mine], scale**2 * covariance)
            assert found[d, person] == pytest.approx(exact.logpdf(20 + scale * layout.outcome[mine]), abs=1e-9)


def test_leaving_one_cell_out_and_the_trapezoidal_sum_agree_with_it() -> None:
    # nobody far from what is expected: the sums' nodes end at 8.5 SD of the trait, the closed form has no end
    layout = pinned.layout("normal", covariates=0)
    given = _given(layout, mu_0=0.0, step=0.0, theta=0.3, theta_negative_control=0.0, tau=[0.3, 1.0, 3.0])
    whole, found = integrated.log_likelihood(given, layout), integrated.log_predictive(given, layout)
    # 1e-8 is the tolerance that the module states of its sums
    np.testing.assert_allclose(integrated._refined(integrated._whole, given, layout), whole, atol=1e-8, rtol=0)
    np.testing.assert_allclose(integrated._refined(integrated._one_out, given, layout), found, atol=1e-8, rtol=0)
    keep = np.arange(layout.outcome.size) != 7
    cells = {name: getattr(layout, name)[keep] for name in ("participant_of", "wave_of", "outcome")}
    without = integrated.log_likelihood(
        Draws(given.fixed[:, keep], given.scale, given.dispersion[:, keep]), replace(layout, **cells)
    )
    person = layout.participant_of[7]
    np.testing.assert_allclose(found[:, 7], (whole - without)[:, person], atol=1e-10)


def test_an_outlier_far_from_every_node_keeps_its_exact_density() -> None:
    layout = pinned.layout("normal")
    far = replace(layout, outcome=np.where(layout.participant_of == 2, 40.0, layout.outcome))
    given = Draws(np.zeros((1, far.outcome.size)), np.array([1.0]), np.full((1, far.outcome.size), 0.5))
    exact = stats.multivariate_normal(np.zeros(4), 0.25 * np.eye(4) + 1.0).logpdf(np.full(4, 40.0))
    assert integrated.log_likelihood(given, far)[0, 2] == pytest.approx(exact, rel=1e-12)


# what follows from the draws


def test_estimands_are_means_without_a_ratio(repeated: tuple[Study, xr.Dataset]) -> None:
    study, data = repeated
    layout = designs.design(study, data)
    assert (layout.location, layout.scale) == pytest.approx(
        (np.nanmean(data["outcome"][:, 0]), np.nanstd(data["outcome"][:, 0], ddof=1))
    )
    draws = estimands.contrasts(response(effect, pinned.posterior(layout, draws=60), layout), study)
    assert set(draws.data_vars) == {"mean", "mean_difference", "change"}
    found = estimands.estimates(draws, study, data)
    assert {each.unit for each in found if each.draws is not None} == {"units"}


def test_predictive_checks_are_in_the_outcomes_own_unit() -> None:
    layout = replace(pinned.layout("normal", control=30, treated=34), location=20.0, scale=5.0)
    replicates = np.repeat(layout.natural(layout.outcome)[None], 20, axis=0)
    table = predictive.compare(replicates, layout).set_index(["check", "arm", "wave"])
    np.testing.assert_allclose(table["median"], table.observed)
    cell = (layout.wave_of == 3) & (layout.arm[layout.participant_of] > 0)
    mean = table.loc[("mean in arm and wave", "treated", "6 months")].observed
    assert mean == pytest.approx(20 + 5 * layout.outcome[cell].mean())
    groups = pd.DataFrame(
        {"y": 5 * layout.outcome, "wave": layout.wave_of, "arm": layout.arm[layout.participant_of]}
    ).groupby(["wave", "arm"])
    pooled = (groups.y.var() * (groups.y.size() - 1)).sum() / (groups.y.size() - 1).sum()
    assert table.loc[("standard deviation", "", "")].observed == pytest.approx(np.sqrt(pooled))
    assert "zeros" not in table.index.get_level_values("check")
    assert predictive.patterns(replicates, layout).empty


def test_replicates_have_the_mean_and_spread_of_the_model() -> None:
    layout = replace(pinned.layout("normal", control=40, treated=40, covariates=0), location=20.0, scale=5.0)
    spread = {"tau": 0.8, "residual_sd": [9.0, 9.0, 9.0, 0.5], "log_sd_ratio": [9.0, 2 * np.log(0.6 / 0.5)]}
    means = {"mu_0": 0.2, "step": -0.1, "theta": 0.5, "theta_negative_control": 0.0}
    draws = pinned.posterior(layout, draws=2000, **means, **spread)
    made = predictive.replicate(effect, predictive.thinned(draws, layout), layout, 1)
    cell = (layout.wave_of == 3) & (layout.arm[layout.participant_of] > 0)
    means = made[:, cell].mean(1)
    # five standard errors over 2,000 independent replicates
    assert abs(means.mean() - (20 + 5 * (0.2 - 0.3 + 0.25))) < 5 * means.std(ddof=1) / np.sqrt(means.size)
    # of a normal SD over 2,000 × 40 values, 40 of them sharing nothing: relative error 1 / √(2 · 80,000), five of them
    assert made[:, cell].std() == pytest.approx(5 * np.hypot(0.8, 0.6), rel=5 / np.sqrt(160_000))


# without the model


def _model_free(study: Study, data: xr.Dataset, median: float = 0.0) -> pd.DataFrame:
    name = "risk_difference" if study.outcome.kind == "binary" else "mean_difference"
    rows = [
        {"estimand": name, "average": "population", "wave": wave.value, "median": median, "sd": 0.1}
        for wave in study.waves
    ]
    table = model_free.compare(study, data, designs.design(study, data), pd.DataFrame(rows))
    return table[table.wave == study.primary_wave].set_index("method")


def test_crude_is_welch_and_standardised_is_least_squares(repeated: tuple[Study, xr.Dataset]) -> None:
    study, data = repeated
    found = _model_free(study, data)
    y, arm = data["outcome"].sel(wave=study.primary_wave).to_numpy(), data["arm"].to_numpy()
    seen = ~np.isnan(y)
    welch = stats.ttest_ind(y[seen & (arm == 1)], y[seen & (arm == 0)], equal_var=False).confidence_interval()
    assert (found.lower["crude"], found.upper["crude"]) == pytest.approx((welch.low, welch.high))
    coefficient, error = least_squares(study, data, before=True)
    assert found.estimate["standardised"] == pytest.approx(coefficient, rel=1e-9)
    half = (found.upper["standardised"] - found.lower["standardised"]) / 2
    # the influence function does not take one variance for both arms: within a fifth of the textbook error at n = 100
    assert half / (1.96 * error) == pytest.approx(1, abs=0.2)
    assert found.n["standardised"] < found.n["crude"] or not np.isnan(data["outcome"][:, 0]).any()


@pytest.mark.parametrize(("shift", "unit"), [(-5e5, 1.0), (0.0, 1e6), (0.0, 1e-4)])
def test_the_unit_of_the_outcome_changes_no_conclusion(tmp_path: Path, shift: float, unit: float) -> None:
    plain = _model_free(*loaded(one_wave(tmp_path / "plain", "continuous")))
    other = _model_free(*loaded(one_wave(tmp_path / "other", "continuous", shift=shift, unit=unit)))
    for field in ("estimate", "lower", "upper"):
        # the file keeps 16 digits of numbers as large as the shift
        np.testing.assert_allclose(other[field], unit * plain[field], rtol=1e-7, atol=1e-9 * unit)
    assert (other.note == "").all()


def test_flags_of_continuous_outcomes(repeated: tuple[Study, xr.Dataset]) -> None:
    crude = _model_free(*repeated).estimate["crude"]
    assert not _model_free(*repeated, crude + 0.09).flag["crude"]
    assert _model_free(*repeated, crude + 0.11).flag["crude"]


# one wave


@pytest.mark.parametrize("kind", KINDS)
def test_one_wave_has_no_trait_no_steps_and_a_note(tmp_path: Path, kind: str) -> None:
    study, data = loaded(one_wave(tmp_path / "s", kind))
    layout = designs.design(study, data)
    assert not layout.has_trait
    assert any("Nobody has two observed outcomes" in note for note in layout.notes)
    assert not {"step", "tau", "theta_negative_control"} & set(effect.dimensions(layout))
    found = _model_free(study, data)
    assert found.estimate.notna().all()
    replicates = np.repeat(layout.natural(layout.outcome)[None], 20, axis=0)
    checks = {"binary": set(), "count": {"zeros"}, "continuous": {"standard deviation"}}[kind]
    assert {row.check for row in predictive.compare(replicates, layout).itertuples() if not row.arm} == checks
    assert predictive.patterns(replicates, layout).empty


@pytest.mark.slow
def test_the_model_agrees_with_least_squares(tmp_path: Path) -> None:
    study, data = loaded(one_wave(tmp_path / "s", "continuous", people=400, shift=50.0, unit=8.0))
    layout = designs.design(study, data)
    draws = nuts.sample(effect_integrated.ready(layout, prior_set.load()), nuts.Sampler(draws=1500, tune=500, seed=2))
    everybody = response(effect, draws["posterior"].to_dataset(), layout).sel(average="population", wave="12")
    values = everybody.sel(arm="treated") - everybody.sel(arm="control")
    coefficient, error = least_squares(study, data, before=False)
    spread, ess = (
        float(values.std()),
        float(summary.diagnostics(values.to_dataset(name="d"))["d"].sel(diagnostic="ess_bulk")),
    )
    # In SDs the standard error is 2/√390 = 0.1 and the prior of the effect N(0, 0.7²): it pulls the mean by the share
    # 0.1² / (0.1² + 0.7²) = 2% of the effect, which lies below 0.5 SD, five errors: below 0.1 posterior SD.
    assert abs(float(values.mean()) - coefficient) < 0.1 * spread + 4 * spread / np.sqrt(ess)
    # the SD is 1% smaller by the prior; its Monte-Carlo error is 1/√(2 ess), below 1.5% at 2,500, of which four
    assert ess > 2500
    assert spread / error == pytest.approx(0.99, abs=0.07)


# from the study file to the page


@pytest.fixture(autouse=True)
def _short_refits(short_refits: None) -> None:
    """None of these reports is asked about its refits."""


def reported(study: Path, out: Path) -> tuple[runs.Run, dict]:
    """Analyse a study and build its report; the run and the record of the page."""
    job.execute(job.Job(study, "effect", "weakly_informative", out, SOON, "test", likelihood="integrated"))
    run = runs.load(out)
    build.build(run)
    return run, json.loads((out / "report.json").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_a_continuous_outcome_at_several_waves_is_analysed_and_reported(tmp_path: Path) -> None:
    made, folder = simulated_trial.simulate(scores(), 6), tmp_path / "study"
    folder.mkdir()
    (folder / "data.csv").write_text(study_folder.data_text(made), encoding="utf-8")
    (folder / "study.toml").write_text(study_folder.study_text(made), encoding="utf-8")
    run, record = reported(folder, tmp_path / "run")
    assert run.gate.status != "red"
    table = run.estimates
    primary = table[table.primary].iloc[0]
    # the truth is −3: four posterior SDs are a false alarm in 6 of 100,000 seeds, and the seed is fixed
    assert abs(primary["median"] + 3) < 4 * primary["sd"]
    levels = table[(table.estimand == "mean") & (table.average == "population")]["median"]
    assert levels.between(12, 30).all()  # scores, not SDs
    units = table[(table.unit == "units") & table["sd"].notna()]
    np.testing.assert_allclose(units.contraction, 1 - (units["sd"] / units["prior_sd"]) ** 2, rtol=1e-9)
    observed = run.predictive_checks.query("arm != ''").observed
    assert observed.between(12, 30).all()
    assert {"A1", "A2", "A3", "T1"} <= set(record["sentences"])
    assert "units" in record["sentences"]["A1"]["text"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_one_wave_is_analysed_and_reported(tmp_path: Path, kind: str) -> None:
    run, record = reported(one_wave(tmp_path / "study", kind), tmp_path / "run")
    assert run.gate.status != "red"
    assert any("Nobody has two observed outcomes" in note for note in run.manifest["notes"])
    assert "T1" not in record["sentences"]
    assert len(record["tables"]["waves"]["rows"]) == 2
