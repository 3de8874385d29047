"""Response patterns of complete cases: how many took each path through the waves, and how many the model expects."""

from __future__ import annotations

from dataclasses import dataclass

from reports.figures.axis import bottom
from reports.figures.canvas import NARROW, WIDE, Canvas, Linear
from reports.text.facts import Facts
from reports.text.numbers import Unit
from reports.text.parts import Cell, Figure
from reports.text.privacy import Limit

NAME = "patterns"
PEOPLE = Unit(1, 0, "", "participants")


@dataclass(frozen=True)
class Row:
    """One pattern; the observed count as a cell, since small ones are suppressed."""

    pattern: str
    observed: Cell
    lower: float
    median: float
    upper: float
    inside: bool


def rows(facts: Facts) -> list[Row]:
    """Patterns by the number that the model expects, largest first."""
    table = facts.run.patterns.to_dict("records")
    cells = Limit.of(facts.study).split([int(row["observed"]) for row in table])
    found = [
        Row(
            str(row["pattern"]),
            cell,
            float(row["lower"]),
            float(row["median"]),
            float(row["upper"]),
            bool(row["lower"] <= row["observed"] <= row["upper"]),
        )
        for row, cell in zip(table, cells, strict=True)
    ]
    return sorted(found, key=lambda row: (-row.median, -row.upper, row.pattern))


def draw(facts: Facts) -> Figure:
    """One row a pattern: filled squares for yes, hollow for no, then the interval and the observed count."""
    found = rows(facts)
    inside = sum(row.inside for row in found)
    title = f"{inside} of {len(found)} patterns lie inside their 95% predictive intervals"
    reported = "; ".join(
        f"{row.pattern}: observed {row.observed.text}, predicted {row.lower:.0f} to {row.upper:.0f}" for row in found
    )
    description = (
        f"Participants with the outcome known at every wave; 1 is yes and 0 no, in the order of the waves. {reported}."
    )

    def layout(width: float, form: str) -> str:
        return _layout(found, width).svg(NAME, title, description, form)

    table = tuple((row.pattern, row.observed.value, row.lower, row.median, row.upper, row.inside) for row in found)
    columns = ("pattern", "observed", "lower", "median", "upper", "inside")
    return Figure(NAME, title, description, layout(WIDE, "wide"), layout(NARROW, "narrow"), columns, table)


def _layout(found: list[Row], width: float) -> Canvas:
    step, waves = 19, len(found[0].pattern)
    height = 30 + len(found) * step
    sheet = Canvas(width, height + 62)
    highest = max(
        [row.upper for row in found]
        + [float(row.observed.value) for row in found if isinstance(row.observed.value, int)]
    )
    x = Linear(0, highest * 1.05, 26 + waves * 17, width - 14)
    bottom(sheet, x, height, PEOPLE, up_to=20)
    sheet.text(0, 12, "waves in order", "note")
    y = 32.0
    for row in found:
        for place, sign in enumerate(row.pattern):
            sheet.rect(place * 17 + 1, y - 7, 12, 12, "difference-mark" if sign == "1" else "box", 2)
        sheet.line(x(row.lower), y, x(row.upper), y, "prior-range")
        sheet.line(x(row.median), y - 5, x(row.median), y + 5, "prior-range")
        if isinstance(row.observed.value, int):
            sheet.marker("circle", x(row.observed.value), y, 8, "difference-hollow")
        else:
            sheet.text(x(row.upper) + 8, y + 4, f"observed {row.observed.text}", "note")
        y += step
    sheet.text(
        (x.start + x.end) / 2, height + 36, "participants with the outcome known at every wave", "note", "middle"
    )
    sheet.rect(1, height + 46, 12, 12, "difference-mark", 2)
    sheet.text(18, height + 56, "yes", "note")
    sheet.rect(50, height + 46, 12, 12, "box", 2)
    sheet.text(67, height + 56, "no", "note")
    sheet.line(100, height + 52, 130, height + 52, "prior-range")
    sheet.text(137, height + 56, "predicted, 95%", "note")
    sheet.marker("circle", 236, height + 52, 8, "difference-hollow")
    sheet.text(246, height + 56, "observed", "note")
    return sheet
