"""Covariates that say again which arm a participant is in: adjusting for them takes the effect away."""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy import stats

from models.faults import Fault
from models.trial import covariates
from models.trial.study_file.study import Covariate, Study

SHARE = 0.8
"""Of the arm's variance that covariates explain beyond chance: the interval would be 2.2 times as wide, or wrong."""
CHANCE = 1e-6


def aliases(study: Study, trial: xr.Dataset) -> list[Fault]:
    """Adjusted covariates that determine the arm, alone or together, or nearly."""
    adjusted = tuple(covariate for covariate in study.covariates if covariate.adjust)
    alone = [covariate for covariate in adjusted if _determines(study, trial, (covariate,))]
    if alone:
        return [_fault(covariate.column, "it is the arm under another name") for covariate in alone]
    if len(adjusted) > 1 and _determines(study, trial, adjusted):
        return [_fault(", ".join(part.column for part in adjusted), "together they are the arm under other names")]
    return []


def _fault(column: str, why: str) -> Fault:
    return Fault(None, "covariates", column, f"what does not determine the arm: {why}; adjust = false, or leave it out")


def _determines(study: Study, trial: xr.Dataset, chosen: tuple[Covariate, ...]) -> bool:
    known = covariates.columns(study.model_copy(update={"covariates": chosen}), trial)[0]
    arm = trial["arm"].to_numpy().astype(float)
    matrix = np.column_stack([np.ones(arm.size), known])
    rank = int(np.linalg.matrix_rank(matrix))
    left = float(((arm - matrix @ np.linalg.lstsq(matrix, arm, rcond=None)[0]) ** 2).sum())
    whole, freedom = float(((arm - arm.mean()) ** 2).sum()), arm.size - rank
    if rank < 2:
        return False
    if left < 1e-9 * whole or freedom < 1:  # the arm is one of their combinations: nothing is left to estimate from
        return True
    ratio = (whole - left) / (rank - 1) / (left / freedom)
    explained = 1 - left / freedom / (whole / (arm.size - 1))
    return bool(explained > SHARE and stats.f.sf(ratio, rank - 1, freedom) < CHANCE)
