"""A participant's likelihood with the trait integrated out: for leaving observations out, and as a check of NUTS.

The integral over the trait is a trapezoidal sum (see `quadrature`); its step is halved until nothing changes.
Of a normal outcome it is known in closed form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from models.design.layout import Design

TOLERANCE = 1e-5
"""Largest change of a log likelihood that halving the step may bring; the next one would bring its square."""
COARSEST, HALVINGS = 0.8, 8
REACH = 8.5
"""Nodes span ±8.5 SD of the trait: outside lies less than 2e-17 of the normal density."""
GROUPS = 20
BLOCK = 100_000


class NodesExhausted(ArithmeticError):  # noqa: N818 - named after what happened
    """The finest grid did not reach the tolerance: the data pin a trait down more narrowly than its steps."""


@dataclass(frozen=True)
class Draws:
    """What the likelihood of each cell needs, draw by draw.

    Attributes
    ----------
    fixed : ndarray, (draw, observation)
        Linear predictor at a trait of 0.
    scale : ndarray, (draw,)
        SD of the trait.
    dispersion : ndarray, (draw, observation)
        Of counts, or the residual SD of normal outcomes; 0 for binary ones.
    """

    fixed: np.ndarray
    scale: np.ndarray
    dispersion: np.ndarray

    def take(self, rows: np.ndarray | slice) -> Draws:
        """Some of the draws."""
        return Draws(self.fixed[rows], self.scale[rows], self.dispersion[rows])


def log_likelihood(draws: Draws, design: Design) -> np.ndarray:
    """Log probability of each participant's outcomes given the top-level parameters, shape (draw, participant).

    Of a continuous outcome it is the log density in the outcome's own unit.

    Raises
    ------
    NodesExhausted
        If halving the step eight times still changes a value by more than 1e-5.
    """
    if design.likelihood == "normal":
        return _normal_whole(draws, design)
    return _refined(_whole, draws, design) - _seen(design) * np.log(design.scale)


def log_predictive(draws: Draws, design: Design) -> np.ndarray:
    """Log probability of each cell given the same participant's other cells, shape (draw, observation).

    It is what leaving one observation out needs, log p(y_i) − log p(y_i without the cell): the trait is integrated out,
    so that no importance weight has to move it. Raises `NodesExhausted` as above.
    """
    if design.likelihood == "normal":
        return _normal_one_out(draws, design)
    return _refined(_one_out, draws, design) - np.log(design.scale)


Rule = Callable[[float, Draws, Design], np.ndarray]


def _refined(rule: Rule, draws: Draws, design: Design) -> np.ndarray:
    """Apply a rule to all draws, in groups of like SD, each with the coarsest step that its hardest draws allow."""
    parts, order = [], np.argsort(draws.scale, kind="stable")
    for rows in np.array_split(order, min(order.size, GROUPS)):
        hardest = np.unique([rows[-1], rows[0], rows[_narrowest(draws.take(rows))]])
        parts.append(rule(_step(rule, draws.take(hardest), design), draws.take(rows), design))
    return np.concatenate(parts)[np.argsort(order, kind="stable")]


def _narrowest(draws: Draws) -> int:
    """Place of the draw whose data pin a trait down most, by counts' information, Σ τ² m / (1 + m dispersion²)."""
    mean = np.exp(np.minimum(draws.fixed, 50.0))
    information = draws.scale**2 * (mean / (1 + mean * draws.dispersion**2)).sum(1)
    return int(information.argmax())


def _step(rule: Rule, draws: Draws, design: Design) -> float:
    coarse = rule(COARSEST, draws, design)
    for halving in range(1, HALVINGS + 1):
        step = COARSEST / 2**halving
        fine = rule(step, draws, design)
        if np.abs(fine - coarse).max(initial=0.0) < TOLERANCE:
            return step
        coarse = fine
    raise NodesExhausted(f"A step of {step:g} SD still changes a log likelihood by more than {TOLERANCE:g}.")


