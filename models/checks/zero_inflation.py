"""Are there more zeros than a negative binomial with lasting levels gives? Likelihood ratios by marginal fits (SciPy).

The plain model is the effect model's own, by maximum likelihood; beside it stand one in which every count is 0 with an
extra probability, and one in which some participants never have any. MODEL.md, "More zeros than the model".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from models.design.layout import Design

KINDS = ("plain", "cells", "participants")
"""No extra zeros; each count may be one; a participant may be one for good."""
REACH, WIDEST, CLOSENESS, MOST_NODES = 6.0, 0.4, 0.75, 161
"""Trapezoidal sums over levels of ±6 SD: steps of at most .4 SD and .75 of the narrowest conditional SD."""
SMALLEST = 0.1
"""Share of zeros of another kind that the other models have at least: fewer hardly move a mean."""
MOST_PEOPLE = 1000
"""Participants looked at, a part at random where there are more: an excess is then known well."""
SIZE = (-5.0, 9.0)
"""Logarithms of the negative binomial's size that are tried: 9 is Poisson."""
SD = (-4.0, 2.0)
"""Logarithms of the SD of levels that are tried."""
SHARE = (float(special.logit(SMALLEST)), 8.0)
"""Log odds of the share of zeros of another kind that are tried."""


@dataclass(frozen=True)
class Ratio:
    """Twice the gain in log likelihood by extra zeros of the likelier kind, the kind, and their share."""

    value: float
    kind: str
    share: float


def ratio(design: Design, seed: int) -> Ratio:
    """Likelihood ratio of zero inflation.

    Parameters
    ----------
    design : Design
        A trial of counts.
    seed : int
        Of the choice of participants, where there are many.
    """
    if design.participants > MOST_PEOPLE:
        people = np.random.default_rng([seed, 61]).choice(design.participants, MOST_PEOPLE, replace=False)
        design = design.of(np.sort(people))
    data = _Data.of(design)
    plain = _fitted(data, "plain", data.start())
    more = {kind: _fitted(data, kind, np.append(data.start(), 0.0)) for kind in KINDS[1:]}
    best = min(more, key=lambda kind: more[kind].fun)
    return Ratio(max(0.0, 2 * (plain.fun - more[best].fun)), best, float(special.expit(more[best].x[-1])))


@dataclass(frozen=True)
class _Data:
    """Counts (cell,), whose they are, columns of the predictor (cell, coefficient), offsets, whether levels differ."""

    count: np.ndarray
    person: np.ndarray
    matrix: np.ndarray
    offset: np.ndarray
    people: int
    has_trait: bool

    @classmethod
    def of(cls, design: Design) -> _Data:
        """Level of every wave, the arm's contrast after baseline, covariates; in the order of participants."""
        order = np.argsort(design.participant_of, kind="stable")
        whose, wave = design.participant_of[order], design.wave_of[order]
        person = np.unique(whose, return_inverse=True)[1]
        levels = np.eye(len(design.wave))[wave]
        after = [place for place, role in enumerate(design.role) if role != "baseline"]
        columns = np.column_stack([levels, levels[:, after] * design.arm[whose, None], design.covariates[whose]])
        kept = columns[:, (columns != 0).any(0)]
        count, offset = design.outcome[order].astype(float), design.offset[order]
        return cls(count, person, kept, offset, int(person[-1]) + 1, design.has_trait)

    def start(self) -> np.ndarray:
        """Coefficients of log(½ + count), size 1, and, where levels differ, an SD of .7."""
        slope = np.linalg.lstsq(self.matrix, np.log(self.count + 0.5) - self.offset, rcond=None)[0]
        return np.concatenate([slope, [0.0], [-0.3] if self.has_trait else []])

    def sums(self, cells: np.ndarray) -> np.ndarray:
        """Sums over each participant's cells."""
        return np.add.reduceat(cells, np.flatnonzero(np.diff(self.person, prepend=-1)), axis=0)


def _fitted(data: _Data, kind: str, start: np.ndarray) -> optimize.OptimizeResult:
    """The kind's maximum: nodes are laid for the start, and once more for what was found from them."""
    coefficients = data.matrix.shape[1]
    bounds = [(-15.0, 15.0)] * coefficients + [SIZE] + [SD] * data.has_trait + [SHARE] * (kind != "plain")
    for _ in range(2):
        found = optimize.minimize(_loss, start, (data, kind, _nodes(data, start)), "L-BFGS-B", jac=True, bounds=bounds)
        start = found.x
    return found


def _nodes(data: _Data, at: np.ndarray) -> np.ndarray:
    """Standard normal levels to sum over: close enough for whoever's counts tell most, at these values."""
    if not data.has_trait:
        return np.zeros(1)
    coefficients = data.matrix.shape[1]
    size, sd = np.exp(at[coefficients]), np.exp(at[coefficients + 1])
    # a count tells of its level what its mean and the size allow, whichever is less
    informed = sd**2 * data.sums(np.minimum(data.count + 0.5, size))
    step = min(WIDEST, CLOSENESS / np.sqrt(1 + informed.max()))
    half = min(MOST_NODES // 2, int(np.ceil(REACH / step)))
    return np.linspace(-REACH, REACH, 2 * half + 1)


def _loss(x: np.ndarray, data: _Data, kind: str, nodes: np.ndarray) -> tuple[float, np.ndarray]:
    """Minus the log likelihood and its slopes in x: coefficients, log size, log SD of levels, logit of extra zeros."""
    coefficients = data.matrix.shape[1]
    log_size, size = x[coefficients], np.exp(x[coefficients])
    level = np.exp(x[coefficients + 1]) * nodes if data.has_trait else nodes
    share = special.expit(x[-1]) if kind != "plain" else 0.0
    y = data.count[:, None]
    eta = (data.matrix @ x[:coefficients] + data.offset)[:, None] + level
    both = np.logaddexp(log_size, eta)
    constant = special.gammaln(y + size) - special.gammaln(size) - special.gammaln(y + 1)
    cell = constant + size * (log_size - both) + y * (eta - both)
    d_eta = y - (y + size) * np.exp(eta - both)
    d_size = size * (
        special.digamma(y + size) - special.digamma(size) + log_size - both + 1 - (y + size) * np.exp(-both)
    )
    extra = np.zeros_like(cell)
    if kind == "cells":
        cell, plain = _with_zeros(cell, y == 0, share)
        d_eta, d_size, extra = d_eta * plain, d_size * plain, 1 - plain - share
    log_weight = -0.5 * nodes**2 - special.logsumexp(-0.5 * nodes**2)
    density = data.sums(cell) + log_weight
    each = special.logsumexp(density, axis=1)
    weight = np.exp(density - each[:, None])
    more = 0.0
    if kind == "participants":
        each, plain = _with_zeros(each, data.sums(data.count) == 0, share)
        weight, more = weight * plain[:, None], float((1 - plain - share).sum())
    by_cell = weight[data.person]
    slopes = [data.matrix.T @ (by_cell * d_eta).sum(1), [(by_cell * d_size).sum()]]
    if data.has_trait:
        slopes.append([(by_cell * d_eta * level).sum()])
    if kind != "plain":
        slopes.append([more if kind == "participants" else (by_cell * extra).sum()])
    return -float(each.sum()), -np.concatenate(slopes)


def _with_zeros(logs: np.ndarray, zero: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Log probabilities where a share is 0 for another reason, and the chance that what was seen is none of those."""
    plain = np.log1p(-share) + logs
    whole = np.where(zero, np.logaddexp(np.log(share), plain), plain)
    return whole, np.exp(plain - whole)
