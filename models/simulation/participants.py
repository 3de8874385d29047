"""The women of a simulated trial: covariates, correlated traits, wave shocks and entry into the trial."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from models.simulation.innovations import Array, Innovations, logistic
from models.simulation.scenario import Scenario, ScenarioError
from models.simulation.scenario_parts import Covariate, Grouping
from models.simulation.scenario_rules import correlation_matrix

MOST_BATCHES = 1000
"""Times as many candidates as there are women to find: a trial that one in 1,000 enters is a mistake."""


@dataclass(frozen=True)
class People:
    """Women before anything is done to them.

    covariates : column → (woman,), level numbers for categorical ones; traits : column → (woman,);
    shocks : outcome column → (woman, wave); weight : (woman,), probability of entering the trial; groups : column of a
    grouping → (woman,), numbers from 0; shared : column → (woman, wave, z), what her groups add in arm z.
    """

    covariates: Mapping[str, Array]
    traits: Mapping[str, Array]
    shocks: Mapping[str, Array]
    weight: Array
    groups: Mapping[str, Array] = field(default_factory=dict)
    shared: Mapping[str, Array] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Number of women."""
        return len(self.weight)


def draw_people(scenario: Scenario, draws: Innovations, arm: Array | None = None) -> People:
    """Return candidates with their probability of entry; `arm` (woman,) lets dealt covariates keep to their arm."""
    traits = _traits(scenario, draws)
    shocks = {
        o.column: np.stack([o.shock_sd * draws.normal(f"shock {o.column}", t) for t in range(len(scenario.waves))], 1)
        for o in scenario.outcomes
        if o.shock_sd > 0
    }
    covariates = {c.column: _covariate(c, draws, arm) for c in scenario.covariates}
    groups = {g.column: _group(g, draws, arm) for g in scenario.groupings}
    entry = _entry(scenario, draws.count, traits, shocks)
    return People(covariates, traits, shocks, entry, groups, _shared(scenario, draws, groups))


def draw_participants(scenario: Scenario, draws: Innovations, arm: Array) -> People:
    """Return women who entered the trial, one for each element of `arm`; candidates are drawn until all are found."""
    if scenario.selection is None:
        return draw_people(scenario, draws, arm)
    kept: list[People] = []
    batch = 0
    while sum(p.count for p in kept) < draws.count:
        stream = draws.elsewhere(batch)
        candidates = draw_people(scenario, stream)
        entered = stream.uniform("entry") < candidates.weight
        kept.append(_take(candidates, np.flatnonzero(entered)))
        batch += 1
        found = sum(p.count for p in kept)
        if batch == MOST_BATCHES and found < draws.count:
            why = f"{found} of {batch * draws.count} candidates entered the trial; raise the selection's intercept"
            raise ScenarioError(f"scenario {scenario.name!r}: {why}")
    covariates = {c.column: _covariate(c, draws, arm) for c in scenario.covariates}
    traits = {k: np.concatenate([p.traits[k] for p in kept])[: draws.count] for k in kept[0].traits}
    shocks = {k: np.concatenate([p.shocks[k] for p in kept])[: draws.count] for k in kept[0].shocks}
    groups = {g.column: _group(g, draws, arm) for g in scenario.groupings}
    return People(covariates, traits, shocks, np.ones(draws.count), groups, _shared(scenario, draws, groups))


def _group(grouping: Grouping, draws: Innovations, arm: Array | None) -> Array:
    """Return the group of each woman: without arms, in the population, each has one of her own."""
    if arm is None:
        return np.arange(draws.count)
    order = draws.generator(f"members {grouping.column}").permutation(draws.count)
    group = np.empty(draws.count, np.int64)
    if grouping.kind != "randomised":
        # who is in no treated group has one in the world in which she is treated
        group[order] = np.arange(draws.count) % grouping.groups[0]
        return group
    for z, many in enumerate(grouping.groups):
        mine = order[arm[order] == z]
        group[mine] = z * grouping.groups[0] + np.arange(mine.size) % many
    return group


def _shared(scenario: Scenario, draws: Innovations, groups: Mapping[str, Array]) -> dict[str, Array]:
    found: dict[str, Array] = {}
    felt = [wave.role == "follow-up" or wave.exposed == "partly" for wave in scenario.waves]
    for grouping in scenario.groupings:
        group, waves = groups[grouping.column], len(scenario.waves)
        for column in dict.fromkeys((*grouping.sds, *grouping.wave_sds)):
            name, many = f"group {grouping.column} {column}", int(group.max()) + 1
            level = grouping.sds.get(column, 0.0) * _of_groups(draws, many, name)
            each = [level + grouping.wave_sds.get(column, 0.0) * _of_groups(draws, many, name, t) for t in range(waves)]
            added = np.stack(each, -1)[group]
            there = np.ones((waves, 2)) if grouping.kind != "delivery" else np.outer(felt, [0.0, 1.0])
            found[column] = found.get(column, 0.0) + added[..., None] * there
    return found


