"""Agreement on real data: the respiratory trial, against its likelihood integrated by brute force."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, special, stats

from models.design.layout import design
from models.equations.effect import Effect
from models.equations.effect_integrated import Integrated
from models.estimands.summary import diagnostics
from models.inference import nuts
from models.trial import dataset
from models.trial.study_file import study
from priors import prior_set
from tests import trials
from tests.conftest import ROOT

effect = Effect()
effect_integrated = Effect(Integrated())

PRIORS = prior_set.load()


@pytest.fixture(scope="module")
def respiratory():
    read, folder = study.read(ROOT / "studies" / "respiratory")
    return read, dataset.load(read, folder)


def test_the_trial_is_the_published_one(respiratory):
    # Koch et al. 1990 / Davis 1991: 111 patients, 54 on treatment, five visits, nobody lost
    read, data = respiratory
    assert not read.simulated
    assert data.sizes == {"participant": 111, "wave": 5, "further": 0, "mediator": 0, "covariate": 3}
    assert int(data["arm"].sum()) == 54
    assert int(data["outcome"].notnull().sum()) == 555


def _unnormalised(data: object, layout: object):
    """Log posterior of (μ₀, steps, θ, γ, log τ) written anew: 101 equally spaced nodes, no line of the product."""
    y = data["outcome"].to_numpy()
    arm = np.where(data["arm"].to_numpy() == 1, 0.5, -0.5)
    x = layout.covariates
    nodes = np.linspace(-9, 9, 101)
    log_weight = stats.norm.logpdf(nodes) + np.log(nodes[1] - nodes[0])
    theta_prior = stats.multivariate_normal(np.zeros(4), 0.49 * (0.5 * np.eye(4) + 0.5))

    def log_posterior(v: np.ndarray) -> float:
        mu_0, step, theta, gamma, tau = v[0], v[1:5], v[5:9], v[9:12], np.exp(v[12])
        level = mu_0 + np.concatenate([[0], np.cumsum(step)])
        eta = level + np.outer(arm, np.concatenate([[0], theta])) + (x @ gamma)[:, None]
        by_node = special.log_expit((2 * y - 1)[..., None] * (eta[..., None] + tau * nodes)).sum(1) + log_weight
        prior = stats.norm(0, 1.5).logpdf(mu_0) + stats.norm(0, 0.75).logpdf(step).sum() + theta_prior.logpdf(theta)
        prior += stats.norm(0, 0.5).logpdf(gamma).sum() + stats.halfnorm(scale=1).logpdf(tau) + np.log(tau)
        return float(special.logsumexp(by_node, axis=1).sum() + prior)

    return log_posterior


def _values(draws) -> np.ndarray:
    """Draws in the order of `_unnormalised`, shape (draw, 13)."""
    names = ("mu_0", "step", "theta", "gamma")
    parts = [draws[name].to_numpy().reshape(draws.sizes["chain"] * draws.sizes["draw"], -1) for name in names]
    return np.column_stack([*parts, np.log(draws["tau"].to_numpy().ravel())])


def _hessian(function, at: np.ndarray, h: float = 1e-3) -> np.ndarray:
    """Second derivatives by central differences."""
    size = at.size
    steps = np.eye(size) * h
    found = np.empty((size, size))
    for i in range(size):
        for j in range(i, size):
            corners = (steps[i] + steps[j], steps[i] - steps[j], -steps[i] + steps[j], -steps[i] - steps[j])
            a, b, c, d = (function(at + corner) for corner in corners)
            found[i, j] = found[j, i] = (a - b - c + d) / (4 * h * h)
    return found


@pytest.mark.slow
def test_posterior_agrees_with_mode_curvature_and_brute_force(respiratory):
    read, data = respiratory
    assert read.outcome.codes == {"good": 1.0, "poor": 0.0}
    layout = design(read, data)
    log_posterior = _unnormalised(data, layout)
    start = np.zeros(13)
    mode = optimize.minimize(lambda v: -log_posterior(v), start, method="BFGS", options={"gtol": 1e-5}).x
    covariance = np.linalg.inv(-_hessian(log_posterior, mode))
    proposal = stats.multivariate_t(mode, covariance * 1.1, df=8, seed=np.random.default_rng(5))
    points = proposal.rvs(6000)
    log_weight = np.array([log_posterior(point) for point in points]) - proposal.logpdf(points)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    effective = 1 / (weight**2).sum()
    assert effective > 2500
    draws = trials.fitted(read, data, nuts.Sampler(seed=6), model=effect_integrated)["posterior"].to_dataset()
    sampled = _values(draws)
    exact_mean = weight @ points
    exact_sd = np.sqrt(weight @ (points - exact_mean) ** 2)
    # means: within four combined Monte-Carlo errors, 13 numbers (false alarm .0008), and within 0.1 posterior SD
    ess = np.concatenate(
        [
            np.atleast_1d(diagnostics(draws[[n]]).sel(diagnostic="ess_bulk")[n].to_numpy())
            for n in ("mu_0", "step", "theta", "gamma", "tau")
        ]
    )
    error = np.hypot(exact_sd / np.sqrt(effective), exact_sd / np.sqrt(ess))
    assert (np.abs(sampled.mean(0) - exact_mean) < 4 * error).all()
    assert (np.abs(sampled.mean(0) - exact_mean) < 0.1 * exact_sd).all()
    # the Gaussian of the mode and its curvature: nearly the posterior at 111 patients, apart from the skew of log τ
    assert (np.abs(sampled.mean(0) - mode)[:-1] < 0.25 * exact_sd[:-1]).all()
    np.testing.assert_allclose(sampled.std(0)[:-1], np.sqrt(np.diag(covariance))[:-1], rtol=0.12)


def test_the_product_and_the_rewritten_density_agree_at_any_point(respiratory):
    # the same log posterior at any point, the product's integrated likelihood against the test's own
    from models.equations.integrated import Draws, log_likelihood

    read, data = respiratory
    layout = design(read, data)
    rng = np.random.default_rng(2)
    vectors = rng.standard_normal((4, 13)) * 0.5
    log_posterior = _unnormalised(data, layout)
    expected = np.array([log_posterior(v) for v in vectors])
    import xarray as xr

    parts = {
        "mu_0": vectors[:, 0],
        "step": vectors[:, 1:5],
        "theta": vectors[:, 5:9],
        "gamma": vectors[:, 9:12],
        "tau": np.exp(vectors[:, 12]),
    }
    dims = effect.dimensions(layout)
    draws = xr.Dataset({n: (("chain", "draw", *dims[n]), v[None]) for n, v in parts.items()})
    fixed = effect.predictor(draws, layout, np.zeros((1, 4, layout.participants)))[0]
    found = log_likelihood(Draws(fixed, parts["tau"], np.zeros(fixed.shape)), layout).sum(1)
    found += sum(v.to_numpy()[0].reshape(4, -1).sum(1) for v in effect.log_prior(draws, layout, PRIORS).values())
    found += vectors[:, 12]
    np.testing.assert_allclose(found, expected, atol=1e-7)
