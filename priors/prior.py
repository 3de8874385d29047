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
        A key of `ARGUMENTS`. `exchangeable_normal` is a multivariate normal with equal SDs and one common correlation.
    arguments : mapping of str to float
        `mean` and `sd` in the units of the parameter, `correlation` in [0, 1).
    why, source : str
        The reason for these numbers, and where it comes from.
    """

    parameter: str
    distribution: str
    arguments: Mapping[str, float] = field(hash=False)
    why: str
    source: str = ""

    def covariance(self, size: int) -> np.ndarray:
        """Covariance matrix of `size` exchangeable values, shape (size, size)."""
        sd, correlation = self.arguments["sd"], self.arguments.get("correlation", 0.0)
        return sd**2 * (correlation * np.ones((size, size)) + (1 - correlation) * np.eye(size))

    def sample(self, rng: np.random.Generator, draws: int, size: int | None = None) -> np.ndarray:
        """Independent draws, shape (draws,) for a scalar or (draws, size) for a vector."""
        shape = (draws,) if size is None else (draws, size)
        noise = rng.standard_normal(shape)
        if self.distribution == "half_normal":
            return np.abs(noise) * self.arguments["sd"]
        if self.distribution == "exchangeable_normal" and size:
            noise = noise @ np.linalg.cholesky(self.covariance(size)).T
            return self.arguments["mean"] + noise
        return self.arguments["mean"] + self.arguments["sd"] * noise

    def log_density(self, value: np.ndarray) -> np.ndarray:
        """Log density, in nats; the joint density over the last axis for `exchangeable_normal`.

        Parameters
        ----------
        value : ndarray
            Values of the parameter; any shape.

        Returns
        -------
        ndarray
            Same shape as `value`, less the last axis for `exchangeable_normal`.
        """
        sd = self.arguments["sd"]
        if self.distribution == "half_normal":
            inside = math.log(2) + _normal_log_density(value, 0.0, sd)
            return np.where(value >= 0, inside, -np.inf)
        if self.distribution == "normal":
            return _normal_log_density(value, self.arguments["mean"], sd)
        size = value.shape[-1]
        root = np.linalg.cholesky(self.covariance(size))
        white = np.linalg.solve(root, (value - self.arguments["mean"])[..., None])[..., 0]
        return _normal_log_density(white, 0.0, 1.0).sum(-1) - np.log(np.diag(root)).sum()

    def describe(self) -> str:
        """Distribution in words for a reader, e.g. ``normal(mean 0, sd 0.7)``."""
        numbers = ", ".join(f"{name} {self.arguments[name]:g}" for name in ARGUMENTS[self.distribution])
        return f"{self.distribution.replace('_', ' ')} ({numbers})"


def _normal_log_density(value: np.ndarray, mean: float, sd: float) -> np.ndarray:
    return -0.5 * ((value - mean) / sd) ** 2 - math.log(sd) - 0.5 * math.log(2 * math.pi)
