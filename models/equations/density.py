"""Models ready to be sampled: nothing of them is compiled but the kernels, once for every trial.

Priors, equations and likelihoods are those of each model's `build`; `kernels` computes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr

from models.design.layout import Design
from models.design.mediation_cells import KNOWN, STATES, SUMMED, cells, flat, pool
from models.design.mediators import NO_MEDIATORS
from models.equations import groups
from models.equations.forward import MISSING
from models.equations.groups import LEVEL, MEDIATOR, WAVE
from models.equations.kernels import equations_kernel, group_kernel, mediator_kernel, prior_kernel
from models.equations.kernels import mediation_kernel as kernel
from models.equations.kernels.by_address import c_function
from models.equations.mediator_parameters import (
    acting,
    interacting,
    lasting,
    spread_of,
    trait_form,
)
from models.equations.model import Computation, Model
from models.equations.ready import Ready
from models.equations.terms import mediator_terms, spread_terms, wave_terms
from priors.prior import Prior, lkj_shapes
from priors.prior_set import PriorSet

Trial = tuple[tuple, ...]
"""A trial and its priors as a kernel takes them; the first `GIVEN` parts are those of `equations_kernel.Given`."""
GIVEN = 6


@dataclass(frozen=True)
class Kept:
    """What of a point is kept beside the top-level parameters.

    Attributes
    ----------
    values : callable
        From points (draw, unknown) to their values, (draw, …), by name.
    dims, labels : mapping
        Dimensions that have names, and their labels.
    """

    values: Callable[[np.ndarray], dict[str, np.ndarray]]
    dims: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    labels: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Sampled(Computation):
    """Traits are sampled: the effect model is the mediation model of a trial without mediators."""

    def ready(self, model: Model, design: Design, priors: PriorSet) -> Ready:
        """The trial and its priors, packed for the kernel."""
        seen = design if model.mediated else replace(design, mediators=NO_MEDIATORS)
        trial = packed(model, seen, priors)
        return to_sample(model, seen, kernel.called, trial, others(seen), _kept(seen, trial))

    def completed(self, draws: xr.Dataset, design: Design, seed: int) -> xr.Dataset:  # noqa: ARG002 - of the interface
        """The draws as they are."""
        return draws


TRAITS_SAMPLED = Sampled()
"""How the models of this package are computed unless said otherwise."""


def to_sample(model: Model, design: Design, density: Callable, trial: Trial, beside: int, kept: Kept) -> Ready:
    """What `nuts.sample` takes.

    Parameters
    ----------
    model, design : Model, Design
        Whose top-level parameters they are.
    density : callable
        Of a kernel, as C calls it (`by_address.c_function`).
    trial : tuple
        What it is given.
    beside : int
        How many unknowns there are beside the top-level parameters.
    kept : Kept
        What is kept of them.
    """
    labels, dims, shapes = model.coordinates(design), model.dimensions(design), _shapes(model, design)
    ends = np.cumsum([0, *_sizes(shapes)])
    of = {**dims, **kept.dims}

    def named(points: np.ndarray) -> xr.Dataset:
        chains = [_named(chain) for chain in points]
        values = {name: np.stack([chain.pop(name) for chain in chains]) for name in list(chains[0])}
        used = {dim: labels[dim] for name in values for dim in of.get(name, ()) if dim in labels}
        return xr.Dataset(
            {name: (("chain", "draw", *_dims(name, value.ndim - 2, of)), value) for name, value in values.items()},
            {"chain": np.arange(points.shape[0]), "draw": np.arange(points.shape[1])} | used | dict(kept.labels),
        )

    def _named(points: np.ndarray) -> dict[str, np.ndarray]:
        value = prior_kernel.values(points, trial[0])
        parts = zip(shapes.items(), ends[:-1], ends[1:], strict=True)
        top = {name: value[:, first:last].reshape(-1, *shape) for (name, shape), first, last in parts}
        return top | kept.values(points)

    return Ready(c_function(density, trial), trial, start(trial, beside), named)


def _dims(name: str, count: int, of: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Names of a variable's dimensions, as ArviZ gives those that have none."""
    return of[name] if name in of else tuple(f"{name}_dim_{k}" for k in range(count))


