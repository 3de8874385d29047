"""Who was seen and what was observed, by arm and wave; cells that may not be told never leave it as numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.trial.study_file.study import ARMS
from reports.text.numbers import Unit, fixed
from reports.text.parts import Cell
from reports.text.privacy import HIDDEN, SUPPRESSED, Limit

Place = tuple[str, str]
"""An arm and a wave."""


@dataclass(frozen=True)
class Counts:
    """One arm at one wave.

    Attributes
    ----------
    people, seen, observed : int
        Participants of the arm, of those with a row at the wave, of those with the outcome.
    total, mean, sd : float
        Of the outcome among those observed: yeses or events; a mean at an equal exposure where counts arose over
        unequal ones; NaN where there are too few.
    amount : float
        What the events arose over, all together, as a multiple of the amount at which means are compared.
    """

    people: int
    seen: int
    observed: int
    total: float
    mean: float
    sd: float
    amount: float


@dataclass(frozen=True)
class Groups:
    """Groups of one arm: how many, and how many members the smallest, the middle and the largest has."""

    number: int
    least: int
    middle: float
    most: int


def grouped(group: np.ndarray, arm: np.ndarray) -> dict[str, Groups]:
    """Groups in each arm; `group` and `arm` (participant,), a group below 0 is none."""
    found = {}
    for code, name in enumerate(ARMS):
        sizes = np.unique(group[(arm == code) & (group >= 0)], return_counts=True)[1]
        limits = (int(sizes.min()), float(np.median(sizes)), int(sizes.max())) if sizes.size else (0, 0.0, 0)
        found[name] = Groups(sizes.size, *limits)
    return found


class People:
    """Participants of a trial, as counts.

    Parameters
    ----------
    arm : ndarray, (participant,)
        0 control, 1 treated.
    seen, outcome : ndarray, (participant, wave)
        Whether there is a row; the outcome, NaN where missing.
    waves : list of str
        Values of the waves, in order.
    binary : bool
        Whether the outcome is yes or no.
    limit : Limit
        Smallest cell of the outcome that is printed; how many are missing is always.
    amount : ndarray, (participant, wave), optional
        What each count arose over, as a multiple of the amount at which means are compared.
    """

    def __init__(
        self,
        arm: np.ndarray,
        seen: np.ndarray,
        outcome: np.ndarray,
        waves: list[str],
        binary: bool,
        limit: Limit,
        amount: np.ndarray | None = None,
    ) -> None:
        self.arm, self.seen, self.outcome, self.waves, self.binary = arm, seen, outcome, waves, binary
        self.limit, self.amount = limit, np.ones(outcome.shape) if amount is None else amount

    def size(self, arm: str) -> int:
        """Participants of an arm in the data."""
        return int((self.arm == ARMS.index(arm)).sum())

    @cached_property
    def counts(self) -> dict[Place, Counts]:
        """Counts of every arm and wave."""
        return {
            (arm, wave): self._counted(code, k) for code, arm in enumerate(ARMS) for k, wave in enumerate(self.waves)
        }

    def _counted(self, code: int, wave: int) -> Counts:
        inside = self.arm == code
        values, amount = self.outcome[inside, wave], self.amount[inside, wave]
        values, amount = values[~np.isnan(values)], amount[~np.isnan(values)]
        mean = float(values.sum() / amount.sum()) if amount.sum() > 0 else math.nan
        sd = float(values.std(ddof=1)) if values.size > 1 else math.nan
        people, seen = int(inside.sum()), int(self.seen[inside, wave].sum())
        return Counts(people, seen, values.size, float(values.sum()), mean, sd, float(amount.sum()))

    @cached_property
    def observed(self) -> dict[Place, Cell]:
        """Number with the outcome."""
        return {place: _number(cell.observed) for place, cell in self.counts.items()}

    @cached_property
    def rows(self) -> dict[Place, Cell]:
        """Number seen."""
        return {place: _number(cell.seen) for place, cell in self.counts.items()}

    def missing(self, place: Place, what: str) -> Cell:
        """Number not "seen", or without the outcome ("observed"); a cell with its percentage of the arm."""
        cell = self.counts[place]
        missing = cell.people - (cell.seen if what == "seen" else cell.observed)
        return Cell(f"{missing} ({fixed(100 * missing / cell.people)}%)", missing)

    def lost(self, arm: str) -> Cell:
        """Participants whose outcome is missing at one wave or more."""
        inside = self.arm == ARMS.index(arm)
        return _number(int(np.isnan(self.outcome[inside]).any(axis=1).sum()))

    @property
    def incomplete(self) -> bool:
        """Whether an outcome is missing anywhere."""
        return any(cell.observed < cell.people for cell in self.counts.values())

    def hidden(self, place: Place) -> bool:
        """Whether the share or mean of a cell may not be told: too few observed, or too few yeses or noes."""
        cell = self.counts[place]
        return self.limit.small(cell.observed) or (self.binary and self.limit.small(cell.total, cell.observed))

    def mean(self, place: Place) -> float | None:
        """Share or mean of those observed, None where there is none or it may not be told."""
        cell = self.counts[place]
        return cell.mean if cell.observed and cell.amount > 0 and not self.hidden(place) else None

    def mean_cell(self, place: Place, shown: Unit) -> Cell:
        """Share or mean as a cell."""
        value = self.mean(place)
        if value is None:
            return Cell(HIDDEN, SUPPRESSED, SUPPRESSED) if self.counts[place].observed else Cell("—")
        return Cell(f"{fixed(value * shown.factor, shown.decimals)}{shown.sign}", value)

    def concealed(self, wave: str) -> bool:
        """Whether a difference between the arms would let a suppressed share be worked out."""
        return any(self.hidden((arm, wave)) for arm in ARMS)


def _number(count: int) -> Cell:
    return Cell(str(count), count)
