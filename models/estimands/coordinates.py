"""Scalars of labelled draws: where each stands, in the order in which a variable is flattened."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import xarray as xr

DRAWS = ("chain", "draw", "diagnostic")
"""Dimensions over which an element is summarised."""
VARIABLE = "variable"
"""Key under which a place has the name of its parameter or estimand."""
RAGGED = "{dim} of {name}"
"""Name of the labels of a variable whose elements are not a whole grid (`PathDraws.flat`)."""
LEVELS = ("mediator", "arm", "contrast")
"""Dimensions that such labels may belong to."""


def places(value: xr.DataArray) -> list[dict[str, str]]:
    """Variable and labels by dimension of every element, the last dimension running fastest."""
    name = str(value.name)
    return [
        {VARIABLE: name} | {dim: label for part in combination for dim, label in part.items()}
        for combination in product(*(_along(value, str(dim)) for dim in value.dims if dim not in DRAWS))
    ]


def _along(value: xr.DataArray, dim: str) -> list[dict[str, str]]:
    levels = {RAGGED.format(dim=level, name=value.name): level for level in LEVELS}
    ragged = {levels[str(name)]: labels.to_numpy() for name, labels in value.coords.items() if name in levels}
    labels = ragged or {dim: value[dim].to_numpy()}
    return [dict(zip(labels, map(str, row), strict=True)) for row in zip(*labels.values(), strict=True)]


def label(place: Mapping[str, str]) -> str:
    """A place as one name, for tables that people read: "risk_difference[6 months]"."""
    inside = ", ".join(text for dim, text in place.items() if dim != VARIABLE)
    return f"{place[VARIABLE]}[{inside}]" if inside else place[VARIABLE]
