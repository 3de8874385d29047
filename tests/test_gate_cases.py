"""Trials as the field brings them, through the whole analysis: what the gate and the ledger say of each."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from models.calibration import gate_trials
from models.checks.gate_table import Status
from models.equations.effect import Effect
from models.equations.effect_integrated import Integrated
from models.estimands import estimands
from models.inference import nuts
from models.inference.fitted import Specification
from models.runs import analysis
from models.trial.trial_rules import of_arms
from priors import prior_set

effect_integrated = Effect(Integrated())
pytestmark = pytest.mark.slow
SAMPLER = nuts.Sampler(draws=500, tune=400, chains=2, seed=1)
"""Quick: what it lacks in draws shows in checks of the sampler alone, which are not looked at here."""


def _analysed(study, trial) -> analysis.Analysis:
    asked = Specification.of(study, trial, effect_integrated, prior_set.load(), SAMPLER)
    return analysis.analyse(asked)


def _checks(found: analysis.Analysis) -> dict:
    return {check.name: check for check in found.gate.checks}


def _trial(kind: str, waves: int):
    """The first trial of a kind with so many waves, a baseline among them."""
    for number in range(100):
        study, trial = gate_trials.trial_of(kind, number, 1)
        if len(study.waves) == waves and study.waves[0].role == "baseline":
            return study, trial
    raise AssertionError(f"no trial of {kind} has {waves} waves")


@pytest.fixture(scope="module")
def growing() -> dict:
    """Standard deviations that grow 2.5-fold by the last wave (R1)."""
    return _checks(_analysed(*_trial("sd by wave", 4)))


def test_unequal_spreads_are_part_of_the_model(growing):
    """With one SD the interval was too narrow and both checks saw it."""
    assert growing["standard deviations by arm and wave"].status == Status.GREEN
    assert growing["interval beside the robust one"].status == Status.GREEN


def test_checks_of_counts_do_not_apply_to_scores(growing):
    assert not growing["zeros beyond the model"].applies
    assert not growing["modelled mean beside the crude one"].applies


@pytest.fixture(scope="module")
def zeros() -> dict:
    """Seven in ten participants never have any event (R6)."""
    study, trial = _trial("zero participants", 2)
    never = xr.DataArray(np.random.default_rng(1).random(trial.sizes["participant"]) < 0.4, dims="participant")
    more = trial["outcome"].where(~never, 0.0).transpose("participant", "wave")
    return _checks(_analysed(study, trial.assign(outcome=4 * more)))


def test_structural_zeros_are_seen_and_named(zeros):
    assert zeros["zeros beyond the model"].status != Status.GREEN
    assert set(zeros["zeros beyond the model"].figures) == {"participants"}


def test_a_mean_beyond_the_data_is_red_for_that_reason(zeros):
    assert zeros["modelled mean beside the crude one"].status == Status.RED


@pytest.fixture(scope="module")
def empty():
    """One wave of four at which nobody was seen, and one at which somebody was lost (R5)."""
    study, trial = _trial("binary", 4)
    outcome = trial["outcome"].copy()
    outcome[:] = np.where(np.isnan(outcome), 0.0, outcome)
    outcome.loc[{"wave": "m6"}] = np.nan
    outcome[0, 1] = np.nan
    trial = trial.assign(outcome=outcome)
    return study, trial, _analysed(study, trial)


def test_a_wave_without_data_has_no_number(empty):
    _, _, found = empty
    rows = found.table[found.table.wave == "m6"]
    assert set(rows.evidence) == {"not identified"}
    assert rows["median"].isna().all()
    assert rows.reason.str.contains("No outcome was observed").all()
    assert {"risk", "risk_difference", "risk_ratio", "odds_ratio", "change"} <= set(rows.estimand)


def test_each_wave_has_its_own_class(empty):
    _, _, found = empty
    rows = found.table[(found.table.estimand == "risk_difference") & (found.table.average == "population")]
    assert dict(zip(rows.wave, rows.evidence, strict=True)) == {
        "m3": "randomised + MAR", "m6": "not identified", "m12": "randomised"
    }  # fmt: skip


def test_a_change_needs_both_of_its_waves(empty):
    study, trial, _ = empty
    lost = trial["outcome"].copy()
    lost[1, 0] = np.nan  # at the baseline
    assert estimands.missing(study, trial.assign(outcome=lost), "m0")
    assert not estimands.missing(study, trial.assign(outcome=lost), "m12")


def test_the_effects_own_contraction_stands_beside_that_of_the_difference(empty):
    _, _, found = empty
    row = found.table[found.table.primary].iloc[0]
    theta = found.tree["posterior"]["theta"].sel(follow_up=row.wave)
    left = float(theta.var(ddof=1)) / 0.7**2
    # the prior's variance is that of 8,000 draws: its relative error is √(2 / 8000), here four times
    assert abs(row.effect_contraction - (1 - left)) < 4 * np.sqrt(2 / 8000) * left
    assert row.effect_contraction != row.contraction
    check = _checks(found)["contraction of the primary effect"]
    assert check.value == row.effect_contraction


@pytest.mark.parametrize("arm", [0, 1])
def test_an_arm_without_outcomes_at_the_primary_wave_is_refused(empty, arm):
    study, trial, _ = empty
    there = (trial["wave"] == study.primary_wave) & (trial["arm"] == arm)
    faults = of_arms(study, trial.assign(outcome=trial["outcome"].where(~there)))
    assert len(faults) == 1
    assert "primary wave" in str(faults[0])
