"""Log density of the effect model with traits integrated out and its gradient, compiled by Numba.

Patterns stand in for participants: all who share arm, covariates, exposure and groups.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import carray

from models.equations.histories import covariance, integrals
from models.equations.histories.compiled import njit
from models.equations.kernels import correlation_kernel as correlation
from models.equations.kernels.by_address import NOT_FINITE
from models.equations.kernels.equations_kernel import (
    back_from_dispersions,
    backward,
    dispersions,
    forward,
    given_of,
    no_slopes,
    sound,
)


@njit(nogil=True)
def log_integrated(point: np.ndarray, trial: tuple, slope: np.ndarray) -> float:
    """Log density at a point with traits integrated out, slopes into `slope`; see `equations_kernel.sound`.

    Parameters
    ----------
    point : ndarray, (unknown,)
        Top-level parameters as sampled, and standard levels of groups.
    trial : tuple of tuple
        The fields of each part of `equations_kernel.Given`, of patterns that have no traits; then `Family.number`,
        offsets (pattern × wave,), the arrays of `models.design.outcome_histories.Histories.structure`, and which entry
        is the first of the waves' partial correlations, −1 where a trait is integrated out in place of them.
    slope : ndarray, (unknown,)
        Written.
    """
    given = given_of(trial)
    likelihood, offset, structure, first = trial[6]
    found = forward(point, given, slope)
    by = no_slopes(given, found)
    terms, state, arm, waves = found.terms, found.state, given.people.arm, given.people.later.size
    eta, by_eta = offset.copy(), np.empty(offset.size)
    spread, by_spread = np.empty(offset.size), np.empty(offset.size)
    dispersion = dispersions(terms)
    by_dispersion = np.zeros(dispersion.shape)
    for p in range(arm.size):
        for w in range(waves):
            shared = state.own[0, p] + state.shared[p * (waves + 1) + w + 1]
            spread[p * waves + w] = dispersion[int(arm[p] > 0), w]
            eta[p * waves + w] += terms.level[w] + arm[p] * terms.effect[w] + shared
    logs = np.empty(structure[-1].size)
    slopes = (logs, by_eta, by_spread)
    if first < 0:
        total, by_tau = integrals.each(likelihood, 1.0, eta, found.levels.tau[0], spread, *structure, *slopes)
        by.levels.tau[0] += by_tau
    else:
        partial = found.value[first : first + waves * (waves - 1) // 2]
        by_partial = by.value[first : first + partial.size]
        root, by_root = correlation.root(partial, waves), np.empty((waves, waves))
        joint = (structure[0], structure[1], structure[4], structure[5], structure[6])
        total = covariance.each(root, eta, spread, *joint, *slopes, by_root)
        correlation.back_from_root(partial, root, by_root, by_partial)
    for p in range(arm.size):
        for w in range(waves):
            one = by_eta[p * waves + w]
            by_dispersion[int(arm[p] > 0), w] += by_spread[p * waves + w]
            by.terms.level[w] += one
            by.terms.effect[w] += arm[p] * one
            by.state.own[0, p] += one
            by.state.shared[p * (waves + 1) + w + 1] += one
    back_from_dispersions(dispersion, by_dispersion, terms, by.terms)
    return sound(found.log_prior + total + backward(given, found, by, slope), slope)


def called(size: int, point: Any, slope: Any, value: Any, pointer: Any) -> int:
    """`log_integrated` as C calls it (`by_address`)."""
    value[0] = log_integrated(carray(point, (size,)), pointer[0], carray(slope, (size,)))
    return 0 if math.isfinite(value[0]) else NOT_FINITE
