"""The integrated likelihood of posterior draws: for leaving participants out, and to draw their traits again."""

from __future__ import annotations

import numpy as np
import xarray as xr

from models.design import outcome_histories
from models.design.layout import Design
from models.equations import groups, predictors
from models.equations.histories import covariance, integrals
from models.equations.histories.traits import drawn
from models.equations.terms import dispersions, score, spread_dimensions, wave_dimensions, wave_terms
from models.equations.wave_covariance import PARTIAL

Given = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Of each draw: predictors (draw, pattern × wave) at a trait of 0, SD of the trait (draw,), dispersions alike."""


def given(draws: xr.Dataset, design: Design, found: outcome_histories.Histories) -> Given:
    """What the kernel needs of draws, which are stacked over chains."""
    flat = draws.stack(sample=("chain", "draw"), create_index=False).transpose("sample", ...)
    values = {name: flat[name].to_numpy() for name in wave_dimensions(design) | spread_dimensions(design)}
    level, effect_at = wave_terms(values, design)
    total = score(values, found.covariates)
    eta = predictors.predictor(level[:, None, :], effect_at[:, None, :], found.arm[:, None], total[:, :, None], 0.0)
    eta = eta + found.offset
    if design.groups:
        eta = eta + groups.term(flat, design.groups, *groups.grid(found.group, len(design.wave))).reshape(eta.shape)
    scale = flat["tau"].to_numpy() if design.has_trait else np.zeros(len(eta))
    arm, wave = np.broadcast_arrays(found.arm[:, None], np.arange(len(design.wave)))
    spread = dispersions(values, design, arm, wave)
    return eta.reshape(len(eta), -1), scale, np.broadcast_to(spread, eta.shape).reshape(len(eta), -1)


def log_likelihood(draws: xr.Dataset, design: Design) -> np.ndarray:
    """Log probability of each distinct history given the top-level parameters, shape (draw, history).

    Parameters
    ----------
    draws : Dataset
        Of the posterior or prior.
    design : Design
        Whose `histories` they are.
    """
    found = design.histories
    values = given(draws, design, found)
    return _correlated(values, draws, design) if design.correlated else _each(values, design, found, FINENESS)


def _correlated(values: Given, draws: xr.Dataset, design: Design) -> np.ndarray:
    """The same where waves have correlations in place of a trait."""
    (eta, _, spread), found, waves = values, design.histories, len(design.wave)
    partial = draws[PARTIAL].transpose("chain", "draw", ...).to_numpy().reshape(len(eta), -1)
    root = np.zeros((len(eta), waves, waves))
    for k, weights in enumerate(predictors.correlation_root(partial, waves)):
        for j, weight in enumerate(weights):
            root[:, k, j] = weight
    logs, slopes, by_root = np.empty((len(eta), found.count.size)), np.empty((2, eta.shape[1])), np.empty(root[0].shape)
    for draw, row in enumerate(logs):
        covariance.each(root[draw], eta[draw], spread[draw], *found.joint, row, *slopes, by_root)
    return logs - np.diff(found.history_members) * np.log(design.scale)


def _each(values: Given, design: Design, found: outcome_histories.Histories, fineness: float) -> np.ndarray:
    eta, tau, spread = values
    logs, slopes = np.empty((tau.size, found.count.size)), np.empty((2, eta.shape[1]))
    kind, structure = design.family.number, tuple(found.structure.values())
    for draw, row in enumerate(logs):
        integrals.each(kind, fineness, eta[draw], tau[draw], spread[draw], *structure, row, *slopes)
    # a continuous outcome is standardised: its density is per unit of the outcome itself
    return logs - np.diff(found.history_members) * np.log(design.scale)


FINENESS = 1.0
"""Divides the step between nodes."""
TOLERANCE = 1e-8
"""Largest change of a history's log likelihood that halving the step may bring."""


def coarse(draws: xr.Dataset, design: Design) -> float:
    """Largest change of any history's log likelihood that halving the step brings, where τ is at its 99.9% quantile."""
    if not design.has_trait:
        return 0.0
    found, tau = design.histories, draws["tau"].transpose("chain", "draw").to_numpy()
    place = int(tau.ravel().argsort(kind="stable")[int(0.999 * (tau.size - 1))])
    chain, draw = divmod(place, tau.shape[1])
    # of that draw alone: predictors of every draw of a large trial would not fit in memory
    worst = given(draws.isel(chain=[chain], draw=[draw]), design, found)
    one, two = (_each(worst, design, found, fineness) for fineness in (FINENESS, 2 * FINENESS))
    return float(np.abs(one - two).max(initial=0.0))


def traits(draws: xr.Dataset, design: Design, seed: int) -> np.ndarray:
    """An exact draw of every participant's trait at every draw, (chain, draw, participant); see `traits.drawn`."""
    found = design.histories
    structure = (found.cell_grid, found.cell_value, found.member, found.history_members, found.history_of)
    rng, kind = np.random.default_rng([seed, 41]), design.family.number
    trait = drawn(rng, kind, *given(draws, design, found), *structure)
    return trait.reshape(draws.sizes["chain"], draws.sizes["draw"], design.participants)
