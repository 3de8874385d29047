"""Mediators as PyMC random variables: observed, latent where missing, or summed out of an outcome's likelihood."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from models.design.layout import Design
from models.design.mediation_cells import UNKNOWN, Cells
from models.equations.forward import MISSING
from models.equations.mediator_kinds import two_points
from models.equations.mediator_parameters import spread_of
from models.equations.random_variables import STANDARD

IMPOSSIBLE = -1e9
"""Log weight of a combination that cannot be."""


def declare_mediator(
    place: int, linear: Any, values: Mapping[str, Any], design: Design, known: Mapping[str, Any]
) -> Any:
    """Add a mediator's observed cells; returns them as the outcome's equation takes them."""
    layout = design.mediators
    name = layout.name[place]
    predictor = linear[known[f"cell of {name}"]]
    own = spread_of(place, values, design)
    variable = f"value of {name}"
    if layout.kind[place] == "normal":
        drawn = pm.Normal(variable, mu=predictor, sigma=own["residual_sd"])
    elif layout.kind[place] == "student":
        drawn = pm.StudentT(variable, nu=own["nu"], mu=predictor, sigma=own["residual_sd"])
    elif layout.kind[place] == "binary":
        drawn = pm.Bernoulli(variable, logit_p=predictor)
    else:
        drawn = pm.CustomDist(
            variable,
            predictor,
            *(own[part] for part in ("low", "high", "precision")),
            logp=ordered_beta_logp,
            random=_ordered_beta_random,
        )
    return _scaled(place, drawn, design, known)


def _scaled(place: int, value: Any, design: Design, known: Mapping[str, Any]) -> Any:
    """A value as the outcome's equation takes it."""
    if design.mediators.continuous[place]:
        return value
    return (value - known["mediator_centre"][place]) / known["mediator_scale"][place]


def declare_missing(
    linear: Any, values: Mapping[str, Any], design: Design, plan: Cells, known: Mapping[str, Any]
) -> Any:
    """Add the values of continuous mediators that an observed outcome needs and nobody knows, all in one vector."""
    rows = []
    for place in plan.latent:
        name, own = design.mediators.name[place], spread_of(place, values, design)
        middle = linear[known[f"{UNKNOWN}{name}"]]
        standard = f"missing {name}{STANDARD}"
        noise = (
            pm.StudentT(standard, nu=own["nu"], shape=middle.shape)
            if "nu" in own
            else pm.Normal(standard, shape=middle.shape)
        )
        rows.append(pm.Deterministic(f"{MISSING}{name}", middle + own["residual_sd"] * noise))
    return pt.concatenate(rows) if rows else pt.zeros(0)


def incomplete_log_likelihood(
    design: Design,
    plan: Cells,
    known: Mapping[str, Any],
    values: Mapping[str, Any],
    pool: Any,
    linear: Any,
    outcome: tuple[Any, Any],
    added: Callable[[Mapping[int, Any]], Any],
) -> Any:
    """Log likelihood of the outcomes of which a share or yes-or-no mediator is missing, summed over what it may be.

    Each combination of values has its log weight; between its ends a share has the two values of `two_points`, so that
    no latent value can run off to an end of the scale where nothing holds it.

    Parameters
    ----------
    design, plan, known, values, pool, linear : Design, Cells, mappings and tensors
        As in `models.equations.mediation.Mediation.build`.
    outcome : tuple of tensor, (cell, 1) each
        The outcome's predictor without its mediators, and its spread.
    added : callable
        What the mediators, by place, add to it.
    """
    layout, seen, (rest, spread) = design.mediators, known["incomplete_known"], outcome
    taken, weight = {}, pt.zeros((1, 1))
    for place in range(layout.count):
        value = pool[known[f"incomplete source of {layout.name[place]}"]][:, None]
        if (plan.states[place] == 0).all():
            taken[place] = value
            continue
        state = plan.states[place][None, :]
        predictor = linear[known[f"incomplete cell of {layout.name[place]}"]]
        levels, logs = states(layout.kind[place], predictor, spread_of(place, values, design))
        shown = _scaled(place, sum((state == k) * level for k, level in enumerate(levels)), design, known)
        known_here = seen[place][:, None]
        taken[place] = known_here * value + (1 - known_here) * shown
        of_state = sum((state == k) * logs[k][:, None] for k in range(len(logs)))
        weight = weight + known_here * np.where(state == 0, 0.0, IMPOSSIBLE) + (1 - known_here) * of_state
    likely = design.family.symbolic(
        known["incomplete_outcome"][:, None],
        rest + added(taken),
        spread,
    )
    return pt.logsumexp(weight + likely, axis=1).sum()


def states(kind: str, predictor: Any, own: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
    """Values of a mediator that is summed out, (cell, 1) or numbers, and the log probability of each, (cell,)."""
    if kind == "binary":
        return [0.0, 1.0], [-pt.softplus(predictor), -pt.softplus(-predictor)]
    zero, one = -pt.softplus(predictor - own["low"]), -pt.softplus(own["high"] - predictor)
    between = _log_between(predictor, own["low"], own["high"])
    lower, upper, weight = two_points(pm.math.sigmoid(predictor), own["precision"])
    return [0.0, 1.0, lower[:, None], upper[:, None]], [
        zero,
        one,
        between + pt.log(weight),
        between + pt.log1p(-weight),
    ]


def _log_between(predictor: Any, low: Any, high: Any) -> Any:
    # σ(a) − σ(b) = σ(a) σ(−b) (1 − exp(b − a)), which loses no digits in the tails
    width = pt.log1p(-pt.exp(low - high)) if not isinstance(high - low, float) else 0.0
    return -pt.softplus(low - predictor) - pt.softplus(predictor - high) + width


def ordered_beta_logp(value: Any, predictor: Any, low: Any, high: Any, precision: Any) -> Any:
    """Log density of an ordered-beta share: point masses at 0 and 1, a beta between (Kubinec 2022)."""
    within = pt.and_(pt.gt(value, 0), pt.lt(value, 1))
    safe = pt.switch(within, value, 0.5)
    mean = pm.math.sigmoid(predictor)
    alpha, beta = mean * precision, (1 - mean) * precision
    density = (
        (alpha - 1) * pt.log(safe)
        + (beta - 1) * pt.log1p(-safe)
        + pt.gammaln(precision)
        - pt.gammaln(alpha)
        - pt.gammaln(beta)
    )
    zero, one = -pt.softplus(predictor - low), -pt.softplus(high - predictor)
    between = -pt.softplus(low - predictor) - pt.softplus(predictor - high) + pt.log1p(-pt.exp(low - high))
    return pt.switch(within, between + density, pt.switch(pt.eq(value, 0), zero, one))


def _ordered_beta_random(
    predictor: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    precision: np.ndarray,
    rng: np.random.Generator,
    size: tuple[int, ...] | None = None,
) -> np.ndarray:
    uniform = rng.random(size)
    mean = 1 / (1 + np.exp(-predictor))
    between = rng.beta(mean * precision, (1 - mean) * precision, size)
    zero, one = 1 / (1 + np.exp(predictor - low)), 1 / (1 + np.exp(high - predictor))
    return np.where(uniform < zero, 0.0, np.where(uniform > 1 - one, 1.0, between))
