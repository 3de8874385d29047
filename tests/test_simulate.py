"""The simulator: deterministic, consistent with its potential outcomes, and distributed as its scenario says.

Monte-Carlo checks allow 5 standard errors, a false alarm of 6e-7 each; seeds are fixed, so they pass or fail for good.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from models.simulation.innovations import Innovations, negative_binomial, normal_cdf
from models.simulation.scenario import ScenarioError
from models.simulation.scenario_file import names
from models.simulation.scenario_parts import Confounder, Correlation, Mediator
from models.simulation.simulated_trial import SimulatedTrial, load, simulate

LARGE = 200_000
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(80)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def five_errors(p: float, n: int) -> float:
    return 5 * float(np.sqrt(p * (1 - p) / n))


def same(a: SimulatedTrial, b: SimulatedTrial) -> bool:
    first, second = a.columns, b.columns
    return first.keys() == second.keys() and all(
        len(first[k]) == len(second[k]) and np.array_equal(first[k], second[k], equal_nan=first[k].dtype.kind == "f")
        for k in first
    )


@pytest.mark.parametrize("name", names())
def test_equal_seeds_give_equal_trials_and_different_seeds_do_not(name):
    scenario = load(name)
    assert same(simulate(scenario, 5), simulate(scenario, 5))
    assert not same(simulate(scenario, 5), simulate(scenario, 6))


def test_different_seeds_are_independent():
    scenario = load("effect")
    first, second = (simulate(scenario, seed, LARGE).traits["violence"] for seed in (1, 2))
    # The standard error of a correlation of independent values is 1 / sqrt(n).
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / np.sqrt(LARGE)


def test_a_new_mediator_leaves_every_other_draw_alone():
    scenario = load("effect")
    flat = Mediator("support", intercepts=(0, 0, 0, 0), arm_effects=(0, 0, 0, 0))
    with_it = simulate(replace(scenario, mediators=(flat,)), 3)
    assert np.array_equal(with_it.outcomes["violence"], simulate(scenario, 3).outcomes["violence"])


def test_numbers_of_women():
    trial = simulate(load("undarga"), 1)
    assert np.bincount(trial.arm).tolist() == [50, 57]
    assert np.bincount(simulate(load("undarga"), 1, 1070).arm).tolist() == [500, 570]
    assert len(set(trial.participant)) == 107
    with pytest.raises(ScenarioError, match="an arm would be empty"):
        simulate(load("undarga"), 1, 1)
    with pytest.raises(ScenarioError, match="seed is -1"):
        simulate(load("undarga"), -1)


@pytest.mark.parametrize("name", ["undarga", "exposure_induced", "counts"])
def test_observed_values_are_the_potential_ones_of_the_womans_own_arm(name):
    trial = simulate(load(name), 11, 2000)
    women = np.arange(2000)
    for column, potential in trial.potential_outcomes.items():
        own = potential[women, :, trial.arm]
        assert np.array_equal(trial.true_outcomes[column], own)
        recorded = trial.outcomes[column]
        assert np.array_equal(recorded[~np.isnan(recorded)], own[~np.isnan(recorded)])
        nested = trial.nested_outcomes[column]
        for z in (0, 1):
            assert np.array_equal(nested[:, :, z, z], potential[:, :, z])
    for column, potential in trial.potential_mediators.items():
        assert np.array_equal(trial.true_mediators[column], potential[women, :, trial.arm])


def test_nested_outcomes_change_only_through_the_mediator():
    trial = simulate(load("mediation_clean"), 2, LARGE)
    nested = trial.nested_outcomes["violence"]
    # Before 6 months the lagged mediators do not differ between the arms, so crossing them changes nothing.
    assert np.array_equal(nested[:, :3, 1, 0], nested[:, :3, 1, 1])
    assert nested[:, 3, 1, 0].mean() > nested[:, 3, 1, 1].mean() + 0.05  # the truth is 0.064 (tests of the truth)


def test_a_scenario_without_effect_gives_equal_potential_outcomes():
    trial = simulate(load("null"), 4, 5000)
    potential = trial.potential_outcomes["violence"]
    assert np.array_equal(potential[..., 0], potential[..., 1])
    assert np.array_equal(trial.potential_means["violence"][..., 0], trial.potential_means["violence"][..., 1])


def test_arms_are_one_half_apart_in_each_direction_and_equal_at_baseline():
    scenario = load("effect").with_outcome(trait_sd=0.0, covariates={})
    means = simulate(scenario, 1).potential_means["violence"][0]
    intercepts, effects = np.array([-0.3, -0.8, -1.2, -1.4]), np.array([0, 0, -0.5, -0.5])
    assert np.allclose(means[:, 0], expit(intercepts - effects / 2), atol=1e-15)
    assert np.allclose(means[:, 1], expit(intercepts + effects / 2), atol=1e-15)


def test_covariates_enter_per_standard_deviation_and_by_level():
    trial = simulate(load("effect").with_outcome(trait_sd=0.0), 1, 500)
    age, alcohol = trial.covariates["age"], trial.covariates["alcohol"] == "yes"
    expected = expit(-0.3 - 0.2 * (age - 36) / 9 + 0.5 * alcohol)
    assert np.allclose(trial.potential_means["violence"][:, 0, 0], expected, atol=1e-14)
    assert np.array_equal(age, np.rint(age))
    assert age.min() >= 18


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_realised_risks_agree_with_quadrature_over_the_trait(link):
    scenario = load("effect").with_outcome(covariates={}, link=link)
    trial = simulate(scenario, 8, LARGE)
    curve = expit if link == "logit" else stats.norm.cdf
    for t, (intercept, effect) in enumerate(zip((-0.3, -0.8, -1.2, -1.4), (0, 0, -0.5, -0.5), strict=True)):
        for z in (0, 1):
            risk = float(WEIGHTS @ curve(intercept + effect * (z - 0.5) + 1.2 * NODES))
            assert abs(trial.true_outcomes["violence"][trial.arm == z, t].mean() - risk) < five_errors(risk, 90_000)


@pytest.mark.parametrize("dispersion", [0.0, 0.8])
def test_counts_have_the_negative_binomial_distribution(dispersion):
    uniform = (np.arange(LARGE) + 0.5) / LARGE  # every quantile once: no Monte-Carlo error
    counts = negative_binomial(uniform, np.full(LARGE, 3.0), dispersion)
    size = 1 / dispersion if dispersion else None
    reference = stats.poisson(3.0) if size is None else stats.nbinom(size, size / (size + 3.0))
    for k in range(12):
        assert abs(np.mean(counts == k) - reference.pmf(k)) < 2 / LARGE  # the two ends of an interval of the grid


def test_shares_have_the_ordered_beta_distribution():
    share = Mediator("share", kind="share", intercepts=(0.4,) * 4, arm_effects=(0,) * 4, cutpoints=(-1.5, 2.0))
    values = simulate(replace(load("effect"), mediators=(share,)), 9, LARGE).true_mediators["share"][:, 2]
    zero, one = 1 - expit(0.4 + 1.5), expit(0.4 - 2.0)
    assert abs(np.mean(values == 0) - zero) < five_errors(zero, LARGE)
    assert abs(np.mean(values == 1) - one) < five_errors(one, LARGE)
    inner = values[(values > 0) & (values < 1)]
    mean = expit(0.4)
    # Kolmogorov's statistic exceeds 2.7 / sqrt(n) with probability 9e-7.
    statistic = stats.kstest(inner, stats.beta(10 * mean, 10 * (1 - mean)).cdf).statistic
    assert statistic < 2.7 / np.sqrt(len(inner))


def test_own_samplers_agree_with_scipy():
    x = np.linspace(-8.5, 8.5, 4001)
    assert np.max(np.abs(normal_cdf(x) - stats.norm.cdf(x))) < 1e-13  # h⁴ max|Φ⁗| / 384 with h = 1/512 is 5e-14
    draws = Innovations(1, LARGE)
    for shape in (0.2, 1.0, 7.0):
        logs = draws.log_gamma(np.full(LARGE, shape), "x")
        assert stats.kstest(np.exp(logs), stats.gamma(shape).cdf).statistic < 2.7 / np.sqrt(LARGE)


def test_traits_have_the_stated_correlations():
    scenario = load("correlated_traits")
    traits = simulate(scenario, 10, LARGE).traits
    for pair in scenario.correlations:
        # The standard error of a correlation r is (1 - r²) / sqrt(n).
        tolerance = 5 * (1 - pair.value**2) / np.sqrt(LARGE)
        assert abs(np.corrcoef(traits[pair.first], traits[pair.second])[0, 1] - pair.value) < tolerance
    assert abs(traits["violence"].std() - 1.2) < 5 * 1.2 / np.sqrt(2 * LARGE)


def test_traits_may_be_perfectly_correlated():
    columns = ("social_support", "income_share", "violence")
    pairs = [Correlation(columns[i], columns[j], r) for i, j, r in ((0, 1, 1.0), (0, 2, -1.0), (1, 2, -1.0))]
    traits = simulate(replace(load("correlated_traits"), correlations=tuple(pairs)), 10).traits
    assert np.allclose(traits["violence"] / 1.2, -traits["social_support"] / 0.7)
    assert np.allclose(traits["income_share"], traits["social_support"])


def test_the_unmeasured_confounder_lasts_and_follows_the_arm_as_stated():
    bare = Mediator("u", intercepts=(0,) * 4, arm_effects=(0,) * 4, residual_sd=0.0, confounder=1.0)
    scenario = replace(load("null"), mediators=(bare,), confounder=Confounder(persistence=0.6, arm_effect=0.8))
    trial = simulate(scenario, 13, LARGE)
    values, shift = trial.potential_mediators["u"][..., 0], np.diff(trial.potential_mediators["u"], axis=-1)[..., 0]
    assert np.allclose(shift, [0, 0, 0.8, 0.8])  # the programme acts at follow-ups only
    assert np.all(np.abs(values.std(axis=0) - 1) < 5 / np.sqrt(2 * LARGE))
    correlations = np.corrcoef(values.T)
    for lag, expected in ((1, 0.6), (2, 0.36)):
        assert np.all(np.abs(np.diagonal(correlations, lag) - expected) < 5 * (1 - expected**2) / np.sqrt(LARGE))


def test_any_violence_is_the_union_of_its_kinds_and_needs_a_paying_partner():
    trial = simulate(load("undarga"), 3, 20_000)
    for values in (trial.potential_outcomes, trial.nested_outcomes, trial.true_outcomes):
        union = np.maximum(values["violence_physical"], values["violence_sexual"])
        assert np.array_equal(values["violence_any"], union)
        assert not np.any(union[values["paying_partners"] == 0])
    means = trial.potential_means
    assert np.all(means["violence_any"] >= np.maximum(means["violence_physical"], means["violence_sexual"]))
    assert trial.true_outcomes["paying_partners"][:, 0].min() == 1
    assert trial.true_outcomes["paying_partners"][:, 1:].min() == 0


def test_attendance_stays_within_the_sessions_offered():
    trial = simulate(load("undarga"), 3, 20_000)
    for z, (offered, mean) in enumerate(((4, 0.85), (34, 0.65))):
        share = trial.attended[trial.arm == z] / offered
        assert share.max() == 1
        # Beta-binomial: variance of a share is m(1 - m)(1 + (n - 1) rho) / n with rho = 1 / (precision + 1) = 0.2.
        error = np.sqrt(mean * (1 - mean) * (1 + (offered - 1) * 0.2) / offered / len(share))
        assert abs(share.mean() - mean) < 5 * error


def test_misreporting_follows_sensitivity_and_specificity():
    trial = simulate(load("misreporting"), 6, LARGE)
    truth, report = trial.true_outcomes["violence"], trial.outcomes["violence"]
    for z, later in ((0, 0.9), (1, 0.75)):
        for wave, sensitivity in ((0, 0.9), (3, later)):
            yes, no = (report[(trial.arm == z) & (truth[:, wave] == v), wave] for v in (1, 0))
            assert abs(yes.mean() - sensitivity) < five_errors(sensitivity, len(yes))
            assert abs(no.mean() - 0.02) < five_errors(0.02, len(no))


def test_what_is_reported_keeps_to_union_and_gate():
    parts = {"sensitivity": (0.6, 0.6), "specificity": (0.7, 0.7)}
    scenario = load("undarga")
    outcomes = tuple(replace(o, **parts) if o.column in scenario.outcome.union_of else o for o in scenario.outcomes)
    trial = simulate(replace(scenario, outcomes=outcomes, missingness=()), 14, 5000)
    said = trial.outcomes
    assert not np.array_equal(said["violence_any"], trial.true_outcomes["violence_any"])
    assert np.array_equal(said["violence_any"], np.maximum(said["violence_physical"], said["violence_sexual"]))
    assert not np.any(said["violence_any"][said["paying_partners"] == 0])


def test_a_floor_raises_zeros_to_one_and_the_mean_by_their_probability():
    scenario = load("counts").with_outcome(floor=(1, 0, 0, 0), trait_sd=0.0, covariates={})
    trial = simulate(scenario, 15, LARGE)
    counts, mean = trial.outcomes["incidents"], np.exp(0.7)
    zero = (1 + 0.8 * mean) ** (-1 / 0.8)
    assert np.allclose(trial.potential_means["incidents"][0, 0], mean + zero)
    assert counts[:, 0].min() == 1
    assert counts[:, 1].min() == 0
    assert abs(counts[:, 0].mean() - mean - zero) < 5 * counts[:, 0].std() / np.sqrt(LARGE)


def test_continuous_outcomes_have_the_stated_residual():
    scenario = load("effect").with_outcome(kind="continuous", residual_sd=0.5, trait_sd=1.2, covariates={})
    values = simulate(scenario, 16, LARGE).outcomes["violence"]
    spread = np.hypot(0.5, 1.2)
    assert np.all(np.abs(values[:, :2].std(axis=0) - spread) < 5 * spread / np.sqrt(2 * LARGE))
    assert abs(np.corrcoef(values[:, :2].T)[0, 1] - 1.44 / spread**2) < 5 / np.sqrt(LARGE)


def test_regression_to_the_mean_without_any_effect():
    trial = simulate(load("regression_to_the_mean"), 7, LARGE)
    violence = trial.outcomes["violence"]
    for wave, risk in enumerate((0.528, 0.484, 0.484, 0.484)):
        assert abs(violence[:, wave].mean() - risk) < five_errors(risk, LARGE)
    potential = trial.potential_outcomes["violence"]
    assert np.array_equal(potential[..., 0], potential[..., 1])
