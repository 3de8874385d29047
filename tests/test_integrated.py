"""The likelihood with the trait integrated out, against brute force, and the quadrature posterior against NUTS."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy import optimize, stats

from models.design.layout import design
from models.equations import integrated
from models.equations.effect import Effect
from models.equations.integrated import Draws
from models.equations.likelihoods import dispersion
from models.estimands.summary import diagnostics
from models.inference.nuts import Sampler
from models.numerics.quadrature import logistic_normal_mean, normal_nodes
from models.simulation import simulated_trial
from priors import prior_set
from tests import pinned, trials
from tests.brute_force import brute_force

effect = Effect()

SPREADS = [0.5, 1.0, 2.0, 3.0, 5.0]


@pytest.mark.slow
@pytest.mark.parametrize("link", ["logit", "probit", "negative binomial", "normal"])
@pytest.mark.parametrize("tau", SPREADS)
def test_a_participants_integral_agrees_withbrute_force(link, tau):
    if link == "negative binomial" and tau > 3:
        pytest.skip("counts whose means differ by exp(±10) between participants are not a trial")
    layout = pinned.layout(link)
    draws = pinned.posterior(layout, draws=2, tau=tau)
    fixed = effect.predictor(draws, layout, np.zeros((2, 2, layout.participants)))[0]
    spread = dispersion(draws, layout)[0]
    given = Draws(fixed, np.full(2, tau), spread)
    found = integrated.log_likelihood(given, layout)
    expected = [
        [brute_force(layout, fixed[d], tau, spread[d], p) for p in range(layout.participants)] for d in range(2)
    ]
    # 1e-8 is the tolerance that the module states
    np.testing.assert_allclose(found, expected, atol=1e-8, rtol=0)


def _only(layout, keep):
    cells = {name: getattr(layout, name)[keep] for name in ("participant_of", "wave_of", "outcome")}
    return replace(layout, **cells)


def test_leaving_one_cell_out_is_a_ratio_of_two_integrals():
    layout = pinned.layout()
    draws = pinned.posterior(layout, draws=3)
    fixed = effect.predictor(draws, layout, np.zeros((2, 3, layout.participants)))[0]
    scale, none = draws["tau"].to_numpy()[0], np.zeros(fixed.shape)
    found = integrated.log_predictive(Draws(fixed, scale, none), layout)
    whole = integrated.log_likelihood(Draws(fixed, scale, none), layout)
    for cell in (0, 5, 17):
        keep = np.arange(layout.outcome.size) != cell
        less = _only(layout, keep)
        person = layout.participant_of[cell]
        without = integrated.log_likelihood(Draws(fixed[:, keep], scale, none[:, keep]), less)[:, person]
        np.testing.assert_allclose(found[:, cell], whole[:, person] - without, atol=1e-8)


def test_a_participant_never_seen_adds_nothing():
    layout = pinned.layout()
    keep = layout.participant_of != 3
    less = _only(layout, keep)
    found = integrated.log_likelihood(Draws(np.zeros((1, keep.sum())), np.ones(1), np.zeros((1, keep.sum()))), less)
    assert found[0, 3] == 0
    assert (found[0, [0, 1, 2]] < 0).all()


def test_too_narrow_an_integrand_is_refused_not_guessed(monkeypatch):
    # 10,000 events at each wave pin a trait of SD 2 to ±0.0025 SD: no step of the list is fine enough
    monkeypatch.setattr(integrated, "HALVINGS", 3)
    layout = pinned.layout("negative binomial")
    counts = replace(layout, outcome=np.full(layout.outcome.size, 10_000))
    given = Draws(
        np.full((1, counts.outcome.size), np.log(1e4)), np.array([2.0]), np.full((1, counts.outcome.size), 0.01)
    )
    with pytest.raises(integrated.NodesExhausted, match="step"):
        integrated.log_likelihood(given, counts)


@pytest.mark.parametrize("tau", [1e-6, 0.1, 0.44, 0.7, *SPREADS, 10.0])
def test_logistic_normal_mean_keeps_its_stated_error(tau):
    predictors = np.array([-9.0, -2.0, -0.3, 0.0, 1.0, 6.0])
    expected = [trials.marginal(value, tau) for value in predictors]
    np.testing.assert_allclose(logistic_normal_mean(predictors, np.full(6, tau)), expected, atol=1e-9)


def test_nodes_average_to_one_and_grow_with_the_spread():
    for tau in SPREADS:
        nodes, weights = normal_nodes(tau)
        assert weights.sum() == pytest.approx(1, abs=1e-15)
        assert weights @ nodes**2 == pytest.approx(1, abs=1e-9)
    assert normal_nodes(5.0)[0].size > 2 * normal_nodes(1.0)[0].size


def _log_posterior(layout, priors):
    """Top-level log posterior with the trait integrated out, as a function of a flat vector that ends in log τ."""
    sizes = {
        name: len(effect.coordinates(layout)[dims[0]]) if dims else 0
        for name, dims in effect.dimensions(layout).items()
    }

    def dataset(points):
        place, found = 0, {}
        for name, size in sizes.items():
            dim = effect.dimensions(layout)[name]
            value = points[:, place : place + max(size, 1)]
            place += max(size, 1)
            value = np.exp(value) if name == "tau" else value
            found[name] = (
                ("chain", "draw", *dim),
                value[None] if dim else value[None, :, 0],
            )
        return xr.Dataset(found)

    def density(points):
        draws = dataset(points)
        fixed = effect.predictor(draws, layout, np.zeros((1, len(points), layout.participants)))[0]
        tau = draws["tau"].to_numpy()[0]
        likelihood = integrated.log_likelihood(Draws(fixed, tau, np.zeros(fixed.shape)), layout).sum(1)
        prior = sum(
            value.to_numpy()[0].reshape(len(points), -1).sum(1)
            for value in effect.log_prior(draws, layout, priors).values()
        )
        return likelihood + prior + np.log(tau)

    return density, dataset, sum(max(size, 1) for size in sizes.values())


@pytest.mark.slow
def test_quadrature_and_nuts_have_the_same_posterior():
    """Importance sampling on the integrated posterior, which has neither traits nor chains, against NUTS."""
    study, data = trials.simulated(simulated_trial.load("null"), 11)
    layout, priors = design(study, data), prior_set.load()
    density, dataset, size = _log_posterior(layout, priors)
    mode = optimize.minimize(lambda x: -density(x[None])[0], np.zeros(size), method="BFGS", options={"gtol": 1e-3})
    rng = np.random.default_rng(4)
    proposal = stats.multivariate_t(mode.x, mode.hess_inv * 1.2, df=7, seed=rng)
    points = proposal.rvs(20_000)
    log_weights = density(points) - proposal.logpdf(points)
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    assert 1 / (weights**2).sum() > 4000  # the proposal fits: effective draws of the importance sampler
    exact = dataset(points)
    nuts = trials.fitted(study, data, Sampler(seed=3))["posterior"].to_dataset()
    for name in effect.dimensions(layout):
        values = exact[name].to_numpy()[0].reshape(len(points), -1)
        mean = weights @ values
        own = np.sqrt((weights**2) @ (values - mean) ** 2)
        sampled = nuts[name].to_numpy().reshape(8000, -1)
        spread = sampled.std(0) / np.sqrt(diagnostics(nuts[[name]]).sel(diagnostic="ess_bulk")[name].to_numpy().ravel())
        # four combined Monte-Carlo errors on about ten means: a false alarm in 6 of 10,000 runs
        assert (np.abs(mean - sampled.mean(0)) < 4 * np.hypot(own, spread)).all(), name
