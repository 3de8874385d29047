"""The truth by brute force against closed forms and quadrature: linear, probit and logit examples, confounded trials.

Tolerances: 5 reported Monte-Carlo standard errors (false alarm 6e-7 each) plus half the last printed digit.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from models.simulation.scenario import Scenario, ScenarioError
from models.simulation.scenario_parts import Arm, Correlation, Mediator, Outcome, Wave
from models.simulation.simulated_trial import load, simulate
from models.simulation.true_averages import Averages
from models.simulation.true_values import Truth, truth, truths

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(80)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
EARLY, LATE = "3 months", "6 months"


def two_wave(outcome: Outcome, *mediators: Mediator, correlations: tuple[Correlation, ...] = ()) -> Scenario:
    """Mediator at the first follow-up, outcome at the second: the smallest ordered trial."""
    waves = (Wave(EARLY, month=3), Wave(LATE, month=6))
    arms = (Arm("control"), Arm("treated"))
    return Scenario(
        "two waves", "two waves", waves, LATE, *arms, (outcome,), mediators=mediators, correlations=correlations
    )


def near(result: Truth, expected: float, digits: int, estimand: str, *keys: str) -> None:
    tolerance = 5 * result.error(estimand, *keys) + 0.5 * 10.0**-digits
    assert abs(result.value(estimand, *keys) - expected) < tolerance, (estimand, keys)


def pathways(**outcome: object) -> Scenario:
    """Return the logit example (a0 = 0, a_M = 0.8, b0 = 0.3, b_Z = -0.3, b_M = -0.5) with arms as -1/2 and +1/2."""
    violence = Outcome("y", intercepts=(0.15, 0.15), arm_effects=(-0.3, -0.3), mediators={"m": -0.5}, **outcome)
    return two_wave(violence, Mediator("m", intercepts=(0.4, 0.4), arm_effects=(0.8, 0.8), trait_sd=0.7))


@pytest.mark.parametrize(
    ("tau", "direct", "indirect", "total", "ratio"),
    [
        (0, -0.0686, -0.0911, -0.1598, 0.719),
        (1, -0.0586, -0.0778, -0.1364, 0.756),
        (2, -0.0441, -0.0587, -0.1028, 0.811),
        (3, -0.0339, -0.0451, -0.0790, 0.852),
    ],
)
def test_logit_example(tau, direct, indirect, total, ratio):
    result = truth(pathways(trait_sd=float(tau)), seed=1, population=400_000)
    near(result, direct, 4, "natural_direct", LATE)
    near(result, indirect, 4, "natural_indirect", LATE)
    near(result, total, 4, "risk_difference", LATE)
    assert abs(result.value("risk_ratio", LATE) - ratio) < 1e-3
    assert result.monte_carlo_se < 3e-4  # so that 5 errors and rounding stay near 1e-3


def test_logit_example_by_quadrature():
    """The same three numbers at tau = 2 from 80 x 80 nodes over trait and mediator, to the last printed digit."""
    spread = np.sqrt(0.7**2 + 1)

    def psi(z: int, source: int) -> float:
        mediator = 0.8 * source + spread * NODES[:, None]
        return float(WEIGHTS @ expit(0.3 - 0.3 * z - 0.5 * mediator + 2 * NODES[None, :]) @ WEIGHTS)

    result = truth(pathways(trait_sd=2.0), seed=2, population=400_000)
    near(result, psi(1, 0) - psi(0, 0), 8, "natural_direct", LATE)
    near(result, psi(1, 1) - psi(1, 0), 8, "natural_indirect", LATE)
    near(result, psi(0, 0), 8, "risk", "control", LATE)


@pytest.mark.parametrize(
    ("rho", "control", "direct", "indirect", "total", "ratio"),
    [
        (-0.6, 0.56542, -0.06542, -0.08693, -0.15235, 0.73056),
        (0.0, 0.57099, -0.07099, -0.09426, -0.16524, 0.71060),
        (0.6, 0.57826, -0.07826, -0.10383, -0.18209, 0.68511),
    ],
)
def test_probit_with_correlated_traits(rho, control, direct, indirect, total, ratio):
    scenario = replace(pathways(trait_sd=1.2, link="probit"), correlations=(Correlation("m", "y", rho),))
    result = truth(scenario, seed=3, population=400_000)
    near(result, control, 5, "risk", "control", LATE)
    near(result, direct, 5, "natural_direct", LATE)
    near(result, indirect, 5, "natural_indirect", LATE)
    near(result, total, 5, "risk_difference", LATE)
    assert abs(result.value("risk_ratio", LATE) - ratio) < 1e-3
    # With one mediator and nothing unmeasured the interventional effects are the natural ones.
    near(result, direct, 5, "interventional_direct", LATE)
    near(result, indirect, 5, "interventional_via", "m", LATE)


def test_linear_with_interaction():
    """A linear model with interaction, its covariate at 0.6 in the intercepts; m0, m1 are the arms' mediator means."""
    m0 = 0.2 + 0.3 * 0.6
    y0 = 0.1 + 0.2 * 0.6
    # theta_2 M + theta_3 Z M with Z = x + 1/2 is (theta_2 + theta_3 / 2) M + theta_3 x M.
    outcome = Outcome(
        "y",
        kind="continuous",
        intercepts=(y0 - 0.2,) * 2,
        arm_effects=(-0.4,) * 2,
        mediators={"m": 0.625},
        interactions={"m": 0.25},
    )
    mediator = Mediator("m", intercepts=(m0 + 0.35,) * 2, arm_effects=(0.7,) * 2)
    result = truth(two_wave(outcome, mediator), seed=4, population=20_000)
    near(result, -0.305, 6, "natural_direct", LATE)
    near(result, 0.525, 6, "natural_indirect", LATE)
    near(result, 0.220, 6, "mean_difference", LATE)


