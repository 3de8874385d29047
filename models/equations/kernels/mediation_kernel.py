"""Log density of the mediation model and its gradient, compiled once for every trial, by Numba."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import carray

from models.design.mediation_cells import KNOWN, SUMMED
from models.equations.histories.compiled import njit
from models.equations.histories.densities import cell, constant
from models.equations.kernels import mediator_kernel as mediator
from models.equations.kernels.by_address import NOT_FINITE
from models.equations.kernels.equations_kernel import (
    People,
    Scale,
    State,
    Terms,
    back_from_dispersions,
    backward,
    dispersions,
    forward,
    given_of,
    no_slopes,
    sound,
)


class Observed(NamedTuple):
    """Observed mediators, those of mediator m from first[m].

    Attributes
    ----------
    first, grid, value : ndarray
        Where each stands in the grid (mediator, participant, 1 + wave), and its value.
    log_value, log_rest : ndarray
        Of a share between its ends, log(value) and log(1 − value).
    """

    first: np.ndarray
    grid: np.ndarray
    value: np.ndarray
    log_value: np.ndarray
    log_rest: np.ndarray


class Outcomes(NamedTuple):
    """Observed outcomes.

    Attributes
    ----------
    likelihood : int
        `Family.number`.
    person, wave, value, offset : ndarray, (outcome,)
        Whose, when and what, and `Design.offset`.
    source, read, grid : ndarray, (outcome, mediator)
        Latent value that an outcome reads, or `SUMMED`, or `KNOWN`: the number in `read`, 0 of what does not act; where
        in the grid.
    distinct, times, combinations : ndarray, ndarray, int
        Distinct outcomes and how often each occurs; most combinations of values over which one is summed.
    """

    likelihood: int
    person: np.ndarray
    wave: np.ndarray
    value: np.ndarray
    offset: np.ndarray
    source: np.ndarray
    read: np.ndarray
    grid: np.ndarray
    distinct: np.ndarray
    times: np.ndarray
    combinations: int


class Scratch(NamedTuple):
    """Room to work in for one outcome after the other.

    Attributes
    ----------
    each, by_each : ndarray, (mediator,)
        Slopes of the outcome on the mediators, and slopes of the log density in them.
    table, term : ndarray, (mediator, state, 8) and (combination, 3)
        Of mediators that are summed out.
    """

    each: np.ndarray
    by_each: np.ndarray
    table: np.ndarray
    term: np.ndarray


@njit()
def _mediators(
    observed: Observed,
    kinds: np.ndarray,
    spread: np.ndarray,
    grid: np.ndarray,
    by_grid: np.ndarray,
    by_spread: np.ndarray,
) -> float:
    """Log density of every observed mediator."""
    total, value, places = 0.0, observed.value, observed.grid
    log_value, log_rest = observed.log_value, observed.log_rest
    for m in range(kinds.size):
        kind, own, by, within = kinds[m], spread[m], by_spread[m], 0
        for n in range(observed.first[m], observed.first[m + 1]):
            eta = grid[places[n]]
            log, slope = mediator.observed(kind, value[n], log_value[n], log_rest[n], eta, own, by)
            total += log
            by_grid[places[n]] += slope
            if kind != mediator.SHARE or 0.0 < value[n] < 1.0:
                within += 1
        total += mediator.constant(kind, own, by, within)
    return total


@njit()
def _summed(
    outcomes: Outcomes,
    scales: Scale,
    n: int,
    rest: float,
    dispersion: float,
    terms: Terms,
    grid: np.ndarray,
    by: Terms,
    by_grid: np.ndarray,
    scratch: Scratch,
) -> tuple[float, float, float]:
    """Log likelihood of an outcome of which mediators are summed out, its slopes in its predictor and its dispersion.

    Parameters
    ----------
    outcomes, scales, n : Outcomes, Scale, int
        Which outcome.
    rest, dispersion : float
        Predictor without what is summed out; of the outcome.
    terms, grid, by, by_grid : Terms, ndarray, Terms, ndarray
        Of the mediators; slopes in what is named so, added to.
    scratch : Scratch
        Slopes on the mediators, and slopes in them, added to; the rest of it is written.
    """
    spread, by_spread = terms.spread, by.spread
    each, by_each, table, term = scratch.each, scratch.by_each, scratch.table, scratch.term
    source, places, centre, scale = outcomes.source[n], outcomes.grid[n], scales.centre, scales.scale
    count, whole, top, total = np.ones(each.size, np.int64), 1, -math.inf, 0.0
    for m in range(each.size):
        if source[m] == SUMMED:
            count[m] = mediator.states(scales.kind[m], grid[places[m]], spread[m], table[m])
            whole *= count[m]
    for c in range(whole):
        left, log, eta = c, 0.0, rest
        for m in range(each.size):
            if source[m] == SUMMED:
                k = left % count[m]
                left //= count[m]
                log += table[m, k, mediator.LOG]
                eta += each[m] * (table[m, k, mediator.SHOWN] - centre[m]) / scale[m]
        likely, slope, _, by_spread_of = cell(outcomes.likelihood, outcomes.value[n], eta, dispersion)
        term[c, 0], term[c, 1], term[c, 2] = log + likely, slope, by_spread_of
        top = max(top, log + likely)
    for c in range(whole):
        term[c, 0] = math.exp(term[c, 0] - top)
        total += term[c, 0]
    by_eta, by_dispersion = 0.0, 0.0
    for c in range(whole):
        left, share = c, term[c, 0] / total
        slope = share * term[c, 1]
        by_eta += slope
        by_dispersion += share * term[c, 2]
        for m in range(each.size):
            if source[m] == SUMMED:
                k = left % count[m]
                left //= count[m]
                by_each[m] += slope * (table[m, k, mediator.SHOWN] - centre[m]) / scale[m]
                by_shown = slope * each[m] / scale[m]
                by_grid[places[m]] += by_shown * table[m, k, mediator.SHOWN_ETA] + share * table[m, k, mediator.LOG_ETA]
                by_spread[m, 0] += share * table[m, k, mediator.LOG_LOW]
                by_spread[m, 1] += share * table[m, k, mediator.LOG_HIGH]
                by_spread[m, 2] += (
                    by_shown * table[m, k, mediator.SHOWN_PRECISION] + share * table[m, k, mediator.LOG_PRECISION]
                )
    return top + math.log(total), by_eta, by_dispersion


@njit()
def constants(likelihood: int, distinct: np.ndarray, times: np.ndarray, dispersion: float) -> tuple[float, float]:
    """Part of the outcomes' log probability without their predictors, and its slope in the dispersion.

    Kinds of outcome that have such a part have one dispersion in both arms and at every wave.
    """
    total, by_dispersion = 0.0, 0.0
    for k in range(distinct.size):
        log, slope = constant(likelihood, distinct[k], dispersion)
        total += times[k] * log
        by_dispersion += times[k] * slope
    return total, by_dispersion


@njit()
def _outcomes(
    outcomes: Outcomes, people: People, scales: Scale, terms: Terms, state: State, by: Terms, by_state: State
) -> float:
    """Log likelihood of every observed outcome; slopes added to what begins with `by`."""
    own, shared, grid, latent = state.own, state.shared, state.grid, state.latent
    by_own, by_shared, by_grid, by_latent = by_state.own, by_state.shared, by_state.grid, by_state.latent
    mediators, likelihood = scales.kind.size, outcomes.likelihood
    dispersion = dispersions(terms)
    by_dispersion = np.zeros(dispersion.shape)
    each, by_each = np.empty(mediators), np.empty(mediators)
    scratch = Scratch(each, by_each, np.empty((mediators, mediator.STATES, 8)), np.empty((outcomes.combinations, 3)))
    person, wave, sources, reads = outcomes.person, outcomes.wave, outcomes.source, outcomes.read
    total, by_dispersion[0, 0] = constants(likelihood, outcomes.distinct, outcomes.times, terms.dispersion[0])
    times = 1 + people.later.size
    for n in range(person.size):
        i, w, summed = person[n], wave[n], False
        here = i * times + w + 1
        arm = people.arm[i]
        side, acts = int(arm > 0), arm * people.later[w]
        eta = outcomes.offset[n] + terms.level[w] + arm * terms.effect[w] + own[mediators, i] + shared[here]
        for m in range(mediators):
            each[m], by_each[m] = terms.slope[m] + acts * terms.interaction[m], 0.0
            if sources[n, m] == SUMMED:
                summed = True
            else:
                eta += each[m] * (reads[n, m] if sources[n, m] == KNOWN else latent[sources[n, m]])
        if summed:
            log, slope, by_spread = _summed(
                outcomes, scales, n, eta, dispersion[side, w], terms, grid, by, by_grid, scratch
            )
        else:
            log, slope, _, by_spread = cell(likelihood, outcomes.value[n], eta, dispersion[side, w])
        total += log
        by_dispersion[side, w] += by_spread
        by.level[w] += slope
        by.effect[w] += arm * slope
        by_own[mediators, i] += slope
        by_shared[here] += slope
        for m in range(mediators):
            if sources[n, m] == KNOWN:
                by_each[m] += slope * reads[n, m]
            elif sources[n, m] != SUMMED:
                by_each[m] += slope * latent[sources[n, m]]
                by_latent[sources[n, m]] += slope * each[m]
            by.slope[m] += by_each[m]
            by.interaction[m] += acts * by_each[m]
    back_from_dispersions(dispersion, by_dispersion, terms, by)
    return total


@njit(nogil=True)
def log_density(point: np.ndarray, trial: tuple, slope: np.ndarray) -> float:
    """Log density at a point, slopes into `slope`; see `sound`.

    Parameters
    ----------
    point : ndarray, (unknown,)
        Top-level parameters as sampled, traits (trait, participant), standard levels of groups (equation, group) and
        of groups at single waves, noise of latent values.
    trial : tuple of tuple
        The fields of each part of `Given`, of `Observed` and of `Outcomes`. Plain tuples, because Numba takes ten times
        longer to see what a named one holds.
    slope : ndarray, (unknown,)
        Written.
    """
    given = given_of(trial)
    observed, outcomes = Observed(*trial[6]), Outcomes(*trial[7])
    found = forward(point, given, slope)
    by = no_slopes(given, found)
    terms, state = found.terms, found.state
    total = found.log_prior
    total += _mediators(observed, given.scales.kind, terms.spread, state.grid, by.state.grid, by.terms.spread)
    total += _outcomes(outcomes, given.people, given.scales, terms, state, by.terms, by.state)
    return sound(total + backward(given, found, by, slope), slope)


def called(size: int, point: Any, slope: Any, value: Any, pointer: Any) -> int:
    """`log_density` as C calls it (`by_address`)."""
    value[0] = log_density(carray(point, (size,)), pointer[0], carray(slope, (size,)))
    return 0 if math.isfinite(value[0]) else NOT_FINITE
