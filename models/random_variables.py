"""Priors and likelihoods as PyMC random variables: the only place that turns a table row into a distribution."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from models.equations import combination
from models.likelihoods import POISSON_BELOW
from priors.prior import ARGUMENTS, Prior, lkj_shapes
from priors.prior_set import PriorSet

STANDARD = "_standard"
"""Ending of the names of standard normal variables behind a non-centred parameter; they are not kept with the draws."""


PRIOR_NUMBERS = "prior_numbers"
"""Data of a model that hold its priors' numbers: a compiled model can be given other priors of the same shape."""


def prior_numbers(priors: PriorSet, parameters: Iterable[str]) -> np.ndarray:
    """Numbers of the priors that are data of a model, one after the other; correlations and LKJ shapes are built in."""
    return np.array([priors[name].arguments[key] for name in parameters for key in _replaceable(priors[name])])


def built_in(priors: PriorSet, parameters: Iterable[str]) -> tuple:
    """What of the priors a compiled model cannot be given anew: distributions, and the numbers left out above."""
    return tuple(
        (name, priors[name].distribution, *(priors[name].arguments[key] for key in sorted(_fixed(priors[name]))))
        for name in parameters
    )


def _fixed(prior: Prior) -> set[str]:
    return set(ARGUMENTS[prior.distribution]) - set(_replaceable(prior))


def _replaceable(prior: Prior) -> list[str]:
    if prior.distribution == "lkj":
        return []
    return [name for name in ARGUMENTS[prior.distribution] if name != "correlation"]


def declare_parameters(
    dimensions: Mapping[str, tuple[str, ...]], labels: Mapping[str, Sequence[str]], priors: PriorSet
) -> dict[str, Any]:
    """Add every top-level parameter to the model in context.

    Parameters
    ----------
    dimensions : mapping of str to tuple of str
        Names of each parameter's dimensions; none for a scalar.
    labels : mapping of str to sequence of str
        Labels of each dimension.
    priors : PriorSet
        A row for each parameter.
    """
    numbers = pm.Data(PRIOR_NUMBERS, prior_numbers(priors, dimensions))
    place, found = 0, {}
    for name, dims in dimensions.items():
        prior = priors[name]
        given = {key: numbers[place + k] for k, key in enumerate(_replaceable(prior))}
        place += len(given)
        found[name] = _declare(prior, given, dims, [len(labels[dim]) for dim in dims])
    return found


def _declare(prior: Prior, given: Mapping[str, Any], dims: Sequence[str], sizes: Sequence[int]) -> Any:
    """Add one parameter, named as its prior; a joint distribution is over the last of its dimensions."""
    name = prior.parameter
    if prior.distribution == "half_normal":
        return pm.HalfNormal(name, sigma=given["sd"], dims=dims)
    if prior.distribution == "gamma":
        return pm.Gamma(name, alpha=given["shape"], beta=given["rate"], dims=dims)
    if prior.distribution == "lkj":
        halves = pm.Beta(f"{name}{STANDARD}", *[lkj_shapes(prior.arguments["shape"], sizes[-1])] * 2, dims=dims)
        return pm.Deterministic(name, 2 * halves - 1, dims=dims)
    if prior.distribution == "normal" or sizes[-1] == 1:
        return pm.Normal(name, mu=given["mean"], sigma=given["sd"], dims=dims)
    # independent values, combined: the joint normal without a triangular solve in every gradient
    standard = pm.Normal(f"{name}{STANDARD}", dims=dims)
    root = np.linalg.cholesky(prior.correlation(sizes[-1]))
    return pm.Deterministic(name, given["mean"] + given["sd"] * combination(standard, root.T), dims=dims)


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


def declare_outcome(likelihood: str, predictor: Any, dispersion: Any) -> Any:
    """Add the outcome, as a variable that `pm.observe` can fit and `pm.do` can simulate."""
    if likelihood == "probit":
        return pm.CustomDist("outcome", predictor, logp=_probit_logp, random=_probit_random, dtype="int64")
    kind, arguments = _standard_distribution(likelihood, predictor, dispersion)
    return kind("outcome", **arguments)


def log_probability(likelihood: str, value: Any, predictor: Any, dispersion: Any) -> Any:
    """Log probability of outcomes, elementwise."""
    if likelihood == "probit":
        return _probit_logp(value, predictor)
    kind, arguments = _standard_distribution(likelihood, predictor, dispersion)
    return pm.logp(kind.dist(**arguments), value)


def _standard_distribution(likelihood: str, predictor: Any, dispersion: Any) -> tuple[Any, dict[str, Any]]:
    if likelihood == "logit":
        return pm.Bernoulli, {"logit_p": predictor}
    if likelihood == "normal":
        return pm.Normal, {"mu": predictor, "sigma": dispersion}
    return pm.NegativeBinomial, {"mu": pt.exp(predictor), "alpha": pt.maximum(dispersion, POISSON_BELOW) ** -2}


def _probit_logp(value: Any, predictor: Any) -> Any:
    # log Φ(±η) stays finite where log(1 − Φ(η)) has long been −inf; PyMC's own takes √2 in float32
    signed = (2 * value - 1) * predictor
    scaled = signed / np.sqrt(np.float64(2))
    return pt.switch(signed < -1, pt.log(pt.erfcx(-scaled) / 2) - signed**2 / 2, pt.log1p(-pt.erfc(scaled) / 2))


def _probit_random(predictor: np.ndarray, rng: np.random.Generator, size: tuple[int, ...] | None = None) -> np.ndarray:
    return (rng.standard_normal(size) < predictor).astype("int64")
