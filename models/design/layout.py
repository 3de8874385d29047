"""What a model sees of a trial: indices of observed cells, standardised covariates, which wave plays which role."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import xarray as xr

from models.design import outcome_histories
from models.design.groupings import NO_GROUPS, Groupings, groupings
from models.design.mediators import NO_MEDIATORS, Mediators, mediators, steps_to
from models.design.outcome_histories import Histories
from models.outcomes import FAMILIES, Family
from models.trial import covariates
from models.trial.standard import amounts, first_wave, reliability
from models.trial.study_file.study import Study

ARM_CODES = (-0.5, 0.5)
"""Of the control and the treated arm in every linear predictor: an effect is their difference."""
CELLS = ("participant_of", "wave_of", "outcome", "offset")
"""Attributes with one entry for each observed cell."""
RELIABLE = 0.8
"""Reliability of participants' means above which their levels are sampled centred (measured: MODEL.md)."""


@dataclass(frozen=True)
class Design:
    """Numeric view of one trial and one outcome.

    Attributes
    ----------
    likelihood : str
        Key of `models.outcomes.FAMILIES`.
    wave, role : tuple of str
        Every wave in time order, and its role.
    month : tuple of float
        Of each wave.
    arm : ndarray, (participant,)
        −½ control, +½ treated, so that a prior treats both arms alike.
    covariates : ndarray, (participant, covariate)
        Adjusted columns, mean 0 and SD 1 over participants; a missing value is the mean, 0.
    covariate : tuple of str
        Their names; one for each level but the first of a categorical variable.
    participant_of, wave_of, outcome : ndarray, (observation,)
        One entry for each observed cell; nothing is filled in. A continuous outcome is standardised.
    location, scale : float
        A continuous outcome's mean and SD at the first wave, by which it is standardised; 0 and 1 for others.
    mediators : Mediators
        What stands on the paths; the effect model does not look at it.
    has_trait : bool
        Whether a participant's own level can be told from noise: somebody has two observed outcomes or more.
    spread_by_arm : bool
        Whether the arms may differ in how far continuous outcomes spread.
    unstructured : bool
        Whether a model that knows a covariance over the waves takes it in place of a trait (`correlated`).
    reliability : float
        How well participants' levels are known (`standard.reliability`); it decides how traits are sampled (`centred`,
        `mediator_parameters.trait_form`), not what their posterior is.
    notes : tuple of str
        Limitations to print in the report.
    groups : Groupings
        What groups participants share.
    seen : tuple of bool
        Whether anybody's outcome was observed at each wave when the trial was laid out; empty: at every wave.
    shared_baseline : bool
        Whether the arms have one level at a baseline: not where participants were recruited once groups had their arms.
    offset : ndarray, (observation,)
        Log of what a count arose over, as a multiple of the amount at which means are compared; 0 for other outcomes.
    """

    likelihood: str
    wave: tuple[str, ...]
    role: tuple[str, ...]
    arm: np.ndarray = field(repr=False)
    covariates: np.ndarray = field(repr=False)
    covariate: tuple[str, ...]
    participant_of: np.ndarray = field(repr=False)
    wave_of: np.ndarray = field(repr=False)
    outcome: np.ndarray = field(repr=False)
    month: tuple[float, ...] = ()
    has_trait: bool = True
    spread_by_arm: bool = True
    unstructured: bool = False
    reliability: float = -np.inf
    location: float = 0.0
    scale: float = 1.0
    mediators: Mediators = NO_MEDIATORS
    notes: tuple[str, ...] = ()
    groups: Groupings = NO_GROUPS
    seen: tuple[bool, ...] = ()
    shared_baseline: bool = True
    offset: np.ndarray = field(default_factory=lambda: np.zeros(0), repr=False)

    @property
    def family(self) -> Family:
        """How its outcome arises."""
        return FAMILIES[self.likelihood]

    @property
    def participants(self) -> int:
        """Number randomised, observed or not."""
        return len(self.arm)

    def __post_init__(self) -> None:
        if self.offset.size != self.outcome.size and not self.offset.any():  # none given, or of other cells
            object.__setattr__(self, "offset", np.zeros(self.outcome.size))

    @property
    def exposed(self) -> bool:
        """Whether counts arose over unequal amounts."""
        return bool(self.offset.any())

    @cached_property
    def offset_grid(self) -> np.ndarray:
        """The offset of each observed cell where it stands, (participant, wave); 0 elsewhere."""
        found = np.zeros((self.participants, len(self.wave)))
        found[self.participant_of, self.wave_of] = self.offset
        return found

    @property
    def correlated(self) -> bool:
        """Whether any two waves of a participant have a correlation of their own, so that there is no trait."""
        return self.unstructured and not self.has_trait

    @property
    def centred(self) -> bool:
        """Whether levels are sampled as such rather than as multiples of their SD: better where each is well known."""
        return self.reliability > RELIABLE

    @cached_property
    def histories(self) -> Histories:
        """Participants who share arm, covariates, exposure, groups and outcomes, as one (`histories`)."""
        own = {"arm": self.arm, "covariates": self.covariates}
        own |= {"offset": self.offset_grid} if self.exposed else {}
        own |= {"group": self.groups.member.T} if self.groups else {}
        return outcome_histories.histories(own, self.participant_of, self.wave_of, self.outcome, len(self.wave))

    @cached_property
    def patterns(self) -> tuple[np.ndarray, np.ndarray]:
        """Distinct rows of the covariates, and how many participants have each."""
        order = np.lexsort(self.covariates.T[::-1]) if self.covariate else np.arange(self.participants)
        ordered = self.covariates[order]
        first = np.flatnonzero(np.r_[True, (ordered[1:] != ordered[:-1]).any(axis=1)])
        return ordered[first], np.diff(np.r_[first, self.participants])

    @property
    def follow_up(self) -> tuple[str, ...]:
        """Waves at which an effect of the programme can show."""
        return self._with_role("follow-up")

    @cached_property
    def follows(self) -> np.ndarray:
        """1 at follow-ups, 0 at other waves, (wave,)."""
        return np.array([role == "follow-up" for role in self.role], float)

    @property
    def negative_control(self) -> tuple[str, ...]:
        """Waves before the programme could act at which the arms may differ: a contrast is a check of the design."""
        return self._with_role("negative control")

    @property
    def baseline(self) -> tuple[str, ...]:
        """The wave before randomisation, or nothing."""
        return self._with_role("baseline")

    def _with_role(self, role: str) -> tuple[str, ...]:
        return tuple(wave for wave, its in zip(self.wave, self._plays(role), strict=True) if its)

    def placement(self, role: str) -> np.ndarray:
        """Matrix of 0 and 1 that lays a value for each wave of `role` on all waves, shape (waves of the role, wave)."""
        return np.eye(len(self.wave))[self._plays(role)]

    def _plays(self, role: str) -> list[bool]:
        """Which waves have a contrast of this role: a baseline that the arms do not share has a negative control's."""
        either = {role} if self.shared_baseline or role != "negative control" else {role, "baseline"}
        return [its in either for its in self.role]

    @property
    def cumulation(self) -> np.ndarray:
        """Matrix that sums the steps up to each wave, shape (wave − 1, wave): those to waves with outcomes.

        The first of these has none, as its level is the first of all: a step to a wave without outcomes could not be
        told from the next.
        """
        return steps_to(np.array(self.seen or [True] * len(self.wave)))

    def at(self, people: np.ndarray, waves: np.ndarray) -> Design:
        """The same trial with these cells (outcomes 0, exposures equal): for predicting them, never for fitting."""
        outcome, offset = np.zeros(people.size, self.outcome.dtype), np.zeros(people.size)
        return replace(self, participant_of=people, wave_of=waves, outcome=outcome, offset=offset)

    def of(self, people: np.ndarray) -> Design:
        """The trial of some of its participants alone."""
        place = np.full(self.participants, -1)
        place[people] = np.arange(len(people))
        keep = place[self.participant_of] >= 0
        return replace(
            self,
            arm=self.arm[people],
            covariates=self.covariates[people],
            participant_of=place[self.participant_of[keep]],
            wave_of=self.wave_of[keep],
            outcome=self.outcome[keep],
            offset=self.offset[keep],
            mediators=self.mediators.of(people),
            groups=self.groups.of(people) if self.groups else self.groups,
        )

    def without(self, columns: np.ndarray) -> Design:
        """The same trial without the outcomes of one participant of each of these histories."""
        _, first = np.unique(self.histories.history_of, return_index=True)
        # somebody without any outcome has the history −1, which comes first
        gone = first[columns + (first.size - self.histories.count.size)]
        keep = ~np.isin(self.participant_of, gone)
        cells = {name: getattr(self, name)[keep] for name in CELLS}
        return replace(self, **cells)

    def complete(self) -> Design:
        """The same trial with every cell present: for simulating forward, never for fitting."""
        return self.at(*np.indices((self.participants, len(self.wave))).reshape(2, -1))

    def natural(self, mean: np.ndarray) -> np.ndarray:
        """Expected outcomes in the outcome's own unit."""
        return mean if self.location == 0 and self.scale == 1 else self.location + self.scale * mean

    def parametrised(self) -> Design:
        """The same trial with how well participants' levels are known by the values that it holds."""
        values = np.full((self.participants, len(self.wave)), np.nan)
        values[self.participant_of, self.wave_of] = self.outcome
        # what groups share tells nothing of a participant's own level
        known = reliability(self.groups.apart(self.family.levelled(values))) if self.has_trait else -np.inf
        return replace(self, reliability=known, mediators=self.mediators.parametrised(self.groups))

    def unobserved(self) -> Design:
        """The same trial before any outcome was seen: its posterior is the prior."""
        nothing = np.array([], dtype=int)
        return replace(self, participant_of=nothing, wave_of=nothing, outcome=nothing, offset=np.zeros(0))


