"""The true value of every estimand of a scenario, by brute force over a large simulated population.

ψ(z, z') is the mean of Y(z, M(z')) with one set of innovations for a woman in all worlds. J(z; z') draws the
mediators jointly from a world of their own under z', I(z; z₁, z₂, …) each from its own independent world, both given
the woman's covariates and traits (Vansteelandt & Daniel 2017). Probabilities are averaged, never events.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from models.simulation.innovations import Array, Innovations
from models.simulation.participants import People, draw_people
from models.simulation.potential_outcomes import Paths, mediator_paths, outcome_means
from models.simulation.scenario import Scenario, ScenarioError
from models.simulation.scenario_parts import ARMS, CONTROL, TREATED, Outcome
from models.simulation.true_averages import Averages, Cell

POPULATION = 200_000  # a Monte-Carlo error near 2e-4 on a risk, a five-hundredth of the error of a trial of 107
_CHUNK = 50_000
_OWN_WORLD = 7  # marks the independent mediator draws; any number will do that no other stream uses

Contrast = dict[Cell, float]


@dataclass(frozen=True)
class Truth:
    """True values of one outcome, nested estimand → wave (or arm or mediator → wave).

    Attributes
    ----------
    outcome, kind : column and kind of the outcome.
    population : number of simulated women.
    estimands : `risk` by arm and wave, `risk_difference`, `risk_ratio`, `odds_ratio` by wave (counts: `mean`,
        `mean_difference`, `rate_ratio`; continuous: `mean`, `mean_difference`); `reported_risk` where women misreport;
        with mediators also `mediator_mean`, `mediator_difference` and, at waves whose lagged mediator was measured at
        a follow-up, `natural_direct`, `natural_indirect`, `interventional_direct`, `interventional_via` (mediators
        switched in the scenario's order), `interventional_via_reversed`, `dependence`, `interventional_total`.
    standard_error : Monte-Carlo standard error of all of them but the ratios, same nesting.
    """

    outcome: str
    kind: str
    population: int
    estimands: Mapping[str, Any]
    standard_error: Mapping[str, Any]

    def value(self, estimand: str, *keys: str) -> float:
        """Return one true value, e.g. value("risk", "control", "6 months"); KeyError if there is none."""
        return _descend(self.estimands, estimand, *keys)

    def error(self, estimand: str, *keys: str) -> float:
        """Return the Monte-Carlo standard error of one value; KeyError if there is none."""
        return _descend(self.standard_error, estimand, *keys)

    @property
    def monte_carlo_se(self) -> float:
        """The largest Monte-Carlo standard error among this outcome's values (mediators apart)."""
        return max(_leaves({k: v for k, v in self.standard_error.items() if not k.startswith("mediator")}))


def truth(scenario: Scenario, seed: int = 0, population: int = POPULATION, outcome: str | None = None) -> Truth:
    """Return the true values of `outcome` (default: the primary one) in the population the scenario samples from.

    Parameters
    ----------
    scenario : the truth to average over; its numbers of women and its missing data play no part.
    seed : of the simulated population.
    population : number of women, rounded up to whole antithetic pairs.
    outcome : column of one of the scenario's outcomes.

    Raises
    ------
    ScenarioError
        A ValueError, if the scenario has no such outcome or the population has fewer than 2 women.
    """
    columns = [o.column for o in scenario.outcomes]
    if outcome is not None and outcome not in columns:
        raise ScenarioError(f"scenario {scenario.name!r} has no outcome {outcome!r}; give one of {columns}")
    return _truths(scenario, [scenario.outcomes[columns.index(outcome) if outcome else 0]], seed, population)[0]


def truths(scenario: Scenario, seed: int = 0, population: int = POPULATION) -> tuple[Truth, ...]:
    """Return the true values of every outcome, in the scenario's order, from one population; see `truth`."""
    return _truths(scenario, list(scenario.outcomes), seed, population)


def _truths(scenario: Scenario, outcomes: list[Outcome], seed: int, population: int) -> tuple[Truth, ...]:
    if population < 2:
        raise ScenarioError(f"population is {population}: the least is one antithetic pair; give 2 or more")
    size = population + population % 2
    averages = [Averages() for _ in outcomes]
    for chunk, start in enumerate(range(0, size, _CHUNK)):
        draws = Innovations(seed, min(_CHUNK, size - start), antithetic=True, world=(chunk,))
        people = draw_people(scenario, draws)
        worlds = _worlds(scenario, people, draws)
        for outcome, average in zip(outcomes, averages, strict=True):
            average.add(people.weight, _cells(scenario, outcome, people, worlds))
    return tuple(_collected(scenario, o, average, size) for o, average in zip(outcomes, averages, strict=True))


def _collected(scenario: Scenario, outcome: Outcome, averages: Averages, size: int) -> Truth:
    means, contrasts = averages.means(), _contrasts(scenario, outcome)
    values = _mapped(contrasts, lambda c: sum(k * means[name] for name, k in c.items()))
    return Truth(
        outcome=outcome.column,
        kind=outcome.kind,
        population=size,
        estimands={**values, **_ratios(outcome, values)},
        standard_error=_mapped(contrasts, averages.standard_error),
    )


def ordered_waves(scenario: Scenario) -> list[int]:
    """Return the waves whose lagged mediator was measured after savings began: both waves are follow-ups."""
    roles, lag = [wave.role for wave in scenario.waves], scenario.lag
    return [t for t in range(lag, len(roles)) if scenario.mediators and roles[t - lag] == roles[t] == "follow-up"]


@dataclass(frozen=True)
class _Worlds:
    """paths[z]: the women's own world under arm z; own[k][z]: world k of independent mediator draws under arm z."""

    paths: list[Paths]
    own: list[list[Paths]]


def _worlds(scenario: Scenario, people: People, draws: Innovations) -> _Worlds:
    def both(stream: Innovations) -> list[Paths]:
        return [mediator_paths(scenario, people, stream, z) for z in (CONTROL, TREATED)]

    copies = range(len(scenario.mediators)) if ordered_waves(scenario) else ()
    return _Worlds(both(draws), [both(draws.elsewhere(_OWN_WORLD, k)) for k in copies])


def _cells(scenario: Scenario, outcome: Outcome, people: People, worlds: _Worlds) -> dict[Cell, Array]:
    waves, ordered = range(len(scenario.waves)), ordered_waves(scenario)
    cells: dict[Cell, Array] = {}

    def add(name: Cell, arm: int, mediators: Mapping[str, Array], when: Iterable[int], reported: bool = False) -> None:
        # The outcome keeps the confounder of the woman's own world, wherever her mediators come from.
        path = Paths(mediators, worlds.paths[arm].confounder, worlds.paths[arm].before)
        means = outcome_means(scenario, outcome, people, arm, path, reported)
        cells.update({(*name, t): means[:, t] for t in when})

    for z, path in enumerate(worlds.paths):
        add(("psi", z, z), z, path.mediators, waves)
        if _misreported(scenario, outcome):
            add(("reported", z), z, path.mediators, waves, reported=True)
        cells.update({("mean", c, z, t): v[:, t] for c, v in path.mediators.items() for t in waves})
    if ordered:
        add(("psi", TREATED, CONTROL), TREATED, worlds.paths[CONTROL].mediators, ordered)
        for z, source in ((CONTROL, CONTROL), (TREATED, CONTROL), (TREATED, TREATED)):
            add(("J", z, source), z, worlds.own[0][source].mediators, ordered)
        for arms in dict.fromkeys(_switches(scenario) + _switches(scenario, backwards=True)):
            columns = [m.column for m in scenario.mediators]
            mixed = {c: worlds.own[k][z].mediators[c] for k, (c, z) in enumerate(zip(columns, arms, strict=True))}
            add(("I", arms), TREATED, mixed, ordered)
    return cells


def _switches(scenario: Scenario, backwards: bool = False) -> list[tuple[int, ...]]:
    """Return the arms of the mediators' worlds as they are switched to treated one by one, from none to all."""
    count = len(scenario.mediators)
    steps = [tuple(int(k < done) for k in range(count)) for done in range(count + 1)]
    return [step[::-1] for step in steps] if backwards else steps


def _contrasts(scenario: Scenario, outcome: Outcome) -> dict[str, Any]:
    """Return each estimand as a nested mapping that ends in coefficients of cells."""
    waves = dict(enumerate(w.value for w in scenario.waves))
    mean = "risk" if outcome.kind == "binary" else "mean"
    table: dict[str, Any] = {
        mean: {arm: {w: {("psi", z, z, t): 1.0} for t, w in waves.items()} for z, arm in enumerate(ARMS)},
        f"{mean}_difference": {w: {("psi", 1, 1, t): 1.0, ("psi", 0, 0, t): -1.0} for t, w in waves.items()},
    }
    if _misreported(scenario, outcome):
        table["reported_risk"] = {
            a: {w: {("reported", z, t): 1.0} for t, w in waves.items()} for z, a in enumerate(ARMS)
        }
    if scenario.mediators:
        columns = [m.column for m in scenario.mediators]
        table["mediator_mean"] = {
            c: {a: {w: {("mean", c, z, t): 1.0} for t, w in waves.items()} for z, a in enumerate(ARMS)} for c in columns
        }
        table["mediator_difference"] = {
            c: {w: {("mean", c, 1, t): 1.0, ("mean", c, 0, t): -1.0} for t, w in waves.items()} for c in columns
        }
    if ordered_waves(scenario):
        table.update(_pathways(scenario, {t: waves[t] for t in ordered_waves(scenario)}))
    return table


def _pathways(scenario: Scenario, waves: Mapping[int, str]) -> dict[str, Any]:
    columns = [m.column for m in scenario.mediators]
    forward, backward = _switches(scenario), _switches(scenario, backwards=True)
    all_, none = forward[-1], forward[0]

    def over(*terms: tuple[Cell, float]) -> dict[str, Contrast]:
        return {w: {(*name, t): k for name, k in terms} for t, w in waves.items()}

    def step(order: list[tuple[int, ...]], k: int) -> dict[str, Contrast]:
        return over((("I", order[k + 1]), 1.0), (("I", order[k]), -1.0))

    return {
        "natural_direct": over((("psi", 1, 0), 1.0), (("psi", 0, 0), -1.0)),
        "natural_indirect": over((("psi", 1, 1), 1.0), (("psi", 1, 0), -1.0)),
        "interventional_direct": over((("J", 1, 0), 1.0), (("J", 0, 0), -1.0)),
        "interventional_via": {c: step(forward, k) for k, c in enumerate(columns)},
        "interventional_via_reversed": {c: step(backward, len(columns) - 1 - k) for k, c in enumerate(columns)},
        "dependence": over((("J", 1, 1), 1.0), (("J", 1, 0), -1.0), (("I", all_), -1.0), (("I", none), 1.0)),
        "interventional_total": over((("J", 1, 1), 1.0), (("J", 0, 0), -1.0)),
    }


def _ratios(outcome: Outcome, values: Mapping[str, Any]) -> dict[str, Any]:
    if outcome.kind == "continuous":
        return {}
    control, treated = (values["mean" if outcome.kind == "count" else "risk"][arm] for arm in ARMS)
    ratio = {wave: treated[wave] / control[wave] for wave in control}
    if outcome.kind == "count":
        return {"rate_ratio": ratio}
    odds = {wave: ratio[wave] * (1.0 - control[wave]) / (1.0 - treated[wave]) for wave in control}
    return {"risk_ratio": ratio, "odds_ratio": odds}


def _misreported(scenario: Scenario, outcome: Outcome) -> bool:
    parts = {outcome.column, *outcome.union_of}
    return any(set(o.sensitivity) | set(o.specificity) != {1.0} for o in scenario.outcomes if o.column in parts)


def _mapped(table: Mapping[Any, Any], function: Any) -> Any:
    if table and isinstance(next(iter(table)), tuple):
        return function(table)
    return {key: _mapped(inner, function) for key, inner in table.items()}


def _descend(table: Any, *keys: str) -> float:
    for key in keys:
        table = table[key]
    return float(table)


def _leaves(table: Mapping[str, Any]) -> list[float]:
    return [x for v in table.values() for x in (_leaves(v) if isinstance(v, Mapping) else [v])]
