"""A mediation posterior run forward in NumPy: predictors of observed cells, missing mediators, new participants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from models.design.layout import Design
from models.design.mediation_cells import Cells, cells
from models.equations import groups, predictors
from models.equations.likelihoods import dispersion
from models.equations.mediator_kinds import MEDIATOR_KINDS, ends, log_between, two_points
from models.equations.mediator_parameters import MEDIATOR, acting, interacting, lasting, spread_of
from models.equations.terms import mediator_terms, score, wave_terms
from models.numerics.logistic import expit

MISSING = "missing "
"""Beginning of the name of the missing values of a mediator that outcomes need."""


def values_of(draws: xr.Dataset) -> dict[str, np.ndarray]:
    """Draws as arrays, (chain, draw, …)."""
    return {str(name): value.transpose("chain", "draw", ...).to_numpy() for name, value in draws.items()}


def traits_of_new(draws: xr.Dataset, design: Design, rng: np.random.Generator) -> dict[str, tuple]:
    """Traits of new participants and levels of new groups of the same kind, by variable: (dims, array)."""
    values, lasts = values_of(draws), lasting(design)
    size = len(lasts) + design.has_trait
    shape = (*values["mu_0"].shape, size, design.participants)
    noise = rng.standard_normal(shape)
    root = predictors.correlation_root(values.get("partial_correlation"), size)
    rows = [sum(np.asarray(w)[..., None] * noise[..., k, :] for k, w in enumerate(row)) for row in root]
    found: dict[str, tuple] = {}
    if lasts:
        scaled = [values["mediator_tau"][..., k, None] * rows[k] for k in range(len(lasts))]
        found["mediator_trait"] = (("chain", "draw", "lasting_mediator", "participant"), np.stack(scaled, axis=2))
    if design.has_trait:
        found["trait"] = (("chain", "draw", "participant"), values["tau"][..., None] * rows[-1])
    return found | (groups.drawn_anew(draws, design, rng) if design.groups else {})


def mediator_predictor(
    values: Mapping[str, np.ndarray], design: Design, place: int, person: np.ndarray, wave: np.ndarray
) -> np.ndarray:
    """One mediator on its link scale at some cells, (chain, draw, cell); wave −1 and less: before the first."""
    level, effect = mediator_terms(values, design)
    column = np.maximum(wave, -1) + 1
    lasts = lasting(design)
    own = values["mediator_trait"][..., lasts.index(place), :][..., person] if place in lasts else 0.0
    if design.groups:
        member = design.groups.member[:, person]
        own = own + groups.term(values, design.groups, member, np.maximum(wave, -1), place)
    return predictors.predictor(
        level[..., place, column],
        effect[..., place, column],
        design.arm[person],
        score(values, design.covariates, MEDIATOR)[..., place, person],
        own,
    )


def outcome_predictor(
    values: Mapping[str, np.ndarray],
    design: Design,
    read: Mapping[int, np.ndarray],
    trait: np.ndarray | float,
) -> np.ndarray:
    """The outcome on its link scale at every observed cell, (chain, draw, observation).

    Parameters
    ----------
    values : mapping of str to array
        Draws.
    read : mapping of int to array
        Scaled values of the mediators that act, by place, (…, observation); 0 where one does not act.
    trait : array, (chain, draw, participant), or 0
        The outcome's trait.
    """
    level, effect = wave_terms(values, design)
    person, wave = design.participant_of, design.wave_of
    own = trait[..., person] if isinstance(trait, np.ndarray) else trait
    if design.groups:
        own = own + groups.term(values, design.groups, design.groups.member[:, person], wave)
    mediated: np.ndarray | float = 0.0
    if acting(design):
        mediated = predictors.mediated(
            values["slope"],
            values.get("interaction"),
            design.arm[person] * design.follows[wave],
            [read[place] for place in acting(design)],
            [read[place] for place in interacting(design)],
        )
    return design.offset + predictors.predictor(
        level[..., wave],
        effect[..., wave],
        design.arm[person],
        score(values, design.covariates)[..., person],
        own,
        mediated,
    )


def mediators_read(values: Mapping[str, np.ndarray], design: Design) -> dict[int, np.ndarray]:
    """Scaled mediator values that each observed outcome reads, by place: known ones, and the missing as drawn."""
    layout, plan, found = design.mediators, cells(design), {}
    for place in acting(design):
        known = _known(design, place)
        rows = plan.unknown.get(place)
        if rows is not None and f"{MISSING}{layout.name[place]}" in values:
            drawn = layout.scaled(place, values[f"{MISSING}{layout.name[place]}"])
            known = np.broadcast_to(known, (*drawn.shape[:-1], known.size)).copy()
            known[..., rows] = drawn
        found[place] = known
    return found


def _known(design: Design, place: int) -> np.ndarray:
    """Scaled value that each outcome reads, NaN where nobody knows it, 0 where the mediator does not act."""
    layout = design.mediators
    value = layout.scaled(place, layout.felt(place, design.participant_of, design.wave_of))
    return np.where(layout.acts[place][design.wave_of], value, 0.0)


def completed(draws: xr.Dataset, design: Design, seed: int) -> xr.Dataset:
    """Draws with a value for every mediator that an outcome needs and nobody knows, in the form of `Mediators.value`.

    Continuous ones were sampled with the rest. Shares and yes-or-no mediators were summed out: theirs are drawn here
    from their exact conditional distribution given the outcome, so that the draws are from the joint posterior.
    """
    plan = cells(design)
    if not plan.incomplete:
        return draws
    values, layout = values_of(draws), design.mediators
    rows = plan.partly
    part = _rows(design, rows)
    read = {place: _known(design, place)[rows] for place in range(layout.count)}
    latent = mediators_read(values, design)
    weights: np.ndarray | float = 0.0
    shown: dict[int, np.ndarray] = {}
    for place in range(layout.count):
        if (plan.states[place] == 0).all():
            shown[place] = latent[place][..., rows, None] if place in latent else np.zeros((1, 1))
            continue
        shown[place], weight = _combinations(values, design, plan, place, read[place])
        weights = weights + weight
    likely = np.stack(
        [
            design.family.log_probability(
                part.outcome,
                outcome_predictor(
                    values,
                    part,
                    {
                        place: np.broadcast_to(each, (*each.shape[:-1], plan.states.shape[1]))[..., k]
                        for place, each in shown.items()
                    },
                    values.get("trait", 0.0),
                ),
                dispersion(draws, part),
            )
            for k in range(plan.states.shape[1])
        ],
        axis=-1,
    )
    log_weight = weights + likely
    share = np.exp(log_weight - log_weight.max(-1, keepdims=True)).cumsum(-1)
    uniform = np.random.default_rng([seed, 5]).random((*share.shape[:-1], 1)) * share[..., -1:]
    chosen = (uniform > share).sum(-1)
    found = {}
    for place in layout.of_kind("share", "binary"):
        if place not in plan.unknown:
            continue
        inside = np.searchsorted(rows, plan.unknown[place])
        levels = np.broadcast_to(shown[place], (*chosen.shape, plan.states.shape[1]))[..., inside, :]
        value = np.take_along_axis(levels, chosen[..., inside, None], axis=-1)[..., 0]
        name = f"{MISSING}{layout.name[place]}"
        found[name] = (("chain", "draw", f"cell of {name}"), layout.centre[place] + layout.scale[place] * value)
    return draws.assign(found)


def _rows(design: Design, rows: np.ndarray) -> Design:
    return replace(
        design,
        participant_of=design.participant_of[rows],
        wave_of=design.wave_of[rows],
        outcome=design.outcome[rows],
        offset=design.offset[rows],
    )


def _combinations(
    values: Mapping[str, np.ndarray], design: Design, plan: Cells, place: int, read: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Scaled value and log weight of a summed-out mediator in each combination, (chain, draw, cell, combination)."""
    layout, rows, state = design.mediators, plan.partly, plan.states[place]
    before = design.wave_of[rows] - layout.lag
    predictor = mediator_predictor(values, design, place, design.participant_of[rows], before)
    own = spread_at(values, design, place)
    missing = np.isnan(read)
    zeros = np.zeros_like(predictor)
    if layout.kind[place] == "binary":
        rule = MEDIATOR_KINDS["binary"].log_probability
        levels = [zeros, zeros + 1]
        logs = [rule(np.zeros(1), predictor, own), rule(np.ones(1), predictor, own)]
    else:
        zero, one = ends(predictor, own)
        lower, upper, weight = two_points(expit(predictor), own["precision"])
        between = log_between(predictor, own)
        levels = [zeros, zeros + 1, lower, upper]
        with np.errstate(divide="ignore"):
            logs = [np.log(zero), np.log(one), between + np.log(weight), between + np.log1p(-weight)]
    shown = layout.scaled(place, np.stack(levels, axis=-1)[..., state])
    shown = np.where(missing[:, None], shown, np.where(missing, 0.0, read)[:, None])
    log_weight = np.stack(logs, axis=-1)[..., state]
    return shown, np.where(missing[:, None], log_weight, np.where(state == 0, 0.0, -np.inf))


