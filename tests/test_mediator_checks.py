"""Mediators' transforms: exact against closed forms, uniform under the right model, outside under a wrong one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from models.checks import mediator_checks, path_checks, uniformity
from models.design.layout import Design, design
from models.equations import forward
from models.equations.effect import Effect
from models.equations.mediation import Mediation
from models.equations.mediator_kinds import MEDIATOR_KINDS
from models.inference import nuts
from models.simulation import simulated_trial
from tests import pinned, pinned_mediation, trials

effect = Effect()
mediation = Mediation()

SD, TAU = 0.8, 0.6
NONE = dict.fromkeys(("mediator_theta", "mediator_theta_negative_control", "mediator_step", "mediator_gamma"), 0.0)
PINNED = NONE | {"mediator_mu_0": 0.2, "mediator_tau": TAU, "mediator_residual_sd": SD, "mediator_precision": 8.0}
ENDS = {"cutpoint_low": -1.0, "cutpoint_gap": 2.5, "mediator_nu": 4.0}


def _layout(kind: str, seed: int, people: int = 100) -> Design:
    """Four waves of one mediator; its values are set by `_with`."""
    base = pinned.layout(seed=seed, control=people // 2, treated=people - people // 2, covariates=0)
    rng = np.random.default_rng(seed)
    # both ends of a share occur, so that both have cutpoints
    value = np.where(rng.random((1, people, 4)) < 0.1, 0.0, np.where(rng.random((1, people, 4)) > 0.9, 1.0, 0.5))
    return replace(base, mediators=pinned_mediation.mediators((kind,), value, lasting=True))


def _with(layout: Design, value: np.ndarray) -> Design:
    return replace(layout, mediators=replace(layout.mediators, value=value[None]))


def _normal_case(seed: int, noise: np.ndarray | None = None, people: int = 100) -> tuple[Design, object]:
    """Values of the pinned model (or with other noise), and traits from their exact posterior given the parameters."""
    rng = np.random.default_rng([seed, 1])
    layout = _layout("normal", seed, people)
    value = 0.2 + TAU * rng.standard_normal((people, 1)) + SD * rng.standard_normal((people, 4))
    if noise is not None:
        value = value + noise
    value[rng.random(value.shape) < 0.1] = np.nan
    draws = pinned_mediation.posterior(layout, draws=500, **PINNED)
    seen = (~np.isnan(value)).sum(1)
    variance = 1 / (seen / SD**2 + 1 / TAU**2)
    mean = variance * np.nansum(value - 0.2, axis=1) / SD**2
    trait = mean + np.sqrt(variance) * rng.standard_normal((2, 500, 1, people))
    dims = ("chain", "draw", "lasting_mediator", "participant")
    return _with(layout, value), draws.assign(mediator_trait=(dims, trait))


def test_they_are_exact_where_the_predictive_distribution_is_known():
    """Given the parameters a normal value left out is normal around what the participant's others say of the trait."""
    layout, draws = _normal_case(3)
    found, _ = mediator_checks.transforms(draws, layout, 0, 1)
    value = layout.mediators.value[0] - 0.2
    person, wave = np.nonzero(~np.isnan(value))
    others = np.nansum(value, axis=1)[person] - value[person, wave]
    count = (~np.isnan(value)).sum(1)[person] - 1
    variance = 1 / (count / SD**2 + 1 / TAU**2)
    expected = stats.norm.cdf(value[person, wave], variance * others / SD**2, np.sqrt(variance + SD**2))
    # importance sampling with 1,000 draws; the values' own tails, where weights are worst, are off by most
    assert np.abs(found - expected).mean() < 0.01
    assert np.quantile(np.abs(found - expected), 0.95) < 0.03


def test_the_band_holds_19_of_20_uniform_samples_at_once():
    for count in (40, 400):
        lower, upper = mediator_checks.band(count)
        rng, inside = np.random.default_rng(6), []
        for _ in range(4000):
            ecdf = np.searchsorted(np.sort(rng.random(count)), mediator_checks.GRID, side="right") / count
            inside.append(((ecdf >= lower) & (ecdf <= upper)).all())
        # four standard errors of 4,000 samples; discreteness may only widen the band
        assert -0.014 < np.mean(inside) - uniformity.COVERAGE < 0.03


@pytest.mark.slow
def test_a_right_model_stays_within_and_outliers_leave():
    """P(more than 4 of 16 outside | right) = .001; one value in ten moved by ±4 makes all others too central."""
    right, wrong = [], []
    for seed in range(16):
        layout, draws = _normal_case(seed)
        right.append(bool(mediator_checks.pit(draws, layout, 1)["inside"][0]))
        rng = np.random.default_rng([seed, 2])
        moved = (rng.random((100, 4)) < 0.1) * rng.choice([-4.0, 4.0], (100, 4))
        layout, draws = _normal_case(seed, moved)
        wrong.append(bool(mediator_checks.pit(draws, layout, 1)["inside"][0]))
    assert sum(right) >= 12
    assert sum(wrong) == 0


