"""The three averages that users confuse, and expected outcomes labelled by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from models.design.layout import Design
from models.trial.study_file.study import ARMS

AVERAGES = ("population", "sample", "typical")
OF_GROUPS = ("these groups", "groups equally")
"""Averages over new participants of the groups that were randomised: each member alike, and each group alike."""


def labelled(draws: xr.Dataset, values: np.ndarray, coordinates: Mapping[str, Sequence[str] | None]) -> xr.DataArray:
    """Numbers computed at every draw, with the names of their axes.

    Parameters
    ----------
    draws : Dataset
        Whose chains and draws they are.
    values : ndarray, (sample, …)
        A sample is a draw of any chain.
    coordinates : mapping of str to sequence of str or None
        Names and labels of the further axes, in their order; None for an axis without labels.

    Returns
    -------
    DataArray, (chain, draw, …)
        The same numbers.
    """
    labels = {name: list(each) for name, each in coordinates.items() if each is not None}
    return xr.DataArray(
        values.reshape(draws.sizes["chain"], draws.sizes["draw"], *values.shape[1:]),
        {"chain": draws["chain"], "draw": draws["draw"], **labels},
        dims=("chain", "draw", *coordinates),
    )


def expected_outcomes(draws: xr.Dataset, design: Design, averages: Sequence[str], levels: np.ndarray) -> xr.DataArray:
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
        On the model's scale.

    Returns
    -------
    DataArray, (chain, draw, average, arm, wave)
        In the outcome's own unit.
    """
    return labelled(draws, design.natural(levels), {"average": averages, "arm": ARMS, "wave": design.wave})
