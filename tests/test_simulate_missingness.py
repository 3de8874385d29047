"""Missing data come about as the scenario says: by chance, by the observed past, or by the unseen value.

Checks allow 5 standard errors (false alarm 6e-7 each); log odds ratios have the error sqrt(Σ 1 / cell).
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit

from models.simulation.scenario_parts import Missingness
from models.simulation.simulated_trial import load, simulate

LARGE = 200_000


def log_odds_ratio(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    cells = np.array([[np.sum((first == a) & (second == b)) for b in (0, 1)] for a in (0, 1)], float)
    value = np.log(cells[1, 1] * cells[0, 0] / (cells[0, 1] * cells[1, 0]))
    return float(value), float(np.sqrt(np.sum(1 / cells)))


def test_completely_at_random_ignores_arm_and_outcome():
    trial = simulate(load("mcar"), 1, LARGE)
    lost = ~trial.seen
    assert not lost[:, 0].any()
    # Dropout starts at the third wave, beside missed visits: 1 - 0.95 * 0.92 there, 1 - 0.95² * 0.92 at the last.
    for wave, rate in enumerate((0, 0.08, 1 - 0.95 * 0.92, 1 - 0.95**2 * 0.92)):
        assert abs(lost[:, wave].mean() - rate) <= 5 * np.sqrt(rate * (1 - rate) / LARGE)
    for value in (trial.arm, trial.true_outcomes["violence"][:, 3], trial.true_outcomes["violence"][:, 2]):
        estimate, error = log_odds_ratio(lost[:, 3], value)
        assert abs(estimate) < 5 * error


def test_at_random_follows_arm_and_last_reported_outcome_exactly():
    trial = simulate(load("mar"), 2, LARGE)
    violence, present = trial.outcomes["violence"], trial.seen
    for wave in (1, 2, 3):
        at_risk = present[:, wave - 1]
        for z in (0, 1):
            for last in (0, 1):
                women = at_risk & (trial.arm == z) & (violence[:, wave - 1] == last)
                rate = expit(logit(0.06) - 0.8 * (z - 0.5) + 1.8 * last)
                assert abs(np.mean(~present[women, wave]) - rate) < 5 * np.sqrt(rate * (1 - rate) / women.sum())


def test_at_random_ignores_the_unseen_value_given_traits_and_past():
    scenario = load("mar").with_outcome(trait_sd=0.0, covariates={})
    trial = simulate(scenario, 3, LARGE)
    # Without a trait the visits are independent, so the past that decides says nothing of the present.
    for z in (0, 1):
        women = (trial.arm == z) & trial.seen[:, 2]
        estimate, error = log_odds_ratio(~trial.seen[women, 3], trial.true_outcomes["violence"][women, 3])
        assert abs(estimate) < 5 * error


def test_at_random_biases_the_crude_difference_of_those_seen():
    trial = simulate(load("mar"), 4, LARGE)
    seen, full = (
        [np.nanmean(o["violence"][trial.arm == z, 3]) for z in (0, 1)] for o in (trial.outcomes, trial.true_outcomes)
    )
    assert seen[1] - seen[0] > full[1] - full[0] + 0.02


def test_dropout_is_for_good_and_a_missed_visit_is_not():
    gone = ~simulate(load("mar"), 5, 5000).seen
    assert np.array_equal(gone, np.maximum.accumulate(gone, axis=1))
    missed = ~simulate(load("mnar"), 5, 5000).seen
    assert np.any(missed[:, 2] & ~missed[:, 3])


def test_not_at_random_has_exactly_the_stated_log_odds_ratio():
    scenario = load("mnar")
    trial = simulate(scenario, 6, LARGE)
    for z, delta in enumerate(scenario.missingness[0].current_outcome):
        arm = trial.arm == z
        for wave in (2, 3):
            estimate, error = log_odds_ratio(~trial.seen[arm, wave], trial.true_outcomes["violence"][arm, wave])
            assert abs(estimate - delta) < 5 * error


def test_not_at_random_biases_the_crude_difference():
    trial = simulate(load("mnar"), 7, LARGE)
    seen, full = (
        [np.nanmean(o["violence"][trial.arm == z, 3]) for z in (0, 1)] for o in (trial.outcomes, trial.true_outcomes)
    )
    assert seen[1] - seen[0] < full[1] - full[0] - 0.05


def test_last_observed_mediator_can_decide_who_leaves():
    mechanism = Missingness("intermittent", (0, 0, 0, 0.2), last_mediators={"social_support": -2.0})
    trial = simulate(replace(load("mediation_clean"), missingness=(mechanism,)), 8, 20_000)
    last, lost = trial.mediators["social_support"][:, 2], ~trial.seen[:, 3]
    assert last[lost].mean() < last[~lost].mean() - 0.5


def test_a_value_missed_before_leaves_the_one_seen_earlier_as_the_last():
    always = Missingness("intermittent", (0, 1 - 1e-12, 0, 0))
    decides = Missingness("intermittent", (0, 0, 1e-9, 0), last_outcome=40.0)
    trial = simulate(replace(load("effect"), missingness=(always, decides)), 9, 5000)
    assert not trial.seen[:, 1].any()
    assert np.array_equal(~trial.seen[:, 2], trial.outcomes["violence"][:, 0] == 1)


def test_blank_answers_touch_only_their_column():
    trial = simulate(load("undarga"), 10, 50_000)
    blank = np.isnan(trial.mediators["income_share"]) & trial.seen
    rate = blank.sum() / trial.seen.sum()
    assert abs(rate - 0.03) < 5 * np.sqrt(0.03 * 0.97 / trial.seen.sum())
    for column in ("violence_any", "social_support"):
        values = {**trial.outcomes, **trial.mediators}[column]
        assert np.array_equal(np.isnan(values), ~trial.seen)


def test_at_baseline_nothing_depends_on_the_arm():
    blank = Missingness("intermittent", (0.3,) * 4, arm=2.0, columns=("social_support",))
    trial = simulate(replace(load("mediation_clean"), missingness=(blank,)), 13, LARGE)
    missed = np.isnan(trial.mediators["social_support"])
    for wave, effect in ((0, 0.0), (1, 2.0)):
        estimate, error = log_odds_ratio(missed[:, wave], trial.arm)
        assert abs(estimate - effect) < 5 * error


def test_rows_of_the_data_are_the_visits_that_took_place():
    trial = simulate(load("undarga"), 11, 500)
    columns = trial.columns
    assert {len(values) for values in columns.values()} == {int(trial.seen.sum())}
    keys = list(zip(columns["participant"].tolist(), columns["wave"].tolist(), strict=True))
    assert len(set(keys)) == len(keys)
    women, waves = np.nonzero(trial.seen)
    assert np.array_equal(columns["violence_any"], trial.true_outcomes["violence_any"][women, waves])
    assert np.array_equal(columns["arm"] == "savings", trial.arm[women] == 1)


@pytest.mark.parametrize("name", ["mcar", "mar", "mnar"])
def test_missing_data_leave_the_truth_alone(name):
    complete, observed = simulate(load("effect"), 12), simulate(load(name), 12)
    assert np.array_equal(complete.true_outcomes["violence"], observed.true_outcomes["violence"])
    assert np.isnan(observed.outcomes["violence"]).any()
