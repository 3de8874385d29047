"""Draws of what goes through and beside the mediators, as every model hands them on."""

from __future__ import annotations

from dataclasses import dataclass, field

import xarray as xr


@dataclass(frozen=True)
class PathDraws:
    """Path estimands of one posterior or prior.

    Attributes
    ----------
    values : Dataset
        dims (chain, draw, mediator, arm, contrast) as each needs, in the outcome's or the mediator's own unit.
    error : Dataset
        Their integration errors: root mean square over draws of the Monte-Carlo standard error, same dims without
        (chain, draw).
    """

    values: xr.Dataset = field(default_factory=xr.Dataset)
    error: xr.Dataset = field(default_factory=xr.Dataset)

    @property
    def flat(self) -> xr.Dataset:
        """Every element that exists as one column of its variable, dims (chain, draw, element), for diagnostics."""
        found = {}
        for name, value in self.values.items():
            others = [dim for dim in value.dims if dim not in ("chain", "draw")]
            columns = value.stack({f"element of {name}": others}).transpose("chain", "draw", ...)
            known = columns.isnull().all(("chain", "draw")).to_numpy()
            column, dim = columns.isel({f"element of {name}": ~known}), f"element of {name}"
            labels = [", ".join(map(str, label)) for label in column[dim].to_numpy()]
            found[name] = column.drop_vars([dim, *others]).assign_coords({dim: labels})
        return xr.Dataset(found)
