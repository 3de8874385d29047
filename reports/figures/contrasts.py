"""The difference at every wave after baseline: the model's, and the two checks that need no model."""

from __future__ import annotations

from reports.figures.axis import bottom, directions
from reports.figures.canvas import NARROW, WIDE, Canvas, Linear, measured
from reports.text.difference_by_wave import Row, intervals
from reports.text.facts import Facts
from reports.text.parts import Figure
from reports.text.words import agreeing, capital, listed, short

NAME = "contrasts"
METHODS = {"modelled": "diamond", "crude": "circle", "standardised": "triangle"}


def draw(facts: Facts) -> Figure:
    """Forest by wave; the negative control is marked as what it is."""
    rows = intervals(facts)
    estimate = facts.estimate(facts.scale.difference, facts.primary)
    points = agreeing(estimate.number("median").text, facts.scale.points)
    reported = f"{estimate.number('median').text} {points} ({estimate.interval})"
    title = f"{_message(facts)}; {facts.wave(facts.primary)}: {reported}"
    described = "; ".join(f"{facts.wave(row.wave)}{_marked(facts, row.wave)}, {row.method}: {row.text}" for row in rows)
    description = f"Forest plot, treated minus control, median or estimate with 95% interval. {described}."

    def layout(width: float, form: str) -> str:
        return _layout(facts, rows, width).svg(NAME, title, description, form)

    table = tuple(
        (row.wave, facts.role(row.wave), row.method, row.median, row.lower, row.upper) for row in rows if row.drawn
    )
    columns = ("wave", "role", "method", "estimate", "lower", "upper")
    return Figure(NAME, title, description, layout(WIDE, "wide"), layout(NARROW, "narrow"), columns, table)


def _message(facts: Facts) -> str:
    """Where the modelled interval of the difference excludes 0, among follow-ups and at the negative control."""
    out = {}
    for wave in facts.contrasts:
        found = facts.estimate(facts.scale.difference, wave)
        out[wave] = found.identified and not found.lower <= 0 <= found.upper
    later = [wave for wave in out if facts.role(wave) != "negative control"]
    away = listed([facts.wave(wave) for wave in later if out[wave]])
    reported = "contains 0 at every follow-up" if len(later) > 1 else "contains 0"
    if away:
        reported = f"excludes 0 at {away}" if len(later) > 1 else "excludes 0"
    early = ", and at the negative control" if any(out[wave] for wave in out if wave not in later) else ""
    if early and not away:
        early = ", but not at the negative control"
    return f"{facts.scale.difference_name}: the interval {reported}{early}"


def _marked(facts: Facts, wave: str) -> str:
    return " (negative control)" if facts.role(wave) == "negative control" else ""


def _layout(facts: Facts, rows: list[Row], width: float) -> Canvas:
    wide = width > 500
    step, head = 24, 34
    waves = list(dict.fromkeys(row.wave for row in rows))
    height = 16 + len(waves) * head + len(rows) * step
    sheet = Canvas(width, height + (88 if wide else 108))
    margin = facts.study.outcome.margin
    reach = 1.08 * max([margin * 1.4, *(abs(limit) for row in rows if row.drawn for limit in (row.lower, row.upper))])
    right = max(measured(row.text) for row in rows) + 12
    names = [measured(_name(facts, wave, 40)) + 14 for wave in waves]
    x = Linear(-reach, reach, min(max(130, *names), 290) if wide else 24, width - right)
    sheet.rect(x(-margin), 8, x(margin) - x(-margin), height - 8, "band")
    for edge in (-margin, margin):
        sheet.line(x(edge), 8, x(edge), height, "edge")
    sheet.line(x(0), 8, x(0), height, "zero")
    y = 16.0
    for wave in waves:
        y = _wave(facts, sheet, x, wave, [row for row in rows if row.wave == wave], y, step, head)
    bottom(sheet, x, height, facts.scale.difference_unit, signed=True, about=8 if wide else 5)
    words = facts.directions
    middle = (x.start + x.end) / 2
    sheet.text(middle, height + 36, f"{facts.scale.points}, treated minus control", "note", "middle")
    directions(sheet, x, height + 54, words)
    sheet.text(
        middle,
        height + 74,
        f"shaded: within ±{facts.margin.text} {facts.scale.points}",
        "note",
        "middle",
    )
    if not wide:
        _key(sheet, height + 96)
    return sheet


def _key(sheet: Canvas, y: float) -> None:
    """Which mark is which, where there is no room beside the rows."""
    x = 8.0
    for method, shape in METHODS.items():
        sheet.marker(shape, x, y - 4, 9, f"{'difference' if method == 'modelled' else 'prior'}-mark")
        sheet.text(x + 10, y, method, "note")
        x += 30 + measured(method, 12)


def _wave(
    facts: Facts, sheet: Canvas, x: Linear, wave: str, rows: list[Row], y: float, step: float, head: float
) -> float:
    negative = facts.role(wave) == "negative control"
    sheet.text(0, y + 16, _name(facts, wave, 40 if sheet.width > 500 else 34), "strong halo")
    y += head
    for row in rows:
        _row(sheet, x, row, y, hollow=negative and row.method == "modelled")
        y += step
    return y


def _name(facts: Facts, wave: str, length: int) -> str:
    """A wave with what it is to the question."""
    mark = (
        ", primary" if wave == facts.primary else ", negative control" if facts.role(wave) == "negative control" else ""
    )
    return capital(short(facts.wave(wave), length)) + mark


def _row(sheet: Canvas, x: Linear, row: Row, y: float, *, hollow: bool) -> None:
    """One interval with its method on the left and its numbers on the right; what may not be told is only named."""
    style = "difference" if row.method == "modelled" else "prior"
    shape, mark = METHODS.get(row.method, "circle"), f"{style}-{'hollow' if hollow else 'mark'}"
    if sheet.width > 500:
        sheet.text(8, y + 4, row.method, "note")
    else:
        sheet.marker(shape, 8, y, 9, mark)
    if row.drawn:
        sheet.line(x.held(row.lower), y, x.held(row.upper), y, f"{style}-range")
        sheet.marker(shape, x.held(row.median), y, 9, mark)
    sheet.text(sheet.width, y + 4, row.text, "" if row.method == "modelled" else "note", "end")
