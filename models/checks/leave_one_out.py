"""Leave-one-out: how well whoever was left out is predicted, and whether anybody moves the answer.

Participants are left out where their likelihood is known with the trait integrated out (the effect model); single
observations elsewhere. Pareto-smoothed importance sampling first; whoever it cannot leave out is left out by an exact
refit, or ten folds where they are many. MODEL.md, "Integrated likelihood and leave-one-out".
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr
from arviz_stats.base import array_stats
from scipy.special import logsumexp

from models.faults import SamplerFailed

DRAWS, FEWEST = 2000, 400
"""Evenly spaced draws that are used; of many participants fewer, but never less than the second."""
MOST_NUMBERS = 60_000_000
"""Log likelihoods beyond this many numbers (0.5 GB) are not formed; the report says so."""
HIGH_K = 0.7
FOLDS = 10
"""Refits at most: one for each that importance sampling cannot leave out, or one a fold."""


@dataclass(frozen=True)
class Units:
    """Who can be left out, at each draw.

    Attributes
    ----------
    name : str
        "participant" or "observation".
    log_probability : ndarray, (draw, unit)
        Given the parameters; equal units share one column.
    count : ndarray of int, (unit,)
        How many there are of each.
    """

    name: str
    log_probability: np.ndarray
    count: np.ndarray


@dataclass(frozen=True)
class Refitted:
    """A fit without somebody: `units` at its draws, and `effect`, its mean of the answer."""

    units: Units
    effect: float


def thinned(posterior: xr.Dataset, units: int) -> xr.Dataset | None:
    """Evenly spaced draws, as many as memory allows for so many units; None where that is too few."""
    total = posterior.sizes["chain"] * posterior.sizes["draw"]
    wanted = min(DRAWS, MOST_NUMBERS // max(1, units))
    if wanted < min(FEWEST, total):
        return None
    return posterior.isel(draw=slice(None, None, -(-total // wanted)))


def leave_one_out(
    units: Units, effect: np.ndarray, refit: Callable[[np.ndarray], Refitted] | None = None
) -> xr.Dataset:
    """Expected log predictive density, diagnostics, and how far leaving one out moves the answer.

    Parameters
    ----------
    units : Units
        At the draws of the fit.
    effect : ndarray, (draw,)
        The answer at the same draws.
    refit : callable, optional
        Columns of units of which one participant each is left out, together, to a fit without them; where it is
        missing, a high Pareto k stays one.

    Returns
    -------
    Dataset
        pareto_k (dim named as the units, one entry each); elpd, se; high, how many could not be left out; refitted, how
        many were left out by refitting; shift_lower, shift_upper, the largest changes of the answer's mean (by the
        refit of whoever was left out alone, else by the weights); unweighed, how many have no such change because
        weights cannot give it.
    """
    likely = units.log_probability
    weight, k = weights(likely)
    with np.errstate(divide="ignore"):
        elpd = logsumexp(np.log(weight.T) + likely, axis=0)
    shift = weight @ effect - effect.mean()
    high = ~(k <= HIGH_K)
    refitted, moved = np.zeros(k.size, bool), ~high
    if refit is not None and high.any():
        for group in _groups(np.flatnonzero(high), k.size):
            try:
                again = refit(group)
            except SamplerFailed:  # they stay those that could not be left out
                continue
            left_out = again.units.log_probability[:, group]
            elpd[group] = logsumexp(left_out, axis=0) - np.log(len(left_out))
            refitted[group] = True
            if group.size == 1:
                shift[group], moved[group] = again.effect - effect.mean(), True
    each = np.repeat(elpd, units.count)
    return xr.Dataset(
        {
            "pareto_k": (units.name, np.repeat(k, units.count)),
            "elpd": float(each.sum()),
            "se": float(np.sqrt(each.size * each.var())),
            "high": int(units.count[high & ~refitted].sum()),
            "refitted": int(units.count[high & refitted].sum()),
            "shift_lower": float(shift[moved].min(initial=0.0)),
            "shift_upper": float(shift[moved].max(initial=0.0)),
            "unweighed": int(units.count[~moved].sum()),
        }
    )


def weights(likely: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights (unit, draw), summing to 1, that take each unit out of the posterior; Pareto k of each.

    `likely` is the log likelihood, (draw, unit). A unit that all draws hold for equally likely changes nothing.
    """
    weight, pareto_k = np.full(likely.T.shape, 1 / likely.shape[0]), np.zeros(likely.shape[1])
    varies = np.ptp(likely, axis=0) > 1e-9
    if not varies.any():
        return weight, pareto_k
    with warnings.catch_warnings():
        # a large k is resolved by refits, or counted and told
        warnings.filterwarnings("ignore", message="Estimated shape parameter of Pareto")
        # takes log likelihoods: the weights are their reciprocals
        smoothed, pareto_k[varies] = array_stats.psislw(likely[:, varies], axis=0)
    raw = np.exp(smoothed - smoothed.max(-1, keepdims=True))
    weight[varies] = raw / raw.sum(-1, keepdims=True)
    return weight, pareto_k


def _groups(high: np.ndarray, columns: int) -> list[np.ndarray]:
    """Those to leave out together: each of a few alone, or everybody in ten folds."""
    if high.size <= FOLDS:
        return [np.array([column]) for column in high]
    shuffled = np.random.default_rng(columns).permutation(columns)
    return [np.sort(fold) for fold in np.array_split(shuffled, FOLDS)]
