"""Small cells: a count below the study's limit is not printed, nor anything from which it could be worked out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.parts import Cell

SUPPRESSED = "suppressed"
HIDDEN = "…"


@dataclass(frozen=True)
class Limit:
    """The study's smallest cell; 0 means that nothing is suppressed."""

    minimum: int = 0

    def small(self, count: float, total: float | None = None) -> bool:
        """Whether a count, or what it leaves of its total, is below the limit."""
        rest = None if total is None else total - count
        return self.minimum > 0 and (count < self.minimum or (rest is not None and rest < self.minimum))

    def count(self, count: int, total: int | None = None) -> Cell:
        """Set a count; of a known total, both the count and the remainder must reach the limit."""
        if not self.small(count, total):
            return Cell(str(count), count)
        if count < self.minimum or total is None:
            return Cell(f"< {self.minimum}", f"<{self.minimum}", SUPPRESSED)
        return Cell(f"> {total - self.minimum}", f">{total - self.minimum}", SUPPRESSED)

    def split(self, counts: Sequence[int], totals: Sequence[int] | None = None) -> list[Cell]:
        """Cells of counts whose sum is known, or can be had from another table.

        Where exactly one is below the limit it could be worked out by subtraction: the smallest of the others goes too.
        """
        cells = [self.count(count, totals[place] if totals else None) for place, count in enumerate(counts)]
        hidden = [place for place, cell in enumerate(cells) if cell.kind == SUPPRESSED]
        others = [place for place in range(len(counts)) if place not in hidden]
        if len(hidden) == 1 and others:
            smallest = min(others, key=lambda place: (counts[place], place))
            cells[smallest] = Cell(HIDDEN, SUPPRESSED, SUPPRESSED)
        return cells

    @property
    def note(self) -> str:
        """What a table says beneath when it may hide cells."""
        if not self.minimum:
            return ""
        return (
            f"Counts below {self.minimum} are not printed (< {self.minimum}, or {HIDDEN} where a second count had "
            "to go "
            "so that the first cannot be worked out); nor are shares that rest on them."
        )
