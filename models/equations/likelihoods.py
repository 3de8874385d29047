"""Log probabilities of a trial's observed outcomes, draw by draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

    from models.design.layout import Design


def cell_log_probability(predictor: np.ndarray, draws: xr.Dataset, design: Design) -> np.ndarray:
    """Log probability of every observed outcome given its predictor, in the outcome's own unit, as `predictor`."""
    rule = design.family.log_probability
    # a continuous outcome is standardised: its density is per unit of the outcome itself
    return rule(design.outcome, predictor, dispersion(draws, design)[..., None]) - np.log(design.scale)


def dispersion(draws: xr.Dataset, design: Design) -> np.ndarray:
    """Parameter of the outcome's spread at each draw, (chain, draw); 0 where its distribution has none."""
    name = design.family.spread
    return draws[name].to_numpy() if name else np.zeros(draws["mu_0"].shape)
