"""The mediation model ready to be sampled: nothing of it is compiled but the kernel, once for every trial.

Priors, equations and likelihoods are those of `Mediation.build`; `mediation_kernel` computes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from nutpie.compiled_pyfunc import from_pyfunc

from models.design.layout import Design
from models.design.mediation_cells import STATES, SUMMED, cells, flat, pool
from models.equations import group_kernel, groups
from models.equations import mediation_kernel as kernel
from models.equations.forward import MISSING
from models.equations.groups import LEVEL, MEDIATOR, WAVE
from models.equations.mediator_parameters import (
    acting,
    coordinates,
    dimensions,
    interacting,
    lasting,
    spread_of,
    trait_form,
)
from models.equations.terms import mediator_terms, wave_terms
from priors.prior import Prior, lkj_shapes
from priors.prior_set import PriorSet


def compiled(design: Design, priors: PriorSet) -> Any:
    """What `nuts.sample` takes: the model of a design and priors, given its data; it costs milliseconds.

    Parameters
    ----------
    design : Design
        Of any trial.
    priors : PriorSet
        One row for each of `mediator_parameters.dimensions`.
    """
    trial, labels = packed(design, priors), coordinates(design)
    shapes = {name: tuple(len(labels[dim]) for dim in dims) for name, dims in dimensions(design).items()}
    sizes = shapes | _own_shapes(design)
    used = {dim for dims in dimensions(design).values() for dim in dims}
    return from_pyfunc(
        start(design, priors).size,
        lambda: _log_density(trial),
        lambda *_: _expanded(design, trial, shapes),
        [np.dtype(float)] * len(sizes),
        list(sizes.values()),
        list(sizes),
        coords={dim: labels[dim] for dim in used | {"lasting_mediator"}}
        | {"participant": np.arange(design.participants)},
        dims=dimensions(design) | {"mediator_trait": ("lasting_mediator", "participant"), "trait": ("participant",)},
        make_initial_point_fn=lambda seed: _jittered(start(design, priors), seed),
    )


def _own_shapes(design: Design) -> dict[str, tuple[int, ...]]:
    """Shapes of traits and latent values, as they stand in the posterior."""
    lasts, people = len(lasting(design)), design.participants
    found: dict[str, tuple[int, ...]] = {"mediator_trait": (lasts, people)} if lasts else {}
    found |= {"trait": (people,)} if design.has_trait else {}
    plan = cells(design)
    for name, many in ((LEVEL, design.groups.grouping_of.size), (WAVE, design.groups.grouping_of_cell.size)):
        found |= {f"{MEDIATOR}{name}": (design.mediators.count, many), name: (many,)} if many else {}
    return found | {f"{MISSING}{design.mediators.name[place]}": (rows.size,) for place, rows in plan.latent.items()}


def _log_density(trial: tuple) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    def found(point: np.ndarray) -> tuple[float, np.ndarray]:
        slope = np.empty(point.size)
        return kernel.log_density(point, trial, slope), slope

    return found


def _expanded(
    design: Design, trial: tuple, shapes: Mapping[str, tuple[int, ...]]
) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """From a point to the values that are kept, by name."""
    first = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes.values())])
    lasts, plan, names = lasting(design), cells(design), design.mediators.name
    ends = np.cumsum([0, *(rows.size for rows in plan.latent.values())])

    def found(point: np.ndarray) -> dict[str, np.ndarray]:
        value, trait, latent, *levels = kernel.unknowns(point, trial)
        kept = {name: value[first[k] : first[k + 1]].reshape(shape) for k, (name, shape) in enumerate(shapes.items())}
        kept |= {"mediator_trait": trait[lasts]} if lasts else {}
        kept |= {"trait": trait[-1]} if design.has_trait else {}
        for name, each in zip((LEVEL, WAVE), levels, strict=True):
            kept |= {f"{MEDIATOR}{name}": np.ascontiguousarray(each[:-1]), name: each[-1].copy()} if each.size else {}
        return kept | {f"{MISSING}{names[place]}": latent[ends[k] : ends[k + 1]] for k, place in enumerate(plan.latent)}

    return found


def start(design: Design, priors: PriorSet) -> np.ndarray:
    """Around which point chains begin: the priors' middles, traits and latent values at 0.

    Those are without data, so that draws depend on the data through the density alone.
    """
    block, number, _ = _priors(design, priors)
    kind = np.repeat(block[:, 0], block[:, 2])
    mean = np.select(
        [kind == kernel.STRAIGHT, kind == kernel.HALF, kind == kernel.GAMMA],
        [number[:, 0], np.log(np.where(kind == kernel.HALF, number[:, 1], 1.0)), np.log(_ratio(kind, number))],
        0.0,
    )
    others = design.participants * (len(lasting(design)) + design.has_trait)
    others += (design.mediators.count + 1) * (design.groups.grouping_of.size + design.groups.grouping_of_cell.size)
    return np.concatenate([mean, np.zeros(others + sum(rows.size for rows in cells(design).latent.values()))])


def _ratio(kind: np.ndarray, number: np.ndarray) -> np.ndarray:
    return np.divide(number[:, 0], number[:, 1], out=np.ones(len(number)), where=kind == kernel.GAMMA)


def _jittered(middle: np.ndarray, seed: int) -> np.ndarray:
    return middle + np.random.default_rng(seed).uniform(-1.0, 1.0, middle.size)


def packed(design: Design, priors: PriorSet) -> tuple[tuple, ...]:
    """The trial and its priors as `mediation_kernel.log_density` takes them."""
    layout = design.mediators
    order, centred = trait_form(design)
    equation = np.array([*lasting(design), *[layout.count] * design.has_trait], int)
    covariates = np.ascontiguousarray(design.covariates.T, dtype=float)
    kinds = np.array([kernel.KINDS[kind] for kind in layout.kind], int)
    return (
        _priors(design, priors),
        _linear(design),
        tuple(kernel.People(design.arm, covariates, design.follows, equation, order, centred)),
        (kinds, np.where(layout.continuous, 0.0, layout.centre), np.where(layout.continuous, 1.0, layout.scale)),
        *_mediators(design),
        _outcomes(design),
        _groups(design),
    )


def _priors(design: Design, priors: PriorSet) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`mediation_kernel.Prior`."""
    labels = coordinates(design)
    block, number, roots, first, begin = [], [], [], 0, 0
    for name, dims in dimensions(design).items():
        sizes, prior = [len(labels[dim]) for dim in dims], priors[name]
        count, size = int(np.prod(sizes, dtype=int)), sizes[-1] if sizes else 1
        kind = kernel.STRAIGHT if _is_alone(prior, size) else kernel.PRIORS[prior.distribution]
        block.append((kind, first, count, size, begin))
        number.append(_numbers(prior, kind, count, size))
        if kind == kernel.JOINT:
            roots.append(np.linalg.cholesky(prior.correlation(size)).ravel())
            begin += roots[-1].size
        first += count
    return np.array(block, int), np.concatenate(number), np.concatenate([*roots, np.zeros(0)])


