"""Numba's compiler for the functions of this package: compiled once, kept on disk, anew when any file has changed.

Numba itself looks at a function's own file alone: after a change of `densities.py` it would go on with what
`integrals.py` had compiled in from the file before.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

from models import outcomes

config: Any = numba.config
_HERE = Path(__file__).parent
_FILES = sorted(
    [
        *_HERE.glob("*.py"),
        *Path(outcomes.__file__).parent.glob("*.py"),
        *(_HERE.parent / "kernels").glob("*.py"),
        _HERE.parent / "mediator_kinds.py",
        _HERE.parents[1] / "design/mediation_cells.py",
    ]
)
CODE = hashlib.sha256(b"".join(path.read_bytes() for path in _FILES)).hexdigest()
"""Hash of every file of the package, of the families of outcomes, and of the kernels and what they compile in."""


def njit(**options: Any) -> Callable[[Any], Any]:
    """`numba.njit` of NumPy's arithmetic, its results in a folder of this `CODE`."""
    # nothing calls these from C, and what would let it takes a fifth of the time of compiling them
    return _kept(numba.njit(cache=True, error_model="numpy", no_cfunc_wrapper=True, **options))  # type: ignore[call-overload]


def cfunc(signature: Any) -> Callable[[Any], Any]:
    """`numba.cfunc` in the same way."""
    return _kept(numba.cfunc(signature, cache=True, error_model="numpy"))


def _kept(compiler: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The compiler, its results in the folder of this `CODE`."""

    def compiled(function: Any) -> Any:
        usual = config.CACHE_DIR
        config.CACHE_DIR = str(_folder(usual) / CODE[:16])
        try:
            return compiler(function)
        finally:
            config.CACHE_DIR = usual

    return compiled


def _folder(usual: str) -> Path:
    if usual:
        return Path(usual)
    return _HERE / "__pycache__" if os.access(_HERE, os.W_OK) else Path.home() / ".cache" / "microsavings"
