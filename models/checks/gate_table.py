"""The gate's verdict as data: which checks were made, what each found, and the worst of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf, isfinite, nan
from pathlib import Path
from typing import Any

from models.faults import InvalidInput

FORMAT = 2
"""Of a saved gate; 1 held figures and limits as English."""
Coords = Mapping[str, str | int]
"""Labels by dimension; what has them, a parameter or an estimand, stands under "variable"."""


class Status(StrEnum):
    """How a check came out, best first."""

    NOT_APPLICABLE = "not applicable"
    GREEN = "green"
    AMBER = "amber"
    RED = "red"

    @property
    def rank(self) -> int:
        """Place among all, 0 the best."""
        return list(Status).index(self)


class CheckName(StrEnum):
    """What a gate may check."""

    COMPLETE = "chains and draws as planned, all finite"
    R_HAT = "R-hat, largest"
    CORE_ESS = "effective draws, estimands and fixed effects"
    OTHER_ESS = "effective draws, spreads and participants"
    MEDIAN_ERROR = "Monte-Carlo error of the primary median"
    INTERVAL_ERROR = "Monte-Carlo error of its interval"
    DIVERGENCES = "divergences"
    TREE_DEPTH = "tree depth saturated"
    ENERGY = "E-BFMI, smallest"
    PARETO_K = "Pareto k above 0.7"
    CELLS = "arm × wave cells outside 95% predictive intervals"
    TAILS = "predictive tails of response patterns"
    POWER_SCALING = "power-scaling of the primary estimand"
    CONTRACTION = "contraction of the primary effect"
    SUMS = "total − sum of parts"
    INTEGRATION = "integration error of the averages"
    DISTRIBUTIONS = "mediators' distributions"
    GROUPS = "randomised groups in the smaller arm"
    DATA = "data check"
    SPREADS = "standard deviations by arm and wave"
    ZEROS = "zeros beyond the model"
    MEANS = "modelled mean beside the crude one"
    WIDTH = "interval beside the robust one"
    WIDTH_OF_COUNTS = "interval beside the robust one, counts"
    PLACE = "estimate beside the robust one"
    AGREEMENT = "total effect agrees with the effect model's"
    DATA_HASH = "data hash"


class Kind(StrEnum):
    """How a figure is held against its limits."""

    AT_MOST = "at most"
    BELOW = "below"
    AT_LEAST = "at least"


@dataclass(frozen=True)
class Limit:
    """Limits of one check: the last values that are green (`good`) and amber (`fair`).

    A check that is never red has an infinite `fair`; one that is never amber has `fair` equal to `good`. `ideal` is the
    value of a perfect fit.
    """

    good: float
    fair: float
    kind: Kind = Kind.AT_MOST
    ideal: float = 0.0

    @property
    def never_red(self) -> bool:
        """Whether the worst that it can say is “look”."""
        return not isfinite(self.fair)

    @property
    def never_amber(self) -> bool:
        """Whether whatever does not pass is red."""
        return self.fair == self.good

    def status(self, value: float) -> Status:
        """Status of a value; a value that is not finite is as bad as can be."""
        if isfinite(value) and self._within(value, self.good):
            return Status.GREEN
        if self.never_red or (isfinite(value) and self._within(value, self.fair)):
            return Status.AMBER
        return Status.RED

    def _within(self, value: float, limit: float) -> bool:
        if self.kind is Kind.AT_LEAST:
            return value >= limit
        return value < limit if self.kind is Kind.BELOW else value <= limit

    def used(self, value: float) -> float:
        """Share of the limit that a value used: 0 at the ideal, 1 at the limit; 0 where nothing lies between them."""
        if self.kind is Kind.AT_LEAST:
            return self.good / value if value > 0 else 0.0
        return (value - self.ideal) / (self.good - self.ideal) if self.good > self.ideal else 0.0


@dataclass(frozen=True)
class Check:
    """One row of the gate; `reports.text.check_words` has words for it.

    Attributes
    ----------
    name : CheckName
        What was checked.
    value : float
        The figure found; NaN where there is none.
    limit : Limit or None
        What it was held against; None where no figure decides.
    where : tuple of mappings
        Coordinates of what came out worst, of all that came out badly where a check counts them; empty where there is
        only one place.
    status : Status
        How it came out.
    figures : mapping of str to float
        Further figures that belong to the value, by name.
    remarks : tuple of str
        Sentences of whatever was found: why there is no value, what the data check says.
    """

    name: CheckName
    value: float
    limit: Limit | None
    where: tuple[Coords, ...]
    status: Status
    figures: Mapping[str, float] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    @property
    def applies(self) -> bool:
        """Whether the run has a use for it."""
        return self.status is not Status.NOT_APPLICABLE

    @property
    def passed(self) -> bool:
        """Whether nothing came out badly."""
        return self.status in (Status.GREEN, Status.NOT_APPLICABLE)


@dataclass(frozen=True)
class Gate:
    """All checks of a run; `status` is that of the worst."""

    checks: tuple[Check, ...]

    @property
    def status(self) -> Status:
        """Worst status of all checks; red where nothing was checked."""
        return _worst(Status.GREEN if check.passed else check.status for check in self.checks)

    @property
    def worst(self) -> tuple[Check, ...]:
        """The checks that made the gate amber or red; empty when it is green."""
        return tuple(check for check in self.checks if not check.passed and check.status is self.status)

    def write(self, path: Path) -> None:
        """Save as JSON."""
        content = {"format": FORMAT, "status": self.status, "checks": [_record(check) for check in self.checks]}
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
        path.write_text(text + "\n", encoding="utf-8")


def worst(gates: Iterable[Gate]) -> Status:
    """Worst status of several gates."""
    return _worst(gate.status for gate in gates)


def _worst(statuses: Iterable[Status]) -> Status:
    return max(statuses, key=lambda status: status.rank, default=Status.RED)


def read(path: Path) -> Gate:
    """Read what `Gate.write` saved; the overall status is derived again, never trusted.

    Raises
    ------
    InvalidInput
        If another edition wrote it, whose figures are not those of this one.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    found = content.get("format", 1)
    if found != FORMAT:
        raise InvalidInput(
            f"{path.parent} was written by another edition of the code.",
            f"Its {path.name} has format {found}; this edition reads format {FORMAT}.",
            "Check out the commit that its manifest.json names, or run the analysis again.",
        )
    return Gate(tuple(_check(row) for row in content["checks"]))


