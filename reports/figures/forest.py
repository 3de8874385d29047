"""Parts of a difference as marks with their intervals: the evidence class is the mark's shape and is named below."""

from __future__ import annotations

import math
from collections.abc import Sequence

from reports.figures.axis import bottom, directions
from reports.figures.canvas import LINE, NARROW, WIDE, Canvas, Linear, fitted, measured
from reports.text.estimate import ReportedEstimate
from reports.text.facts import Facts
from reports.text.mediated import Part
from reports.text.parts import Figure
from reports.text.words import clean, lines

SHAPES = {"randomised": "circle", "randomised + MAR": "half circle", "assumption-driven": "triangle"}
"""The same as in the tables' column “Evidence”."""
COLUMNS = (
    "part", "estimand", "mediator", "wave", "evidence", "median", "lower", "upper", "prior_lower", "prior_upper", "note"
)  # fmt: skip
BETWEEN = "treated minus control"
LABELS = 236
"""Room for the names beside the marks, on a screen."""


def figure(
    name: str,
    facts: Facts,
    parts: Sequence[Part],
    title: str,
    what: str,
    words: tuple[str, str],
    between: str = BETWEEN,
    *,
    margin: bool = True,
) -> Figure:
    """Forest of parts; `what` begins the description, `words` name the two directions, `between` what is subtracted.

    The band of the margin is for effects: without `margin` there is none.
    """
    described = "; ".join(f"{_full(part)} ({part.estimate.evidence}): {reported(part.estimate)}" for part in parts)
    description = f"{what}, median with 95% interval, in {facts.scale.points}. {described}."

    def layout(width: float, form: str) -> str:
        return _layout(facts, parts, words, width, between, margin=margin).svg(name, title, description, form)

    rows = tuple(_row(part) for part in parts)
    return Figure(name, title, description, layout(WIDE, "wide"), layout(NARROW, "narrow"), COLUMNS, rows)


def _full(part: Part) -> str:
    return f"{part.name}, {part.note}" if part.note else part.name


def reported(estimate: ReportedEstimate) -> str:
    """Median and interval as printed; a constant says that it is one."""
    if estimate.constant:
        return "0, by construction" if estimate.median == 0 else f"{estimate.number('median').text}, by construction"
    return estimate.reported


def _row(part: Part) -> tuple[object, ...]:
    found = part.estimate
    numbers = (found.median, found.lower, found.upper, found.prior_lower, found.prior_upper)
    return (part.name, found.estimand, found.mediator, found.wave, found.evidence, *numbers, part.note)


def _layout(
    facts: Facts, parts: Sequence[Part], words: tuple[str, str], width: float, between: str, *, margin: bool
) -> Canvas:
    wide = width > 500
    noted = any(part.note for part in parts)
    step = 40 if wide else 72 if noted else 56
    height = 14.0 + step * len(parts)
    sheet = Canvas(width, height + (114 if wide else 134))
    right = max(measured(reported(part.estimate)) for part in parts) + 26
    x = Linear(*_reach(facts, parts), LABELS if wide else 8, width - right if wide else width - 8)
    _zones(facts, sheet, x, height, margin=margin)
    for place, part in enumerate(parts):
        y = 14 + step * (place + 0.5)
        if place == 1:
            sheet.line(0, y - step / 2, width, y - step / 2, "grid")
        (_beside if wide else _above)(sheet, part, y if wide or not noted else y - 8)
        _marks(sheet, x, part.estimate, y if wide else y + (22 if noted else 14))
    bottom(sheet, x, height, facts.scale.difference_unit, signed=True, about=7 if wide else 5)
    sheet.text((x.start + x.end) / 2, height + 36, f"{facts.scale.points}, {between}", "note", "middle")
    directions(sheet, x, height + 54, words)
    _key(facts, sheet, parts, height + 78, margin=margin)
    return sheet


