"""Log density of the effect model with traits integrated out and its gradient, compiled by Numba.

Patterns stand in for participants: all who share arm, covariates, exposure and groups.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import carray

from models.equations.histories import integrals
from models.equations.histories.compiled import njit
from models.equations.kernels.by_address import NOT_FINITE
from models.equations.kernels.mediation_kernel import backward, forward, given_of, no_slopes, sound


@njit(nogil=True)
def log_integrated(point: np.ndarray, trial: tuple, slope: np.ndarray) -> float:
    """Log density at a point with traits integrated out, slopes into `slope`; see `mediation_kernel.sound`.

    Parameters
    ----------
    point : ndarray, (unknown,)
        Top-level parameters as sampled, and standard levels of groups.
    trial : tuple of tuple
        The fields of each part of `mediation_kernel.Given`, of patterns that have no traits; then `Family.number`,
        offsets (pattern × wave,) and the arrays of `models.design.outcome_histories.Histories.structure`.
    slope : ndarray, (unknown,)
        Written.
    """
    given = given_of(trial)
    likelihood, offset, structure = trial[6]
    found = forward(point, given, slope)
    by = no_slopes(given, found)
    terms, state, arm, waves = found.terms, found.state, given.people.arm, given.people.later.size
    eta, by_eta = offset.copy(), np.empty(offset.size)
    for p in range(arm.size):
        for w in range(waves):
            shared = state.own[0, p] + state.shared[p * (waves + 1) + w + 1]
            eta[p * waves + w] += terms.level[w] + arm[p] * terms.effect[w] + shared
    logs = np.empty(structure[-1].size)
    scale = (found.levels.tau[0], terms.dispersion[0])
    total, by_tau, by_dispersion = integrals.each(likelihood, 1.0, eta, *scale, *structure, logs, by_eta)
    by.levels.tau[0] += by_tau
    by.terms.dispersion[0] += by_dispersion
    for p in range(arm.size):
        for w in range(waves):
            one = by_eta[p * waves + w]
            by.terms.level[w] += one
            by.terms.effect[w] += arm[p] * one
            by.state.own[0, p] += one
            by.state.shared[p * (waves + 1) + w + 1] += one
    return sound(found.log_prior + total + backward(given, found, by, slope), slope)


def called(size: int, point: Any, slope: Any, value: Any, pointer: Any) -> int:
    """`log_integrated` as C calls it (`by_address`)."""
    value[0] = log_integrated(carray(point, (size,)), pointer[0], carray(slope, (size,)))
    return 0 if math.isfinite(value[0]) else NOT_FINITE
