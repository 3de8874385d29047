"""Priors and likelihoods as PyMC random variables: the only place that turns a table row into a distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from models.equations import combination
from models.likelihoods import POISSON_BELOW
from priors.prior import Prior

STANDARD = "_standard"
"""Ending of the names of standard normal variables behind a non-centred parameter; they are not kept with the draws."""


def declare(prior: Prior, dims: str | None = None, size: int = 0) -> Any:
    """Add a parameter to the model in context.

    Parameters
    ----------
    prior : Prior
        Its row of the prior file; the parameter takes its name.
    dims : str, optional
        Name of its dimension; a scalar without.
    size : int
        Length of that dimension; needed where the distribution is joint.
    """
    # as float64: PyTensor stores a Python float such as 0.75 as float32, and takes its logarithm in that precision
    arguments = {name: np.float64(number) for name, number in prior.arguments.items()}
    if prior.distribution == "half_normal":
        return pm.HalfNormal(prior.parameter, sigma=arguments["sd"], dims=dims)
    if prior.distribution == "normal" or size == 1:
        return pm.Normal(prior.parameter, mu=arguments["mean"], sigma=arguments["sd"], dims=dims)
    # independent values, combined: the joint normal without a triangular solve in every gradient
    standard = pm.Normal(f"{prior.parameter}{STANDARD}", dims=dims)
    root = np.linalg.cholesky(prior.covariance(size))
    return pm.Deterministic(prior.parameter, arguments["mean"] + combination(standard, root.T), dims=dims)


def declare_trait(name: str, scale: Any, around: Any | None) -> Any:
    """Add each participant's own trait, N(0, scale²), in the form that NUTS explores best.

    Parameters
    ----------
    name : str
        Name of the trait.
    scale : tensor
        Its SD.
    around : tensor or None
        None: sampled as a multiple of its SD, for data that say little of each participant. Otherwise what the trait is
        added to: their sum is sampled (hierarchical centring), for data that pin each participant down.
    """
    if around is None:
        standard = pm.Normal(f"{name}{STANDARD}", dims="participant")
        return pm.Deterministic(name, scale * standard, dims="participant")
    whole = pm.Normal(f"{name}_level{STANDARD}", mu=around, sigma=scale, dims="participant")
    return pm.Deterministic(name, whole - around, dims="participant")


def declare_outcome(likelihood: str, predictor: Any, dispersion: Any, dims: Sequence[str]) -> Any:
    """Add the outcome, as a variable that `pm.observe` can fit and `pm.do` can simulate."""
    if likelihood == "logit":
        return pm.Bernoulli("outcome", logit_p=predictor, dims=dims)
    if likelihood == "probit":
        return pm.CustomDist("outcome", predictor, logp=_probit_logp, random=_probit_random, dtype="int64", dims=dims)
    alpha = pt.maximum(dispersion, POISSON_BELOW) ** -2
    return pm.NegativeBinomial("outcome", mu=pt.exp(predictor), alpha=alpha, dims=dims)


def _probit_logp(value: Any, predictor: Any) -> Any:
    # log Φ(±η) stays finite where log(1 − Φ(η)) has long been −inf; PyMC's own takes √2 in float32
    signed = (2 * value - 1) * predictor
    scaled = signed / np.sqrt(np.float64(2))
    return pt.switch(signed < -1, pt.log(pt.erfcx(-scaled) / 2) - signed**2 / 2, pt.log1p(-pt.erfc(scaled) / 2))


def _probit_random(predictor: np.ndarray, rng: np.random.Generator, size: tuple[int, ...] | None = None) -> np.ndarray:
    return (rng.standard_normal(size) < predictor).astype("int64")
