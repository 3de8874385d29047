"""Participants who share arm, covariates and outcome history, as one term of the likelihood with a count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Histories:
    """A trial's distinct histories, sorted by pattern (arm, covariates, exposure and groups).

    A cell is a distinct (pattern, wave, outcome); a history is a set of cells of one pattern.

    Attributes
    ----------
    arm : ndarray, (pattern,)
        −½ control, +½ treated.
    covariates : ndarray, (pattern, covariate)
        Standardised.
    offset : ndarray, (pattern, wave)
        `Design.offset_grid`.
    group : ndarray of int, (grouping, pattern)
        `Groupings.member`.
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
    offset: np.ndarray
    group: np.ndarray
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

    @property
    def joint(self) -> tuple[np.ndarray, ...]:
        """What a likelihood of whole histories needs beside their means, in the order of its arguments."""
        return self.cell_grid, self.cell_value, self.member, self.history_members, self.count


def histories(
    own: Mapping[str, np.ndarray], participant_of: np.ndarray, wave_of: np.ndarray, outcome: np.ndarray, waves: int
) -> Histories:
    """Group a trial's participants.

    Parameters
    ----------
    own : mapping of str to ndarray, (participant, …)
        What a pattern is made of: "arm", "covariates" and, where there are such, "offset" and "group"; of any number
        of participants: a million take seconds, all of them sorting.
    participant_of, wave_of, outcome : ndarray, (observation,)
        As in `Design`.
    waves : int
        How many the trial has.
    """
    everybody = len(own["arm"])
    people = np.flatnonzero(np.bincount(participant_of, minlength=everybody))
    parts = [value.reshape(everybody, -1) for value in own.values()]
    pattern, pattern_of = _distinct(np.column_stack(parts)[people])
    ends = np.cumsum([part.shape[1] for part in parts])[:-1]
    shared = dict(zip(own, np.split(pattern.astype(float), ends, axis=1), strict=True))
    values, value_of = np.unique(outcome, return_inverse=True)
    # a number for each participant's outcome at each wave, −1 where it is missing: equal rows are one history
    grid = np.full((everybody, waves), -1, dtype=np.int32)
    grid[participant_of, wave_of] = value_of
    rows, row_of = _distinct(np.column_stack([pattern_of, grid[people]]))
    whose, wave = np.nonzero(rows[:, 1:] >= 0)
    code = (rows[whose, 0] * waves + wave) * max(1, values.size) + rows[whose, 1 + wave]
    cell, member = np.unique(code, return_inverse=True)
    history_of = np.full(everybody, -1)
    history_of[people] = row_of
    patterns = np.arange(len(pattern) + 1)
    return Histories(
        arm=shared["arm"][:, 0],
        covariates=shared["covariates"],
        offset=shared.get("offset", np.zeros((len(pattern), waves))),
        group=shared.get("group", np.zeros((len(pattern), 0))).astype(int).T,
        cell_grid=cell // max(1, values.size),
        cell_value=values[cell % max(1, values.size)].astype(float),
        pattern_cells=np.searchsorted(cell // max(1, values.size) // waves, patterns),
        pattern_histories=np.searchsorted(rows[:, 0], patterns),
        member=member,
        history_members=np.searchsorted(whose, np.arange(len(rows) + 1)),
        count=np.bincount(row_of, minlength=len(rows)).astype(float),
        history_of=history_of,
    )


def _distinct(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct rows, sorted by their first column before the others, and which of them each row is."""
    order = np.lexsort(rows.T[::-1])
    ordered = rows[order]
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    place = np.empty(len(rows), dtype=np.int64)
    place[order] = np.cumsum(new) - 1
    return ordered[new], place
