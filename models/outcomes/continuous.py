"""Continuous outcomes: the normal distribution, in SDs of the first wave."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from models.outcomes.family import Family

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


class Normal(Family):
    """Mean η; a residual SD of each wave and arm."""

    name, number, kind, link = "normal", 3, "continuous", "identity"
    spread, spread_ratio = "residual_sd", "log_sd_ratio"
    standardised = True
    effect_scale, unit = "SD at the first wave", "units"
    # no ratio: the zero of a continuous outcome may be arbitrary, and its mean negative
    estimands: ClassVar = {
        "mean": ("mean", "mean", "units"),
        "difference": ("mean_difference", "difference in mean, treated minus control", "units"),
        "change": ("change", "change in mean since baseline", "units"),
    }

    def mean(self, predictor: np.ndarray) -> np.ndarray:
        """η."""
        return np.asarray(predictor, dtype=float)

    def linked(self, mean: np.ndarray) -> np.ndarray:
        """The mean itself."""
        return np.asarray(mean)

    def linked_slope(self, mean: np.ndarray) -> np.ndarray:
        """1."""
        return np.ones_like(mean)

    def marginal_mean(self, predictor: np.ndarray, sd: np.ndarray) -> np.ndarray:
        """η, whatever the trait."""
        return np.asarray(predictor + 0.0 * sd)

    def log_probability(self, outcome: np.ndarray, predictor: np.ndarray, dispersion: np.ndarray) -> np.ndarray:
        """Log density."""
        return -0.5 * ((outcome - predictor) / dispersion) ** 2 - np.log(dispersion) - 0.5 * np.log(2 * np.pi)

    def draw(self, rng: np.random.Generator, predictor: np.ndarray, dispersion: np.ndarray) -> np.ndarray:
        """Normal."""
        return predictor + dispersion * rng.standard_normal(predictor.shape)

    def variable(self, predictor: Any, dispersion: Any) -> Any:
        """Normal."""
        import pymc as pm

        return pm.Normal("outcome", mu=predictor, sigma=dispersion)

    def symbolic(self, value: Any, predictor: Any, dispersion: Any) -> Any:
        """Normal."""
        import pymc as pm

        return pm.logp(pm.Normal.dist(mu=predictor, sigma=dispersion), value)

    @staticmethod
    def cell(value: float, predictor: float, dispersion: float) -> tuple[float, float, float, float]:
        """Normal log density with its slopes."""
        error = (value - predictor) / dispersion
        log = -0.5 * error * error - math.log(dispersion) - _HALF_LOG_2PI
        return log, error / dispersion, -1.0 / dispersion**2, (error * error - 1.0) / dispersion

    def shifted(self, mean: np.ndarray, delta: np.ndarray) -> np.ndarray:
        """A difference in SDs of the first wave."""
        return mean + delta

    def change_unit(self, baseline: np.ndarray, scale: float) -> np.ndarray:
        """The SD of the first wave."""
        return np.full_like(baseline, scale)

    def regression(self, outcome: np.ndarray, matrix: np.ndarray, offset: np.ndarray | None = None) -> Any:  # noqa: ARG002
        """Least squares."""
        from statsmodels.regression.linear_model import OLS

        return OLS(outcome, matrix)
