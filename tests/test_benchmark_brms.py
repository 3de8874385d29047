"""The model that brms is timed on is the product's: columns scaled by their priors say the same before any data."""

from __future__ import annotations

import numpy as np
import pytest

from models.calibration import simulated_trials
from models.design.layout import design
from models.simulation import simulated_trial
from priors import prior_set
from scripts.benchmark_brms import columns


def test_standard_coefficients_have_the_covariance_that_the_priors_give_the_predictor():
    """Cov(η_it, η_js) = Var μ_0 + min(t, s) Var step + x_i x_j Cov(θ_t, θ_s) + c_i · c_j Var γ, by hand."""
    layout, priors = design(*simulated_trials.simulated(simulated_trial.load("mar"), 1)), prior_set.load()
    assert layout.covariate
    assert layout.role[1:] == ("negative control", "follow-up", "follow-up")
    data, weight = columns(layout, priors)
    scaled = data.drop(columns=["outcome", "participant"]).to_numpy()
    arm, wave, score = layout.arm[layout.participant_of], layout.wave_of, layout.covariates[layout.participant_of]
    number = {name: priors[name].arguments for name in ("mu_0", "step", "theta", "theta_negative_control", "gamma")}
    sd, correlation = number["theta"]["sd"], number["theta"]["correlation"]
    of_wave = np.diag([0.0, number["theta_negative_control"]["sd"] ** 2, sd**2, sd**2])
    of_wave[2, 3] = of_wave[3, 2] = correlation * sd**2
    expected = (
        number["mu_0"]["sd"] ** 2
        + number["step"]["sd"] ** 2 * np.minimum.outer(wave, wave)
        + np.outer(arm, arm) * of_wave[np.ix_(wave, wave)]
        + number["gamma"]["sd"] ** 2 * score @ score.T
    )
    np.testing.assert_allclose(scaled @ scaled.T, expected, rtol=1e-12, atol=1e-12)
    assert weight @ weight == pytest.approx(sd**2)
    np.testing.assert_array_equal(data["outcome"], layout.outcome)
