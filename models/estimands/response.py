"""Expected outcome if everybody were in one arm, by g-computation: each model's own, chosen by its class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import singledispatch
from typing import NamedTuple

import numpy as np
import xarray as xr

from models.design.layout import Design
from models.equations import groups, predictors
from models.equations.averages import ARMS, AVERAGES, OF_GROUPS, expected_outcomes
from models.equations.effect import Effect, own_traits, values_of
from models.equations.groups import MEDIATOR
from models.equations.mediation import Mediation
from models.equations.model import Model
from models.equations.random_slopes import RandomSlopes
from models.equations.terms import score, wave_terms
from models.estimands import estimands, totals
from models.inference.fitted import Specification

BLOCK = 100_000
"""Numbers held at a time while averaging over participants: 0.8 MB, near the processor."""


@singledispatch
def response(
    model: Model,
    draws: xr.Dataset,  # noqa: ARG001 - chosen by the model's class
    design: Design,  # noqa: ARG001
    averages: Sequence[str] = AVERAGES,  # noqa: ARG001
) -> xr.DataArray:
    """Expected outcome if everybody were in one arm.

    Participants are averaged over their observed covariates; the trait is integrated out ("population", the default
    for every report), taken as estimated ("sample"), or set to 0 at mean covariates ("typical"). Where groups were
    randomised, the trait alone may be integrated out and groups taken as estimated: averaged over all members ("these
    groups"), or first over each group's own ("groups equally").

    Parameters
    ----------
    model : Model
        Whose draws they are.
    draws : Dataset
        Posterior or prior draws, dims (chain, draw, …).
    design : Design
        The participants over whom to average.
    averages : sequence of str
        Which of them, of those `possible`.

    Returns
    -------
    DataArray, (chain, draw, average, arm, wave)
        Risks, or means, in the outcome's own unit. Of the effect model the trait's integral is exact to 1e-9, so there
        is no Monte-Carlo error in it; of the mediation model see `models.estimands.totals.response`.
    """
    raise TypeError(f"no rule averages the outcomes of the {model.name} model")


def possible(draws: xr.Dataset, design: Design) -> tuple[str, ...]:
    """Averages that `response` can take of these draws: that over these participants needs their traits.

    Those over groups that were randomised are the effect model's alone, as is what the page says of them.
    """
    # of a control participant nobody knows which group she would have been treated in
    known = (not design.has_trait or "trait" in draws) and "delivery" not in design.groups.kind
    found = AVERAGES if known else tuple(name for name in AVERAGES if name != "sample")
    alone = "delivery" not in design.groups.kind and f"{MEDIATOR}mu_0" not in draws
    return (*found, *OF_GROUPS) if design.groups.randomised is not None and alone else found


def primary_draws(fitted: Specification, draws: xr.Dataset) -> np.ndarray:
    """The difference that answers the study's question at each of some draws, (draw,), chains one after the other."""
    levels = response(fitted.model, draws, fitted.design, (estimands.POPULATION,))
    return estimands.primary_difference(levels, fitted.study).to_numpy().ravel()


@response.register
def _of_effect(model: Effect, draws: xr.Dataset, design: Design, averages: Sequence[str] = AVERAGES) -> xr.DataArray:
    # a draw's participants are averaged one by one for these ones, pattern by pattern for all of their kind
    rows = len(design.patterns[0]) if set(averages) <= {"population", "typical"} else design.participants
    return _in_blocks(model, draws, design, averages, rows)


@response.register
def _of_slopes(
    model: RandomSlopes, draws: xr.Dataset, design: Design, averages: Sequence[str] = (estimands.POPULATION,)
) -> xr.DataArray:
    return _in_blocks(model, draws, design, averages, design.participants)


@response.register
def _of_mediation(
    _: Mediation,
    draws: xr.Dataset,
    design: Design,
    averages: Sequence[str] = AVERAGES,
) -> xr.DataArray:
    return totals.response(draws, design, averages)


def _in_blocks(model: Effect, draws: xr.Dataset, design: Design, averages: Sequence[str], rows: int) -> xr.DataArray:
    """Averages of a model without mediators, of so many draws at a time that `rows` numbers of each fit a block."""
    flat = draws.stack(sample=("chain", "draw"), create_index=False).transpose("sample", ...)
    result = np.empty((flat.sizes["sample"], len(averages), len(ARMS), len(design.wave)))
    block = max(1, BLOCK // (rows * result[0, 0].size))
    for start in range(0, len(result), block):
        part = slice(start, start + block)
        inside = flat.isel(sample=part)
        each = {rule: rule(model, inside, design) for rule in {RULES[average].each for average in averages}}
        for place, average in enumerate(averages):
            result[part, place] = RULES[average].over(each[RULES[average].each], design)
    return expected_outcomes(draws, design, averages, result)


def _terms(flat: xr.Dataset, design: Design) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Level, effect and arm, broadcast as (draw, arm, wave, participant)."""
    level, effect = wave_terms(values_of(flat), design)
    return level[:, None, :, None], effect[:, None, :, None], np.array([-0.5, 0.5])[:, None, None]


def _of_patterns(model: Effect, flat: xr.Dataset, design: Design) -> np.ndarray:
    # participants with the same covariates share one term
    patterns, _ = design.patterns
    values = values_of(flat)
    total, scale = score(values, patterns)[:, None, None, :], model.new_sd(values, design)[..., None]
    at_zero = predictors.predictor(*_terms(flat, design), total, 0.0)
    return design.family.marginal_mean(at_zero, scale)


def _by_pattern(each: np.ndarray, design: Design) -> np.ndarray:
    _, counts = design.patterns
    return each @ (counts / counts.sum())


def _themselves(model: Effect, flat: xr.Dataset, design: Design) -> np.ndarray:  # noqa: ARG001 - as the others
    total = score(values_of(flat), design.covariates)[:, None, None, :]
    trait = own_traits(flat, design)[:, None, None, :]
    if design.groups:
        trait = trait + _of_groups(flat, design)
    return design.family.mean(predictors.predictor(*_terms(flat, design), total, trait))


def _alike(each: np.ndarray, design: Design) -> np.ndarray:  # noqa: ARG001 - as the others
    return each.mean(-1)


def _of_groups(flat: xr.Dataset, design: Design) -> np.ndarray:
    """What each participant's own groups add at each wave, (draw, 1, wave, participant)."""
    found = groups.term(flat, design.groups, *groups.grid(design.groups.member, len(design.wave)))
    return found.reshape(-1, design.participants, len(design.wave)).swapaxes(1, 2)[:, None]


def _in_their_groups(model: Effect, flat: xr.Dataset, design: Design) -> np.ndarray:
    """Expected outcome of a new participant like each of this trial in her groups, (draw, arm, wave, participant)."""
    values = values_of(flat)
    total, scale = score(values, design.covariates)[:, None, None, :], model.own_sd(values, design)[:, None, :, None]
    at_zero = predictors.predictor(*_terms(flat, design), total, _of_groups(flat, design))
    return design.family.marginal_mean(at_zero, scale)


def _by_group(each: np.ndarray, design: Design) -> np.ndarray:
    assert design.groups.randomised is not None  # or it would not be `possible`
    member = design.groups.member[design.groups.randomised]
    _, place, size = np.unique(member, return_inverse=True, return_counts=True)
    return each @ (1.0 / (size[place] * size.size))


def _typical(model: Effect, flat: xr.Dataset, design: Design) -> np.ndarray:  # noqa: ARG001 - as the others
    return design.family.mean(predictors.predictor(*_terms(flat, design), 0.0, 0.0))


def _of_one(each: np.ndarray, design: Design) -> np.ndarray:  # noqa: ARG001 - as the others
    return each[..., 0]


class Rule(NamedTuple):
    """An average of a model without mediators.

    Attributes
    ----------
    each : callable
        Expected outcomes one by one, (draw, arm, wave, row): computed once for every average that takes them.
    over : callable
        Their average, (draw, arm, wave).
    """

    each: Callable[[Effect, xr.Dataset, Design], np.ndarray]
    over: Callable[[np.ndarray, Design], np.ndarray]


RULES = {
    "population": Rule(_of_patterns, _by_pattern),
    "sample": Rule(_themselves, _alike),
    "typical": Rule(_typical, _of_one),
    "these groups": Rule(_in_their_groups, _alike),
    "groups equally": Rule(_in_their_groups, _by_group),
}
