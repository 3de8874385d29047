"""The likelihood over distinct histories against brute force and NUTS; participants' traits from it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, special, stats

from models.design.layout import design
from models.equations import integrated
from models.equations.effect import Effect
from models.equations.effect_integrated import Integrated
from models.equations.histories import densities, integrals, integrated_likelihood
from models.equations.likelihoods import dispersion
from models.estimands.summary import diagnostics
from models.inference import nuts
from models.outcomes import FAMILIES
from models.simulation import simulated_trial
from priors import prior_set
from tests import pinned, trials
from tests.brute_force import brute_force
from tests.conftest import ROOT

effect = Effect()
effect_integrated = Effect(Integrated())

LINKS = ("logit", "probit", "negative binomial", "normal")
SPREADS = (0.1, 0.5, 1.0, 2.0, 3.0, 5.0)


def _pinned(link, tau, draws=2):
    layout = pinned.layout(link)
    posterior = pinned.posterior(layout, draws=draws, tau=tau)
    fixed = effect.predictor(posterior, layout, np.zeros((2, draws, layout.participants))).reshape(2 * draws, -1)
    return layout, posterior, fixed, dispersion(posterior, layout).reshape(fixed.shape)


@pytest.mark.slow
@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("tau", SPREADS)
def test_every_participants_integral_agrees_with_brute_force(link, tau):
    if (link == "negative binomial" and tau > 3) or (link == "normal" and tau < 0.5):
        pytest.skip("no trial is like that, or adaptive quadrature itself misses the peak")
    layout, posterior, fixed, spread = _pinned(link, tau)
    found = integrated_likelihood.log_likelihood(posterior, layout)[:, layout.histories.history_of]
    for draw in (0, 3):
        expected = [brute_force(layout, fixed[draw], tau, spread[draw], person) for person in range(0, 14, 2)]
        # a participant's log likelihood to 1e-8
        np.testing.assert_allclose(found[draw, ::2], expected, atol=1e-8, rtol=0)


def _call(layout, eta, tau, dispersion):
    found = layout.histories
    slopes, logs = np.empty((2, eta.size)), np.empty(found.count.size)
    kind = layout.family.number
    total, by_tau = integrals.each(kind, 1.0, eta, tau, dispersion, *found.structure.values(), logs, *slopes)
    return total, slopes[0], by_tau, slopes[1]


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("tau", [0.3, 1.2, 3.0])
def test_slopes_are_those_of_the_log_likelihood(link, tau):
    layout = pinned.layout(link, covariates=0)  # patterns of several histories: arm alone
    eta = np.random.default_rng(3).normal(-0.5, 0.8, 2 * len(layout.wave))
    spread = 0.7 * np.exp(0.3 * np.random.default_rng(4).standard_normal(eta.size))
    _, slopes, by_tau, by_spread = _call(layout, eta, tau, spread)
    step = 1e-5

    def central(change):
        above, below = (_call(layout, *change(sign * step))[0] for sign in (1, -1))
        return (above - below) / (2 * step)

    # a central difference of step 1e-5 is off by about 1e-10 (third slope) + 1e-8 / 1e-5 · 1e-2 (quadrature) = 1e-5
    for place in range(eta.size):
        shift = np.arange(eta.size) == place
        assert slopes[place] == pytest.approx(central(lambda e, s=shift: (eta + e * s, tau, spread)), abs=1e-5)
        assert by_spread[place] == pytest.approx(central(lambda e, s=shift: (eta, tau, spread + e * s)), abs=1e-5)
    assert by_tau == pytest.approx(central(lambda e: (eta, tau + e, spread)), abs=1e-5)


def test_equal_participants_share_a_term_and_nobody_unseen_adds_one():
    layout = pinned.layout(covariates=0, control=200, treated=200)
    found = layout.histories
    assert found.count.size <= 2 * 2**4 + 1  # one participant misses a wave
    assert found.count.sum() == 400
    posterior = pinned.posterior(layout, draws=3)
    fixed = effect.predictor(posterior, layout, np.zeros((2, 3, 400))).reshape(6, -1)
    other = integrated.log_likelihood(
        integrated.Draws(fixed, posterior["tau"].to_numpy().ravel(), np.zeros(fixed.shape)), layout
    )
    np.testing.assert_allclose(
        integrated_likelihood.log_likelihood(posterior, layout)[:, found.history_of], other, atol=1e-8
    )
    keep = layout.participant_of != 7
    less = replace(layout, **{n: getattr(layout, n)[keep] for n in ("participant_of", "wave_of", "outcome")})
    assert less.histories.history_of[7] == -1
    assert less.histories.count.sum() == 399


@pytest.mark.parametrize(("level", "tau"), [(-40.0, 0.01), (25.0, 1.0), (-12.0, 2.0), (-300.0, 5.0), (0.0, 18.0)])
def test_far_from_any_data_the_likelihood_is_finite_and_right(level, tau):
    """One participant with events at two of four waves, however unlikely; expected by a sum on the log scale."""
    layout = pinned.layout(covariates=0, control=1, treated=1)
    mine = layout.participant_of == 0
    layout = replace(
        layout, participant_of=layout.participant_of[mine], wave_of=layout.wave_of[mine], outcome=np.array([0, 1, 1, 0])
    )
    eta = np.full(4, level)
    x = np.linspace(-60, 60, 1_200_001)
    logs = -2 * np.logaddexp(0, level + tau * x) - 2 * np.logaddexp(0, -level - tau * x) + stats.norm.logpdf(x)
    expected = special.logsumexp(logs) + np.log(x[1] - x[0])
    assert _call(layout, eta, tau, np.zeros(4))[0] == pytest.approx(expected, abs=1e-8)


def test_steps_that_are_too_wide_are_told(monkeypatch):
    layout, posterior, *_ = _pinned("logit", 2.0)
    assert integrated_likelihood.coarse(posterior, layout) < integrated_likelihood.TOLERANCE
    assert effect.computed(posterior, layout) == ()
    narrow = integrals.nodes.py_func
    monkeypatch.setattr(integrated_likelihood, "FINENESS", 0.3)
    assert integrated_likelihood.coarse(posterior, layout) > integrated_likelihood.TOLERANCE
    assert "integration step" in effect.computed(posterior, layout)[0]
    assert narrow(1.0, 4, 2.0, 8.0)[0].size > narrow(1.0, 4, 1.0, 8.0)[0].size


@pytest.mark.slow
@pytest.mark.parametrize("link", ["logit", "negative binomial"])
def test_traits_are_drawn_from_their_conditional_distribution(link):
    """Means and SDs of 20,000 draws at one parameter value against quadrature, within 4.5 standard errors.

    14 participants × 2 numbers: a false alarm in 28 × 7e-6 = 2e-4 of runs; the seed is fixed.
    """
    layout = pinned.layout(link)
    one = pinned.posterior(layout, draws=1, tau=1.5).isel(chain=[0]).drop_vars("trait")
    many = one.isel(draw=np.zeros(20_000, int)).assign_coords(draw=np.arange(20_000))
    drawn = effect_integrated.completed(many, layout, seed=5)["trait"].to_numpy()[0]
    fixed = effect.predictor(one, layout, np.zeros((1, 1, layout.participants)))[0, 0]
    spread = dispersion(one, layout)[0, 0]
    for person in range(layout.participants):
        mine = layout.participant_of == person

        def density(z, mine=mine):
            rule = FAMILIES[link].log_probability
            logs = rule(layout.outcome[mine], fixed[mine] + 1.5 * z, spread[mine])
            return np.exp(logs.sum() - z * z / 2)

        whole, first, second = (
            integrate.quad(lambda z, k=k: z**k * density(z), -10, 10, limit=200, epsabs=0, epsrel=1e-9)[0]
            for k in range(3)
        )
        mean, sd = first / whole, np.sqrt(second / whole - (first / whole) ** 2)
        values = drawn[:, person] / 1.5
        assert abs(values.mean() - mean) < 4.5 * sd / np.sqrt(20_000), person
        fourth = ((values - values.mean()) ** 4).mean()
        assert abs(values.var() - sd**2) < 4.5 * np.sqrt((fourth - sd**4) / 20_000), person


def _fitted(model, scenario, seed, participants=None):
    study, data = trials.simulated(simulated_trial.load(scenario), seed, participants)
    layout = design(study, data)
    return layout, nuts.sample(
        model.ready(layout, prior_set.load()), nuts.Sampler(draws=1500, tune=500, chains=2, seed=3)
    )["posterior"].to_dataset()


@pytest.mark.slow
def test_nuts_with_and_without_the_traits_has_the_same_posterior():
    """Posterior means within 4 combined Monte-Carlo errors; ten means, a false alarm in 6 of 10,000 seeds."""
    layout, inner = _fitted(effect_integrated, "effect", 4)
    _, outer = _fitted(effect, "effect", 4)
    assert set(inner) == set(effect.dimensions(layout))
    for name in inner:
        one, two = (draws[name].to_numpy().reshape(3000, -1) for draws in (inner, outer))
        errors = [
            draws[name].to_numpy().reshape(3000, -1).std(0)
            / np.sqrt(diagnostics(draws[[name]]).sel(diagnostic="ess_bulk")[name].to_numpy().ravel())
            for draws in (inner, outer)
        ]
        assert (np.abs(one.mean(0) - two.mean(0)) < 4 * np.hypot(*errors)).all(), name
    whole = effect_integrated.completed(inner, layout, 1)["trait"].to_numpy().reshape(3000, -1)
    traits = outer["trait"].to_numpy().reshape(3000, -1)
    # 107 means, errors of about .02: 5 combined errors, with an effective size of a third of the draws
    assert (np.abs(whole.mean(0) - traits.mean(0)) < 5 * traits.std(0) * np.sqrt(2 / 1000)).all()


@pytest.mark.slow
def test_it_serves_a_trial_of_two_thousand():
    layout, draws = _fitted(effect_integrated, "effect", 6, participants=2000)
    assert layout.participants == 2000
    assert abs(float(draws["tau"].mean()) - 1.2) < 0.5  # four posterior SDs of .12


@pytest.mark.slow
def test_values_do_not_depend_on_whether_the_code_was_compiled_now_or_before(tmp_path):
    caches = {"NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "tests.compiled_cold"]
    cold, warm = (
        subprocess.run(command, cwd=ROOT, env=os.environ | caches, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    )
    assert len(cold) == 64
    assert cold == warm


@pytest.mark.parametrize("dispersion", [2.0, 0.5, 0.05, 1.1e-4])
@pytest.mark.parametrize("value", [3, 1000, 1001, 200_000])
def test_the_constant_of_a_large_count_is_the_sum_that_it_stands_for(value, dispersion):
    """Added term by term in 80 bits; 1e-11 for what k/α − log(1 + k/α) loses where α is 1e8 and k a thousand."""
    alpha, k = np.longdouble(1) / np.longdouble(dispersion) ** 2, np.arange(value, dtype=np.longdouble)
    whole = float(np.log1p(k / alpha).sum()) - special.gammaln(value + 1.0)
    slope = float((k / (alpha * (alpha + k))).sum()) * 2 / dispersion**3
    found = densities.constant(FAMILIES["negative binomial"].number, float(value), dispersion)
    assert found == pytest.approx((whole, slope), rel=1e-11)
