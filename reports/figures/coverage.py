"""How often 95% intervals contained the true value: one row a quantity, one mark a kind of true values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.figures.axis import bottom
from reports.figures.canvas import NARROW, WIDE, Canvas, Linear, fitted, measured
from reports.text.calibration_file import KINDS, LEVEL, NULL, PRIOR, SHARE, TRUTH, Calibration, Row, expected
from reports.text.numbers import fixed
from reports.text.parts import Figure
from reports.text.words import capital, clean, lines

NAME = "coverage"
STYLES = {PRIOR: ("circle", "difference"), TRUTH: ("square", "treated"), NULL: ("diamond", "prior")}
SHORT = {PRIOR: "truths from the prior", TRUTH: "the scenario’s truth", NULL: "arms that do not differ"}
LOWEST = 0.8
"""The axis begins here or at the lowest mark: below, intervals are wrong whatever the exact number."""


@dataclass(frozen=True)
class Mark:
    """Coverage of a quantity under one kind of truths, with its Monte Carlo error."""

    kind: str
    row: Row

    @property
    def ends(self) -> tuple[float, float]:
        """Share less and plus 1.96 errors, within 0 and 1."""
        error = 1.96 * self.row["coverage_mcse"] if self.row.has("coverage_mcse") else 0.0
        return max(0.0, self.row["coverage"] - error), min(1.0, self.row["coverage"] + error)


def draw(study: Calibration) -> Figure:
    """Rows of estimands first, then parameters."""
    kinds = [kind for kind in KINDS if any(row.has("coverage") for row in study.of(kind))]
    keys = list(dict.fromkeys(row.quantity for kind in kinds for row in study.of(kind) if row.has("coverage")))
    listed = [(key, [Mark(kind, row) for kind in kinds if (row := study.find(kind, key)) and row.has("coverage")])
              for key in keys]  # fmt: skip
    first = kinds[0]
    held = [mark for _, marks in listed for mark in marks if mark.kind == first]
    low, high = expected(held[0].row.replications)
    inside = sum(expected(mark.row.replications)[0] <= mark.row["coverage"] <= expected(mark.row.replications)[1]
                 for mark in held)  # fmt: skip
    title = (
        f"Share of 95% intervals that contain the true value, {SHORT[first]}: {inside} of {len(held)} quantities "
        f"between {fixed(100 * low, 1)}% and {fixed(100 * high, 1)}%"
    )
    reported = "; ".join(
        f"{marks[0].row.label}: "
        + ", ".join(f"{fixed(100 * mark.row['coverage'], 1)}% ({SHORT[mark.kind]})" for mark in marks)
        for _, marks in listed
    )
    description = (
        "Dot plot: share of 95% intervals that contain the true value, one row a quantity, with bars of 1.96 "
        f"Monte Carlo standard errors; the band is where 19 of 20 correct methods would lie, truths from the "
        f"prior. {reported}."
    )

    def layout(width: float, form: str) -> str:
        return _layout(listed, kinds, (low, high), width).svg(NAME, title, description, form)

    columns = ("quantity", "label", "kind", "coverage", "coverage_mcse", "replications")
    rows = tuple(
        (key, mark.row.label, mark.kind, mark.row["coverage"], mark.row["coverage_mcse"], mark.row.replications)
        for key, marks in listed
        for mark in marks
    )
    return Figure(NAME, title, description, layout(WIDE, "wide"), layout(NARROW, "narrow"), columns, rows)


def _layout(
    listed: Sequence[tuple[str, list[Mark]]], kinds: Sequence[str], band: tuple[float, float], width: float
) -> Canvas:
    wide = width > 500
    steps = [max(14.0 * len(marks) + 12, 40) + (0 if wide else 12) for _, marks in listed]
    height = 10 + sum(steps)
    sheet = Canvas(width, height + 66)
    lowest = min(LOWEST, *(mark.ends[0] for _, marks in listed for mark in marks))
    x = Linear(lowest - 0.004, 1.0, 270 if wide else 12, width - 26)
    sheet.rect(x(band[0]), 6, x(band[1]) - x(band[0]), height - 6, "band")
    for edge in band:
        sheet.line(x(edge), 6, x(edge), height, "edge")
    top = 10.0
    for (_, marks), step in zip(listed, steps, strict=True):
        _row(sheet, x, marks, top, step, wide=wide)
        sheet.line(0, top + step - 3, width, top + step - 3, "grid")
        top += step
    bottom(sheet, x, height, SHARE, about=5 if wide else 4)
    sheet.line(x(LEVEL), 6, x(LEVEL), height, "zero")
    sheet.text((x.start + x.end) / 2, height + 36, "intervals that contain the true value", "note", "middle")
    _key(sheet, kinds, height + 58)
    return sheet


def _row(sheet: Canvas, x: Linear, marks: Sequence[Mark], top: float, step: float, *, wide: bool) -> None:
    label = capital(clean(marks[0].row.label))
    if wide:
        rows = lines(label, 36, 2)
        first = top + step / 2 - 8 * (len(rows) - 1)
        sheet.block(0, first, [fitted(row, 262) for row in rows], "strong" if marks[0].row.estimand else "")
    else:
        sheet.text(8, top + 13, fitted(label, sheet.width - 16), "strong halo" if marks[0].row.estimand else "halo")
    for place, mark in enumerate(marks):
        y = top + (step / 2 - 3 - 7 * (len(marks) - 1) if wide else 25) + 14 * place
        shape, style = STYLES[mark.kind]
        low, high = mark.ends
        sheet.line(x(low), y, x(high), y, f"{style}-range thin")
        sheet.marker(shape, x(mark.row["coverage"]), y, 8, f"{style}-mark")


def _key(sheet: Canvas, kinds: Sequence[str], y: float) -> None:
    at = 8.0
    for kind in kinds:
        shape, style = STYLES[kind]
        sheet.marker(shape, at, y - 4, 9, f"{style}-mark")
        sheet.text(at + 12, y, SHORT[kind], "note")
        at += 34 + measured(SHORT[kind], 12)
