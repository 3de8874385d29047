"""Parameters and effects are recovered from simulated trials; nothing of the simulator is shared with the model.

Frequencies over many trials are those of the integrated likelihood, whose posterior is that of the sampled traits
(`test_histories` and `test_integrated`); single fits sample them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from models.design.layout import design
from models.equations.effect import Effect
from models.equations.effect_integrated import Integrated
from models.estimands import estimands
from models.estimands.response import response
from models.inference import nuts
from models.simulation import simulated_trial
from models.simulation.scenario import Scenario
from models.trial.study_file.study import Study
from tests import trials

effect = Effect()
effect_integrated = Effect(Integrated())

BASE = replace(simulated_trial.load("effect").with_outcome(covariates={}), covariates=())
FAMILY_WISE = 1e-3


def _central(rng: np.random.Generator, sd: float, size: int) -> np.ndarray:
    """Values inside the central 80% of N(0, sd²)."""
    return stats.norm.ppf(rng.uniform(0.1, 0.9, size)) * sd


def _truth(rng: np.random.Generator) -> tuple[Scenario, dict[str, np.ndarray]]:
    """A scenario whose parameters lie inside the central 80% of their priors, and these parameters by name."""
    mu_0, step, tau = _central(rng, 1.5, 1), _central(rng, 0.75, 3), abs(stats.norm.ppf(0.5 + rng.uniform(0.05, 0.45)))
    common = _central(rng, 0.7, 1)
    theta = np.clip(np.sqrt(0.5) * (common + _central(rng, 0.7, 2)), *(stats.norm.ppf([0.1, 0.9]) * 0.7))
    before = _central(rng, 0.7, 1)
    levels = mu_0 + np.concatenate([[0], np.cumsum(step)])
    scenario = BASE.with_outcome(intercepts=tuple(levels), arm_effects=(0.0, *before, *theta), trait_sd=float(tau))
    return scenario, {
        "mu_0": mu_0,
        "step": step,
        "theta": theta,
        "theta_negative_control": before,
        "tau": np.array([tau]),
    }


def _true_estimands(parameters: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Risk in each arm and risk difference at every wave, by adaptive quadrature."""
    levels = parameters["mu_0"] + np.concatenate([[0], np.cumsum(parameters["step"])])
    effects = np.concatenate([[0], parameters["theta_negative_control"], parameters["theta"]])
    tau = float(parameters["tau"][0])
    risks = {
        arm: np.array([trials.marginal(m + s * e, tau) for m, e in zip(levels, effects, strict=True)])
        for arm, s in (("control", -0.5), ("treated", 0.5))
    }
    return {
        "risk control": risks["control"],
        "risk treated": risks["treated"],
        "risk difference": (risks["treated"] - risks["control"])[1:],
    }


def _integrated(study: Study, data: xr.Dataset, sampler: nuts.Sampler) -> tuple[xr.Dataset, xr.Dataset]:
    """Draws of the parameters, and of the contrasts in the population."""
    draws = trials.fitted(study, data, sampler, model=effect_integrated)["posterior"].to_dataset()
    levels = response(effect, draws, design(study, data), (estimands.POPULATION,))
    return draws, estimands.contrasts(levels, study).sel(average=estimands.POPULATION)


def _covered(seed: int, participants: int) -> dict[str, bool]:
    """Whether each parameter's and each estimand's 95% interval holds its true value, in one trial."""
    rng = np.random.default_rng(np.random.SeedSequence([20261123, participants, seed]))
    scenario, truth = _truth(rng)
    study, data = trials.simulated(scenario, seed, participants)
    sampler = nuts.Sampler(draws=1000, tune=700, chains=2, seed=seed)
    draws, found = _integrated(study, data, sampler)
    values = {name: draws[name].to_numpy().reshape(2000, -1) for name in truth}
    values |= {f"risk {arm}": found["risk"].sel(arm=arm).to_numpy().reshape(2000, -1) for arm in ("control", "treated")}
    values["risk difference"] = found["risk_difference"].to_numpy().reshape(2000, -1)
    held = {}
    for name, true in (truth | _true_estimands(truth)).items():
        lower, upper = np.quantile(values[name], [0.025, 0.975], axis=0)
        held |= {f"{name}[{k}]": bool(lower[k] <= true[k] <= upper[k]) for k in range(true.size)}
    return held


def _fewest(trials_run: int, quantities: int) -> int:
    """Fewest intervals that may hold the truth: below it, chance would put one quantity in 1,000 such families.

    Coverage is 95% on average over the prior, and here over its central 80%, where it is higher. Each quantity is
    allowed a false alarm of .001 / quantities (Bonferroni, which holds whatever their dependence).
    """
    return int(stats.binom.ppf(FAMILY_WISE / quantities, trials_run, 0.95))


