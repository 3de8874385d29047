"""Are ranks uniform? Their empirical distribution inside a simultaneous band (Säilynoja, Bürkner & Vehtari 2022)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import stats

SIMULATIONS = 10_000
"""Samples of uniform ranks from which the band's pointwise level is found: 500 of them lie outside a 95% band."""


@lru_cache(maxsize=32)
def band(replications: int, ranks: int, chance: float) -> tuple[np.ndarray, np.ndarray]:
    """Simultaneous band of the share of ranks at or below each value, were they uniform.

    Parameters
    ----------
    replications : int
        How many ranks there are.
    ranks : int
        Each is one of 0, …, ranks.
    chance : float
        Probability that uniform ranks leave the band anywhere.

    Returns
    -------
    lower, upper : ndarray, (ranks,)
        For the values 0, …, ranks − 1; at the last one the share is 1.
    """
    at = np.arange(1, ranks + 1) / (ranks + 1)
    rng = np.random.default_rng(2022)
    least = np.empty(SIMULATIONS)
    for part in np.array_split(np.arange(SIMULATIONS), max(1, SIMULATIONS * replications // 2_000_000)):
        drawn = rng.integers(ranks + 1, size=(part.size, replications))
        counts = _at_or_below(drawn, ranks)
        tail = np.minimum(stats.binom.cdf(counts, replications, at), stats.binom.sf(counts - 1, replications, at))
        least[part] = tail.min(axis=1)
    level = float(np.quantile(least, chance, method="lower"))
    lower = stats.binom.ppf(level, replications, at) / replications
    upper = stats.binom.isf(level, replications, at) / replications
    return lower, upper


def shares(found: np.ndarray, ranks: int) -> np.ndarray:
    """Share of ranks at or below 0, …, ranks − 1."""
    return _at_or_below(np.asarray(found)[None], ranks)[0] / len(found)


def _at_or_below(found: np.ndarray, ranks: int) -> np.ndarray:
    ordered = np.sort(found, axis=1)
    return np.array([np.searchsorted(row, np.arange(ranks), side="right") for row in ordered])


def farthest(found: np.ndarray, ranks: int, chance: float) -> tuple[float, float]:
    """Deviation of the ranks' distribution from uniform where it is largest for its band, and the band's width there.

    Ranks are uniform as far as can be told where the first does not exceed the second.
    """
    at = np.arange(1, ranks + 1) / (ranks + 1)
    lower, upper = band(len(found), ranks, chance)
    off = shares(found, ranks) - at
    width = np.where(off > 0, upper - at, at - lower)
    with np.errstate(divide="ignore", invalid="ignore"):
        place = int(np.argmax(np.nan_to_num(np.abs(off) / width, nan=0.0)))
    return float(abs(off[place])), float(width[place])
