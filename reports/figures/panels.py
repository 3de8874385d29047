"""Small multiples: panels in a grid, each under its quantity and wave, written in full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.figures.canvas import LINE, Canvas
from reports.text.words import capital, lines

MOST = 4
"""Lines of a quantity or of a wave above a panel; what takes more is cut."""


@dataclass(frozen=True)
class Place:
    """Where a panel stands: `top` is the upper edge of its body, below the heading of its whole row."""

    left: float
    top: float
    width: float
    heading: tuple[tuple[str, str], ...]
    above: float

    def name(self, sheet: Canvas) -> None:
        """Write the heading."""
        for row, (words, kind) in enumerate(self.heading):
            sheet.text(self.left, self.above + 13 + LINE * row, words, kind)


def grid(
    names: Sequence[tuple[str, str]], width: float, columns: int, gap: float, body: float
) -> tuple[list[Place], float]:
    """Places of panels by quantity and wave, and the height of all; a row has room for its longest heading."""
    cell = (width - gap * (columns - 1)) / columns
    headings = [_heading(*name, cell) for name in names]
    places: list[Place] = []
    above = 0.0
    for first in range(0, len(names), columns):
        row = headings[first : first + columns]
        top = above + LINE * max(map(len, row))
        places += [Place(place * (cell + gap), top, cell, heading, above) for place, heading in enumerate(row)]
        above = top + body
    return places, above


def _heading(quantity: str, wave: str, width: float) -> tuple[tuple[str, str], ...]:
    named = [(words, "strong") for words in lines(capital(quantity), int(width / 6.9), MOST)]
    timed = [(words, "note") for words in lines(wave, int(width / 6.2), MOST)] if wave else []
    return (*named, *timed)