def entries(model: Model, design: Design) -> dict[str, int]:
    """Where each top-level parameter begins in a point."""
    shapes = _shapes(model, design)
    return dict(zip(shapes, np.cumsum([0, *_sizes(shapes)]).tolist(), strict=False))


def _shapes(model: Model, design: Design) -> dict[str, tuple[int, ...]]:
    """Shape of each top-level parameter."""
    labels = model.coordinates(design)
    return {name: tuple(len(labels[dim]) for dim in dims) for name, dims in model.dimensions(design).items()}


def _sizes(shapes: Mapping[str, tuple[int, ...]]) -> list[int]:
    return [int(np.prod(shape, dtype=int)) for shape in shapes.values()]


def others(design: Design) -> int:
    """How many unknowns there are beside the top-level parameters."""
    latent = sum(rows.size for rows in cells(design).latent.values())
    return design.participants * (len(lasting(design)) + design.has_trait) + levels_of_groups(design) + latent


def _kept(design: Design, trial: Trial) -> Kept:
    """Traits, groups' levels and latent values, as they stand in the posterior."""
    lasts, plan, names, people = lasting(design), cells(design), design.mediators.name, design.participants
    ends = np.cumsum([0, *(rows.size for rows in plan.latent.values())])
    dims: dict[str, tuple[str, ...]] = {"mediator_trait": ("lasting_mediator", "participant")} if lasts else {}
    dims |= {"trait": ("participant",)} if design.has_trait else {}

    def found(points: np.ndarray) -> dict[str, np.ndarray]:
        trait, latent, *levels = equations_kernel.unknowns(points, trial[:GIVEN])
        kept = {"mediator_trait": trait[:, lasts]} if lasts else {}
        kept |= {"trait": trait[:, -1]} if design.has_trait else {}
        kept |= _of_groups(design, *levels)
        latents = enumerate(plan.latent)
        return kept | {f"{MISSING}{names[place]}": latent[:, ends[k] : ends[k + 1]] for k, place in latents}

    return Kept(found, dims, {"participant": np.arange(people)} if dims else {})


def groups_kept(design: Design, trial: Trial) -> Kept:
    """Groups' levels alone."""
    if not design.groups:
        return Kept(lambda _: {})
    return Kept(lambda points: _of_groups(design, *equations_kernel.unknowns(points, trial[:GIVEN])[2:]))


def levels_of_groups(design: Design) -> int:
    """How many standard values are sampled of groups."""
    return (design.mediators.count + 1) * (design.groups.grouping_of.size + design.groups.grouping_of_cell.size)


def _of_groups(design: Design, lasting_levels: np.ndarray, of_waves: np.ndarray) -> dict[str, np.ndarray]:
    """Groups' levels by the names that they have among the draws."""
    kept: dict[str, np.ndarray] = {}
    for name, each in ((LEVEL, lasting_levels), (WAVE, of_waves)):
        if each.size and design.mediators.count:
            kept[f"{MEDIATOR}{name}"] = each[:, :-1]
        if each.size:
            kept[name] = each[:, -1]
    return kept


def start(trial: Trial, beside: int) -> np.ndarray:
    """Around which point chains begin: the priors' middles, all that is not a top-level parameter at 0.

    They do not use the data, so that draws depend on the data through the density alone.
    """
    block, number, _ = trial[0]
    kind = np.repeat(block[:, 0], block[:, 2])
    half, gamma = kind == prior_kernel.HALF, kind == prior_kernel.GAMMA
    ratio = np.divide(number[:, 0], number[:, 1], out=np.ones(len(number)), where=gamma)
    middle = np.select(
        [(kind == prior_kernel.STRAIGHT) | (kind == prior_kernel.STUDENT), half, gamma],
        [number[:, 0], np.log(np.where(half, number[:, 1], 1.0)), np.log(ratio)],
        0.0,
    )
    return np.concatenate([middle, np.zeros(beside)])


def packed(model: Model, design: Design, priors: PriorSet) -> Trial:
    """The trial and its priors as `mediation_kernel.log_density` takes them."""
    observed, latent = _mediators(design)
    given = given_of(model, design, priors, trait_form(design))
    return (*given[:-1], latent, observed, _outcomes(design))


NO_TRAITS = np.zeros(0, int), np.zeros(0, bool)
"""`trait_form` of a model whose kernel is given no trait."""


