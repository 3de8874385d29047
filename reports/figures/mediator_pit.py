"""Do mediators look like draws from their own distributions: transforms of their values against uniform numbers."""

from __future__ import annotations

import numpy as np

from reports.figures.canvas import NARROW, WIDE, Canvas, Linear, ticks
from reports.text.facts import Facts
from reports.text.mediator_curves import Curve, curves
from reports.text.numbers import PLAIN, POINTS, tick_text
from reports.text.parts import Figure
from reports.text.words import capital, lines, listed

NAME = "mediator_pit"


def draw(facts: Facts) -> Figure:
    """One panel a mediator."""
    found = curves(facts)
    title = _title(found)
    reported = "; ".join(f"{curve.label}: {_reported(curve)}" for curve in found)
    description = (
        "Line chart, one panel a mediator: share of leave-one-out probabilities at most so large, minus that "
        f"probability, with the band that holds 95% of curves of a right model. {reported}."
    )

    def layout(width: float, form: str) -> str:
        return _layout(found, width).svg(NAME, title, description, form)

    columns = ("mediator", "probability", "share_minus_probability", "lower", "upper")
    rows = tuple(
        (curve.mediator, *(float(value) for value in point))
        for curve in found
        for point in zip(curve.probability, curve.difference, curve.lower, curve.upper, strict=True)
    )
    return Figure(NAME, title, description, layout(WIDE, "wide"), layout(NARROW, "narrow"), columns, rows)


def _title(found: list[Curve]) -> str:
    inside = [curve.label for curve in found if curve.inside]
    outside = [curve.label for curve in found if not curve.inside]
    if not outside:
        return f"Inside the 95% band of a right distribution: {listed(inside)}"
    rest = f"; inside: {listed(inside)}" if inside else ""
    return f"Outside the 95% band of a right distribution: {listed(outside)}{rest}"


def _reported(curve: Curve) -> str:
    where = "inside the band" if curve.inside else "outside the band"
    if not curve.difference.size:
        return f"{where}, curve not shown"
    place = curve.furthest
    size = tick_text(round(float(curve.difference[place]), 3), POINTS, signed=True)
    return f"{where}, furthest at {curve.probability[place]:.2f}, by {size} percentage points"


def _layout(found: list[Curve], width: float) -> Canvas:
    columns = 2 if width > 500 and len(found) > 1 else 1
    gap, tall, head, foot = 36.0, 150.0, 40.0, 56.0
    rows = -(-len(found) // columns)
    sheet = Canvas(width, rows * (head + tall + foot) + 4)
    wide = (width - gap * (columns - 1)) / columns
    sizes = [
        np.abs(part).max() for curve in found for part in (curve.difference, curve.lower, curve.upper) if part.size
    ]
    reach = 1.08 * max([0.05, *sizes])
    for place, curve in enumerate(found):
        left, top = (place % columns) * (wide + gap), (place // columns) * (head + tall + foot)
        _panel(sheet, curve, left, top, wide, (head, tall), reach)
    return sheet


def _panel(
    sheet: Canvas, curve: Curve, left: float, top: float, wide: float, heights: tuple[float, float], reach: float
) -> None:
    head, tall = heights
    x, y = Linear(0.0, 1.0, left + 42, left + wide - 8), Linear(-reach, reach, top + head + tall, top + head)
    sheet.text(left, top + 14, lines(capital(curve.label), 36 if wide > 300 else 30, 1)[0], "strong")
    verdict = ("✓ inside the band", "note") if curve.inside else ("! leaves the band", "stop-text strong")
    sheet.text(left, top + 31, verdict[0], verdict[1])
    sheet.text(x.end, top + 31, "share − probability, points", "note", "end")
    for value in ticks(-reach, reach, 4):
        sheet.line(x.start, y(value), x.end, y(value), "axis" if value == 0 else "grid")
        sheet.text(x.start - 7, y(value) + 4, tick_text(value, POINTS, signed=True), "tick", "end")
    base = y.start
    for value in (0.0, 0.25, 0.5, 0.75, 1.0):
        sheet.line(x(value), base, x(value), base + 4, "axis")
        sheet.text(x(value), base + 18, tick_text(value, PLAIN), "tick", "end" if value == 1 else "middle")
    sheet.text((x.start + x.end) / 2, base + 36, "probability of a smaller value", "note", "middle")
    if not curve.difference.size:
        sheet.text((x.start + x.end) / 2, y(0) - 8, "too few values to draw", "note", "middle")
        return
    ends = [0.0, *curve.probability, 1.0]
    lower, upper = ([0.0, *part, 0.0] for part in (curve.lower, curve.upper))
    outline = [*zip(ends, upper, strict=True), *reversed(list(zip(ends, lower, strict=True)))]
    sheet.path([(x(p), y(value)) for p, value in outline], "band", closed=True)
    for part in (lower, upper):
        sheet.path([(x(p), y(value)) for p, value in zip(ends, part, strict=True)], "edge")
    sheet.line(x.start, y(0), x.end, y(0), "axis")
    line = zip(ends, [0.0, *curve.difference, 0.0], strict=True)
    sheet.path([(x(p), y(value)) for p, value in line], "difference-line")
    outside = np.flatnonzero((curve.difference < curve.lower) | (curve.difference > curve.upper))
    for run in np.split(outside, np.flatnonzero(np.diff(outside) > 1) + 1):
        points = [(x(float(curve.probability[k])), y(float(curve.difference[k]))) for k in run]
        if len(points) == 1:
            sheet.circle(*points[0], 2.5, "stop-mark")
        elif points:
            sheet.path(points, "stop-mark")
