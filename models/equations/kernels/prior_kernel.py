"""Priors of the top-level parameters and the equations' linear terms, compiled by Numba.

A point holds each parameter on the scale on which it is sampled.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from models.equations.histories.compiled import njit
from models.equations.kernels.special import softplus

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
STRAIGHT, HALF, GAMMA, PARTIAL, JOINT, STUDENT = range(6)
PRIORS = {
    "normal": STRAIGHT,
    "half_normal": HALF,
    "gamma": GAMMA,
    "lkj": PARTIAL,
    "exchangeable_normal": JOINT,
    "student_t": STUDENT,
}
"""Number of each prior, which also says how its parameter is sampled: as it is (also Student's t), by its logarithm, as
log-odds of (1 + value) / 2, or as independent standard normal values behind it."""


class Prior(NamedTuple):
    """Priors of the top-level parameters.

    Attributes
    ----------
    block : ndarray of int, (parameter, 5)
        Number of its prior, its first entry, entries, size of its last dimension, where its root begins.
    number, root : ndarray, (entry, 3) and (…,)
        Of the prior of each entry (a normal's mean and SD, a gamma's shape and rate, …; degrees of freedom last);
        roots of correlations.
    """

    block: np.ndarray
    number: np.ndarray
    root: np.ndarray


class Linear(NamedTuple):
    """`Levels` and `Terms` as one linear function of the parameters' entries.

    Attributes
    ----------
    row, column, weight, fixed : ndarray
        Term row is weight × entry column, summed onto fixed (term,).
    """

    row: np.ndarray
    column: np.ndarray
    weight: np.ndarray
    fixed: np.ndarray


@njit()
def to_values(prior: Prior, point: np.ndarray, value: np.ndarray, slope: np.ndarray) -> float:
    """Top-level parameters into `value`, slopes of their log prior (on the scale of sampling) into `slope`."""
    total, block, number, root = 0.0, prior.block, prior.number, prior.root
    for b in range(block.shape[0]):
        kind, first, count, size, begin = block[b, 0], block[b, 1], block[b, 2], block[b, 3], block[b, 4]
        for k in range(first, first + count):
            u, one, two = point[k], number[k, 0], number[k, 1]
            if kind == STRAIGHT:
                z = (u - one) / two
                value[k], slope[k] = u, -z / two
                total -= 0.5 * z * z + math.log(two) + _HALF_LOG_2PI
            elif kind == STUDENT:
                df, z = number[k, 2], (u - one) / two
                value[k], slope[k] = u, -(df + 1.0) * z / ((df + z * z) * two)
                total += math.lgamma(0.5 * (df + 1.0)) - math.lgamma(0.5 * df) - 0.5 * math.log(df * math.pi)
                total -= math.log(two) + 0.5 * (df + 1.0) * math.log1p(z * z / df)
            elif kind == HALF:
                value[k] = math.exp(u)
                z = value[k] / two
                slope[k] = 1.0 - z * z
                total += u - 0.5 * z * z - math.log(two) - _HALF_LOG_2PI + math.log(2.0)
            elif kind == GAMMA:
                value[k] = math.exp(u)
                slope[k] = one - two * value[k]
                total += one * (u + math.log(two)) - two * value[k] - math.lgamma(one)
            elif kind == PARTIAL:
                value[k] = math.tanh(0.5 * u)
                slope[k] = -one * value[k]
                total -= one * (2.0 * softplus(u)[0] - u) + 2.0 * math.lgamma(one) - math.lgamma(2.0 * one)
            else:
                slope[k] = -u
                total -= 0.5 * u * u + _HALF_LOG_2PI
                start, place = first + (k - first) // size * size, (k - first) % size
                value[k] = one
                for j in range(place + 1):
                    value[k] += two * root[begin + place * size + j] * point[start + j]
    return total


@njit()
def to_point(prior: Prior, value: np.ndarray, by_value: np.ndarray, slope: np.ndarray) -> None:
    """Add to `slope`, in the point, what slopes in the parameters themselves come to."""
    block, number, root = prior.block, prior.number, prior.root
    for b in range(block.shape[0]):
        kind, first, count, size, begin = block[b, 0], block[b, 1], block[b, 2], block[b, 3], block[b, 4]
        for k in range(first, first + count):
            if kind in (STRAIGHT, STUDENT):
                slope[k] += by_value[k]
            elif kind in (HALF, GAMMA):
                slope[k] += by_value[k] * value[k]
            elif kind == PARTIAL:
                slope[k] += by_value[k] * 0.5 * (1.0 - value[k] * value[k])
            else:
                start, place = first + (k - first) // size * size, (k - first) % size
                for j in range(place + 1):
                    slope[start + j] += number[k, 1] * root[begin + place * size + j] * by_value[k]


@njit()
def combined(linear: Linear, value: np.ndarray) -> np.ndarray:
    """`Levels` and `Terms` of the parameters, as one vector."""
    found, row, column, weight = linear.fixed.copy(), linear.row, linear.column, linear.weight
    for k in range(row.size):
        found[row[k]] += weight[k] * value[column[k]]
    return found


@njit(nogil=True)
def values(points: np.ndarray, prior: tuple) -> np.ndarray:
    """Top-level parameters at points (draw, unknown), from the fields of `Prior`, (draw, entry)."""
    priors = Prior(*prior)
    found = np.empty((points.shape[0], priors.number.shape[0]))
    unused = np.empty(found.shape[1])
    for k in range(points.shape[0]):
        to_values(priors, points[k], found[k], unused)
    return found
