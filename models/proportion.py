"""Is the posterior as wide, and where, as these data allow? The primary effect beside a robust estimate of it.

On the scale of the effect's own parameter (log odds, log mean, mean). Posterior SD / √contraction is the standard error
that the model's likelihood claims, the prior taken out; beside it stands that of the influence function of the
baseline-adjusted regression, which a wrong variance or correlation does not bend. MODEL.md, "In proportion".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from models import model_free
from models.design import Design
from models.study import Study

FEWEST_LEARNED = 0.05
"""Contraction below which the likelihood's own standard error cannot be told from the prior's width."""


@dataclass(frozen=True)
class Proportion:
    """The model's standard error over the robust one, and the distance of the estimates in robust standard errors."""

    ratio: float
    apart: float


def link(mean: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """An expected outcome on the scale of effects, and its slope there: log odds, log mean, or the mean itself."""
    if kind == "binary":
        inside = np.clip(mean, 2.0**-53, 1 - 2.0**-53)
        return np.log(inside / (1 - inside)), 1 / (inside * (1 - inside))
    if kind == "count":
        return np.log(mean), 1 / mean
    return mean, np.ones_like(mean)


def compare(
    levels: xr.DataArray, contraction: float, study: Study, trial: xr.Dataset, design: Design
) -> Proportion | str:
    """The primary effect's posterior beside the robust estimate; or why there is nothing to compare.

    Parameters
    ----------
    levels : DataArray, (chain, draw, average, arm, wave)
        The model's `response` to the posterior.
    contraction : float
        Of the effect's parameter at the primary wave (`summary.effect_contractions`).
    study, trial, design : Study, Dataset, Design
        The trial as analysed.
    """
    outcome = trial["outcome"].sel(wave=study.primary_wave).to_numpy()
    found = model_free.adjusted(outcome, trial["arm"].to_numpy(), trial, design, study)
    if isinstance(found, str):
        return found
    if not contraction > FEWEST_LEARNED:
        return "the data say too little of the effect"
    kind = study.outcome.kind
    value, slope = link(found.mean, kind)
    influence = slope[1] * found.influence[1] - slope[0] * found.influence[0]
    n = influence.size
    error = np.sqrt((influence**2).sum() / (n - found.coefficients) / n)
    at = levels.sel(average="population", wave=study.primary_wave)
    draws = np.asarray(
        link(at.sel(arm="treated").to_numpy(), kind)[0] - link(at.sel(arm="control").to_numpy(), kind)[0]
    )
    # what the data alone would say: the posterior mean is the share `contraction` of it, the prior's mean is near 0
    alone = draws.mean() / contraction
    ratio = draws.std(ddof=1) / np.sqrt(contraction) / error
    return Proportion(float(ratio), float((alone - (value[1] - value[0])) / error))
