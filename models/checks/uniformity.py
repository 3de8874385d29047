"""Are ranks or other numbers uniform: their distribution function against a band that holds all of it at once.

The band is that of Säilynoja, Bürkner & Vehtari (Statistics and Computing 2022, 32:32): pointwise binomial intervals of
one common level, the narrowest that hold the whole function of uniform ranks in 95% of samples. Its coverage is
computed exactly, without simulation: counts in cells of uniform numbers are independent Poisson counts given their sum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import stats

PLACES = 50
"""Even steps at which the function is compared; fewer where there are fewer possible ranks."""
COVERAGE = 0.95
HALVINGS = 40


@dataclass(frozen=True)
class Curve:
    """Share of ranks at most so large, less what is expected of uniform ranks, and its band.

    Attributes
    ----------
    probability : ndarray, (place,)
        Expected share at each place, between 0 and 1.
    difference, lower, upper : ndarray, (place,)
        Share found less expected share, and the limits of that difference.
    """

    probability: np.ndarray
    difference: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    @property
    def inside(self) -> bool:
        """Whether the curve stays within the band everywhere."""
        # shares of counts: what is equal to a limit must not fall outside by rounding
        slack = 1e-9
        return bool(((self.difference >= self.lower - slack) & (self.difference <= self.upper + slack)).all())

    @property
    def furthest(self) -> int:
        """Place where the curve leaves the band by most, or comes nearest to it, in units of the band's half width."""
        half = np.maximum(np.where(self.difference > 0, self.upper, -self.lower), 1e-12)
        return int((np.abs(self.difference) / half).argmax())


def curve(rank: np.ndarray, ranks: int, coverage: float = COVERAGE) -> Curve:
    """Compare ranks with uniform ones.

    Parameters
    ----------
    rank : ndarray of int, (replication,)
        Posterior draws below the truth, 0 to `ranks`.
    ranks : int
        Posterior draws that each truth was ranked among.
    coverage : float
        Probability that uniform ranks stay inside the band.
    """
    probability = places(ranks)
    found = np.searchsorted(np.sort((np.asarray(rank) + 0.5) / (ranks + 1)), probability) / len(rank)
    lower, upper = band(len(rank), tuple(probability), coverage)
    return Curve(probability, found - probability, lower - probability, upper - probability)


def places(ranks: int) -> np.ndarray:
    """Shares, between 0 and 1, that uniform ranks among 0 to `ranks` can have exactly, about `PLACES` apart."""
    steps = np.arange(1, PLACES) / PLACES
    whole = np.unique(np.round(steps * (ranks + 1)))
    return whole[(whole > 0) & (whole <= ranks)] / (ranks + 1)


@lru_cache(maxsize=8)
def band(count: int, probability: tuple[float, ...], coverage: float = COVERAGE) -> tuple[np.ndarray, np.ndarray]:
    """Limits, as shares, that hold the function of so many uniform numbers at all places at once, so often."""
    tails = _tails(count, probability)
    # coverage falls as the level rises, in steps
    low, high = math.log((1 - coverage) / 2 / (len(probability) + 1)), math.log(0.4)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if chance_inside(*_limits(tails >= math.exp(middle)), count, np.array(probability)) >= coverage:
            low = middle
        else:
            high = middle
    lower, upper = _limits(tails >= math.exp(low))
    return lower / count, upper / count


def chance_beyond(below: np.ndarray, count: int, probability: tuple[float, ...]) -> float:
    """Probability that so many uniform numbers leave a band as far as those do of which `below` are below each place.

    One minus the simultaneous coverage of the widest band that does not hold them.
    """
    tails = _tails(count, probability)
    # equal tails, of places that mirror each other, differ by rounding
    within = tails > tails[below, np.arange(below.size)].min() * (1 + 1e-9)
    if not within.any(0).all():  # they are as near to what is expected as can be
        return 1.0
    return max(0.0, 1 - chance_inside(*_limits(within), count, np.array(probability)))


@lru_cache(maxsize=8)
def _tails(count: int, probability: tuple[float, ...]) -> np.ndarray:
    """Smaller tail probability of each number of uniform ones below each place, (number, place)."""
    possible = np.arange(count + 1)[:, None]
    return np.minimum(stats.binom.cdf(possible, count, probability), stats.binom.sf(possible - 1, count, probability))


def _limits(within: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest number allowed at each place."""
    return within.argmax(0), len(within) - 1 - within[::-1].argmax(0)


def chance_inside(lower: np.ndarray, upper: np.ndarray, count: int, probability: np.ndarray) -> float:
    """Probability that so many uniform numbers have between `lower` and `upper` of them below each place.

    Parameters
    ----------
    lower, upper : ndarray of int, (place,)
        Limits of the counts; neither falls from one place to the next.
    count : int
        Uniform numbers.
    probability : ndarray, (place,)
        The places, rising, between 0 and 1.
    """
    rates = count * np.diff(probability, prepend=0.0, append=1.0)
    held, first = np.ones(1), 0
    for rate, low, high in zip(rates, [*lower, count], [*upper, count], strict=True):
        grown = np.convolve(held, stats.poisson.pmf(np.arange(high - first + 1), rate))
        held, first = grown[low - first : high - first + 1], low
    return float(held[0] / stats.poisson.pmf(count, count))
