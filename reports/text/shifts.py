"""How far each estimate moved between two runs, and whether Monte-Carlo error alone could have moved it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reports.text.estimate import NO_INTERVAL, ReportedEstimate
from reports.text.numbers import POINTS, Number, Unit, interval, show

if TYPE_CHECKING:
    from models.runs.folder import Run

ERRORS = 4
"""A shift beyond so many Monte-Carlo standard errors is no accident of sampling.

Hundreds of medians and limits are compared at once: at four errors a pair of equal posteriors shows one such shift in
about seventy comparisons of eighty estimates, at two it would show a dozen every time.
"""
FIELDS = ("median", "lower", "upper")
Key = tuple[str, str, str, str, str, str]
"""Model, estimand, average, arm, wave, mediator."""


@dataclass(frozen=True)
class Shift:
    """One estimate in two runs.

    Attributes
    ----------
    key : tuple of str
        Model, estimand, average, arm, wave, mediator.
    first, second : Estimate or None
        Its rows; None where a run does not have it, or does not identify it.
    """

    key: Key
    first: ReportedEstimate | None
    second: ReportedEstimate | None

    @property
    def both(self) -> tuple[ReportedEstimate, ReportedEstimate] | None:
        """Both rows, where both runs have the estimate."""
        return (self.first, self.second) if self.first and self.second else None

    @property
    def _pair(self) -> tuple[ReportedEstimate, ReportedEstimate]:
        assert self.both is not None  # asked for only where there are two
        return self.both

    @property
    def either(self) -> ReportedEstimate:
        """The first run's row, or the second's where the first has none."""
        found = self.first or self.second
        assert found is not None  # `shifts` makes none without a row
        return found

    @property
    def size(self) -> float:
        """Second median minus first, in the units of the run; NaN where there are not two."""
        return self.both[1].median - self.both[0].median if self.both else math.nan

    @property
    def in_sds(self) -> float:
        """`size` in SDs of the first posterior; NaN where that has none."""
        sd = self.both[0].sd if self.both else math.nan
        return self.size / sd if sd > 0 else math.nan

    @property
    def beyond(self) -> bool | None:
        """Whether the median or a limit moved by more than Monte-Carlo error explains; None where that is not known."""
        if not self.both:
            return None
        moved = [self._beyond(field) for field in FIELDS]
        return True if True in moved else None if None in moved else False

    def _beyond(self, field: str) -> bool | None:
        first, second = self._pair
        gap = abs(getattr(second, field) - getattr(first, field))
        error = math.hypot(getattr(first, f"mcse_{field}"), getattr(second, f"mcse_{field}"))
        if math.isnan(gap):  # neither has a limit, such as a number needed to treat
            return False if math.isnan(getattr(first, field)) and math.isnan(getattr(second, field)) else None
        return None if math.isnan(error) else bool(gap > ERRORS * error)

    @property
    def same(self) -> bool:
        """Whether both runs have it, with the same numbers and the same class of evidence."""
        if not self.both:
            return False
        first, second = self.both
        return first.evidence == second.evidence and all(
            getattr(first, field) == getattr(second, field)
            or (math.isnan(getattr(first, field)) and math.isnan(getattr(second, field)))
            for field in FIELDS
        )

    @property
    def unit(self) -> Unit:
        """The unit in which the shift is printed: of percentages it is in points."""
        shown = self.either.shown
        return POINTS if shown.sign == "%" else shown

    @property
    def printed(self) -> Number:
        """The shift as printed."""
        return show(self.size, self.unit)

    def record(self) -> dict[str, Any]:
        """For JSON: everything, in the units of the run."""
        names = ("model", "estimand", "average", "arm", "wave", "mediator")
        sides = {name: _side(row) for name, row in (("first", self.first), ("second", self.second))}
        moved = {"shift": self.size, "shift_in_posterior_sds": self.in_sds, "beyond_monte_carlo_error": self.beyond}
        return dict(zip(names, self.key, strict=True)) | {"unit": self.either.unit} | sides | moved


def _side(row: ReportedEstimate | None) -> dict[str, Any] | None:
    if row is None:
        return None
    names = (*FIELDS, "sd", "mcse_median", "mcse_lower", "mcse_upper", "evidence")
    return {name: getattr(row, name) for name in names}


def shifts(first: Mapping[str, Run], second: Mapping[str, Run]) -> list[Shift]:
    """Every estimate that either run identifies, in the order of the first run, then of the second.

    Parameters
    ----------
    first, second : mapping of str to Run
        The fits of each run by the name of their model.
    """
    one, two = _rows(first), _rows(second)
    return [Shift(key, one.get(key), two.get(key)) for key in dict.fromkeys([*one, *two])]


def _rows(fits: Mapping[str, Run]) -> dict[Key, ReportedEstimate]:
    found = {}
    for model, run in fits.items():
        for row in run.estimates.to_dict("records"):
            estimate = ReportedEstimate.of(row)
            if estimate.identified and math.isfinite(estimate.median):
                key = (model, estimate.estimand, estimate.average, estimate.arm, estimate.wave, estimate.mediator)
                found[key] = estimate
    return found


def reported(row: ReportedEstimate | None) -> str:
    """Median and interval as printed: "14% (9% to 20%)"; of what has no interval the median alone."""
    if row is None:
        return "—"
    if row.estimand in NO_INTERVAL or not all(math.isfinite(getattr(row, field)) for field in FIELDS):
        return show(row.median, row.shown).text
    median, lower, upper = (row.number(field) for field in FIELDS)
    return f"{median.text} ({interval(lower, upper)})"
