"""How outcomes of a participant vary together where no trait stands for it: SDs by wave and arm, any correlations.

    y_i ~ N(η_i, D R D),   D = diag of `terms.dispersions`,   R = L Lᵀ from partial correlations

A cell's log probability is that given the same participant's earlier cells, so that they add up to the joint one.
MODEL.md, "Covariance over the waves".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from models.design.layout import Design
from models.equations import predictors
from models.equations.likelihoods import dispersion

PARTIAL = "wave_partial_correlation"
"""Parameter of the correlations between waves."""
_HALF_LOG_2PI = 0.5 * np.log(2 * np.pi)


def dimensions(design: Design) -> dict[str, tuple[str, ...]]:
    """Parameters of the correlations and their dimensions; none where a trait makes them."""
    return {PARTIAL: ("wave_pair",)} if design.correlated else {}


def coordinates(design: Design) -> dict[str, list[str]]:
    """Labels of the pairs of waves, cells below the diagonal row by row."""
    waves = design.wave
    return {"wave_pair": [f"{waves[j]} and {waves[k]}" for j in range(len(waves)) for k in range(j)]}


def declare(predictor: Any, spread: Any, partial: Any, design: Design) -> None:
    """Add the variable "outcome" to the PyMC model in context.

    Parameters
    ----------
    predictor, spread : tensor, (observation,)
        Means and standard deviations.
    partial : tensor, (pair,)
        Partial correlations of the waves.
    design : Design
        Whose cells they are.
    """

    def logp(value: Any, predictor: Any, spread: Any, partial: Any) -> Any:
        return log_probability(value - predictor, spread, partial, design)

    def random(predictor: Any, spread: Any, partial: Any, rng: np.random.Generator, size: Any = None) -> Any:  # noqa: ARG001
        return predictor + spread * noise(partial, design, rng)

    pm.CustomDist("outcome", predictor, spread, partial, logp=logp, random=random, signature="(n),(n),(p)->(n)")


def log_likelihood(predictor: np.ndarray, draws: xr.Dataset, design: Design) -> np.ndarray:
    """Log density of every observed outcome given the participant's earlier ones, in its own unit, as `predictor`."""
    partial = draws[PARTIAL].to_numpy()
    found = log_probability(design.outcome - predictor, dispersion(draws, design), partial, design)
    return found - np.log(design.scale)


def log_probability(error: Any, spread: Any, partial: Any, design: Design) -> Any:
    """Log density of every cell given the participant's earlier ones, (..., observation), of NumPy or PyTensor values.

    Parameters
    ----------
    error, spread : array, (..., observation)
        Outcomes minus means; standard deviations.
    partial : array, (..., pair)
        Partial correlations of the waves.
    design : Design
        Whose cells they are.
    """
    standard, one = error / spread, 1.0 + 0.0 * partial[..., 0]
    root = predictors.correlation_root(partial, len(design.wave))
    logs, cells = [], []
    for waves, rows in _histories(design):
        own = [
            [sum(a * b for a, b in zip(root[j], root[k], strict=False)) for k in waves[:n]] for n, j in enumerate(waves)
        ]
        scores: list[Any] = []
        for k, row in enumerate(predictors.root_of([[*before, one] for before in own])):
            known = sum((weight[..., None] * score for weight, score in zip(row, scores, strict=False)), 0.0)
            scores.append((standard[..., rows[:, k]] - known) / row[k][..., None])
            logs.append(-0.5 * scores[-1] ** 2 - np.log(row[k])[..., None])
            cells.append(rows[:, k])
    join = np.concatenate if isinstance(partial, np.ndarray) else pt.concatenate
    return join(logs, -1)[..., np.argsort(np.concatenate(cells))] - np.log(spread) - _HALF_LOG_2PI


def _histories(design: Design) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Every set of waves at which somebody was seen, and those participants' cells there, (participant, wave)."""
    cell = np.full((design.participants, len(design.wave)), -1)
    cell[design.participant_of, design.wave_of] = np.arange(design.outcome.size)
    sets, whose = np.unique(cell >= 0, axis=0, return_inverse=True)
    for number, seen in enumerate(sets):
        if seen.any():
            yield np.flatnonzero(seen), cell[whose.ravel() == number][:, seen]


def noise(partial: np.ndarray, design: Design, rng: np.random.Generator) -> np.ndarray:
    """What new participants' outcomes are away from their means, in standard deviations, (..., observation)."""
    root = predictors.correlation_root(partial, len(design.wave))
    independent = [rng.standard_normal((*partial.shape[:-1], design.participants)) for _ in root]
    found = np.empty((*partial.shape[:-1], design.outcome.size))
    for wave, row in enumerate(root):
        inside = design.wave_of == wave
        away = sum((np.asarray(w)[..., None] * part for w, part in zip(row, independent, strict=False)), np.zeros(1))
        found[..., inside] = away[..., design.participant_of[inside]]
    return found
