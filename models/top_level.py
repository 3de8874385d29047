"""Top-level parameters of any model, as its prior has them: draws and log densities (NumPy alone)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

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
        density = priors[name].log_density(draws[name].to_numpy())
        found[name] = (("chain", "draw", *dims)[: density.ndim], density)
    return xr.Dataset(found, {name: draws[name] for name in ("chain", "draw")})
