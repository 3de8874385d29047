"""The three averages that users confuse, and expected outcomes labelled by them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from models.design import Design

AVERAGES = ("population", "sample", "typical")
ARMS = ("control", "treated")


def labelled(draws: xr.Dataset, design: Design, averages: Sequence[str], levels: np.ndarray) -> xr.DataArray:
    """Expected outcomes as every model's `response` returns them.

    Parameters
    ----------
    draws : Dataset
        Whose chains and draws they are.
    design : Design
        Its waves, and the outcome's own unit.
    averages : sequence of str
        Names of the averages, in their order.
    levels : ndarray, (sample, average, arm, wave)
        On the model's scale; a sample is a draw of any chain.

    Returns
    -------
    DataArray, (chain, draw, average, arm, wave)
        In the outcome's own unit.
    """
    shape = draws.sizes["chain"], draws.sizes["draw"]
    return xr.DataArray(
        design.natural(levels.reshape(*shape, *levels.shape[1:])),
        {
            "chain": draws["chain"],
            "draw": draws["draw"],
            "average": list(averages),
            "arm": list(ARMS),
            "wave": list(design.wave),
        },
        dims=("chain", "draw", "average", "arm", "wave"),
    )
