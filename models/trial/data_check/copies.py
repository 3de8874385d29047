"""Columns that are the outcome under another name, and participants whose names differ in spelling alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from models.trial.data_check.finding import Finding
from models.trial.study_file.study import Study

ALIKE = 1 - 1e-9
"""Correlation from which two columns say the same in other units."""
FEWEST = 20
"""Pairs of values from which that is no chance: two yes-or-no columns agree so in one of a million."""
MANY = 0.05
"""Share of participants from which alike names keep the page from green."""


def findings(study: Study, trial: xr.Dataset) -> Iterator[Finding]:
    """Adjusted covariates and mediators that repeat the outcome; participants alike but for case and zeros."""
    outcome = trial["outcome"].transpose("participant", "wave").to_numpy()
    for covariate, values in zip(study.covariates, trial["covariate_value"].to_numpy().T, strict=True):
        if covariate.kind == "categorical" or not covariate.adjust:
            continue
        for place, wave in enumerate(study.waves):
            if not _alike(values, outcome[:, place]):
                continue
            early = wave.role == "baseline"
            yield Finding(
                "covariate that is the outcome",
                f"{covariate.label} is {study.outcome.label} at the wave {wave.label!r}: "
                + (
                    "the model has that wave as an outcome already; set adjust = false for it."
                    if early
                    else "adjusting for what is to be explained removes the effect; leave it out of [[covariates]]."
                ),
                "amber" if early else "red",
            )
    for mediator, values in zip(study.mediators, trial["mediator_value"].to_numpy(), strict=True):
        if _alike(values.ravel(), outcome.ravel()):
            yield Finding(
                "mediator that is the outcome",
                f"{mediator.label} is {study.outcome.label} in other units: a copy cannot mediate; leave it out of "
                "[[mediators]].",
                "red",
            )
    yield from _names(trial)


def _alike(one: np.ndarray, other: np.ndarray) -> bool:
    both = ~np.isnan(one) & ~np.isnan(other)
    if both.sum() < FEWEST or min(np.ptp(one[both]), np.ptp(other[both])) == 0:
        return False
    return bool(abs(np.corrcoef(one[both], other[both])[0, 1]) > ALIKE)


def _names(trial: xr.Dataset) -> Iterator[Finding]:
    names = [str(name).strip().casefold().lstrip("0") for name in trial["participant"].to_numpy()]
    extra = len(names) - len({*names})
    if extra:
        yield Finding(
            "participants alike in name",
            "Identifiers of participants that differ only in capitals or leading zeros are taken as different "
            "participants: write each in one way.",
            "amber" if extra > MANY * trial.sizes["participant"] else "note",
        )
