"""How much the answer leans on the priors: power-scaling of the top-level priors and of the likelihood."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import arviz_stats
import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats.base import array_stats

from models.estimands import coordinates
from models.estimands.path_draws import PathDraws

LIMIT = 0.10
"""Sensitivity index above which the gate is amber."""
POWERS = (0.8, 1.25)
"""Powers of the prior for the shift in the estimand's own units."""


PATHS = ("total", "interventional_direct", "interventional_via", "natural_indirect", "change_via", "change_remainder")
"""Estimands of the mediation model whose sensitivity is measured."""


def power_scaling(draws: xr.Dataset, log_prior: xr.Dataset, log_likelihood: xr.DataArray) -> pd.DataFrame:
    """Sensitivity of each element to the priors and to the likelihood (Kallioinen et al. 2023).

    Parameters
    ----------
    draws : Dataset
        Estimands, dims (chain, draw, …).
    log_prior : Dataset
        Top-level priors only, dims (chain, draw, …): participants' traits are part of the model.
    log_likelihood : DataArray
        Of the whole trial, dims (chain, draw).

    Returns
    -------
    DataFrame
        element (the next four as one name), estimand, mediator, arm, wave, prior, likelihood (sensitivity indices),
        shift: the difference between the medians under the prior to the powers 1.25 and 0.8, in units of the estimand;
        flag where the prior's index exceeds 0.10.
    """
    total = xr.concat([_summed(log_prior[name]) for name in log_prior], dim="parameter").sum("parameter")
    tree = xr.DataTree.from_dict(
        {
            "posterior": draws.reset_coords(drop=True),  # labels of elements are told apart by their places below
            "log_prior": xr.Dataset({"prior": total}),
            "log_likelihood": xr.Dataset({"outcome": log_likelihood}),
        }
    )
    logger = logging.getLogger("arviz_stats")
    before, logger.level = logger.level, logging.ERROR  # its advice is in the table
    try:
        table = arviz_stats.psense_summary(tree, threshold=LIMIT, round_to=12)
    finally:
        logger.level = before
    # rows of the library's table are the elements in their order
    rows = [_identity(place) for value in draws.values() for place in coordinates.places(value)]
    index = {name: table[name].to_numpy(float) for name in ("prior", "likelihood")}
    return pd.DataFrame(rows).assign(**index, shift=_shifts(draws, total), flag=index["prior"] > LIMIT)


def _identity(place: Mapping[str, str]) -> dict[str, str]:
    where = {name: place.get(name, "") for name in ("mediator", "arm")}
    return {
        "element": coordinates.label(place),
        "estimand": place[coordinates.VARIABLE],
        **where,
        "wave": place.get("contrast", place.get("wave", "")),
    }


def path_scaling(
    paths: PathDraws, wave: str, log_prior: xr.Dataset, log_likelihood: xr.DataArray
) -> pd.DataFrame | None:
    """`power_scaling` of what goes directly and through each mediator at one wave; None where nothing does.

    Parameters
    ----------
    paths : PathDraws
        Of the posterior.
    wave : str
        The primary one.
    log_prior, log_likelihood : Dataset, DataArray
        As for `power_scaling`.
    """
    names = [name for name in PATHS if name in paths.values]
    if not names:
        return None
    flat = PathDraws(paths.values[names].sel(contrast=[wave])).flat
    # what is 0 by construction leans on nothing, and has no index
    varied = {name: value[..., value.std(("chain", "draw")).to_numpy() > 0] for name, value in flat.items()}
    kept = xr.Dataset({name: value for name, value in varied.items() if value.size})
    return power_scaling(kept, log_prior, log_likelihood) if kept else None


def _summed(log_density: xr.DataArray) -> xr.DataArray:
    return log_density.sum([dim for dim in log_density.dims if dim not in ("chain", "draw")])


def _shifts(draws: xr.Dataset, total: xr.DataArray) -> list[float]:
    """Difference between the medians of each element under the two powers of the prior."""
    low, high = (np.exp(array_stats.power_scale_lw(total.to_numpy().ravel(), alpha=power)) for power in POWERS)
    found = []
    for value in draws.values():
        cells = value.transpose("chain", "draw", ...).to_numpy().reshape(total.size, -1).T
        found += [_weighted_median(cell, high) - _weighted_median(cell, low) for cell in cells]
    return found


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    share = np.cumsum(weights[order])
    return float(np.interp(0.5 * share[-1], share - 0.5 * weights[order], values[order]))
