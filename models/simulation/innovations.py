"""Named, independent streams of random numbers, shared between the worlds that a woman might live in.

Every draw is named, so two worlds that ask for the same name get the same numbers (common random numbers), and a
scenario that gains a mediator keeps all other draws as they were.
"""

from dataclasses import dataclass, replace
from math import erfc, sqrt
from typing import Any
from zlib import crc32

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Innovations:
    """Random numbers for `count` women; with `antithetic` the second half mirrors the first.

    `world` separates independent copies (candidates, chunks of a population, worlds of an interventional effect).
    """

    seed: int
    count: int
    antithetic: bool = False
    world: tuple[int, ...] = ()

    def elsewhere(self, *world: int) -> "Innovations":
        """Return an independent copy of these streams."""
        return replace(self, world=(*self.world, *world))

    def generator(self, name: str, *index: int) -> np.random.Generator:
        """Return the generator of one named stream: a function of seed, world, name and index only."""
        key = (*self.world, crc32(name.encode()), *index)
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))

    def normal(self, name: str, *index: int) -> Array:
        """Return `count` standard normal numbers."""
        generator = self.generator(name, *index)
        if not self.antithetic:
            return generator.standard_normal(self.count)
        half = generator.standard_normal(self.count // 2)
        return np.concatenate([half, -half])

    def uniform(self, name: str, *index: int) -> Array:
        """Return `count` uniform numbers."""
        generator = self.generator(name, *index)
        if not self.antithetic:
            return generator.random(self.count)
        half = generator.random(self.count // 2)
        return np.concatenate([half, 1.0 - half])

    def log_gamma(self, shape: Array, name: str, *index: int) -> Array:
        """Return logs of gamma numbers by Marsaglia and Tsang's (2000) rejection, common across worlds.

        Numpy's own sampler consumes a number of bits that depends on the shapes, so that two arms would part
        company; here try number k of woman i is the same number whatever the shape.
        """
        d = shape + 1.0 - 1.0 / 3.0
        c = 1.0 / np.sqrt(9.0 * d)
        drawn = np.empty(self.count)
        pending = np.arange(self.count)
        attempt = 0
        while pending.size:
            z = self.normal(name, *index, attempt, 0)[pending]
            u = 1.0 - self.uniform(name, *index, attempt, 1)[pending]
            v = np.maximum(1.0 + c[pending] * z, 0.0) ** 3
            with np.errstate(divide="ignore"):
                log_v = np.log(v)
                accept = np.log(u) < 0.5 * z**2 + d[pending] * (1.0 - v + log_v)
            drawn[pending[accept]] = (np.log(d[pending]) + log_v)[accept]
            pending = pending[~accept]
            attempt += 1
        # Gamma(shape) = Gamma(shape + 1) U^(1 / shape), which also covers shapes below 1.
        return drawn + np.log(1.0 - self.uniform(f"{name} boost", *index)) / shape

    def beta(self, mean: Array, precision: float, name: str, *index: int) -> Array:
        """Return Beta(mean * precision, (1 - mean) * precision) numbers in (0, 1), common across worlds."""
        first = self.log_gamma(mean * precision, name, *index, 0)
        second = self.log_gamma((1.0 - mean) * precision, name, *index, 1)
        # A value that underflows to an exact 0 or 1 would read as one of a share's point masses.
        return np.clip(logistic(first - second), np.nextafter(0.0, 1.0), np.nextafter(1.0, 0.0))


def logistic(x: Array) -> Array:
    """Return 1 / (1 + exp(-x)) without overflow."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, e) / (1.0 + e)


_STEP = 1.0 / 512.0
_NODES = np.arange(-9.0, 9.0 + _STEP, _STEP)
_CDF = np.array([0.5 * erfc(-x / sqrt(2.0)) for x in _NODES.tolist()])
_DENSITY = np.exp(-0.5 * _NODES**2) / np.sqrt(2.0 * np.pi)


def normal_cdf(x: Array) -> Array:
    """Return Φ(x) by cubic Hermite interpolation of exact values; absolute error below 1e-13."""
    position = (np.clip(x, _NODES[0], _NODES[-2]) - _NODES[0]) / _STEP
    k = position.astype(np.int64)
    s = position - k
    left = (1.0 + 2.0 * s) * _CDF[k] + s * _STEP * _DENSITY[k]
    right = (3.0 - 2.0 * s) * _CDF[k + 1] - (1.0 - s) * _STEP * _DENSITY[k + 1]
    cdf: Array = (1.0 - s) ** 2 * left + s**2 * right
    return cdf


def negative_binomial(uniform: Array, mean: Array, dispersion: float) -> Array:
    """Return the quantile at `uniform` of a count with this mean and variance mean + dispersion * mean².

    By the recursion p(k + 1) / p(k) = m (1 + ak) / ((k + 1)(1 + am)), a = dispersion, which is Poisson's at a = 0.
    """
    zero = np.exp(-mean) if dispersion == 0 else (1.0 + dispersion * mean) ** (-1.0 / dispersion)
    counts = np.zeros(mean.shape)
    pending = np.flatnonzero(uniform >= zero)
    probability, cumulative, k = zero[pending], zero[pending], 0
    while pending.size and k < 100_000:
        m = mean[pending]
        probability = probability * m * (1.0 + dispersion * k) / ((k + 1.0) * (1.0 + dispersion * m))
        cumulative = cumulative + probability
        k += 1
        counts[pending] = k
        # Beyond the mean a vanishing term can no longer move the sum: the quantile is reached to rounding.
        more = (uniform[pending] >= cumulative) & ((probability > 1e-18) | (k <= m))
        pending, probability, cumulative = pending[more], probability[more], cumulative[more]
    return counts
