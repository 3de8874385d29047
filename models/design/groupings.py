"""Groups that participants share: which of their levels each cell feels.

A grouping that was randomised, or is a site, has a level for each group at every wave; one in which the programme was
delivered has it in the treated arm alone, at the waves at which the programme could act. A randomised grouping of
several waves has levels of each wave as well: without them a group would never change.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import xarray as xr

from models.trial.study_file.study import Study


@dataclass(frozen=True)
class Groupings:
    """Every grouping of a trial.

    Levels of all groupings stand in one vector, grouping after grouping, and so do those of single waves, group after
    group; one entry more, 0, stands for none.

    Attributes
    ----------
    name, kind : tuple of str
        Column and kind of each: "randomised", "site" or "delivery".
    count : tuple of int
        Groups of each.
    member : ndarray of int, (grouping, participant)
        Group of each participant; −1 for none.
    active : ndarray of bool, (grouping, wave)
        Where a group's level is felt.
    varying : tuple of bool
        Whether a grouping has levels of single waves.
    """

    name: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    count: tuple[int, ...] = ()
    member: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), int), repr=False)
    active: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), bool), repr=False)
    varying: tuple[bool, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.name)

    @property
    def randomised(self) -> int | None:
        """Place of the grouping that was randomised; None where participants were."""
        return self.kind.index("randomised") if "randomised" in self.kind else None

    @property
    def those_varying(self) -> list[int]:
        """Places of those with levels of single waves."""
        return [place for place, varies in enumerate(self.varying) if varies]

    @property
    def delivered(self) -> np.ndarray:
        """Whether the programme was delivered in each grouping, (grouping,): not everybody is in it, nor always."""
        return np.array([kind == "delivery" for kind in self.kind], bool)

    @cached_property
    def grouping_of(self) -> np.ndarray:
        """Grouping of each group, (group,)."""
        return np.repeat(np.arange(len(self.name)), self.count)

    @cached_property
    def grouping_of_cell(self) -> np.ndarray:
        """Place among `those_varying` of each level of a single wave, (group × wave,)."""
        waves = self.active.shape[1]
        return np.repeat(np.arange(len(self.those_varying)), [self.count[k] * waves for k in self.those_varying])

    def levels(self, member: np.ndarray, wave: np.ndarray) -> np.ndarray:
        """Which lasting level each cell feels of each grouping, (grouping, cell).

        Parameters
        ----------
        member : ndarray of int, (grouping, cell)
            Group of the cell's participant.
        wave : ndarray of int, (cell,)
            When; −1: before the first wave, when nothing had been delivered.
        """
        first = np.cumsum([0, *self.count])
        there = np.where(wave < 0, ~self.delivered[:, None], self.active[:, np.maximum(wave, 0)])
        felt = (member >= 0) & there
        return np.where(felt, first[:-1, None] + member, first[-1])

    def wave_levels(self, member: np.ndarray, wave: np.ndarray) -> np.ndarray:
        """The same of levels of single waves, (varying grouping, cell); before the first wave the first one's."""
        waves, some = self.active.shape[1], self.those_varying
        first = np.cumsum([0, *(self.count[place] * waves for place in some)])
        return first[:-1, None] + member[some] * waves + np.maximum(wave, 0)

    @property
    def felt(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Which levels whoever takes part feels in every equation.

        Returns
        -------
        tuple of ndarray of int, (grouping, participant) and (…, participant × (1 + wave)) twice
            Lasting levels of groupings that everybody is always in; those of the others in every cell, the time before
            the first wave among them; levels of single waves in every cell.
        """
        people, waves = self.member.shape[1], self.active.shape[1]
        whose, wave = np.indices((people, 1 + waves)).reshape(2, -1)
        always = self.levels(self.member, np.zeros(people, int))[~self.delivered]
        in_cells = self.levels(self.member[:, whose], wave - 1)[self.delivered]
        return always, in_cells, self.wave_levels(self.member[:, whose], wave - 1)

    def apart(self, values: np.ndarray) -> np.ndarray:
        """Values (participant, wave) less the mean of each participant's group at each wave, grouping by grouping."""
        found = values.copy()
        for member, many in zip(self.member, self.count, strict=True):
            inside = np.flatnonzero(member >= 0)
            for column in found.T:
                people = inside[~np.isnan(column[inside])]
                size = np.bincount(member[people], minlength=many)
                total = np.bincount(member[people], column[people], minlength=many)
                column[people] -= (total / np.maximum(size, 1))[member[people]]
        return found

    def of(self, people: np.ndarray) -> Groupings:
        """Those of some of the participants; groups keep their places."""
        return replace(self, member=self.member[:, people])


NO_GROUPS = Groupings()


def groupings(study: Study, trial: xr.Dataset) -> Groupings:
    """Lay out the groupings of a trial.

    Parameters
    ----------
    study : Study
        Their kinds, and the waves.
    trial : Dataset
        Its `group` (grouping, participant).
    """
    if not study.groupings:
        return NO_GROUPS
    member = trial["group"].to_numpy()
    acted = np.array([wave.role == "follow-up" or wave.exposed == "partly" for wave in study.waves])
    active = [acted if part.kind == "delivery" else np.ones(acted.size, bool) for part in study.groupings]
    return Groupings(
        name=tuple(part.column for part in study.groupings),
        kind=tuple(part.kind for part in study.groupings),
        count=tuple(int(codes.max()) + 1 for codes in member),
        member=member,
        active=np.array(active),
        varying=tuple(part.kind == "randomised" and acted.size > 1 for part in study.groupings),
    )