def given_of(model: Model, design: Design, priors: PriorSet, form: tuple[np.ndarray, np.ndarray]) -> Trial:
    """What `equations_kernel.Given` holds, without latent mediators.

    Parameters
    ----------
    model, design, priors : Model, Design, PriorSet
        Of the trial.
    form : tuple of ndarray
        How traits are sampled: `trait_form` or `NO_TRAITS`.
    """
    layout, (order, centred) = design.mediators, form
    equation = np.array([*lasting(design), *[layout.count] * design.has_trait], int)[: order.size]
    covariates = np.ascontiguousarray(design.covariates.T, dtype=float)
    kinds = np.array([mediator_kernel.KINDS[kind] for kind in layout.kind], int)
    arm = np.ascontiguousarray(design.arm)
    people = equations_kernel.People(arm, covariates, design.follows, equation, order, centred)
    return (
        _priors(model, design, priors),
        _linear(model, design),
        tuple(people),
        (kinds, np.where(layout.continuous, 0.0, layout.centre), np.where(layout.continuous, 1.0, layout.scale)),
        _groups(design),
        (np.zeros(layout.count + 1, int), np.zeros(0, int)),
    )


def _priors(model: Model, design: Design, priors: PriorSet) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`prior_kernel.Prior`."""
    block, number, roots, first, begin = [], [], [], 0, 0
    shapes = _shapes(model, design)
    for (name, shape), count in zip(shapes.items(), _sizes(shapes), strict=True):
        prior, size = priors[name], shape[-1] if shape else 1
        kind = prior_kernel.STRAIGHT if _is_alone(prior, size) else prior_kernel.PRIORS[prior.distribution]
        block.append((kind, first, count, size, begin))
        number.append(_numbers(prior, kind, count, size))
        if kind == prior_kernel.JOINT:
            roots.append(np.linalg.cholesky(prior.correlation(size)).ravel())
            begin += roots[-1].size
        first += count
    return np.array(block, int), np.concatenate(number), np.concatenate([*roots, np.zeros(0)])


def _is_alone(prior: Prior, size: int) -> bool:
    return prior.distribution == "exchangeable_normal" and size == 1


def _numbers(prior: Prior, kind: int, count: int, size: int) -> np.ndarray:
    given = prior.arguments
    if kind == prior_kernel.PARTIAL:
        shapes = np.tile(lkj_shapes(given["shape"], size), count // size)  # a matrix for each row of the parameter
        return np.stack([shapes, np.zeros(count), np.zeros(count)], axis=1)
    if kind == prior_kernel.GAMMA:
        return np.tile([given["shape"], given["rate"], 0.0], (count, 1)).astype(float)
    if kind == prior_kernel.STUDENT:
        return np.tile([given["mean"], given["scale"], given["df"]], (count, 1)).astype(float)
    return np.tile([given.get("mean", 0.0), given["sd"], 0.0], (count, 1)).astype(float)


def _linear(model: Model, design: Design) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """`prior_kernel.Linear`: the equations at 0, and how each parameter moves them."""
    shapes = _shapes(model, design)
    sizes = _sizes(shapes)
    points = np.concatenate([np.zeros((1, sum(sizes))), np.eye(sum(sizes))])
    parts = np.split(points, np.cumsum(sizes)[:-1], axis=1)
    values = {
        name: part.reshape(len(points), *shape) for part, (name, shape) in zip(parts, shapes.items(), strict=True)
    }
    found = _terms(values, design)
    moved = found[1:] - found[0]
    column, row = np.nonzero(moved)
    return np.ascontiguousarray(row), np.ascontiguousarray(column), moved[column, row], found[0]


def _terms(values: Mapping[str, np.ndarray], design: Design) -> np.ndarray:
    """`equations_kernel.Levels` and `Terms` as one vector, (draw, term), from `terms`, as g-computation has them."""
    layout, draws = design.mediators, len(values["mu_0"])

    def every(name: str, axis: int = 1) -> np.ndarray:
        outcome = np.expand_dims(values[name], axis)
        return np.concatenate([values[f"{MEDIATOR}{name}"], outcome], axis) if layout.count else outcome

    gamma = every("gamma") if design.covariate else np.zeros((draws, layout.count + 1, 0))
    start = every("mu_0")
    tau, slope, interaction = np.zeros_like(start), np.zeros((draws, layout.count)), np.zeros((draws, layout.count))
    for name, into, places in (
        ("mediator_tau", tau, lasting(design)),
        ("slope", slope, acting(design)),
        ("interaction", interaction, interacting(design)),
    ):
        if places:
            into[:, places] = values[name]
    if design.has_trait:
        tau[:, -1] = values["tau"]
    spread = np.zeros((draws, layout.count, 3))
    for place in range(layout.count):
        for k, part in enumerate(spread_of(place, values, design).values()):
            spread[:, place, k] = part
    outcome_spread = [np.broadcast_to(part, (draws, len(design.wave))) for part in spread_terms(values, design)]
    none = np.zeros((draws, 0))
    partial, joint = values.get("partial_correlation", none), values.get("group_partial_correlation", none)
    of_mediators = mediator_terms(values, design) if layout.count else (none, none)
    terms = (*wave_terms(values, design), *of_mediators, slope, interaction, spread, *outcome_spread)
    shared = [every(name, -1) for name in groups.dimensions(design)]
    whole = (gamma, start, tau, *terms, *shared, joint, partial)
    return np.concatenate([part.reshape(draws, -1) for part in whole], axis=1)


def _groups(design: Design) -> tuple:
    """`group_kernel.Groups`."""
    layout = design.groups
    if not layout:
        none, nowhere = np.zeros(0, int), np.zeros((0, 0), int)
        return tuple(group_kernel.Groups(0, 0, none, none, nowhere, nowhere, nowhere))
    always, in_cells, of_waves = (np.ascontiguousarray(rows.T) for rows in layout.felt)
    count = len(layout.name), len(layout.those_varying)
    return tuple(group_kernel.Groups(*count, layout.grouping_of, layout.grouping_of_cell, always, in_cells, of_waves))


def _mediators(design: Design) -> tuple[tuple, tuple]:
    """`mediation_kernel.Observed` and `equations_kernel.Latent`."""
    layout, plan = design.mediators, cells(design)
    grids = [plan.indices[f"cell of {name}"] for name in layout.name]
    values = [plan.observed[f"value of {name}"].astype(float) for name in layout.name]
    value = np.concatenate([*values, np.zeros(0)])
    inside = (value > 0) & (value < 1)
    safe = np.where(inside, value, 0.5)
    latent = {place: (design.participant_of[rows], design.wave_of[rows]) for place, rows in plan.latent.items()}
    counts = [latent[place][0].size if place in latent else 0 for place in range(layout.count)]
    latent_grid = [flat(layout, place, person, wave - layout.lag) for place, (person, wave) in latent.items()]
    first = np.cumsum([0, *(part.size for part in values)])
    observed = kernel.Observed(first, np.concatenate([*grids, np.zeros(0, int)]), value, np.log(safe), np.log1p(-safe))
    return tuple(observed), (np.cumsum([0, *counts]), np.concatenate([*latent_grid, np.zeros(0, int)]).astype(int))


def _outcomes(design: Design) -> tuple:
    """`mediation_kernel.Outcomes`."""
    layout, person, wave = design.mediators, design.participant_of, design.wave_of
    entry, _, _ = pool(design)
    observed = [layout.scaled(place, part[~np.isnan(part)]) for place, part in enumerate(layout.value)]
    known = np.concatenate([*observed, np.zeros(1)])  # the last entry stands for what does not act
    latent = entry >= known.size - 1
    source = np.where(latent, entry - (known.size - 1), np.where(entry == SUMMED, SUMMED, KNOWN))
    read = known[np.where(latent | (entry < 0), known.size - 1, entry)]
    grid = np.zeros((layout.count, person.size), int)
    for place in range(layout.count):
        grid[place] = flat(layout, place, person, wave - layout.lag)
    states = np.array([STATES.get(kind, 1) for kind in layout.kind], int)
    combinations = np.where(entry == SUMMED, states[:, None], 1).prod(0).max(initial=1)
    distinct, times = np.unique(design.outcome, return_counts=True)
    found = kernel.Outcomes(
        design.family.number,
        person.astype(int),
        wave.astype(int),
        design.outcome.astype(float),
        design.offset,
        np.ascontiguousarray(source.T),
        np.ascontiguousarray(read.T),
        np.ascontiguousarray(grid.T),
        distinct.astype(float),
        times.astype(float),
        int(combinations),
    )
    return tuple(found)
