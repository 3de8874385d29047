"""What a trial of each size would bring: curves over participants, one colour an attrition, one panel an effect."""

from __future__ import annotations

from collections.abc import Sequence

from reports.figures.canvas import LINE, NARROW, WIDE, Canvas, Linear, fitted, measured
from reports.text.design_file import WANTED, DesignStudy, Point, Shift
from reports.text.numbers import PLAIN, fixed, tick_text
from reports.text.parts import Figure
from reports.text.words import capital

SHAPES = ("circle", "square", "diamond", "triangle")
COLOURS = ("difference", "treated", "control", "prior")
MEASURES = {
    "assurance": "P(benefit) > 0.95",
    "narrow": "interval narrower than the margin",
    "harm": "P(harm) > 0.95",
}
PANELS = {"assurance": "P(benefit) > 0.95", "narrow": "Interval < margin", "harm": "P(harm) > 0.95"}
"""Ends of a trial: in words, and as a panel has room for."""
GAP, TALL, HEAD, FOOT = 26.0, 132.0, 42.0, 40.0


def name(place: int) -> str:
    """Name of the figure of one quantity; labels are not fit for a file."""
    return f"curves_{place}"


def style(place: int) -> tuple[str, str]:
    """Shape and colour of one attrition; from the fifth on hollow."""
    return SHAPES[place % 4], f"{COLOURS[place % 4]}-{'mark' if place < 4 else 'hollow'}"


def draw(study: DesignStudy, quantity: str, place: int) -> Figure:
    """Rows of panels are what a trial could end with, columns the true effects."""
    label = study.quantities[quantity]
    shown = [measure for measure in MEASURES if any(point.has(measure) for point in study.points
                                                    if point.quantity == quantity)]  # fmt: skip
    title = _title(study, quantity, shown[0])
    description = (
        f"Line chart for {label}: share of simulated trials over participants, one panel a true effect and an end of "
        "the trial, one line an attrition, bars of 1.96 Monte Carlo standard errors. "
        f"{_reported(study, quantity, shown)}"
    )

    def layout(width: float, form: str) -> str:
        return _layout(study, quantity, shown, width).svg(name(place), title, description, form)

    columns = ("quantity", "effect", "mediated", "truth", "attrition", "participants", "replications", "measure",
               "share", "mcse")  # fmt: skip
    rows = tuple(
        (quantity, point.shift.effect, point.shift.mediated, point.truth, point.attrition, point.participants,
         point.replications, measure, point[measure], point[f"{measure}_mcse"])
        for measure in shown
        for shift in study.shifts
        for attrition in study.losses
        for point in study.line(quantity, shift, attrition)
    )  # fmt: skip
    return Figure(name(place), title, description, layout(WIDE, "wide"), layout(NARROW, "narrow"), columns, rows)


def _title(study: DesignStudy, quantity: str, measure: str) -> str:
    found = [point for point in study.points if point.quantity == quantity and point.has(measure)]
    low, high = (choose(found, key=lambda point: point[measure]) for choose in (min, max))
    ends = [f"{fixed(100 * point[measure])}% ({where(study, point)})" for point in (low, high)]
    spread = " to ".join(dict.fromkeys(ends))  # a grid of one point has one end
    return f"{capital(study.quantities[quantity])}: {MEASURES[measure]} in {spread} of trials"


def where(study: DesignStudy, point: Point) -> str:
    """A point of the grid in words."""
    size = f"{fixed(point.participants)} participants"
    return f"{size}, attrition {loss(point.attrition)}, {study.shift_name} {point.shift.text}"


def loss(attrition: float) -> str:
    """Attrition as printed."""
    return tick_text(round(100 * attrition, 6), PLAIN) + "%"


def _reported(study: DesignStudy, quantity: str, shown: Sequence[str]) -> str:
    parts = []
    for measure in shown:
        for shift in study.shifts:
            for attrition in study.losses:
                line = [point for point in study.line(quantity, shift, attrition) if point.has(measure)]
                values = ", ".join(f"{fixed(100 * point[measure])}% at {fixed(point.participants)}" for point in line)
                if values:
                    at = f"{study.shift_name} {shift.text}, attrition {loss(attrition)}"
                    parts.append(f"{MEASURES[measure]}, {at}: {values}.")
    return " ".join(parts)


