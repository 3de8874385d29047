"""The effect model: one source of truth for PyMC and NumPy, and g-computation against closed forms and brute force."""

from dataclasses import replace

import numpy as np
import pymc as pm
import pytest
from pytensor.compile.mode import Mode
from scipy import stats

from models.equations import predictors
from models.equations.effect import Effect
from models.equations.likelihoods import dispersion
from models.estimands.response import response
from models.inference import nuts
from models.outcomes import FAMILIES
from priors import prior_set
from tests import pinned, trials

effect = Effect()

PRIORS = prior_set.load()
STABLE = Mode(
    linker="py", optimizer="stabilize"
)  # FAST_COMPILE keeps log(1 − sigmoid(η)), which loses 8 digits at η = 18
LINKS = ["logit", "probit", "negative binomial", "normal"]


def _point(model, draws, layout, chain=0, draw=0):
    """One draw as PyMC's unconstrained point."""
    one = draws.isel(chain=chain, draw=draw)
    point = {}
    for name, prior in ((name, PRIORS[name]) for name in effect.dimensions(layout)):
        value = one[name].to_numpy()
        if prior.distribution == "exchangeable_normal" and value.size > 1:
            point[f"{name}_standard"] = np.linalg.solve(np.linalg.cholesky(prior.covariance(value.size)), value)
        elif prior.distribution in ("half_normal", "gamma"):
            point[f"{name}_log__"] = np.log(value)
        else:
            point[name] = value
    trait = one["trait"].to_numpy()
    if layout.centred:
        score = layout.covariates @ one["gamma"].to_numpy() if layout.covariate else 0.0
        point["trait_level_standard"] = trait + one["mu_0"].to_numpy() + score
    else:
        point["trait_standard"] = trait / one["tau"].to_numpy()
    return point


