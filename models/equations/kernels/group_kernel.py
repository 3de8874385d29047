"""Groups' levels in the kernels, and slopes through them, compiled by Numba."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from models.equations.histories.compiled import njit
from models.equations.kernels import correlation_kernel as correlation

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


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


class Spread(NamedTuple):
    """SDs and correlations of groups' levels, or slopes of the log density in them.

    Attributes
    ----------
    sd, wave_sd : ndarray, (grouping, equation)
        Of lasting levels of all groupings, and of levels of single waves of those that have them.
    partial : ndarray, (grouping, pair)
        Partial correlations of the lasting ones.
    """

    sd: np.ndarray
    wave_sd: np.ndarray
    partial: np.ndarray


class Levels(NamedTuple):
    """Groups' levels, or slopes in them.

    Attributes
    ----------
    standard, standard_of_waves : ndarray, (equation, group) and (equation, group × wave)
        Independent standard normal values behind them.
    lasting, of_waves : ndarray, (equation, group + 1) and (equation, group × wave + 1)
        The levels; one more, of 0, stands for none.
    """

    standard: np.ndarray
    standard_of_waves: np.ndarray
    lasting: np.ndarray
    of_waves: np.ndarray


@njit()
def levels(groups: Groups, spread: Spread, standard: np.ndarray, of_waves: np.ndarray) -> Levels:
    """Levels of every group, of what is sampled."""
    independent = np.zeros((groups.varying, spread.partial.shape[1]))
    return Levels(
        standard,
        of_waves,
        _scaled(spread.sd, spread.partial, groups.grouping, standard),
        _scaled(spread.wave_sd, independent, groups.varying_of, of_waves),
    )


@njit()
def back_from_levels(groups: Groups, spread: Spread, found: Levels, by: Levels, by_spread: Spread) -> float:
    """Log density of what is sampled of groups; slopes in levels passed on to it and to `by_spread`."""
    independent = np.zeros((groups.varying, spread.partial.shape[1]))
    return _back_from_scaled(
        spread.sd,
        spread.partial,
        groups.grouping,
        found.standard,
        by.lasting,
        by_spread.sd,
        by_spread.partial,
        by.standard,
    ) + _back_from_scaled(
        spread.wave_sd,
        independent,
        groups.varying_of,
        found.standard_of_waves,
        by.of_waves,
        by_spread.wave_sd,
        np.zeros(independent.shape),
        by.standard_of_waves,
    )


@njit()
def _scaled(sd: np.ndarray, partial: np.ndarray, whose: np.ndarray, standard: np.ndarray) -> np.ndarray:
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
        root = correlation.root(partial[g], size)
        for c in range(count):
            if whose[c] == g:
                for e in range(size):
                    for j in range(e + 1):
                        found[e, c] += sd[g, e] * root[e, j] * standard[j, c]
    return found


@njit()
def _back_from_scaled(
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
        root, by_root = correlation.root(partial[g], size), np.zeros((size, size))
        for c in range(count):
            if whose[c] == g:
                for e in range(size):
                    total -= 0.5 * standard[e, c] * standard[e, c]
                    slope[e, c] -= standard[e, c]
                    for j in range(e + 1):
                        slope[j, c] += by_shared[e, c] * sd[g, e] * root[e, j]
                        by_sd[g, e] += by_shared[e, c] * root[e, j] * standard[j, c]
                        by_root[e, j] += by_shared[e, c] * sd[g, e] * standard[j, c]
        correlation.back_from_root(partial[g], root, by_root, by_partial[g])
    return total


@njit()
def of_people(groups: Groups, lasting: np.ndarray, count: int) -> np.ndarray:
    """What groups add to all that a participant does, (equation, participant), from their levels."""
    found = np.zeros((lasting.shape[0], count))
    for e in range(found.shape[0]):
        for i in range(groups.always.shape[0]):
            for g in range(groups.always.shape[1]):
                found[e, i] += lasting[e, groups.always[i, g]]
    return found


@njit()
def back_from_people(groups: Groups, by_own: np.ndarray, by_lasting: np.ndarray) -> None:
    """Slopes in the levels from those in what they add."""
    for e in range(by_own.shape[0]):
        for i in range(groups.always.shape[0]):
            for g in range(groups.always.shape[1]):
                by_lasting[e, groups.always[i, g]] += by_own[e, i]


@njit()
def add_cells(groups: Groups, lasting: np.ndarray, of_waves: np.ndarray, cells: np.ndarray) -> None:
    """Add to each cell of an equation, (participant × (1 + wave),), what its groups add there, from their levels."""
    for n in range(groups.in_cells.shape[0]):
        for g in range(groups.in_cells.shape[1]):
            cells[n] += lasting[groups.in_cells[n, g]]
        for g in range(groups.of_waves.shape[1]):
            cells[n] += of_waves[groups.of_waves[n, g]]


@njit()
def back_from_cells(groups: Groups, by_cells: np.ndarray, by_lasting: np.ndarray, by_waves: np.ndarray) -> None:
    """Slopes in the levels from those in the cells."""
    for n in range(groups.in_cells.shape[0]):
        for g in range(groups.in_cells.shape[1]):
            by_lasting[groups.in_cells[n, g]] += by_cells[n]
        for g in range(groups.of_waves.shape[1]):
            by_waves[groups.of_waves[n, g]] += by_cells[n]