def _of_groups(draws: Innovations, many: int, name: str, *index: int) -> Array:
    # in the population each woman has a group of her own, mirrored with her
    return draws.normal(name, *index) if many == draws.count else draws.generator(name, *index).standard_normal(many)


def shared(people: People, column: str, wave: int, arm: int | Array) -> Array | float:
    """Return what her groups add to an outcome or mediator, (woman,)."""
    if column not in people.shared:
        return 0.0
    return np.where(np.asarray(arm) == 1, people.shared[column][:, wave, 1], people.shared[column][:, wave, 0])


def covariate_sum(scenario: Scenario, people: People, effects: Mapping[str, Any]) -> Array:
    """Return Σ effect * covariate, (woman,): continuous ones in SDs from their mean, categorical ones by level."""
    total = np.zeros(people.count)
    for covariate in scenario.covariates:
        if covariate.column not in effects:
            continue
        values, effect = people.covariates[covariate.column], effects[covariate.column]
        if covariate.kind == "categorical":
            total = total + np.asarray(effect, float)[values.astype(np.int64)]
        else:
            total = total + float(effect) * (values - covariate.mean) / covariate.sd
    return total


def _traits(scenario: Scenario, draws: Innovations) -> dict[str, Array]:
    names, matrix = correlation_matrix(scenario)
    deviations = {e.column: e.trait_sd for e in scenario.equations}
    innovations = [draws.normal(f"trait {name}") for name in names]
    factor = _cholesky(matrix)
    return {
        name: deviations[name] * sum((factor[i, j] * innovations[j] for j in range(i)), factor[i, i] * innovations[i])
        for i, name in enumerate(names)
    }


def _cholesky(matrix: Array) -> Array:
    # Written out: LAPACK's last bits differ between machines and it refuses correlations of exactly ±1.
    factor = np.zeros_like(matrix)
    for j in range(len(matrix)):
        factor[j, j] = max(matrix[j, j] - sum(factor[j, k] ** 2 for k in range(j)), 0.0) ** 0.5
        for i in range(j + 1, len(matrix)):
            rest = matrix[i, j] - sum(factor[i, k] * factor[j, k] for k in range(j))
            factor[i, j] = rest / factor[j, j] if factor[j, j] > 1e-8 else 0.0
    return factor


def _entry(scenario: Scenario, count: int, traits: Mapping[str, Array], shocks: Mapping[str, Array]) -> Array:
    if scenario.selection is None:
        return np.ones(count)
    column = scenario.selection.outcome
    shock = shocks[column][:, 0] if column in shocks else 0.0
    return logistic(scenario.selection.intercept + traits.get(column, np.zeros(count)) + shock)


def _covariate(covariate: Covariate, draws: Innovations, arm: Array | None) -> Array:
    if covariate.control:
        return _dealt(covariate, draws, arm)
    name = f"covariate {covariate.column}"
    if covariate.kind == "categorical":
        edges = np.cumsum(covariate.shares)[:-1]
        return np.searchsorted(edges, draws.uniform(name), side="right").astype(float)
    values = covariate.mean + covariate.sd * draws.normal(name)
    if covariate.whole:
        values = np.rint(values)
    return np.clip(values, covariate.minimum, covariate.maximum)


def _dealt(covariate: Covariate, draws: Innovations, arm: Array | None) -> Array:
    lists = [np.array(values, float) for values in covariate.dealt]
    deck = f"deck {covariate.deck or covariate.column}"
    if arm is None or any(len(values) != int(np.sum(arm == z)) for z, values in enumerate(lists)):
        pool = np.concatenate(lists)
        return pool[np.minimum((draws.uniform(deck) * len(pool)).astype(np.int64), len(pool) - 1)]
    values = np.empty(draws.count)
    for z, held in enumerate(lists):
        values[arm == z] = held[draws.generator(deck, z).permutation(len(held))]
    return values


def _take(people: People, rows: Array) -> People:
    return People(
        {k: v[rows] for k, v in people.covariates.items()},
        {k: v[rows] for k, v in people.traits.items()},
        {k: v[rows] for k, v in people.shocks.items()},
        people.weight[rows],
    )
