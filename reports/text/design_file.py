"""A design study as `scripts/design.py` saves it: settings, and one row a quantity at each point of the grid."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from models.estimands.summary import RATIOS
from models.faults import InvalidInput
from reports.text import study_files
from reports.text.numbers import PLAIN, Number, Unit, show, tick_text
from reports.text.outcome_words import SCALES
from reports.text.words import short

SCHEMA = "microsavings design 1"
MEASURES = ("assurance", "narrow", "harm", "coverage", "width")
SHARES = ("assurance", "narrow", "harm", "coverage")
GRID = ("participants", "attrition", "effect", "mediated")
COLUMNS = (*GRID, "quantity", "label", "truth", "replications", *MEASURES, *(f"{name}_mcse" for name in MEASURES))
ABOUT = ("scenario", "title", "model", "priors", "command", "seed", "replications", "failed", "grid")
THROUGH = ("natural_indirect", "interventional_via")
"""Quantities that the arm's own shift of the outcome does not make."""
WANTED = 0.8
"""Share of trials that a size is asked to bring to the wanted end."""


@dataclass(frozen=True, order=True)
class Shift:
    """What the arm truly does: a shift of the outcome (`Scale.shift`), and a factor on that of mediators."""

    effect: float
    mediated: float = 1.0

    @property
    def text(self) -> str:
        """As printed; mediators only where they are not moved as the scenario states."""
        beside = f", mediators × {tick_text(self.mediated, PLAIN)}" if self.mediated != 1 else ""
        return tick_text(self.effect, PLAIN, signed=True) + beside


@dataclass(frozen=True)
class Point:
    """One quantity at one point of the grid.

    Attributes
    ----------
    participants : int
        Of both arms together.
    attrition : float
        Share of participants lost.
    shift : Shift
        By the arm.
    quantity, label : str
        Key of the estimand, and words for it.
    truth : float
        Its true value, in the units of a run; NaN where the file has none. Under a design prior that at its centre.
    replications : int
        Trials that it is taken over; 0 where every fit failed.
    numbers : mapping of str to float
        `MEASURES` and their Monte Carlo errors, NaN where the file has none.
    outcome : str
        Kind of the trial's outcome, a key of `outcome_words.SCALES`.
    """

    participants: int
    attrition: float
    shift: Shift
    quantity: str
    label: str
    truth: float
    replications: int
    numbers: Mapping[str, float]
    outcome: str

    def __getitem__(self, name: str) -> float:
        """One of its numbers."""
        return self.numbers[name]

    def has(self, name: str) -> bool:
        """Whether the file has that number."""
        return math.isfinite(self.numbers[name])

    @property
    def place(self) -> tuple[int, float, Shift]:
        """Where on the grid it stands."""
        return self.participants, self.attrition, self.shift

    @property
    def shown(self) -> Unit:
        """Unit of the truth and of the interval's width; ratios have none."""
        return PLAIN if self.quantity.split("[", 1)[0] in RATIOS else SCALES[self.outcome].difference_unit

    @property
    def true_value(self) -> Number | None:
        """The truth as printed; None where the file has none."""
        return show(self.truth, self.shown) if math.isfinite(self.truth) else None


