"""What is compared with the truth: every top-level parameter and the estimands, one number a draw, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import xarray as xr

from models import estimands
from models.design import Design
from models.simulation.truth import Truth
from models.study import Study
from models.summary import DIFFERENCES

PATHS = (
    "total", "natural_direct", "natural_indirect", "interventional_direct", "interventional_via",
    "interventional_via_reversed", "dependence", "controlled_direct", "mediator_difference",
)  # fmt: skip
"""Path estimands that are compared, each where the model and the design have it."""
RATIOS = ("risk_ratio", "odds_ratio", "rate_ratio")


@dataclass(frozen=True)
class Quantity:
    """One number of interest.

    Attributes
    ----------
    values : ndarray, (chain, draw)
        Its draws.
    estimand : bool
        Whether it is an answer rather than a parameter.
    contrast : bool
        Whether 0 (1 for a ratio) means no difference between the arms.
    ratio : bool
        Whether it is a ratio.
    """

    values: np.ndarray
    estimand: bool
    contrast: bool
    ratio: bool = False

    @property
    def null(self) -> float:
        """Its value where the arms do not differ; NaN where it is no contrast."""
        return (1.0 if self.ratio else 0.0) if self.contrast else np.nan


def quantities(draws: xr.Dataset, model: ModuleType, layout: Design, study: Study) -> dict[str, Quantity]:
    """Every quantity at every draw.

    Parameters
    ----------
    draws : Dataset
        Completed draws of the posterior, or one draw of the prior; dims (chain, draw, …).
    model, layout, study : module, Design, Study
        As analysed.
    """
    found = {}
    for name in model.dimensions(layout):
        contrast = "theta" in name
        for key, values in _elements(name, draws[name]).items():
            found[key] = Quantity(values, False, contrast)
    levels = _population(model, draws, layout)
    for name, array in estimands.contrasts(levels, study).items():
        part = array.sel(average=estimands.POPULATION, drop=True) if "average" in array.dims else array
        contrast = str(name) in (*DIFFERENCES, *RATIOS)
        for key, values in _elements(str(name), part).items():
            found[key] = Quantity(values, True, contrast, str(name) in RATIOS)
    paths = model.path_draws(draws, layout, [part.column for part in study.mediators]).values
    for name in PATHS:
        if name in paths:
            for key, values in _elements(name, paths[name]).items():
                found[key] = Quantity(values, True, True)
    return found


def _population(model: ModuleType, draws: xr.Dataset, layout: Design) -> xr.DataArray:
    """Expected outcomes over the population; the other averages need participants' own traits."""
    return model.response(draws, layout, (estimands.POPULATION,))


def _elements(name: str, array: xr.DataArray) -> dict[str, np.ndarray]:
    """Each element that is known, (chain, draw), named `name[label, label]`."""
    dims = [dim for dim in array.dims if dim not in ("chain", "draw")]
    if not dims:
        return {name: array.transpose("chain", "draw").to_numpy()}
    columns = array.stack(element=dims).transpose("chain", "draw", "element")
    labels = [", ".join(map(str, label)) for label in columns["element"].to_numpy()]
    values = columns.to_numpy()
    return {f"{name}[{label}]": values[..., k] for k, label in enumerate(labels) if not np.isnan(values[..., k]).all()}


def known(truth: Truth, names: Mapping[str, Quantity]) -> dict[str, float]:
    """The simulator's true value of each quantity that it knows, by name."""
    found = {}
    for name in names:
        base, _, inside = name.removesuffix("]").partition("[")
        keys = inside.split(", ") if inside else []
        base = {"total": "interventional_total"}.get(base, base)
        try:
            found[name] = truth.value(base, *keys)
        except (KeyError, TypeError):
            continue  # the simulator knows no parameter, and not every estimand
    return found
