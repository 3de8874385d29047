"""Is the posterior as wide, and where, as these data allow? The primary effect beside a robust estimate of it.

On the scale of the effect's own parameter (log odds, log mean, mean). What the model's likelihood alone claims is the
posterior with the prior taken out, by precisions of all follow-ups together, because their effects are correlated a
priori; with one follow-up it is posterior SD / √contraction. Beside it stand the estimate and the standard error of the
baseline-adjusted regression, which a wrong variance or correlation does not bend. MODEL.md, "In proportion".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from models.design.layout import Design
from models.estimands import model_free
from models.estimands.summary import on_link
from models.trial.study_file.study import Study

LEAST = 0.05
"""Precision that the data add in any direction of the effects, as a share of the prior's: with less, it is noise."""


@dataclass(frozen=True)
class Proportion:
    """The model's standard error over the robust one, and the distance of the estimates in robust standard errors."""

    ratio: float
    apart: float


def compare(
    posterior: xr.DataArray, prior: xr.DataArray, study: Study, trial: xr.Dataset, design: Design
) -> Proportion | str:
    """The primary effect by the likelihood alone beside the robust estimate; or why there is nothing to compare.

    Parameters
    ----------
    posterior, prior : DataArray, (chain, draw, average, arm, wave)
        The model's `response` to draws of each.
    study, trial, design : Study, Dataset, Design
        The trial as analysed.
    """
    robust = _robust(study, trial, design)
    if isinstance(robust, str):
        return robust
    alone = without_prior(*(_effects(levels, design) for levels in (posterior, prior)))
    if alone is None:
        return "the data say too little of the effects"
    place = design.follow_up.index(study.primary_wave)
    # from a typical participant's effect to the population's: less, where participants differ
    spread = [
        float(on_link(posterior, design.likelihood, average).sel(wave=study.primary_wave).std(ddof=1))
        for average in ("population", "typical")
    ]
    less = spread[0] / spread[1]
    mean, covariance = alone
    estimate, error = robust
    return Proportion(
        float(less * np.sqrt(covariance[place, place]) / error), float((less * mean[place] - estimate) / error)
    )


def without_prior(posterior: np.ndarray, prior: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Mean and covariance of the normal likelihood that takes one normal to the other, each by draws (draw, effect).

    None where the posterior is hardly narrower than the prior in some direction.
    """
    precisions = [np.linalg.inv(np.atleast_2d(np.cov(draws.T))) for draws in (posterior, prior)]
    added = precisions[0] - precisions[1]
    root = np.linalg.inv(np.linalg.cholesky(precisions[1]))
    if np.linalg.eigvalsh(root @ added @ root.T).min() < LEAST:
        return None
    covariance = np.linalg.inv(added)
    pull = precisions[0] @ posterior.mean(0) - precisions[1] @ prior.mean(0)
    return covariance @ pull, covariance


def _effects(levels: xr.DataArray, design: Design) -> np.ndarray:
    """Effects at every follow-up of a typical participant, on the link scale, (draw, wave)."""
    found = on_link(levels, design.likelihood).sel(wave=list(design.follow_up)).transpose("wave", "chain", "draw")
    return found.to_numpy().reshape(len(design.follow_up), -1).T


def _robust(study: Study, trial: xr.Dataset, design: Design) -> tuple[float, float] | str:
    """Baseline-adjusted effect at the primary wave on the link scale and its robust standard error; or why not."""
    found = model_free.adjusted(study.primary_wave, trial, design, study)
    if isinstance(found, str):
        return found
    mean, slope = design.family.linked(found.mean), design.family.linked_slope(found.mean)
    influence = slope[1] * found.influence[1] - slope[0] * found.influence[0]
    error, _ = model_free.clustered(influence, found.group, found.coefficients)
    return float(mean[1] - mean[0]), error
