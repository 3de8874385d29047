"""A participant's trait given her history and the top-level parameters: its mode, and exact draws of it."""

from __future__ import annotations

import math

import numpy as np

from models.equations.histories.compiled import njit
from models.equations.histories.densities import cell

_STEPS = 200
_NEWTON = 20
"""Steps of Newton's method, which needs fewer but where a sampler's first steps go; then the bracket is halved."""


@njit()
def mode(
    kind: int,
    tau: float,
    dispersion: np.ndarray,
    eta: np.ndarray,
    grid: np.ndarray,
    value: np.ndarray,
    cells: np.ndarray,
    precision: float,
) -> tuple[float, float]:
    """Where the density of the trait (in SD) given a history is largest, and the cells' information there.

    Newton's method inside a bracket: all these likelihoods are log-concave, so that there is one mode.

    Parameters
    ----------
    kind, tau, dispersion, eta, grid, value : see `integrals.each`
        The trial at one draw.
    cells : ndarray of int
        Of the history.
    precision : float
        How near, in widths of the density.
    """
    low, high, x, information = -math.inf, math.inf, 0.0, 0.0
    stride = 10.0
    for turn in range(_STEPS):
        slope, information = 0.0, 0.0
        for c in cells:
            _, first, second, _ = cell(kind, value[c], eta[grid[c]] + tau * x, dispersion[grid[c]])
            slope += first
            information -= second
        gradient, curvature = tau * slope - x, 1.0 + tau * tau * information
        if gradient > 0:
            low = x
        else:
            high = x
        move = gradient / curvature
        new = x + min(max(move, -10.0), 10.0)
        if turn >= _NEWTON and (low == -math.inf or high == math.inf):
            # where a mean is steep (exp), Newton takes a step of 1 in η each time: longer and longer ones instead
            stride *= 2.0
            new = x + math.copysign(stride, gradient)
        elif turn >= _NEWTON or not low < new < high:
            new = 0.5 * (low + high)
        if abs(move) < precision / math.sqrt(curvature) or new == x:
            break
        x = new
    return x, information


@njit()
def _log(
    kind: int,
    trait: float,
    dispersion: np.ndarray,
    eta: np.ndarray,
    grid: np.ndarray,
    value: np.ndarray,
    cells: np.ndarray,
) -> float:
    total = 0.0
    for c in cells:
        total += cell(kind, value[c], eta[grid[c]] + trait, dispersion[grid[c]])[0]
    return total


@njit()
def drawn(
    rng: np.random.Generator,
    kind: int,
    eta: np.ndarray,
    tau: np.ndarray,
    dispersion: np.ndarray,
    grid: np.ndarray,
    value: np.ndarray,
    member: np.ndarray,
    begin: np.ndarray,
    history_of: np.ndarray,
) -> np.ndarray:
    """One exact draw of every participant's trait at every draw of the parameters, (draw, participant).

    Around its mode m the conditional density of a trait (in SD) never exceeds that of N(m, 1) scaled to it, because the
    likelihoods are log-concave: draws of that normal are kept with probability of the ratio (rejection sampling).

    Parameters
    ----------
    rng : Generator
        Source of random numbers.
    kind : int
        `Family.number`.
    eta, tau, dispersion : ndarray, (draw, pattern × wave), (draw,), (draw, pattern × wave)
        Draws.
    grid, value, member, begin : see `integrals.each`
        The trial's histories.
    history_of : ndarray of int, (participant,)
        `Histories.history_of`.
    """
    result = np.empty((tau.size, history_of.size))
    centre, top = np.empty(begin.size - 1), np.empty(begin.size - 1)
    for d in range(tau.size):
        for h in range(begin.size - 1):
            cells = member[begin[h] : begin[h + 1]]
            centre[h], _ = mode(kind, tau[d], dispersion[d], eta[d], grid, value, cells, 1e-9)
            top[h] = _log(kind, tau[d] * centre[h], dispersion[d], eta[d], grid, value, cells)
        for i in range(history_of.size):
            h = history_of[i]
            if h < 0:
                result[d, i] = tau[d] * rng.standard_normal()
                continue
            cells = member[begin[h] : begin[h + 1]]
            while True:
                off = rng.standard_normal()
                x = centre[h] + off
                log = _log(kind, tau[d] * x, dispersion[d], eta[d], grid, value, cells) - top[h]
                # the prior changes by −x²/2 + m²/2, the proposal by −off²/2: −m·off is left of them
                if math.log(rng.random()) <= log - centre[h] * off:
                    result[d, i] = tau[d] * x
                    break
    return result
