"""Mediators in a study file and its data: what is refused, what is left out with a reason, and what is said."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from models.design.layout import design
from models.equations.mediation import Mediation
from models.estimands import path_estimates
from models.estimands.estimands import contrasts, estimates
from models.estimands.ledger import Evidence
from models.estimands.path_draws import PathDraws
from models.estimands.path_effects import path_draws
from models.estimands.response import response
from models.faults import InvalidInput
from models.inference import nuts
from models.simulation import simulated_trial
from models.trial.study_file.study import parse
from priors import prior_set
from tests import pinned_mediation, small_trial, trials

mediation = Mediation()


@pytest.fixture(scope="module")
def trial():
    return trials.simulated(simulated_trial.load("mediation_clean"), 2)


def _fault(*changes) -> str:
    with pytest.raises(InvalidInput) as caught:
        parse(small_trial.changed(*changes))
    return str(caught.value)


def test_a_lag_longer_than_the_study_is_refused():
    assert "less than 3, the number of waves; 0" in _fault(("lag", 3))
    assert parse(small_trial.changed(("lag", 2))).lag == 2
    assert parse(small_trial.changed(("lag", 0))).lag == 0
    assert parse(small_trial.changed(("lag", 9), ("mediators", []))).lag == 9, "nothing to act on: nothing to refuse"


def test_what_a_mediator_cannot_have():
    assert "only of a continuous mediator" in _fault(("mediators.1.family", "student"))
    assert "between 0 and 1" in _fault(("mediators.1.reference", 1.5))
    assert '"identity" is for other kinds' in _fault(("outcome.link", "identity"))
    assert "lag" in _fault(("lag", -1))
    counted = ("outcome", small_trial.STUDY["further_outcomes"][0]), ("further_outcomes", [])
    assert "exp(slope × t) is infinite" in _fault(*counted, ("mediators.0.family", "student"))
    yes_or_no = {"column": "support", "kind": "binary", "label": "support", "reference": 0.4}
    assert "held at 0 or at 1" in _fault(("mediators.0", yes_or_no))
    assert "mediators" in _fault(("mediators", [{"column": f"m{k}", "kind": "share", "label": "m"} for k in range(7)]))


def test_a_share_outside_0_to_1_is_refused(tmp_path):
    rows = small_trial.with_cells((2, "income", "1.25"))
    with pytest.raises(InvalidInput, match=r"row 2, income: '1\.25' \(allowed: a share from 0 to 1"):
        small_trial.loaded(tmp_path, small_trial.text_of(rows))


def _with(trial, place: int, change) -> tuple:
    study, data = trial
    values = data["mediator_value"].to_numpy().copy()
    change(values[place], data["arm"].to_numpy())
    return study, data.assign(mediator_value=(data["mediator_value"].dims, values))


def _all_missing(value, arm):
    value[...] = np.nan


def _constant(value, arm):
    value[...] = 0.3


def _missing_in_one_arm(value, arm):
    value[arm == 1] = np.nan


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_all_missing, "no value was observed"),
        (_constant, "every observed value is 0.3"),
        (_missing_in_one_arm, "no value was observed in the treated arm"),
    ],
)
def test_a_mediator_that_cannot_be_modelled_is_left_out_with_the_reason(trial, change, words):
    layout = design(*_with(trial, 0, change))
    assert layout.mediators.name == ("income_share",)
    assert words in layout.mediators.left_out["social_support"]
    assert any(words in note for note in mediation.notes(layout)), "the report prints it"
    assert not mediation.lacking(layout)
    nothing = design(*_with(_with(trial, 0, change), 1, change))
    assert words in mediation.lacking(nothing)


def test_a_mediator_constant_in_one_arm_is_kept_and_said(trial):
    def constant(value, arm):
        value[arm == 0] = 0.0

    study, data = _with(trial, 1, constant)
    layout = design(study, data)
    assert "income_share" in layout.mediators.name
    assert any("every observed value in the arm 'training' is 0" in note for note in layout.mediators.notes)
    hidden = study.model_copy(update={"privacy": study.privacy.model_copy(update={"minimum_cell": 1000})})
    assert not any("every observed value" in note for note in design(hidden, data).mediators.notes)


def test_a_wave_without_the_mediator_has_no_term_and_no_effects(trial):
    def gone(value, arm):
        value[:, 2] = np.nan

    study, data = _with(trial, 0, gone)
    layout = design(study, data)
    place = layout.mediators.name.index("social_support")
    assert list(layout.mediators.followed[place]) == [False, True, True, False]
    assert layout.mediators.acts[place].all(), "what it was there is latent"
    assert any("not measured at the wave" in note for note in layout.mediators.notes)
    draws = pinned_mediation.posterior(layout, 3)
    found = path_draws(draws, layout, [part.column for part in study.mediators])
    assert "total" not in found.values
    rows = path_estimates.estimates(found, study, data, layout)
    none = next(row for row in rows if row.estimand == "paths" and row.wave == "6 months")
    assert none.claim.evidence is Evidence.NOT_IDENTIFIED
    assert none.reason == "No ordered mediator: not every mediator was measured at the wave that it follows."
    shown = {(row.mediator, row.wave) for row in rows if row.estimand == "mediator_mean"}
    assert ("social_support", "3 months") not in shown
    assert ("income_share", "3 months") in shown


def test_a_wave_measured_in_one_arm_alone_tells_nothing_there(trial):
    def gone(value, arm):
        value[arm == 1, 2:] = np.nan

    study, data = _with(trial, 0, gone)
    layout = design(study, data)
    assert any("not measured in the arm 'training plus savings'" in note for note in layout.mediators.notes)
    found = path_draws(pinned_mediation.posterior(layout, 3), layout, [part.column for part in study.mediators])
    assert "total" not in found.values
    rows = path_estimates.estimates(found, study, data, layout)
    shown = {row.wave for row in rows if row.estimand == "mediator_difference" and row.mediator == "social_support"}
    assert shown == {"post-test"}


def test_lag_0_is_allowed_and_warned_about(trial):
    study, data = trial
    layout = design(study.model_copy(update={"lag": 0}), data)
    assert layout.mediators.acts.all(), "at baseline too"
    later = design(study.model_copy(update={"lag": 0, "acts_at_baseline": False}), data)
    assert later.mediators.acts[:, 1:].all()
    assert not later.mediators.acts[:, 0].any(), "no term at baseline"
    assert "looks back over a period" in layout.mediators.notes[0]
    assert "looks back" not in " ".join(design(study, data).mediators.notes)


def test_no_mediators_no_paths(trial):
    study, data = trial
    without = study.model_copy(update={"mediators": ()})
    layout = design(without, data.isel(mediator=[]))
    assert mediation.lacking(layout) == "The study file names no mediator."
    assert path_estimates.estimates(PathDraws(), without, data, layout) == []


def _rows(trial, **changes):
    study, data = trial
    study = study.model_copy(update=changes)
    layout = design(study, data)
    draws = pinned_mediation.posterior(layout, 200, **{"mediator_tau": 0.5, "tau": 0.5, "step": -1.0})
    order = [part.column for part in study.mediators]
    found = path_draws(draws, layout, order)
    rows = path_estimates.estimates(found, study, data, layout)
    levels = response(mediation, draws, layout)
    more = path_estimates.training(
        rows, levels, trials.fit_of(study, layout, draws, mediation, sampler=nuts.Sampler(seed=1))
    )
    return study, [*rows, *more], estimates(contrasts(levels, study), study, data)


@pytest.mark.slow
def test_the_remainder_is_never_the_trainings_effect(trial):
    """What is left for the common part is assumption-driven, and its effect is not identified."""
    _, rows, rest = _rows(trial, add_on=True)
    left = [row for row in rows if row.estimand == "change_training"]
    assert {row.wave for row in left} == {"3 months", "6 months"}
    for row in left:
        assert row.claim.evidence is Evidence.ASSUMPTION
        assert "d" in row.claim.bias_parameters
        assert "a description, not an effect" in row.claim.assumptions[0]
    common = next(row for row in rest if row.estimand == "effect_of_common_part")
    assert common.claim.evidence is Evidence.NOT_IDENTIFIED
    assert common.draws is None
    assert not [row for row in _rows(trial, add_on=False)[1] if row.estimand.startswith("change_training")]
    remainder = next(row for row in rows if row.estimand == "change_remainder" and row.wave == "6 months")
    spread = [float(np.std(row.draws)) for row in (remainder, left[0])]
    assert spread[1] > spread[0], "d adds its own doubt"


def test_w_is_offered_only_where_the_remainder_has_one_sign(trial):
    study, rows, _ = _rows(trial, add_on=True)
    for wave in ("3 months", "6 months"):
        remainder = next(row for row in rows if row.estimand == "change_remainder" and row.wave == wave)
        sure = path_estimates.common_change.one_sign(remainder.draws.to_numpy())
        offered = [row for row in rows if row.estimand == "change_training_share" and row.wave == wave]
        assert len(offered) == sure
    tipping = path_estimates.tipping(rows, study)
    assert set(tipping) == {row.wave for row in rows if row.estimand == "change_training_share"}


def test_the_tipping_share():
    from models.estimands.common_change import tipping_share

    remainder = -np.linspace(0.2, 0.4, 100_001)
    # P(w · remainder < −0.1) > .95 where w · 0.21 = 0.1
    assert tipping_share(remainder, 0.1, lower_is_better=True) == pytest.approx(0.1 / 0.21, rel=1e-4)
    assert np.isnan(tipping_share(remainder, 0.1, lower_is_better=False))
    assert np.isnan(tipping_share(remainder, 0.3, lower_is_better=True))


def test_d_stays_possible():
    from models.estimands.common_change import untreated_change

    prior = prior_set.load()["change_without_training"]
    before = np.full((4, 5000), 0.05)
    d = untreated_change(prior, before, pinned_mediation.four_waves(), 3)
    assert (before + d > 0).all()
    assert (before + d < 1).all()
    free = untreated_change(prior, np.full((4, 5000), 0.5), pinned_mediation.four_waves(), 3)
    # 20,000 draws: standard errors 0.0014 and 0.001
    assert free.mean() == pytest.approx(-0.07, abs=0.007)
    assert free.std() == pytest.approx(0.1, abs=0.004)


@pytest.mark.parametrize("name", prior_set.shipped())
def test_d_is_centred_on_regression_to_the_mean_and_drift_and_0_stays_plausible(name):
    from models.estimands.path_estimates import _untreated
    from models.trial.study_file.study import Outcome

    def row(better: str):
        outcome = Outcome.model_construct(better=better)
        return _untreated(SimpleNamespace(outcome=outcome), prior_set.load(name)).arguments

    lower, higher = row("lower"), row("higher")
    assert lower["mean"] == -0.07 == -higher["mean"]
    assert abs(lower["mean"]) < lower["sd"], "no change at all lies within one SD"
