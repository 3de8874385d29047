"""Baseline variables as columns that a model can weigh: mean 0, SD 1, one for each level but the first."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from models.trial.standard import standardise
from models.trial.study_file.study import Study


def columns(study: Study, trial: xr.Dataset) -> tuple[np.ndarray, tuple[str, ...], list[str]]:
    """Adjusted covariates as columns.

    Returns
    -------
    values : ndarray, (participant, column)
        Mean 0 and SD 1; a missing value is the mean, 0.
    names : tuple of str
        Of the columns.
    notes : list of str
        How many values are missing; columns that do not vary and are left out.
    """
    levels = json.loads(trial.attrs["levels"])
    found, names, notes = [], [], []
    for covariate in study.covariates:
        if not covariate.adjust:
            continue
        value = trial["covariate_value"].sel(covariate=covariate.column).to_numpy()
        missing = int(np.isnan(value).sum())
        if missing:
            notes.append(
                f"{covariate.label}: missing for {missing} of {value.size}, who are given the mean of the others."
            )
        known = levels.get(covariate.column)
        parts = {covariate.column: value}
        if known is not None:
            parts = {
                f"{covariate.column}: {level}": np.where(np.isnan(value), np.nan, value == code)
                for code, level in enumerate(known)
                if code > 0
            }
        for name, column in parts.items():
            standard = standardise(column)
            if standard is None:
                notes.append(f"{covariate.label}: {name} does not vary between participants and is not adjusted for.")
                continue
            found.append(standard)
            names.append(name)
    return np.array(found, dtype=float).reshape(len(found), trial.sizes["participant"]).T, tuple(names), notes
