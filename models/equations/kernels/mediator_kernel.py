"""Distributions of mediators, their slopes, and values over which an unknown one is summed, compiled by Numba."""

from __future__ import annotations

import math

import numpy as np

from models.equations.histories.compiled import njit
from models.equations.kernels.special import expit, log_gamma, softplus
from models.equations.mediator_kinds import NEAR
from models.outcomes.family import FARTHEST

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
NORMAL, STUDENT, BINARY, SHARE = range(4)
KINDS = {"normal": NORMAL, "student": STUDENT, "binary": BINARY, "share": SHARE}
"""Number of each mediator's distribution (`mediator_kinds.MEDIATOR_KINDS`)."""
STATES = 4
"""Most values over which an unknown one is summed."""


@njit()
def constant(kind: int, spread: np.ndarray, by: np.ndarray, times: int) -> float:
    """Part of a mediator's log density that depends on its spread alone, of `times` cells; its slopes into `by`.

    Of a share it belongs to the cells between the ends: those at an end have none.
    """
    if kind in (NORMAL, STUDENT):
        by[0] -= times / spread[0]
        own = -math.log(spread[0])
        if kind == NORMAL:
            return times * (own - _HALF_LOG_2PI)
        log, by_nu = student_constant(spread[1])
        by[1] += times * by_nu
        return times * (own + log)
    if kind == SHARE:
        log, by_precision = log_gamma(spread[2])
        by[2] += times * by_precision
        return times * log
    return 0.0


@njit()
def student_constant(nu: float) -> tuple[float, float]:
    """Log of the constant of Student's t at SD 1 and its slope in ν."""
    upper, by_upper = log_gamma(0.5 * (nu + 1.0))
    lower, by_lower = log_gamma(0.5 * nu)
    return upper - lower - 0.5 * math.log(nu * math.pi), 0.5 * (by_upper - by_lower - 1.0 / nu)


@njit()
def student(z: float, nu: float) -> tuple[float, float, float]:
    """Student's t at SD 1 without its constant, its slopes in z and ν."""
    square = z * z / nu
    log = math.log1p(square)
    inside = (nu + 1.0) / nu / (1.0 + square)
    return -0.5 * (nu + 1.0) * log, -inside * z, 0.5 * (inside * square - log)


@njit()
def _between(eta: float, spread: np.ndarray) -> tuple[float, float, float, float]:
    """Log probability that a share lies between its ends; its slopes in η and in the cutpoints."""
    under, above = softplus(spread[0] - eta)
    over, below = softplus(eta - spread[1])
    return _within(under, above, over, below, spread)


@njit()
def _within(under: float, above: float, over: float, below: float, spread: np.ndarray) -> tuple[float, ...]:
    """`_between` from softplus of (low − η) and of (η − high) and their slopes."""
    wide = math.expm1(min(spread[1] - spread[0], 2.0 * FARTHEST))
    narrow = 1.0 / wide
    return math.log(wide / (1.0 + wide)) - under - over, above - below, -above - narrow, below + narrow


@njit()
def observed(
    kind: int, value: float, log_value: float, log_rest: float, linear: float, spread: np.ndarray, by: np.ndarray
) -> tuple[float, float]:
    """Log density of one observed mediator without its constant, and its slope in η; those in its spread into `by`."""
    if kind == NORMAL:
        z = (value - linear) / spread[0]
        by[0] += z * z / spread[0]
        return -0.5 * z * z, z / spread[0]
    if kind == STUDENT:
        z = (value - linear) / spread[0]
        log, by_z, by_nu = student(z, spread[1])
        by[0] -= by_z * z / spread[0]
        by[1] += by_nu
        return log, -by_z / spread[0]
    eta = min(max(linear, -FARTHEST), FARTHEST)
    if kind == BINARY:
        log, wrong = softplus(-eta if value > 0.0 else eta)
        return -log, wrong if value > 0.0 else -wrong
    if value == 0.0:
        log, above = softplus(eta - spread[0])
        by[0] += above
        return -log, -above
    if value == 1.0:
        log, below = softplus(spread[1] - eta)
        by[1] -= below
        return -log, below
    mean, rest, precision = expit(eta), expit(-eta), spread[2]
    log, by_eta, by_low, by_high = _between(eta, spread)
    one, by_one = log_gamma(mean * precision)
    two, by_two = log_gamma(rest * precision)
    log += (mean * precision - 1.0) * log_value + (rest * precision - 1.0) * log_rest - one - two
    left, right = mean * (log_value - by_one), rest * (log_rest - by_two)
    by[0] += by_low
    by[1] += by_high
    by[2] += left + right
    return log, by_eta + precision * (left * rest - right * mean)


