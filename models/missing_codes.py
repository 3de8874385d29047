"""Values that look like missing codes analysed as measurements: repeated extremes far off, such as -99 in a score."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np
import xarray as xr

from models import cells, codes
from models.study import Covariate, Mediator, Outcome, Study

MOST, LEAST = 4, 3
"""Different codes at either end, at most (96 to 99); different other values, at least, to lie far from."""
REPEATED, ONCE, PLAIN, ONE_DIGIT = 0.3, 1.0, 2.0, 0.9
"""Least distance from the others, as a share of their range: of a usual code that is repeated, of one that stands once,
of a repeated value that is no usual code, of a repeated code of one digit (9 in items from 0 to 3). With these fewer
than 0.5% of columns without codes are asked about and 97% of those with one (24 kinds, counts with many zeros among
them).
"""


@dataclass(frozen=True)
class Suspect:
    """A value that may be a missing code.

    Attributes
    ----------
    value : float
        The value.
    count : int
        How often it stands.
    others : tuple of float
        Least and greatest of the values that are above suspicion.
    """

    value: float
    count: int
    others: tuple[float, float]


def questions(study: Study, trial: xr.Dataset) -> list[str]:
    """A question for each column in which values may be missing codes.

    Parameters
    ----------
    study, trial : Study, Dataset
        As `models.study.read` and `models.trial.load` make them.
    """
    asked = []
    for variable, values in _columns(study, trial):
        if variable.kind != "binary":
            found = suspects(values.to_numpy().ravel(), variable.codes.values())
            asked += _question(study, variable.column, found, bool(variable.codes))
    for column, names in json.loads(trial.attrs["levels"]).items():
        levels = np.array([cells.number(level) for level in names])
        if np.isfinite(levels).all():
            code = trial["covariate_value"].sel(covariate=column).dropna("participant").to_numpy().astype(int)
            asked += _question(study, column, suspects(levels[code]), True)
    return asked


def _columns(study: Study, trial: xr.Dataset) -> Iterator[tuple[Outcome | Mediator | Covariate, xr.DataArray]]:
    """Each variable that holds numbers, with its values."""
    yield study.outcome, trial["outcome"]
    for outcome in study.further_outcomes:
        yield outcome, trial["further_outcome"].sel(further=outcome.column)
    for mediator in study.mediators:
        yield mediator, trial["mediator_value"].sel(mediator=mediator.column)
    for covariate in study.covariates:
        if covariate.kind == "continuous":
            yield covariate, trial["covariate_value"].sel(covariate=covariate.column)


def _question(study: Study, column: str, found: Sequence[Suspect], other_codes: bool) -> list[str]:
    if not found:
        return []
    smallest, total = study.privacy.minimum_cell, sum(one.count for one in found)
    if min(one.count for one in found) < smallest and not study.simulated:
        what, others = f"{'fewer than ' * (total < smallest)}{max(total, smallest)} values", "the others"
    else:
        named = [f"{one.count} value{'s'[: one.count > 1]} of {_shown(one.value)}" for one in found]
        what, others = " and ".join(named), f"the others ({_shown(found[0].others[0])} to {_shown(found[0].others[1])})"
    lies = "lies" if total == 1 else "lie"
    real = "" if other_codes else f'; if not, codes = {{ "{found[0].value:.10g}" = {found[0].value:.10g} }} says so'
    return [f"{column}: {what} {lies} far from {others}: a missing code? Then list it in [data] missing{real}."]


def _shown(value: float) -> str:
    return f"{value:.10g}".replace("-", "−")


def suspects(values: np.ndarray, known: Iterable[float] = ()) -> list[Suspect]:
    """Values of a column to ask about, from the least.

    Parameters
    ----------
    values : ndarray
        Numbers of one column; NaN where missing.
    known : iterable of float, optional
        Values that the study file's codes name, and that are therefore no missing codes.
    """
    distinct, count = np.unique(values[np.isfinite(values)], return_counts=True)
    low, high = _run(distinct, known), distinct.size - _run(distinct[::-1], known)
    if high - low < LEAST:
        return []
    first = _cut(distinct[:high][::-1], count[:high][::-1], high - low, known)
    last = distinct.size - _cut(distinct[low:], count[low:], high - low, known)
    places = [*range(first), *range(last, distinct.size)]
    if 2 * count[places].sum() > count.sum():  # most of a column is no missing code
        return []
    others = (float(distinct[first]) + 0.0, float(distinct[last - 1]) + 0.0)  # no -0
    return [Suspect(float(distinct[place]), int(count[place]), others) for place in places]


def _run(distinct: np.ndarray, known: Iterable[float]) -> int:
    """How many usual codes stand at the beginning, at most."""
    return len(list(takewhile(lambda value: codes.for_missing(value) and value not in set(known), distinct[:MOST])))


def _cut(distinct: np.ndarray, count: np.ndarray, core: int, known: Iterable[float]) -> int:
    """How many of the last values are suspect: values in the order in which they move away from the first `core`."""
    for place in range(core, distinct.size):
        if _far(distinct, count, place):
            return distinct.size - place
    plain = LEAST < core == distinct.size and count[-1] > 2 and distinct[-1] not in set(known)
    return int(plain and _gap(distinct, distinct.size - 1) >= PLAIN)


def _gap(distinct: np.ndarray, place: int) -> float:
    """Distance of a value from those before it, as a share of their range."""
    spread = abs(distinct[place - 1] - distinct[0])
    return abs(distinct[place] - distinct[place - 1]) / spread if spread else 0.0


def _far(distinct: np.ndarray, count: np.ndarray, place: int) -> bool:
    """Whether the values from a place on are codes: repeated and some way off, or once and far off, or below zero."""
    repeated = count[place:].max() > 1
    gap = _gap(distinct, place)
    if distinct[place] < 0 <= distinct[:place].min():
        return bool(repeated and _stands_out(distinct, count, place)) or gap >= ONCE
    if abs(distinct[place]) < 10:
        return bool(repeated and gap >= ONE_DIGIT and abs(distinct[place] - distinct[place - 1]) > 1)
    return gap >= (REPEATED if repeated else ONCE)


def _stands_out(distinct: np.ndarray, count: np.ndarray, place: int) -> bool:
    """Whether negative codes stand out below a floor at zero, and are not the thin end of a tail that crosses it."""
    inside, times = distinct[:place], count[:place]  # from the greatest down
    if _gap(distinct, place) >= REPEATED or (inside % 1).any():
        return True
    codes_fall_off = distinct.size - place > 1 and (np.diff(count[place:]) < 0).all()
    if codes_fall_off and distinct[place] == -1:
        return False
    heap = count[place] >= 3 and count[place] >= 3 * times[-3:].mean()
    mode = inside[times.argmax()]
    return bool(heap or inside[0] - mode >= 2.5 * (mode - distinct[place]))
