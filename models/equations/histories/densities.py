"""Log probability of one cell and its slopes, compiled: `Family.cell` and `Family.constant` by the family's number."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numba

from models.equations.histories.compiled import njit
from models.outcomes import FAMILIES

_compiled: Any = numba.njit(error_model="numpy")


def _by_number(rules: list[Callable[..., Any]]) -> Any:
    """One compiled function of (number, …) that calls the rule of that number; LLVM makes one switch of it."""
    compiled = [_compiled(rule) for rule in rules]
    last_rule = compiled[-1]

    def either(rest: Any, case: tuple[int, Any]) -> Any:
        own, rule = case

        @_compiled
        def chosen(number, *inputs):  # type: ignore[no-untyped-def]
            if number == own:
                return rule(*inputs)
            return rest(number, *inputs)

        return chosen

    @_compiled
    def last(number, *inputs):  # type: ignore[no-untyped-def]  # noqa: ARG001
        return last_rule(*inputs)

    return reduce(either, reversed(list(enumerate(compiled[:-1]))), last)


_cell = _by_number([family.cell for family in FAMILIES.values()])
_constant = _by_number([family.constant for family in FAMILIES.values()])
_integrand = _by_number([family.integrand for family in FAMILIES.values()])


@njit()
def constant(kind: int, value: float, dispersion: float) -> tuple[float, float]:
    """Part of a cell's log probability without its predictor, and its slope in the dispersion (`Family.constant`)."""
    return _constant(kind, value, dispersion)


@njit()
def cell(kind: int, value: float, predictor: float, dispersion: float) -> tuple[float, float, float, float]:
    """Log probability of one outcome without its `constant`, its first two slopes in the predictor, and in dispersion.

    Parameters
    ----------
    kind : int
        `Family.number`.
    value, predictor, dispersion : float
        Outcome, linear predictor, and the parameter of the outcome's spread (0 where there is none).

    Returns
    -------
    tuple of float
        Log probability, d/dη, d²/dη² (never positive), d/ddispersion.
    """
    return _cell(kind, value, predictor, dispersion)


@njit()
def integrand(kind: int, tau: float, members: int, information: float) -> tuple[float, float, float]:
    """What bounds the step of an integral over the trait (`Family.integrand`)."""
    return _integrand(kind, tau, members, information)
