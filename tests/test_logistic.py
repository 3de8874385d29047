"""The fast logistic function equals SciPy's everywhere, without a warning."""

from __future__ import annotations

import numpy as np
from scipy import special

from models.numerics.logistic import expit, log_expit

WIDE = np.concatenate([np.linspace(-745, 745, 2001), [-1e4, -1000.0, 0.0, 1000.0, 1e4, -np.inf, np.inf]])


def test_probabilities_are_equal():
    np.testing.assert_allclose(expit(WIDE), special.expit(WIDE), rtol=1e-15, atol=1e-300)
    assert expit(-1000.0) == 0, "where an end of a share was never seen its probability is exactly 0"


def test_logarithms_lose_nothing_far_out():
    inside = np.isfinite(WIDE)
    np.testing.assert_allclose(log_expit(WIDE[inside]), special.log_expit(WIDE[inside]), rtol=4e-15, atol=0)
