"""Levels that participants share with their groups: drawn anew, and added to predictors.

    η_it gains u_c + u_ct,   u_c ~ N(0, group_tau²),   u_ct ~ N(0, group_wave_tau²)

A grouping in which the programme was delivered adds its level in the treated arm alone (`design.groupings`). In the
mediation model a group's lasting levels are a vector over the equations, of the mediators and then of the outcome, and
jointly normal as participants' traits are; levels of single waves are independent over equations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from models.design.groupings import Groupings
from models.design.layout import Design
from models.equations import predictors
from models.trial.study_file.study import ARMS

LEVEL, WAVE = "group_level", "group_wave"
"""Names of the groups' lasting levels and of those of single waves, among the draws."""
MEDIATOR = "mediator_"
"""Beginning of the names of both in the mediators' equations."""
OWN = (LEVEL, WAVE, f"{MEDIATOR}{LEVEL}", f"{MEDIATOR}{WAVE}")
Levels = tuple[Any, Any]
"""Lasting levels (…, group) and those of single waves (…, group × wave); the second is None where no group varies."""


def dimensions(design: Design) -> dict[str, tuple[str, ...]]:
    """SDs of the groupings, as parameters of a model."""
    groups = design.groups
    found: dict[str, tuple[str, ...]] = {"group_tau": ("grouping",)} if groups else {}
    return found | ({"group_wave_tau": ("varying_grouping",)} if any(groups.varying) else {})


def mediator_dimensions(design: Design) -> dict[str, tuple[str, ...]]:
    """Those of the mediators' equations, and the correlations over all equations."""
    if not design.groups or not design.mediators.count:
        return {}
    own = {f"{MEDIATOR}{name}": (*dims, "mediator") for name, dims in dimensions(design).items()}
    return own | {"group_partial_correlation": ("grouping", "equation_pair")}


def coordinates(design: Design) -> dict[str, list[str]]:
    """Labels of their dimensions."""
    groups = design.groups
    return {"grouping": list(groups.name), "varying_grouping": [groups.name[place] for place in groups.those_varying]}


def equation_pairs(design: Design) -> list[str]:
    """Labels of the pairs of equations over which a group's levels are correlated."""
    equations = [*design.mediators.name, "outcome"]
    return [f"{equations[j]} and {equations[k]}" for j in range(len(equations)) for k in range(j)]


def sds(values: Mapping[str, Any], name: str, size: int) -> list[Any]:
    """SDs of groupings in each of so many equations, from PyTensor or NumPy values."""
    own = [values[f"{MEDIATOR}{name}"][..., k] for k in range(size - 1)]
    return [*own, values[name]]


def correlated(values: Mapping[str, Any], groups: Groupings, standard: list[Any]) -> list[Any]:
    """Lasting levels in every equation, (…, group), of independent standard normal ones."""
    whose, size = groups.grouping_of, len(standard)
    root = predictors.correlation_root(values.get("group_partial_correlation"), size)
    spreads = sds(values, "group_tau", size)
    found = []
    for k, row in enumerate(root):
        # a matrix's very first entry is 1, the same for every grouping
        weights = [weight[..., whose] if np.ndim(weight) else weight for weight in row]
        found.append(spreads[k][..., whose] * sum(w * z for w, z in zip(weights, standard, strict=False)))
    return found


def grid(member: np.ndarray, waves: int) -> tuple[np.ndarray, np.ndarray]:
    """Groups and waves of every cell of the flat grid (whoever, wave); `member` (grouping, whoever)."""
    whose, wave = np.indices((member.shape[1], waves)).reshape(2, -1)
    return member[:, whose], wave


