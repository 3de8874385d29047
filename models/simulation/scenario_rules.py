"""The rules that a scenario must obey; each breach is one sentence with what is wrong, why, and how to correct it."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from models.simulation.scenario_parts import Covariate, Description, Grouping, Mediator, Missingness, Outcome

ROLES = ("baseline", "negative control", "follow-up")
EXPOSED = ("none", "partly")


def problems(scenario: Description) -> list[str]:
    """Return every reason why the scenario cannot be simulated; an empty list if there is none."""
    if not scenario.waves or not scenario.outcomes:
        return ["waves or outcomes are empty: nothing can be simulated; give at least one of each"]
    if infinite := [*_infinite(scenario)]:
        return infinite
    found = [*_frame(scenario), *_numbers(scenario)]
    for mediator in scenario.mediators:
        found += [f"mediator {mediator.column!r}: {text}" for text in _mediator(scenario, mediator)]
    for outcome in scenario.outcomes:
        found += [f"outcome {outcome.column!r}: {text}" for text in _outcome(scenario, outcome)]
    for covariate in scenario.covariates:
        found += [f"covariate {covariate.column!r}: {text}" for text in _covariate(scenario, covariate)]
    for number, mechanism in enumerate(scenario.missingness, start=1):
        found += [f"missingness {number}: {text}" for text in _missingness(scenario, mechanism)]
    for grouping in scenario.groupings:
        found += [f"grouping {grouping.column!r}: {text}" for text in _grouping(scenario, grouping)]
    return [*found, *_traits(scenario), *_extras(scenario)]


def _infinite(value: Any, where: str = "") -> Iterator[str]:
    """Every number that is none or infinite, by its place; only a covariate may have no minimum or maximum."""
    if isinstance(value, float) and not math.isfinite(value):
        yield f"{where.lstrip('.')} is not finite ({value}): nothing follows from it; give a finite number"
    elif is_dataclass(value):
        for part in fields(value):
            if part.name not in ("minimum", "maximum"):
                yield from _infinite(getattr(value, part.name), f"{where}.{part.name}")
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _infinite(part, f"{where}.{key}")
    elif isinstance(value, tuple | list):
        for place, part in enumerate(value, start=1):
            yield from _infinite(part, f"{where}[{getattr(part, 'column', place)}]")


def correlation_matrix(scenario: Description) -> tuple[list[str], np.ndarray]:
    """Return the columns that have a trait and the correlation matrix of these traits, in that order."""
    names = [m.column for m in scenario.mediators if m.trait_sd > 0]
    names += [o.column for o in scenario.outcomes if o.trait_sd > 0]
    matrix = np.eye(len(names))
    for pair in scenario.correlations:
        if pair.first in names and pair.second in names:
            i, j = names.index(pair.first), names.index(pair.second)
            matrix[i, j] = matrix[j, i] = pair.value
    return names, matrix


def _frame(scenario: Description) -> Iterator[str]:
    values = [wave.value for wave in scenario.waves]
    for value in _repeated(values):
        yield f"wave {value!r} appears twice: rows could not be told apart; give each wave its own value"
    for index, wave in enumerate(scenario.waves):
        if wave.role not in ROLES:
            yield f"wave {wave.value!r} has role {wave.role!r}, which has no meaning; use one of {', '.join(ROLES)}"
        if wave.exposed and (wave.exposed not in EXPOSED or wave.role != "negative control"):
            yield f"wave {wave.value!r} is exposed {wave.exposed!r}: of a negative control give {' or '.join(EXPOSED)}"
        if wave.role == "baseline" and index > 0:
            yield f"wave {wave.value!r} is a baseline after the first wave: time cannot run back; make it the first"
    followups = [wave.value for wave in scenario.waves if wave.role == "follow-up"]
    if scenario.primary_wave not in followups:
        yield f"primary_wave {scenario.primary_wave!r} is not a follow-up wave; name one of {followups}"
    columns = ["participant", "wave", "arm", *(e.column for e in scenario.equations)]
    columns += sorted(over.column for over in {o.exposure for o in scenario.outcomes if o.exposure})
    columns += [c.column for c in scenario.covariates]
    columns += [scenario.attendance.column] if scenario.attendance else []
    columns += [grouping.column for grouping in scenario.groupings]
    if scenario.lag < 0 or (scenario.mediators and scenario.lag >= len(values)):
        yield (
            f"lag is {scenario.lag}: mediators act on the outcome so many waves later, and there are {len(values)}; "
            "give 0 or more, and less than the number of waves, or drop them"
        )
    for column in _repeated(columns):
        yield f"column {column!r} is used twice: one would overwrite the other; rename one"


def _numbers(scenario: Description) -> Iterator[str]:
    for arm in scenario.arms:
        if arm.participants < 1:
            yield f"arm {arm.value!r} has {arm.participants} participants: no comparison is possible; give 1 or more"
    if scenario.control.value == scenario.treated.value:
        yield f"both arms have the value {scenario.control.value!r}: they could not be told apart; rename one"
    if scenario.minimum_cell < 0:
        yield f"minimum_cell is {scenario.minimum_cell}: a number of women cannot be negative; use 0 or more"


def _per_wave(scenario: Description, name: str, values: tuple[float, ...]) -> Iterator[str]:
    if len(values) != len(scenario.waves):
        yield f"{name} has {len(values)} values for {len(scenario.waves)} waves; give one a wave"


def _equation(scenario: Description, equation: Mediator | Outcome) -> Iterator[str]:
    yield from _per_wave(scenario, "intercepts", equation.intercepts)
    yield from _per_wave(scenario, "arm_effects", equation.arm_effects)
    if scenario.waves[0].role == "baseline" and equation.arm_effects and equation.arm_effects[0] != 0:
        yield f"arm effect {equation.arm_effects[0]} at baseline: arms are not yet in being there; make it 0"
    for name in ("trait_sd", "residual_sd"):
        if not getattr(equation, name) >= 0:
            yield f"{name} is {getattr(equation, name)}: a standard deviation cannot be negative; use 0 or more"
    if equation.confounder and scenario.confounder is None:
        yield "confounder loading without a [confounder] table: nothing to load on; add the table or drop the loading"
    yield from _effects(scenario, equation.covariates)


def _effects(scenario: Description, effects: Mapping[str, Any]) -> Iterator[str]:
    known = {c.column: c for c in scenario.covariates}
    for name, effect in effects.items():
        if name not in known:
            yield f"effect of an unknown covariate {name!r}; name one of {sorted(known)}"
            continue
        wanted = len(known[name].levels) if known[name].kind == "categorical" else 0
        given = 0 if isinstance(effect, int | float) else len(effect)
        if wanted != given:
            text = f"one number for each of its {wanted} levels" if wanted else "one number (per SD)"
            yield f"the effect of covariate {name!r} does not fit its kind; give {text}"


def _mediator(scenario: Description, mediator: Mediator) -> Iterator[str]:
    yield from _equation(scenario, mediator)
    columns = [m.column for m in scenario.mediators]
    earlier = columns[: columns.index(mediator.column)]
    if mediator.kind not in ("continuous", "share", "binary"):
        yield f"kind {mediator.kind!r} is unknown; use continuous, share or binary"
    if mediator.family not in ("normal", "student"):
        yield f"family {mediator.family!r} is unknown; use normal or student"
    if mediator.family == "student" and mediator.kind != "continuous":
        yield "family is student; that is of a continuous mediator only"
    if len(mediator.cutpoints) != 2 or not mediator.cutpoints[0] < mediator.cutpoints[1]:
        yield f"cutpoints {mediator.cutpoints} must be two rising numbers, or the three probabilities are not ones"
    if not mediator.precision > 0:
        yield f"precision is {mediator.precision}: a beta distribution needs more than 0"
    for source in set(mediator.previous) - set(columns):
        yield f"path from an unknown mediator {source!r}; name one of {columns}"
    for source in set(mediator.same_wave) - set(earlier):
        yield f"same-wave path from {source!r}, which is not drawn before it; list that mediator earlier"


def _outcome(scenario: Description, outcome: Outcome) -> Iterator[str]:
    if outcome.kind not in ("binary", "count", "continuous"):
        yield f"kind {outcome.kind!r} is unknown; use binary, count or continuous"
    if outcome.link not in ("logit", "probit"):
        yield f"link {outcome.link!r} is unknown; use logit or probit"
    if outcome.better not in ("lower", "higher"):
        yield f"better is {outcome.better!r}: the sign of benefit is unknown; use lower or higher"
    if outcome.margin is not None and not (outcome.margin > 0 and outcome.margin_reason):
        yield f"margin {outcome.margin} must be above 0 and have a margin_reason"
    if not outcome.dispersion >= 0 or not outcome.shock_sd >= 0:
        yield f"dispersion {outcome.dispersion} and shock_sd {outcome.shock_sd} cannot be negative; use 0 or more"
    if outcome.floor and (len(outcome.floor) != len(scenario.waves) or not set(outcome.floor) <= {0, 1}):
        yield f"floor {outcome.floor} must be 0 or 1 for each wave: only a 0 can be raised to 1"
    yield from _reporting(outcome)
    yield from _exposure(scenario, outcome)
    yield from _union(scenario, outcome) if outcome.union_of else _equation(scenario, outcome)
    columns = [m.column for m in scenario.mediators]
    for source in sorted({*outcome.mediators, *outcome.interactions} - set(columns)):
        yield f"effect of an unknown mediator {source!r}; name one of {columns}"
    gate = {o.column: o for o in scenario.outcomes}.get(outcome.gated_by)
    if outcome.gated_by and (gate is None or gate.kind != "count" or gate.gated_by or outcome.kind != "binary"):
        yield f"gated_by {outcome.gated_by!r}: only an ungated count outcome can force a binary one to 0; name one"


def _exposure(scenario: Description, outcome: Outcome) -> Iterator[str]:
    over = outcome.exposure
    if over is None:
        return
    if outcome.kind != "count" or outcome.floor or outcome.column in {o.gated_by for o in scenario.outcomes}:
        yield "exposure is of a count without a floor that gates no other outcome; drop it"
    if not over.at > 0 or not 0 <= over.none < 1:
        yield f"exposure: at {over.at} must be above 0 and none {over.none} a probability below 1"
    if {len(over.least), len(over.most)} != {2} or not all(
        0 < low <= high for low, high in zip(over.least, over.most, strict=False)
    ):
        yield "exposure: least and most must be two numbers above 0, (control, treated), least not above most"


def _grouping(scenario: Description, grouping: Grouping) -> Iterator[str]:
    sizes = {"randomised": 2, "site": 1, "delivery": 1}
    if grouping.kind not in sizes:
        yield f"kind {grouping.kind!r} is unknown; use randomised, site or delivery"
    elif len(grouping.groups) != sizes[grouping.kind] or not all(many >= 2 for many in grouping.groups):
        yield f"groups {grouping.groups} must be {sizes[grouping.kind]} number(s) of 2 or more"
    known = [each.column for each in scenario.equations]
    for column in sorted({*grouping.sds, *grouping.wave_sds} - set(known)):
        yield f"levels of an unknown {column!r}; name one of {known}"
    if not all(sd >= 0 for sd in (*grouping.sds.values(), *grouping.wave_sds.values())):
        yield "sds and wave_sds cannot be negative; use 0 or more"


def _reporting(outcome: Outcome) -> Iterator[str]:
    for name in ("sensitivity", "specificity"):
        pair = getattr(outcome, name)
        if len(pair) != 2 or not all(0 <= p <= 1 for p in pair):
            yield f"{name} {pair} must be two probabilities, (control, treated)"
        if outcome.kind != "binary" and set(pair) != {1.0}:
            yield f"{name} has no meaning for kind {outcome.kind!r}; drop it"


def _union(scenario: Description, outcome: Outcome) -> Iterator[str]:
    known = {o.column: o for o in scenario.outcomes}
    parts = [known.get(column) for column in outcome.union_of]
    if any(p is None or p.kind != "binary" or p.union_of for p in parts):
        yield f"union_of {outcome.union_of}: each part must be another binary outcome with its own equation"
    elif any(p is not None and p.gated_by != outcome.gated_by for p in parts):
        yield "gated_by differs from that of its parts: the union could be 1 where a part cannot; make them equal"
    own = (outcome.intercepts, outcome.arm_effects, outcome.mediators, outcome.interactions, outcome.covariates)
    if any(own) or outcome.trait_sd or outcome.shock_sd or outcome.confounder:
        yield "a union has no equation of its own: it follows from its parts; move the numbers to the parts"
    if set(outcome.sensitivity) | set(outcome.specificity) != {1.0}:
        yield "a union is reported through its parts; move sensitivity and specificity to the parts"


def _covariate(scenario: Description, covariate: Covariate) -> Iterator[str]:
    if covariate.kind not in ("continuous", "categorical"):
        yield f"kind {covariate.kind!r} is unknown; use continuous or categorical"
    if not covariate.sd > 0 or not covariate.minimum < covariate.maximum:
        yield "sd must be above 0 and minimum below maximum, or no value can be drawn"
    dealt = bool(covariate.control or covariate.treated)
    if covariate.kind == "categorical":
        yield from _levels(covariate, dealt)
    for arm, values in zip(scenario.arms, (covariate.control, covariate.treated), strict=True):
        if dealt and not values:
            yield f"values to deal for one arm only: arm {arm.value!r} has none; give both lists"
    if covariate.deck:
        sizes = {tuple(map(len, c.dealt)) for c in scenario.covariates if c.deck == covariate.deck}
        if len(sizes) > 1:
            yield f"deck {covariate.deck!r} holds lists of different lengths: they cannot stay paired"


def _levels(covariate: Covariate, dealt: bool) -> Iterator[str]:
    if dealt and {len(covariate.control), len(covariate.treated)} != {len(covariate.levels)}:
        yield "control and treated must each give one number of women for each level"
    if not dealt and (len(covariate.shares) != len(covariate.levels) or abs(sum(covariate.shares) - 1) > 1e-9):
        yield "shares must be one probability a level and sum to 1"
    if min((*covariate.shares, *covariate.control, *covariate.treated), default=0) < 0:
        yield "shares and numbers of women cannot be negative"


def _missingness(scenario: Description, mechanism: Missingness) -> Iterator[str]:
    if mechanism.kind not in ("dropout", "intermittent"):
        yield f"kind {mechanism.kind!r} is unknown; use dropout or intermittent"
    yield from _per_wave(scenario, "rates", mechanism.rates)
    if not all(0 <= rate < 1 for rate in mechanism.rates):
        yield f"rates {mechanism.rates} must be probabilities below 1"
    if mechanism.rates and mechanism.rates[0] != 0 and not mechanism.columns:
        yield f"rate {mechanism.rates[0]} at the first wave: a woman never seen is not in the trial; make it 0"
    if len(mechanism.current_outcome) != 2:
        yield "current_outcome must be two numbers, (control, treated)"
    if mechanism.columns and mechanism.kind == "dropout":
        yield "columns belong to kind intermittent: a woman who drops out answers nothing; drop them"
    columns = {e.column for e in scenario.equations}
    for column in set(mechanism.columns) - columns:
        yield f"unknown column {column!r}; name one of {sorted(columns)}"
    for column in set(mechanism.last_mediators) - {m.column for m in scenario.mediators}:
        yield f"last_mediators: unknown mediator {column!r}"


def _traits(scenario: Description) -> Iterator[str]:
    names, matrix = correlation_matrix(scenario)
    for pair in scenario.correlations:
        if pair.first not in names or pair.second not in names or pair.first == pair.second:
            yield f"correlation of {pair.first!r} and {pair.second!r}: each needs its own trait; traits: {names}"
        if not -1 <= pair.value <= 1:
            yield f"correlation {pair.value} of {pair.first!r} and {pair.second!r} is outside -1 to 1"
    pairs = [frozenset((pair.first, pair.second)) for pair in scenario.correlations]
    if _repeated(pairs):
        yield "a pair of traits has two correlations; keep one"
    if names and np.linalg.eigvalsh(matrix)[0] < -1e-9:
        yield "the trait correlations contradict one another (not positive semi-definite); bring them nearer to 0"


def _extras(scenario: Description) -> Iterator[str]:
    if scenario.confounder and not -1 < scenario.confounder.persistence < 1:
        yield f"confounder persistence {scenario.confounder.persistence} must lie between -1 and 1"
    own = [o.column for o in scenario.outcomes if not o.union_of]
    if scenario.selection and scenario.selection.outcome not in own:
        yield f"selection on {scenario.selection.outcome!r}: the outcome needs its own equation; use one of {own}"
    attendance = scenario.attendance
    if attendance:
        if {len(attendance.offered), len(attendance.mean)} != {2}:
            yield "attendance: offered and mean must be two numbers, (control, treated)"
        if not all(n >= 1 for n in attendance.offered) or not all(0 < m < 1 for m in attendance.mean):
            yield "attendance: offered must be 1 or more and mean strictly between 0 and 1"
        if not attendance.precision > 0:
            yield f"attendance: precision {attendance.precision} must be above 0"


def _repeated(values: list[Any]) -> list[Any]:
    return [value for value, count in Counter(values).items() if count > 1]