def _is_alone(prior: Prior, size: int) -> bool:
    return prior.distribution == "exchangeable_normal" and size == 1


def _numbers(prior: Prior, kind: int, count: int, size: int) -> np.ndarray:
    given = prior.arguments
    if kind == kernel.PARTIAL:
        shapes = np.tile(lkj_shapes(given["shape"], size), count // size)  # a matrix for each row of the parameter
        return np.stack([shapes, np.zeros(count)], axis=1)
    if kind == kernel.GAMMA:
        return np.tile([given["shape"], given["rate"]], (count, 1)).astype(float)
    return np.tile([given.get("mean", 0.0), given["sd"]], (count, 1)).astype(float)


def _linear(design: Design) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """`mediation_kernel.Linear`: the equations at 0, and how each parameter moves them."""
    labels = coordinates(design)
    shapes = {name: tuple(len(labels[dim]) for dim in dims) for name, dims in dimensions(design).items()}
    sizes = [int(np.prod(shape, dtype=int)) for shape in shapes.values()]
    points = np.concatenate([np.zeros((1, sum(sizes))), np.eye(sum(sizes))])
    parts = np.split(points, np.cumsum(sizes)[:-1], axis=1)
    values = {
        name: part.reshape(len(points), *shape) for part, (name, shape) in zip(parts, shapes.items(), strict=True)
    }
    found = _terms(values, design)
    moved = found[1:] - found[0]
    column, row = np.nonzero(moved)
    return row, column, moved[column, row], found[0]


def _terms(values: Mapping[str, np.ndarray], design: Design) -> np.ndarray:
    """`mediation_kernel.Levels` and `Terms` as one vector, (draw, term), by the equations that every other step has."""
    layout, draws = design.mediators, len(values["mu_0"])
    gamma = np.zeros((draws, layout.count + 1, len(design.covariate)))
    if design.covariate:
        gamma = np.concatenate([values["mediator_gamma"], values["gamma"][:, None]], axis=1)
    start = np.concatenate([values["mediator_mu_0"], values["mu_0"][:, None]], axis=1)
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
    dispersion = values.get(design.family.spread, np.zeros(draws))
    none = np.zeros((draws, 0))
    partial, joint = values.get("partial_correlation", none), values.get("group_partial_correlation", none)
    terms = (*wave_terms(values, design), *mediator_terms(values, design), slope, interaction, spread, dispersion)
    shared = [
        np.concatenate([values[f"{MEDIATOR}{name}"], values[name][..., None]], axis=-1)
        for name in groups.dimensions(design)
    ]
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
    """`mediation_kernel.Observed` and `Latent`."""
    layout, plan = design.mediators, cells(design)
    grids = [plan.indices[f"cell of {name}"] for name in layout.name]
    values = [plan.observed[f"value of {name}"].astype(float) for name in layout.name]
    value = np.concatenate(values)
    inside = (value > 0) & (value < 1)
    safe = np.where(inside, value, 0.5)
    latent = {place: (design.participant_of[rows], design.wave_of[rows]) for place, rows in plan.latent.items()}
    counts = [latent[place][0].size if place in latent else 0 for place in range(layout.count)]
    latent_grid = [flat(layout, place, person, wave - layout.lag) for place, (person, wave) in latent.items()]
    first = np.cumsum([0, *(part.size for part in values)])
    observed = kernel.Observed(first, np.concatenate(grids), value, np.log(safe), np.log1p(-safe))
    return tuple(observed), (np.cumsum([0, *counts]), np.concatenate([*latent_grid, np.zeros(0, int)]).astype(int))


def _outcomes(design: Design) -> tuple:
    """`mediation_kernel.Outcomes`."""
    layout, person, wave = design.mediators, design.participant_of, design.wave_of
    entry, _, _ = pool(design)
    observed = [layout.scaled(place, part[~np.isnan(part)]) for place, part in enumerate(layout.value)]
    known = np.concatenate([*observed, np.zeros(1)])  # the last entry stands for what does not act
    latent = entry >= known.size - 1
    source = np.where(latent, entry - (known.size - 1), np.where(entry == SUMMED, SUMMED, -1))
    read = known[np.where(latent | (entry < 0), known.size - 1, entry)]
    grid = np.stack([flat(layout, place, person, wave - layout.lag) for place in range(layout.count)])
    states = np.array([STATES.get(kind, 1) for kind in layout.kind])
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
