"""A participant's likelihood by adaptive quadrature: the oracle of every faster way to it."""

from __future__ import annotations

import numpy as np
from scipy import integrate, optimize

LOG_TWO_PI = np.log(2 * np.pi)


def brute_force(layout, fixed, scale, dispersion, person):
    """Log of one participant's likelihood by adaptive quadrature around its mode; predictor and dispersion of cells."""
    mine = layout.participant_of == person
    rule = layout.family.log_probability
    outcome, at_zero, spread = layout.outcome[mine], fixed[mine], dispersion[mine]

    def log_integrand(z):
        return rule(outcome, at_zero + scale * z, spread).sum() - (z * z + LOG_TWO_PI) / 2

    mode = optimize.minimize_scalar(lambda z: -log_integrand(z), bounds=(-9, 9), method="bounded").x
    top = log_integrand(mode)
    options = {"epsabs": 1e-14, "epsrel": 1e-13, "limit": 500}
    pieces = [
        integrate.quad(lambda z: np.exp(log_integrand(z) - top), *ends, **options)[0]
        for ends in ((-14, mode), (mode, 14))
    ]
    return top + np.log(sum(pieces))
