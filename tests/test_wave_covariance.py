"""Standard deviations by wave and arm, and free correlations between waves, of a continuous outcome."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import optimize, stats

from models.checks import left_out, predictive
from models.design import layout as designs
from models.design.groupings import Groupings
from models.equations import wave_covariance
from models.equations.effect import Effect
from models.equations.effect_integrated import Integrated
from models.equations.likelihoods import dispersion
from models.equations.random_slopes import RandomSlopes
from models.equations.wave_covariance import PARTIAL
from models.estimands.response import response
from models.faults import InvalidInput
from models.inference import nuts
from priors import prior_set
from tests import trials
from tests.c_density import density_of, values_of
from tests.conftest import ROOT
from tests.records import unequal_sds
from tests.test_continuous import loaded, one_wave, scores

MODEL, PRIORS = Effect(Integrated()), prior_set.load()
RECORD = ROOT / "tests/records/unequal_sds.csv"


def _design(grouped: bool = False, missing: float = 0.25) -> designs.Design:
    design, _ = unequal_sds.trial("arms", 3)
    keep = np.random.default_rng(0).random(design.outcome.size) >= missing
    cells = {name: getattr(design, name)[keep] for name in designs.CELLS}
    if grouped:
        member = np.arange(design.participants) // 10
        groups = Groupings(("ward",), ("randomised",), (12,), member[None], np.ones((1, 4), bool), varying=(True,))
        cells["groups"] = groups
    return replace(design, **cells)


def _draws(design: designs.Design, count: int = 3) -> xr.Dataset:
    return MODEL.prior(design, PRIORS, count, 5)


def _covariances(draws: xr.Dataset, design: designs.Design) -> np.ndarray:
    """Of each draw and arm, (draw, arm, wave, wave), by recursion over partial correlations (not the product's way)."""
    waves = len(design.wave)
    found = []
    for draw in range(draws.sizes["draw"]):
        partial = np.zeros((waves, waves))
        partial[np.tril_indices(waves, -1)] = draws[PARTIAL][0, draw]
        correlation = np.eye(waves)
        for k in range(waves):
            for i in range(k + 1, waves):
                rho = partial[i, k]
                for m in range(k - 1, -1, -1):
                    rho = (
                        rho * np.sqrt((1 - partial[k, m] ** 2) * (1 - partial[i, m] ** 2))
                        + partial[k, m] * partial[i, m]
                    )
                correlation[i, k] = correlation[k, i] = rho
        sd, ratio = draws["residual_sd"][0, draw].to_numpy(), np.r_[0, draws["log_sd_ratio"][0, draw]]
        sds = [sd * np.exp(arm * ratio) for arm in designs.ARM_CODES]
        found.append([np.outer(each, each) * correlation for each in sds])
    return np.array(found)


def _by_person(draws: xr.Dataset, design: designs.Design) -> np.ndarray:
    """Log density of each participant's outcomes by SciPy, (draw, participant)."""
    covariance, eta = _covariances(draws, design), MODEL.predictor(draws, design)[0]
    result = np.zeros((draws.sizes["draw"], design.participants))
    for person in range(design.participants):
        mine = np.flatnonzero(design.participant_of == person)
        if not mine.size:
            continue
        inside = np.ix_(design.wave_of[mine], design.wave_of[mine])
        for draw, arms in enumerate(covariance):
            normal = stats.multivariate_normal(eta[draw, mine], arms[int(design.arm[person] > 0)][inside])
            result[draw, person] = normal.logpdf(design.outcome[mine]) - mine.size * np.log(design.scale)
    return result


def test_cells_given_earlier_ones_add_up_to_the_multivariate_normal_density():
    design = _design()
    draws = _draws(design)
    cells = MODEL.log_likelihood(draws, design)[0]
    sums = np.array([np.bincount(design.participant_of, each, design.participants) for each in cells])
    np.testing.assert_allclose(sums, _by_person(draws, design), rtol=1e-9)


def test_histories_have_the_density_of_whoever_has_them():
    design = _design()
    draws = _draws(design)
    found = left_out.units(MODEL, draws, design)
    of = design.histories.history_of
    np.testing.assert_allclose(found.log_probability[:, of[of >= 0]], _by_person(draws, design)[:, of >= 0], rtol=1e-9)


@pytest.mark.parametrize("grouped", [False, True])
def test_the_kernel_has_the_density_of_the_pymc_model_and_its_gradient(grouped):
    design = _design(grouped)
    ready = MODEL.ready(design, PRIORS)
    density = density_of(ready)
    point = ready.middle + 0.3 * np.random.default_rng(1).standard_normal(ready.middle.size)
    found, slope = density(point)
    step = 1e-5
    by = [density(point + step * each)[0] - density(point - step * each)[0] for each in np.eye(point.size)]
    # a central difference of step 1e-5: rounding of 1e-12 of the density over 2e-5, and third slopes times 1e-10
    np.testing.assert_allclose(slope, np.array(by) / (2 * step), rtol=1e-6, atol=1e-6 * np.abs(slope).max())
    if grouped:
        return
    values = values_of(ready, point)
    model = MODEL.observed_model(design, PRIORS)
    theta, rho = PRIORS["theta"], values[PARTIAL]
    root = theta.arguments["sd"] * np.linalg.cholesky(theta.correlation(3))
    at = {
        f"{PARTIAL}_standard_logodds__": np.log((1 + rho) / (1 - rho)),
        "theta_standard": np.linalg.solve(root, values["theta"]),
        "residual_sd_log__": np.log(values["residual_sd"]),
        **{name: values[name] for name in ("log_sd_ratio", "step", "mu_0")},
    }
    assert set(at) == set(model.initial_point())
    assert found == pytest.approx(float(model.compile_logp()(at)), rel=1e-10)


def test_outcomes_of_new_participants_have_the_covariance():
    """SDs and correlations of 4,000 × 30 outcomes an arm: five standard errors, 1/√(2n) of an SD and 1/√n at most."""
    design = _design(missing=0.0)
    one = _draws(design, 1)
    many = one.isel(draw=np.zeros(2000, int)).assign_coords(draw=np.arange(2000))
    made = MODEL.outcomes_of_new(many, design, np.random.default_rng(2))[0].reshape(2000, -1, 4)
    for number, arm in enumerate(designs.ARM_CODES):
        values = made[:, design.arm == arm].reshape(-1, 4)
        expected, sd = _covariances(one, design)[0, number], values.std(0, ddof=1)
        np.testing.assert_allclose(sd, np.sqrt(np.diag(expected)), rtol=5 / np.sqrt(2 * len(values)))
        correlation = expected / np.outer(*[np.sqrt(np.diag(expected))] * 2)
        np.testing.assert_allclose(np.corrcoef(values.T), correlation, atol=5 / np.sqrt(len(values)))
    again = predictive.replicate(MODEL, one, design, 1)
    assert again.shape == (1, design.outcome.size)


def _maximum_likelihood(design: designs.Design) -> np.ndarray:
    """Effects at the follow-ups by maximum likelihood with SDs by wave and arm, by SciPy, in SDs of the first wave."""
    y = design.outcome.reshape(-1, 4)
    arm = design.arm

    def lost(x: np.ndarray) -> float:
        root = np.zeros((4, 4))
        root[np.tril_indices(4)] = x[:10]
        matrix = root @ root.T + 1e-9 * np.eye(4)
        scale = np.exp(np.outer(arm, np.r_[0, x[10:13]]))
        error = (y - x[13:17] - np.outer(arm, np.r_[0, x[17:]])) / scale
        quadratic = np.einsum("ij,jk,ik->", error, np.linalg.inv(matrix), error)
        return 0.5 * (quadratic + len(y) * np.linalg.slogdet(matrix)[1]) + np.log(scale).sum()

    start = np.r_[np.linalg.cholesky(np.cov(y.T))[np.tril_indices(4)], np.zeros(3), y.mean(0), np.zeros(3)]
    return optimize.minimize(lost, start, method="BFGS", options={"gtol": 1e-4}).x[17:]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["waves", "arms"])
