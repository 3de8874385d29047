"""One prior: a distribution, its numbers, and the reason for them. NumPy only."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "normal": ("mean", "sd"),
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
        `mean` and `sd` in the units of the parameter, `correlation` in [0, 1); `shape`, `rate`, `a`, `b` above 0.
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
        noise = rng.standard_normal(shape)
        if self.distribution == "half_normal":
            return np.abs(noise) * number["sd"]
        if self.distribution == "exchangeable_normal" and len(shape) > 1:
            noise = noise @ np.linalg.cholesky(self.covariance(shape[-1])).T
            return number["mean"] + noise
        return number["mean"] + number["sd"] * noise

    def log_density(self, value: np.ndarray) -> np.ndarray:
        """Log density, in nats; the joint density over the last axis for `exchangeable_normal` and `lkj`.

        Parameters
        ----------
        value : ndarray
            Values of the parameter; any shape.

        Returns
        -------
        ndarray
            Same shape as `value`, less the last axis for joint distributions. Of `lkj` up to a constant.
        """
        number = self.arguments
        if self.distribution == "gamma":
            shape, rate = number["shape"], number["rate"]
            constant = shape * math.log(rate) - math.lgamma(shape)
            return constant + (shape - 1) * np.log(value) - rate * value
        if self.distribution == "beta":
            a, b = number["a"], number["b"]
            constant = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
            return constant + (a - 1) * np.log(value) + (b - 1) * np.log1p(-value)
        if self.distribution == "lkj":
            # the determinant of a correlation matrix is the product of 1 − partial correlation²
            return (number["shape"] - 1) * np.log1p(-(value**2)).sum(-1)
        sd = number["sd"]
        if self.distribution == "half_normal":
            inside = math.log(2) + _normal_log_density(value, 0.0, sd)
            return np.where(value >= 0, inside, -np.inf)
        if self.distribution == "normal":
            return _normal_log_density(value, number["mean"], sd)
        size = value.shape[-1]
        root = np.linalg.cholesky(self.covariance(size))
        white = np.linalg.solve(root, (value - number["mean"])[..., None])[..., 0]
        return _normal_log_density(white, 0.0, 1.0).sum(-1) - np.log(np.diag(root)).sum()

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


def _normal_log_density(value: np.ndarray, mean: float, sd: float) -> np.ndarray:
    return -0.5 * ((value - mean) / sd) ** 2 - math.log(sd) - 0.5 * math.log(2 * math.pi)
