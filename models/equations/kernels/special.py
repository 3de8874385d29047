"""Functions of one number, compiled by Numba into the kernels that use them."""

from __future__ import annotations

import math

from models.equations.histories.compiled import njit

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


@njit()
def expit(x: float) -> float:
    """Logistic function."""
    return 1.0 / (1.0 + math.exp(-x))


@njit()
def softplus(x: float) -> tuple[float, float]:
    """Log of 1 + exp(x), without overflow or loss, and its slope, the logistic function, with one exponential."""
    small = math.exp(-abs(x))
    slope = 1.0 / (1.0 + small)
    return max(x, 0.0) + math.log1p(small), slope if x >= 0.0 else small * slope


@njit()
def log_gamma(x: float) -> tuple[float, float]:
    """Log of the gamma function and its slope, for x > 0: Stirling's series from 10 on, recurrence up to there."""
    product, below = 1.0, 0.0
    while x < 10.0:
        product *= x
        below += 1.0 / x
        x += 1.0
    inverse = 1.0 / x
    square, log = inverse * inverse, math.log(x)
    series = 1.0 / 1260 - square * (1.0 / 1680 - square * (1.0 / 1188 - square * (691.0 / 360360 - square / 156.0)))
    series = inverse * (1.0 / 12 - square * (1.0 / 360 - square * series))
    slope = 1.0 / 240 - square * (1.0 / 132 - square * (691.0 / 32760 - square / 12.0))
    slope = square * (1.0 / 12 - square * (1.0 / 120 - square * (1.0 / 252 - square * slope)))
    return (x - 0.5) * log - x + _HALF_LOG_2PI + series - math.log(product), log - 0.5 * inverse - slope - below
