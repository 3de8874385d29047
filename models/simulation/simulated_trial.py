"""Simulated trials with known potential outcomes: the oracle against which every fitted model is judged.

Numpy and the standard library only; no model, no equation and no reader of the project is imported, so an error
there cannot hide here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

import numpy as np

from models.simulation.innovations import Array, Innovations
from models.simulation.missingness import Observation, observe
from models.simulation.participants import People, draw_participants
from models.simulation.potential_outcomes import Paths, amounts, draw_outcomes, mediator_paths, outcome_means, reporting
from models.simulation.scenario import Scenario, ScenarioError
from models.simulation.scenario_file import load
from models.simulation.scenario_parts import CONTROL, TREATED, Grouping

__all__ = ["Scenario", "ScenarioError", "SimulatedTrial", "load", "simulate"]


@dataclass(frozen=True)
class SimulatedTrial:
    """One simulated trial: what its data file holds, and what nobody could ever observe.

    Attributes
    ----------
    scenario, seed : what it was made from; `scenario` has the numbers of women actually drawn.
    participant : (woman,) identifiers; arm : (woman,), 0 control and 1 treated.
    covariates : column → (woman,), labels for categorical covariates.
    outcomes, mediators : column → (woman, wave), as recorded, nan where missing.
    amounts : column → (woman, wave), what counts arose over, nan where no visit took place.
    seen : (woman, wave), the visit took place.
    attended : (woman,) sessions, or None.
    true_outcomes, true_mediators : column → (woman, wave), without misreporting and without gaps.
    potential_outcomes : column → (woman, wave, z), Y(z); potential_mediators likewise, M(z).
    nested_outcomes : column → (woman, wave, z, z'), Y(z, M(z')).
    potential_means : column → (woman, wave, z), P(Y(z) = 1) or the mean given her traits and mediators.
    traits : column → (woman,).
    groups : column → (woman,), names of groups; empty for whoever is in none.
    """

    scenario: Scenario
    seed: int
    participant: Array
    arm: Array
    covariates: Mapping[str, Array]
    outcomes: Mapping[str, Array]
    mediators: Mapping[str, Array]
    seen: Array
    attended: Array | None
    true_outcomes: Mapping[str, Array]
    true_mediators: Mapping[str, Array]
    potential_outcomes: Mapping[str, Array]
    potential_mediators: Mapping[str, Array]
    nested_outcomes: Mapping[str, Array]
    potential_means: Mapping[str, Array]
    traits: Mapping[str, Array]
    amounts: Mapping[str, Array] = field(default_factory=dict)
    groups: Mapping[str, Array] = field(default_factory=dict)

    @property
    def columns(self) -> dict[str, Array]:
        """The data file in long format: column → (row,), one row for each visit that took place."""
        woman, wave = np.nonzero(self.seen)
        arms = np.array([arm.value for arm in self.scenario.arms])
        values = np.array([w.value for w in self.scenario.waves])
        table = {"participant": self.participant[woman], "wave": values[wave], "arm": arms[self.arm[woman]]}
        for column, recorded in {**self.outcomes, **self.amounts, **self.mediators}.items():
            table[column] = recorded[woman, wave]
        if self.scenario.attendance and self.attended is not None:
            table[self.scenario.attendance.column] = self.attended[woman]
        table.update({column: values[woman] for column, values in self.covariates.items()})
        table.update({column: values[woman] for column, values in self.groups.items()})
        return table


def simulate(scenario: Scenario, seed: int, participants: int | None = None) -> SimulatedTrial:
    """Return one trial, a function of the scenario, the seed and the number of women only.

    Parameters
    ----------
    scenario : the truth.
    seed : not negative; different seeds give independent trials.
    participants : women in both arms together, split as in the scenario; default its own numbers.

    Raises
    ------
    ScenarioError
        A ValueError, if the seed is negative or an arm would be empty.
    """
    if seed < 0:
        raise ScenarioError(f"seed is {seed}: random streams are numbered from 0; give a seed of 0 or more")
    scenario = resized(scenario, participants)
    draws = Innovations(seed, scenario.participants)
    arm = _allocation(scenario, draws)
    people = draw_participants(scenario, draws, arm)
    potential = _potential(scenario, people, draws)
    outcomes, mediators = _own(potential.outcomes, arm), _own(potential.mediators, arm)
    recorded = _recorded(scenario, draws, arm, outcomes)
    observation = observe(scenario, draws, arm, {**recorded, **mediators})
    width = len(str(scenario.participants))
    return SimulatedTrial(
        scenario=scenario,
        seed=seed,
        participant=np.array([f"P{k:0{width}d}" for k in range(1, len(arm) + 1)]),
        arm=arm,
        covariates=_labelled(scenario, people),
        outcomes=_masked(recorded, observation),
        mediators=_masked(mediators, observation),
        seen=observation.seen,
        attended=_attended(scenario, draws, arm),
        true_outcomes=outcomes,
        true_mediators=mediators,
        potential_outcomes=potential.outcomes,
        potential_mediators=potential.mediators,
        nested_outcomes=potential.nested,
        potential_means=potential.means,
        traits=people.traits,
        amounts={
            o.exposure.column: np.where(observation.seen, amounts(scenario, o.exposure, arm, draws), np.nan)
            for o in scenario.outcomes
            if o.exposure
        },
        groups={g.column: _groups(g, people.groups[g.column], arm) for g in scenario.groupings},
    )


@dataclass(frozen=True)
class _Potential:
    """What would happen, named and shaped as in `SimulatedTrial`."""

    outcomes: dict[str, Array]
    mediators: dict[str, Array]
    nested: dict[str, Array]
    means: dict[str, Array]


def _potential(scenario: Scenario, people: People, draws: Innovations) -> _Potential:
    arms = (CONTROL, TREATED)
    worlds = [mediator_paths(scenario, people, draws, z) for z in arms]
    # The outcome keeps the confounder of its own arm's world: only the mediators are taken from the other one.
    crossed = [[Paths(worlds[m].mediators, worlds[z].confounder, worlds[z].before) for m in arms] for z in arms]
    drawn = [[draw_outcomes(scenario, people, z, crossed[z][m], draws) for m in arms] for z in arms]
    columns = [outcome.column for outcome in scenario.outcomes]
    return _Potential(
        outcomes={c: np.stack([drawn[z][z][c] for z in arms], -1) for c in columns},
        mediators={m.column: np.stack([w.mediators[m.column] for w in worlds], -1) for m in scenario.mediators},
        nested={c: np.stack([np.stack([drawn[z][m][c] for m in arms], -1) for z in arms], -2) for c in columns},
        means={
            o.column: np.stack([outcome_means(scenario, o, people, z, worlds[z]) for z in arms], -1)
            for o in scenario.outcomes
        },
    )


def resized(scenario: Scenario, participants: int | None) -> Scenario:
    """Return the scenario with so many women in both arms, split as in the scenario; ScenarioError if one is empty."""
    if participants is None:
        return scenario

    def of_treated(all_women: int) -> int:
        return round(all_women * scenario.treated.participants / scenario.participants)

    treated = of_treated(participants)
    if participants - treated < 1 or treated < 1:
        least = next(women for women in count(2) if 0 < of_treated(women) < women)
        raise ScenarioError(f"participants is {participants}: an arm would be empty; give {least} or more")
    return scenario.with_participants(participants - treated, treated)


def _groups(grouping: Grouping, group: Array, arm: Array) -> Array:
    width = len(str(sum(grouping.groups)))
    names = np.array([f"{grouping.column}{number + 1:0{width}d}" for number in group.tolist()], dtype=object)
    return np.where((grouping.kind == "delivery") & (arm == CONTROL), "", names)


def _allocation(scenario: Scenario, draws: Innovations) -> Array:
    arm = np.repeat([CONTROL, TREATED], [scenario.control.participants, scenario.treated.participants])
    return draws.generator("allocation").permutation(arm)


def _own(potential: Mapping[str, Array], arm: Array) -> dict[str, Array]:
    """Return the potential values that come true: consistency, Y = Y(Z)."""
    return {column: np.where(arm[:, None] == TREATED, v[..., 1], v[..., 0]) for column, v in potential.items()}


def _recorded(scenario: Scenario, draws: Innovations, arm: Array, true: Mapping[str, Array]) -> dict[str, Array]:
    recorded = dict(true)
    for outcome in scenario.outcomes:
        if set(outcome.sensitivity) | set(outcome.specificity) == {1.0}:
            continue
        reported = np.empty_like(true[outcome.column])
        for t in range(len(scenario.waves)):
            sensitivity, specificity = reporting(scenario, outcome, arm, t)
            risk = np.where(true[outcome.column][:, t] == 1, sensitivity, 1.0 - specificity)
            reported[:, t] = draws.uniform(f"report {outcome.column}", t) < risk
        recorded[outcome.column] = reported * (true[outcome.gated_by] > 0) if outcome.gated_by else reported
    for outcome in scenario.outcomes:
        if outcome.union_of:
            recorded[outcome.column] = np.max(np.stack([recorded[c] for c in outcome.union_of]), axis=0)
    return recorded


def _masked(values: Mapping[str, Array], observation: Observation) -> dict[str, Array]:
    return {column: np.where(observation.answered[column], v, np.nan) for column, v in values.items()}


def _attended(scenario: Scenario, draws: Innovations, arm: Array) -> Array | None:
    plan = scenario.attendance
    if plan is None:
        return None
    mean = np.asarray(plan.mean)[arm]
    share = draws.beta(mean, plan.precision, "attendance")
    sessions = np.asarray(plan.offered)[arm]
    trials = draws.generator("sessions").random((draws.count, max(plan.offered)))
    return np.sum((trials < share[:, None]) & (np.arange(max(plan.offered)) < sessions[:, None]), axis=1)


def _labelled(scenario: Scenario, people: People) -> dict[str, Array]:
    return {
        c.column: np.array(c.levels)[people.covariates[c.column].astype(np.int64)]
        if c.kind == "categorical"
        else people.covariates[c.column]
        for c in scenario.covariates
    }
