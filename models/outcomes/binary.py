"""Yes-or-no outcomes: logit and probit."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from scipy import special

from models.numerics.logistic import expit, log_expit
from models.numerics.quadrature import logistic_normal_mean
from models.outcomes.family import FARTHEST, Family

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
_ASYMPTOTIC = -36.0
"""Below it Φ underflows; its asymptotic series then holds to 1e-15."""


class Binary(Family):
    """What both links share."""

    kind = "binary"
    values = "binary"
    least, most = 0.0, 1.0
    unit = "points"
    estimands: ClassVar = {
        "mean": ("risk", "risk", "risk"),
        "difference": ("risk_difference", "risk difference, treated minus control", "risk"),
        "ratio": ("risk_ratio", "risk ratio, treated over control", "ratio"),
        "odds_ratio": ("odds_ratio", "marginal odds ratio, treated over control", "ratio"),
        "change": ("change", "change in risk since baseline", "risk"),
    }

    def draw(self, rng: np.random.Generator, predictor: np.ndarray, dispersion: np.ndarray) -> np.ndarray:  # noqa: ARG002
        """Zeros and ones."""
        return (rng.random(predictor.shape) < self.mean(predictor)).astype(int)

    def shifted(self, mean: np.ndarray, delta: np.ndarray) -> np.ndarray:
        """A difference in log-odds, whatever the link."""
        inside = np.clip(mean, 1e-300, 1 - 1e-16)
        return np.where(delta == 0, mean, expit(np.log(inside) - np.log1p(-inside) + delta))

    def regression(self, outcome: np.ndarray, matrix: np.ndarray, offset: np.ndarray | None = None) -> Any:  # noqa: ARG002
        """Logistic regression."""
        from statsmodels.genmod.families import Binomial
        from statsmodels.genmod.generalized_linear_model import GLM

        return GLM(outcome, matrix, family=Binomial())


class Logit(Binary):
    """P(1) = logit⁻¹(η)."""

    name, number, link = "logit", 0, "logit"
    effect_scale = "log-odds"

    def mean(self, predictor: np.ndarray) -> np.ndarray:
        """The risk."""
        return expit(predictor)

    def linked(self, mean: np.ndarray) -> np.ndarray:
        """Log odds."""
        return special.logit(mean)

    def linked_slope(self, mean: np.ndarray) -> np.ndarray:
        """Of log odds in the risk."""
        return 1 / (mean * (1 - mean))

    def marginal_mean(self, predictor: np.ndarray, sd: np.ndarray) -> np.ndarray:
        """By quadrature, exact to 1e-9."""
        return logistic_normal_mean(predictor, sd)

    def log_probability(self, outcome: np.ndarray, predictor: np.ndarray, dispersion: np.ndarray) -> np.ndarray:  # noqa: ARG002
        """Bernoulli, without loss of digits in the tails."""
        return log_expit(np.where(outcome > 0, predictor, -predictor))

    def variable(self, predictor: Any, dispersion: Any) -> Any:  # noqa: ARG002
        """Bernoulli."""
        import pymc as pm

        return pm.Bernoulli("outcome", logit_p=predictor)

    def symbolic(self, value: Any, predictor: Any, dispersion: Any) -> Any:  # noqa: ARG002
        """Bernoulli."""
        import pymc as pm

        return pm.logp(pm.Bernoulli.dist(logit_p=predictor), value)

    @staticmethod
    def cell(value: float, predictor: float, dispersion: float) -> tuple[float, float, float, float]:  # noqa: ARG004
        """Bernoulli with its slopes."""
        eta = min(max(predictor, -FARTHEST), FARTHEST)
        signed = eta if value > 0 else -eta
        small = math.exp(-abs(signed))
        wrong = (small if signed >= 0.0 else 1.0) / (1.0 + small)
        log = min(signed, 0.0) - math.log1p(small)
        return log, wrong if value > 0 else -wrong, -wrong * (1.0 - wrong), 0.0

    @staticmethod
    def integrand(tau: float, members: int, information: float) -> tuple[float, float, float]:  # noqa: ARG004
        """Poles where the odds are −1; at most ¼ of information a cell."""
        return members / 4.0, math.pi / tau, 0.8


class Probit(Binary):
    """P(1) = Φ(η)."""

    name, number, link = "probit", 1, "probit"
    effect_scale = "probits"

    def mean(self, predictor: np.ndarray) -> np.ndarray:
        """The risk."""
        return special.ndtr(predictor)

    def linked(self, mean: np.ndarray) -> np.ndarray:
        """Probit."""
        return special.ndtri(mean)

    def linked_slope(self, mean: np.ndarray) -> np.ndarray:
        """Of the probit in the risk: 1/φ(Φ⁻¹(risk))."""
        return np.sqrt(2 * np.pi) * np.exp(special.ndtri(mean) ** 2 / 2)

    def marginal_mean(self, predictor: np.ndarray, sd: np.ndarray) -> np.ndarray:
        """Φ(η / √(1 + SD²))."""
        return special.ndtr(predictor / np.sqrt(1 + sd**2))

    def log_probability(self, outcome: np.ndarray, predictor: np.ndarray, dispersion: np.ndarray) -> np.ndarray:  # noqa: ARG002
        """Bernoulli, without loss of digits in the tails."""
        return special.log_ndtr(np.where(outcome > 0, predictor, -predictor))

    def variable(self, predictor: Any, dispersion: Any) -> Any:  # noqa: ARG002
        """Bernoulli, by its own log probability."""
        import pymc as pm

        return pm.CustomDist("outcome", predictor, logp=_probit_logp, random=_probit_random, dtype="int64")

    def symbolic(self, value: Any, predictor: Any, dispersion: Any) -> Any:  # noqa: ARG002
        """Bernoulli."""
        return _probit_logp(value, predictor)

    @staticmethod
    def cell(value: float, predictor: float, dispersion: float) -> tuple[float, float, float, float]:  # noqa: ARG004
        """Log Φ(±η) with its slopes, by Mills' ratio."""
        eta = min(max(predictor, -FARTHEST), FARTHEST)
        at = eta if value > 0 else -eta
        log_density = -0.5 * at * at - _HALF_LOG_2PI
        if at > _ASYMPTOTIC:
            tail = 0.5 * math.erfc(-at / math.sqrt(2.0))
            log = math.log1p(-0.5 * math.erfc(at / math.sqrt(2.0))) if at > 0 else math.log(tail)
            mills = math.exp(log_density) / tail
        else:
            inverse = 1.0 / (at * at)
            series = 1.0 - inverse * (1.0 - 3.0 * inverse * (1.0 - 5.0 * inverse * (1.0 - 7.0 * inverse)))
            log, mills = log_density - math.log(-at) + math.log(series), -at / series
        return log, mills if value > 0 else -mills, -mills * (at + mills), 0.0

    @staticmethod
    def integrand(tau: float, members: int, information: float) -> tuple[float, float, float]:  # noqa: ARG004
        """No pole; at most 1 of information a cell."""
        return float(members), math.inf, 0.8


def _probit_logp(value: Any, predictor: Any) -> Any:
    """PyTensor: log Φ(±η) stays finite where log(1 − Φ(η)) has long been −inf; PyMC's own takes √2 in float32."""
    import pytensor.tensor as pt

    signed = (2 * value - 1) * predictor
    scaled = signed / np.sqrt(np.float64(2))
    return pt.switch(signed < -1, pt.log(pt.erfcx(-scaled) / 2) - signed**2 / 2, pt.log1p(-pt.erfc(scaled) / 2))


def _probit_random(predictor: np.ndarray, rng: np.random.Generator, size: tuple[int, ...] | None = None) -> np.ndarray:
    return (rng.standard_normal(size) < predictor).astype("int64")
