"""Do mediators look like draws from their own distributions? Leave-one-out probability integral transforms.

For each observed value: the probability of something smaller, given everything but the value itself. Over all values of
a mediator such probabilities are uniform if its distribution is right. MODEL.md, "Mediators' predictive checks".
"""

from __future__ import annotations

from functools import singledispatch

import numpy as np
import xarray as xr

from models.checks import uniformity
from models.checks.leave_one_out import weights
from models.design.layout import Design
from models.equations import forward
from models.equations.mediation import Mediation
from models.equations.mediator_kinds import MEDIATOR_KINDS
from models.equations.model import Model

DRAWS = 1000
"""Posterior draws over which each value's probability is averaged: its Monte-Carlo error is about .01."""
MOST_VALUES = 2000
"""Values of one mediator that are looked at, drawn at random where there are more: the curve is then known well."""
GRID = np.arange(1, 100) / 100
"""Of the transforms, the shares at most each of these are compared with the shares of uniform numbers."""
RAREST = 1e-4
GOOD_K = 0.7


def transforms(draws: xr.Dataset, design: Design, place: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Randomised leave-one-out transforms of one mediator's observed values, and the Pareto k of each.

    Parameters
    ----------
    draws : Dataset
        Posterior draws, traits among them, dims (chain, draw, …).
    design : Design
        The trial as observed.
    place : int
        Of the mediator in the design.
    seed : int
        Of what spreads a value that has a probability of its own (yes or no, a share of exactly 0 or 1) evenly over
        that probability, without which the transforms of a right model would not be uniform.

    Returns
    -------
    transform : ndarray, (value,)
        In [0, 1].
    pareto_k : ndarray, (value,)
        Above 0.7 the weights that take the value out of the posterior cannot be trusted.
    """
    layout, values = design.mediators, forward.values_of(draws)
    rng = np.random.default_rng([seed, 19, place])
    seen = np.flatnonzero(~np.isnan(layout.value[place]))
    some = seen if seen.size <= MOST_VALUES else np.sort(rng.choice(seen, MOST_VALUES, replace=False))
    person, wave = np.unravel_index(some, layout.value[place].shape)
    value, rule = layout.value[place][person, wave], MEDIATOR_KINDS[layout.kind[place]]
    predictor = forward.mediator_predictor(values, design, place, person, wave)
    own = forward.spread_at(values, design, place)
    flat = (-1, value.size)
    likely = rule.log_probability(value, predictor, own).reshape(flat)
    weight, pareto_k = weights(likely)
    left, right = (
        np.einsum("vd,dv->v", weight, np.broadcast_to(part, predictor.shape).reshape(flat))
        for part in rule.between(value, predictor, own)
    )
    return np.clip(left + rng.random(value.size) * (right - left), 0.0, 1.0), pareto_k


def band(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Limits within which the distribution function of so many uniform numbers lies at all of `GRID` at once.

    A function of the count alone (`uniformity.band`). Of 20 values or more it is that of the next smaller multiple of
    20, a little wider: from its own band the number of values could be worked out, and with it how many are missing.

    Returns
    -------
    lower, upper : ndarray, (probability,)
        As shares of the values.
    """
    return uniformity.band(count - count % 20 if count >= 20 else count, tuple(GRID))


def chance(transform: np.ndarray) -> float:
    """How often so many uniform numbers have a distribution function that leaves its band as far as this one.

    Never below 1e-4, which stands for less: the transforms themselves are uncertain.
    """
    below = np.searchsorted(np.sort(transform), GRID, side="right")
    return max(RAREST, uniformity.chance_beyond(below, transform.size, tuple(GRID)))


@singledispatch
def mediator_pit(model: Model, draws: xr.Dataset, design: Design, seed: int) -> xr.Dataset:  # noqa: ARG001 - by class
    """Whether the observed mediators look like draws from their own distributions; empty of a model without any.

    Parameters
    ----------
    model : Model
        Whose draws they are.
    draws, design, seed : Dataset, Design, int
        As for `pit`.
    """
    return xr.Dataset()


@mediator_pit.register
def _of_mediation(_: Mediation, draws: xr.Dataset, design: Design, seed: int) -> xr.Dataset:
    return pit(draws, design, seed)


def pit(draws: xr.Dataset, design: Design, seed: int) -> xr.Dataset:
    """Distribution function of each mediator's transforms beside the band of uniform ones.

    Parameters
    ----------
    draws, design, seed : Dataset, Design, int
        As `transforms`; of the draws about `DRAWS` are used.

    Returns
    -------
    Dataset
        ecdf, lower, upper (mediator, probability): shares of the mediator's values; values, unreliable (mediator,): how
        many there are, and how many of them have a Pareto k above 0.7; inside (mediator,): whether the function stays
        within the band everywhere; chance (mediator,): `chance`, times the number of mediators. No value of any
        participant is in it.
    """
    found: dict[str, list] = {
        name: [] for name in ("ecdf", "lower", "upper", "values", "unreliable", "inside", "chance")
    }
    step = max(1, draws.sizes["chain"] * draws.sizes["draw"] // DRAWS)
    thin = draws.isel(draw=slice(None, None, step))
    for place in range(design.mediators.count):
        transform, pareto_k = transforms(thin, design, place, seed)
        ecdf = np.searchsorted(np.sort(transform), GRID, side="right") / transform.size
        lower, upper = band(transform.size)
        inside = bool(((ecdf >= lower) & (ecdf <= upper)).all())
        rare = min(1.0, design.mediators.count * chance(transform))
        row = (ecdf, lower, upper, transform.size, int((pareto_k > GOOD_K).sum()), inside, rare)
        for name, part in zip(found, row, strict=True):
            found[name].append(part)
    curves = ("ecdf", "lower", "upper")
    dims = {name: ("mediator", "probability") if name in curves else ("mediator",) for name in found}
    shaped = {name: (dims[name], np.array(parts)) for name, parts in found.items()}
    return xr.Dataset(shaped, {"mediator": list(design.mediators.name), "probability": GRID})
