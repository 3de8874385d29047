"""A model and a trial, ready to be sampled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr


@dataclass(frozen=True)
class Ready:
    """A log density, where chains begin, and what its points mean.

    Attributes
    ----------
    density : numba.core.ccallback.CFunc
        Log density and slopes as a C function (`kernels.by_address`).
    trial : tuple
        What it reads.
    middle : ndarray, (unknown,)
        Around which chains begin.
    named : callable
        From points (chain, draw, unknown) to the parameters by name, dims (chain, draw, …).
    """

    density: Any
    trial: tuple
    middle: np.ndarray
    named: Callable[[np.ndarray], xr.Dataset]
