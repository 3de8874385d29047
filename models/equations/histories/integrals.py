"""Integrals over a normal trait of products of cell probabilities, with their slopes, compiled by Numba.

Two rules, both trapezoidal sums (`models.numerics.quadrature` has why they converge exponentially):

- logit histories of one pattern share nodes x_q = qh and the probabilities of their cells there;
- any history for which that is not enough (its product underflows, or its mode lies so far out that the outermost
  node still counts), and any history of another likelihood, has nodes of its own around its mode, outwards until a
  term is below 2e-16 of the largest. All these likelihoods are log-concave, so that there is one mode.

Histories of a normal outcome need neither: their likelihood is known in closed form.
"""

from __future__ import annotations

import math

import numpy as np

from models.equations.histories.compiled import njit
from models.equations.histories.densities import cell, constant, integrand
from models.equations.histories.traits import mode
from models.outcomes import FAMILIES
from models.outcomes.family import FARTHEST

REACH = 8.0
"""Shared nodes span ±8 SD of the trait; twice that where a history's mode lies far out."""
_DIGITS = 30.0  # exp(−30) = 1e-13, of which poles of the fourth order take four digits
_WIDEST = 20.0  # SD of the trait that no posterior reaches but a sampler's first steps do: nodes stay as they are there
_NEGLIGIBLE = 36.0  # exp(−36) = 2e-16
_OUTERMOST = 1e-11
_SMALLEST = 1e-200
_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
LOGIT, NORMAL = FAMILIES["logit"].number, FAMILIES["normal"].number
"""The two whose integrals have faster rules of their own."""
_FAST = {"reassoc", "contract", "arcp", "nsz"}


@njit()
def step(kind: int, tau: float, members: int, information: float) -> float:
    """Distance between nodes, in SD of the trait.

    Two things bound it: the width of the narrowest integrand, s = 1/√(1 + τ²·information), where a step h leaves an
    error of exp(−2π²s²/h²); and the distance d of the nearest pole, where it is exp(−2πd/h) times the integrand there.

    Parameters
    ----------
    kind : int
        `Family.number`.
    tau : float
        SD of the trait.
    members : int
        Cells of the history.
    information : float
        Of the cells together, at their most (binary), or at the mode.
    """
    tau = min(tau, _WIDEST)
    information, half, share = integrand(kind, max(tau, 1e-3), members, information)
    narrow = share / math.sqrt(1.0 + tau * tau * information)
    return min(narrow, 2.0 * math.pi * half / (_DIGITS + 0.5 * half * half)) if half < 7.0 else narrow


@njit()
def own(
    kind: int,
    tau: float,
    dispersion: np.ndarray,
    eta: np.ndarray,
    grid: np.ndarray,
    value: np.ndarray,
    cells: np.ndarray,
    fineness: float,
    by_eta: np.ndarray,
    by_dispersion: np.ndarray,
) -> tuple[float, float]:
    """Log likelihood of one history around its own mode, its slope in τ; in η and dispersion into what is named so.

    `dispersion` stands in the grid, as `eta`; `by_eta` and `by_dispersion` have a place for each cell of the history.

    `fineness` divides the step: 1 to compute, 2 to see whether it was small enough.
    """
    # a hundredth of its width is near enough to centre a sum
    centre, information = mode(kind, tau, dispersion, eta, grid, value, cells, 0.01)
    width = step(kind, tau, cells.size, information) / fineness
    by_eta[: cells.size], by_dispersion[: cells.size] = 0.0, 0.0
    first, other = np.empty(cells.size), np.empty(cells.size)
    top, total, by_tau = -math.inf, 0.0, 0.0
    for direction in (1, -1):
        q = 0 if direction > 0 else -1
        while True:
            x = centre + q * width
            log, slope = -0.5 * x * x, 0.0
            for k in range(cells.size):
                c = cells[k]
                place = grid[c]
                one, first[k], _, other[k] = cell(kind, value[c], eta[place] + tau * x, dispersion[place])
                log += one
                slope += first[k]
            if q == 0:
                top = log
            if not log > top - _NEGLIGIBLE:
                break
            weight = math.exp(log - top)
            total += weight
            by_tau += weight * x * slope
            for k in range(cells.size):
                by_eta[k] += weight * first[k]
                by_dispersion[k] += weight * other[k]
            q += direction
    fixed = 0.0
    for k in range(cells.size):
        one, two = constant(kind, value[cells[k]], dispersion[grid[cells[k]]])
        fixed += one
        by_eta[k] /= total
        by_dispersion[k] = by_dispersion[k] / total + two
    return top + math.log(total * width) - _HALF_LOG_2PI + fixed, by_tau / total


