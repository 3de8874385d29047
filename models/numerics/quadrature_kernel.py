"""Averages of a logistic function over a normal trait, compiled: the inner loop of `models.numerics.quadrature`."""

from __future__ import annotations

import math

import numba
import numpy as np

_FARTHEST = 300.0  # log-odds beyond which a risk is 0 or 1 to every digit, and exp of twice as much still finite


@numba.njit(cache=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})
def averages(predictor: np.ndarray, sd: np.ndarray, nodes: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """E[logit⁻¹(predictor + sd·x)] of each row, by odds times odds ratios: one exponential a predictor, one a node.

    Parameters
    ----------
    predictor : ndarray, (row, predictor)
        Log-odds.
    sd : ndarray, (row,)
        Of the trait.
    nodes, weights : ndarray, (node,)
        From `quadrature.normal_nodes`.
    """
    result = np.empty(predictor.shape)
    for i in range(sd.size):
        ratio = np.exp(np.minimum(np.maximum(sd[i] * nodes, -_FARTHEST), _FARTHEST))
        for j in range(predictor.shape[1]):
            odds = math.exp(min(max(predictor[i, j], -_FARTHEST), _FARTHEST))
            total = 0.0
            for q in range(ratio.size):
                total += weights[q] * (odds * ratio[q] / (1.0 + odds * ratio[q]))
            result[i, j] = total
    return result