def drawn_for_new(draws: xr.Dataset, design: Design, rng: np.random.Generator) -> np.ndarray:
    """The outcome's predictor for new participants in the observed cells, mediators drawn anew, (chain, draw, …)."""
    values = values_of(draws) | {name: value for name, (_, value) in traits_of_new(draws, design, rng).items()}
    layout, read = design.mediators, {}
    person, before = design.participant_of, design.wave_of - design.mediators.lag
    for place in acting(design):
        predictor = mediator_predictor(values, design, place, person, before)
        own = spread_at(values, design, place)
        value = _draw(layout.kind[place], rng, predictor, own)
        read[place] = np.where(layout.acts[place][design.wave_of], layout.scaled(place, value), 0.0)
    return outcome_predictor(values, design, read, values.get("trait", 0.0))


def simulated(truth: xr.Dataset, design: Design, rng: np.random.Generator) -> Design:
    """The same trial with mediators and outcomes of new participants, whose parameters are the only draw of `truth`.

    A mediator value that was missing is missing again, but the outcome that it moves has felt it, as it has what was
    before the first wave. What the model takes
    from the first data (standardisation, which ends a share has) stays as it was.
    """
    values = values_of(truth) | {name: value for name, (_, value) in traits_of_new(truth, design, rng).items()}
    layout, read = design.mediators, {}
    waves = np.arange(-layout.lag, len(design.wave))
    person, wave = (each.ravel() for each in np.meshgrid(np.arange(design.participants), waves, indexing="ij"))
    value = np.empty_like(layout.value)
    for place in range(layout.count):
        predictor = mediator_predictor(values, design, place, person, wave)
        drawn = _draw(layout.kind[place], rng, predictor, spread_at(values, design, place))[0, 0]
        lived = drawn.reshape(design.participants, waves.size)
        value[place] = lived[:, layout.lag :]
        felt = layout.scaled(place, lived[design.participant_of, design.wave_of])
        read[place] = np.where(layout.acts[place][design.wave_of], felt, 0.0)
    linear = outcome_predictor(values, design, read, values.get("trait", 0.0))
    outcome = design.family.draw(rng, linear, dispersion(truth, design))[0, 0]
    ended = tuple(layout.ends(place) for place in range(layout.count))
    kept = replace(layout, value=np.where(np.isnan(layout.value), np.nan, value), ended=ended)
    # how traits are sampled is chosen anew: the posterior is the same, but 500 iterations must be enough to see it
    return replace(design, outcome=outcome.astype(design.outcome.dtype), mediators=kept).parametrised()


