"""Draws of what goes through and beside the mediators, as every model hands them on."""

from __future__ import annotations

from dataclasses import dataclass, field

import xarray as xr

from models.estimands.coordinates import RAGGED


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
        """Every element that exists as one column of its variable, dims (chain, draw, element), for diagnostics.

        Their labels are coordinates of the element (`coordinates.places`).
        """
        found = {}
        for name, value in self.values.items():
            dim, levels = f"element of {name}", [each for each in value.dims if each not in ("chain", "draw")]
            columns = value.stack({dim: levels}).transpose("chain", "draw", ...)
            column = columns.isel({dim: ~columns.isnull().all(("chain", "draw")).to_numpy()})
            labels = {RAGGED.format(dim=level, name=name): (dim, column[level].to_numpy()) for level in levels}
            found[name] = column.drop_vars([dim, *levels]).assign_coords(labels)
        return xr.Dataset(found)
