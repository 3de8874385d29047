"""Log density of the mediation model and its gradient, compiled once for every trial, by Numba.

The mathematics is that of `Mediation.build`; MODEL.md, "How it is computed", says how its gradient is formed. A
point holds each top-level parameter on the scale on which it is sampled, then participants' traits and latent values.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from models.design.mediation_cells import NOTHING, SUMMED
from models.equations import correlation_kernel as correlation
from models.equations import group_kernel
from models.equations.group_kernel import Groups, Spread
from models.equations.histories.compiled import njit
from models.equations.histories.densities import cell, constant
from models.equations.mediator_kinds import NEAR
from models.outcomes.family import FARTHEST

NORMAL, STUDENT, BINARY, SHARE = range(4)
KINDS = {"normal": NORMAL, "student": STUDENT, "binary": BINARY, "share": SHARE}
"""Number of each mediator's distribution (`mediator_kinds.MEDIATOR_KINDS`)."""
STRAIGHT, HALF, GAMMA, PARTIAL, JOINT = range(5)
PRIORS = {
    "normal": STRAIGHT,
    "half_normal": HALF,
    "gamma": GAMMA,
    "lkj": PARTIAL,
    "exchangeable_normal": JOINT,
}
"""Number of each prior, which also says how its parameter is sampled: as it is, by its logarithm, as log-odds of
(1 + value) / 2, or as independent standard normal values behind it."""
_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
_STATES = 4


class Prior(NamedTuple):
    """Priors of the top-level parameters.

    Attributes
    ----------
    block : ndarray of int, (parameter, 5)
        Number of its prior, its first entry, entries, size of its last dimension, where its root begins.
    number, root : ndarray, (entry, 2) and (…,)
        Of the prior of each entry (a normal's mean and SD, a gamma's shape and rate, …); roots of correlations.
    """

    block: np.ndarray
    number: np.ndarray
    root: np.ndarray


class Linear(NamedTuple):
    """`Levels` and `Terms` as one linear function of the parameters' entries.

    Attributes
    ----------
    row, column, weight, fixed : ndarray
        Term row is weight × entry column, summed onto fixed (term,).
    """

    row: np.ndarray
    column: np.ndarray
    weight: np.ndarray
    fixed: np.ndarray


class People(NamedTuple):
    """Who takes part, and how their traits are sampled.

    Attributes
    ----------
    arm, covariates, later : ndarray, (participant,), (covariate, participant), (wave,)
        Arms, and 1 at follow-ups.
    equation, order, centred : ndarray, (trait,)
        Whose traits they are (the last equation is the outcome's), their order in sampling, and, in that order, whether
        they are sampled as levels.
    """

    arm: np.ndarray
    covariates: np.ndarray
    later: np.ndarray
    equation: np.ndarray
    order: np.ndarray
    centred: np.ndarray


class Scale(NamedTuple):
    """Mediators' kinds, centres and SDs as in `Mediators`, (mediator,); 0 and 1 for what is standardised already."""

    kind: np.ndarray
    centre: np.ndarray
    scale: np.ndarray


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


class Latent(NamedTuple):
    """Latent values, those of mediator m from first[m], and where each stands in the grid."""

    first: np.ndarray
    grid: np.ndarray


