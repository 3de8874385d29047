"""Top-level parameters of any model, as its prior has them: draws and log densities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from scipy import stats

from priors.prior import Prior
from priors.prior_set import PriorSet

Dimensions = Mapping[str, tuple[str, ...]]
"""Names of each parameter's dimensions; none for a scalar."""


def drawn(
    dimensions: Dimensions, labels: Mapping[str, Sequence[str]], priors: PriorSet, draws: int, seeds: Sequence[Any]
) -> xr.Dataset:
    """Independent draws, named and shaped as a posterior, dims (chain 1, draw, …).

    Parameters
    ----------
    dimensions : mapping of str to tuple of str
        Of each parameter.
    labels : mapping of str to sequence of str
        Of each dimension.
    priors : PriorSet
        A row for each parameter.
    draws : int
        How many.
    seeds : sequence
        One for each parameter, as `numpy.random.default_rng` takes them.
    """
    found = {}
    for (name, dims), seed in zip(dimensions.items(), seeds, strict=True):
        value = priors[name].sample(np.random.default_rng(seed), (draws, *(len(labels[dim]) for dim in dims)))
        found[name] = (("chain", "draw", *dims), value[None])
    used = {dim: labels[dim] for dims in dimensions.values() for dim in dims}
    return xr.Dataset(found, {**used, "chain": [0], "draw": np.arange(draws)})


def log_densities(draws: xr.Dataset, dimensions: Dimensions, priors: PriorSet) -> xr.Dataset:
    """Log density of each parameter's prior at each draw, dims (chain, draw, …); a joint one has no last dim."""
    found = {}
    for name, dims in dimensions.items():
        density = log_density(priors[name], draws[name].to_numpy())
        found[name] = (("chain", "draw", *dims)[: density.ndim], density)
    return xr.Dataset(found, {name: draws[name] for name in ("chain", "draw")})


def log_density(prior: Prior, value: np.ndarray) -> np.ndarray:
    """Log density, in nats; the joint density over the last axis for `exchangeable_normal` and `lkj`.

    Parameters
    ----------
    prior : Prior
        Of a parameter.
    value : ndarray
        Values of the parameter; any shape.

    Returns
    -------
    ndarray
        Same shape as `value`, less the last axis for joint distributions. Of `lkj` up to a constant.
    """
    number = prior.arguments
    match prior.distribution:
        case "gamma":
            return stats.gamma.logpdf(value, number["shape"], scale=1 / number["rate"])
        case "student_t":
            return stats.t.logpdf(value, number["df"], number["mean"], number["scale"])
        case "beta":
            return stats.beta.logpdf(value, number["a"], number["b"])
        case "half_normal":
            return stats.halfnorm.logpdf(value, scale=number["sd"])
        case "normal":
            return stats.norm.logpdf(value, number["mean"], number["sd"])
        case "lkj":
            # the determinant of a correlation matrix is the product of 1 − partial correlation²
            return (number["shape"] - 1) * np.log1p(-(value**2)).sum(-1)
    size = value.shape[-1]
    joint = stats.multivariate_normal.logpdf(value, np.full(size, number["mean"]), prior.covariance(size))
    return np.reshape(joint, value.shape[:-1])  # SciPy drops axes of length 1