def test_linear_paths_through_two_mediators_in_sequence():
    """Y = 0.5 S + 2 I, I = 0.3 S + …: via S 0.5 a_S, via I 2 (a_I + 0.3 a_S); dependence 0 because Y is additive."""
    support = Mediator("s", intercepts=(0, 0), arm_effects=(0.8, 0.8), trait_sd=1.0)
    income = Mediator("i", intercepts=(0, 0), arm_effects=(-0.5, -0.5), same_wave={"s": 0.3})
    outcome = Outcome(
        "y",
        kind="continuous",
        intercepts=(0, 0),
        arm_effects=(0.1, 0.1),
        mediators={"s": 0.5, "i": 2.0},
        trait_sd=1.0,
    )
    scenario = two_wave(outcome, support, income, correlations=(Correlation("s", "y", 0.5),))
    result = truth(scenario, seed=5, population=20_000)
    for name in ("interventional_via", "interventional_via_reversed"):
        near(result, 0.4, 9, name, "s", LATE)
        near(result, -0.52, 9, name, "i", LATE)
    near(result, 0.1, 9, "interventional_direct", LATE)
    near(result, 0.0, 9, "dependence", LATE)
    near(result, -0.12, 9, "natural_indirect", LATE)


def test_linear_paths_from_the_wave_before():
    """S and I at the second follow-up carry 0.5 and 0.3 of the first's S, less its centre."""
    waves = (Wave("1", month=1), Wave("2", month=2), Wave("3", month=3))
    support = Mediator("s", intercepts=(1, 2, 0), arm_effects=(0.8, 0.2, 0), previous={"s": 0.5}, centre=0.4)
    paths = {"previous": {"s": 0.3}, "same_wave": {"s": 0.1}}
    income = Mediator("i", intercepts=(0, 0, 0), arm_effects=(0, -0.5, 0), centre=7, **paths)
    outcome = Outcome("y", "", "continuous", intercepts=(0,) * 3, arm_effects=(0,) * 3, mediators={"s": 1.0, "i": 2.0})
    scenario = Scenario("x", "x", waves, "3", Arm("a"), Arm("b"), (outcome,), mediators=(support, income))
    result = truth(scenario, seed=19, population=20_000)
    near(result, 0.2 + 0.5 * 0.8, 9, "mediator_difference", "s", "2")
    near(result, -0.5 + 0.3 * 0.8 + 0.1 * 0.6, 9, "mediator_difference", "i", "2")
    # Control, S_1 = 0.6: S_2 = 1.9 + 0.5 (S_1 - 0.4), I_2 = 0.25 + 0.3 (S_1 - 0.4) + 0.1 (S_2 - 0.4).
    near(result, 2.0, 9, "mediator_mean", "s", "control", "2")
    near(result, 0.47, 9, "mediator_mean", "i", "control", "2")
    near(result, 2.0 - 0.4 + 2 * (0.47 - 7), 9, "mean", "control", "3")
    near(result, 0.6 - 2 * 0.20, 9, "natural_indirect", "3")


