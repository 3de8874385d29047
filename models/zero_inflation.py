"""Are there more zeros than a negative binomial with lasting levels gives? Likelihood ratios by marginal fits (SciPy).

The plain model is the effect model's own, by maximum likelihood; beside it stand one in which every count is 0 with an
extra probability, and one in which some participants never have any. MODEL.md, "More zeros than the model".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from models.design import Design

KINDS = ("plain", "cells", "participants")
"""No extra zeros; each count may be one; a participant may be one for good."""
NODES, REACH = 41, 6.0
"""Of the trapezoidal sum over a participant's level, over ±6 of its conditional SDs around the conditional mode."""
MOST_PEOPLE = 1000
"""Participants looked at, a part at random where there are more: an excess is then known well."""
SIZE = (-5.0, 9.0)
"""Logarithms of the negative binomial's size that are tried: 9 is Poisson."""


@dataclass(frozen=True)
class Ratio:
    """Twice the gain in log likelihood by extra zeros of the likelier kind, the kind, and the share of them."""

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
    more = {kind: _fitted(data, kind, np.append(plain.x, -2.0)) for kind in KINDS[1:]}
    best = min(more, key=lambda kind: more[kind].fun)
    return Ratio(max(0.0, 2 * (plain.fun - more[best].fun)), best, float(special.expit(more[best].x[-1])))


@dataclass(frozen=True)
class _Data:
    """Counts (cell,), whose they are, columns of the predictor (cell, coefficient), whether levels differ."""

    count: np.ndarray
    person: np.ndarray
    matrix: np.ndarray
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
        return cls(design.outcome[order].astype(float), person, kept, int(person[-1]) + 1, design.has_trait)

    def start(self) -> np.ndarray:
        """Coefficients of log(½ + count), size 1, and, where levels differ, their log SD of 0."""
        slope = np.linalg.lstsq(self.matrix, np.log(self.count + 0.5), rcond=None)[0]
        return np.concatenate([slope, [0.0], [0.0] if self.has_trait else []])

    def sums(self, cells: np.ndarray) -> np.ndarray:
        """Sums over each participant's cells."""
        return np.add.reduceat(cells, np.flatnonzero(np.diff(self.person, prepend=-1)), axis=0)


def _fitted(data: _Data, kind: str, start: np.ndarray) -> optimize.OptimizeResult:
    """The kind's maximum: nodes are laid for the start, and once more for what was found from them."""
    coefficients = data.matrix.shape[1]
    bounds = (
        [(-15.0, 15.0)] * coefficients + [SIZE] + [(-4.0, 2.0)] * data.has_trait + [(-8.0, 8.0)] * (kind != "plain")
    )
    for _ in range(2):
        nodes = _nodes(data, start)
        found = optimize.minimize(_loss, start, (data, kind, *nodes), "L-BFGS-B", jac=True, bounds=bounds)
        start = found.x
    return found


def _nodes(data: _Data, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Levels (participant, node) to sum over, and the log of each one's step (participant, 1)."""
    if not data.has_trait:
        return np.zeros((data.people, 1)), np.zeros((data.people, 1))
    coefficients = data.matrix.shape[1]
    fixed, size = data.matrix @ at[:coefficients], np.exp(at[coefficients])
    variance = np.exp(2 * at[coefficients + 1])
    mode = np.zeros(data.people)
    for _ in range(20):  # Newton's steps on a concave function, held short
        mean = np.exp(np.minimum(fixed + mode[data.person], 30.0))
        slope = data.sums((data.count - mean) * size / (size + mean)) - mode / variance
        bend = data.sums(mean * size * (size + data.count) / (size + mean) ** 2) + 1 / variance
        mode = mode + np.clip(slope / bend, -1.0, 1.0)
    wide = 1 / np.sqrt(bend)
    # those with zeros alone: their level may be an ordinary one where the zeros are of another kind
    silent = data.sums(data.count) == 0
    low, high = mode - REACH * wide, mode + REACH * wide
    high = np.where(silent, np.maximum(high, REACH * np.sqrt(variance)), high)
    nodes = low[:, None] + (high - low)[:, None] * np.linspace(0, 1, NODES)
    return nodes, np.log((high - low) / (NODES - 1))[:, None]


def _loss(x: np.ndarray, data: _Data, kind: str, nodes: np.ndarray, step: np.ndarray) -> tuple[float, np.ndarray]:
    """Minus the log likelihood and its slopes in x: coefficients, log size, log SD of levels, logit of extra zeros."""
    coefficients = data.matrix.shape[1]
    log_size, size = x[coefficients], np.exp(x[coefficients])
    share = special.expit(x[-1]) if kind != "plain" else 0.0
    y = data.count[:, None]
    eta = (data.matrix @ x[:coefficients])[:, None] + nodes[data.person]
    both = np.logaddexp(log_size, eta)
    constant = special.gammaln(y + size) - special.gammaln(size) - special.gammaln(y + 1)
    cell = constant + size * (log_size - both) + y * (eta - both)
    d_eta = y - (y + size) * np.exp(eta - both)
    d_size = size * (
        special.digamma(y + size) - special.digamma(size) + log_size - both + 1 - (y + size) * np.exp(-both)
    )
    d_share = np.zeros_like(cell)
    if kind == "cells":
        zero = y == 0
        whole = np.where(zero, np.logaddexp(np.log(share), np.log1p(-share) + cell), np.log1p(-share) + cell)
        plain = np.where(zero, np.exp(np.log1p(-share) + cell - whole), 1.0)  # chance that it is no extra zero
        cell, d_eta, d_size, d_share = whole, d_eta * plain, d_size * plain, (1 - plain) - share
    density = data.sums(cell) + step * data.has_trait
    if data.has_trait:
        scale = np.exp(x[coefficients + 1])
        density = density - 0.5 * (nodes / scale) ** 2 - np.log(scale) - 0.5 * np.log(2 * np.pi)
    each = special.logsumexp(density, axis=1)
    weight = np.exp(density - each[:, None])
    if kind == "participants":
        silent = data.sums(data.count) == 0
        whole = np.where(silent, np.logaddexp(np.log(share), np.log1p(-share) + each), np.log1p(-share) + each)
        plain = np.where(silent, np.exp(np.log1p(-share) + each - whole), 1.0)
        each, weight = whole, weight * plain[:, None]
        extra = (1 - plain - share).sum()
    by_cell = weight[data.person]
    slopes = [data.matrix.T @ (by_cell * d_eta).sum(1), [(by_cell * d_size).sum()]]
    if data.has_trait:
        slopes.append([(weight * ((nodes / scale) ** 2 - 1)).sum()])
    if kind != "plain":
        slopes.append([extra if kind == "participants" else (by_cell * d_share).sum()])
    return -float(each.sum()), -np.concatenate(slopes)