@pytest.mark.slow
@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("covariates", [0, 2])
@pytest.mark.parametrize("centred", [False, True])
def test_pymc_and_numpy_have_the_same_density(link, covariates, centred):
    layout = replace(pinned.layout(link, covariates=covariates), reliability=float(centred))
    draws = pinned.posterior(layout, draws=3)
    fitted = pm.observe(effect.build(layout, PRIORS), {"outcome": layout.outcome})
    density = fitted.compile_logp(jacobian=False, mode=STABLE)
    likelihood = FAMILIES[link].log_probability
    for draw in range(3):
        one = draws.isel(chain=[0], draw=[draw])
        expected = likelihood(layout.outcome, effect.predictor(one, layout), dispersion(one, layout)).sum()
        expected += sum(float(value.sum()) for value in effect.log_prior(one, layout, PRIORS).values())
        scale = one["tau"].item() if centred else 1.0
        expected += stats.norm.logpdf(one["trait"] / one["tau"]).sum() - layout.participants * np.log(scale)
        theta = PRIORS["theta"]
        # the joint normal is built from independent ones: a constant Jacobian, the log determinant of its root
        expected += np.log(np.diag(np.linalg.cholesky(theta.covariance(2)))).sum()
        assert density(_point(fitted, draws, layout, draw=draw)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("arm", [-0.5, 0.5])
def test_g_computation_agrees_with_pm_do(link, arm):
    # every parent pinned by pm.do, the arm set for everybody: the mean of PyMC's outcome is what `response` computes
    layout = pinned.layout(link).complete()
    draws = pinned.posterior(layout, draws=2)
    one = draws.isel(chain=1, draw=1)
    pins = {name: one[name].to_numpy() for name in effect.dimensions(layout)}
    pins |= {"trait": one["trait"].to_numpy(), "arm": np.full(layout.participants, arm)}
    intervened = pm.do(effect.build(layout, PRIORS), pins)
    parents = intervened["outcome"].owner.inputs
    values = [
        parent.eval(mode="FAST_COMPILE")
        for parent in parents
        if hasattr(parent.type, "dtype") and parent.type.dtype == "float64"
    ]
    if link == "negative binomial":
        mean = values[0] * (1 - values[1]) / values[1]
    else:
        # of a normal outcome the parents are its mean and the residual SD
        mean = {"logit": values[-1], "normal": values[0]}.get(link, stats.norm.cdf(values[-1]))
    expected = mean.reshape(layout.participants, 4).mean(0)
    found = (
        response(effect, draws, layout)
        .isel(chain=1, draw=1)
        .sel(average="sample", arm="control" if arm < 0 else "treated")
    )
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("tau", [1e-6, 0.5, 1.0, 2.0, 3.0, 5.0])
def test_population_average_integrates_the_trait(link, tau):
    if link == "negative binomial" and tau > 3:
        pytest.skip("the mean count over a trait with SD 5 is exp(12.5) times the typical one; quad loses it")
    layout = pinned.layout(link, covariates=1)
    draws = pinned.posterior(layout, draws=1, tau=tau)
    found = response(effect, draws, layout).sel(average="population").isel(chain=0, draw=0)
    one = draws.isel(chain=0, draw=0)
    for wave, (name, effect_size) in {
        3: ("6 months", one["theta"][1]),
        1: ("post-test", one["theta_negative_control"][0]),
    }.items():
        level = float(one["mu_0"] + one["step"][:wave].sum())
        for sign, arm in ((-0.5, "control"), (0.5, "treated")):
            predictor = level + sign * float(effect_size) + layout.covariates[:, 0] * float(one["gamma"][0])
            expected = np.mean([trials.marginal(value, tau, link) for value in predictor])
            # 1e-9: the rule's stated error (models.numerics.quadrature); quad's own is 1e-12
            assert float(found.sel(arm=arm, wave=name)) == pytest.approx(expected, rel=2e-9, abs=1e-9)


def test_without_trait_and_covariates_the_three_averages_agree():
    layout = pinned.layout(covariates=0)
    draws = pinned.posterior(layout, tau=1e-9)
    everybody = response(effect, draws, layout)
    np.testing.assert_allclose(everybody.sel(average="population"), everybody.sel(average="typical"), atol=1e-9)
    np.testing.assert_allclose(everybody.sel(average="sample"), everybody.sel(average="typical"), atol=1e-8)


def test_a_typical_participant_is_not_the_population():
    # an effect of 1 on the log-odds of a typical participant is 0.245 in risk; over a trait with SD 2 it is 0.166
    layout = pinned.layout(covariates=0)
    draws = pinned.posterior(layout, mu_0=0.0, step=0.0, theta=1.0, tau=2.0)
    everybody = response(effect, draws, layout).sel(wave="6 months").isel(chain=0, draw=0)
    difference = everybody.sel(arm="treated") - everybody.sel(arm="control")
    assert float(difference.sel(average="typical")) == pytest.approx(np.tanh(0.25), abs=1e-12)
    expected = trials.marginal(0.5, 2.0) - trials.marginal(-0.5, 2.0)
    assert float(difference.sel(average="population")) == pytest.approx(expected, abs=1e-9)
    assert float(difference.sel(average="population")) < 0.75 * float(difference.sel(average="typical"))


@pytest.mark.parametrize("link", LINKS)
def test_swapping_the_arms_flips_every_difference_exactly(link):
    layout = pinned.layout(link)
    draws = pinned.posterior(layout)
    swapped = draws.assign(theta=-draws["theta"], theta_negative_control=-draws["theta_negative_control"])
    before, after = response(effect, draws, layout), response(effect, swapped, layout)
    np.testing.assert_array_equal(before.sel(arm="treated"), after.sel(arm="control"))
    np.testing.assert_array_equal(before.sel(arm="control"), after.sel(arm="treated"))


@pytest.mark.parametrize("link", LINKS)
def test_no_effect_is_exactly_zero_at_every_draw(link):
    layout = pinned.layout(link)
    everybody = response(effect, pinned.posterior(layout, theta=0.0, theta_negative_control=0.0), layout)
    assert (everybody.sel(arm="treated") == everybody.sel(arm="control")).all()


def test_the_arms_share_the_baseline_at_every_draw():
    layout = pinned.layout()
    everybody = response(effect, pinned.posterior(layout), layout).sel(wave="baseline")
    assert (everybody.sel(arm="treated") == everybody.sel(arm="control")).all()
    later = response(effect, pinned.posterior(layout), layout).sel(wave="post-test")
    assert not (later.sel(arm="treated") == later.sel(arm="control")).any()


def test_averaging_in_blocks_changes_nothing(monkeypatch):
    layout = pinned.layout()
    draws = pinned.posterior(layout)
    whole = response(effect, draws, layout)
    monkeypatch.setattr("models.estimands.response.BLOCK", 1)
    # each block takes the nodes that its widest trait needs, to the rule's stated 1e-9
    np.testing.assert_allclose(response(effect, draws, layout), whole, atol=1e-9)


def test_equal_covariates_share_one_term():
    layout = pinned.layout(covariates=1)
    doubled = np.sign(layout.covariates)
    coarse = replace(layout, covariates=doubled)
    draws = pinned.posterior(coarse, draws=2)
    found = response(effect, draws, coarse).sel(average="population", arm="treated", wave="6 months")
    one = draws.isel(chain=0, draw=0)
    level = float(one["mu_0"] + one["step"].sum() + 0.5 * one["theta"][1])
    each = [trials.marginal(level + float(one["gamma"][0]) * value, float(one["tau"])) for value in doubled[:, 0]]
    assert float(found[0, 0]) == pytest.approx(np.mean(each), abs=1e-9)


def test_combination_is_a_matrix_product():
    rng = np.random.default_rng(3)
    weights, rows = rng.standard_normal((5, 7, 3)), rng.standard_normal((3, 4))
    np.testing.assert_allclose(predictors.combination(weights, rows), weights @ rows, atol=1e-14)


@pytest.mark.slow
@pytest.mark.parametrize("trait_sd", [1.2, 4.0])
def test_centring_changes_nothing_but_the_speed(trait_sd):
    from models.design.layout import design
    from models.estimands.summary import diagnostics
    from models.simulation import simulated_trial

    study, data = trials.simulated(simulated_trial.load("effect").with_outcome(trait_sd=trait_sd), 2)
    layout, found = design(study, data), []
    assert layout.centred == (trait_sd > 3)  # the rule takes the better form for either
    for centred in (False, True):
        changed = replace(layout, reliability=float(centred))
        draws = nuts.sample(effect.ready(changed, PRIORS), nuts.Sampler(draws=1500, tune=700, chains=2, seed=5))
        everybody = response(effect, draws["posterior"].to_dataset(), changed).sel(average="population")
        error = diagnostics(everybody.to_dataset(name="risk"))["risk"].sel(diagnostic="ess_bulk")
        found.append((everybody.mean(("chain", "draw")), everybody.std(("chain", "draw")) / np.sqrt(error)))
    (mean, error), (other, its_error) = found
    # eight means (the two at baseline are one): four combined Monte-Carlo errors, a false alarm in 5 of 10,000 runs
    assert (np.abs(mean - other) < 4 * np.hypot(error, its_error)).all()


@pytest.mark.slow
def test_prior_only_run_returns_the_declared_prior_of_the_risk_difference():
    """Sampled with nothing observed, the posterior of every RD is its prior."""
    layout = pinned.layout(covariates=0, control=3, treated=3)
    empty = layout.unobserved()
    tree = nuts.sample(effect.ready(empty, PRIORS), nuts.Sampler(draws=4000, seed=2))
    posterior = response(effect, tree["posterior"].to_dataset(), empty).sel(average="population")
    prior = response(effect, effect.prior(empty, PRIORS, 16_000, seed=8), empty).sel(average="population")
    for wave in ("post-test", "3 months", "6 months"):
        sampled, declared = (
            (each.sel(arm="treated") - each.sel(arm="control")).sel(wave=wave).to_numpy().ravel()
            for each in (posterior, prior)
        )
        # the effective sample is above 8,000 of 16,000 (antithetic chains); thinned by 4 both are nearly independent,
        # and a Kolmogorov-Smirnov p below 1e-4 would be a false alarm in 3 of 10,000 runs of this test
        assert stats.ks_2samp(sampled[::4], declared[::4]).pvalue > 1e-4