@pytest.mark.slow
@pytest.mark.parametrize(("participants", "count"), [(107, 20), (500, 5)])
def test_intervals_hold_the_truth(participants, count):
    held = Counter()
    for seed in range(count):
        held.update({name: int(inside) for name, inside in _covered(seed, participants).items()})
    assert len(held) == 8 + 4 + 4 + 3
    fewest = _fewest(count, len(held))
    assert {name: times for name, times in held.items() if times < fewest} == {}
    # over all quantities together the mean coverage cannot be far from 95%: 5 SE of a mean of `count` trials, each of
    # whose own mean over dependent quantities has an SD of at most sqrt(.95 × .05)
    assert sum(held.values()) / (count * len(held)) > 0.95 - 5 * np.sqrt(0.95 * 0.05 / count)


def test_the_bound_can_fail():
    # intervals that contain the truth in 60% of trials are caught nearly always at 20 trials, and in most families at 5
    assert stats.binom.cdf(_fewest(20, 19) - 1, 20, 0.6) > 0.7
    assert _fewest(5, 19) >= 2


@pytest.mark.slow
def test_counts_are_recovered():
    """Negative binomial: true effects, dispersion and spread inside their 99.9% intervals (false alarm .005)."""
    scenario = simulated_trial.load("counts")
    study, data = trials.simulated(scenario, 4, participants=400)
    draws = trials.fitted(study, data, nuts.Sampler(draws=800, tune=500, chains=2, seed=4))["posterior"].to_dataset()
    outcome = scenario.outcome
    truth = {"dispersion": np.sqrt(outcome.dispersion), "tau": outcome.trait_sd}
    for name, value in truth.items():
        lower, upper = np.quantile(draws[name], [0.0005, 0.9995])
        assert lower < value < upper, name
    follow_up = [k for k, wave in enumerate(scenario.waves) if wave.role == "follow-up"]
    for place, k in enumerate(follow_up):
        lower, upper = np.quantile(draws["theta"].to_numpy()[..., place], [0.0005, 0.9995])
        assert lower < outcome.arm_effects[k] < upper


@pytest.mark.slow
def test_regression_to_the_mean_is_not_taken_for_an_effect():
    """Risk falls from 52.8% to 48.4% with no effect of anything; the difference holds 0 in ≥ 93% of trials."""
    scenario, holds, rises = simulated_trial.load("regression_to_the_mean"), 0, []
    count = 100
    for seed in range(count):
        study, data = trials.simulated(scenario, seed)
        _, found = _integrated(study, data, trials.QUICK)
        lower, upper = np.quantile(found["risk_difference"].sel(contrast=study.primary_wave), [0.025, 0.975])
        holds += lower <= 0 <= upper
        rises.append(float(found["change"].sel(arm="control", contrast=study.primary_wave).median()))
    # a shrunken interval covers a null in about 97.5% of trials: fewer than 93 of 100 has probability .003
    assert holds >= 93
    # and the fall is there to be mistaken: its mean, −4.4 points, lies 4 SE or more below 0
    assert np.mean(rises) < -4 * np.std(rises) / np.sqrt(count)


@pytest.mark.slow
def test_permuted_arms_centre_the_effect_at_zero():
    """Over 50 permutations of the arms the mean risk difference lies within 3 standard errors of 0."""
    study, data = trials.simulated(BASE.with_outcome(arm_effects=(0, 0, -1.2, -1.2)), 7)
    rng, medians = np.random.default_rng(3), []
    for _ in range(50):
        shuffled = data.assign(arm=("participant", rng.permutation(data["arm"].to_numpy())))
        _, found = _integrated(study, shuffled, trials.QUICK)
        medians.append(float(found["risk_difference"].sel(contrast="6 months").median()))
    assert abs(np.mean(medians)) < 3 * np.std(medians, ddof=1) / np.sqrt(50)


@pytest.mark.slow
def test_a_refit_with_swapped_arms_flips_the_sign():
    """Refits agree within four Monte-Carlo errors of each median."""
    from models.estimands.summary import diagnostics

    study, data = trials.simulated(simulated_trial.load("effect"), 8)
    found = []
    for arms in (data["arm"], 1 - data["arm"]):
        changed = data.assign(arm=arms)
        draws = trials.fitted(study, changed, nuts.Sampler(seed=2))["posterior"].to_dataset()
        found.append(
            estimands.contrasts(response(effect, draws, design(study, changed)), study)["risk_difference"].sel(
                average="population"
            )
        )
    medians = [each.median(("chain", "draw")) for each in found]
    errors = [diagnostics(each.to_dataset())["risk_difference"].sel(diagnostic="mcse_median") for each in found]
    assert (np.abs(medians[0] + medians[1]) < 4 * np.hypot(*errors)).all()
    assert (np.sign(medians[0]) == -np.sign(medians[1])).all()