def _record(check: Check) -> dict[str, Any]:
    """Numbers as numbers; what JSON does not have, NaN and an infinite limit, is null."""
    limit = check.limit and {
        "kind": check.limit.kind,
        "good": check.limit.good,
        "fair": None if check.limit.never_red else check.limit.fair,
        "ideal": check.limit.ideal,
    }
    return {
        "name": check.name,
        "status": check.status,
        "value": _or_null(check.value),
        "limit": limit,
        "where": [dict(place) for place in check.where],
        "figures": {name: _or_null(value) for name, value in check.figures.items()},
        "remarks": list(check.remarks),
    }


def _check(row: Mapping[str, Any]) -> Check:
    limit = row["limit"]
    if limit is not None:
        kind = Kind(limit["kind"])
        never = -inf if kind is Kind.AT_LEAST else inf
        limit = Limit(limit["good"], never if limit["fair"] is None else limit["fair"], kind, limit["ideal"])
    return Check(
        CheckName(row["name"]),
        _or_nan(row["value"]),
        limit,
        tuple(row["where"]),
        Status(row["status"]),
        {name: _or_nan(value) for name, value in row["figures"].items()},
        tuple(row["remarks"]),
    )


def _or_null(value: float) -> float | None:
    return value if isfinite(value) else None


def _or_nan(value: float | None) -> float:
    return nan if value is None else value
