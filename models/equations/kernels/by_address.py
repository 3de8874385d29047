"""A kernel's log density as a C function, and a trial in memory where it finds it: NUTS calls it without Python."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import types
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from models.equations.histories.compiled import cfunc, njit

NOT_FINITE = 4
"""What a C function returns where the log density or a slope is not finite: to NUTS a divergence."""
_NUMBERS = types.CPointer(types.double)


def c_function(density: Callable, trial: tuple) -> Any:
    """The C function of a kernel for trials of this type, compiled or read from disk where this process has none yet.

    Parameters
    ----------
    density : callable
        Of a kernel, (size, point, slope, value, trial): pointers, to be read by `numba.carray`; 0 where all is well.
    trial : tuple
        Any of its type.

    Returns
    -------
    numba.core.ccallback.CFunc
    """
    return _c_function(density, numba.typeof(trial))


@functools.cache
def _c_function(density: Callable, kind: types.Type) -> Any:
    signature = types.int64(types.uint64, _NUMBERS, _NUMBERS, _NUMBERS, types.CPointer(kind))
    return cfunc(signature)(density)


@functools.cache
def c_copy() -> Any:
    """The C function that copies a point: what NUTS keeps of one is the point itself."""
    return cfunc(types.int64(types.uint64, types.uint64, _NUMBERS, _NUMBERS, types.voidptr))(_copied)


def _copied(size: int, _: int, point: Any, into: Any, __: Any) -> int:
    for k in range(size):
        into[k] = point[k]
    return 0


def at_address(trial: tuple) -> np.ndarray:
    """Memory that holds a trial as compiled code does, for as long as its arrays are kept elsewhere."""
    context = cpu_target.target_context
    size = context.get_abi_sizeof(context.get_value_type(numba.typeof(trial)))
    memory = np.zeros(-(-size // 8), np.uint64)
    _write(memory.ctypes.data, trial)
    return memory


@njit()
def _write(address: int, trial: tuple) -> None:
    _store(address, trial)  # type: ignore[call-arg] # Numba gives the typing context


@intrinsic
def _store(typing_context: Any, address: Any, kind: Any) -> Any:  # noqa: ARG001 - as Numba calls it
    """Write a tuple's value to an address."""

    def generated(context: Any, builder: Any, _: Any, values: Any) -> Any:
        where = builder.inttoptr(values[0], context.get_value_type(kind).as_pointer())
        builder.store(_borrowed(context, builder, kind, values[1]), where)
        return context.get_dummy_value()

    return types.void(address, kind), generated


def _borrowed(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """The value with arrays that own nothing: Numba frees its count of a Python array's users when a call returns."""
    if isinstance(kind, types.Tuple | types.UniTuple):
        parts = [_borrowed(context, builder, one, builder.extract_value(value, k)) for k, one in enumerate(kind.types)]
        return context.make_tuple(builder, kind, parts)
    if isinstance(kind, types.Array):
        array = context.make_array(kind)(context, builder, value)
        array.meminfo, array.parent = array.meminfo.type(None), array.parent.type(None)
        return array._getvalue()
    return value