class Outcomes(NamedTuple):
    """Observed outcomes.

    Attributes
    ----------
    likelihood : int
        `Family.number`.
    person, wave, value, offset : ndarray, (outcome,)
        Whose, when and what, and `Design.offset`.
    source, read, grid : ndarray, (outcome, mediator)
        Latent value that an outcome reads, or `SUMMED`, or `NOTHING`: the number in `read`; where in the grid.
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


class Levels(NamedTuple):
    """What participants' own levels are made of, or slopes of the log density in it.

    Attributes
    ----------
    gamma, start, tau : ndarray, (equation, covariate), (equation,), (equation,)
        Covariates' weights, level at the first wave, SD of the traits: of the mediators, then of the outcome.
    partial : ndarray, (pair,)
        Partial correlations of the traits.
    """

    gamma: np.ndarray
    start: np.ndarray
    tau: np.ndarray
    partial: np.ndarray


class Terms(NamedTuple):
    """The other terms of the equations, or slopes of the log density in them.

    Attributes
    ----------
    level, effect : ndarray, (wave,)
        Of the outcome.
    mediator_level, mediator_effect : ndarray, (mediator, 1 + wave)
        Of the mediators.
    slope, interaction : ndarray, (mediator,)
        0 where one does not act, or no slope differs by arm.
    spread : ndarray, (mediator, 3)
        Residual SD and ν, or cutpoints and precision.
    dispersion : ndarray, (1,)
        Of the outcome.
    groups : Spread
        Of the groups' levels.
    """

    level: np.ndarray
    effect: np.ndarray
    mediator_level: np.ndarray
    mediator_effect: np.ndarray
    slope: np.ndarray
    interaction: np.ndarray
    spread: np.ndarray
    dispersion: np.ndarray
    groups: Spread


class Traits(NamedTuple):
    """Traits, and what their slopes are formed from.

    Attributes
    ----------
    own, trait : ndarray, (equation, participant)
        Weighted covariates, lasting levels of groups and trait together, and the trait; 0 where there are none.
    standard : ndarray, (trait, participant)
        Independent standard values behind the traits, in the order of sampling.
    plain, turned : ndarray, (trait, trait)
        Roots of the traits' correlations, as listed and in the order of sampling.
    """

    own: np.ndarray
    trait: np.ndarray
    standard: np.ndarray
    plain: np.ndarray
    turned: np.ndarray


class State(NamedTuple):
    """What outcomes and mediators read, or slopes of the log density in it.

    Attributes
    ----------
    own : ndarray, (equation, participant)
        `Traits.own`.
    shared : ndarray, (participant × (1 + wave),)
        What groups add to the outcome in single cells.
    grid, latent : ndarray
        Mediators on their link scales, flat over (mediator, participant, 1 + wave), and latent values.
    """

    own: np.ndarray
    shared: np.ndarray
    grid: np.ndarray
    latent: np.ndarray


class Forward(NamedTuple):
    """Every step from a point to what outcomes and mediators read; see `_forward`."""

    levels: Levels
    terms: Terms
    groups: group_kernel.Levels
    traits: Traits
    state: State


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
def _cut(vector: np.ndarray, scales: Scale, people: People, groups: Groups) -> tuple[Levels, Terms]:
    """Views of a vector, which holds `Levels` (but for the correlations, which are last) and then `Terms`."""
    mediators, waves, covariates = scales.kind.size, people.later.size, people.covariates.shape[0]
    equations, grid = mediators + 1, mediators * (waves + 1)
    pairs = equations * mediators // 2
    sizes = np.empty(14, np.int64)
    sizes[0], sizes[1:3], sizes[3:5] = equations * covariates, equations, waves
    sizes[5:7], sizes[7:9], sizes[9], sizes[10] = grid, mediators, 3 * mediators, 1
    sizes[11], sizes[12], sizes[13] = groups.groupings * equations, groups.varying * equations, groups.groupings * pairs
    end = np.cumsum(sizes)
    levels = Levels(
        vector[: end[0]].reshape(equations, covariates),
        vector[end[0] : end[1]],
        vector[end[1] : end[2]],
        vector[end[13] :],
    )
    terms = Terms(
        vector[end[2] : end[3]],
        vector[end[3] : end[4]],
        vector[end[4] : end[5]].reshape(mediators, waves + 1),
        vector[end[5] : end[6]].reshape(mediators, waves + 1),
        vector[end[6] : end[7]],
        vector[end[7] : end[8]],
        vector[end[8] : end[9]].reshape(mediators, 3),
        vector[end[9] : end[10]],
        Spread(
            vector[end[10] : end[11]].reshape(groups.groupings, equations),
            vector[end[11] : end[12]].reshape(groups.varying, equations),
            vector[end[12] : end[13]].reshape(groups.groupings, pairs),
        ),
    )
    return levels, terms


@njit()
def expit(x: float) -> float:
    """Logistic function."""
    return 1.0 / (1.0 + math.exp(-x))


@njit()
def softplus(x: float) -> float:
    """Log of 1 + exp(x), without overflow or loss."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


@njit()
def log_gamma(x: float) -> tuple[float, float]:
    """Log of the gamma function and its slope, for x > 0: Stirling's series from 10 on, recurrence up to there."""
    product, below = 1.0, 0.0
    while x < 10.0:
        product *= x
        below += 1.0 / x
        x += 1.0
    inverse = 1.0 / x
    square, log = inverse * inverse, math.log(x)
    series = 1.0 / 1260 - square * (1.0 / 1680 - square * (1.0 / 1188 - square * (691.0 / 360360 - square / 156.0)))
    series = inverse * (1.0 / 12 - square * (1.0 / 360 - square * series))
    slope = 1.0 / 240 - square * (1.0 / 132 - square * (691.0 / 32760 - square / 12.0))
    slope = square * (1.0 / 12 - square * (1.0 / 120 - square * (1.0 / 252 - square * slope)))
    return (x - 0.5) * log - x + _HALF_LOG_2PI + series - math.log(product), log - 0.5 * inverse - slope - below


