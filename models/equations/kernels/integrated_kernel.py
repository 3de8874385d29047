"""Log density of the effect model with traits integrated out and its gradient, compiled by Numba.

Patterns stand in for participants: all who share arm, covariates, exposure and groups.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from models.equations.histories import integrals
from models.equations.histories.compiled import njit
from models.equations.kernels.group_kernel import Groups
from models.equations.kernels.mediation_kernel import Given, Latent, People, Scale, backward, forward, no_slopes, sound
from models.equations.kernels.prior_kernel import Linear, Prior


class Histories(NamedTuple):
    """Distinct histories of a trial, as `models.design.outcome_histories.Histories` has them.

    Attributes
    ----------
    likelihood : int
        `Family.number`.
    offset : ndarray, (pattern × wave,)
        Its `offset`.
    cell_grid, cell_value, pattern_cells, pattern_histories, member, history_members, number : ndarray
        Its `structure`.
    """

    likelihood: int
    offset: np.ndarray
    cell_grid: np.ndarray
    cell_value: np.ndarray
    pattern_cells: np.ndarray
    pattern_histories: np.ndarray
    member: np.ndarray
    history_members: np.ndarray
    number: np.ndarray


@njit(nogil=True)
def log_integrated(point: np.ndarray, trial: tuple, slope: np.ndarray) -> float:
    """Log density at a point with traits integrated out, slopes into `slope`; see `mediation_kernel.sound`.

    Parameters
    ----------
    point : ndarray, (unknown,)
        Top-level parameters as sampled, and standard levels of groups.
    trial : tuple of tuple
        The fields of each part of `mediation_kernel.Given`, of a trial of patterns without traits, and of `Histories`.
    slope : ndarray, (unknown,)
        Written.
    """
    given = Given(
        Prior(*trial[0]), Linear(*trial[1]), People(*trial[2]), Scale(*trial[3]), Groups(*trial[4]), Latent(*trial[5])
    )
    seen = Histories(*trial[6])
    found = forward(point, given, slope)
    by = no_slopes(given, found)
    terms, state, arm, waves = found.terms, found.state, given.people.arm, given.people.later.size
    eta, by_eta = seen.offset.copy(), np.empty(seen.offset.size)
    for p in range(arm.size):
        for w in range(waves):
            shared = state.own[0, p] + state.shared[p * (waves + 1) + w + 1]
            eta[p * waves + w] += terms.level[w] + arm[p] * terms.effect[w] + shared
    total, by_tau, by_dispersion = integrals.each(
        seen.likelihood,
        1.0,
        eta,
        found.levels.tau[0],
        terms.dispersion[0],
        seen.cell_grid,
        seen.cell_value,
        seen.pattern_cells,
        seen.pattern_histories,
        seen.member,
        seen.history_members,
        seen.number,
        np.empty(seen.number.size),
        by_eta,
    )
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
