"""Small cells of sensitive variables: a count below the limit is not printed, nor what would give it away.

Never hidden are zeros, how many are missing, and anything of simulated data: they describe nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.trial.study_file.study import Study
from reports.text.parts import Cell

SUPPRESSED = "suppressed"
HIDDEN = "…"


@dataclass(frozen=True)
class Limit:
    """Smallest cell of a variable that is printed; 0 means that nothing is suppressed."""

    minimum: int = 0

    @classmethod
    def of(cls, study: Study, column: str = "") -> Limit:
        """Limit of a variable: 0 where it is not sensitive, or the data are simulated.

        Without a column it is that of what no variable says alone, such as the history of one participant's outcomes.
        """
        privacy = study.privacy
        if column == study.outcome.column:
            sensitive = privacy.hide_outcome_counts
        else:
            sensitive = not column or privacy.sensitive is None or column in privacy.sensitive
        return cls(privacy.minimum_cell if sensitive and not study.simulated else 0)

    def small(self, count: float, total: float | None = None) -> bool:
        """Whether a count, or what it leaves of its total, is of somebody and of fewer than the limit."""
        rest = 0 if total is None else total - count
        return any(0 < part < self.minimum for part in (count, rest))

    def count(self, count: int, total: int | None = None) -> Cell:
        """Set a count; of a known total, both the count and the remainder must reach the limit."""
        if not self.small(count, total):
            return Cell(str(count), count)
        if total is None or 0 < count < self.minimum:
            return Cell(f"< {self.minimum}", f"<{self.minimum}", SUPPRESSED)
        return Cell(f"> {total - self.minimum}", f">{total - self.minimum}", SUPPRESSED)

    def split(self, counts: Sequence[int], totals: Sequence[int] | None = None) -> list[Cell]:
        """Cells of counts whose sum is known, or can be had from another table.

        Where exactly one is below the limit it could be worked out by subtraction: the smallest of the others that
        counts somebody goes too.
        """
        cells = [self.count(count, totals[place] if totals else None) for place, count in enumerate(counts)]
        hidden = [place for place, cell in enumerate(cells) if cell.kind == SUPPRESSED]
        others = [place for place in range(len(counts)) if place not in hidden and counts[place]]
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
            f"Counts from 1 to {self.minimum - 1} are not printed (< {self.minimum}, or {HIDDEN} where a second count "
            "had to go so that the first cannot be worked out); nor are shares that rest on them."
        )
