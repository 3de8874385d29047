"""Levels that participants share with their groups: declared, drawn anew, and added to predictors.

    η_it gains u_c + u_ct,   u_c ~ N(0, group_tau²),   u_ct ~ N(0, group_wave_tau²)

A grouping in which the programme was delivered adds its level in the treated arm alone (`design.groupings`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from models.design.groupings import Groupings
from models.design.layout import Design
from models.equations.random_variables import STANDARD
from models.trial.study_file.study import ARMS

LEVEL, WAVE = "group_level", "group_wave"
"""Names of the groups' lasting levels and of those of single waves, among the draws."""
OWN = (LEVEL, WAVE)


def dimensions(design: Design) -> dict[str, tuple[str, ...]]:
    """SDs of the groupings, as parameters of a model."""
    groups = design.groups
    found: dict[str, tuple[str, ...]] = {"group_tau": ("grouping",)} if groups else {}
    return found | ({"group_wave_tau": ("varying_grouping",)} if any(groups.varying) else {})


def coordinates(design: Design) -> dict[str, list[str]]:
    """Labels of their dimensions."""
    groups = design.groups
    return {"grouping": list(groups.name), "varying_grouping": [groups.name[place] for place in groups.those_varying]}


def declare(values: Mapping[str, Any], groups: Groupings) -> tuple[Any, Any]:
    """Add every group's level to the model in context, as a multiple of its SD; lasting ones end with 0, for none."""
    level = pm.Normal(f"{LEVEL}{STANDARD}", shape=groups.grouping_of.size)
    level = pm.Deterministic(LEVEL, values["group_tau"][groups.grouping_of] * level)
    wave: Any = pt.zeros(0)
    if any(groups.varying):
        wave = pm.Normal(f"{WAVE}{STANDARD}", shape=groups.grouping_of_cell.size)
        wave = pm.Deterministic(WAVE, values["group_wave_tau"][groups.grouping_of_cell] * wave)
    return pt.concatenate([level, pt.zeros(1)]), wave


def data(groups: Groupings, member: np.ndarray, wave: np.ndarray) -> dict[str, np.ndarray]:
    """Which levels each cell feels, as `pm.Data` of a model; `member` (grouping, cell), `wave` (cell,)."""
    found = {f"cell of {LEVEL}": groups.levels(member, wave)}
    return found | ({f"cell of {WAVE}": groups.wave_levels(member, wave)} if any(groups.varying) else {})


def grid(member: np.ndarray, waves: int) -> tuple[np.ndarray, np.ndarray]:
    """Groups and waves of every cell of the flat grid (whoever, wave); `member` (grouping, whoever)."""
    whose, wave = np.indices((member.shape[1], waves)).reshape(2, -1)
    return member[:, whose], wave


def declared_term(values: Mapping[str, Any], groups: Groupings, known: Mapping[str, Any]) -> Any:
    """What the groups add to each cell of a model in context, whose data are those of `data`."""
    level, wave = declare(values, groups)
    total = level[known[f"cell of {LEVEL}"]].sum(0)
    return total + wave[known[f"cell of {WAVE}"]].sum(0) if any(groups.varying) else total


def term(draws: xr.Dataset, groups: Groupings, member: np.ndarray, wave: np.ndarray) -> np.ndarray:
    """What the groups add to each cell at each draw, shape (…, cell) with the leading dims of the draws.

    Parameters
    ----------
    draws : Dataset
        Of the posterior or prior, with the groups' levels.
    groups : Groupings
        Of the trial.
    member, wave : ndarray of int, (grouping, cell) and (cell,)
        Whose cells they are, and when.
    """
    level = draws[LEVEL].to_numpy()
    none = np.zeros((*level.shape[:-1], 1))
    total = np.concatenate([level, none], axis=-1)[..., groups.levels(member, wave)].sum(-2)
    if any(groups.varying):
        total = total + draws[WAVE].to_numpy()[..., groups.wave_levels(member, wave)].sum(-2)
    return total


def drawn_anew(draws: xr.Dataset, design: Design, rng: np.random.Generator) -> dict[str, tuple]:
    """Levels of new groups of the same kinds: (dims, array (chain, draw, group)) by variable."""
    groups, sample = design.groups, (draws.sizes["chain"], draws.sizes["draw"])
    found: dict[str, tuple] = {}
    own = ((LEVEL, "group_tau", groups.grouping_of), (WAVE, "group_wave_tau", groups.grouping_of_cell))
    for name, sd, whose in own:
        if sd in draws:
            scale = draws[sd].transpose("chain", "draw", ...).to_numpy()[..., whose]
            found[name] = (("chain", "draw", f"{name}_dim_0"), scale * rng.standard_normal((*sample, whose.size)))
    return found


def variance(values: Mapping[str, np.ndarray], groups: Groupings) -> np.ndarray:
    """Variance of what the groups add, over new groups, (draw, arm, wave)."""
    total = np.zeros((len(values["group_tau"]), len(ARMS), groups.active.shape[1]))
    for place, kind in enumerate(groups.kind):
        there = np.array([[kind != "delivery"], [True]]) & groups.active[place]
        total += values["group_tau"][:, place, None, None] ** 2 * there
    for place in range(len(groups.those_varying)):
        total += values["group_wave_tau"][:, place, None, None] ** 2
    return total
