"""Log density of the mediation model and its gradient, compiled once for every trial, by Numba.

The mathematics is that of `Mediation.build`; MODEL.md, "How it is computed", says how its gradient is formed. A
point holds each top-level parameter on the scale on which it is sampled, then participants' traits and latent values.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from models.design.mediation_cells import NOTHING, SUMMED
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


class Groups(NamedTuple):
    """Groups that participants share.

    Attributes
    ----------
    groupings, varying : int
        How many there are, and how many of them have levels of single waves.
    grouping, varying_of : ndarray of int, (group,) and (group × wave,)
        Whose SDs each lasting level has, and each level of a single wave.
    always, in_cells, of_waves : ndarray of int, (participant, grouping) and (participant × (1 + wave), …) twice
        `Groupings.felt`, transposed.
    """

    groupings: int
    varying: int
    grouping: np.ndarray
    varying_of: np.ndarray
    always: np.ndarray
    in_cells: np.ndarray
    of_waves: np.ndarray


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
    group_sd, group_wave_sd : ndarray, (grouping, equation)
        SDs of the groups' levels: of all groupings, and of those with levels of single waves.
    group_partial : ndarray, (grouping, pair)
        Partial correlations of the lasting ones.
    """

    level: np.ndarray
    effect: np.ndarray
    mediator_level: np.ndarray
    mediator_effect: np.ndarray
    slope: np.ndarray
    interaction: np.ndarray
    spread: np.ndarray
    dispersion: np.ndarray
    group_sd: np.ndarray
    group_wave_sd: np.ndarray
    group_partial: np.ndarray


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
        vector[end[10] : end[11]].reshape(groups.groupings, equations),
        vector[end[11] : end[12]].reshape(groups.varying, equations),
        vector[end[12] : end[13]].reshape(groups.groupings, pairs),
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
def _root(partial: np.ndarray, size: int) -> np.ndarray:
    """`predictors.correlation_root` as a matrix."""
    root, place = np.zeros((size, size)), 0
    for j in range(size):
        left = 1.0
        for k in range(j):
            root[j, k] = partial[place] * math.sqrt(left)
            left *= 1.0 - partial[place] * partial[place]
            place += 1
        root[j, j] = math.sqrt(left)
    return root


@njit()
def _back_from_root(partial: np.ndarray, root: np.ndarray, by_root: np.ndarray, by_partial: np.ndarray) -> None:
    """Slopes in the partial correlations from those in their root, row by row from its end."""
    for j in range(1, root.shape[0]):
        last = j * (j - 1) // 2
        # slope in what is left of the row's variance, from its last entry back
        by_left, left = 0.5 * by_root[j, j] / root[j, j], root[j, j] * root[j, j]
        for k in range(j - 1, -1, -1):
            p = partial[last + k]
            left /= 1.0 - p * p
            by_partial[last + k] += by_root[j, k] * math.sqrt(left) - 2.0 * by_left * left * p
            by_left = by_left * (1.0 - p * p) + 0.5 * by_root[j, k] * p / math.sqrt(left)


