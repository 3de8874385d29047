"""How an outcome arises from its linear predictor: the numbers layer (NumPy), one row a likelihood."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special, stats

from models import quadrature
from models.logistic import expit, log_expit

if TYPE_CHECKING:
    import xarray as xr

    from models.design import Design


@dataclass(frozen=True)
class Likelihood:
    """One outcome distribution.

    Attributes
    ----------
    mean : callable
        Linear predictor to expected value (a risk, or a mean count).
    marginal_mean : callable
        (predictor, SD of a normal trait added to it) to the expected value over that trait.
    log_probability : callable
        (outcome, predictor, dispersion) to log probability, elementwise.
    draw : callable
        (generator, predictor, dispersion) to simulated outcomes.
    binary : bool
        Whether the outcome is 0 or 1.
    spread : str
        Name of the parameter of its spread, passed as `dispersion`; empty where there is none.
    """

    mean: Callable[[np.ndarray], np.ndarray]
    marginal_mean: Callable[[np.ndarray, np.ndarray], np.ndarray]
    log_probability: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
    draw: Callable[[np.random.Generator, np.ndarray, np.ndarray], np.ndarray]
    binary: bool
    spread: str


def _draw_binary(mean: Callable[[np.ndarray], np.ndarray]) -> Callable[..., np.ndarray]:
    def draw(rng: np.random.Generator, predictor: np.ndarray, dispersion: np.ndarray) -> np.ndarray:  # noqa: ARG001
        return (rng.random(predictor.shape) < mean(predictor)).astype(int)

    return draw


def _log_bernoulli_logit(outcome: np.ndarray, predictor: np.ndarray, dispersion: np.ndarray) -> np.ndarray:  # noqa: ARG001
    return log_expit(np.where(outcome > 0, predictor, -predictor))


def _log_bernoulli_probit(outcome: np.ndarray, predictor: np.ndarray, dispersion: np.ndarray) -> np.ndarray:  # noqa: ARG001
    return special.log_ndtr(np.where(outcome > 0, predictor, -predictor))


# 1/sqrt(alpha) below this is Poisson to nine digits, while the gamma functions at alpha = 1/dispersion² lose theirs
POISSON_BELOW = 1e-5


def _log_negative_binomial(outcome: np.ndarray, predictor: np.ndarray, dispersion: np.ndarray) -> np.ndarray:
    alpha = 1 / np.maximum(dispersion, POISSON_BELOW) ** 2
    mean = np.exp(predictor)
    return stats.nbinom.logpmf(outcome, alpha, alpha / (alpha + mean))


def _draw_negative_binomial(rng: np.random.Generator, predictor: np.ndarray, dispersion: np.ndarray) -> np.ndarray:
    alpha = 1 / np.maximum(dispersion, POISSON_BELOW) ** 2
    # a mean beyond 1e15 overflows NumPy's Poisson; such a prior draw is already absurd for a count
    mean = np.minimum(np.exp(predictor) * rng.standard_gamma(np.broadcast_to(alpha, predictor.shape)) / alpha, 1e15)
    return rng.poisson(mean)


def _marginal_probit(predictor: np.ndarray, sd: np.ndarray) -> np.ndarray:
    return special.ndtr(predictor / np.sqrt(1 + sd**2))


def _marginal_log(predictor: np.ndarray, sd: np.ndarray) -> np.ndarray:
    return np.exp(predictor + sd**2 / 2)


def _same(predictor: np.ndarray) -> np.ndarray:
    return np.asarray(predictor, dtype=float)


def _marginal_same(predictor: np.ndarray, sd: np.ndarray) -> np.ndarray:
    return np.asarray(predictor + 0.0 * sd)


def _log_normal_density(outcome: np.ndarray, predictor: np.ndarray, dispersion: np.ndarray) -> np.ndarray:
    return -0.5 * ((outcome - predictor) / dispersion) ** 2 - np.log(dispersion) - 0.5 * np.log(2 * np.pi)


def _draw_normal(rng: np.random.Generator, predictor: np.ndarray, dispersion: np.ndarray) -> np.ndarray:
    return predictor + dispersion * rng.standard_normal(predictor.shape)


LIKELIHOODS: Mapping[str, Likelihood] = {
    "logit": Likelihood(expit, quadrature.logistic_normal_mean, _log_bernoulli_logit, _draw_binary(expit), True, ""),
    "probit": Likelihood(special.ndtr, _marginal_probit, _log_bernoulli_probit, _draw_binary(special.ndtr), True, ""),
    "negative binomial": Likelihood(
        np.exp, _marginal_log, _log_negative_binomial, _draw_negative_binomial, False, "dispersion"
    ),
    "normal": Likelihood(_same, _marginal_same, _log_normal_density, _draw_normal, False, "residual_sd"),
}
"""Every likelihood by the name that `Design.likelihood` carries."""


def cell_log_probability(predictor: np.ndarray, draws: xr.Dataset, design: Design) -> np.ndarray:
    """Log probability of every observed outcome given its predictor, in the outcome's own unit, as `predictor`."""
    rule = LIKELIHOODS[design.likelihood].log_probability
    # a continuous outcome is standardised: its density is per unit of the outcome itself
    return rule(design.outcome, predictor, dispersion(draws, design)[..., None]) - np.log(design.scale)


def dispersion(draws: xr.Dataset, design: Design) -> np.ndarray:
    """Parameter of the outcome's spread at each draw, (chain, draw); 0 where its distribution has none."""
    name = LIKELIHOODS[design.likelihood].spread
    return draws[name].to_numpy() if name else np.zeros(draws["mu_0"].shape)
