"""From a point to what outcomes and mediators read, and the slopes back, compiled by Numba into every kernel.

The mathematics is that of `Mediation.build`, and without mediators that of `Effect.build`; MODEL.md, "How it is
computed", says how its gradient is formed.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from models.equations.histories.compiled import njit
from models.equations.kernels import correlation_kernel as correlation
from models.equations.kernels import group_kernel
from models.equations.kernels import mediator_kernel as mediator
from models.equations.kernels.group_kernel import Groups, Spread
from models.equations.kernels.prior_kernel import Linear, Prior, combined, to_point, to_values

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


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


class Latent(NamedTuple):
    """Latent values, those of mediator m from first[m], and where each stands in the grid."""

    first: np.ndarray
    grid: np.ndarray


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
    dispersion, log_ratio : ndarray, (wave,)
        Of the outcome in both arms together, and the log of its ratio of the arms.
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
    log_ratio: np.ndarray
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


class Given(NamedTuple):
    """What every step through the equations reads: `Latent` is empty where no mediator is unknown."""

    prior: Prior
    linear: Linear
    people: People
    scales: Scale
    groups: Groups
    missing: Latent


class Forward(NamedTuple):
    """Every step from a point to what outcomes and mediators read; see `forward`.

    Attributes
    ----------
    log_prior : float
        Of the top-level parameters, on the scale on which they are sampled.
    ends : tuple of int
        Where in the point its top-level parameters end, its traits, its groups' levels, and those of single waves.
    point, value : ndarray, (unknown,) and (entry,)
        The point, and the top-level parameters.
    """

    log_prior: float
    ends: tuple[int, int, int, int]
    point: np.ndarray
    value: np.ndarray
    levels: Levels
    terms: Terms
    groups: group_kernel.Levels
    traits: Traits
    state: State


class Slopes(NamedTuple):
    """Slopes of the log density: `levels` and `terms` are views of `whole`, which holds those in the linear terms.

    `value` holds those in entries that do not pass through `Linear`.
    """

    value: np.ndarray
    whole: np.ndarray
    levels: Levels
    terms: Terms
    state: State


@njit()
def _cut(vector: np.ndarray, scales: Scale, people: People, groups: Groups) -> tuple[Levels, Terms]:
    """Views of a vector, which holds `Levels` (but for the correlations, which are last) and then `Terms`."""
    mediators, waves, covariates = scales.kind.size, people.later.size, people.covariates.shape[0]
    equations, grid = mediators + 1, mediators * (waves + 1)
    pairs = equations * mediators // 2
    sizes = np.empty(15, np.int64)
    sizes[0], sizes[1:3], sizes[3:5] = equations * covariates, equations, waves
    sizes[5:7], sizes[7:9], sizes[9], sizes[10:12] = grid, mediators, 3 * mediators, waves
    sizes[12], sizes[13], sizes[14] = groups.groupings * equations, groups.varying * equations, groups.groupings * pairs
    end = np.cumsum(sizes)
    levels = Levels(
        vector[: end[0]].reshape(equations, covariates),
        vector[end[0] : end[1]],
        vector[end[1] : end[2]],
        vector[end[14] :],
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
        vector[end[10] : end[11]],
        Spread(
            vector[end[11] : end[12]].reshape(groups.groupings, equations),
            vector[end[12] : end[13]].reshape(groups.varying, equations),
            vector[end[13] : end[14]].reshape(groups.groupings, pairs),
        ),
    )
    return levels, terms


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

    `by_own` (equation, participant) holds slopes in `Traits.own`, from the cells; a level that is sampled as such
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
        if kinds[m] == mediator.STUDENT:
            fixed, by_fixed = mediator.student_constant(spread[m, 1])
        for k in range(first, last):
            by_grid[places[k]] += by_latent[k]
            by_spread[m, 0] += by_latent[k] * noise[k]
            log, by_noise, by_nu = -0.5 * noise[k] * noise[k], -noise[k], 0.0
            if kinds[m] == mediator.STUDENT:
                log, by_noise, by_nu = mediator.student(noise[k], spread[m, 1])
            total += log + fixed
            slope[k] += by_latent[k] * spread[m, 0] + by_noise
            by_spread[m, 1] += by_nu + by_fixed
    return total


@njit()
def dispersions(terms: Terms) -> np.ndarray:
    """Of the outcome in either arm at each wave, (arm, wave)."""
    found = np.empty((2, terms.dispersion.size))
    for w in range(terms.dispersion.size):
        apart = math.exp(0.5 * terms.log_ratio[w])
        found[0, w], found[1, w] = terms.dispersion[w] / apart, terms.dispersion[w] * apart
    return found


@njit()
def back_from_dispersions(found: np.ndarray, by_found: np.ndarray, terms: Terms, by: Terms) -> None:
    """Slopes in what `dispersions` takes from those in what it returns, added to `by`."""
    for w in range(terms.dispersion.size):
        apart = math.exp(0.5 * terms.log_ratio[w])
        by.dispersion[w] += by_found[0, w] / apart + by_found[1, w] * apart
        by.log_ratio[w] += 0.5 * (by_found[1, w] * found[1, w] - by_found[0, w] * found[0, w])


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


@njit()
def given_of(trial: tuple) -> Given:
    """What `trial` begins with, its parts by their names."""
    return Given(
        Prior(*trial[0]), Linear(*trial[1]), People(*trial[2]), Scale(*trial[3]), Groups(*trial[4]), Latent(*trial[5])
    )


@njit()
def forward(point: np.ndarray, given: Given, slope: np.ndarray) -> Forward:
    """From a point to what outcomes and mediators read; slopes of the log prior into `slope`."""
    people, scales, groups, missing = given.people, given.scales, given.groups, given.missing
    count, equations = people.arm.size, scales.kind.size + 1
    entries = given.prior.number.shape[0]
    first = entries + people.order.size * count
    second = first + equations * groups.grouping.size
    last = second + equations * groups.varying_of.size
    slope[:] = 0.0
    value = np.empty(entries)
    log_prior = to_values(given.prior, point, value, slope)
    levels, terms = _cut(combined(given.linear, value), scales, people, groups)
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
    state = State(found.own, cells, grid, latent)
    return Forward(log_prior, (entries, first, second, last), point, value, levels, terms, shared, found, state)


@njit()
def no_slopes(given: Given, found: Forward) -> Slopes:
    """Slopes of 0, to add to."""
    state = found.state
    whole = np.zeros(given.linear.fixed.size)
    levels, terms = _cut(whole, given.scales, given.people, given.groups)
    none = State(
        np.zeros(state.own.shape), np.zeros(state.shared.size), np.zeros(state.grid.size), np.zeros(state.latent.size)
    )
    return Slopes(np.zeros(found.value.size), whole, levels, terms, none)


@njit()
def backward(given: Given, found: Forward, by: Slopes, slope: np.ndarray) -> float:
    """Log density of traits, groups' levels and latent values; slopes in what is sampled added to `slope`.

    Parameters
    ----------
    given, found : Given, Forward
        As `forward` took and returned them.
    by : Slopes
        Of the likelihood.
    slope : ndarray, (unknown,)
        Holds slopes of the log prior.
    """
    people, scales, groups, linear, terms = given.people, given.scales, given.groups, given.linear, found.terms
    entries, first, second, last = found.ends
    noise, equations = found.point[last:], scales.kind.size + 1
    total = _back_from_latent(
        given.missing, scales.kind, terms.spread, noise, by.state.latent, by.state.grid, by.terms.spread, slope[last:]
    )
    _back_from_grid(people.arm, by.state.grid, by.terms.mediator_level, by.terms.mediator_effect, by.state.own)
    into = slope[entries:first].reshape(people.order.size, people.arm.size)
    total += _back_from_traits(people, found.levels, found.traits, by.state.own, by.levels, into)
    if groups.groupings:
        of_groups = (slope[first:second].reshape(equations, -1), slope[second:last].reshape(equations, -1))
        total += _back_from_groups(groups, terms.groups, found.groups, by.state, by.terms.groups, of_groups)
    for k in range(linear.row.size):
        by.value[linear.column[k]] += linear.weight[k] * by.whole[linear.row[k]]
    to_point(given.prior, found.value, by.value, slope)
    return total


@njit()
def sound(total: float, slope: np.ndarray) -> float:
    """The log density; NaN, a divergence to the sampler, where a slope is not finite."""
    for k in range(slope.size):
        if not math.isfinite(slope[k]):
            return math.nan
    return total


@njit(nogil=True)
def unknowns(points: np.ndarray, trial: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What points say of participants and groups.

    Parameters
    ----------
    points : ndarray, (draw, unknown)
        One or more.
    trial : tuple of tuple
        The fields of each part of `Given`.

    Returns
    -------
    tuple of ndarray
        Traits (draw, equation, participant), latent values (draw, value), groups' lasting levels (draw, equation,
        group) and those of single waves.
    """
    given = given_of(trial)
    many, unused = points.shape[0], np.empty(points.shape[1])
    first = forward(points[0], given, unused)
    trait, latent = np.empty((many, *first.traits.trait.shape)), np.empty((many, first.state.latent.size))
    equations, lasting = first.groups.lasting.shape
    lasting_levels = np.empty((many, equations, lasting - 1))
    of_waves = np.empty((many, equations, first.groups.of_waves.shape[1] - 1))
    for k in range(many):
        found = forward(points[k], given, unused)
        trait[k], latent[k] = found.traits.trait, found.state.latent
        lasting_levels[k], of_waves[k] = found.groups.lasting[:, :-1], found.groups.of_waves[:, :-1]
    return trait, latent, lasting_levels, of_waves
