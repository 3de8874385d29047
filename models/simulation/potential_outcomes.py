"""What would happen to a woman in each world: the oracle's own equations, shared with no model of the project.

Arms enter as x_t = ±1/2 (0 at a baseline wave), written here as `code`. Every array is (woman, wave).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from models.simulation.innovations import Array, Innovations, logistic, negative_binomial, normal_cdf
from models.simulation.participants import People, covariate_sum, shared
from models.simulation.scenario import Scenario
from models.simulation.scenario_parts import Exposure, Mediator, Outcome


@dataclass(frozen=True)
class Paths:
    """One world: mediators and what they were before the first wave (column → (woman, wave)), U (woman, wave).

    `before` has one column for each wave by which mediators precede the outcome, the last one next to the first wave.
    """

    mediators: Mapping[str, Array]
    confounder: Array
    before: Mapping[str, Array]


def arm_code(scenario: Scenario, arm: int | Array, wave: int) -> float | Array:
    """Return x_t: +1/2 for treated (1), -1/2 for control (0), and 0 at a baseline wave."""
    return 0.0 * arm if scenario.waves[wave].role == "baseline" else arm - 0.5


def mediator_paths(scenario: Scenario, people: People, draws: Innovations, arm: int | Array) -> Paths:
    """Return all mediators over all waves in the world where every woman is in `arm` (scalar or (woman,))."""
    confounder = _confounder(scenario, people, draws, arm)
    values: dict[str, list[Array]] = {m.column: [] for m in scenario.mediators}
    base = {m.column: _trait(people, m) + covariate_sum(scenario, people, m.covariates) for m in scenario.mediators}
    centre = {m.column: m.centre for m in scenario.mediators}
    for t in range(len(scenario.waves)):
        x = arm_code(scenario, arm, t)
        for m in scenario.mediators:
            eta = m.intercepts[t] + m.arm_effects[t] * x + base[m.column] + m.confounder * confounder[:, t]
            if t > 0:
                for source, slope in m.previous.items():
                    eta = eta + slope * (values[source][t - 1] - centre[source])
            for source, slope in m.same_wave.items():
                eta = eta + slope * (values[source][t] - centre[source])
            eta = eta + shared(people, m.column, t, arm)
            values[m.column].append(_mediator(m, eta, draws, f"mediator {m.column}", t))
    before = {
        m.column: np.stack(
            [
                _mediator(m, m.intercepts[0] + base[m.column], draws, f"mediator {m.column} before", k)
                for k in range(scenario.lag)
            ],
            axis=1,
        )
        for m in scenario.mediators
        if scenario.lag and scenario.acts_at_baseline
    }
    return Paths({column: np.stack(waves, axis=1) for column, waves in values.items()}, confounder, before)


def linear_predictor(scenario: Scenario, outcome: Outcome, people: People, arm: int | Array, paths: Paths) -> Array:
    """Return η (woman, wave) of an outcome with its own equation, given arm and the paths of its mediators."""
    base = _trait(people, outcome) + covariate_sum(scenario, people, outcome.covariates)
    centre = {m.column: m.centre for m in scenario.mediators}
    shocks = people.shocks.get(outcome.column)
    columns = []
    for t in range(len(scenario.waves)):
        x, acting = arm_code(scenario, arm, t), scenario.waves[t].role == "follow-up"
        eta = outcome.intercepts[t] + outcome.arm_effects[t] * x + base
        eta = eta + shared(people, outcome.column, t, arm)
        if shocks is not None:
            eta = eta + shocks[:, t]
        if scenario.acts_at_baseline or (t >= scenario.lag and scenario.waves[t].role != "baseline"):
            for source in dict.fromkeys((*outcome.mediators, *outcome.interactions)):
                slope = outcome.mediators.get(source, 0.0) + outcome.interactions.get(source, 0.0) * x * acting
                eta = eta + slope * (_felt(paths, source, t - scenario.lag) - centre[source])
        if t >= scenario.lag:
            eta = eta + outcome.confounder * paths.confounder[:, t - scenario.lag]
        columns.append(eta)
    return np.stack(columns, axis=1)


def _felt(paths: Paths, source: str, wave: int) -> Array:
    """Return a mediator at a wave, or at one before the first."""
    return paths.mediators[source][:, wave] if wave >= 0 else paths.before[source][:, wave]


def outcome_means(
    scenario: Scenario, outcome: Outcome, people: People, arm: int | Array, paths: Paths, reported: bool = False
) -> Array:
    """Return P(Y = 1), or the mean of a count or continuous outcome, (woman, wave); with `reported`, as reported."""
    means = _ungated(scenario, outcome, people, arm, paths, reported)
    if not outcome.gated_by:
        return means
    gate = _named(scenario, outcome.gated_by)
    mean = np.exp(linear_predictor(scenario, gate, people, arm, paths))
    return means * (1.0 - _zero(gate, mean))


def draw_outcomes(
    scenario: Scenario, people: People, arm: int | Array, paths: Paths, draws: Innovations
) -> dict[str, Array]:
    """Return one realised value of every outcome, column → (woman, wave), with innovations shared by all worlds."""
    drawn: dict[str, Array] = {}
    for outcome in sorted(scenario.outcomes, key=lambda o: (bool(o.gated_by), bool(o.union_of))):
        if outcome.union_of:
            parts = [drawn[column] for column in outcome.union_of]
            drawn[outcome.column] = np.max(np.stack(parts), axis=0)
        else:
            eta = linear_predictor(scenario, outcome, people, arm, paths)
            if outcome.exposure:
                with np.errstate(divide="ignore"):  # over nothing: a mean of 0
                    eta = eta + np.log(amounts(scenario, outcome.exposure, arm, draws) / outcome.exposure.at)
            drawn[outcome.column] = _realise(outcome, eta, draws)
            if outcome.gated_by:
                drawn[outcome.column] *= drawn[outcome.gated_by] > 0
    return {outcome.column: drawn[outcome.column] for outcome in scenario.outcomes}


def amounts(scenario: Scenario, exposure: Exposure, arm: int | Array, draws: Innovations) -> Array:
    """Return what a count arises over, (woman, wave), in the world where she is in `arm`."""
    columns = []
    for t, wave in enumerate(scenario.waves):
        index = 0 * np.asarray(arm) if wave.role == "baseline" else np.asarray(arm)
        least, most = (np.asarray(limits, float)[index] for limits in (exposure.least, exposure.most))
        amount = least + (most - least) * draws.uniform(f"exposure {exposure.column}", t)
        columns.append(amount * (draws.uniform(f"exposure {exposure.column} none", t) >= exposure.none))
    return np.stack(columns, axis=1)


def reporting(scenario: Scenario, outcome: Outcome, arm: int | Array, wave: int) -> tuple[Array, Array]:
    """Return sensitivity and specificity at a wave; before randomisation both arms report as control does."""
    index = 0 * np.asarray(arm) if scenario.waves[wave].role == "baseline" else np.asarray(arm)
    return np.asarray(outcome.sensitivity)[index], np.asarray(outcome.specificity)[index]


def _ungated(
    scenario: Scenario, outcome: Outcome, people: People, arm: int | Array, paths: Paths, reported: bool
) -> Array:
    if outcome.union_of:
        spared = np.ones((people.count, len(scenario.waves)))
        for column in outcome.union_of:
            spared = spared * (1.0 - _ungated(scenario, _named(scenario, column), people, arm, paths, reported))
        return 1.0 - spared
    eta = linear_predictor(scenario, outcome, people, arm, paths)
    if outcome.kind == "continuous":
        return eta
    if outcome.kind == "count":
        count = np.exp(eta)
        raised: Array = count + _floor(outcome, eta.shape[1]) * _zero(replace(outcome, floor=()), count)
        return raised
    risk = _risk(outcome, eta)
    if reported:
        for t in range(len(scenario.waves)):
            sensitivity, specificity = reporting(scenario, outcome, arm, t)
            risk[:, t] = sensitivity * risk[:, t] + (1.0 - specificity) * (1.0 - risk[:, t])
    return risk


def _floor(outcome: Outcome, waves: int) -> Array:
    return np.array(outcome.floor or [0] * waves, float)


def _zero(outcome: Outcome, mean: Array) -> Array:
    """Return P(count = 0), (woman, wave)."""
    alpha = outcome.dispersion
    zero = np.exp(-mean) if alpha == 0 else (1.0 + alpha * mean) ** (-1.0 / alpha)
    return zero * (1.0 - _floor(outcome, mean.shape[1]))


def _risk(outcome: Outcome, eta: Array) -> Array:
    return logistic(eta) if outcome.link == "logit" else normal_cdf(eta)


def _realise(outcome: Outcome, eta: Array, draws: Innovations) -> Array:
    columns = []
    for t in range(eta.shape[1]):
        if outcome.kind == "continuous":
            columns.append(eta[:, t] + outcome.residual_sd * draws.normal(f"outcome {outcome.column}", t))
            continue
        uniform = draws.uniform(f"outcome {outcome.column}", t)
        if outcome.kind == "count":
            count = negative_binomial(uniform, np.exp(eta[:, t]), outcome.dispersion)
            columns.append(np.maximum(count, _floor(outcome, eta.shape[1])[t]))
        else:
            columns.append((uniform < _risk(outcome, eta[:, t])).astype(float))
    return np.stack(columns, axis=1)


def _mediator(mediator: Mediator, eta: Array, draws: Innovations, name: str, wave: int) -> Array:
    if mediator.kind == "continuous":
        return eta + mediator.residual_sd * draws.normal(name, wave)
    uniform = draws.uniform(name, wave)
    if mediator.kind == "binary":
        return (uniform < logistic(eta)).astype(float)
    low, high = mediator.cutpoints
    interior = draws.beta(logistic(eta), mediator.precision, f"{name} interior", wave)
    # One uniform splits 0 | interior | 1, so that a higher η never lowers a woman's share across the cutpoints.
    interior = np.where(uniform >= 1.0 - logistic(eta - high), 1.0, interior)
    return np.where(uniform < 1.0 - logistic(eta - low), 0.0, interior)


def _confounder(scenario: Scenario, people: People, draws: Innovations, arm: int | Array) -> Array:
    waves = len(scenario.waves)
    if scenario.confounder is None:
        return np.zeros((people.count, waves))
    persistence, carried = scenario.confounder.persistence, np.zeros(people.count)
    shifted: list[Array] = []
    for t in range(waves):
        share = (1.0 - persistence**2) ** 0.5 if t else 1.0
        carried = persistence * carried + share * draws.normal("confounder", t)
        shift = scenario.confounder.arm_effect * (scenario.waves[t].role == "follow-up")
        shifted.append(carried + shift * arm_code(scenario, arm, t))
    return np.stack(shifted, axis=1)


def _trait(people: People, equation: Mediator | Outcome) -> Array:
    return people.traits.get(equation.column, np.zeros(people.count))


def _named(scenario: Scenario, column: str) -> Outcome:
    return next(outcome for outcome in scenario.outcomes if outcome.column == column)
