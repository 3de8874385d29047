"""The model with random slopes: its density written by hand, its averages by adaptive quadrature."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pymc as pm
import pytest
from scipy import special, stats

from models.checks.left_out import units
from models.equations.effect import Effect
from models.equations.random_slopes import RandomSlopes
from models.estimands.response import response
from priors import prior_set
from tests import pinned, trials

effect = Effect()
random_slopes = RandomSlopes()

MONTHS = (0.0, 1.0, 9.0, 12.0)


def _design():
    return replace(pinned.layout("logit"), month=MONTHS)


def _drawn(layout, draws: int = 3, **fixed):
    base = pinned.posterior(layout, draws, **fixed).drop_vars("trait")
    rng = np.random.default_rng(3)
    return base.assign(
        tau_slope=(("chain", "draw"), rng.uniform(0.3, 1.5, (2, draws))),
        partial_correlation=(("chain", "draw", "pair"), rng.uniform(-0.8, 0.8, (2, draws, 1))),
    )


def test_averages_integrate_a_slope_that_grows_with_time():
    layout = _design()
    draws = _drawn(layout)
    found = response(random_slopes, draws, layout).sel(average="population")
    one = draws.isel(chain=1, draw=2)
    tau, slope, rho = (float(one[name].squeeze()) for name in ("tau", "tau_slope", "partial_correlation"))
    level = np.concatenate([[0.0], np.cumsum(one["step"])]) + float(one["mu_0"])
    moved = np.array([0.0, one["theta_negative_control"].item(), *one["theta"].to_numpy()])
    for place, month in enumerate(MONTHS):
        time = month / 12
        sd = np.sqrt(tau**2 + 2 * rho * tau * slope * time + (slope * time) ** 2)
        for arm, sign in (("control", -0.5), ("treated", 0.5)):
            each = [
                trials.marginal(level[place] + sign * moved[place] + float(row @ one["gamma"].to_numpy()), sd)
                for row in layout.covariates
            ]
            # quadrature to 1e-9 each
            cell = found.isel(chain=1, draw=2, wave=place).sel(arm=arm)
            assert float(cell) == pytest.approx(np.mean(each), abs=1e-8)


def test_without_slopes_it_is_the_effect_model():
    layout = _design()
    draws = _drawn(layout)
    still = draws.assign(tau_slope=0.0 * draws["tau_slope"])
    plain = response(effect, still, layout, ("population",))
    np.testing.assert_array_equal(response(random_slopes, still, layout), plain)


def test_its_density_is_the_one_written_by_hand():
    layout, priors = _design(), prior_set.load()
    model = pm.observe(random_slopes.build(layout, priors), effect.observed(layout))
    rng = np.random.default_rng(8)
    point = {variable.name: 0.4 * rng.standard_normal(variable.eval().shape) for variable in model.free_RVs}
    point["tau"], point["tau_slope"] = np.array(0.9), np.array(0.6)
    point["partial_correlation_standard"] = np.array([0.35])
    logp = model.compile_logp(jacobian=False, mode="FAST_COMPILE")
    unconstrained = {}
    for variable in model.free_RVs:
        transform = model.rvs_to_transforms[variable]
        value = model.rvs_to_values[variable]
        raw = point[variable.name]
        unconstrained[value.name] = raw if transform is None else transform.forward(raw, *variable.owner.inputs).eval()
    assert float(logp(unconstrained)) == pytest.approx(_by_hand(point, layout, priors), abs=1e-8)


def _by_hand(point, layout, priors) -> float:
    rho = 2 * point["partial_correlation_standard"][0] - 1
    total = stats.beta.logpdf(point["partial_correlation_standard"][0], 2, 2)
    total += stats.halfnorm.logpdf(point["tau"], scale=1.0) + stats.halfnorm.logpdf(point["tau_slope"], scale=0.7)
    for name, sd in (("mu_0", 1.5), ("step", 0.75), ("gamma", 0.5), ("theta_negative_control", 0.7)):
        total += stats.norm.logpdf(point[name], scale=sd).sum()
    for name in ("theta_standard", "trait_standard", "slope_standard"):
        total += stats.norm.logpdf(point[name]).sum()
    root = np.linalg.cholesky(0.7**2 * np.array([[1, 0.5], [0.5, 1]]))
    theta = root @ point["theta_standard"]
    level = float(point["mu_0"]) + np.concatenate([[0], np.cumsum(point["step"])])
    moved = np.array([0, point["theta_negative_control"][0], *theta])
    trait = point["tau"] * point["trait_standard"]
    slope = point["tau_slope"] * (rho * point["trait_standard"] + np.sqrt(1 - rho**2) * point["slope_standard"])
    for person, wave, outcome in zip(layout.participant_of, layout.wave_of, layout.outcome, strict=True):
        eta = level[wave] + layout.arm[person] * moved[wave] + layout.covariates[person] @ point["gamma"]
        eta += trait[person] + slope[person] * MONTHS[wave] / 12
        total += np.log(special.expit(eta if outcome else -eta))
    return float(total)


def test_two_waves_cannot_have_slopes():
    two = replace(_design(), wave=("a", "b"), role=("baseline", "follow-up"), month=(0.0, 6.0))
    assert "three waves" in random_slopes.lacking(two)
    assert random_slopes.lacking(_design()) == ""


def test_new_participants_spread_as_the_averages_assume():
    """SDs of 56,000 simulated terms a wave, known to 0.3%: within four of these errors."""
    layout = _design()
    draws = _drawn(layout).isel(chain=[1], draw=[2] * 4000)
    drawn = random_slopes.predictor_of_new(draws, layout, np.random.default_rng(4))
    own = drawn - effect.predictor(draws, layout, np.zeros((1, 4000, layout.participants)))
    values = {name: value.to_numpy()[0, :1] for name, value in draws.items()}
    for wave, sd in enumerate(random_slopes.own_sd(values, layout)[0]):
        assert own[..., layout.wave_of == wave].std() == pytest.approx(sd, rel=0.012)


def test_nobody_can_be_left_out_of_it_as_of_the_effect_model():
    layout = _design()
    with pytest.raises(TypeError, match="random slopes"):
        units(random_slopes, _drawn(layout), layout)
