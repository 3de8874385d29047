"""The very function that NUTS calls, called from Python."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import numpy as np

from models.equations.kernels.by_address import NOT_FINITE, at_address
from models.equations.ready import Ready

Density = Callable[[np.ndarray], tuple[float, np.ndarray]]
_NUMBERS = ctypes.POINTER(ctypes.c_double)
_CALLED = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, _NUMBERS, _NUMBERS, _NUMBERS, ctypes.c_void_p)


def density_of(ready: Ready) -> Density:
    """Log density and slopes at a point."""
    trial, called = at_address(ready.trial), _CALLED(ready.density.address)

    def found(point: np.ndarray) -> tuple[float, np.ndarray]:
        point = np.ascontiguousarray(point, float)
        slope, value = np.empty(point.size), np.empty(1)
        pointers = [part.ctypes.data_as(_NUMBERS) for part in (point, slope, value)]
        assert called(point.size, *pointers, trial.ctypes.data) == (0 if np.isfinite(value[0]) else NOT_FINITE)
        assert ready.trial  # kept alive: `trial` points at its arrays
        return float(value[0]), slope

    return found


def values_of(ready: Ready, point: np.ndarray) -> dict[str, np.ndarray]:
    """What a point means, by name."""
    return {str(name): value.to_numpy()[0, 0] for name, value in ready.named(point[None, None]).items()}