def test_binary_mediator_by_enumeration():
    mediator = Mediator("m", kind="binary", intercepts=(0.3, 0.3), arm_effects=(1.0, 1.0))
    outcome = Outcome("y", intercepts=(-0.5, -0.5), arm_effects=(-0.4, -0.4), mediators={"m": 1.2})
    result = truth(two_wave(outcome, mediator), seed=20, population=200_000)

    def psi(z: float, source: float) -> float:
        share = expit(0.3 + source)
        return float(share * expit(0.7 - 0.4 * z) + (1 - share) * expit(-0.5 - 0.4 * z))

    near(result, psi(0.5, -0.5) - psi(-0.5, -0.5), 8, "natural_direct", LATE)
    near(result, psi(0.5, 0.5) - psi(0.5, -0.5), 8, "natural_indirect", LATE)


def test_linear_time_varying_confounder_leaves_natural_effects_and_moves_no_total():
    """With Y linear a confounder that the arm shifts (0.8) adds 0.5 x 0.8 x loading to each path, whoever draws it."""
    scenario = load("exposure_induced")
    linear = replace(
        scenario.with_outcome(kind="continuous", interactions={}, mediators={"social_support": -0.8}),
        mediators=scenario.mediators[:1],
    )
    result = truth(linear, seed=6, population=20_000)
    via = -0.8 * (0.6 + 0.7 * 0.8)
    direct = -0.2 - 0.8 * 0.8
    near(result, direct, 9, "natural_direct", LATE)
    near(result, via, 9, "natural_indirect", LATE)
    near(result, via, 9, "interventional_via", "social_support", LATE)


def test_marginal_risks_and_odds_ratio_by_quadrature():
    result = truth(load("effect").with_outcome(covariates={}), seed=7, population=400_000)
    control, treated = (float(WEIGHTS @ expit(-1.4 - 0.5 * x + 1.2 * NODES)) for x in (-0.5, 0.5))
    near(result, control, 8, "risk", "control", LATE)
    near(result, treated - control, 8, "risk_difference", LATE)
    odds_ratio = treated / (1 - treated) / (control / (1 - control))
    assert abs(result.value("odds_ratio", LATE) - odds_ratio) < 2e-4
    # Not collapsible: the marginal odds ratio is nearer to 1 than exp(-0.5).
    assert np.exp(-0.5) + 0.05 < odds_ratio


def test_rate_ratio_of_counts_is_collapsible():
    result = truth(load("counts").with_outcome(covariates={}), seed=8, population=200_000)
    assert abs(result.value("rate_ratio", LATE) - np.exp(-0.4)) < 1e-12
    near(result, np.exp(0.2 + 0.8**2 / 2), 8, "mean", "control", LATE)
    assert "odds_ratio" not in result.estimands


def test_regression_to_the_mean_as_published():
    result = truth(load("regression_to_the_mean"), seed=9, population=400_000)
    near(result, 0.528, 6, "risk", "control", "baseline")
    near(result, 0.484, 6, "risk", "treated", LATE)
    assert set(result.estimands["risk_difference"].values()) == {0.0}
    assert set(result.estimands["risk_ratio"].values()) == {1.0}


