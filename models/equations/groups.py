"""Levels that participants share with their groups: declared, drawn anew, and added to predictors.

    η_it gains u_c + u_ct,   u_c ~ N(0, group_tau²),   u_ct ~ N(0, group_wave_tau²)

A grouping in which the programme was delivered adds its level in the treated arm alone (`design.groupings`). In the
mediation model a group's lasting levels are a vector over the equations, of the mediators and then of the outcome, and
jointly normal as participants' traits are; levels of single waves are independent over equations.
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
from models.equations import predictors
from models.equations.random_variables import STANDARD
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
    rows, waves = _correlated(values, groups, [level[k] for k in range(size)]), [None] * size
    if any(groups.varying):
        wave = pm.Normal(f"{WAVE}{STANDARD}", shape=(size, groups.grouping_of_cell.size))
        waves = [sd[groups.grouping_of_cell] * wave[k] for k, sd in enumerate(_sds(values, "group_wave_tau", size))]
    for name, every in ((LEVEL, rows), (WAVE, waves)):
        if every[-1] is not None:
            every[-1] = pm.Deterministic(name, every[-1])
            if mediators:
                pm.Deterministic(f"{MEDIATOR}{name}", pt.stack(every[:-1]))
    return list(zip(rows, waves, strict=True))


def _sds(values: Mapping[str, Any], name: str, size: int) -> list[Any]:
    """SDs of groupings in each of so many equations, from PyTensor or NumPy values."""
    own = [values[f"{MEDIATOR}{name}"][..., k] for k in range(size - 1)]
    return [*own, values[name]]


def _correlated(values: Mapping[str, Any], groups: Groupings, standard: list[Any]) -> list[Any]:
    """Lasting levels in every equation, (…, group), of independent standard normal ones."""
    whose, size = groups.grouping_of, len(standard)
    root = predictors.correlation_root(values.get("group_partial_correlation"), size)
    sds = _sds(values, "group_tau", size)
    # of a matrix's first row nothing is estimated: it is 1
    return [
        sds[k][..., whose] * sum((w[..., whose] if np.ndim(w) else w) * z for w, z in zip(row, standard, strict=False))
        for k, row in enumerate(root)
    ]


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
    ((level, wave),) = declare(values, groups)
    total = pt.concatenate([level, pt.zeros(1)])[known[f"cell of {LEVEL}"]].sum(0)
    return total if wave is None else total + wave[known[f"cell of {WAVE}"]].sum(0)


def equation_data(groups: Groupings) -> dict[str, np.ndarray]:
    """`Groupings.felt` as `pm.Data` of the mediation model, where there is any."""
    names = (f"participant of {LEVEL}", f"cell of {LEVEL}", f"cell of {WAVE}")
    return {name: rows for name, rows in zip(names, groups.felt, strict=True) if rows.size}


def declared_of_participants(levels: Levels, known: Mapping[str, Any]) -> Any:
    """What groups of these levels add to all that a participant does, (participant,), in the mediation model."""
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


def felt(levels: Levels, groups: Groupings, member: np.ndarray, wave: np.ndarray) -> np.ndarray:
    """What groups of these levels add to each cell, (…, cell).

    Parameters
    ----------
    levels : tuple
        Of one equation.
    groups : Groupings
        Of the trial.
    member, wave : ndarray of int, (grouping, cell) and (cell,)
        Whose cells they are, and when.
    """
    lasting, of_waves = levels
    none = np.zeros((*lasting.shape[:-1], 1))
    total: np.ndarray = np.concatenate([lasting, none], axis=-1)[..., groups.levels(member, wave)].sum(-2)
    return total if of_waves is None else total + of_waves[..., groups.wave_levels(member, wave)].sum(-2)


def term(draws: xr.Dataset, groups: Groupings, member: np.ndarray, wave: np.ndarray) -> np.ndarray:
    """What the groups add to the outcome in each cell at each draw, shape (…, cell) with the leading dims of draws."""
    own = (draws[LEVEL].to_numpy(), draws[WAVE].to_numpy() if any(groups.varying) else None)
    return felt(own, groups, member, wave)


def of_equation(values: Mapping[str, np.ndarray], place: int | None = None) -> Levels:
    """Levels of one mediator's equation, or of the outcome's, from draws as arrays, (chain, draw, …)."""
    if place is None:
        return values[LEVEL], values.get(WAVE)
    wave = values.get(f"{MEDIATOR}{WAVE}")
    return values[f"{MEDIATOR}{LEVEL}"][..., place, :], None if wave is None else wave[..., place, :]


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
        keep(LEVEL, _correlated(values, groups, standard(groups.grouping_of)))
    if "group_wave_tau" in values:
        whose = groups.grouping_of_cell
        sds = _sds(values, "group_wave_tau", size)
        keep(WAVE, [sd[..., whose] * z for sd, z in zip(sds, standard(whose), strict=True)])
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
    sds = np.stack(_sds(values, "group_tau", size), axis=-1)
    for place in range(len(groups.name)):
        root = np.zeros((len(sds), size, size))
        for k, row in enumerate(predictors.correlation_root(values["group_partial_correlation"][:, place], size)):
            for j, weight in enumerate(row):
                root[:, k, j] = sds[:, place, k] * weight
        (delivered if groups.delivered[place] else always).append(root)
    for place in range(len(groups.those_varying)):
        of_wave = np.stack(_sds(values, "group_wave_tau", size), axis=-1)[:, place]
        always.append(of_wave[:, :, None] * np.eye(size))
    return always, delivered