@njit()
def _prior(prior: Prior, point: np.ndarray, value: np.ndarray, slope: np.ndarray) -> float:
    """Top-level parameters into `value`, slopes of their log prior (on the scale of sampling) into `slope`."""
    total, block, number, root = 0.0, prior.block, prior.number, prior.root
    for b in range(block.shape[0]):
        kind, first, count, size, begin = block[b, 0], block[b, 1], block[b, 2], block[b, 3], block[b, 4]
        for k in range(first, first + count):
            u, one, two = point[k], number[k, 0], number[k, 1]
            if kind == STRAIGHT:
                z = (u - one) / two
                value[k], slope[k] = u, -z / two
                total -= 0.5 * z * z + math.log(two) + _HALF_LOG_2PI
            elif kind == HALF:
                value[k] = math.exp(u)
                z = value[k] / two
                slope[k] = 1.0 - z * z
                total += u - 0.5 * z * z - math.log(two) - _HALF_LOG_2PI + math.log(2.0)
            elif kind == GAMMA:
                value[k] = math.exp(u)
                slope[k] = one - two * value[k]
                total += one * (u + math.log(two)) - two * value[k] - math.lgamma(one)
            elif kind == PARTIAL:
                value[k] = math.tanh(0.5 * u)
                slope[k] = -one * value[k]
                total -= one * (softplus(u) + softplus(-u)) + 2.0 * math.lgamma(one) - math.lgamma(2.0 * one)
            else:
                slope[k] = -u
                total -= 0.5 * u * u + _HALF_LOG_2PI
                start, place = first + (k - first) // size * size, (k - first) % size
                value[k] = one
                for j in range(place + 1):
                    value[k] += two * root[begin + place * size + j] * point[start + j]
    return total


@njit()
def _to_point(prior: Prior, value: np.ndarray, by_value: np.ndarray, slope: np.ndarray) -> None:
    """Add to `slope`, in the point, what slopes in the parameters themselves come to."""
    block, number, root = prior.block, prior.number, prior.root
    for b in range(block.shape[0]):
        kind, first, count, size, begin = block[b, 0], block[b, 1], block[b, 2], block[b, 3], block[b, 4]
        for k in range(first, first + count):
            if kind == STRAIGHT:
                slope[k] += by_value[k]
            elif kind in (HALF, GAMMA):
                slope[k] += by_value[k] * value[k]
            elif kind == PARTIAL:
                slope[k] += by_value[k] * 0.5 * (1.0 - value[k] * value[k])
            else:
                start, place = first + (k - first) // size * size, (k - first) % size
                for j in range(place + 1):
                    slope[start + j] += number[k, 1] * root[begin + place * size + j] * by_value[k]


@njit()
def _traits(people: People, levels: Levels, own: np.ndarray, drawn: np.ndarray) -> Traits:
    """Scores and traits of participants from what is sampled of the traits, (trait, participant).

    What a participant's groups add always stands in `own` (equation, participant) before: of a level that is sampled as
    such it is a part.
    """
    size, count = drawn.shape
    covariates, gamma, tau, start = people.covariates, levels.gamma, levels.tau, levels.start
    trait, standard = np.zeros((start.size, count)), np.empty((size, count))
    for e in range(start.size):
        for c in range(covariates.shape[0]):
            for i in range(count):
                own[e, i] += gamma[e, c] * covariates[c, i]
    plain = correlation.root(levels.partial, size)
    turned = correlation.turned(plain, people.order)
    for k in range(size):
        e, centred = people.equation[people.order[k]], people.centred[k]
        left = tau[e] * turned[k, k]
        for i in range(count):
            before = 0.0
            for j in range(k):
                before += turned[k, j] * standard[j, i]
            if centred:
                trait[e, i] = drawn[k, i] - start[e] - own[e, i]
                standard[k, i] = (trait[e, i] - tau[e] * before) / left
            else:
                standard[k, i] = drawn[k, i]
                trait[e, i] = tau[e] * before + left * standard[k, i]
            own[e, i] += trait[e, i]
    return Traits(own, trait, standard, plain, turned)