@njit()
def normal(
    tau: float,
    sigma: np.ndarray,
    eta: np.ndarray,
    grid: np.ndarray,
    value: np.ndarray,
    cells: np.ndarray,
    by_eta: np.ndarray,
    by_sigma: np.ndarray,
) -> tuple[float, float]:
    """`own` of normal outcomes with residual SDs σ: covariance diag(σ²) + τ² 11ᵀ.

    By the trait's mean b and variance v given the history: d/dη = (r − b)/σ², d/dσ = ((r − b)² + v − σ²)/σ³.
    """
    known, pull, whole = 0.0, 0.0, -cells.size * _HALF_LOG_2PI
    for k in range(cells.size):
        sd, rest = sigma[grid[cells[k]]], value[cells[k]] - eta[grid[cells[k]]]
        known += 1.0 / (sd * sd)
        pull += rest / (sd * sd)
        whole -= 0.5 * rest * rest / (sd * sd) + math.log(sd)
    along = 1.0 + tau * tau * known
    variance = tau * tau / along
    mean = variance * pull
    whole += 0.5 * (mean * pull - math.log(along))
    for k in range(cells.size):
        sd, rest = sigma[grid[cells[k]]], value[cells[k]] - eta[grid[cells[k]]] - mean
        by_eta[k] = rest / (sd * sd)
        by_sigma[k] = (rest * rest + variance - sd * sd) / (sd * sd * sd)
    return whole, tau * ((pull / along) ** 2 - known / along)


@njit()
def _alone(
    kind: int,
    tau: float,
    dispersion: np.ndarray,
    eta: np.ndarray,
    grid: np.ndarray,
    value: np.ndarray,
    cells: np.ndarray,
    fineness: float,
    by_eta: np.ndarray,
    by_dispersion: np.ndarray,
) -> tuple[float, float]:
    """One history that shares nothing with others, by `normal` or `own`."""
    if kind == NORMAL:
        return normal(tau, dispersion, eta, grid, value, cells, by_eta, by_dispersion)
    return own(kind, tau, dispersion, eta, grid, value, cells, fineness, by_eta, by_dispersion)


@njit(fastmath=_FAST)
def _probabilities(odds: float, ratio: np.ndarray, positive: bool, into: np.ndarray) -> None:
    """Probability of a logit cell at every node, from its odds at a trait of 0 and the nodes' odds ratios."""
    if positive:
        for q in range(ratio.size):
            u = odds * ratio[q]
            into[q] = u / (1.0 + u)
    else:
        for q in range(ratio.size):
            into[q] = 1.0 / (1.0 + odds * ratio[q])


@njit(fastmath=_FAST)
def _product(
    weight: np.ndarray, probability: np.ndarray, member: np.ndarray, begin: int, end: int, first: int, into: np.ndarray
) -> float:
    """Weighted product of a history's cells at every node, and its sum."""
    for q in range(into.size):
        into[q] = weight[q]
    for k in range(begin, end):
        c = member[k] - first
        for q in range(into.size):
            into[q] *= probability[c, q]
    total = 0.0
    for q in range(into.size):
        total += into[q]
    return total


@njit(fastmath=_FAST)
def _hold(
    share: float, product: np.ndarray, member: np.ndarray, begin: int, end: int, first: int, held: np.ndarray
) -> None:
    """Add a history's share of every node to its cells."""
    for k in range(begin, end):
        c = member[k] - first
        for q in range(product.size):
            held[c, q] += share * product[q]


@njit(fastmath=_FAST)
def _slopes(held: np.ndarray, c: int, probability: np.ndarray, r: int, node: np.ndarray) -> tuple[float, float]:
    """Sums over nodes of held × (1 − probability), and of the same × node; rows c and r."""
    one, two = 0.0, 0.0
    for q in range(node.size):
        wrong = held[c, q] * (1.0 - probability[r, q])
        one += wrong
        two += wrong * node[q]
    return one, two


