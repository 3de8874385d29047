"""Values that look like missing codes analysed as measurements: repeated extremes far off, such as -99 in a score."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np
import xarray as xr

from models.trial import cells
from models.trial.readers import codes
from models.trial.study_file.study import Covariate, Exposure, Mediator, Outcome, Study

MOST, LEAST = 4, 3
"""Different codes at either end, at most (96 to 99); different other values, at least, to lie far from."""
BESIDE_TWO = 5
"""Least distance of usual codes from 0 and 1, or 1 and 2, where a column holds nothing else: yes, no and 9."""
REPEATED, ONCE, PLAIN, ONE_DIGIT, BELOW_ZERO = 0.3, 1.0, 2.0, 0.9, 0.25
"""Least distance from the others, as a share of their range: of a usual code that is repeated, of one that stands once,
of a repeated value that is no usual code, of a repeated code of one digit (9 in items from 0 to 3), of a repeated
negative code where no other value is negative. With these fewer than 0.5% of columns without codes are asked about and
97% of those with one (24 kinds, counts with many zeros among them).
"""


FEW = 3
"""Least values with, and without, three decimals of which it can be said that the mark parts thousands."""
THOUSANDS = (
    "values with three decimals, all below 100, stand beside whole ones from 100 to 999: a thousands separator "
    "read as a decimal mark? Then take it out of the file."
)


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
    """A question for each column in which values may be missing codes, or thousands read as decimals.

    Parameters
    ----------
    study, trial : Study, Dataset
        As `models.trial.study_file.study.read` and `models.trial.dataset.load` make them.
    """
    asked = []
    for variable, values in _columns(study, trial):
        if variable.values != "binary":
            found = suspects(values.to_numpy().ravel(), variable.codes.values())
            asked += _question(study, variable.column, found, bool(variable.codes))
            asked += [f"{variable.column}: {THOUSANDS}"] if thousands(values.to_numpy()) else []
    for column, names in json.loads(trial.attrs["levels"]).items():
        levels = np.array([cells.number(level) for level in names])
        if np.isfinite(levels).all():
            code = trial["covariate_value"].sel(covariate=column).dropna("participant").to_numpy().astype(int)
            asked += _question(study, column, suspects(levels[code]), True)
    return asked


def thousands(values: np.ndarray) -> bool:
    """Whether a mark between thousands was read as a decimal one: 1.472 beside 996, three decimals and none above."""
    present = values[np.isfinite(values)]
    whole = present % 1 == 0
    apart, hundreds = present[~whole], present[whole]
    if min(apart.size, hundreds.size) < FEW or not np.allclose(apart * 1000, np.round(apart * 1000), atol=1e-6):
        return False
    return bool(apart.max() < 100 <= hundreds.min() and hundreds.max() < 1000)


def _columns(study: Study, trial: xr.Dataset) -> list[tuple[Outcome | Mediator | Exposure | Covariate, xr.DataArray]]:
    """Each variable that holds numbers, with its values."""
    numbers = [covariate for covariate in study.covariates if covariate.kind == "continuous"]
    return [
        (study.outcome, trial["outcome"]),
        *((one, trial["further_outcome"].sel(further=one.column)) for one in study.further_outcomes),
        *((one, trial["mediator_value"].sel(mediator=one.column)) for one in study.mediators),
        *((one, trial["amount"].sel(exposure=one.column)) for one in study.exposures),
        *((one, trial["covariate_value"].sel(covariate=one.column)) for one in numbers),
    ]


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
    if high - low == 2 < distinct.size and distinct[low] in (0, 1) and distinct[high - 1] == distinct[low] + 1:
        others = float(distinct[low]), float(distinct[high - 1])
        places = [*range(low), *range(high, distinct.size)]
        far = [place for place in places if np.abs(distinct[place] - others).min() >= BESIDE_TWO or distinct[place] < 0]
        return [Suspect(float(distinct[place]), int(count[place]), others) for place in far]
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
    if _gap(distinct, place) >= BELOW_ZERO or (inside % 1).any():
        return True
    heap = count[place] > 4 and count[place] >= 1.5 * times[-3:].max()
    if distinct.size - place > 1 and distinct[place] > -4:  # -1, -2, -3: a tail, unless it grows outwards
        return bool(heap and count[-1] >= count[place])
    mode = inside[times.argmax()]
    return bool(heap or (count[place] > 2 and inside[0] - mode >= 2.5 * (mode - distinct[place])))