def test_under_loose_priors_effects_are_those_of_maximum_likelihood(kind):
    """Within 0.1 posterior SD, of which 4,000 draws leave 0.016 and priors ten times as wide next to nothing."""
    design, _ = unequal_sds.trial(kind, 11)
    loose = PRIORS.scaled(10, ("mu_0", "step", "theta", "residual_sd"))
    tree = nuts.sample(MODEL.ready(design, loose), nuts.Sampler(draws=1000, tune=500, chains=4, seed=1))
    theta = tree["posterior"]["theta"].to_numpy().reshape(-1, 3)
    expected = _maximum_likelihood(design)
    assert (np.abs(theta.mean(0) - expected) < 0.1 * theta.std(0)).all(), (theta.mean(0), expected, theta.std(0))


def _rows(kind: str) -> list[dict[str, str]]:
    with RECORD.open(encoding="utf-8", newline="") as lines:
        return [row for row in csv.DictReader(lines) if row["design"] == kind]


@pytest.mark.parametrize("kind", ["waves", "arms"])
def test_in_the_record_intervals_hold_the_truth_as_often_as_they_say(kind):
    rows = pd.DataFrame(_rows(kind)).drop(columns="design").astype(float)
    assert len(rows) == unequal_sds.TRIALS
    assert 0.92 <= ((rows["lower"] <= rows["truth"]) & (rows["truth"] <= rows["upper"])).mean() <= 0.98
    # and they are shorter than those of an analysis that knows no prior and no other wave
    assert (rows["upper"] - rows["lower"]).mean() < (rows["ancova_upper"] - rows["ancova_lower"]).mean()