@njit()
def nodes(tau: float, members: int, fineness: float, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Shared nodes of logit histories, and their weights."""
    width = step(LOGIT, tau, members, 0.0) / fineness
    half = math.ceil(reach / width)
    node = width * np.arange(-half, half + 1)
    return node, np.exp(-0.5 * node * node - _HALF_LOG_2PI) * width


@njit()
def _longest(begin: np.ndarray) -> int:
    """Largest distance between neighbours."""
    longest = 0
    for h in range(begin.size - 1):
        longest = max(longest, begin[h + 1] - begin[h])
    return longest


@njit()
def _settle(
    held: np.ndarray,
    same: bool,
    share: float,
    probability: np.ndarray,
    first: int,
    last: int,
    node: np.ndarray,
    grid: np.ndarray,
    value: np.ndarray,
    by_eta: np.ndarray,
) -> float:
    """Slopes of a pattern's cells from what they hold at the nodes, row 0 for all if `same`; returns that in τ."""
    by_tau = 0.0
    for c in range(first, last):
        one, two = _slopes(held, 0 if same else c - first, probability, c - first, node)
        signed = share if value[c] > 0 else -share
        by_eta[grid[c]] += signed * one
        by_tau += signed * two
    return by_tau


@njit()
def _every(
    kind: int,
    fineness: float,
    reach: float,
    final: bool,
    eta: np.ndarray,
    tau: float,
    dispersion: np.ndarray,
    grid: np.ndarray,
    value: np.ndarray,
    pattern_cells: np.ndarray,
    pattern_histories: np.ndarray,
    member: np.ndarray,
    begin: np.ndarray,
    count: np.ndarray,
    log_likelihood: np.ndarray,
    by_eta: np.ndarray,
    by_dispersion: np.ndarray,
) -> tuple[bool, float, float]:
    """`each` with shared nodes that span ±reach; unless `final`, gives up where they are not enough for a history."""
    by_eta[:], by_dispersion[:] = 0.0, 0.0
    total, by_tau = 0.0, 0.0
    longest, most = _longest(begin), _longest(pattern_cells)
    mine, mine_too = np.empty(max(1, longest)), np.empty(max(1, longest))
    shared = kind == LOGIT
    node, weight = nodes(tau, longest, fineness, reach)
    ratio = np.exp(np.minimum(np.maximum(tau * node, -FARTHEST), FARTHEST))
    size = node.size if shared else 1
    probability, held, product = np.empty((most, size)), np.empty((most, size)), np.empty((1, size))
    for p in range(pattern_cells.size - 1):
        first, last = pattern_cells[p], pattern_cells[p + 1]
        several = pattern_histories[p + 1] - pattern_histories[p] > 1
        if shared:
            held[: last - first] = 0.0
            for c in range(first, last):
                odds = math.exp(min(max(eta[grid[c]], -FARTHEST), FARTHEST))
                _probabilities(odds, ratio, value[c] > 0, probability[c - first])
        for h in range(pattern_histories[p], pattern_histories[p + 1]):
            found = _product(weight, probability, member, begin[h], begin[h + 1], first, product[0]) if shared else 0.0
            if found > _SMALLEST and product[0, 0] + product[0, -1] < _OUTERMOST * found:
                log_likelihood[h] = math.log(found)
                if several:
                    _hold(count[h] / found, product[0], member, begin[h], begin[h + 1], first, held)
                else:
                    share = count[h] / found
                    by_tau += _settle(product, True, share, probability, first, last, node, grid, value, by_eta)
            elif not final:
                return False, total, by_tau
            else:
                cells = member[begin[h] : begin[h + 1]]
                whole, one = _alone(kind, tau, dispersion, eta, grid, value, cells, fineness, mine, mine_too)
                log_likelihood[h] = whole
                by_tau += count[h] * one
                for k in range(cells.size):
                    by_eta[grid[cells[k]]] += count[h] * mine[k]
                    by_dispersion[grid[cells[k]]] += count[h] * mine_too[k]
            total += count[h] * log_likelihood[h]
        if shared and several:
            by_tau += _settle(held, False, 1.0, probability, first, last, node, grid, value, by_eta)
    return True, total, by_tau


@njit()
def each(
    kind: int,
    fineness: float,
    eta: np.ndarray,
    tau: float,
    dispersion: np.ndarray,
    grid: np.ndarray,
    value: np.ndarray,
    pattern_cells: np.ndarray,
    pattern_histories: np.ndarray,
    member: np.ndarray,
    begin: np.ndarray,
    count: np.ndarray,
    log_likelihood: np.ndarray,
    by_eta: np.ndarray,
    by_dispersion: np.ndarray,
) -> tuple[float, float]:
    """Log likelihood of the trial and its slopes; of each history into `log_likelihood`, in η into `by_eta`.

    Parameters
    ----------
    kind, fineness : int, float
        As for `own`.
    eta : ndarray, (pattern × wave,)
        Linear predictor at a trait of 0.
    tau : float
        SD of the trait.
    dispersion : ndarray, (pattern × wave,)
        Spread of the outcome, 0 where it has none.
    grid, value, pattern_cells, pattern_histories, member, begin, count : ndarray
        `Histories.structure`.
    log_likelihood, by_eta, by_dispersion : ndarray, (history,), (pattern × wave,) and (pattern × wave,)
        Written.

    Returns
    -------
    tuple of float
        Log likelihood and its slope in τ.
    """
    fixed = (grid, value, pattern_cells, pattern_histories, member, begin, count, log_likelihood, by_eta, by_dispersion)
    done, total, by_tau = _every(kind, fineness, REACH, kind != LOGIT, eta, tau, dispersion, *fixed)
    if not done:
        _, total, by_tau = _every(kind, fineness, 2.0 * REACH, True, eta, tau, dispersion, *fixed)
    return total, by_tau
