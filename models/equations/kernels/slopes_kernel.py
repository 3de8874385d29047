"""Log density of the effect model with random slopes and its gradient, compiled by Numba."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import carray

from models.equations.histories.compiled import njit
from models.equations.histories.densities import cell
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
from models.equations.kernels.mediation_kernel import constants

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


class Sloping(NamedTuple):
    """Observed outcomes of participants who differ in how they change.

    Attributes
    ----------
    likelihood : int
        `Family.number`.
    person, wave, value, offset, distinct, times : ndarray
        As in `mediation_kernel.Outcomes`.
    elapsed : ndarray, (wave,)
        `random_slopes.elapsed`.
    spread, correlation : int
        Which top-level entries are the slopes' SD and their correlation with the traits.
    """

    likelihood: int
    person: np.ndarray
    wave: np.ndarray
    value: np.ndarray
    offset: np.ndarray
    distinct: np.ndarray
    times: np.ndarray
    elapsed: np.ndarray
    spread: int
    correlation: int


@njit(nogil=True)
def log_sloping(point: np.ndarray, trial: tuple, slope: np.ndarray) -> float:
    """Log density at a point of the model with random slopes, slopes into `slope`; see `equations_kernel.sound`.

    Parameters
    ----------
    point : ndarray, (unknown,)
        Top-level parameters as sampled, standard levels of groups, and of each participant two standard normal values:
        behind the trait, and behind the part of the slope that is independent of it.
    trial : tuple of tuple
        The fields of each part of `equations_kernel.Given`, of a trial without traits, and of `Sloping`.
    slope : ndarray, (unknown,)
        Written.
    """
    given = given_of(trial)
    seen = Sloping(*trial[6])
    found = forward(point, given, slope)
    by = no_slopes(given, found)
    terms, state, arm, waves = found.terms, found.state, given.people.arm, given.people.later.size
    first, second = point[found.ends[3] :].reshape(2, -1)
    by_first, by_second = slope[found.ends[3] :].reshape(2, -1)
    tau, sd, correlation = found.levels.tau[0], found.value[seen.spread], found.value[seen.correlation]
    rest = math.sqrt(1.0 - correlation * correlation)
    dispersion = dispersions(terms)
    by_dispersion = np.zeros(dispersion.shape)
    total, by_dispersion[0, 0] = constants(seen.likelihood, seen.distinct, seen.times, terms.dispersion[0])
    for i in range(arm.size):
        total -= 0.5 * (first[i] * first[i] + second[i] * second[i]) + 2.0 * _HALF_LOG_2PI
        by_first[i], by_second[i] = -first[i], -second[i]
    for n in range(seen.person.size):
        i, w = seen.person[n], seen.wave[n]
        side = int(arm[i] > 0)
        time = seen.elapsed[w]
        turned = correlation * first[i] + rest * second[i]
        shared = state.own[0, i] + state.shared[i * (waves + 1) + w + 1]
        eta = seen.offset[n] + terms.level[w] + arm[i] * terms.effect[w] + shared
        eta += tau * first[i] + sd * turned * time
        log, one, _, other = cell(seen.likelihood, seen.value[n], eta, dispersion[side, w])
        total += log
        by_dispersion[side, w] += other
        by.terms.level[w] += one
        by.terms.effect[w] += arm[i] * one
        by.state.own[0, i] += one
        by.state.shared[i * (waves + 1) + w + 1] += one
        by.levels.tau[0] += one * first[i]
        by.value[seen.spread] += one * turned * time
        by.value[seen.correlation] += one * sd * time * (first[i] - correlation / rest * second[i])
        by_first[i] += one * (tau + sd * time * correlation)
        by_second[i] += one * sd * time * rest
    back_from_dispersions(dispersion, by_dispersion, terms, by.terms)
    return sound(found.log_prior + total + backward(given, found, by, slope), slope)


def called(size: int, point: Any, slope: Any, value: Any, pointer: Any) -> int:
    """`log_sloping` as C calls it (`by_address`)."""
    value[0] = log_sloping(carray(point, (size,)), pointer[0], carray(slope, (size,)))
    return 0 if math.isfinite(value[0]) else NOT_FINITE
