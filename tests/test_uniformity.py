"""The simultaneous band of ranks: exact where it can be counted, right by simulation, and able to see what is wrong."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from models.checks import uniformity


def test_the_chance_to_stay_inside_is_that_of_every_case_counted() -> None:
    """Five numbers in three cells: all 3 to the 5 ways, weighted."""
    probability, count = np.array([0.3, 0.6]), 5
    lower, upper = np.array([0, 2]), np.array([3, 4])
    widths = np.diff(probability, prepend=0, append=1)
    counted = 0.0
    for cells in itertools.product(range(3), repeat=count):
        below = np.cumsum(np.bincount(cells, minlength=3))[:2]
        if ((lower <= below) & (below <= upper)).all():
            counted += np.prod(widths[list(cells)])
    assert uniformity.chance_inside(lower, upper, count, probability) == pytest.approx(counted, rel=1e-12)


def test_limits_that_leave_nothing_out_hold_everything() -> None:
    probability = np.array([0.1, 0.5, 0.9])
    assert uniformity.chance_inside(np.zeros(3, int), np.full(3, 40), 40, probability) == pytest.approx(1, rel=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(("count", "ranks"), [(20, 199), (300, 999), (1000, 99), (1000, 7)])
def test_the_band_holds_95_percent_of_uniform_ranks(count: int, ranks: int) -> None:
    places = uniformity.places(ranks)
    lower, upper = uniformity.band(count, tuple(places))
    exact = uniformity.chance_inside(
        np.rint(lower * count).astype(int), np.rint(upper * count).astype(int), count, places
    )
    assert exact >= 0.95
    # the next narrower level of the same kind would not hold them: steps are of single counts
    assert exact < (0.97 if count < 100 else 0.96)
    rng = np.random.default_rng(5)
    held = np.mean([uniformity.curve(rng.integers(0, ranks + 1, count), ranks).inside for _ in range(2000)])
    assert abs(held - exact) < 4 * np.sqrt(exact * (1 - exact) / 2000)


def test_places_are_shares_that_uniform_ranks_have_exactly() -> None:
    for ranks in (3, 9, 99, 199, 4000):
        places = uniformity.places(ranks)
        assert np.allclose(places * (ranks + 1), np.rint(places * (ranks + 1)))
        assert places[0] > 0
        assert places[-1] < 1
        assert places.size == min(ranks, uniformity.PLACES - 1)


@pytest.mark.parametrize(
    ("what", "draw", "sign"),
    [
        ("too narrow", lambda rng, size: rng.beta(0.7, 0.7, size), (1, -1)),
        ("too wide", lambda rng, size: rng.beta(1.5, 1.5, size), (-1, 1)),
        ("truths below", lambda rng, size: rng.beta(0.8, 1.2, size), (1, 1)),
    ],
)
def test_wrong_posteriors_leave_the_band_as_the_page_says(what: str, draw, sign: tuple[int, int]) -> None:
    rank = np.floor(draw(np.random.default_rng(1), 1000) * 200).astype(int)
    found = uniformity.curve(rank, 199)
    assert not found.inside, what
    assert abs(found.difference[found.furthest]) > found.upper[found.furthest] * 0.999
    left, right = found.difference[found.probability < 0.3].mean(), found.difference[found.probability > 0.7].mean()
    assert (np.sign(left), np.sign(right)) == sign


def test_the_band_is_pointwise_binomial_of_one_level() -> None:
    places = uniformity.places(399)
    lower, upper = uniformity.band(400, tuple(places))
    below = stats.binom.cdf(np.rint(lower * 400) - 1, 400, places)
    above = stats.binom.sf(np.rint(upper * 400), 400, places)
    # the counts just outside have tails below one level, those just inside at or above it
    inner = np.minimum(
        stats.binom.cdf(np.rint(lower * 400), 400, places), stats.binom.sf(np.rint(upper * 400) - 1, 400, places)
    )
    assert max(below.max(), above.max()) <= inner.min()


def test_the_chance_to_leave_is_that_of_every_case_counted() -> None:
    """Five numbers in three cells: all 3 to the 5 ways, weighted, by the tail that is least anywhere."""
    places, count = (0.3, 0.6), 5
    widths = np.diff(places, prepend=0, append=1)
    chances: dict[tuple[int, ...], float] = {}
    for cells in itertools.product(range(3), repeat=count):
        below = tuple(int(n) for n in np.cumsum(np.bincount(cells, minlength=3))[:2])
        chances[below] = chances.get(below, 0.0) + np.prod(widths[list(cells)])
    least = {
        below: min(
            min(stats.binom.cdf(n, count, p), stats.binom.sf(n - 1, count, p))
            for n, p in zip(below, places, strict=True)
        )
        for below in chances
    }
    for below in chances:
        counted = sum(chance for other, chance in chances.items() if least[other] <= least[below])
        assert uniformity.chance_beyond(np.array(below), count, places) == pytest.approx(counted, abs=1e-12), below