@pytest.mark.parametrize("broken", ["arm to mediators", "mediators to outcome"])
def test_indirect_effects_are_exactly_0_without_a_path(broken):
    scenario = load("mediation_clean")
    if broken == "arm to mediators":
        for mediator in scenario.mediators:
            scenario = scenario.with_mediator(mediator.column, arm_effects=(0.0,) * 4)
    else:
        scenario = scenario.with_outcome(mediators={})
    result = truth(scenario, seed=10, population=20_000)
    assert result.value("natural_indirect", LATE) == 0
    for column in ("social_support", "income_share"):
        assert result.value("interventional_via", column, LATE) == 0
        assert result.value("interventional_via_reversed", column, LATE) == 0
    assert result.value("natural_direct", LATE) < -0.02


def test_parts_sum_to_the_whole():
    for result in truths(load("undarga"), seed=11, population=20_000):
        if result.kind == "binary":
            total = result.value("risk_difference", LATE)
            assert abs(result.value("natural_direct", LATE) + result.value("natural_indirect", LATE) - total) < 1e-12
        for order in ("interventional_via", "interventional_via_reversed"):
            via = sum(effect[LATE] for effect in result.estimands[order].values())
            parts = result.value("interventional_direct", LATE) + via + result.value("dependence", LATE)
            assert abs(parts - result.value("interventional_total", LATE)) < 1e-12


def test_any_violence_is_at_least_each_kind_and_at_most_their_sum():
    anything, physical, sexual, _ = truths(load("undarga"), seed=12, population=20_000)
    for arm, waves in anything.estimands["risk"].items():
        for wave, risk in waves.items():
            parts = [kind.value("risk", arm, wave) for kind in (physical, sexual)]
            assert max(parts) < risk < sum(parts)


@pytest.mark.slow
def test_clean_mediation_has_equal_natural_and_interventional_effects():
    for name in ("mediation_clean", "correlated_traits"):
        result = truth(load(name), seed=13, population=100_000)
        near(result, result.value("natural_direct", LATE), 4, "interventional_direct", LATE)
        near(result, result.value("interventional_total", LATE), 4, "risk_difference", LATE)
        near(result, 0.0, 8, "dependence", LATE)
        # Only waves whose lagged mediator came after savings began have direct and indirect effects.
        assert list(result.estimands["natural_direct"]) == [LATE]


@pytest.mark.slow
def test_exposure_induced_confounding_parts_natural_from_interventional_effects():
    result = truth(load("exposure_induced"), seed=14, population=150_000)
    dependence = result.value("dependence", LATE)
    assert dependence > 5 * result.error("dependence", LATE)
    assert dependence > 0.005
    assert abs(result.value("natural_direct", LATE) - result.value("interventional_direct", LATE)) > 0.005
    assert abs(result.value("risk_difference", "post-test")) < 1e-12
    # Without U and without the path S -> I both differences vanish.
    clean = load("exposure_induced").with_outcome(confounder=0.0).with_mediator("income_share", same_wave={})
    clean = replace(clean, mediators=tuple(replace(m, confounder=0.0) for m in clean.mediators))
    unconfounded = truth(clean, seed=14, population=50_000)
    near(unconfounded, 0.0, 8, "dependence", LATE)
    near(unconfounded, unconfounded.value("natural_direct", LATE), 4, "interventional_direct", LATE)


def test_time_varying_confounding_parts_them_too():
    result = truth(load("time_varying_confounding"), seed=15, population=200_000)
    difference = result.value("natural_direct", LATE) - result.value("interventional_direct", LATE)
    assert difference > 5e-4


