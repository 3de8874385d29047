"""Log probability of one cell and its slopes, compiled: what `models.likelihoods` has for arrays, for one number."""

from __future__ import annotations

import math

from models.histories.compiled import njit
from models.likelihoods import POISSON_BELOW

LOGIT, PROBIT, NEGATIVE_BINOMIAL, NORMAL = range(4)
KINDS = {"logit": LOGIT, "probit": PROBIT, "negative binomial": NEGATIVE_BINOMIAL, "normal": NORMAL}
"""Number of each likelihood of `models.likelihoods.LIKELIHOODS`."""
SUMMED = 1000
"""Terms of a sum over a count that are added one by one."""
_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
FARTHEST = 300.0
"""Predictors are held within ±300, far beyond any that a sampler meets and far within what exp can take."""
_ASYMPTOTIC = -36.0
"""Below it Φ underflows; its asymptotic series then holds to 1e-15."""


@njit()
def constant(kind: int, value: float, dispersion: float) -> tuple[float, float]:
    """Part of a cell's log probability without its predictor, and its slope in the dispersion."""
    if kind != NEGATIVE_BINOMIAL:
        return 0.0, 0.0
    alpha = 1.0 / max(dispersion, POISSON_BELOW) ** 2
    total, slope = -math.lgamma(value + 1.0), 0.0
    # Σ log(1 + k/α) in place of a difference of gamma functions, which loses its digits as α grows
    for k in range(min(int(value), SUMMED)):
        total += math.log1p(k / alpha)
        slope -= k / (alpha * (alpha + k))
    if value > SUMMED:
        # of the rest by Euler and Maclaurin, without terms below (α + 1000)⁻⁵
        start, end = alpha + SUMMED, alpha + value
        log_start, log_end = math.log1p(SUMMED / alpha), math.log1p(value / alpha)
        total += end * log_end - start * log_start - (value - SUMMED) - 0.5 * (log_end - log_start)
        total += (1.0 / end - 1.0 / start) / 12.0 - (1.0 / end**3 - 1.0 / start**3) / 360.0
        slope -= (value - SUMMED) / alpha - (log_end - log_start)
        slope += 0.5 * (value / (alpha * end) - SUMMED / (alpha * start))
        slope -= (1.0 / end**2 - 1.0 / start**2) / 12.0 - (1.0 / end**4 - 1.0 / start**4) / 120.0
    return total, slope * _alpha_slope(dispersion)


@njit()
def _alpha_slope(dispersion: float) -> float:
    return 0.0 if dispersion <= POISSON_BELOW else -2.0 / dispersion**3


@njit()
def cell(kind: int, value: float, predictor: float, dispersion: float) -> tuple[float, float, float, float]:
    """Log probability of one outcome without its `constant`, its first two slopes in the predictor, and in dispersion.

    Parameters
    ----------
    kind : int
        One of `KINDS`.
    value, predictor, dispersion : float
        Outcome, linear predictor, and the parameter of the outcome's spread (0 where there is none).

    Returns
    -------
    tuple of float
        Log probability, d/dη, d²/dη² (never positive), d/ddispersion.
    """
    eta = min(max(predictor, -FARTHEST), FARTHEST)
    if kind == LOGIT:
        signed = eta if value > 0 else -eta
        wrong = 1.0 / (1.0 + math.exp(signed))
        log = min(signed, 0.0) - math.log1p(math.exp(-abs(signed)))
        return log, wrong if value > 0 else -wrong, -wrong * (1.0 - wrong), 0.0
    if kind == PROBIT:
        signed = eta if value > 0 else -eta
        log, mills = _log_normal_cdf(signed)
        return log, mills if value > 0 else -mills, -mills * (signed + mills), 0.0
    if kind == NORMAL:
        error = (value - predictor) / dispersion
        log = -0.5 * error * error - math.log(dispersion) - _HALF_LOG_2PI
        return log, error / dispersion, -1.0 / dispersion**2, (error * error - 1.0) / dispersion
    alpha = 1.0 / max(dispersion, POISSON_BELOW) ** 2
    mean = math.exp(eta)
    share, spread = mean / (alpha + mean), math.log1p(mean / alpha)
    log = value * eta - (value + alpha) * spread
    by_alpha = (value + alpha) * share / alpha - spread
    slope = value - (value + alpha) * share
    return log, slope, -(value + alpha) * share * (1.0 - share), by_alpha * _alpha_slope(dispersion)


@njit()
def _log_normal_cdf(at: float) -> tuple[float, float]:
    """Log Φ and φ/Φ."""
    log_density = -0.5 * at * at - _HALF_LOG_2PI
    if at > _ASYMPTOTIC:
        tail = 0.5 * math.erfc(-at / math.sqrt(2.0))
        return math.log1p(-0.5 * math.erfc(at / math.sqrt(2.0))) if at > 0 else math.log(tail), (
            math.exp(log_density) / tail
        )
    inverse = 1.0 / (at * at)
    series = 1.0 - inverse * (1.0 - 3.0 * inverse * (1.0 - 5.0 * inverse * (1.0 - 7.0 * inverse)))
    return log_density - math.log(-at) + math.log(series), -at / series
