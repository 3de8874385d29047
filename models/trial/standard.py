"""Values on a common scale, and how well participants' own levels are known."""

from __future__ import annotations

import numpy as np
import xarray as xr

from models.trial.study_file.study import Outcome


def standardise(column: np.ndarray) -> np.ndarray | None:
    """Mean 0 and SD 1 (n − 1) over the values present, missing ones at 0; None where nothing varies."""
    present = column[~np.isnan(column)]
    if present.size < 2 or np.ptp(present) == 0:
        return None
    scaled = (column - present.mean()) / present.std(ddof=1)
    return np.where(np.isnan(scaled), 0.0, scaled)


def first_wave(values: np.ndarray) -> tuple[float, float]:
    """Mean and SD (n − 1) of the first wave whose values vary, else of all values; SD 1 where nothing varies.

    Parameters
    ----------
    values : ndarray, (participant, wave)
        NaN where missing.
    """
    for column in (*values.T, values.ravel()):
        present = column[~np.isnan(column)]
        if present.size > 1 and np.ptp(present) > 0:
            return float(present.mean()), float(present.std(ddof=1))
    present = values[~np.isnan(values)]
    return (float(present.mean()) if present.size else 0.0), 1.0


def amounts(outcome: Outcome, trial: xr.Dataset) -> np.ndarray:
    """What each count arose over, as a multiple of the amount at which means are compared; 1 for other outcomes.

    Parameters
    ----------
    outcome : Outcome
        Which.
    trial : Dataset
        Whole, or of one wave.

    Returns
    -------
    ndarray, (participant, wave) or (participant,)
        NaN where it is not known, and the count neither.
    """
    over, dims = outcome.exposure, [dim for dim in ("participant", "wave") if dim in trial["outcome"].dims]
    if over is None:
        return np.ones([trial.sizes[dim] for dim in dims])
    return trial["amount"].sel(exposure=over.column).transpose(*dims).to_numpy() / over.at


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
