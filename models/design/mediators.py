"""What a mediation model sees of a trial's mediators: standardised values, which act when, whose level can be known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr

from models.design.groupings import Groupings
from models.trial.standard import first_wave, reliability
from models.trial.study_file.study import ARMS, Mediator, Study

RELIABLE = {"normal": 0.5, "student": 0.5, "binary": 0.5, "share": 0.8}
"""Reliability of participants' means above which a mediator's traits are sampled centred (measured: MODEL.md)."""
KINDS = ("binary", "normal", "share", "student")


@dataclass(frozen=True)
class Mediators:
    """Numeric view of a trial's mediators.

    They stand in an order that depends on their kinds and values alone, so that neither their names nor their order in
    the study file can change a fit.

    Attributes
    ----------
    name : tuple of str
        Columns of the data, in the order of everything below.
    kind : tuple of str
        Each one of `KINDS`.
    interaction : tuple of bool
        Whether its slope on the outcome differs by arm.
    lag : int
        By how many waves a mediator comes before the outcome that it acts on.
    centre, scale : ndarray, (mediator,)
        Mean and SD at the first wave, in its own unit: (value − centre) / scale enters the outcome's equation.
    reference : ndarray, (mediator,)
        Where it is held for a controlled direct effect, in its own unit.
    value : ndarray, (mediator, participant, wave)
        Standardised where continuous, else as observed; NaN where missing.
    acts : ndarray of bool, (mediator, wave)
        Whether the outcome of a wave has a term in the mediator, as it was `lag` waves before. Where that was before
        the first wave, or not measured, the value is latent.
    measured, seen : ndarray of bool, (mediator, wave)
        Whether somebody's value was observed in each arm, and in any.
    ended : tuple of (bool, bool)
        Of each mediator, what `ends` is to say whatever `value` holds; empty where the values themselves say it.
    has_trait : tuple of bool
        Whether a participant's own level can be told from noise.
    reliability : tuple of float
        `standard.reliability`: how traits are sampled (`centred`, `mediator_parameters.trait_form`); it does not alter
        the posterior.
    left_out : mapping of str to str
        Mediators of the study file that cannot be modelled, by column, with the reason.
    notes : tuple of str
        Limitations to print in the report.
    """

    name: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    interaction: tuple[bool, ...] = ()
    lag: int = 1
    centre: np.ndarray = field(default_factory=lambda: np.zeros(0), repr=False)
    scale: np.ndarray = field(default_factory=lambda: np.ones(0), repr=False)
    reference: np.ndarray = field(default_factory=lambda: np.zeros(0), repr=False)
    value: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 0)), repr=False)
    acts: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), bool), repr=False)
    measured: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), bool), repr=False)
    seen: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), bool), repr=False)
    ended: tuple[tuple[bool, bool], ...] = ()
    has_trait: tuple[bool, ...] = ()
    reliability: tuple[float, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.name)

    @property
    def centred(self) -> tuple[bool, ...]:
        """Whether participants' own levels are sampled as such (`Design.centred`)."""
        return tuple(known > RELIABLE[kind] for known, kind in zip(self.reliability, self.kind, strict=True))

    @property
    def continuous(self) -> np.ndarray:
        """Whether its values are standardised, (mediator,)."""
        return np.array([kind in ("normal", "student") for kind in self.kind], bool)

    @property
    def followed(self) -> np.ndarray:
        """Whether the outcome of a wave has a term in a mediator that was measured in each arm, (mediator, wave)."""
        return self.acts & _later(self.measured, self.lag)

    @property
    def seen_at(self) -> np.ndarray:
        """1 where a mediator's value was observed, else 0, (mediator, 1 + wave), for `terms.mediator_terms`."""
        return np.pad(self.seen, ((0, 0), (1, 0))).astype(float)

    @property
    def steps_seen(self) -> np.ndarray:
        """Matrix that sums the steps to the waves at which a mediator was seen, (mediator, step, 1 + wave).

        The first of them has no step, as its level is the first of all.
        """
        return np.pad(steps_to(self.seen), ((0, 0), (0, 0), (1, 0)))

    def felt(self, place: int, people: np.ndarray, waves: np.ndarray) -> np.ndarray:
        """Value (as `value`) on which the outcomes of some participants and waves depend, NaN where it is not known."""
        found = self.value[place, people, np.maximum(waves - self.lag, 0)]
        return np.where(waves < self.lag, np.nan, found)

    def of_kind(self, *kinds: str) -> list[int]:
        """Places of the mediators of some kinds."""
        return [place for place, kind in enumerate(self.kind) if kind in kinds]

    def ends(self, place: int) -> tuple[bool, bool]:
        """Whether a share was ever observed at 0, and at 1: an end never observed has no point mass."""
        if self.ended:
            return self.ended[place]
        return bool((self.value[place] == 0).any()), bool((self.value[place] == 1).any())

    def of(self, people: np.ndarray) -> Mediators:
        """Those of some participants alone."""
        if not self.count:
            return self
        return replace(self, value=self.value[:, people], ended=tuple(map(self.ends, range(self.count))))

    def parametrised(self, groups: Groupings) -> Mediators:
        """The same with how well participants' levels, apart from their groups', are known by its values."""
        known = (
            reliability(groups.apart(value)) if several else -np.inf
            for several, value in zip(self.has_trait, self.value, strict=True)
        )
        return replace(self, reliability=tuple(known))

    def scaled(self, place: int, value: Any) -> Any:
        """A value as the outcome's equation takes it, from the form of `value`."""
        return value if self.continuous[place] else (value - self.centre[place]) / self.scale[place]

    def natural(self, place: int, value: Any) -> Any:
        """A value in its own unit, from the form of `value`."""
        return self.centre[place] + self.scale[place] * value if self.continuous[place] else value