def design(study: Study, trial: xr.Dataset) -> Design:
    """Lay out a trial's primary outcome for a model.

    Parameters
    ----------
    study : Study
        Says which link, which covariates, which roles.
    trial : Dataset
        As `models.trial.dataset.load` returns it.
    """
    amount = amounts(study.outcome, trial)
    # where there was nothing to count over there is no event, whatever the rate: it tells nothing
    values = np.where(amount > 0, trial["outcome"].to_numpy(), np.nan)
    location, scale = first_wave(values) if study.outcome.family.standardised else (0.0, 1.0)
    people, waves = np.nonzero(~np.isnan(values))
    seen = values[people, waves]
    columns, names, notes = covariates.columns(study, trial)
    has_trait = bool(np.bincount(people, minlength=values.shape[0]).max() > 1)
    if (idle := int((amount == 0).sum())) and study.outcome.exposure:
        notes.append(f"{idle} counts arose over nothing ({study.outcome.exposure.column} 0): they tell of no rate.")
    alike = _alike(study, values, trial["arm"].to_numpy()) if study.outcome.family.spread_ratio else ""
    unstructured, why = _covariance(study, people, alike) if has_trait else (False, alike)
    notes += [f"{why}."] * bool(why)
    if not has_trait:
        notes.append(
            "Nobody has two observed outcomes: a participant's own level cannot be told from noise and is left out."
        )
    return Design(
        likelihood=study.outcome.likelihood,
        wave=tuple(wave.value for wave in study.waves),
        role=tuple(wave.role for wave in study.waves),
        arm=np.where(trial["arm"].to_numpy() == 0, *ARM_CODES),
        covariates=columns,
        covariate=names,
        participant_of=people,
        wave_of=waves,
        outcome=(seen - location) / scale if study.outcome.values == "number" else seen.astype(int),
        offset=np.log(amount[people, waves]),
        month=tuple(wave.month for wave in study.waves),
        has_trait=has_trait,
        spread_by_arm=not alike,
        unstructured=unstructured,
        location=location,
        scale=scale,
        mediators=mediators(study, trial),
        groups=groupings(study, trial),
        seen=tuple((~np.isnan(values)).any(axis=0).tolist()),
        shared_baseline=not study.recruited_after,
        notes=(*json.loads(trial.attrs.get("notes", "[]")), *notes, *_thin_cells(study, trial)),
    ).parametrised()


