"""One prior: a distribution, its numbers, and the reason for them. NumPy only."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "normal": ("mean", "sd"),
    "student_t": ("df", "mean", "scale"),
    "half_normal": ("sd",),
    "exchangeable_normal": ("mean", "sd", "correlation"),
    "gamma": ("shape", "rate"),
    "beta": ("a", "b"),
    "lkj": ("shape",),
}
"""The distributions a prior file may name, and the numbers each needs."""


@dataclass(frozen=True)
class Prior:
    """Belief about one parameter.

    Attributes
    ----------
    parameter : str
        Name of the parameter, as in the model.
    distribution : str
        A key of `ARGUMENTS`. `exchangeable_normal` is a multivariate normal with equal SDs and one common correlation;
        `lkj` is that of a correlation matrix, density ∝ det^(shape − 1), held as its partial correlations
        (`lkj_shapes`).
    arguments : mapping of str to float
        `mean`, `sd` and `scale` in the units of the parameter, `correlation` in [0, 1); `df`, `shape`, `rate`, `a`, `b`
        above 0.
    why, source : str
        The reason for these numbers, and where it comes from.
    """

    parameter: str
    distribution: str
    arguments: Mapping[str, float] = field(hash=False)
    why: str
    source: str = ""

    def correlation(self, size: int) -> np.ndarray:
        """Correlation matrix of `size` exchangeable values, shape (size, size)."""
        common = self.arguments.get("correlation", 0.0)
        return common * np.ones((size, size)) + (1 - common) * np.eye(size)

    def covariance(self, size: int) -> np.ndarray:
        """Covariance matrix of `size` exchangeable values, shape (size, size)."""
        return self.arguments["sd"] ** 2 * self.correlation(size)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Independent draws; for a joint distribution the last axis is one draw."""
        number = self.arguments
        if self.distribution == "gamma":
            return rng.gamma(number["shape"], 1 / number["rate"], shape)
        if self.distribution == "beta":
            return rng.beta(number["a"], number["b"], shape)
        if self.distribution == "lkj":
            shapes = lkj_shapes(number["shape"], shape[-1])
            return 2 * rng.beta(shapes, shapes, shape) - 1
        if self.distribution == "student_t":
            return number["mean"] + number["scale"] * rng.standard_t(number["df"], shape)
        noise = rng.standard_normal(shape)
        if self.distribution == "half_normal":
            return np.abs(noise) * number["sd"]
        if self.distribution == "exchangeable_normal" and len(shape) > 1:
            noise = noise @ np.linalg.cholesky(self.covariance(shape[-1])).T
            return number["mean"] + noise
        return number["mean"] + number["sd"] * noise

    def describe(self) -> str:
        """Distribution in words for a reader, e.g. ``normal(mean 0, sd 0.7)``."""
        numbers = ", ".join(f"{name} {self.arguments[name]:g}" for name in ARGUMENTS[self.distribution])
        return f"{self.distribution.replace('_', ' ')} ({numbers})"


def lkj_shapes(shape: float, pairs: int) -> np.ndarray:
    """Beta shapes of the partial correlations of an LKJ matrix, (pair,): each is 2 Beta(s, s) − 1, independently.

    Pairs are the cells below the diagonal, row by row; cell (j, k) has s = shape + (n − 2 − k) / 2, counted from 0
    (Lewandowski, Kurowicka & Joe 2009, C-vine).
    """
    size = round((1 + math.sqrt(1 + 8 * pairs)) / 2)
    return np.array([shape + (size - 2 - k) / 2 for j in range(1, size) for k in range(j)])