NO_MEDIATORS = Mediators()


def steps_to(seen: np.ndarray) -> np.ndarray:
    """Matrix that sums the steps to the waves at which something was seen, (…, step, wave); `seen` (…, wave).

    The first of them has no step, as its level is the first of all.
    """
    counts = seen & (np.cumsum(seen, axis=-1) > 1)
    return (np.triu(np.ones((seen.shape[-1],) * 2)) * counts[..., None])[..., 1:, :]


def mediators(study: Study, trial: xr.Dataset) -> Mediators:
    """Lay out the mediators of a study; those without any variation are left out, with the reason."""
    parts: dict[str, tuple[Mediator, np.ndarray]] = {}
    left_out: dict[str, str] = {}
    for place, part in enumerate(study.mediators):
        values = trial["mediator_value"].isel(mediator=place).to_numpy()
        reason = _unusable(part, values, trial["arm"].to_numpy())
        if reason:
            left_out[part.column] = reason
        else:
            parts[part.column] = part, values
    if not parts:
        return Mediators(lag=study.lag, left_out=left_out, notes=tuple(left_out.values()))
    order = sorted(parts, key=lambda name: (_kind(parts[name][0]), parts[name][1].tobytes()))
    centre, scale = np.transpose([first_wave(parts[name][1]) for name in order])
    stated = [parts[name][0].reference for name in order]
    kinds = tuple(_kind(parts[name][0]) for name in order)
    usual = [0.0 if kind == "binary" else mean for kind, mean in zip(kinds, centre, strict=True)]
    value = np.array([parts[name][1] for name in order])
    arm = trial["arm"].to_numpy()
    measured = np.all([~np.isnan(value[:, arm == code]).all(axis=1) for code in (0, 1)], axis=0)
    seen = ~np.isnan(value).all(axis=1)
    several = [bool((~np.isnan(each)).sum(1).max() > 1) for each in value]
    laid_out = Mediators(
        tuple(order),
        kinds,
        tuple(parts[name][0].interaction for name in order),
        study.lag,
        centre,
        scale,
        np.array([mean if own is None else own for mean, own in zip(usual, stated, strict=True)]),
        value,
        _acts(study, measured),
        measured,
        seen,
        (),
        tuple(several),
        (),
        left_out,
        (*left_out.values(), *_notes(study, parts, dict(zip(order, several, strict=True)), trial)),
    )
    standard = laid_out.continuous[:, None, None]
    value[...] = np.where(standard, (value - centre[:, None, None]) / scale[:, None, None], value)
    return laid_out


def _kind(part: Mediator) -> str:
    return part.family if part.kind == "continuous" else part.kind


def _unusable(part: Mediator, values: np.ndarray, arm: np.ndarray) -> str:
    present = values[~np.isnan(values)]
    if not present.size:
        return f"{part.label}: no value was observed; it is left out of the mediation model."
    if np.ptp(present) == 0:
        return f"{part.label}: every observed value is {present[0]:g}; it is left out of the mediation model."
    for code, name in enumerate(ARMS):
        if np.isnan(values[arm == code]).all():
            return f"{part.label}: no value was observed in the {name} arm; it is left out of the mediation model."
    return ""


def _later(measured: np.ndarray, lag: int) -> np.ndarray:
    """(mediator, wave) `lag` waves later; False where there was none."""
    return np.pad(measured, ((0, 0), (lag, 0)))[:, : measured.shape[1]]


def _acts(study: Study, measured: np.ndarray) -> np.ndarray:
    """A mediator acts at every wave if its slope can be told at one, where it was measured in each arm `lag` before.

    Left out at baseline, the correlation of traits would have to explain there what the slope explains elsewhere, and
    both would be biased (MODEL.md). With `acts_at_baseline = false` it acts at no baseline, and at no wave that is
    moved by what was before the first.
    """
    possible = np.full(measured.shape[1], True)
    if not study.acts_at_baseline:
        possible[: study.lag] = False
        possible &= [wave.role != "baseline" for wave in study.waves]
    return (_later(measured, study.lag) & possible).any(axis=1, keepdims=True) & possible


def _notes(
    study: Study, parts: Mapping[str, tuple[Mediator, np.ndarray]], several: Mapping[str, bool], trial: xr.Dataset
) -> list[str]:
    notes, arm = [], trial["arm"].to_numpy()
    if study.lag == 0:
        notes.append(
            "Mediators act on the outcome of the same wave (lag = 0): where the outcome looks back over a period, the "
            "mediator was measured after it, and what is called an indirect effect may run from outcome to mediator."
        )
    for name, (part, values) in parts.items():
        if not several[name]:
            notes.append(
                f"{part.label}: nobody has two observed values; a participant's own level cannot be told from noise "
                "and is left out, so that lasting confounding with the outcome is not absorbed."
            )
        for code, label in enumerate((study.arms.control.label, study.arms.treated.label)):
            present = values[arm == code]
            present = present[~np.isnan(present)]
            if np.ptp(present) == 0 and present.size >= study.privacy.minimum_cell:
                notes.append(
                    f"{part.label}: every observed value in the arm {label!r} is {present[0]:g}; what the outcome "
                    "would be at other values in that arm rests on the model alone."
                )
        for place, wave in enumerate(study.waves):
            arms = (study.arms.control.label, study.arms.treated.label)
            lacking = [label for code, label in enumerate(arms) if np.isnan(values[arm == code, place]).all()]
            if lacking:
                where = f" in the arm {lacking[0]!r}" if len(lacking) == 1 else ""
                notes.append(
                    f"{part.label}: not measured{where} at the wave {wave.label!r}; nothing is reported of it there."
                )
    return notes
