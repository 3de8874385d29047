"""Participants who share arm, covariates and outcome history, as one term of the likelihood with a count."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from models.design import Design


@dataclass(frozen=True)
class Histories:
    """A trial's distinct histories, sorted by pattern (arm and covariates).

    A cell is a distinct (pattern, wave, outcome); a history is a set of cells of one pattern.

    Attributes
    ----------
    arm : ndarray, (pattern,)
        −½ control, +½ treated.
    covariates : ndarray, (pattern, covariate)
        Standardised.
    cell_grid : ndarray of int, (cell,)
        Where each cell stands in the flat grid (pattern, wave).
    cell_value : ndarray, (cell,)
        Its outcome.
    pattern_cells, pattern_histories : ndarray of int, (pattern + 1,)
        Where each pattern's cells and histories begin.
    member : ndarray of int, (members of all histories,)
        Cells of each history, one history after the other.
    history_members : ndarray of int, (history + 1,)
        Where each history's members begin.
    count : ndarray, (history,)
        Participants that share it.
    history_of : ndarray of int, (participant,)
        Each participant's; −1 for somebody without any outcome, who adds nothing to the likelihood.
    """

    arm: np.ndarray
    covariates: np.ndarray
    cell_grid: np.ndarray
    cell_value: np.ndarray
    pattern_cells: np.ndarray
    pattern_histories: np.ndarray
    member: np.ndarray
    history_members: np.ndarray
    count: np.ndarray
    history_of: np.ndarray

    @property
    def structure(self) -> dict[str, np.ndarray]:
        """What the likelihood needs beside predictors, in the order of the kernel's arguments."""
        names = (
            "cell_grid", "cell_value", "pattern_cells", "pattern_histories", "member", "history_members", "count"
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}


def histories(design: Design) -> Histories:
    """Group a design's participants.

    Parameters
    ----------
    design : Design
        Of any size: a million participants take seconds, all of them sorting.
    """
    seen = np.bincount(design.participant_of, minlength=design.participants)
    people = np.flatnonzero(seen)
    own = np.column_stack([design.arm, design.covariates])[people]
    pattern, pattern_of = _distinct(own)
    waves, (values, value_of) = len(design.wave), np.unique(design.outcome, return_inverse=True)
    # a number for each participant's outcome at each wave, −1 where it is missing: equal rows are one history
    grid = np.full((design.participants, waves), -1, dtype=np.int32)
    grid[design.participant_of, design.wave_of] = value_of
    rows, row_of = _distinct(np.column_stack([pattern_of, grid[people]]))
    whose, wave = np.nonzero(rows[:, 1:] >= 0)
    code = (rows[whose, 0] * waves + wave) * max(1, values.size) + rows[whose, 1 + wave]
    cell, member = np.unique(code, return_inverse=True)
    history_of = np.full(design.participants, -1)
    history_of[people] = row_of
    patterns = np.arange(len(pattern) + 1)
    return Histories(
        arm=pattern[:, 0].astype(float),
        covariates=pattern[:, 1:].astype(float),
        cell_grid=cell // max(1, values.size),
        cell_value=values[cell % max(1, values.size)].astype(float),
        pattern_cells=np.searchsorted(cell // max(1, values.size) // waves, patterns),
        pattern_histories=np.searchsorted(rows[:, 0], patterns),
        member=member,
        history_members=np.searchsorted(whose, np.arange(len(rows) + 1)),
        count=np.bincount(row_of, minlength=len(rows)).astype(float),
        history_of=history_of,
    )


def without(design: Design, columns: np.ndarray) -> Design:
    """The design without the outcomes of one participant of each of these histories."""
    _, first = np.unique(design.histories.history_of, return_index=True)
    # somebody without any outcome has the history −1, which comes first
    gone = first[columns + (first.size - design.histories.count.size)]
    keep = ~np.isin(design.participant_of, gone)
    cells = {name: getattr(design, name)[keep] for name in ("participant_of", "wave_of", "outcome")}
    return replace(design, **cells)


def _distinct(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct rows, sorted by their first column before the others, and which of them each row is."""
    order = np.lexsort(rows.T[::-1])
    ordered = rows[order]
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    place = np.empty(len(rows), dtype=np.int64)
    place[order] = np.cumsum(new) - 1
    return ordered[new], place
