"""How a mediator arises from its linear predictor: the numbers layer (NumPy), one row a kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special, stats

from models.numerics.logistic import expit, log_expit

ABSENT = 1e3
"""Where a cutpoint stands whose end was never observed: exp(−1000) is 0."""
NEAR = 1e-6
"""How near to 0 or 1 the mean of a share between its ends may come."""
State = tuple[np.ndarray | float, np.ndarray]
Spread = Mapping[str, Any]
"""Parameters beside the predictor, broadcast against it: residual_sd, nu, low, high, precision."""


@dataclass(frozen=True)
class MediatorKind:
    """One mediator's distribution.

    Attributes
    ----------
    mean : callable
        (predictor, spread) to expected value.
    value : callable
        (uniform, predictor, spread) to a value that rises with the uniform: an inverse distribution function, so that
        one uniform serves every world. A share between its ends takes one of two values that share the beta's first
        three moments (Gauss–Jacobi): what is averaged over them is a smooth function of the share.
    log_probability : callable
        (value, predictor, spread) to log density or log probability, elementwise.
    between : callable
        (value, predictor, spread) to the probabilities of less than the value and of at most the value, elementwise:
        equal where the distribution is continuous, apart where the value has a probability of its own.
    states : callable or None
        (predictor, spread) to the few values that it takes, each with its probability; None where it is continuous.
    """

    mean: Callable[[np.ndarray, Spread], np.ndarray]
    value: Callable[[np.ndarray, np.ndarray, Spread], np.ndarray]
    log_probability: Callable[[np.ndarray, np.ndarray, Spread], np.ndarray]
    between: Callable[[np.ndarray, np.ndarray, Spread], tuple[np.ndarray, np.ndarray]]
    states: Callable[[np.ndarray, Spread], list[State]] | None = None


def _same(predictor: np.ndarray, spread: Spread) -> np.ndarray:  # noqa: ARG001
    return predictor


def _probability(predictor: np.ndarray, spread: Spread) -> np.ndarray:  # noqa: ARG001
    return expit(predictor)


def _share_mean(predictor: np.ndarray, spread: Spread) -> np.ndarray:
    zero, one = ends(predictor, spread)
    return one + (1 - zero - one) * expit(predictor)


def ends(predictor: np.ndarray, spread: Spread) -> tuple[np.ndarray, np.ndarray]:
    """Probability that a share is exactly 0, and exactly 1."""
    return expit(spread["low"] - predictor), expit(predictor - spread["high"])


def _normal_value(uniform: np.ndarray, predictor: np.ndarray, spread: Spread) -> np.ndarray:
    return predictor + spread["residual_sd"] * special.ndtri(uniform)


def _student_value(uniform: np.ndarray, predictor: np.ndarray, spread: Spread) -> np.ndarray:
    return predictor + spread["residual_sd"] * student_quantile(uniform, spread["nu"])


def student_quantile(uniform: np.ndarray, nu: np.ndarray) -> np.ndarray:
    """Quantiles of Student's t, linear in 1/ν between 200 knots (to 1e-3 within ±4 for ν ≥ 2).

    Parameters
    ----------
    uniform : ndarray, (point,)
        Probabilities.
    nu : ndarray, (draw, 1)
        Degrees of freedom.

    Returns
    -------
    ndarray, (draw, point)
    """
    inverse = 1 / np.ravel(nu)
    if np.ptp(inverse) == 0:
        return np.broadcast_to(stats.t.ppf(uniform, 1 / inverse[0]), (inverse.size, uniform.size))
    knots = np.linspace(inverse.min(), inverse.max(), 200)
    table = stats.t.ppf(uniform, 1 / knots[:, None])
    place = np.clip((inverse - knots[0]) / (knots[1] - knots[0]), 0, knots.size - 1 - 1e-9)
    left = place.astype(int)
    part = (place - left)[:, None]
    return (1 - part) * table[left] + part * table[left + 1]


def _binary_value(uniform: np.ndarray, predictor: np.ndarray, spread: Spread) -> np.ndarray:  # noqa: ARG001
    return (uniform > expit(-predictor)).astype(float)


def _share_value(uniform: np.ndarray, predictor: np.ndarray, spread: Spread) -> np.ndarray:
    zero, one = ends(predictor, spread)
    lower, upper, weight = two_points(expit(predictor), spread["precision"])
    between = np.where(uniform < zero + weight * (1 - zero - one), lower, upper)
    return np.where(uniform < zero, 0.0, np.where(uniform >= 1 - one, 1.0, between))


def _binary_states(predictor: np.ndarray, spread: Spread) -> list[State]:  # noqa: ARG001
    one = expit(predictor)
    return [(0.0, 1 - one), (1.0, one)]


def _share_states(predictor: np.ndarray, spread: Spread) -> list[State]:
    zero, one = ends(predictor, spread)
    lower, upper, weight = two_points(expit(predictor), spread["precision"])
    between = 1 - zero - one
    return [(0.0, zero), (lower, weight * between), (upper, (1 - weight) * between), (1.0, one)]


def two_points(mean: Any, precision: Any) -> tuple[Any, Any, Any]:
    """Two values and the lower one's weight, with the first three moments of Beta(mean · φ, (1 − mean) · φ).

    For a variable with mean m, SD s and skewness g the values are m + s (g ± √(g² + 4)) / 2.
    NumPy or PyTensor alike.
    """
    # what is nearer to an end has next to no probability between the ends; its skewness would lose all digits
    mean = mean.clip(NEAR, 1 - NEAR)
    spread = (mean * (1 - mean) / (precision + 1)) ** 0.5
    # the skewness of a beta distribution, s the SD of its mean-precision form
    skew = 2 * (1 - 2 * mean) * (precision + 1) ** 0.5 / ((precision + 2) * (mean * (1 - mean)) ** 0.5)
    root = (skew**2 + 4) ** 0.5
    low, high = (skew - root) / 2, (skew + root) / 2
    return mean + spread * low, mean + spread * high, high / (high - low)


def _log_normal(value: np.ndarray, predictor: np.ndarray, spread: Spread) -> np.ndarray:
    sd = spread["residual_sd"]
    return -0.5 * ((value - predictor) / sd) ** 2 - np.log(sd) - 0.5 * np.log(2 * np.pi)


def _log_student(value: np.ndarray, predictor: np.ndarray, spread: Spread) -> np.ndarray:
    return stats.t.logpdf(value, spread["nu"], predictor, spread["residual_sd"])


def _log_binary(value: np.ndarray, predictor: np.ndarray, spread: Spread) -> np.ndarray:  # noqa: ARG001
    return log_expit(np.where(value > 0, predictor, -predictor))


def log_between(predictor: np.ndarray, spread: Spread) -> np.ndarray:
    """Log probability that a share lies between its ends; loses no digits in the tails."""
    low, high = spread["low"], spread["high"]
    return log_expit(predictor - low) + log_expit(high - predictor) + np.log1p(-np.exp(low - high))


def _log_share(value: np.ndarray, predictor: np.ndarray, spread: Spread) -> np.ndarray:
    within = (value > 0) & (value < 1)
    safe, mean, precision = np.where(within, value, 0.5), expit(predictor), spread["precision"]
    alpha, beta = mean * precision, (1 - mean) * precision
    density = (alpha - 1) * np.log(safe) + (beta - 1) * np.log1p(-safe) - special.betaln(alpha, beta)
    zero, one = log_expit(spread["low"] - predictor), log_expit(predictor - spread["high"])
    return np.where(within, log_between(predictor, spread) + density, np.where(value == 0, zero, one))


def _normal_below(value: np.ndarray, predictor: np.ndarray, spread: Spread) -> tuple[np.ndarray, np.ndarray]:
    below = special.ndtr((value - predictor) / spread["residual_sd"])
    return below, below


def _student_below(value: np.ndarray, predictor: np.ndarray, spread: Spread) -> tuple[np.ndarray, np.ndarray]:
    below = special.stdtr(spread["nu"], (value - predictor) / spread["residual_sd"])
    return below, below


def _binary_below(
    value: np.ndarray,
    predictor: np.ndarray,
    spread: Spread,  # noqa: ARG001
) -> tuple[np.ndarray, np.ndarray]:
    zero = special.expit(-predictor)
    return np.where(value > 0, zero, 0.0), np.where(value > 0, 1.0, zero)


def _share_below(value: np.ndarray, predictor: np.ndarray, spread: Spread) -> tuple[np.ndarray, np.ndarray]:
    zero, one = ends(predictor, spread)
    within = (value > 0) & (value < 1)
    mean = np.clip(special.expit(predictor), 1e-12, 1 - 1e-12)
    part = special.betainc(mean * spread["precision"], (1 - mean) * spread["precision"], np.where(within, value, 0.5))
    inside = zero + (1 - zero - one) * part
    left = np.where(within, inside, np.where(value > 0, 1 - one, 0.0))
    return left, np.where(within, inside, np.where(value > 0, 1.0, zero))


MEDIATOR_KINDS: Mapping[str, MediatorKind] = {
    "normal": MediatorKind(_same, _normal_value, _log_normal, _normal_below),
    "student": MediatorKind(_same, _student_value, _log_student, _student_below),
    "binary": MediatorKind(_probability, _binary_value, _log_binary, _binary_below, _binary_states),
    "share": MediatorKind(_share_mean, _share_value, _log_share, _share_below, _share_states),
}
"""Every mediator's distribution by the name that `Mediators.kind` carries."""