def test_one_trial_of_the_record_is_computed_again():
    """A median of two fits of 2,000 draws differs by a Monte-Carlo error of 1/20 of the width at the very most."""
    row = _rows("arms")[7]
    _, _, truth, lower, upper, *rest = unequal_sds.intervals(("arms", 7))
    assert truth == pytest.approx(float(row["truth"]), abs=1e-4)
    assert rest == pytest.approx([float(row["ancova_lower"]), float(row["ancova_upper"])], abs=1e-4)
    assert [lower, upper] == pytest.approx([float(row["lower"]), float(row["upper"])], abs=(upper - lower) / 20)


# which trials


def test_the_covariance_is_free_where_there_is_enough_to_tell_it(monkeypatch):
    study, data = trials.simulated(scores(), 6)
    free = MODEL.seen(designs.design(study, data))
    assert free.correlated
    assert set(MODEL.dimensions(free)) >= {PARTIAL, "residual_sd", "log_sd_ratio"}
    assert "tau" not in MODEL.dimensions(free)
    assert "correlation of their own" in RandomSlopes().lacking(free)
    few = designs.design(study, data.isel(participant=slice(0, 39)))
    assert not MODEL.seen(few).correlated
    assert any("fewer than 10 for each wave" in note for note in few.notes)
    monkeypatch.setattr(designs, "MOST_WAVES", 3)
    many = designs.design(study, data)
    assert not MODEL.seen(many).correlated
    assert any("more than 3" in note for note in many.notes)


def test_a_study_file_may_ask_for_equal_correlations():
    study, data = trials.simulated(scores(), 6)
    outcome = study.outcome.model_copy(update={"covariance": "exchangeable"})
    asked = designs.design(study.model_copy(update={"outcome": outcome}), data)
    assert asked.has_trait
    assert MODEL.seen(asked) is asked
    assert not asked.notes


@pytest.mark.parametrize("waves", [slice(None), slice(3, None)])
def test_where_an_arm_is_all_alike_its_spread_is_not_left_free(waves):
    """Its likelihood grows without end as that spread goes to 0, faster than any prior of it falls."""
    study, data = trials.simulated(scores(), 6)
    treated = xr.DataArray(data["arm"].to_numpy() == 1, dims="participant")
    last = xr.DataArray(np.arange(4) == 3, dims="wave")
    still = data["outcome"].where(~(treated & last), 20.0).transpose("participant", "wave")
    part = data.assign(outcome=still).isel(wave=waves)
    plan = study.model_copy(update={"waves": study.waves[waves]})
    design = MODEL.seen(designs.design(plan, part))
    assert not design.correlated
    assert "log_sd_ratio" not in MODEL.dimensions(design)
    assert any("are alike" in note for note in design.notes)


def test_one_wave_has_no_correlation(tmp_path):
    study, data = loaded(one_wave(tmp_path / "s", "continuous"))
    design = MODEL.seen(designs.design(study, data))
    assert not design.correlated
    assert {"residual_sd", "log_sd_ratio"} <= set(MODEL.dimensions(design))


def test_only_a_continuous_outcome_has_a_covariance(tmp_path):
    folder = one_wave(tmp_path / "s", "binary")
    text = (folder / "study.toml").read_text(encoding="utf-8")
    (folder / "study.toml").write_text(text.replace("[outcome]", '[outcome]\ncovariance = "exchangeable"'), "utf-8")
    with pytest.raises(InvalidInput, match="only of a continuous outcome"):
        loaded(folder)


def test_means_are_averaged_without_any_trait():
    design = _design(missing=0.0)
    draws = _draws(design)
    found = response(MODEL, draws, design, ("population", "sample"))
    level = design.natural(MODEL.predictor(draws, design.complete()))[0].reshape(3, -1, 4)
    for number, arm in enumerate(designs.ARM_CODES):
        own = level[:, design.arm == arm].mean(1)
        for average in ("population", "sample"):
            np.testing.assert_allclose(found.sel(average=average).isel(arm=number)[0], own, rtol=1e-12)


def test_spreads_differ_by_arm_at_follow_ups_alone():
    design = _design(missing=0.0)
    draws = _draws(design, 1)
    sd = dispersion(draws, design)[0, 0].reshape(-1, 4)
    control, treated = sd[design.arm < 0][0], sd[design.arm > 0][0]
    np.testing.assert_allclose(np.log(treated / control), np.r_[0, draws["log_sd_ratio"][0, 0]], atol=1e-12)
    np.testing.assert_allclose(np.sqrt(treated * control), draws["residual_sd"][0, 0], rtol=1e-12)
    assert wave_covariance.coordinates(design)["wave_pair"][:2] == ["3 and 0", "6 and 0"]
