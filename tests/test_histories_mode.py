"""The mode of a trait where a sampler's first steps may go: against a bracketing root of SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from models.equations.histories import integrals
from models.equations.histories.traits import mode
from models.outcomes import FAMILIES
from models.outcomes.family import FARTHEST

CELLS = np.arange(3)


def _slope(x: float, name: str, tau: float, dispersion: float, eta: np.ndarray, value: np.ndarray) -> float:
    """Slope of the log density of a count's trait, written anew."""
    alpha, mean = 1 / max(dispersion, 1e-5) ** 2, np.exp(np.clip(eta + tau * x, -FARTHEST, FARTHEST))
    return float(tau * (value - (value + alpha) * mean / (alpha + mean)).sum() - x)


def test_the_mode_is_found_however_steep_the_mean():
    """Within 1e-6 of the density's width in 500 trials; without the bracket's halving it stops at e^90 events."""
    rng, family = np.random.default_rng(1), FAMILIES["negative binomial"]
    for _ in range(500):
        tau, dispersion = 10 ** rng.uniform(-6, 3), float(rng.choice([0.0, 10 ** rng.uniform(-5, 1)]))
        eta, value = rng.normal(0, rng.choice([1, 30, 250]), 3), rng.poisson(10 ** rng.uniform(-1, 3), 3).astype(float)
        found, information = mode(family.number, tau, np.full(3, dispersion), eta, CELLS, value, CELLS, 1e-9)
        given = (family.name, tau, dispersion, eta, value)
        low, high = -1.0, 1.0
        while _slope(low, *given) < 0:
            low *= 2
        while _slope(high, *given) > 0:
            high *= 2
        other = optimize.brentq(_slope, low, high, args=given, xtol=1e-13, rtol=1e-14)
        assert abs(found - other) * np.sqrt(1 + tau**2 * information) < 1e-6


@pytest.mark.parametrize("eta", [40.0, 90.0, 250.0])
def test_an_integral_far_out_ends(eta: float):
    """Around a place that is no mode a sum was once not finite, and of a Poisson outcome it never ended."""
    family, slopes = FAMILIES["negative binomial"], np.empty((2, 3))
    given = (np.full(3, eta), CELLS, np.array([0.0, 2.0, 5.0]), CELLS, 1.0, *slopes)
    whole, by_tau = integrals.own(family.number, 1e-3, np.zeros(3), *given)
    assert np.isfinite([whole, by_tau, *slopes.ravel()]).all()
    assert whole < -100
