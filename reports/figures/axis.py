"""Axes: quiet lines, units in words, the two directions of a difference named."""

from __future__ import annotations

from collections.abc import Sequence

from reports.figures.canvas import Canvas, Linear, ticks
from reports.text.numbers import Unit, tick_text


def bottom(
    sheet: Canvas,
    scale: Linear,
    y: float,
    shown: Unit,
    *,
    signed: bool = False,
    about: int = 6,
    up_to: float | None = None,
) -> None:
    """Ticks along the bottom at height `y`; `up_to` draws faint lines up to that height."""
    for value in ticks(scale.low, scale.high, about):
        x = scale(value)
        if up_to is not None:
            sheet.line(x, y, x, up_to, "grid")
        sheet.line(x, y, x, y + 4, "axis")
        sheet.text(x, y + 18, tick_text(value, shown, signed), "tick", "middle")
    sheet.line(scale.start, y, scale.end, y, "axis")


def left(sheet: Canvas, scale: Linear, x: float, shown: Unit, right: float, about: int = 5) -> None:
    """Ticks on the left with faint lines to `right`."""
    for value in ticks(scale.low, scale.high, about):
        y = scale(value)
        sheet.line(x, y, right, y, "axis" if value == 0 else "grid")
        sheet.text(x - 8, y + 4, tick_text(value, shown), "tick", "end")


def directions(sheet: Canvas, scale: Linear, y: float, words: Sequence[str]) -> None:
    """Under an axis of differences: what lies on the left of zero and what on the right."""
    zero = scale.held(0)
    sheet.text(zero - 14, y, f"← {words[0]}", "note", "end")
    sheet.text(zero + 14, y, f"{words[1]} →", "note")
