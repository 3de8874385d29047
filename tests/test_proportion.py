"""The primary effect without its prior, beside a robust estimate: exact on normal draws, and on trials."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from models.calibration import gate_trials
from models.checks import outcome_checks, proportion
from models.checks.gate_table import Status
from models.design.layout import design
from models.equations.averages import AVERAGES
from models.estimands import model_free, summary
from models.trial.study_file.study import ARMS

DRAWS = 4000


def _exactly(rng: np.random.Generator, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Draws whose own mean and covariance are these: no Monte-Carlo error."""
    raw = rng.standard_normal((DRAWS, mean.size))
    raw = (raw - raw.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.atleast_2d(np.cov(raw.T)))).T
    return mean + raw @ np.linalg.cholesky(covariance).T


@pytest.mark.parametrize("waves", [1, 2, 3])
@pytest.mark.parametrize("error", [0.1, 0.7, 1.5])
def test_the_prior_is_taken_out_exactly(waves, error):
    rng = np.random.default_rng([waves, 3])
    before = 0.49 * (0.5 * np.eye(waves) + 0.5)
    likely, data = error**2 * (0.7 * np.eye(waves) + 0.3), rng.normal(0, 0.5, waves)
    covariance = np.linalg.inv(np.linalg.inv(before) + np.linalg.inv(likely))
    mean = covariance @ np.linalg.inv(likely) @ data
    found = proportion.without_prior(_exactly(rng, mean, covariance), _exactly(rng, np.zeros(waves), before))
    np.testing.assert_allclose(found[0], data, atol=1e-6)
    np.testing.assert_allclose(found[1], likely, atol=1e-6)


def test_one_follow_up_is_the_posterior_sd_over_the_root_of_the_contraction():
    rng = np.random.default_rng(1)
    posterior, prior = (_exactly(rng, np.zeros(1), np.array([[sd**2]])) for sd in (0.3, 0.7))
    _, covariance = proportion.without_prior(posterior, prior)
    assert covariance[0, 0] == pytest.approx(0.3**2 / (1 - 0.3**2 / 0.7**2))


def test_what_the_data_do_not_tell_is_not_compared():
    rng = np.random.default_rng(1)
    same = _exactly(rng, np.zeros(2), np.eye(2))
    assert proportion.without_prior(same, same) is None


LINKED = {"binary": lambda eta: 1 / (1 + np.exp(-eta)), "count": np.exp, "continuous": lambda eta: eta}


def _levels(study, layout, mean: np.ndarray, covariance: np.ndarray, rng: np.random.Generator) -> xr.DataArray:
    """Responses whose contrasts at the follow-ups are normal on the link scale; all averages alike."""
    contrast = np.zeros((DRAWS, len(layout.wave)))
    contrast[:, [layout.wave.index(wave) for wave in layout.follow_up]] = _exactly(rng, mean, covariance)
    # far enough from 0 for a mean, near enough for a risk
    level = {"binary": -0.5, "count": 1.0, "continuous": 100.0}[study.outcome.kind]
    arms = np.array([-0.5, 0.5])[:, None] * contrast[:, None] + level
    values = np.broadcast_to(
        LINKED[study.outcome.kind](arms)[None, :, None], (1, DRAWS, len(AVERAGES), 2, len(layout.wave))
    )
    names = {
        "chain": [0],
        "draw": range(DRAWS),
        "average": list(AVERAGES),
        "arm": list(ARMS),
        "wave": list(layout.wave),
    }
    return xr.DataArray(values, names, dims=tuple(names))


def _trial(kind: str):
    for number in range(60):
        study, trial = gate_trials.trial_of(kind, number, 1)
        if 1 < len(study.waves) < 4 and trial.sizes["participant"] >= 150 and study.waves[0].role == "baseline":
            return study, trial
    raise AssertionError(kind)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["binary", "count", "continuous"])
@pytest.mark.parametrize("factor", [0.4, 0.75, 1.0, 1.5, 2.2])
def test_the_checks_are_of_the_width_and_the_place(kind, factor):
    study, trial = _trial(kind)
    layout, rng = design(study, trial), np.random.default_rng(7)
    estimate, error = proportion._robust(study, trial, layout)
    waves = len(layout.follow_up)
    before = (20 * error) ** 2 * (0.5 * np.eye(waves) + 0.5)
    likely = (factor * error) ** 2 * np.eye(waves)
    covariance = np.linalg.inv(np.linalg.inv(before) + np.linalg.inv(likely))
    mean = covariance @ np.linalg.inv(likely) @ np.full(waves, estimate + 3 * error)
    found = proportion.compare(
        _levels(study, layout, mean, covariance, rng), _levels(study, layout, np.zeros(waves), before, rng),
        study, trial, layout,
    )  # fmt: skip
    # the link there and back costs rounding only
    assert found.ratio == pytest.approx(factor, rel=1e-3)
    assert found.apart == pytest.approx(3.0, rel=1e-2)


def test_limits_on_both_sides():
    study, trial = _trial("continuous")
    layout, rng = design(study, trial), np.random.default_rng(7)
    estimate, error = proportion._robust(study, trial, layout)
    waves = len(layout.follow_up)
    before = (20 * error) ** 2 * np.eye(waves)
    told = {}
    for factor in (0.45, 0.7, 1.0, 1.5, 2.5):
        covariance = np.linalg.inv(np.linalg.inv(before) + np.eye(waves) / (factor * error) ** 2)
        levels = (_levels(study, layout, np.full(waves, m), c, rng) for m, c in ((estimate, covariance), (0.0, before)))
        told[factor] = outcome_checks.in_proportion(*levels, study, trial, layout)[0]
    assert [check.status for check in told.values()] == [
        Status.RED,
        Status.AMBER,
        Status.GREEN,
        Status.AMBER,
        Status.RED,
    ]
    assert (told[0.45].value, told[0.45].figures["ratio"]) == pytest.approx((1 / 0.45, 0.45), rel=5e-3)
    assert (told[2.5].value, told[2.5].figures["ratio"]) == pytest.approx((2.5, 2.5), rel=5e-3)


def test_a_regression_without_a_solution_is_no_alarm():
    study, trial = _trial("binary")
    layout = design(study, trial)
    gone = trial.assign(outcome=trial["outcome"] * 0.0)
    checks = outcome_checks.in_proportion(xr.DataArray(), xr.DataArray(), study, gone, layout)
    assert not any(check.applies for check in checks)
    assert "does not vary" in checks[0].remarks[0]


def test_standardised_means_are_those_of_the_table():
    study, trial = _trial("continuous")
    layout = design(study, trial)
    found = model_free.adjusted(study.primary_wave, trial, layout, study)
    row = model_free._standardised(study.primary_wave, trial, layout, study)
    assert row["estimate"] == pytest.approx(found.mean[1] - found.mean[0])
    np.testing.assert_allclose(found.influence.mean(1), 0, atol=1e-9)


def test_contraction_is_of_the_effect_on_its_own_scale():
    study, trial = _trial("binary")
    layout, rng = design(study, trial), np.random.default_rng(7)
    waves = len(layout.follow_up)
    levels = [_levels(study, layout, np.zeros(waves), sd**2 * np.eye(waves), rng) for sd in (0.35, 0.7)]
    found = summary.effect_contractions(*levels, layout.likelihood)
    assert found[study.primary_wave] == pytest.approx(0.75, abs=1e-6)