@njit()
def _two_points(eta: float, precision: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`mediator_kinds.two_points` with the log weights of the two: (2 values, 2 logs), slopes in η, in the precision.

    The values are m + s·r for the roots r of r² − g r − 1, g the skewness, so that their slopes in g are r/(r₊ − r₋)
    but for the sign.
    """
    mean = expit(eta)
    inside = NEAR < mean < 1.0 - NEAR
    mean = min(max(mean, NEAR), 1.0 - NEAR)
    variance, off = mean * (1.0 - mean), 1.0 - 2.0 * mean
    spread = math.sqrt(variance / (precision + 1.0))
    factor = 2.0 * math.sqrt(precision + 1.0) / (precision + 2.0)
    skew = factor * off / math.sqrt(variance)
    root = math.sqrt(skew * skew + 4.0)
    # the larger root by its formula, the other by their product, −1: no digits are lost
    high = 0.5 * (skew + root) if skew >= 0 else -2.0 / (skew - root)
    low = -1.0 / high
    found, by_eta, by_precision = np.empty(4), np.zeros(4), np.zeros(4)
    found[0], found[1], found[2], found[3] = mean + spread * low, mean + spread * high, high / root, -low / root
    found[2], found[3] = math.log(found[2]), math.log(found[3])
    move = variance if inside else 0.0
    by_skew = -factor * (2.0 + 0.5 * off * off / variance) / math.sqrt(variance) * move
    _slopes(by_eta, move, 0.5 * spread * off / variance * move, by_skew, spread, low, high)
    by_skew = skew * (0.5 / (precision + 1.0) - 1.0 / (precision + 2.0))
    _slopes(by_precision, 0.0, -0.5 * spread / (precision + 1.0), by_skew, spread, low, high)
    return found, by_eta, by_precision


@njit()
def _slopes(
    by: np.ndarray, by_mean: float, by_spread: float, by_skew: float, spread: float, low: float, high: float
) -> None:
    """Slopes of `_two_points` from those of mean, SD and skewness, into `by`."""
    root = high - low
    by[0] = by_mean + by_spread * low - spread * by_skew * low / root
    by[1] = by_mean + by_spread * high + spread * by_skew * high / root
    by[2] = 2.0 * by_skew / (root * root * high)
    by[3] = 2.0 * by_skew / (root * root * low)


SHOWN, LOG, SHOWN_ETA, SHOWN_PRECISION, LOG_ETA, LOG_LOW, LOG_HIGH, LOG_PRECISION = range(8)
"""Of one state of a mediator that is summed out: its value, its log probability, and slopes of the two."""


@njit()
def states(kind: int, linear: float, spread: np.ndarray, state: np.ndarray) -> int:
    """Fill `state` (…, 8) with the states of a mediator that is not known; returns how many."""
    eta = min(max(linear, -FARTHEST), FARTHEST)
    state[:] = 0.0
    state[1, SHOWN] = 1.0
    if kind == BINARY:
        log, one = softplus(eta)
        state[0, LOG], state[0, LOG_ETA] = -log, -one
        state[1, LOG], state[1, LOG_ETA] = eta - log, 1.0 - one
        return 2
    # log(1 + exp(−x)) = log(1 + exp(x)) − x: each exponential serves an end and what lies between
    at_zero, above = softplus(eta - spread[0])
    at_one, below = softplus(spread[1] - eta)
    state[0, LOG], state[0, LOG_ETA], state[0, LOG_LOW] = -at_zero, -above, above
    state[1, LOG], state[1, LOG_ETA], state[1, LOG_HIGH] = -at_one, below, -below
    log, by_eta, by_low, by_high = _within(
        at_zero - (eta - spread[0]), 1.0 - above, at_one - (spread[1] - eta), 1.0 - below, spread
    )
    found, found_eta, found_precision = _two_points(eta, spread[2])
    for k in range(2):
        one = state[2 + k]
        one[SHOWN], one[SHOWN_ETA], one[SHOWN_PRECISION] = found[k], found_eta[k], found_precision[k]
        one[LOG], one[LOG_ETA], one[LOG_PRECISION] = (
            log + found[2 + k],
            by_eta + found_eta[2 + k],
            found_precision[2 + k],
        )
        one[LOG_LOW], one[LOG_HIGH] = by_low, by_high
    return 4