@njit()
def _back_from_traits(
    people: People, levels: Levels, found: Traits, by_own: np.ndarray, by: Levels, slope: np.ndarray
) -> float:
    """Log density of the traits; slopes in them added to `by` and `slope` (trait, participant).

    `by_own` (equation, participant) holds slopes in score + trait, from the cells; a level that is sampled as such
    takes them out of it again.
    """
    standard, turned, tau = found.standard, found.turned, levels.tau
    size, count = standard.shape
    by_standard, by_turned, by_root = np.zeros((size, count)), np.zeros((size, size)), np.zeros((size, size))
    total = -size * count * _HALF_LOG_2PI
    for k in range(size - 1, -1, -1):
        e, centred = people.equation[people.order[k]], people.centred[k]
        left = tau[e] * turned[k, k]
        by_left, by_tau, by_level = 0.0, 0.0, 0.0
        for i in range(count):
            z, before = standard[k, i], by_own[e, i]
            total -= 0.5 * z * z
            told = by_standard[k, i] - z
            if centred:
                told /= left
                slope[k, i] += before + told
                by_own[e, i] -= before + told
                by_level -= before + told
                by_left -= told * z
                before = -told
            else:
                slope[k, i] += told + left * before
                by_left += before * z
            for j in range(k):
                by_standard[j, i] += before * tau[e] * turned[k, j]
                by_turned[k, j] += before * tau[e] * standard[j, i]
                by_tau += before * turned[k, j] * standard[j, i]
        if centred:
            total -= count * math.log(left)
            by_left -= count / left
        by.start[e] += by_level
        by.tau[e] += by_tau + by_left * turned[k, k]
        by_turned[k, k] += by_left * tau[e]
    correlation.back_from_turned(found.plain, people.order, turned, by_turned, by_root)
    correlation.back_from_root(levels.partial, found.plain, by_root, by.partial)
    covariates, by_gamma = people.covariates, by.gamma
    for e in range(by_gamma.shape[0]):
        for c in range(covariates.shape[0]):
            for i in range(count):
                by_gamma[e, c] += by_own[e, i] * covariates[c, i]
    return total


