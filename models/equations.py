"""Each equation once, in arithmetic that NumPy and PyTensor share: the model fits it, g-computation runs it.

Every function only adds and multiplies, so that its arguments may be NumPy arrays with leading axes of draws, or
PyTensor variables. See MODEL.md for the mathematics.
"""

from __future__ import annotations

from typing import Any

Array = Any
"""A NumPy array or a PyTensor variable."""


def combination(weights: Array, rows: Any) -> Array:
    """Weighted sum of rows, Σₖ weights[…, k] · rows[k].

    A sum in place of a matrix product: PyTensor fuses it into the expression around it, where each product would cost
    10 s of Numba's compilation (measured with PyTensor 3.3, Numba 0.68).

    Parameters
    ----------
    weights : array, (..., k)
        Parameters.
    rows : sequence of arrays, (k, n)
        Known numbers, one row for each weight.

    Returns
    -------
    array, (..., n)
    """
    return sum(weights[..., k, None] * row for k, row in enumerate(rows))


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


def outcome_predictor(level: Array, effect: Array, arm: Array, score: Array, trait: Array) -> Array:
    """Outcome on the link scale: wave level + arm × effect + covariates + the participant's own trait.

    Parameters
    ----------
    level, effect : array
        Of the wave; the effect is 0 at baseline, because randomisation makes the arms equal there.
    arm : array
        −½ control, +½ treated.
    score, trait : array
        Of the participant; a trait of 0 is a typical participant.

    Returns
    -------
    array
        Log-odds, probit or log-mean, in the common broadcast shape.
    """
    return level + arm * effect + score + trait
