"""Groups' levels as PyMC random variables of a model in context, and which of them each cell feels, as its data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from models.design.groupings import Groupings
from models.equations.groups import LEVEL, MEDIATOR, WAVE, Levels, correlated, sds
from models.equations.random_variables import STANDARD


def declare(values: Mapping[str, Any], groups: Groupings, mediators: int = 0) -> list[Levels]:
    """Add every group's levels to the model in context, as multiples of their SDs; one pair an equation, outcome last.

    Parameters
    ----------
    values : mapping of str to tensor
        Parameters.
    groups : Groupings
        Of the trial.
    mediators : int
        How many equations there are beside the outcome's.
    """
    size = mediators + 1
    level = pm.Normal(f"{LEVEL}{STANDARD}", shape=(size, groups.grouping_of.size))
    rows, waves = correlated(values, groups, [level[k] for k in range(size)]), [None] * size
    if any(groups.varying):
        wave = pm.Normal(f"{WAVE}{STANDARD}", shape=(size, groups.grouping_of_cell.size))
        waves = [sd[groups.grouping_of_cell] * wave[k] for k, sd in enumerate(sds(values, "group_wave_tau", size))]
    for name, every in ((LEVEL, rows), (WAVE, waves)):
        if every[-1] is not None:
            every[-1] = pm.Deterministic(name, every[-1])
            if mediators:
                pm.Deterministic(f"{MEDIATOR}{name}", pt.stack(every[:-1]))
    return list(zip(rows, waves, strict=True))


def equation_data(groups: Groupings) -> dict[str, np.ndarray]:
    """`Groupings.felt` as `pm.Data` of a model, where there is any."""
    names = (f"participant of {LEVEL}", f"cell of {LEVEL}", f"cell of {WAVE}")
    return {name: rows for name, rows in zip(names, groups.felt, strict=True) if rows.size}


def declared_of_participants(levels: Levels, known: Mapping[str, Any]) -> Any:
    """What groups of these levels add to all that a participant does, (participant,)."""
    whose = known.get(f"participant of {LEVEL}")
    return pt.zeros(1) if whose is None else levels[0][whose].sum(0)


def declared_of_cells(levels: Levels, known: Mapping[str, Any]) -> Any:
    """What they add to single cells besides, (participant × (1 + wave),)."""
    total: Any = pt.zeros(1)
    if f"cell of {LEVEL}" in known:
        total = total + pt.concatenate([levels[0], pt.zeros(1)])[known[f"cell of {LEVEL}"]].sum(0)
    if f"cell of {WAVE}" in known:
        total = total + levels[1][known[f"cell of {WAVE}"]].sum(0)
    return total
