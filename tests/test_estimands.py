"""Estimands and their ledger: identities at every draw, known answers, no number without a claim."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from models.equations import averages
from models.equations.effect import Effect
from models.estimands import estimands, ledger, summary
from models.estimands.ledger import Claim, Estimate, Evidence, randomised
from models.estimands.response import response
from models.simulation import simulated_trial
from models.trial.study_file.study import Study
from tests import pinned, trials

effect = Effect()


@pytest.fixture(scope="module")
def trial():
    return trials.simulated(simulated_trial.load("effect"), 1)


def _response(risks: np.ndarray) -> xr.DataArray:
    """Constant risks (arm, wave) at every draw, the same for the three averages."""
    values = np.broadcast_to(risks, (2, 5, 3, *risks.shape)).copy()
    coordinates = {"average": list(averages.AVERAGES), "arm": ["control", "treated"], "wave": list(pinned.WAVES)}
    return xr.DataArray(values, coordinates, dims=("chain", "draw", "average", "arm", "wave")).assign_coords(
        chain=[0, 1], draw=np.arange(5)
    )


RISKS = np.array([[0.44, 0.40, 0.30, 0.20], [0.44, 0.42, 0.24, 0.12]])


def test_contrasts_by_hand(trial):
    found = estimands.contrasts(_response(RISKS), trial[0]).sel(average="population").isel(chain=0, draw=0)
    last = found.sel(contrast="6 months")
    assert float(last["risk_difference"]) == pytest.approx(-0.08)
    assert float(last["risk_ratio"]) == pytest.approx(0.6)
    assert float(last["odds_ratio"]) == pytest.approx((0.12 / 0.88) / (0.2 / 0.8))
    assert float(last["change"].sel(arm="control")) == pytest.approx(0.20 - 0.44)
    assert list(found["contrast"].to_numpy()) == ["post-test", "3 months", "6 months"]


def test_ratio_and_odds_ratio_come_from_the_same_two_risks(trial):
    """RD = r0 (RR − 1), and the odds ratio from the same two risks, at every draw."""
    layout = pinned.layout()
    everybody = response(effect, pinned.posterior(layout), layout)
    found = estimands.contrasts(everybody, trial[0])
    r0 = everybody.sel(arm="control").isel(wave=slice(1, None)).to_numpy()
    np.testing.assert_allclose(found["risk_ratio"], 1 + found["risk_difference"] / r0, rtol=1e-12)
    r1 = found["risk_ratio"].to_numpy() * r0
    np.testing.assert_allclose(found["odds_ratio"], r1 / (1 - r1) * (1 - r0) / r0, rtol=1e-9)


@pytest.mark.parametrize(
    ("tau", "difference", "ratio", "needed"),
    [(0, -0.1598, 0.719, 6.26), (1, -0.1364, 0.756, 7.33), (2, -0.1028, 0.811, 9.72), (3, -0.0790, 0.852, 12.66)],
)
def test_total_effect_of_the_known_example(trial, tau, difference, ratio, needed):
    """Total effect: with the mediator integrated out, its trait and noise join the outcome's trait.

    β₀ = .3, β_Z = −.3, β_M = −.5, α_M = .8, σ_M = 1, τ_M = .7: the total log-odds effect is −.3 − .5 × .8 = −.7 and the
    trait's variance τ² + .25 (1 + .49).
    """
    layout = pinned.layout(covariates=0)
    spread = np.sqrt(tau**2 + 0.25 * 1.49)
    draws = pinned.posterior(layout, draws=50, mu_0=0.3 - 0.35, step=0.0, theta=-0.7, tau=spread)
    found = estimands.contrasts(response(effect, draws, layout), trial[0]).sel(
        average="population", contrast="6 months"
    )
    # printed to four digits: half a unit of the last
    assert float(found["risk_difference"][0, 0]) == pytest.approx(difference, abs=5.1e-5)
    assert float(found["risk_ratio"][0, 0]) == pytest.approx(ratio, abs=5.1e-4)
    assert 1 / abs(float(found["risk_difference"].median())) == pytest.approx(needed, abs=5.1e-3)


def _table(study: Study, data: xr.Dataset, layout, draws) -> object:
    posterior = estimands.contrasts(response(effect, draws, layout), study)
    found = estimands.estimates(posterior, study, data)
    before = [replace(each, draws=each.draws * 2) if each.draws is not None else each for each in found]
    return summary.summarise(ledger.with_prior(found, before), study)


@pytest.fixture(scope="module")
def table(trial):
    layout = pinned.layout()
    return _table(*trial, layout, pinned.posterior(layout, draws=200))


def test_every_row_carries_its_class_and_assumptions(table):
    assert set(table.evidence) <= {str(each) for each in Evidence}
    assert all(phrases and all(len(phrase) > 5 for phrase in phrases) for phrases in table.assumptions)


def test_classes_follow_the_ledger(table):
    population = table[table.average == "population"].set_index(["estimand", "wave", "arm"]).evidence
    assert population["risk_difference", "6 months", ""] == "randomised"
    assert population["risk_difference", "post-test", ""] == "randomised"
    assert population["change", "6 months", "control"] == "assumption-driven"
    assert set(table[table.average == "typical"].evidence) == {"assumption-driven"}


def test_missing_outcomes_add_mar_to_the_class():
    study, data = trials.simulated(simulated_trial.load("mar"), 3)
    assert bool(data["outcome"].isnull().any())
    layout = pinned.layout()
    table = _table(study, data, layout, pinned.posterior(layout, draws=20))
    primary = table[table.primary].iloc[0]
    assert primary.evidence == "randomised + MAR"
    assert any("(MAR)" in phrase for phrase in primary.assumptions)


def test_participants_who_are_not_in_the_file_are_missing_too(trial):
    study, data = trial
    control = study.arms.control.model_copy(update={"randomised": 60})
    short = study.model_copy(update={"arms": study.arms.model_copy(update={"control": control})})
    layout = pinned.layout()
    table = _table(short, data, layout, pinned.posterior(layout, draws=20))
    assert table[table.primary].iloc[0].evidence == "randomised + MAR"


def test_what_the_design_cannot_identify_has_a_reason_and_no_number(table):
    rows = table[table.evidence == "not identified"]
    assert len(rows) == 2
    assert rows["median"].isna().all()
    assert (rows.reason.str.len() > 40).all()
    training = rows[rows.estimand == "effect_of_common_part"].iloc[0]
    assert "calendar time" in training.reason
    assert "regression to the mean" in training.reason


def test_an_addition_to_a_common_part_has_its_own_reasons(trial):
    study, data = trial
    layout = pinned.layout()
    added = _table(study.model_copy(update={"add_on": True}), data, layout, pinned.posterior(layout, draws=20))
    rows = added[added.evidence == "not identified"].set_index("estimand")
    assert rows.reason["effect_of_common_part"].startswith("Both arms received it")
    assert rows.reason["effect_of_addition_alone"] == "The addition was never given without training."


def test_the_primary_row_is_the_population_difference_at_the_primary_wave(table):
    primary = table[table.primary]
    assert list(primary.estimand) == ["risk_difference"]
    assert list(primary.average) == ["population"]
    assert list(primary.wave) == ["6 months"]


def test_probabilities_follow_direction_and_margin(trial):
    study, data = trial
    layout = pinned.layout()
    draws = pinned.posterior(layout, draws=200)
    lower = _table(study, data, layout, draws)
    better = study.model_copy(update={"outcome": study.outcome.model_copy(update={"better": "higher"})})
    higher = _table(better, data, layout, draws)
    one, other = (each[each.primary].iloc[0] for each in (lower, higher))
    assert one.p_benefit == one.p_below_zero
    assert other.p_benefit == pytest.approx(1 - one.p_below_zero)
    assert other.p_harm_beyond_margin == one.p_benefit_beyond_margin
    assert one.p_benefit_beyond_margin + one.p_harm_beyond_margin + one.p_within_margin == pytest.approx(1)


def test_needed_to_treat_comes_from_the_summary(table):
    row = table[(table.estimand == "number_needed_to_treat") & (table.wave == "6 months")].iloc[0]
    difference = table[table.primary].iloc[0]["median"]
    assert row["median"] == pytest.approx(1 / abs(difference))
    assert np.isnan(row["lower"])


def test_contraction_is_one_minus_the_ratio_of_variances(table):
    # the prior of this fixture is the posterior doubled: 1 − 1/4; for ratios the logarithm is shifted, not stretched
    known = table[table.contraction.notna()]
    ratio = known.unit == "ratio"
    np.testing.assert_allclose(known.contraction[~ratio], 0.75, atol=1e-12)
    np.testing.assert_allclose(known.contraction[ratio], 0.0, atol=1e-12)


def test_an_estimate_without_a_claim_cannot_be_constructed():
    draws = xr.DataArray(np.zeros((2, 3)), dims=("chain", "draw"))
    with pytest.raises(TypeError):
        Estimate("x", "x", "risk", "population", "", "", draws=draws)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="evidence class"):
        Estimate("x", "x", "risk", "population", "", "", "randomised", draws)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="assumption"):
        Claim(Evidence.RANDOMISED, ())


def test_what_is_not_identified_cannot_carry_a_number():
    draws = xr.DataArray(np.zeros((2, 3)), dims=("chain", "draw"))
    none = Claim(Evidence.NOT_IDENTIFIED, ("none would suffice",))
    with pytest.raises(ValueError, match="only to them"):
        Estimate("training", "t", "risk", "population", "", "", none, draws)
    with pytest.raises(ValueError, match="only to them"):
        Estimate("effect", "e", "risk", "population", "", "", randomised(False))
    with pytest.raises(ValueError, match="say why"):
        Estimate("training", "t", "", "population", "", "", none)


def test_counts_have_means_and_rate_ratios_but_no_odds():
    study, _ = trials.simulated(simulated_trial.load("counts"), 1)
    layout = pinned.layout("negative binomial")
    found = estimands.contrasts(response(effect, pinned.posterior(layout), layout), study)
    assert set(found.data_vars) == {"mean", "mean_difference", "rate_ratio", "change"}
    np.testing.assert_allclose(
        found["rate_ratio"],
        found["mean"].sel(arm="treated").isel(wave=slice(1, None)).to_numpy()
        / found["mean"].sel(arm="control").isel(wave=slice(1, None)).to_numpy(),
    )


def test_a_trial_without_baseline_has_no_change(trial):
    study = trial[0].model_copy(update={"waves": trial[0].waves[1:]})
    everybody = _response(RISKS).sel(wave=list(pinned.WAVES[1:]))
    assert "change" not in estimands.contrasts(everybody, study)


def test_odds_are_finite_where_a_risk_reaches_its_end(trial):
    """A probit's tail does: 0 and 1 differ by as much as a double can tell, equal risks by nothing."""
    ends = np.array([[0.44, 0.40, 1.0, 1.0], [0.44, 0.42, 1.0, 0.0]])
    found = estimands.contrasts(_response(ends), trial[0])["odds_ratio"]
    assert (found.sel(contrast="3 months") == 1).all()
    assert np.isfinite(found.sel(contrast="6 months")).all()
    assert (found.sel(contrast="6 months") < 1e-30).all()
