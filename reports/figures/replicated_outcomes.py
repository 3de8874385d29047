"""Predictive checks, by arm and wave: what was observed against what the model would give again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from reports.figures.axis import bottom
from reports.figures.canvas import NARROW, WIDE, Canvas, Linear, measured
from reports.figures.trajectories import axis_name
from reports.text.facts import Facts
from reports.text.numbers import Unit, fixed
from reports.text.parts import Figure
from reports.text.people import ARMS, Place
from reports.text.privacy import HIDDEN, SUPPRESSED
from reports.text.words import capital, lines, short

NAME = "predictive"


@dataclass(frozen=True)
class Row:
    """One check of an arm at a wave; `observed` is None, and the limits are NaN, where they may not be told."""

    arm: str
    wave: str
    observed: float | None
    lower: float
    median: float
    upper: float
    inside: bool

    @property
    def reported(self) -> bool:
        """Whether the predictive interval may be printed."""
        return math.isfinite(self.upper)


def rows(facts: Facts) -> list[Row]:
    """Arm and wave checks, in the order of the study."""
    name = "share in arm and wave" if facts.binary else "mean in arm and wave"
    table = [
        row for row in facts.run.predictive_checks.to_dict("records") if row["check"] == name and row["arm"] in ARMS
    ]
    order = {
        (arm, wave.value): place
        for place, (wave, arm) in enumerate((wave, arm) for wave in facts.study.waves for arm in ARMS)
    }
    table.sort(key=lambda row: order[row["arm"], str(row["wave"])])
    return [
        Row(
            row["arm"],
            str(row["wave"]),
            facts.people.mean((row["arm"], str(row["wave"]))),
            *_limits(facts, (row["arm"], str(row["wave"])), row),
            bool(row["inside"]),
        )
        for row in table
    ]


def _limits(facts: Facts, place: Place, row: dict[str, Any]) -> tuple[float, float, float]:
    """Lower, median and upper; replicated shares are multiples of 1/n, so a hidden n hides them too."""
    if facts.people.hidden(place):
        return math.nan, math.nan, math.nan
    return float(row["lower"]), float(row["median"]), float(row["upper"])


def draw(facts: Facts) -> Figure:
    """Predictive intervals with the observed value on each."""
    found = rows(facts)
    unit = facts.scale.level_unit
    inside = sum(row.inside for row in found)
    title = (
        f"{inside} of {len(found)} observed {'shares' if facts.binary else 'means'} lie inside the model’s 95% "
        "predictive intervals"
    )
    described = "; ".join(
        f"{facts.arm(row.arm, 40).text}, {facts.wave(row.wave)}: observed {_text(row.observed, unit)}, predicted "
        f"{_range(row, unit)}, {'inside' if row.inside else 'outside'}"
        for row in found
    )
    description = f"Interval plot, 95% predictive intervals. {described}."

    def layout(width: float, form: str) -> str:
        return _layout(facts, found, width).svg(NAME, title, description, form)

    table = tuple(
        (
            row.arm,
            row.wave,
            SUPPRESSED if row.observed is None else row.observed,
            *(limit if row.reported else SUPPRESSED for limit in (row.lower, row.median, row.upper)),
            row.inside,
        )
        for row in found
    )
    columns = ("arm", "wave", "observed", "lower", "median", "upper", "inside")
    return Figure(NAME, title, description, layout(WIDE, "wide"), layout(NARROW, "narrow"), columns, table)


def _range(row: Row, unit: Unit) -> str:
    return f"{_text(row.lower, unit)} to {_text(row.upper, unit)}" if row.reported else HIDDEN


def _text(value: float | None, unit: Unit) -> str:
    return "suppressed" if value is None else f"{fixed(value * unit.factor, 0 if unit.sign else 2)}{unit.sign}"


def _layout(facts: Facts, found: list[Row], width: float) -> Canvas:
    wide = width > 500
    step, head = 22, 30
    waves = list(dict.fromkeys(row.wave for row in found))
    height = 6 + len(waves) * head + len(found) * step
    sheet = Canvas(width, height + 100)
    x = Linear(*_ends(facts, found), 190 if wide else 14, width - 16)
    sheet.text((x.start + x.end) / 2, height + 36, axis_name(facts, "participants observed"), "note", "middle")
    y = 6.0
    bottom(sheet, x, height, facts.scale.level_unit, about=6 if wide else 5, up_to=10)
    for wave in waves:
        if wide:
            sheet.block(0, y + 34, lines(capital(facts.wave(wave)), 24, 2), "strong")
        else:
            sheet.text(0, y + 16, capital(short(facts.wave(wave), 52)), "strong")
        y += head
        for row in (row for row in found if row.wave == wave):
            if row.reported:
                sheet.line(x(row.lower), y, x(row.upper), y, f"{row.arm}-range")
                sheet.line(x(row.median), y - 5, x(row.median), y + 5, f"{row.arm}-range")
            if row.observed is not None:
                sheet.marker("circle" if row.arm == "control" else "square", x(row.observed), y, 9, f"{row.arm}-hollow")
            end = x(row.upper if row.reported else x.low if row.observed is None else row.observed) + 10
            if not row.inside:
                sheet.text(end, y + 4, "✗ outside", "stop-text strong")
            elif not row.reported:
                _untold(sheet, end, y + 4)
            y += step
    _key(facts, sheet, height + 62)
    return sheet


def _untold(sheet: Canvas, end: float, y: float) -> None:
    """That an interval is not shown, on the side of the mark where there is room."""
    words = "inside (interval not shown)"
    if end + measured(words, 12) < sheet.width:
        sheet.text(end, y, words, "note")
    else:
        sheet.text(end - 20, y, words, "note", "end")


def _ends(facts: Facts, found: list[Row]) -> tuple[float, float]:
    """Ends of the axis; a share or a count begins at 0, any other number need not."""
    given = [value for row in found for value in (row.lower, row.upper, row.observed) if value is not None]
    known = [value for value in given if math.isfinite(value)]
    if not facts.continuous:
        return 0.0, (max(known, default=1.0) or 1.0) * 1.06
    low, high = min(known, default=0.0), max(known, default=1.0)
    room = 0.06 * (high - low) or 1.0
    return low - room, high + room


def _key(facts: Facts, sheet: Canvas, y: float) -> None:
    for row, arm in enumerate(ARMS):
        at = y + row * 20
        sheet.line(8, at - 4, 44, at - 4, f"{arm}-range")
        sheet.line(20, at - 9, 20, at + 1, f"{arm}-range")
        sheet.marker("circle" if arm == "control" else "square", 34, at - 4, 9, f"{arm}-hollow")
        sheet.text(
            54, at, f"{facts.arm(arm, 40 if sheet.width > 500 else 30).text}: predicted, observed", f"{arm}-text"
        )
