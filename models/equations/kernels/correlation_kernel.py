"""Roots of correlation matrices and slopes through them, compiled by Numba into the kernels that use them."""

from __future__ import annotations

import math

import numpy as np

from models.equations.histories.compiled import njit


@njit()
def root(partial: np.ndarray, size: int) -> np.ndarray:
    """`predictors.correlation_root` as a matrix."""
    root, place = np.zeros((size, size)), 0
    for j in range(size):
        left = 1.0
        for k in range(j):
            root[j, k] = partial[place] * math.sqrt(left)
            left *= 1.0 - partial[place] * partial[place]
            place += 1
        root[j, j] = math.sqrt(left)
    return root


@njit()
def back_from_root(partial: np.ndarray, root: np.ndarray, by_root: np.ndarray, by_partial: np.ndarray) -> None:
    """Slopes in the partial correlations from those in their root, row by row from its end."""
    for j in range(1, root.shape[0]):
        last = j * (j - 1) // 2
        # slope in what is left of the row's variance, from its last entry back
        by_left, left = 0.5 * by_root[j, j] / root[j, j], root[j, j] * root[j, j]
        for k in range(j - 1, -1, -1):
            p = partial[last + k]
            left /= 1.0 - p * p
            by_partial[last + k] += by_root[j, k] * math.sqrt(left) - 2.0 * by_left * left * p
            by_left = by_left * (1.0 - p * p) + 0.5 * by_root[j, k] * p / math.sqrt(left)


@njit()
def turned(root: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Cholesky root of the same matrix in another order."""
    size = order.size
    found = np.zeros((size, size))
    for j in range(size):
        for k in range(j + 1):
            rest = 0.0
            for i in range(size):
                rest += root[order[j], i] * root[order[k], i]
            for i in range(k):
                rest -= found[j, i] * found[k, i]
            found[j, k] = math.sqrt(rest) if j == k else rest / found[k, k]
    return found


@njit()
def back_from_turned(
    root: np.ndarray, order: np.ndarray, turned: np.ndarray, by_turned: np.ndarray, by_root: np.ndarray
) -> None:
    """Slopes in a root from those in the root of the turned matrix: Cholesky's steps backwards."""
    size = order.size
    for j in range(size - 1, -1, -1):
        for k in range(j, -1, -1):
            if j == k:
                rest = 0.5 * by_turned[j, j] / turned[j, j]
            else:
                rest = by_turned[j, k] / turned[k, k]
                by_turned[k, k] -= rest * turned[j, k]
            for i in range(k):
                by_turned[j, i] -= rest * turned[k, i]
                by_turned[k, i] -= rest * turned[j, i]
            for i in range(size):
                by_root[order[j], i] += rest * root[order[k], i]
                by_root[order[k], i] += rest * root[order[j], i]
