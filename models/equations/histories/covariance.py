"""Likelihood of normal outcomes that are correlated freely over the waves, with its slopes, compiled by Numba."""

from __future__ import annotations

import math

import numpy as np

from models.equations.histories.compiled import njit

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


@njit()
def _inverse(root: np.ndarray, at: np.ndarray, into: np.ndarray) -> float:
    """Inverse of the correlations between some waves, from the root of all; half the log of their determinant."""
    size, log = at.size, 0.0
    for k in range(size):
        for j in range(size):
            into[k, j] = 0.0
            for i in range(min(at[k], at[j]) + 1):
                into[k, j] += root[at[k], i] * root[at[j], i]
    for k in range(size):
        pivot = into[k, k]
        log += math.log(pivot) if pivot > 0.0 else math.nan
        into[k, k] = 1.0
        into[k] /= pivot
        for i in range(size):
            factor = into[i, k]
            if i != k:
                into[i, k] = 0.0
                into[i] -= factor * into[k]
    return 0.5 * log


@njit()
def _history(
    inverse: np.ndarray,
    eta: np.ndarray,
    sd: np.ndarray,
    value: np.ndarray,
    place: np.ndarray,
    count: float,
    pull: np.ndarray,
    by_eta: np.ndarray,
    by_sd: np.ndarray,
) -> float:
    """One history's log density but for what is the same at every value; slopes added, R⁻¹z into `pull`."""
    log, size = 0.0, place.size
    pull[:size] = 0.0
    for j in range(size):
        z = (value[j] - eta[place[j]]) / sd[place[j]]
        for k in range(size):
            pull[k] += inverse[k, j] * z
    for k in range(size):
        p = place[k]
        z = (value[k] - eta[p]) / sd[p]
        log -= 0.5 * z * pull[k] + math.log(sd[p])
        by_eta[p] += count * pull[k] / sd[p]
        by_sd[p] += count * (z * pull[k] - 1.0) / sd[p]
    return log


@njit()
def _back_to_root(by_correlation: np.ndarray, root: np.ndarray, into: np.ndarray) -> None:
    """Slopes in the root of a matrix from those in the matrix."""
    for a in range(root.shape[0]):
        for b in range(a + 1):
            into[a, b] = 0.0
            for k in range(root.shape[0]):
                into[a, b] += 2.0 * by_correlation[a, k] * root[k, b]


@njit()
def each(
    root: np.ndarray,
    eta: np.ndarray,
    sd: np.ndarray,
    grid: np.ndarray,
    value: np.ndarray,
    member: np.ndarray,
    begin: np.ndarray,
    count: np.ndarray,
    log_likelihood: np.ndarray,
    by_eta: np.ndarray,
    by_sd: np.ndarray,
    by_root: np.ndarray,
) -> float:
    """Log likelihood of the trial; of each history into `log_likelihood`, its slopes into what is named so.

    Histories of the same waves share the inverse of their correlations, whatever the arm.

    Parameters
    ----------
    root : ndarray, (wave, wave)
        Cholesky root of the waves' correlations.
    eta, sd : ndarray, (pattern × wave,)
        Means and standard deviations.
    grid, value, member, begin, count : ndarray
        `Histories.joint`.
    log_likelihood, by_eta, by_sd, by_root : ndarray, (history,), (pattern × wave,) twice and (wave, wave)
        Written.
    """
    waves, total = root.shape[0], 0.0
    by_eta[:], by_sd[:] = 0.0, 0.0
    inverse, fixed, times = np.zeros((1 << waves, waves, waves)), np.empty(1 << waves), np.zeros(1 << waves)
    at, place, outcome, pull = np.empty(waves, np.int64), np.empty(waves, np.int64), np.empty(waves), np.empty(waves)
    by_correlation = np.zeros((waves, waves))
    for h in range(count.size):
        seen, size = 0, begin[h + 1] - begin[h]
        for k in range(size):
            c = member[begin[h] + k]
            place[k], outcome[k], at[k] = grid[c], value[c], grid[c] % waves
            seen |= 1 << at[k]
        if times[seen] == 0.0:
            fixed[seen] = _inverse(root, at[:size], inverse[seen]) + size * _HALF_LOG_2PI
        times[seen] += count[h]
        one = _history(inverse[seen], eta, sd, outcome, place[:size], count[h], pull, by_eta, by_sd)
        log_likelihood[h] = one - fixed[seen]
        total += count[h] * log_likelihood[h]
        for k in range(size):
            for j in range(size):
                by_correlation[at[k], at[j]] += 0.5 * count[h] * pull[k] * pull[j]
    for some in np.flatnonzero(times):
        among = np.array([w for w in range(waves) if some >> w & 1])
        for k in range(among.size):
            for j in range(among.size):
                by_correlation[among[k], among[j]] -= 0.5 * times[some] * inverse[some, k, j]
    _back_to_root(by_correlation, root, by_root)
    return total