def _reach(facts: Facts, parts: Sequence[Part]) -> tuple[float, float]:
    """Limits of the axis: all posteriors, the margin and zero; priors as far as they leave room for that."""
    ends = [limit for part in parts for limit in (part.estimate.lower, part.estimate.upper)]
    margin = facts.study.outcome.margin
    low, high = min(-1.3 * margin, *ends), max(1.3 * margin, *ends)
    return low - 0.06 * (high - low), high + 0.06 * (high - low)


def _zones(facts: Facts, sheet: Canvas, x: Linear, height: float, *, margin: bool) -> None:
    if margin:
        half = facts.study.outcome.margin
        sheet.rect(x(-half), 8, x(half) - x(-half), height - 8, "band")
        for edge in (-half, half):
            sheet.line(x(edge), 8, x(edge), height, "edge")
    sheet.line(x(0), 8, x(0), height, "zero")


def _beside(sheet: Canvas, part: Part, y: float) -> None:
    """Name on the left, in two lines where it is long; numbers on the right."""
    rows = [
        *lines(part.name, 32, 2 if not part.note else 1),
        *([fitted(clean(part.note), LABELS - 12, 12)] if part.note else []),
    ]
    first = y + 4 - LINE * (len(rows) - 1) / 2
    named = len(rows) - bool(part.note)
    for place, row in enumerate(rows):
        sheet.text(0, first + LINE * place, row, "strong" if place < named else "note")
    sheet.text(sheet.width, y + 4, reported(part.estimate), "", "end")


def _above(sheet: Canvas, part: Part, y: float) -> None:
    """Name and numbers above the mark, on a phone."""
    text = reported(part.estimate)
    name = fitted(clean(part.name), sheet.width - measured(text) - 28, 13)
    sheet.text(8, y - 8, name, "strong halo")
    if part.note:
        sheet.text(8, y + 8, fitted(clean(part.note), sheet.width - 16, 12), "note halo")
    sheet.text(sheet.width - 8, y - 8, text, "halo", "end")


def _marks(sheet: Canvas, x: Linear, estimate: ReportedEstimate, y: float) -> None:
    """Posterior above the prior; a prior that leaves the axis ends in a head."""
    if estimate.has_prior and estimate.prior_lower < estimate.prior_upper:
        sheet.line(x.held(estimate.prior_lower), y + 8, x.held(estimate.prior_upper), y + 8, "prior-range thin")
        for limit, toward in ((estimate.prior_lower, math.pi), (estimate.prior_upper, 0.0)):
            if x.held(limit) != x(limit):
                sheet.head((x.held(limit), y + 8), toward, "prior-mark", 6)
    sheet.line(x(estimate.lower), y, x(estimate.upper), y, "difference-range")
    mark(sheet, SHAPES[estimate.evidence], x(estimate.median), y)


def mark(sheet: Canvas, shape: str, x: float, y: float) -> None:
    """Mark of an evidence class: full, half-full, or hollow where assumptions carry the number."""
    if shape == "triangle":
        return sheet.marker("triangle", x, y, 12, "difference-hollow")
    if shape == "circle":
        return sheet.marker("circle", x, y, 11, "difference-mark")
    sheet.marker("circle", x, y, 11, "difference-hollow")
    return sheet.half(x, y, 5.5, "difference-mark")


def _key(facts: Facts, sheet: Canvas, parts: Sequence[Part], y: float, *, margin: bool) -> None:
    """What the shapes, the faint line and the band mean."""
    entries = [(SHAPES[word], str(word)) for word in dict.fromkeys(part.estimate.evidence for part in parts)]
    entries.append(("prior", "prior, 95%"))
    entries += [("band", f"within ±{facts.margin.text} {facts.scale.points}")] if margin else []
    at, row = 8.0, y
    for shape, words in entries:
        room = 26 + measured(words, 12)
        if at + room > sheet.width:
            at, row = 8.0, row + 20
        if shape == "prior":
            sheet.line(at - 4, row, at + 12, row, "prior-range thin")
        elif shape == "band":
            sheet.rect(at - 4, row - 6, 16, 12, "band")
        else:
            mark(sheet, shape, at + 4, row)
        sheet.text(at + 18, row + 4, words, "note")
        at += room + 14