def spread_at(values: Mapping[str, np.ndarray], design: Design, place: int) -> dict[str, Any]:
    """`spread_of` one mediator, with an axis for its cells."""
    own = spread_of(place, values, design)
    return {name: part[..., None] if isinstance(part, np.ndarray) else part for name, part in own.items()}


def _draw(kind: str, rng: np.random.Generator, predictor: np.ndarray, own: Mapping[str, np.ndarray]) -> np.ndarray:
    if kind == "share":
        # the beta itself, in place of the two points that serve averages
        uniform, (zero, one) = rng.random(predictor.shape), ends(predictor, own)
        mean = np.clip(1 / (1 + np.exp(-predictor)), 1e-12, 1 - 1e-12)
        between = rng.beta(mean * own["precision"], (1 - mean) * own["precision"])
        # a draw that only rounding takes to an end of the scale is none of its point masses
        between = np.clip(between, np.finfo(float).tiny, 1 - np.finfo(float).epsneg)
        return np.where(uniform < zero, 0.0, np.where(uniform >= 1 - one, 1.0, between))
    if kind == "student":
        return predictor + own["residual_sd"] * rng.standard_t(np.broadcast_to(own["nu"], predictor.shape))
    return MEDIATOR_KINDS[kind].value(rng.random(predictor.shape), predictor, own)


def conditional_trait(
    values: Mapping[str, np.ndarray], design: Design
) -> tuple[np.ndarray | float, np.ndarray | float]:
    """Mean (chain, draw, participant) and SD (chain, draw) of the outcome's trait given the mediators' traits."""
    if not design.has_trait:
        return 0.0, 0.0
    lasts = lasting(design)
    root = predictors.correlation_root(values.get("partial_correlation"), len(lasts) + 1)
    scores: list[np.ndarray] = []
    for k, row in enumerate(root[:-1]):
        whole = values["mediator_trait"][..., k, :] / values["mediator_tau"][..., k, None]
        before = sum(np.asarray(w)[..., None] * z for w, z in zip(row, scores, strict=False))
        scores.append((whole - before) / np.asarray(row[-1])[..., None])
    nobody = np.zeros(design.participants)
    mean = sum((np.asarray(w)[..., None] * z for w, z in zip(root[-1], scores, strict=False)), nobody)
    return values["tau"][..., None] * mean, values["tau"] * root[-1][-1]


def mediator_log_likelihood(draws: xr.Dataset, design: Design) -> np.ndarray:
    """Log likelihood of every observed mediator value at each draw, (chain, draw)."""
    values, layout = values_of(draws), design.mediators
    total = np.zeros(values["mu_0"].shape)
    for place in range(layout.count):
        person, wave = np.nonzero(~np.isnan(layout.value[place]))
        own = spread_at(values, design, place)
        predictor = mediator_predictor(values, design, place, person, wave)
        total += (
            MEDIATOR_KINDS[layout.kind[place]]
            .log_probability(layout.value[place][person, wave], predictor, own)
            .sum(-1)
        )
    return total