MOST_WAVES, ENOUGH = 8, 10
"""Waves whose covariance is left free at most, and participants seen twice for each wave at least."""


def _alike(study: Study, values: np.ndarray, arms: np.ndarray) -> str:
    """Which arm has one outcome for all at a wave, so that its spread there could be nought; empty where none has."""
    for code, arm in enumerate((study.arms.control, study.arms.treated)):
        for wave, seen in zip(study.waves, values[arms == code].T, strict=True):
            known = seen[~np.isnan(seen)]
            if known.size > 1 and np.ptp(known) == 0:
                return f"All outcomes of {arm.label!r} at {wave.label!r} are alike: the arms are given one spread"
    return ""


def _covariance(study: Study, people: np.ndarray, alike: str) -> tuple[bool, str]:
    """Whether the outcome's covariance over the waves is left free, and why not where that was not asked for."""
    if not study.outcome.family.spread_ratio or study.outcome.covariance == "exchangeable":
        return False, alike
    waves, repeated = len(study.waves), int((np.bincount(people) > 1).sum())
    if alike:
        why = alike
    elif waves > MOST_WAVES:
        why = f"{waves} waves are more than {MOST_WAVES}"
    elif repeated < ENOUGH * waves:
        why = f"{repeated} participants seen twice are fewer than {ENOUGH} for each wave"
    else:
        return True, ""
    return (
        False,
        f"{why}{', and' if alike else ':'} any two waves of a participant are assumed to be equally correlated",
    )


def _thin_cells(study: Study, trial: xr.Dataset) -> list[str]:
    notes = []
    observed = trial["outcome"].notnull()
    for place, wave in enumerate(study.waves):
        for code, arm in enumerate((study.arms.control, study.arms.treated)):
            if not bool(observed.isel(wave=place).where(trial["arm"] == code, False).any()):
                notes.append(
                    f"No outcome was observed in the arm {arm.label!r} at the wave {wave.label!r}: "
                    "there the prior alone decides."
                )
    return notes