@pytest.mark.parametrize("kind", sorted(MEDIATOR_KINDS))
def test_transforms_of_every_kind_are_uniform(kind):
    """Values drawn from the pinned model of people without a trait: leaving one out changes nothing."""
    layout = _layout(kind, 7, 400)
    layout = replace(layout, mediators=replace(layout.mediators, has_trait=(False,)))
    draws = pinned_mediation.posterior(layout, draws=100, **PINNED, **ENDS)
    own = forward.spread_at(forward.values_of(draws), layout, 0)
    single = {name: part[0, 0] if isinstance(part, np.ndarray) else part for name, part in own.items()}
    rng = np.random.default_rng(8)
    value = forward._draw(kind, rng, np.full((400, 4), 0.2), single)
    found = mediator_checks.pit(draws, _with(layout, value), 1)
    assert bool(found["inside"][0]), np.abs(found["ecdf"][0] - found["probability"]).max()
    transform, _ = mediator_checks.transforms(draws, _with(layout, value), 0, 1)
    assert stats.kstest(transform, "uniform").pvalue > 1e-3


def test_a_share_of_the_wrong_spread_leaves_the_band():
    layout = _layout("share", 7, 200)
    layout = replace(layout, mediators=replace(layout.mediators, has_trait=(False,)))
    draws = pinned_mediation.posterior(layout, draws=100, **PINNED, **ENDS)
    wide = {"low": -1.0, "high": 1.5, "precision": 2.0}  # fitted: 8
    value = forward._draw("share", np.random.default_rng(9), np.full((200, 4), 0.2), wide)
    assert not bool(mediator_checks.pit(draws, _with(layout, value), 1)["inside"][0])


@pytest.mark.parametrize("kind", ["normal", "student", "binary", "share"])
def test_probabilities_below_agree_with_the_density(kind):
    spread = {"low": -2.0, "high": 2.5, "precision": 6.0, "residual_sd": 0.7, "nu": 3.0}
    rule, eta = MEDIATOR_KINDS[kind], np.array(0.4)
    ends = kind in ("binary", "share")
    for value in (np.array(0.0), np.array(1.0)) if ends else ():
        left, right = rule.between(value, eta, spread)
        assert right - left == pytest.approx(np.exp(rule.log_probability(value, eta, spread)))
        assert (left == 0) if value == 0 else (right == 1)
    if kind != "binary":
        grid = np.linspace(0.2, 0.8, 4001)
        left, right = rule.between(grid, eta, spread)
        assert (left == right).all()
        density = np.exp(rule.log_probability(grid, eta, spread))
        assert left[-1] - left[0] == pytest.approx(np.trapezoid(density, grid), rel=1e-5)


def test_the_band_does_not_tell_how_many_values_there_are():
    limits = {tuple(np.concatenate(mediator_checks.band(count))) for count in range(380, 400)}
    assert len(limits) == 1


def test_it_holds_no_value_of_anybody_and_the_effect_model_has_none():
    layout, draws = _normal_case(3)
    found = mediator_checks.pit(draws, layout, 1)
    assert set(found.dims) == {"mediator", "probability"}
    assert found.sizes["probability"] == mediator_checks.GRID.size
    assert not mediator_checks.mediator_pit(effect, draws, layout, 1).sizes


def test_of_many_values_a_part_is_looked_at():
    layout, draws = _normal_case(3, people=700)
    thin = draws.isel(draw=slice(0, 100))
    assert mediator_checks.transforms(thin, layout, 0, 1)[0].size == mediator_checks.MOST_VALUES


@pytest.mark.slow
def test_a_fitted_model_stays_within_and_leaves_where_its_distribution_is_wrong():
    """One fit to data from the model, one to the same data with t₂ noise added to the continuous mediator."""
    study, data = trials.simulated(simulated_trial.load("mediation_clean"), 4, 120)
    sampler = nuts.Sampler(draws=400, tune=400, chains=1, seed=1)
    continuous = [part.kind == "continuous" for part in study.mediators].index(True)
    noisy = data.copy(deep=True)
    values = noisy["mediator_value"].to_numpy()
    values[continuous] += values[continuous][~np.isnan(values[continuous])].std() * stats.t.rvs(
        1.5, size=values[continuous].shape, random_state=1
    )
    for trial, inside in ((data, True), (noisy, False)):
        draws = trials.fitted(study, trial, sampler, model=mediation)["posterior"].to_dataset()
        found = mediator_checks.pit(draws, design(study, trial), 1)
        name = study.mediators[continuous].column
        assert bool(found["inside"].sel(mediator=name)) is inside
        if inside:
            assert bool(found["inside"].all())


# --- as a check of the gate -------------------------------------------------------------------------------------------


def test_a_log_normal_mediator_taken_for_normal_is_seen():
    # 120 values at each of three waves; at least 80 of 100 trials, as the gate promises
    rng = np.random.default_rng(1)
    seen = 0
    for _ in range(20):
        value = np.exp(rng.standard_normal(120))
        seen += mediator_checks.chance(stats.norm.cdf((value - value.mean()) / value.std())) < 0.001
    assert seen >= 16


@pytest.mark.slow
def test_the_chance_is_that_of_uniform_numbers():
    # P(chance ≤ p) ≤ p: of 1,000 uniform samples at most 73 below .05 (99.9th percentile of Binomial(1000, .05)), at
    # most 5 below .001
    rng = np.random.default_rng(2)
    found = np.array([mediator_checks.chance(rng.random(120)) for _ in range(1000)])
    assert (found <= 0.05).sum() <= 73
    assert (found <= 0.001).sum() <= 5
    assert abs(np.median(found) - 0.5) < 0.08


def test_several_mediators_are_looked_at_together():
    values = xr.Dataset({"chance": ("mediator", [0.4, 0.0002])}, {"mediator": ["support", "income"]})
    check = path_checks.distributions(values)
    assert (check.status, check.value) == ("amber", 0.0002)
    assert check.where == ({"variable": "mediator", "mediator": "income"},)
    assert not path_checks.distributions(xr.Dataset()).applies