@pytest.mark.slow
@pytest.mark.parametrize("name", ["undarga", "exposure_induced", "counts", "misreporting"])
def test_brute_force_agrees_with_stored_potential_outcomes(name):
    """Means of stored potential values, events and all, against the averaged probabilities: two separate paths."""
    scenario, women = load(name), 60_000
    trial, last = simulate(scenario, 16, women), len(scenario.waves) - 1
    for result in truths(scenario, seed=17, population=60_000):
        potential, nested = trial.potential_outcomes[result.outcome], trial.nested_outcomes[result.outcome]
        risk = "risk" if result.kind == "binary" else "mean"
        for z, arm in enumerate(("control", "treated")):
            sample = potential[:, last, z]
            error = np.hypot(sample.std() / np.sqrt(women), result.error(risk, arm, LATE))
            assert abs(sample.mean() - result.value(risk, arm, LATE)) < 5 * error
        if scenario.mediators:
            change = nested[:, last, 1, 1] - nested[:, last, 1, 0]
            error = np.hypot(change.std() / np.sqrt(women), result.error("natural_indirect", LATE))
            assert abs(change.mean() - result.value("natural_indirect", LATE)) < 5 * error


def test_reported_risk_is_what_women_say():
    result = truth(load("misreporting"), seed=18, population=50_000)
    for arm, sensitivity in (("control", 0.9), ("treated", 0.75)):
        risk = result.value("risk", arm, LATE)
        expected = sensitivity * risk + 0.02 * (1 - risk)
        assert abs(result.value("reported_risk", arm, LATE) - expected) < 1e-12
    baseline = result.estimands["reported_risk"]
    assert baseline["control"]["baseline"] == baseline["treated"]["baseline"]


@pytest.mark.slow
def test_monte_carlo_errors_are_honest():
    """200 independent populations: the SD of their values over the reported error, within chi-squared's 1e-6 limits."""
    cases = {
        "mediation_clean": (("risk", "control", LATE), ("natural_indirect", LATE), ("dependence", LATE)),
        "regression_to_the_mean": (("risk", "control", "baseline"), ("risk", "treated", LATE)),
    }
    for name, estimands in cases.items():
        results = [truth(load(name), seed=seed, population=400) for seed in range(200)]
        for keys in estimands:
            spread = np.std([r.value(*keys) for r in results], ddof=1)
            stated = np.sqrt(np.mean([r.error(*keys) ** 2 for r in results]))
            assert 0.77 < spread / stated < 1.25, keys  # sqrt(chi2.ppf([1e-6, 1 - 1e-6], 199) / 199) = 0.77, 1.25


def test_weighted_means_are_those_of_women_who_entered():
    averages = Averages()
    weight, values = np.array([1.0, 0.0, 1.0, 2.0]), np.array([1.0, 9.0, 3.0, 5.0])
    averages.add(weight, {("x",): values})
    assert averages.means() == {("x",): pytest.approx((1 + 3 + 10) / 4)}


def test_standard_error_of_a_weighted_contrast_is_that_of_its_influence_values():
    rng = np.random.default_rng(1)
    weight, x, y = rng.random(1000), rng.normal(3, 1, 1000), rng.normal(5, 2, 1000)
    averages = Averages()
    averages.add(weight[:600], {("x",): x[:600], ("y",): y[:600]})
    averages.add(weight[600:], {("x",): x[600:], ("y",): y[600:]})
    mean_x, mean_y = (np.average(v, weights=weight) for v in (x, y))
    influence = weight * ((y - mean_y) - (x - mean_x)) / weight.mean()
    pairs = np.concatenate([influence[:300] + influence[300:600], influence[600:800] + influence[800:]]) / 2
    expected = pairs.std() / np.sqrt(500)
    assert averages.standard_error({("y",): 1.0, ("x",): -1.0}) == pytest.approx(expected, rel=1e-9)


def test_truth_refuses_what_it_cannot_do():
    with pytest.raises(ScenarioError, match="no outcome 'harm'"):
        truth(load("effect"), outcome="harm")
    with pytest.raises(ScenarioError, match="population is 1"):
        truth(load("effect"), population=1)