@njit()
def _turned(root: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Cholesky root of the same matrix in another order."""
    size = order.size
    found = np.zeros((size, size))
    for j in range(size):
        for k in range(j + 1):
            rest = 0.0
            for i in range(size):
                rest += root[order[j], i] * root[order[k], i]
            for i in range(k):
                rest -= found[j, i] * found[k, i]
            found[j, k] = math.sqrt(rest) if j == k else rest / found[k, k]
    return found


@njit()
def _back_from_turned(
    root: np.ndarray, order: np.ndarray, turned: np.ndarray, by_turned: np.ndarray, by_root: np.ndarray
) -> None:
    """Slopes in a root from those in the root of the turned matrix: Cholesky's steps backwards."""
    size = order.size
    for j in range(size - 1, -1, -1):
        for k in range(j, -1, -1):
            if j == k:
                rest = 0.5 * by_turned[j, j] / turned[j, j]
            else:
                rest = by_turned[j, k] / turned[k, k]
                by_turned[k, k] -= rest * turned[j, k]
            for i in range(k):
                by_turned[j, i] -= rest * turned[k, i]
                by_turned[k, i] -= rest * turned[j, i]
            for i in range(size):
                by_root[order[j], i] += rest * root[order[k], i]
                by_root[order[k], i] += rest * root[order[j], i]


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
    plain = _root(levels.partial, size)
    turned = _turned(plain, people.order)
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
    _back_from_turned(found.plain, people.order, turned, by_turned, by_root)
    _back_from_root(levels.partial, found.plain, by_root, by.partial)
    covariates, by_gamma = people.covariates, by.gamma
    for e in range(by_gamma.shape[0]):
        for c in range(covariates.shape[0]):
            for i in range(count):
                by_gamma[e, c] += by_own[e, i] * covariates[c, i]
    return total


@njit()
def _shared(sd: np.ndarray, partial: np.ndarray, whose: np.ndarray, standard: np.ndarray) -> np.ndarray:
    """Levels of groups, (equation, group), of what is sampled; one group more, of levels 0, stands for none.

    Parameters
    ----------
    sd, partial : ndarray, (grouping, equation) and (grouping, pair)
        Of each grouping's levels.
    whose : ndarray of int, (group,)
        Grouping of each group.
    standard : ndarray, (equation, group)
        Independent standard normal values.
    """
    size, count = standard.shape
    found = np.zeros((size, count + 1))
    for g in range(sd.shape[0]):
        root = _root(partial[g], size)
        for c in range(count):
            if whose[c] == g:
                for e in range(size):
                    for j in range(e + 1):
                        found[e, c] += sd[g, e] * root[e, j] * standard[j, c]
    return found


@njit()
def _back_from_shared(
    sd: np.ndarray,
    partial: np.ndarray,
    whose: np.ndarray,
    standard: np.ndarray,
    by_shared: np.ndarray,
    by_sd: np.ndarray,
    by_partial: np.ndarray,
    slope: np.ndarray,
) -> float:
    """Log density of what is sampled of groups; slopes in levels passed on."""
    size, count = standard.shape
    total = -size * count * _HALF_LOG_2PI
    for g in range(sd.shape[0]):
        root, by_root = _root(partial[g], size), np.zeros((size, size))
        for c in range(count):
            if whose[c] == g:
                for e in range(size):
                    total -= 0.5 * standard[e, c] * standard[e, c]
                    slope[e, c] -= standard[e, c]
                    for j in range(e + 1):
                        slope[j, c] += by_shared[e, c] * sd[g, e] * root[e, j]
                        by_sd[g, e] += by_shared[e, c] * root[e, j] * standard[j, c]
                        by_root[e, j] += by_shared[e, c] * sd[g, e] * standard[j, c]
        _back_from_root(partial[g], root, by_root, by_partial[g])
    return total


@njit()
def _of_people(groups: Groups, lasting: np.ndarray, count: int) -> np.ndarray:
    """What groups add to all that a participant does, (equation, participant), from their levels."""
    found = np.zeros((lasting.shape[0], count))
    for e in range(found.shape[0]):
        for i in range(groups.always.shape[0]):
            for g in range(groups.always.shape[1]):
                found[e, i] += lasting[e, groups.always[i, g]]
    return found


@njit()
def _back_from_people(groups: Groups, by_own: np.ndarray, by_lasting: np.ndarray) -> None:
    """Slopes in the levels from those in what they add."""
    for e in range(by_own.shape[0]):
        for i in range(groups.always.shape[0]):
            for g in range(groups.always.shape[1]):
                by_lasting[e, groups.always[i, g]] += by_own[e, i]


@njit()
def _add_cells(groups: Groups, lasting: np.ndarray, of_waves: np.ndarray, cells: np.ndarray) -> None:
    """Add to each cell of an equation, (participant × (1 + wave),), what its groups add there, from their levels."""
    for n in range(groups.in_cells.shape[0]):
        for g in range(groups.in_cells.shape[1]):
            cells[n] += lasting[groups.in_cells[n, g]]
        for g in range(groups.of_waves.shape[1]):
            cells[n] += of_waves[groups.of_waves[n, g]]


@njit()
def _back_from_cells(groups: Groups, by_cells: np.ndarray, by_lasting: np.ndarray, by_waves: np.ndarray) -> None:
    """Slopes in the levels from those in the cells."""
    for n in range(groups.in_cells.shape[0]):
        for g in range(groups.in_cells.shape[1]):
            by_lasting[groups.in_cells[n, g]] += by_cells[n]
        for g in range(groups.of_waves.shape[1]):
            by_waves[groups.of_waves[n, g]] += by_cells[n]


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
    each: np.ndarray,
    dispersion: float,
    spread: np.ndarray,
    grid: np.ndarray,
    by_grid: np.ndarray,
    by_each: np.ndarray,
    by_spread: np.ndarray,
    table: np.ndarray,
    term: np.ndarray,
) -> tuple[float, float, float]:
    """Log likelihood of an outcome of which mediators are summed out, its slopes in its predictor and its dispersion.

    Parameters
    ----------
    outcomes, scales, n : Outcomes, Scale, int
        Which outcome.
    rest, each, dispersion : float, ndarray (mediator,), float
        Predictor without what is summed out; slopes on the mediators; spread of the outcome.
    spread, grid : ndarray
        Of the mediators.
    by_grid, by_each, by_spread : ndarray
        Slopes in what is named so, added to.
    table, term : ndarray, (mediator, state, 8) and (combination, 3)
        Written.
    """
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
    outcomes: Outcomes,
    people: People,
    scales: Scale,
    terms: Terms,
    own: np.ndarray,
    shared: np.ndarray,
    grid: np.ndarray,
    latent: np.ndarray,
    by: Terms,
    by_own: np.ndarray,
    by_shared: np.ndarray,
    by_grid: np.ndarray,
    by_latent: np.ndarray,
) -> float:
    """Log likelihood of every observed outcome; slopes added to what begins with `by`.

    `shared` (participant × (1 + wave),) is what groups add to single cells.
    """
    mediators, likelihood, dispersion = scales.kind.size, outcomes.likelihood, terms.dispersion[0]
    table, term = np.empty((mediators, _STATES, 8)), np.empty((outcomes.combinations, 3))
    each, by_each = np.empty(mediators), np.empty(mediators)
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
            log, slope, by_spread = _summed(
                outcomes, scales, n, eta, each, dispersion, terms.spread, grid, by_grid, by_each, by.spread, table, term
            )
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
    count, size = people.arm.size, people.order.size
    slope[:] = 0.0
    entries, first, second, last = _ends(prior, scales, people, groups)
    value, by_value = np.empty(entries), np.zeros(entries)
    total = _prior(prior, point, value, slope)
    whole = _vector(linear, value)
    by_whole = np.zeros(whole.size)
    levels, terms = _cut(whole, scales, people, groups)
    by_levels, by = _cut(by_whole, scales, people, groups)
    equations, traits, noise = levels.start.size, point[entries:first].reshape(size, count), point[last:]
    lasting_z, wave_z = point[first:second].reshape(equations, -1), point[second:last].reshape(equations, -1)
    independent = np.zeros((groups.varying, terms.group_partial.shape[1]))
    lasting = _shared(terms.group_sd, terms.group_partial, groups.grouping, lasting_z)
    of_waves = _shared(terms.group_wave_sd, independent, groups.varying_of, wave_z)
    by_lasting, by_waves = np.zeros(lasting.shape), np.zeros(of_waves.shape)
    found = _traits(people, levels, _of_people(groups, lasting, count), traits)
    grid = _grid(people.arm, terms.mediator_level, terms.mediator_effect, found.own)
    cells = np.zeros(count * (1 + people.later.size))
    by_grid, by_cells, by_own = np.zeros(grid.size), np.zeros(cells.size), np.zeros(found.own.shape)
    if groups.groupings:
        for m in range(equations - 1):
            _add_cells(groups, lasting[m], of_waves[m], grid.reshape(equations - 1, -1)[m])
        _add_cells(groups, lasting[-1], of_waves[-1], cells)
    latent = _latent(missing, terms.spread, grid, noise)
    by_latent = np.zeros(latent.size)
    total += _mediators(observed, scales.kind, terms.spread, grid, by_grid, by.spread)
    total += _outcomes(
        outcomes, people, scales, terms, found.own, cells, grid, latent, by, by_own, by_cells, by_grid, by_latent
    )
    total += _back_from_latent(missing, scales.kind, terms.spread, noise, by_latent, by_grid, by.spread, slope[last:])
    _back_from_grid(people.arm, by_grid, by.mediator_level, by.mediator_effect, by_own)
    total += _back_from_traits(people, levels, found, by_own, by_levels, slope[entries:first].reshape(size, count))
    if groups.groupings:
        for m in range(equations - 1):
            _back_from_cells(groups, by_grid.reshape(equations - 1, -1)[m], by_lasting[m], by_waves[m])
        _back_from_cells(groups, by_cells, by_lasting[-1], by_waves[-1])
        _back_from_people(groups, by_own, by_lasting)
        total += _back_from_shared(
            terms.group_sd,
            terms.group_partial,
            groups.grouping,
            lasting_z,
            by_lasting,
            by.group_sd,
            by.group_partial,
            slope[first:second].reshape(equations, -1),
        )
        total += _back_from_shared(
            terms.group_wave_sd,
            independent,
            groups.varying_of,
            wave_z,
            by_waves,
            by.group_wave_sd,
            np.zeros(independent.shape),
            slope[second:last].reshape(equations, -1),
        )
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
    groups, count, size = Groups(*trial[7]), people.arm.size, people.order.size
    entries, first, second, last = _ends(prior, scales, people, groups)
    value = np.empty(entries)
    _prior(prior, point, value, np.empty(entries))
    levels, terms = _cut(_vector(linear, value), scales, people, groups)
    equations = levels.start.size
    independent = np.zeros((groups.varying, terms.group_partial.shape[1]))
    lasting_z, wave_z = point[first:second].reshape(equations, -1), point[second:last].reshape(equations, -1)
    lasting = _shared(terms.group_sd, terms.group_partial, groups.grouping, lasting_z)
    of_waves = _shared(terms.group_wave_sd, independent, groups.varying_of, wave_z)
    of_people = _of_people(groups, lasting, count)
    found = _traits(people, levels, of_people, point[entries:first].reshape(size, count))
    grid = _grid(people.arm, terms.mediator_level, terms.mediator_effect, found.own)
    if groups.groupings:
        for m in range(equations - 1):
            _add_cells(groups, lasting[m], of_waves[m], grid.reshape(equations - 1, -1)[m])
    latent = _latent(Latent(*trial[5]), terms.spread, grid, point[last:])
    return value, found.trait, latent, lasting[:, :-1], of_waves[:, :-1]


@njit()
def _ends(prior: Prior, scales: Scale, people: People, groups: Groups) -> tuple[int, int, int, int]:
    """Where in a point its top-level parameters end, its traits, its groups' levels, and those of single waves."""
    entries, equations = prior.number.shape[0], scales.kind.size + 1
    first = entries + people.order.size * people.arm.size
    second = first + equations * groups.grouping.size
    return entries, first, second, second + equations * groups.varying_of.size