def term(
    values: Mapping[Any, Any], groups: Groupings, member: np.ndarray, wave: np.ndarray, mediator: int | None = None
) -> np.ndarray:
    """What the groups add to one equation in each cell at each draw, (…, cell) with the leading dims of the draws.

    Parameters
    ----------
    values : Dataset, or mapping of str to ndarray
        Draws with the groups' levels.
    groups : Groupings
        Of the trial.
    member, wave : ndarray of int, (grouping, cell) and (cell,)
        Whose cells they are, and when; −1: before the first wave.
    mediator : int, optional
        Place of the mediator whose equation it is; default the outcome's.
    """

    def levels(name: str) -> np.ndarray:
        if mediator is None:
            return np.asarray(values[name])
        return np.asarray(values[f"{MEDIATOR}{name}"])[..., mediator, :]

    lasting = levels(LEVEL)
    none = np.zeros((*lasting.shape[:-1], 1))
    total: np.ndarray = np.concatenate([lasting, none], axis=-1)[..., groups.levels(member, wave)].sum(-2)
    return total + levels(WAVE)[..., groups.wave_levels(member, wave)].sum(-2) if any(groups.varying) else total


def drawn_anew(draws: xr.Dataset, design: Design, rng: np.random.Generator) -> dict[str, tuple]:
    """Levels of new groups of the same kinds: (dims, array (chain, draw, …, group)) by variable."""
    groups, sample = design.groups, (draws.sizes["chain"], draws.sizes["draw"])
    values = {
        name: draws[name].transpose("chain", "draw", ...).to_numpy()
        for name in (*dimensions(design), *mediator_dimensions(design))
        if name in draws
    }
    size = 1 + (design.mediators.count if "group_partial_correlation" in values else 0)
    found: dict[str, tuple] = {}

    def standard(whose: np.ndarray) -> list[np.ndarray]:
        return [rng.standard_normal((*sample, whose.size)) for _ in range(size)]

    def keep(name: str, rows: list[np.ndarray]) -> None:
        found[name] = (("chain", "draw", f"{name}_dim_0"), rows[-1])
        if size > 1:
            own = f"{MEDIATOR}{name}"
            found[own] = (("chain", "draw", f"{own}_dim_0", f"{own}_dim_1"), np.stack(rows[:-1], axis=2))

    if "group_tau" in values:
        keep(LEVEL, correlated(values, groups, standard(groups.grouping_of)))
    if "group_wave_tau" in values:
        whose = groups.grouping_of_cell
        spreads = sds(values, "group_wave_tau", size)
        keep(WAVE, [sd[..., whose] * z for sd, z in zip(spreads, standard(whose), strict=True)])
    return found


def variance(values: Mapping[str, np.ndarray], groups: Groupings) -> np.ndarray:
    """Variance of what the groups add to the outcome, over new groups, (draw, arm, wave)."""
    total = np.zeros((len(values["group_tau"]), len(ARMS), groups.active.shape[1]))
    for place, delivered in enumerate(groups.delivered):
        there = np.array([[not delivered], [True]]) & groups.active[place]
        total += values["group_tau"][:, place, None, None] ** 2 * there
    for place in range(len(groups.those_varying)):
        total += values["group_wave_tau"][:, place, None, None] ** 2
    return total


def factors(values: Mapping[str, np.ndarray], groups: Groupings) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Factors of the covariance of what a new group adds to the equations, each (draw, equation, score).

    Parameters
    ----------
    values : mapping of str to ndarray
        Draws, (draw, …).
    groups : Groupings
        Of the trial.

    Returns
    -------
    tuple of list of ndarray
        Of what is felt by everybody at every wave; and of each grouping in which the programme was delivered.
    """
    size = values["mediator_group_tau"].shape[-1] + 1
    always: list[np.ndarray] = []
    delivered: list[np.ndarray] = []
    spreads = np.stack(sds(values, "group_tau", size), axis=-1)
    for place in range(len(groups.name)):
        root = np.zeros((len(spreads), size, size))
        for k, row in enumerate(predictors.correlation_root(values["group_partial_correlation"][:, place], size)):
            for j, weight in enumerate(row):
                root[:, k, j] = spreads[:, place, k] * weight
        (delivered if groups.delivered[place] else always).append(root)
    for place in range(len(groups.those_varying)):
        of_wave = np.stack(sds(values, "group_wave_tau", size), axis=-1)[:, place]
        always.append(of_wave[:, :, None] * np.eye(size))
    return always, delivered
