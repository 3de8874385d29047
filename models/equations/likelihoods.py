"""Log probabilities of a trial's observed outcomes, draw by draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models.equations.terms import dispersions

if TYPE_CHECKING:
    import xarray as xr

    from models.design.layout import Design


def cell_log_probability(predictor: np.ndarray, draws: xr.Dataset, design: Design) -> np.ndarray:
    """Log probability of every observed outcome given its predictor, in the outcome's own unit, as `predictor`."""
    rule = design.family.log_probability
    # a continuous outcome is standardised: its density is per unit of the outcome itself
    return rule(design.outcome, predictor, dispersion(draws, design)) - np.log(design.scale)


def dispersion(draws: xr.Dataset, design: Design) -> np.ndarray:
    """Spread of each observed outcome, (chain, draw, observation); 0 where its distribution has none."""
    names = [name for name in (design.family.spread, design.family.spread_ratio) if name in draws]
    values = {name: draws[name].to_numpy() for name in names}
    found = dispersions(values, design, design.arm[design.participant_of], design.wave_of)
    return np.broadcast_to(found, (*draws["mu_0"].shape, design.outcome.size))