def _layout(study: DesignStudy, quantity: str, shown: Sequence[str], width: float) -> Canvas:
    # a row of panels is one end of the trial; with one shift alone all ends stand in one row
    groups = [[(measure, shift) for shift in study.shifts] for measure in shown]
    groups = groups if len(study.shifts) > 1 else [[panel for group in groups for panel in group]]
    columns = min(len(groups[0]), 3 if width > 500 else 2)
    lines = len(groups) * -(-len(groups[0]) // columns)
    losses = study.losses
    key = _key_rows(losses, width)
    sheet = Canvas(width, lines * (HEAD + TALL + FOOT) + LINE * (len(key) + 1) + 14)
    wide = min(420.0, (width - GAP * (columns - 1)) / columns)
    row = 0
    for group in groups:
        for place, (measure, shift) in enumerate(group):
            left, top = (place % columns) * (wide + GAP), (row + place // columns) * (HEAD + TALL + FOOT)
            _panel(sheet, study, quantity, shift, measure, (left, top, wide))
        row += -(-len(group) // columns)
    y = lines * (HEAD + TALL + FOOT) + 8
    sheet.text(0, y, f"across: participants; up: % of trials; dotted: {fixed(100 * WANTED)}%", "note")
    _key(sheet, losses, key, y + LINE + 4)
    return sheet


def _panel(
    sheet: Canvas, study: DesignStudy, quantity: str, shift: Shift, measure: str, place: tuple[float, float, float]
) -> None:
    left, top, wide = place
    sizes, losses = study.sizes, study.losses
    reach = max(sizes[-1] - sizes[0], 1.0)
    x = Linear(sizes[0] - 0.04 * reach, sizes[-1] + 0.04 * reach, left + 34, left + wide - 12)
    y = Linear(0.0, 1.0, top + HEAD + TALL, top + HEAD)
    true = study.truth(quantity, shift)
    about = f"{'' if study.moved else study.shift_name + ' '}{shift.text}" + (
        f": {true.text}{_points(study, quantity)}" if true else ""
    )
    sheet.text(left, top + 14, fitted(PANELS[measure], wide), "strong")
    sheet.text(left, top + 31, fitted(about, wide, 12), "note")
    for value in (0.0, 0.25, 0.5, 0.75, 1.0):
        sheet.line(x.start, y(value), x.end, y(value), "axis" if value == 0 else "grid")
        sheet.text(x.start - 6, y(value) + 4, fixed(100 * value), "tick", "end")
    sheet.line(x.start, y(WANTED), x.end, y(WANTED), "edge")
    _sizes(sheet, x, y.start, sizes)
    for order, attrition in enumerate(losses):
        shape, mark = style(order)
        nudge = 3.0 * (order - (len(losses) - 1) / 2)
        line = [point for point in study.line(quantity, shift, attrition) if point.has(measure)]
        if len(line) > 1:
            points = [(x(point.participants) + nudge, y(point[measure])) for point in line]
            sheet.path(points, f"{mark.split('-')[0]}-line thin")
        for point in line:
            _mark(sheet, point, measure, (x(point.participants) + nudge, y), (shape, mark))


def _mark(sheet: Canvas, point: Point, measure: str, place: tuple[float, Linear], look: tuple[str, str]) -> None:
    (x, y), (shape, mark) = place, look
    error = 1.96 * point[f"{measure}_mcse"] if point.has(f"{measure}_mcse") else 0.0
    sheet.line(x, y.held(point[measure] - error), x, y.held(point[measure] + error), f"{mark.split('-')[0]}-range thin")
    sheet.marker(shape, x, y(point[measure]), 8, mark)


def _sizes(sheet: Canvas, x: Linear, base: float, sizes: Sequence[float]) -> None:
    """Sizes tried under the axis, those left out that would touch the one before."""
    end = -1e9
    for size in sizes:
        words = fixed(size)
        half = measured(words, 12) / 2
        sheet.line(x(size), base, x(size), base + 4, "axis")
        if x(size) - half > end + 3:
            right = x(size) + half > sheet.width
            sheet.text(sheet.width if right else x(size), base + 18, words, "tick", "end" if right else "middle")
            end = x(size) + half


def _points(study: DesignStudy, quantity: str) -> str:
    unit = next(point.shown for point in study.points if point.quantity == quantity)
    return f" {unit.name.removeprefix('percentage ').partition(' per ')[0]}".rstrip()


def _key_rows(losses: Sequence[float], width: float) -> list[list[int]]:
    """Places of the key's entries, row by row."""
    rows: list[list[int]] = [[]]
    used = 0.0
    for place, attrition in enumerate(losses):
        room = 34 + measured(f"attrition {loss(attrition)}", 12)
        if used + room > width and rows[-1]:
            rows.append([])
            used = 0.0
        rows[-1].append(place)
        used += room
    return rows


def _key(sheet: Canvas, losses: Sequence[float], rows: Sequence[Sequence[int]], y: float) -> None:
    for line, places in enumerate(rows):
        at = 6.0
        for place in places:
            shape, mark = style(place)
            words = f"attrition {loss(losses[place])}"
            sheet.marker(shape, at, y + LINE * line - 4, 9, mark)
            sheet.text(at + 12, y + LINE * line, words, "note")
            at += 34 + measured(words, 12)
