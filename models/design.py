"""What a model sees of a trial: indices of observed cells, standardised covariates, which wave plays which role."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

import numpy as np
import xarray as xr

from models.study import Study

RELIABLE = 0.8
"""Reliability of participants' means above which their levels are sampled centred (measured: MODEL.md)."""


@dataclass(frozen=True)
class Design:
    """Numeric view of one trial and one outcome.

    Attributes
    ----------
    likelihood : str
        Key of `likelihoods.LIKELIHOODS`: "logit", "probit" or "negative binomial".
    wave, role : tuple of str
        Every wave in time order, and its role.
    arm : ndarray, (participant,)
        −½ control, +½ treated, so that a prior treats both arms alike.
    covariates : ndarray, (participant, covariate)
        Adjusted columns, mean 0 and SD 1 over participants; a missing value is the mean, 0.
    covariate : tuple of str
        Their names; one for each level but the first of a categorical variable.
    participant_of, wave_of, outcome : ndarray, (observation,)
        One entry for each observed cell; nothing is filled in.
    has_trait : bool
        Whether a participant's own level can be told from noise: somebody has two observed outcomes or more.
    centred : bool
        Whether participants' levels are sampled as such rather than as multiples of their SD: better where the data pin
        each of them down (`reliability` above 0.8). The posterior is the same.
    notes : tuple of str
        Limitations to print in the report.
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
    has_trait: bool = True
    centred: bool = False
    notes: tuple[str, ...] = ()

    @property
    def participants(self) -> int:
        """Number randomised, observed or not."""
        return len(self.arm)

    @property
    def follow_up(self) -> tuple[str, ...]:
        """Waves at which an effect of the programme can show."""
        return self._with_role("follow-up")

    @property
    def negative_control(self) -> tuple[str, ...]:
        """Waves before the programme could act: a contrast there is a check of the design."""
        return self._with_role("negative control")

    @property
    def baseline(self) -> tuple[str, ...]:
        """The wave before randomisation, or nothing."""
        return self._with_role("baseline")

    def _with_role(self, role: str) -> tuple[str, ...]:
        return tuple(wave for wave, its in zip(self.wave, self.role, strict=True) if its == role)

    def placement(self, role: str) -> np.ndarray:
        """Matrix of 0 and 1 that lays a value for each wave of `role` on all waves, shape (waves of the role, wave)."""
        return np.eye(len(self.wave))[[its == role for its in self.role]]

    @property
    def cumulation(self) -> np.ndarray:
        """Matrix that sums the steps up to each wave, shape (wave − 1, wave)."""
        return np.triu(np.ones((len(self.wave), len(self.wave))))[1:]

    def complete(self) -> Design:
        """The same trial with every cell present (outcomes 0): for simulating forward, never for fitting."""
        people, waves = np.indices((self.participants, len(self.wave))).reshape(2, -1)
        return replace(self, participant_of=people, wave_of=waves, outcome=np.zeros(people.size, dtype=int))

    def unobserved(self) -> Design:
        """The same trial before any outcome was seen: its posterior is the prior."""
        nothing = np.array([], dtype=int)
        return replace(self, participant_of=nothing, wave_of=nothing, outcome=nothing)


def design(study: Study, trial: xr.Dataset) -> Design:
    """Lay out a trial's primary outcome for a model.

    Parameters
    ----------
    study : Study
        Says which link, which covariates, which roles.
    trial : Dataset
        As `models.trial.load` returns it.
    """
    values = trial["outcome"].to_numpy()
    people, waves = np.nonzero(~np.isnan(values))
    columns, names, notes = _covariates(study, trial)
    has_trait = bool(np.bincount(people, minlength=values.shape[0]).max() > 1)
    if not has_trait:
        notes.append(
            "Nobody has two observed outcomes: a participant's own level cannot be told from noise and is left out."
        )
    return Design(
        likelihood=study.outcome.link if study.outcome.kind == "binary" else "negative binomial",
        wave=tuple(wave.value for wave in study.waves),
        role=tuple(wave.role for wave in study.waves),
        arm=trial["arm"].to_numpy() - 0.5,
        covariates=columns,
        covariate=names,
        participant_of=people,
        wave_of=waves,
        outcome=values[people, waves].astype(int),
        has_trait=has_trait,
        centred=has_trait and reliability(np.log1p(values) if study.outcome.kind == "count" else values) > RELIABLE,
        notes=(*json.loads(trial.attrs.get("notes", "[]")), *notes, *_thin_cells(study, trial)),
    )


def _covariates(study: Study, trial: xr.Dataset) -> tuple[np.ndarray, tuple[str, ...], list[str]]:
    levels = json.loads(trial.attrs["levels"])
    columns, names, notes = [], [], []
    for covariate in study.covariates:
        if not covariate.adjust:
            continue
        value = trial["covariate_value"].sel(covariate=covariate.column).to_numpy()
        missing = int(np.isnan(value).sum())
        if missing:
            notes.append(
                f"{covariate.label}: missing for {missing} of {value.size}, who are given the mean of the others."
            )
        found = levels.get(covariate.column)
        parts = {covariate.column: value}
        if found is not None:
            parts = {
                f"{covariate.column}: {level}": np.where(np.isnan(value), np.nan, value == code)
                for code, level in enumerate(found)
                if code > 0
            }
        for name, column in parts.items():
            standard = standardise(column)
            if standard is None:
                notes.append(f"{covariate.label}: {name} does not vary between participants and is not adjusted for.")
                continue
            columns.append(standard)
            names.append(name)
    return np.array(columns, dtype=float).reshape(len(columns), value_count(trial)).T, tuple(names), notes


def value_count(trial: xr.Dataset) -> int:
    """Number of participants."""
    return int(trial.sizes["participant"])


def standardise(column: np.ndarray) -> np.ndarray | None:
    """Mean 0 and SD 1 (n − 1) over the values present, missing ones at 0; None where nothing varies."""
    present = column[~np.isnan(column)]
    if present.size < 2 or np.ptp(present) == 0:
        return None
    scaled = (column - present.mean()) / present.std(ddof=1)
    return np.where(np.isnan(scaled), 0.0, scaled)


def reliability(values: np.ndarray) -> float:
    """Share of the variance between participants' means that is not chance: 1 − (within / waves) / between.

    Parameters
    ----------
    values : ndarray, (participant, wave)
        Outcomes, NaN where missing (counts: logarithms). Wave means are taken out first.

    Returns
    -------
    float
        Near 1 where each participant's level is well known; −inf where nobody, or nothing, varies.
    """
    seen = ~np.isnan(values)
    level = np.where(seen, values, 0).sum(0) / np.maximum(seen.sum(0), 1)
    rest, times = np.where(seen, values - level, 0.0), seen.sum(1)
    several = times > 1
    if several.sum() < 2:
        return -np.inf
    rest, seen, times = rest[several], seen[several], times[several]
    means = rest.sum(1) / times
    within = (np.where(seen, rest - means[:, None], 0.0) ** 2).sum() / (times - 1).sum()
    between = means.var(ddof=1)
    return float(1 - within * (1 / times).mean() / between) if between > 0 else -np.inf


def _thin_cells(study: Study, trial: xr.Dataset) -> list[str]:
    notes = []
    observed = trial["outcome"].notnull()
    for place, wave in enumerate(study.waves):
        for code, arm in enumerate((study.arms.control, study.arms.treated)):
            if not bool(observed.isel(wave=place).where(trial["arm"] == code, False).any()):
                notes.append(
                    f"No outcome was observed in the arm {arm.label!r} at the wave {wave.label!r}: "
                    "the prior alone speaks there."
                )
    return notes
