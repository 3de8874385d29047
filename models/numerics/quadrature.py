"""Averages over a normal trait by the trapezoidal rule, which converges exponentially for these integrands.

For f(x) = logit⁻¹(η + τx) φ(x) the nearest poles lie at distance π/τ from the real line, where φ is exp(π²/(2τ²))
larger: a step h leaves an error of about exp(π²/(2τ²) − 2π²/(τh)), or exp(−2π²/h²) where the poles are far. The
step below keeps both under 1e-10 for every τ, where a fixed Gauss–Hermite rule loses digits as τ grows (Trefethen &
Weideman 2014, "The exponentially convergent trapezoidal rule").
"""

from __future__ import annotations

import numpy as np

REACH = 6.7  # the normal density beyond ±6.7 SD holds 2e-11
_DIGITS = 25.0  # exp(−25) = 1.4e-11
_WIDEST = 0.85  # exp(−2π²/h²) = 1.4e-12: all that is needed while τ is below 0.44 and the poles are far


def normal_nodes(largest_sd: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights that average a logistic function over a normal trait.

    Parameters
    ----------
    largest_sd : float
        Largest SD of the trait, in log-odds; more nodes are taken as it grows.

    Returns
    -------
    nodes, weights : ndarray, (node,)
        Standard normal abscissae and weights that sum to 1.
    """
    sd = max(largest_sd, 0.44)
    step = min(_WIDEST, 2 * np.pi**2 / (_DIGITS * sd + np.pi**2 / (2 * sd)))
    half = int(np.ceil(REACH / step))
    nodes = step * np.arange(-half, half + 1)
    weights = np.exp(-0.5 * nodes**2)
    return nodes, weights / weights.sum()


def logistic_normal_mean(predictor: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """E[logit⁻¹(predictor + sd·x)] over x ~ N(0, 1), to 1e-9.

    Parameters
    ----------
    predictor, sd : ndarray
        Log-odds and SD of the trait; broadcast against each other.

    Returns
    -------
    ndarray
        Probabilities, in the common shape.
    """
    nodes, weights = normal_nodes(float(np.max(sd, initial=0.0)))
    shape = np.broadcast_shapes(np.shape(predictor), np.shape(sd))
    if 0 in shape:
        return np.zeros(shape)
    # rows that share an SD share the nodes' odds ratios: an SD a draw, all the draw's predictors in its row
    rows = int(np.prod(shape[: _varying(np.shape(sd), len(shape))]))
    flat = np.ascontiguousarray(np.broadcast_to(predictor, shape), dtype=float).reshape(rows, -1)
    own = np.ascontiguousarray(np.broadcast_to(sd, shape), dtype=float).reshape(rows, -1)[:, 0]
    # a report, which averages nothing, loads no compiler
    from models.numerics.quadrature_kernel import averages

    return averages(flat, own, nodes, weights).reshape(shape)


def _varying(shape: tuple[int, ...], dims: int) -> int:
    """How many leading axes of the common shape an array of `shape` needs, from the first to the last that varies."""
    offset = dims - len(shape)
    return max((offset + place + 1 for place, size in enumerate(shape) if size > 1), default=0)
