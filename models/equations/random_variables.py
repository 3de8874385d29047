"""Priors and likelihoods as PyMC random variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pymc as pm

from models.equations.predictors import combination
from priors.prior import Prior, lkj_shapes
from priors.prior_set import PriorSet

STANDARD = "_standard"
"""Ending of the names of standard normal variables behind a non-centred parameter."""


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
    return {name: _declare(priors[name], dims, [len(labels[dim]) for dim in dims]) for name, dims in dimensions.items()}


def _declare(prior: Prior, dims: Sequence[str], sizes: Sequence[int]) -> Any:
    """Add one parameter, named as its prior; a joint distribution is over the last of its dimensions."""
    # a plain number that float32 can hold becomes one, and so does whatever PyTensor forms of it
    name, given = prior.parameter, {key: np.float64(number) for key, number in prior.arguments.items()}
    if prior.distribution == "half_normal":
        return pm.HalfNormal(name, sigma=given["sd"], dims=dims)
    if prior.distribution == "gamma":
        return pm.Gamma(name, alpha=given["shape"], beta=given["rate"], dims=dims)
    if prior.distribution == "student_t":
        return pm.StudentT(name, nu=given["df"], mu=given["mean"], sigma=given["scale"], dims=dims)
    if prior.distribution == "lkj":
        halves = pm.Beta(f"{name}{STANDARD}", *[lkj_shapes(given["shape"], sizes[-1])] * 2, dims=dims)
        return pm.Deterministic(name, 2 * halves - 1, dims=dims)
    if prior.distribution == "normal" or sizes[-1] == 1:
        return pm.Normal(name, mu=given["mean"], sigma=given["sd"], dims=dims)
    # independent values, combined: as the kernel samples them
    standard = pm.Normal(f"{name}{STANDARD}", dims=dims)
    root = np.linalg.cholesky(prior.correlation(sizes[-1]))
    return pm.Deterministic(name, given["mean"] + given["sd"] * combination(standard, root.T), dims=dims)


def declare_trait(name: str, scale: Any, around: Any | None) -> Any:
    """Add each participant's own trait, N(0, scale²), in the form in which it is sampled.

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


def observe(model: pm.Model, values: Mapping[str, np.ndarray]) -> pm.Model:
    """A generative model, some of its variables observed.

    Parameters
    ----------
    model : pm.Model
        From a model's `build`.
    values : mapping of str to ndarray
        By the name of the variable.
    """
    return pm.observe(model, {name: value.astype(model[name].dtype) for name, value in values.items()})
