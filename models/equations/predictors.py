"""Each equation once, in arithmetic that NumPy and PyTensor share: the generative model and g-computation have it.

Every function only adds and multiplies, so that its arguments may be NumPy arrays with leading axes of draws, or
PyTensor variables. See MODEL.md for the mathematics.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = Any
"""A NumPy array or a PyTensor variable."""


def combination(weights: Array, rows: Any) -> Array:
    """Weighted sum of rows, Σₖ weights[…, k] · rows[…, k, :].

    Parameters
    ----------
    weights : array, (..., k)
        Parameters.
    rows : array, (..., k, n)
        Known numbers, one row for each weight.

    Returns
    -------
    array, (..., n)
    """
    if isinstance(weights, np.ndarray):
        return sum(weights[..., k, None] * rows[..., k, :] for k in range(rows.shape[-2]))
    return (weights[..., :, None] * rows).sum(-2)


def wave_level(mu_0: Array, step: Array, cumulation: Array) -> Array:
    """Level of each wave: the first wave's, plus the steps up to it.

    Parameters
    ----------
    mu_0 : array, (..., 1)
        Level at the first wave, on the link scale.
    step : array, (..., wave − 1)
        Change from each wave to the next.
    cumulation : array, (wave − 1, wave)
        `Design.cumulation`.

    Returns
    -------
    array, (..., wave)
    """
    return mu_0 + combination(step, cumulation)


def wave_effect(theta: Array, waves: Array) -> Array:
    """Arm effects laid on all waves, 0 elsewhere, shape (..., wave); `waves` is `Design.placement` of their role."""
    return combination(theta, waves)


def covariate_score(gamma: Array, columns: Any) -> Array:
    """Weighted covariates, shape (..., participant); `gamma` is (..., covariate), `columns` one array a covariate."""
    return combination(gamma, columns)


def mediated(slope: Array, interaction: Array, arm: Array, values: Any, differing: Any) -> Array:
    """What an outcome's mediators add to it, Σⱼ slopeⱼ mⱼ + arm · Σ interactionⱼ mⱼ.

    Parameters
    ----------
    slope : array, (..., mediator)
        Per SD of each mediator, half-way between the arms.
    interaction : array, (..., mediator that interacts)
        Difference of its slope between the arms; may be None where none does.
    arm : array
        −½ control, +½ treated, and 0 where the slopes do not differ yet.
    values : sequence of arrays, (mediator, ..., n)
        Scaled mediators; 0 where one does not act.
    differing : sequence of arrays
        Those of `values` that interact.
    """

    def weighed(weights: Array, some: Any) -> Array:
        return sum(weights[..., k, None] * value for k, value in enumerate(some))

    shared = weighed(slope, values)
    return shared if interaction is None else shared + arm * weighed(interaction, differing)


def correlation_root(partial: Array, size: int) -> list[list[Array]]:
    """Rows of the Cholesky root of a correlation matrix, from its partial correlations.

    Parameters
    ----------
    partial : array, (..., pair)
        Cells below the diagonal, row by row, each in (−1, 1).
    size : int
        Of the matrix.

    Returns
    -------
    list of list of array
        Row j holds j + 1 entries, each (...).
    """
    rows, place = [], 0
    for j in range(size):
        row: list[Array] = []
        left: Array = 1.0
        for _ in range(j):
            cell = partial[..., place]
            place += 1
            row.append(cell * left**0.5)
            left = left * (1 - cell**2)
        rows.append([*row, left**0.5])
    return rows


def root_of(matrix: Sequence[Sequence[Array]]) -> list[list[Array]]:
    """Rows of the Cholesky root of a matrix given element by element; row j holds j + 1 entries."""
    rows: list[list[Array]] = []
    for j, given in enumerate(matrix):
        row: list[Array] = []
        for k in range(j):
            row.append((given[k] - sum(a * b for a, b in zip(row, rows[k], strict=False))) / rows[k][k])
        rows.append([*row, (given[j] - sum(a**2 for a in row)) ** 0.5])
    return rows


def predictor(level: Array, effect: Array, arm: Array, score: Array, trait: Array, mediators: Array = 0.0) -> Array:
    """Any variable on its link scale: wave level + arm × effect + covariates + the participant's trait + its mediators.

    Parameters
    ----------
    level, effect : array
        Of the wave; the effect is 0 at baseline, because randomisation makes the arms equal there.
    arm : array
        −½ control, +½ treated.
    score, trait : array
        Of the participant; a trait of 0 is a typical participant.
    mediators : array
        An outcome's, from `mediated`.

    Returns
    -------
    array
        Log-odds, probit, log-mean or mean, in the common broadcast shape.
    """
    return level + arm * effect + score + trait + mediators