@njit()
def _grid(arm: np.ndarray, level: np.ndarray, effect: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Mediators on their link scales, flat over (mediator, participant, 1 + wave)."""
    mediators, times = level.shape
    grid, place = np.empty(mediators * arm.size * times), 0
    for m in range(mediators):
        for i in range(arm.size):
            for t in range(times):
                grid[place] = level[m, t] + arm[i] * effect[m, t] + own[m, i]
                place += 1
    return grid


@njit()
def _back_from_grid(
    arm: np.ndarray, by_grid: np.ndarray, by_level: np.ndarray, by_effect: np.ndarray, by_own: np.ndarray
) -> None:
    """Slopes in what `_grid` takes from those in what it returns."""
    mediators, times = by_level.shape
    place = 0
    for m in range(mediators):
        for i in range(arm.size):
            for t in range(times):
                by_level[m, t] += by_grid[place]
                by_effect[m, t] += arm[i] * by_grid[place]
                by_own[m, i] += by_grid[place]
                place += 1


@njit()
def _constant(kind: int, spread: np.ndarray, by: np.ndarray, times: int) -> float:
    """Part of a mediator's log density that depends on its spread alone, of `times` cells; its slopes into `by`.

    Of a share it belongs to the cells between the ends: those at one have none.
    """
    if kind in (NORMAL, STUDENT):
        by[0] -= times / spread[0]
        own = -math.log(spread[0])
        if kind == NORMAL:
            return times * (own - _HALF_LOG_2PI)
        log, by_nu = _student_constant(spread[1])
        by[1] += times * by_nu
        return times * (own + log)
    if kind == SHARE:
        log, by_precision = log_gamma(spread[2])
        by[2] += times * by_precision
        return times * log
    return 0.0


@njit()
def _student_constant(nu: float) -> tuple[float, float]:
    """Log of the constant of Student's t at SD 1 and its slope in ν."""
    upper, by_upper = log_gamma(0.5 * (nu + 1.0))
    lower, by_lower = log_gamma(0.5 * nu)
    return upper - lower - 0.5 * math.log(nu * math.pi), 0.5 * (by_upper - by_lower - 1.0 / nu)


@njit()
def _student(z: float, nu: float) -> tuple[float, float, float]:
    """Student's t at SD 1 without its constant, its slopes in z and ν."""
    square = z * z / nu
    log = math.log1p(square)
    inside = (nu + 1.0) / nu / (1.0 + square)
    return -0.5 * (nu + 1.0) * log, -inside * z, 0.5 * (inside * square - log)


@njit()
def _between(eta: float, spread: np.ndarray) -> tuple[float, float, float, float]:
    """Log probability that a share lies between its ends; its slopes in η and in the cutpoints."""
    low, high = spread[0], spread[1]
    log = math.log(-math.expm1(low - high)) - softplus(low - eta) - softplus(eta - high)
    above, below, narrow = expit(low - eta), expit(eta - high), 1.0 / math.expm1(min(high - low, 2.0 * FARTHEST))
    return log, above - below, -above - narrow, below + narrow


@njit()
def _observed(
    kind: int, value: float, log_value: float, log_rest: float, linear: float, spread: np.ndarray, by: np.ndarray
) -> tuple[float, float]:
    """Log density of one observed mediator without its constant, and its slope in η; those in its spread into `by`."""
    if kind == NORMAL:
        z = (value - linear) / spread[0]
        by[0] += z * z / spread[0]
        return -0.5 * z * z, z / spread[0]
    if kind == STUDENT:
        z = (value - linear) / spread[0]
        log, by_z, by_nu = _student(z, spread[1])
        by[0] -= by_z * z / spread[0]
        by[1] += by_nu
        return log, -by_z / spread[0]
    eta = min(max(linear, -FARTHEST), FARTHEST)
    if kind == BINARY:
        return (-softplus(-eta), expit(-eta)) if value > 0.0 else (-softplus(eta), -expit(eta))
    if value == 0.0:
        above = expit(eta - spread[0])
        by[0] += above
        return -softplus(eta - spread[0]), -above
    if value == 1.0:
        below = expit(spread[1] - eta)
        by[1] -= below
        return -softplus(spread[1] - eta), below
    mean, rest, precision = expit(eta), expit(-eta), spread[2]
    log, by_eta, by_low, by_high = _between(eta, spread)
    one, by_one = log_gamma(mean * precision)
    two, by_two = log_gamma(rest * precision)
    log += (mean * precision - 1.0) * log_value + (rest * precision - 1.0) * log_rest - one - two
    left, right = mean * (log_value - by_one), rest * (log_rest - by_two)
    by[0] += by_low
    by[1] += by_high
    by[2] += left + right
    return log, by_eta + precision * (left * rest - right * mean)


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
            log, slope = _observed(kind, value[n], log_value[n], log_rest[n], eta, own, by)
            total += log
            by_grid[places[n]] += slope
            if kind != SHARE or 0.0 < value[n] < 1.0:
                within += 1
        total += _constant(kind, own, by, within)
    return total


@njit()
def _latent(latent: Latent, spread: np.ndarray, grid: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Values of continuous mediators that nobody knows, from the noise that is sampled of them."""
    value = np.empty(noise.size)
    for m in range(spread.shape[0]):
        for k in range(latent.first[m], latent.first[m + 1]):
            value[k] = grid[latent.grid[k]] + spread[m, 0] * noise[k]
    return value


@njit()
def _back_from_latent(
    latent: Latent,
    kinds: np.ndarray,
    spread: np.ndarray,
    noise: np.ndarray,
    by_latent: np.ndarray,
    by_grid: np.ndarray,
    by_spread: np.ndarray,
    slope: np.ndarray,
) -> float:
    """Log density of the noise; slopes in latent values passed on."""
    total, places = 0.0, latent.grid
    for m in range(kinds.size):
        first, last = latent.first[m], latent.first[m + 1]
        fixed, by_fixed = -_HALF_LOG_2PI, 0.0
        if kinds[m] == STUDENT:
            fixed, by_fixed = _student_constant(spread[m, 1])
        for k in range(first, last):
            by_grid[places[k]] += by_latent[k]
            by_spread[m, 0] += by_latent[k] * noise[k]
            log, by_noise, by_nu = -0.5 * noise[k] * noise[k], -noise[k], 0.0
            if kinds[m] == STUDENT:
                log, by_noise, by_nu = _student(noise[k], spread[m, 1])
            total += log + fixed
            slope[k] += by_latent[k] * spread[m, 0] + by_noise
            by_spread[m, 1] += by_nu + by_fixed
    return total


@njit()
def _two_points(eta: float, precision: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`mediator_kinds.two_points` with the log weights of the two: (2 values, 2 logs), slopes in η, in the precision.

    The values are m + s·r for the roots r of r² − g r − 1, g the skewness, so that their slopes in g are r/(r₊ − r₋)
    but for the sign.
    """
    mean = expit(eta)
    inside = NEAR < mean < 1.0 - NEAR
    mean = min(max(mean, NEAR), 1.0 - NEAR)
    variance, off = mean * (1.0 - mean), 1.0 - 2.0 * mean
    spread = math.sqrt(variance / (precision + 1.0))
    factor = 2.0 * math.sqrt(precision + 1.0) / (precision + 2.0)
    skew = factor * off / math.sqrt(variance)
    root = math.sqrt(skew * skew + 4.0)
    # the larger root by its formula, the other by their product, −1: no digits are lost
    high = 0.5 * (skew + root) if skew >= 0 else -2.0 / (skew - root)
    low = -1.0 / high
    found, by_eta, by_precision = np.empty(4), np.zeros(4), np.zeros(4)
    found[0], found[1], found[2], found[3] = mean + spread * low, mean + spread * high, high / root, -low / root
    found[2], found[3] = math.log(found[2]), math.log(found[3])
    move = variance if inside else 0.0
    by_skew = -factor * (2.0 + 0.5 * off * off / variance) / math.sqrt(variance) * move
    _slopes(by_eta, move, 0.5 * spread * off / variance * move, by_skew, spread, low, high)
    by_skew = skew * (0.5 / (precision + 1.0) - 1.0 / (precision + 2.0))
    _slopes(by_precision, 0.0, -0.5 * spread / (precision + 1.0), by_skew, spread, low, high)
    return found, by_eta, by_precision


@njit()
def _slopes(
    by: np.ndarray, by_mean: float, by_spread: float, by_skew: float, spread: float, low: float, high: float
) -> None:
    """Slopes of `_two_points` from those of mean, SD and skewness, into `by`."""
    root = high - low
    by[0] = by_mean + by_spread * low - spread * by_skew * low / root
    by[1] = by_mean + by_spread * high + spread * by_skew * high / root
    by[2] = 2.0 * by_skew / (root * root * high)
    by[3] = 2.0 * by_skew / (root * root * low)


SHOWN, LOG, SHOWN_ETA, SHOWN_PRECISION, LOG_ETA, LOG_LOW, LOG_HIGH, LOG_PRECISION = range(8)
"""Of one state of a mediator that is summed out: its value, its log probability, and slopes of the two."""


@njit()
def _states(kind: int, linear: float, spread: np.ndarray, state: np.ndarray) -> int:
    """Fill `state` (…, 8) with the states of a mediator that is not known; returns how many."""
    eta = min(max(linear, -FARTHEST), FARTHEST)
    state[:] = 0.0
    state[1, SHOWN] = 1.0
    if kind == BINARY:
        state[0, LOG], state[0, LOG_ETA] = -softplus(eta), -expit(eta)
        state[1, LOG], state[1, LOG_ETA] = -softplus(-eta), expit(-eta)
        return 2
    above, below = expit(eta - spread[0]), expit(spread[1] - eta)
    state[0, LOG], state[0, LOG_ETA], state[0, LOG_LOW] = -softplus(eta - spread[0]), -above, above
    state[1, LOG], state[1, LOG_ETA], state[1, LOG_HIGH] = -softplus(spread[1] - eta), below, -below
    log, by_eta, by_low, by_high = _between(eta, spread)
    found, found_eta, found_precision = _two_points(eta, spread[2])
    for k in range(2):
        one = state[2 + k]
        one[SHOWN], one[SHOWN_ETA], one[SHOWN_PRECISION] = found[k], found_eta[k], found_precision[k]
        one[LOG], one[LOG_ETA], one[LOG_PRECISION] = (
            log + found[2 + k],
            by_eta + found_eta[2 + k],
            found_precision[2 + k],
        )
        one[LOG_LOW], one[LOG_HIGH] = by_low, by_high
    return 4


@njit()
def _summed(
    outcomes: Outcomes,
    scales: Scale,
    n: int,
    rest: float,
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
    rest : float
        Predictor without what is summed out.
    terms, grid, by, by_grid : Terms, ndarray, Terms, ndarray
        Of the mediators; slopes in what is named so, added to.
    scratch : Scratch
        Slopes on the mediators, and slopes in them, added to; the rest of it is written.
    """
    spread, dispersion, by_spread = terms.spread, terms.dispersion[0], by.spread
    each, by_each, table, term = scratch.each, scratch.by_each, scratch.table, scratch.term
    source, places, centre, scale = outcomes.source[n], outcomes.grid[n], scales.centre, scales.scale
    count, whole, top, total = np.ones(each.size, np.int64), 1, -math.inf, 0.0
    for m in range(each.size):
        if source[m] == SUMMED:
            count[m] = _states(scales.kind[m], grid[places[m]], spread[m], table[m])
            whole *= count[m]
    for c in range(whole):
        left, log, eta = c, 0.0, rest
        for m in range(each.size):
            if source[m] == SUMMED:
                k = left % count[m]
                left //= count[m]
                log += table[m, k, LOG]
                eta += each[m] * (table[m, k, SHOWN] - centre[m]) / scale[m]
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
                by_each[m] += slope * (table[m, k, SHOWN] - centre[m]) / scale[m]
                by_shown = slope * each[m] / scale[m]
                by_grid[places[m]] += by_shown * table[m, k, SHOWN_ETA] + share * table[m, k, LOG_ETA]
                by_spread[m, 0] += share * table[m, k, LOG_LOW]
                by_spread[m, 1] += share * table[m, k, LOG_HIGH]
                by_spread[m, 2] += by_shown * table[m, k, SHOWN_PRECISION] + share * table[m, k, LOG_PRECISION]
    return top + math.log(total), by_eta, by_dispersion


@njit()
def _outcomes(
    outcomes: Outcomes, people: People, scales: Scale, terms: Terms, state: State, by: Terms, by_state: State
) -> float:
    """Log likelihood of every observed outcome; slopes added to what begins with `by`."""
    own, shared, grid, latent = state.own, state.shared, state.grid, state.latent
    by_own, by_shared, by_grid, by_latent = by_state.own, by_state.shared, by_state.grid, by_state.latent
    mediators, likelihood, dispersion = scales.kind.size, outcomes.likelihood, terms.dispersion[0]
    each, by_each = np.empty(mediators), np.empty(mediators)
    scratch = Scratch(each, by_each, np.empty((mediators, _STATES, 8)), np.empty((outcomes.combinations, 3)))
    person, wave, sources, reads = outcomes.person, outcomes.wave, outcomes.source, outcomes.read
    total, by_dispersion, times = 0.0, 0.0, 1 + people.later.size
    for k in range(outcomes.distinct.size):
        log, slope = constant(likelihood, outcomes.distinct[k], dispersion)
        total += outcomes.times[k] * log
        by_dispersion += outcomes.times[k] * slope
    for n in range(person.size):
        i, w, summed = person[n], wave[n], False
        here = i * times + w + 1
        arm = people.arm[i]
        acts = arm * people.later[w]
        eta = outcomes.offset[n] + terms.level[w] + arm * terms.effect[w] + own[mediators, i] + shared[here]
        for m in range(mediators):
            each[m], by_each[m] = terms.slope[m] + acts * terms.interaction[m], 0.0
            if sources[n, m] == SUMMED:
                summed = True
            else:
                eta += each[m] * (reads[n, m] if sources[n, m] == NOTHING else latent[sources[n, m]])
        if summed:
            log, slope, by_spread = _summed(outcomes, scales, n, eta, terms, grid, by, by_grid, scratch)
        else:
            log, slope, _, by_spread = cell(likelihood, outcomes.value[n], eta, dispersion)
        total += log
        by_dispersion += by_spread
        by.level[w] += slope
        by.effect[w] += arm * slope
        by_own[mediators, i] += slope
        by_shared[here] += slope
        for m in range(mediators):
            if sources[n, m] == NOTHING:
                by_each[m] += slope * reads[n, m]
            elif sources[n, m] != SUMMED:
                by_each[m] += slope * latent[sources[n, m]]
                by_latent[sources[n, m]] += slope * each[m]
            by.slope[m] += by_each[m]
            by.interaction[m] += acts * by_each[m]
    by.dispersion[0] += by_dispersion
    return total


@njit()
def _vector(linear: Linear, value: np.ndarray) -> np.ndarray:
    """`Levels` and `Terms` of the parameters, as one vector."""
    found, row, column, weight = linear.fixed.copy(), linear.row, linear.column, linear.weight
    for k in range(row.size):
        found[row[k]] += weight[k] * value[column[k]]
    return found


@njit()
def _forward(
    point: np.ndarray, whole: np.ndarray, ends: tuple, people: People, scales: Scale, groups: Groups, missing: Latent
) -> Forward:
    """From a point, of which `whole` holds the linear terms, to what outcomes and mediators read."""
    entries, first, second, last = ends
    count, equations = people.arm.size, scales.kind.size + 1
    levels, terms = _cut(whole, scales, people, groups)
    standard, of_waves = point[first:second].reshape(equations, -1), point[second:last].reshape(equations, -1)
    shared = group_kernel.levels(groups, terms.groups, standard, of_waves)
    of_people = group_kernel.of_people(groups, shared.lasting, count)
    found = _traits(people, levels, of_people, point[entries:first].reshape(people.order.size, count))
    grid = _grid(people.arm, terms.mediator_level, terms.mediator_effect, found.own)
    cells = np.zeros(count * (1 + people.later.size))
    if groups.groupings:
        for m in range(equations - 1):
            group_kernel.add_cells(groups, shared.lasting[m], shared.of_waves[m], grid.reshape(equations - 1, -1)[m])
        group_kernel.add_cells(groups, shared.lasting[-1], shared.of_waves[-1], cells)
    latent = _latent(missing, terms.spread, grid, point[last:])
    return Forward(levels, terms, shared, found, State(found.own, cells, grid, latent))


@njit()
def _back_from_groups(
    groups: Groups, spread: Spread, found: group_kernel.Levels, by_state: State, by: Spread, slope: tuple
) -> float:
    """Log density of what is sampled of groups, slopes in it into `slope`, those in their spread added to `by`."""
    equations = found.lasting.shape[0]
    by_levels = group_kernel.Levels(slope[0], slope[1], np.zeros(found.lasting.shape), np.zeros(found.of_waves.shape))
    for m in range(equations - 1):
        by_cells = by_state.grid.reshape(equations - 1, -1)[m]
        group_kernel.back_from_cells(groups, by_cells, by_levels.lasting[m], by_levels.of_waves[m])
    group_kernel.back_from_cells(groups, by_state.shared, by_levels.lasting[-1], by_levels.of_waves[-1])
    group_kernel.back_from_people(groups, by_state.own, by_levels.lasting)
    return group_kernel.back_from_levels(groups, spread, found, by_levels, by)


@njit(nogil=True)
def log_density(point: np.ndarray, trial: tuple, slope: np.ndarray) -> float:
    """Log density at a point, slopes into `slope`; NaN, a divergence to the sampler, where a slope is not finite.

    Parameters
    ----------
    point : ndarray, (unknown,)
        Top-level parameters as sampled, traits (trait, participant), standard levels of groups (equation, group) and
        of groups at single waves, noise of latent values.
    trial : tuple of tuple
        The fields of `Prior`, `Linear`, `People`, `Scale`, `Observed`, `Latent`, `Outcomes`, `Groups`. Plain tuples,
        because Numba takes ten times longer to see what a named one holds.
    slope : ndarray, (unknown,)
        Written.
    """
    prior, linear, people, scales = Prior(*trial[0]), Linear(*trial[1]), People(*trial[2]), Scale(*trial[3])
    observed, missing, outcomes, groups = Observed(*trial[4]), Latent(*trial[5]), Outcomes(*trial[6]), Groups(*trial[7])
    slope[:] = 0.0
    ends = _ends(prior, scales, people, groups)
    entries, first, second, last = ends
    value, by_value = np.empty(entries), np.zeros(entries)
    total = _prior(prior, point, value, slope)
    whole = _vector(linear, value)
    by_whole = np.zeros(whole.size)
    by_levels, by = _cut(by_whole, scales, people, groups)
    found = _forward(point, whole, ends, people, scales, groups, missing)
    terms, state = found.terms, found.state
    by_state = State(
        np.zeros(state.own.shape), np.zeros(state.shared.size), np.zeros(state.grid.size), np.zeros(state.latent.size)
    )
    total += _mediators(observed, scales.kind, terms.spread, state.grid, by_state.grid, by.spread)
    total += _outcomes(outcomes, people, scales, terms, state, by, by_state)
    noise = point[last:]
    total += _back_from_latent(
        missing, scales.kind, terms.spread, noise, by_state.latent, by_state.grid, by.spread, slope[last:]
    )
    _back_from_grid(people.arm, by_state.grid, by.mediator_level, by.mediator_effect, by_state.own)
    into = slope[entries:first].reshape(people.order.size, people.arm.size)
    total += _back_from_traits(people, found.levels, found.traits, by_state.own, by_levels, into)
    if groups.groupings:
        equations = scales.kind.size + 1
        of_groups = (slope[first:second].reshape(equations, -1), slope[second:last].reshape(equations, -1))
        total += _back_from_groups(groups, terms.groups, found.groups, by_state, by.groups, of_groups)
    for k in range(linear.row.size):
        by_value[linear.column[k]] += linear.weight[k] * by_whole[linear.row[k]]
    _to_point(prior, value, by_value, slope)
    for k in range(slope.size):
        if not math.isfinite(slope[k]):
            return math.nan
    return total


@njit(nogil=True)
def unknowns(point: np.ndarray, trial: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What a point stands for; see `log_density`.

    Returns
    -------
    tuple of ndarray
        Top-level parameters (entry,), traits (equation, participant), latent values, groups' lasting levels
        (equation, group) and those of single waves.
    """
    prior, linear, people, scales = Prior(*trial[0]), Linear(*trial[1]), People(*trial[2]), Scale(*trial[3])
    groups = Groups(*trial[7])
    ends = _ends(prior, scales, people, groups)
    value = np.empty(ends[0])
    _prior(prior, point, value, np.empty(ends[0]))
    found = _forward(point, _vector(linear, value), ends, people, scales, groups, Latent(*trial[5]))
    return value, found.traits.trait, found.state.latent, found.groups.lasting[:, :-1], found.groups.of_waves[:, :-1]


@njit()
def _ends(prior: Prior, scales: Scale, people: People, groups: Groups) -> tuple[int, int, int, int]:
    """Where in a point its top-level parameters end, its traits, its groups' levels, and those of single waves."""
    entries, equations = prior.number.shape[0], scales.kind.size + 1
    first = entries + people.order.size * people.arm.size
    second = first + equations * groups.grouping.size
    return entries, first, second, second + equations * groups.varying_of.size
