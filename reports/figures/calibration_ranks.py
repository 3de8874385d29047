"""Ranks of true values among posterior draws: one panel a quantity, its distribution function against a uniform one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.checks.uniformity import Curve
from reports.figures.canvas import LINE, NARROW, WIDE, Canvas, Linear, fitted, ticks
from reports.text.numbers import PLAIN, POINTS, fixed, tick_text
from reports.text.parts import Figure
from reports.text.words import capital, lines

NAME = "calibration_ranks"
GAP, TALL, FOOT = 22.0, 104.0, 42.0


@dataclass(frozen=True)
class Panel:
    """One quantity: key, label as printed, curve."""

    quantity: str
    label: str
    curve: Curve

    @property
    def reported(self) -> str:
        """Where the curve is furthest out, in words."""
        curve, place = self.curve, self.curve.furthest
        found, lower, upper = (
            tick_text(round(float(part[place]), 3), POINTS, signed=True)
            for part in (curve.difference, curve.lower, curve.upper)
        )
        where = "inside" if curve.inside else "outside"
        share = fixed(float(curve.probability[place]), 2)
        return f"{where} the band, furthest at a rank of {share}: {found} percentage points, band {lower} to {upper}"


def panels(curves: Mapping[str, Curve], labels: Mapping[str, str]) -> list[Panel]:
    """Panels in the order of `labels`; quantities without ranks have none."""
    return [Panel(key, label, curves[key]) for key, label in labels.items() if key in curves]


def draw(found: Sequence[Panel]) -> Figure:
    """Small multiples on one scale."""
    inside = sum(panel.curve.inside for panel in found)
    title = f"Ranks of the true values: {inside} of {len(found)} quantities inside their simultaneous band"
    description = (
        "Line chart, one panel a quantity: share of true values whose rank among the posterior draws is at most so "
        "large, minus the share expected of uniform ranks, with the band; the bands hold all lines of uniform ranks in "
        f"95% of such studies. {'; '.join(f'{panel.label}: {panel.reported}' for panel in found)}."
    )

    def layout(width: float, form: str) -> str:
        return _layout(found, width).svg(NAME, title, description, form)

    columns = ("quantity", "label", "probability", "share_minus_probability", "lower", "upper", "inside")
    rows = tuple(
        (panel.quantity, panel.label, *(float(value) for value in point), panel.curve.inside)
        for panel in found
        for point in zip(
            panel.curve.probability, panel.curve.difference, panel.curve.lower, panel.curve.upper, strict=True
        )
    )
    return Figure(NAME, title, description, layout(WIDE, "wide"), layout(NARROW, "narrow"), columns, rows)


def _layout(found: Sequence[Panel], width: float) -> Canvas:
    columns = min(len(found), 3 if width > 500 else 2)
    wide = min(360.0, (width - GAP * (columns - 1)) / columns)
    names = [lines(capital(panel.label), int(wide / 7.4), 2) for panel in found]
    # a name of two lines moves all panels down, so that their axes stay level
    head = 24.0 + LINE * max(len(name) for name in names)
    each = head + TALL + FOOT
    sheet = Canvas(width, -(-len(found) // columns) * each + (18 if width > 500 else 34))
    sizes = [
        np.abs(part).max() for panel in found for part in (panel.curve.difference, panel.curve.lower, panel.curve.upper)
    ]
    reach = 1.06 * float(max(sizes))
    for place, (panel, name) in enumerate(zip(found, names, strict=True)):
        left, top = (place % columns) * (wide + GAP), (place // columns) * each
        sheet.block(left, top + head - 10 - LINE * len(name), [fitted(row, wide) for row in name], "strong")
        _panel(sheet, panel, left, top + head, wide, reach)
    words: tuple[str, ...] = (
        "across: rank of the true value, as a share;",
        "up: share of ranks − share expected, percentage points",
    )
    words = (" ".join(words),) if width > 500 else words
    sheet.block(0, sheet.height - 6 - LINE * (len(words) - 1), words, "note")
    return sheet


def _panel(sheet: Canvas, panel: Panel, left: float, top: float, wide: float, reach: float) -> None:
    curve = panel.curve
    x, y = Linear(0.0, 1.0, left + 32, left + wide - 6), Linear(-reach, reach, top + TALL, top)
    verdict = ("✓ inside", "note") if curve.inside else ("! outside", "stop-text strong")
    sheet.text(left, top - 9, *verdict)
    for value in ticks(-reach, reach, 5):
        sheet.line(x.start, y(value), x.end, y(value), "axis" if value == 0 else "grid")
        sheet.text(x.start - 6, y(value) + 4, tick_text(value, POINTS, signed=True), "tick", "end")
    for value in (0.0, 0.5, 1.0):
        sheet.line(x(value), y.start, x(value), y.start + 4, "axis")
        sheet.text(x(value), y.start + 18, tick_text(value, PLAIN), "tick", "end" if value == 1 else "middle")
    ends = [0.0, *curve.probability, 1.0]
    lower, upper, line = ([0.0, *part, 0.0] for part in (curve.lower, curve.upper, curve.difference))
    outline = [*zip(ends, upper, strict=True), *reversed(list(zip(ends, lower, strict=True)))]
    sheet.path([(x(p), y(value)) for p, value in outline], "bounded", closed=True)
    sheet.line(x.start, y(0), x.end, y(0), "axis")
    sheet.path([(x(p), y(value)) for p, value in zip(ends, line, strict=True)], "difference-line thin")
    _outside(sheet, curve, x, y)


def _outside(sheet: Canvas, curve: Curve, x: Linear, y: Linear) -> None:
    """The parts that lie beyond the band once more, in the colour of a stop."""
    beyond = np.flatnonzero((curve.difference < curve.lower - 1e-9) | (curve.difference > curve.upper + 1e-9))
    for run in np.split(beyond, np.flatnonzero(np.diff(beyond) > 1) + 1):
        points = [(x(float(curve.probability[k])), y(float(curve.difference[k]))) for k in run]
        if len(points) == 1:
            sheet.circle(*points[0], 2.5, "stop-mark")
        elif points:
            sheet.path(points, "stop-mark")
