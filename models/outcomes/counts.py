"""Counts of events: the negative binomial."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from scipy import stats

from models.outcomes.family import FARTHEST, Family

POISSON_BELOW = 1e-5
"""1/√α below this is Poisson to nine digits, while the gamma functions at α = 1/dispersion² lose theirs."""
SUMMED = 1000
"""Terms of a sum over a count that are added one by one."""
_MOST = 1e15
"""A mean beyond it overflows NumPy's Poisson; such a prior draw is already absurd for a count."""


class NegativeBinomial(Family):
    """Mean exp(η), variance mean + dispersion² mean²."""

    name, number, kind = "negative binomial", 2, "count"
    values = "count"
    spread = "dispersion"
    least = 0.0
    effect_scale, unit = "log-mean", "events"
    heavy_tails = False  # the mean of exp(slope × t) is infinite
    estimands: ClassVar = {
        "mean": ("mean", "mean count", "events"),
        "difference": ("mean_difference", "difference in mean count, treated minus control", "events"),
        "ratio": ("rate_ratio", "rate ratio, treated over control", "ratio"),
        "change": ("change", "change in mean count since baseline", "events"),
    }

    def mean(self, predictor: np.ndarray) -> np.ndarray:
        """exp(η)."""
        return np.exp(predictor)

    def linked(self, mean: np.ndarray) -> np.ndarray:
        """Log mean."""
        return np.log(mean)

    def linked_slope(self, mean: np.ndarray) -> np.ndarray:
        """Of the log mean."""
        return 1 / mean

    def marginal_mean(self, predictor: np.ndarray, sd: np.ndarray) -> np.ndarray:
        """exp(η + SD²/2)."""
        return np.exp(predictor + sd**2 / 2)

    def log_probability(self, outcome: np.ndarray, predictor: np.ndarray, dispersion: np.ndarray) -> np.ndarray:
        """Of a count."""
        alpha = 1 / np.maximum(dispersion, POISSON_BELOW) ** 2
        mean = np.exp(predictor)
        return stats.nbinom.logpmf(outcome, alpha, alpha / (alpha + mean))

    def draw(self, rng: np.random.Generator, predictor: np.ndarray, dispersion: np.ndarray) -> np.ndarray:
        """A Poisson count of a gamma-distributed mean."""
        alpha = 1 / np.maximum(dispersion, POISSON_BELOW) ** 2
        mean = np.exp(predictor) * rng.standard_gamma(np.broadcast_to(alpha, predictor.shape)) / alpha
        return rng.poisson(np.minimum(mean, _MOST))

    def variable(self, predictor: Any, dispersion: Any) -> Any:
        """PyMC's, by mean and α."""
        import pymc as pm

        return pm.NegativeBinomial("outcome", **_arguments(predictor, dispersion))

    def symbolic(self, value: Any, predictor: Any, dispersion: Any) -> Any:
        """PyMC's."""
        import pymc as pm

        return pm.logp(pm.NegativeBinomial.dist(**_arguments(predictor, dispersion)), value)

    @staticmethod
    def constant(value: float, dispersion: float) -> tuple[float, float]:
        """Log Γ(y + α) − log Γ(α) − log y! and its slope; a sum in place of a difference that loses its digits."""
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
        return total, slope * (0.0 if dispersion <= POISSON_BELOW else -2.0 / dispersion**3)

    @staticmethod
    def cell(value: float, predictor: float, dispersion: float) -> tuple[float, float, float, float]:
        """Y η − (y + α) log(1 + mean/α) with its slopes."""
        eta = min(max(predictor, -FARTHEST), FARTHEST)
        alpha = 1.0 / max(dispersion, POISSON_BELOW) ** 2
        mean = math.exp(eta)
        share, spread = mean / (alpha + mean), math.log1p(mean / alpha)
        log = value * eta - (value + alpha) * spread
        by_alpha = (value + alpha) * share / alpha - spread
        slope = value - (value + alpha) * share
        alpha_slope = 0.0 if dispersion <= POISSON_BELOW else -2.0 / dispersion**3
        return log, slope, -(value + alpha) * share * (1.0 - share), by_alpha * alpha_slope

    @staticmethod
    def integrand(tau: float, members: int, information: float) -> tuple[float, float, float]:  # noqa: ARG004
        """exp(−exp(η + τx)) grows without bound beyond π/2τ; information grows beside the mode."""
        return information, math.pi / (2.0 * tau), 0.7

    def shifted(self, mean: np.ndarray, delta: np.ndarray) -> np.ndarray:
        """A difference in log means."""
        return mean * np.exp(delta)

    def levelled(self, outcome: np.ndarray) -> np.ndarray:
        """log(1 + y)."""
        return np.log1p(outcome)

    def change_unit(self, baseline: np.ndarray, scale: float) -> np.ndarray:  # noqa: ARG002
        """The baseline mean."""
        return baseline

    def regression(self, outcome: np.ndarray, matrix: np.ndarray, offset: np.ndarray | None = None) -> Any:
        """Poisson: consistent for means whatever the variance."""
        from statsmodels.genmod.families import Poisson
        from statsmodels.genmod.generalized_linear_model import GLM

        return GLM(outcome, matrix, family=Poisson(), offset=offset)


def _arguments(predictor: Any, dispersion: Any) -> dict[str, Any]:
    import pytensor.tensor as pt

    return {"mu": pt.exp(predictor), "alpha": pt.maximum(dispersion, POISSON_BELOW) ** -2}