@dataclass(frozen=True)
class DesignStudy:
    """A study: `about` as in its JSON file, `points` in the order of its CSV file."""

    about: Mapping[str, Any]
    points: tuple[Point, ...]

    @property
    def shift_unit(self) -> str:
        """Unit of the arm's true shift."""
        return "probits" if self.about.get("link") == "probit" else SCALES[self.points[0].outcome].shift

    @cached_property
    def quantities(self) -> dict[str, str]:
        """Labels by key, in the order of the file."""
        return {point.quantity: point.label for point in self.points}

    @cached_property
    def analysed(self) -> dict[tuple[int, float, Shift], int]:
        """Trials analysed at each place of the grid; not every one has every quantity."""
        found: dict[tuple[int, float, Shift], int] = {}
        for point in self.points:
            found[point.place] = max(found.get(point.place, 0), point.replications)
        return found

    @property
    def moved(self) -> bool:
        """Whether the mediators are moved otherwise than the scenario states anywhere."""
        return any(shift.mediated != 1 for shift in self.shifts)

    @property
    def through(self) -> bool:
        """Whether the arm moves the outcome through mediators too, beside its own shift."""
        return bool(self.about.get("arm_moves_mediators", self.about["model"] == "mediation"))

    @property
    def shift_name(self) -> str:
        """What the arm's shift of the outcome is called: not all of the truth where mediators are moved too."""
        return "direct effect" if self.through else "true shift"

    @property
    def sizes(self) -> list[int]:
        """Participants tried, rising."""
        return sorted({point.participants for point in self.points})

    @property
    def losses(self) -> list[float]:
        """Attritions tried, rising."""
        return sorted({point.attrition for point in self.points})

    @property
    def shifts(self) -> list[Shift]:
        """True shifts tried, rising."""
        return sorted({point.shift for point in self.points})

    def line(self, quantity: str, shift: Shift, attrition: float) -> list[Point]:
        """Points of one curve, by size."""
        found = [point for point in self.points if (point.quantity, point.shift, point.attrition)
                 == (quantity, shift, attrition)]  # fmt: skip
        return sorted(found, key=lambda point: point.participants)

    def at(self, quantity: str, shift: Shift) -> list[Point]:
        """Points of every size and attrition."""
        return [point for point in self.points if (point.quantity, point.shift) == (quantity, shift)]

    def truth(self, quantity: str, shift: Shift) -> Number | None:
        """True value at a shift, as printed; None where it is not known or differs along the grid."""
        found = self.at(quantity, shift)
        printed = {point.true_value.text: point.true_value for point in found if point.true_value}
        return next(iter(printed.values())) if len(printed) == 1 else None

    @property
    def spread(self) -> float:
        """SD of the design prior around each true shift; 0 where each is fixed."""
        return float(self.about.get("effect_sd", 0.0))

    def _truths(self, quantity: str, shift: Shift) -> set[float]:
        return {point.truth for point in self.at(quantity, shift) if math.isfinite(point.truth)}

    def nothing(self, quantity: str, shift: Shift) -> bool:
        """Whether the quantity's true value is 0 there: mediators may move it where the arm's own shift is 0."""
        # under a design prior only what goes through unmoved mediators is 0 in every trial
        fixed = not self.spread or quantity.startswith(THROUGH)
        return fixed and self._truths(quantity, shift) == {0.0}

    def end(self, quantity: str, shift: Shift) -> str:
        """What a trial should end with at a true shift: "harm" on the worse side of 0, else "assurance" (benefit)."""
        found = self._truths(quantity, shift) or {shift.effect}
        side = sum(np.sign(truth) for truth in found)
        worse = 1 if self.about.get("better", "lower") == "lower" else -1
        return "harm" if side * worse > 0 else "assurance"

    def smallest(self, quantity: str, shift: Shift, attrition: float, measure: str) -> Point | None:
        """First size from which on every size tried reaches `WANTED`; None where the largest does not."""
        reached = None
        for point in reversed(self.line(quantity, shift, attrition)):
            if not (point.has(measure) and point[measure] >= WANTED):
                break
            reached = point
        return reached

    def text(self, key: str, length: int = 120) -> str:
        """One of the settings as printed."""
        return short(self.about[key], length)


def read(settings: Path, table: Path) -> DesignStudy:
    """Settings and points.

    Raises
    ------
    InvalidInput
        If a file is missing or holds what it may not.
    """
    about = study_files.about(settings, SCHEMA, ABOUT)
    outcome = str(about.get("outcome", "binary"))
    if outcome not in SCALES:
        why = f"Its outcome is {outcome!r}, not one of {', '.join(SCALES)}."
        raise InvalidInput(f"{settings} cannot be used.", why, study_files.MADE)
    found = tuple(study_files.rows(table, COLUMNS, lambda row: _point(row, outcome)))
    keys = [(point.place, point.quantity) for point in found]
    if len(set(keys)) < len(keys):
        raise InvalidInput(f"{table} cannot be used.", "A point of the grid stands in it twice.", study_files.MADE)
    return DesignStudy(about, found)


def _point(row: Mapping[str, str], outcome: str) -> Point:
    numbers = {}
    for name in MEASURES:
        limits = (0.0, 1.0) if name in SHARES else (0.0, math.inf)
        numbers[name] = study_files.optional(row, name, *limits)
        numbers[f"{name}_mcse"] = study_files.optional(row, f"{name}_mcse", 0.0)
    return Point(
        int(study_files.number(row, "participants", 1, 1e9)),
        study_files.number(row, "attrition", 0.0, 1.0),
        Shift(study_files.number(row, "effect"), study_files.number(row, "mediated")),
        study_files.word(row, "quantity"),
        short(row["label"] or row["quantity"], 80),
        study_files.optional(row, "truth"),
        int(study_files.number(row, "replications", 0, 1e9)),
        numbers,
        outcome,
    )
