"""Are simulated truths found, and what happens where an assumption of the model fails?"""

from __future__ import annotations

import numpy as np
import pytest

from models.design.layout import design
from models.equations.mediation import Mediation
from models.estimands import path_estimates
from models.estimands.path_effects import path_draws
from models.inference import nuts
from models.simulation import simulated_trial
from models.simulation.true_values import truth
from tests import pinned_mediation, trials

mediation = Mediation()

WAVE = "6 months"
SAMPLER = nuts.Sampler(draws=400, tune=400, chains=1, seed=1)
NAMES = ("total", "natural_direct", "natural_indirect", "interventional_direct", "controlled_direct")


def _effects(scenario, seed: int, participants: int) -> dict[str, np.ndarray]:
    """Posterior draws of the effects at the primary wave."""
    study, data = trials.simulated(scenario, seed, participants)
    layout = design(study, data)
    draws = trials.fitted(study, data, SAMPLER, model=mediation)["posterior"].to_dataset()
    draws = mediation.completed(draws, layout, 1)
    order = [part.column for part in study.mediators]
    values = path_draws(draws, layout, order).values.sel(contrast=WAVE)
    found = {name: values[name].to_numpy().ravel() for name in NAMES[:4]}
    found |= {name: values["interventional_via"].sel(mediator=name).to_numpy().ravel() for name in order}
    return found


def _truths(scenario) -> dict[str, float]:
    known = truth(scenario)
    found = {name: known.value(name, WAVE) for name in NAMES[1:4]}
    found["total"] = known.value("interventional_total", WAVE)
    via = {part.column: known.value("interventional_via", part.column, WAVE) for part in scenario.mediators}
    return found | via


def _errors(name: str, seeds: range, participants: int) -> dict[str, np.ndarray]:
    """Standardised errors (posterior mean − truth) / posterior SD, one for each replication."""
    scenario = simulated_trial.load(name)
    known = _truths(scenario)
    found: dict[str, list[float]] = {key: [] for key in known}
    for seed in seeds:
        effects = _effects(scenario, seed, participants)
        for key, value in known.items():
            found[key].append((effects[key].mean() - value) / effects[key].std())
    return {key: np.array(errors) for key, errors in found.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mediation_clean", "correlated_traits"])
def test_the_truth_is_found_without_confounding_and_with_correlated_traits(name):
    """One trial of 1,000 each (more trials take hours; their record is in docs).

    A standardised error is about standard normal: 2 × 6 numbers at ±3.5, false alarm 12 × 5e-4 = .006.
    """
    for key, errors in _errors(name, range(1), 1000).items():
        assert np.abs(errors).max() < 3.5, (name, key, errors)


@pytest.mark.slow
def test_time_varying_confounding_biases_and_its_true_size_repairs_it():
    """Something new at each wave (λ_M = .5, λ_Y = −.8) moves support and, a wave later, violence.

    Given support its residual tells U: E[U | e] = .5/.74 e, variance left 1 − .25/.74 = .66. The fitted slope is
    therefore near (−.5 − .8 × .68) / √(1 + .346 × .64 × .66) = −.97 a unit in place of −.5, about 5 posterior SDs at
    n = 1,500. Turned back with the true loadings, the indirect effect is again within 3.5 SDs (false alarm 5e-4).
    """
    scenario = simulated_trial.load("time_varying_confounding")
    via = _truths(scenario)["social_support"]
    study, data = trials.simulated(scenario, 1, 1500)
    layout = design(study, data)
    draws = trials.fitted(study, data, SAMPLER, model=mediation)["posterior"].to_dataset()
    biased = _indirect(draws, layout)
    assert abs(biased.mean() - via) / biased.std() > 3, "an unmeasured cause must show as bias"
    repaired = _indirect(_turned_back(draws, layout, 0.5, -0.8), layout)
    assert abs(repaired.mean() - via) / repaired.std() < 3.5


def _indirect(draws, layout) -> np.ndarray:
    values = path_draws(draws, layout, layout.mediators.name).values
    return values["interventional_via"].sel(contrast=WAVE, mediator="social_support").to_numpy().ravel()


def _turned_back(draws, layout, on_mediator: float, on_outcome: float):
    """Slope and arm effect as they would be were U held: probit algebra on the logit scale, c = 16√3/(15π)."""
    scale = float(layout.mediators.scale[0])
    residual = (draws["mediator_residual_sd"].isel(continuous_mediator=0, drop=True) * scale) ** 2
    told = on_mediator / residual
    left = 1 - on_mediator**2 / residual
    stretch = np.sqrt(1 + (16 * np.sqrt(3) / (15 * np.pi)) ** 2 * on_outcome**2 * left)
    slope = draws["slope"] * stretch - on_outcome * told * scale
    moved = draws["mediator_theta"].isel(mediator=0, drop=True).sel(follow_up="3 months", drop=True)
    theta = draws["theta"] * stretch + on_outcome * told * moved * scale
    return draws.assign(slope=slope, theta=theta)


def test_exposure_induced_confounding_is_assumed_away_and_said():
    """The two truths differ, and every effect that would be wrong says what it assumes."""
    scenario = simulated_trial.load("exposure_induced")
    known = truth(scenario, population=100_000)
    apart = known.value("natural_indirect", WAVE) - (
        known.value("interventional_total", WAVE) - known.value("interventional_direct", WAVE)
    )
    assert abs(apart) > 5 * known.monte_carlo_se
    study, data = trials.simulated(scenario, 1)
    layout = design(study, data)
    draws = pinned_mediation.posterior(layout, 3)
    found = path_draws(draws, layout, [part.column for part in study.mediators])
    rows = path_estimates.estimates(found, study, data, layout)
    direct = [row for row in rows if "direct" in row.estimand or row.estimand == "interventional_via"]
    assert direct
    for row in direct:
        assert path_estimates.NOT_INDUCED in row.claim.assumptions, row.estimand
        assert path_estimates.RHO in row.claim.bias_parameters, row.estimand