def _terms(step: float, draws: Draws, design: Design) -> Iterator[tuple[slice, np.ndarray, np.ndarray, np.ndarray]]:
    """Blocks of draws: which, cells (draw, observation, node), sums (draw, person, node), whose sums they are."""
    nodes = step * np.arange(-np.ceil(REACH / step), np.ceil(REACH / step) + 1)
    weights = -0.5 * nodes**2 - 0.5 * np.log(2 * np.pi) + np.log(step)
    order = np.argsort(design.participant_of, kind="stable")
    person, start = np.unique(design.participant_of[order], return_index=True)
    block = max(1, BLOCK // max(1, design.outcome.size * nodes.size))
    for first in range(0, draws.scale.size, block):
        part = slice(first, first + block)
        predictor = draws.fixed[part, :, None] + draws.scale[part, None, None] * nodes
        dispersion = draws.dispersion[part, :, None]
        cells = design.family.log_probability(design.outcome[:, None], predictor, dispersion)
        yield part, cells, np.add.reduceat(cells[:, order], start, axis=1) + weights, person


def _whole(step: float, draws: Draws, design: Design) -> np.ndarray:
    result = np.zeros((draws.scale.size, design.participants))
    for part, _, sums, person in _terms(step, draws, design):
        result[part, person] = logsumexp(sums, axis=-1)
    return result


def _one_out(step: float, draws: Draws, design: Design) -> np.ndarray:
    result = np.zeros(draws.fixed.shape)
    for part, cells, sums, person in _terms(step, draws, design):
        place = np.searchsorted(person, design.participant_of)
        result[part] = logsumexp(sums, axis=-1)[:, place] - logsumexp(sums[:, place] - cells, axis=-1)
    return result


def _normal_whole(draws: Draws, design: Design) -> np.ndarray:
    """A participant's normal outcomes: covariance diag(σ²) + τ² 11ᵀ, by what they say of the trait."""
    result = np.zeros((draws.scale.size, design.participants))
    for part, rest, precision, tau in _residuals(draws, design):
        known, pull = _sums(precision, design), _sums(precision * rest, design)
        along = 1 + tau**2 * known
        squares = _sums(precision * rest**2 - np.log(precision), design) - tau**2 * pull**2 / along
        fixed = _seen(design) * (0.5 * np.log(2 * np.pi) + np.log(design.scale))
        result[part] = -0.5 * (squares + np.log(along)) - fixed
    return result


def _normal_one_out(draws: Draws, design: Design) -> np.ndarray:
    """A normal outcome given the same participant's others: their residuals, shrunk, predict its own."""
    result, person = np.zeros(draws.fixed.shape), design.participant_of
    for part, rest, precision, tau in _residuals(draws, design):
        known = _sums(precision, design)[:, person] - precision
        pull = _sums(precision * rest, design)[:, person] - precision * rest
        trait = tau**2 / (1 + tau**2 * known)
        variance = 1 / precision + trait
        error = rest - trait * pull
        result[part] = -0.5 * (error**2 / variance + np.log(2 * np.pi * variance)) - np.log(design.scale)
    return result


def _residuals(draws: Draws, design: Design) -> Iterator[tuple[slice, np.ndarray, np.ndarray, np.ndarray]]:
    """Blocks of draws: which, outcomes minus predictors and 1/σ² (draw, observation), and SD of the trait."""
    block = max(1, BLOCK // max(1, design.outcome.size))
    for first in range(0, draws.scale.size, block):
        part = slice(first, first + block)
        yield part, design.outcome - draws.fixed[part], draws.dispersion[part] ** -2.0, draws.scale[part, None]


def _seen(design: Design) -> np.ndarray:
    """Observed cells of each participant."""
    return np.bincount(design.participant_of, minlength=design.participants)


def _sums(values: np.ndarray, design: Design) -> np.ndarray:
    """Sums over each participant's cells, shape (draw, participant)."""
    found = np.zeros((design.participants, values.shape[0]))
    np.add.at(found, design.participant_of, values.T)
    return found.T
