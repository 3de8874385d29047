"""Calibration: ranks are uniform where all is right, and only there; the summary's arithmetic."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from models.calibration import calibration_study as study
from models.calibration import operating_characteristics, quantities, replication, simulated_trials
from models.calibration.analysed import analysed
from models.calibration.plan import KINDS, Plan, kind_of, number_of
from models.checks.uniformity import curve
from models.design.layout import design
from models.equations.effect import Effect
from models.equations.effect_integrated import Integrated
from models.equations.mediation import Mediation
from models.faults import SamplerFailed
from models.outcomes import FAMILIES
from models.simulation import scenario_file, simulated_trial
from models.simulation.true_values import truth
from priors import prior_set
from reports.simulations import calibration_page
from tests import pinned_mediation
from tests.plans import quick

effect = Effect()
mediation = Mediation()

REPLICATIONS = 60
SMALL = simulated_trial.resized(simulated_trial.load("effect"), 60)
PLAIN = replace(SMALL.with_outcome(covariates={}), covariates=())
"""Without covariates histories are few, and a fit takes a fraction of a second: for what must be caught."""


def _ranked(plan):
    """Verdict of each quantity's ranks after a short calibration; a false alarm in 1 of 100 runs, and a fixed seed."""
    table = operating_characteristics.table(
        replication.replicate(plan, number_of("prior", k)) for k in range(REPLICATIONS)
    )
    names = table["quantity"].unique()
    return {
        name: curve(rows["rank"].to_numpy(), replication.RANKS, 1 - 0.01 / len(names)).inside
        for name, rows in table.groupby("quantity")
    }


@pytest.mark.slow
def test_ranks_are_uniform_for_parameters_and_estimands():
    found = _ranked(quick(scenario=SMALL))
    assert {"tau", "theta[6 months]", "risk_difference[6 months]", "risk[treated, 6 months]"} <= set(found)
    assert all(found.values()), found


@pytest.mark.slow
def test_a_wrong_prior_is_caught(monkeypatch):
    """Truths from priors three times as wide as those of the fit: arm effects lie too far out."""
    plan = quick(scenario=PLAIN)
    wide = prior_set.load().scaled(3.0)

    class Wide(Effect):
        def prior(self, design, priors, draws, seed):
            return effect.prior(design, wide, draws, seed)

    monkeypatch.setattr(Plan, "fitted", Wide(Integrated()))
    assert not all(_ranked(plan).values())


@pytest.mark.slow
def test_a_wrong_likelihood_is_caught(monkeypatch):
    """Data whose participants have no lasting level, under a model in which they have: τ is found too small."""
    plan = quick(scenario=PLAIN)

    class Forgetful(Effect):
        def simulated(self, truth, design, rng):
            noise = float(truth["tau"].item()) * rng.standard_normal(design.outcome.size)
            linear = effect.predictor(truth, design, np.zeros((1, 1, design.participants)))[0, 0] + noise
            drawn = FAMILIES["logit"].draw(rng, linear, np.zeros(1))
            return replace(design, outcome=drawn.astype(design.outcome.dtype))

    monkeypatch.setattr(Plan, "fitted", Forgetful(Integrated()))
    found = _ranked(plan)
    assert not found["tau"]


@pytest.mark.slow
def test_a_replication_depends_on_its_number_alone():
    one, other = (replication.replicate(quick(), number_of("truth", 3)) for _ in range(2))
    assert one == other
    assert one["rows"] != replication.replicate(quick(), number_of("truth", 4))["rows"]
    assert {kind_of(number_of(kind, 7)) for kind in KINDS} == {(kind, 7) for kind in KINDS}


def test_truths_of_a_simulated_trial_are_the_simulators():
    row = replication.replicate(quick(), number_of("null", 0))["rows"]
    assert row["risk_difference[6 months]"]["truth"] == 0
    assert row["risk_ratio[6 months]"]["truth"] == 1
    assert row["risk_ratio[6 months]"]["null"] == 1
    assert row["risk[control, baseline]"]["truth"] == row["risk[treated, baseline]"]["truth"]
    assert "tau" not in row  # the simulator's equations are its own


def _rows(kind, mean, truth, sd=1.0, null=0.0, width=1.96):
    return pd.DataFrame(
        {
            "kind": kind,
            "number": range(len(mean)),
            "quantity": "risk_difference[6 months]",
            "truth": truth,
            "mean": mean,
            "sd": sd,
            "median": mean,
            "lower": np.asarray(mean) - width * sd,
            "upper": np.asarray(mean) + width * sd,
            "rank": np.arange(len(mean)) % 100,
            "ranks": 99,
            "null": null,
            "estimand": True,
        }
    )


def test_the_summary_counts_what_it_says():
    mean, truth = np.array([0.0, 3.0, -3.0, 1.0]), np.array([0.5, 0.5, 0.5, 0.5])
    row = operating_characteristics.summarise(_rows("truth", mean, truth)).iloc[0]
    assert row["bias"] == pytest.approx(-0.25)
    assert row["bias_mcse"] == pytest.approx(np.std(mean, ddof=1) / 2)
    assert row["rmse"] == pytest.approx(np.sqrt((0.25 + 6.25 + 12.25 + 0.25) / 4))
    assert row["coverage"] == 0.5  # 3 and −3 are farther than 1.96 from 0.5
    assert row["excludes_0"] == 0.5
    assert row["sign_error"] == 0.25  # only −3 is wholly below 0
    assert row["width"] == pytest.approx(3.92)
    assert row["coverage_mcse"] == pytest.approx(0.25)


def test_expected_coverage_of_no_effect_is_that_of_a_shrunken_normal():
    """Posterior of a normal mean with a normal prior around 0: coverage of 0 by simulation, 4 standard errors."""
    rng, size = np.random.default_rng(2), 200_000
    prior_sd, error_sd = 0.7, 0.45
    kept = prior_sd**2 / (prior_sd**2 + error_sd**2)
    mean, sd = kept * rng.normal(0, error_sd, size), np.sqrt(kept) * error_sd
    covered = (np.abs(mean) < stats.norm.ppf(0.975) * sd).mean()
    prior = _rows("prior", np.zeros(100), stats.norm.ppf(np.linspace(0.005, 0.995, 100)) * prior_sd)
    null = _rows("null", np.zeros(4), 0.0, sd=sd)
    found = operating_characteristics.summarise(pd.concat([prior, null]))
    expected = found[found["kind"] == "null"].iloc[0]["expected_coverage"]
    # .002: 4 binomial errors; .002: the SD of 100 quantiles is 1% short of the normal's
    assert expected == pytest.approx(covered, abs=0.004)
    assert expected > 0.96


def test_a_failed_fit_is_counted_not_hidden(tmp_path):
    wish = study.Wish(quick(), 2, ("truth",))
    fine = replication.replicate(quick(), number_of("truth", 0))
    results = [fine, {"kind": "truth", "replication": 1, "failed": "no chain could start"}]
    table = study.write(wish, results, tmp_path)
    assert set(table["replications"]) == {1}
    assert '"failed": 1' in (tmp_path / "calibration.json").read_text()
    with pytest.raises(SamplerFailed, match="first: no chain could start"):
        study.write(wish, results[1:], tmp_path)


@pytest.mark.slow
def test_tables_hold_what_was_asked_of_a_folder_that_holds_more(tmp_path):
    """So that the command on the page makes them again, wherever an earlier one was stopped."""
    two = study.Wish(quick(), 2, ("truth", "null"), workers=1)
    assert set(study.run(two, tmp_path)["replications"]) == {2}
    fewer = study.run(replace(two, replications=1, kinds=("truth",)), tmp_path)
    assert (set(fewer["kind"]), set(fewer["replications"])) == ({"truth"}, {1})


def test_a_study_of_one_trial_has_a_page(tmp_path):
    study.write(study.Wish(quick(), 1, ("truth",)), [replication.replicate(quick(), number_of("truth", 0))], tmp_path)
    assert calibration_page.build(tmp_path).is_file()


def test_the_null_scenario_has_no_effect_anywhere():
    """Whatever ships: the true value of every contrast is 0, by the simulator's own worlds."""
    for name in scenario_file.names():
        found = truth(simulated_trials.without_effect(simulated_trial.load(name)), population=400).estimands
        contrasts = {key: value for key, value in found.items() if "difference" in key or "natural" in key}
        values = [one for value in contrasts.values() for one in _numbers(value)]
        assert len(values) >= 4
        assert not any(values), name


def _numbers(value):
    return [one for part in value.values() for one in _numbers(part)] if isinstance(value, dict) else [value]


def test_a_mediation_trial_simulated_from_the_model_keeps_the_layout():
    scenario = simulated_trial.load("undarga")
    data = design(*simulated_trials.simulated(scenario, 1))
    truth = mediation.prior(data, prior_set.load(), 1, 5)
    found = mediation.simulated(truth, data, np.random.default_rng(1))
    assert mediation.coordinates(found) == mediation.coordinates(data)
    assert (np.isnan(found.mediators.value) == np.isnan(data.mediators.value)).all()
    assert not np.array_equal(found.outcome, data.outcome)
    share = found.mediators.value[found.mediators.of_kind("share")[0]]
    assert np.nanmin(share) >= 0
    assert np.nanmax(share) <= 1


def test_fits_that_an_analysis_would_question_are_counted():
    good = {"divergences": 0, "rhat": 1.01, "ess": 400.0, "limitations": 0}
    changes = ({}, {"rhat": 1.06}, {"rhat": np.nan}, {"ess": 99.0, "divergences": 3}, {"limitations": 1})
    found = operating_characteristics.sampling(
        [*(good | change for change in changes), {"failed": "no chain could start"}]
    )
    assert found == {"fits": 5, "divergent": 1, "unmixed": 2, "few": 1, "limited": 1, "doubtful": 4}


def test_shrinkage_is_unknown_where_the_spread_of_the_prior_is():
    """One trial, or none, with a truth from the prior does not tell it."""
    rows = [_made_row("null", k, 0.0) for k in range(4)]
    assert operating_characteristics.summarise(pd.DataFrame(rows))["expected_coverage"].isna().all()


def _made_row(kind, number, true):
    return {"kind": kind, "number": number, "quantity": "risk_difference[6 months]", "truth": true, "mean": 0.01,
            "sd": 0.1, "lower": -0.2, "upper": 0.2, "rank": 40, "ranks": 99, "null": 0.0, "estimand": True}  # fmt: skip


def test_a_wave_with_a_comma_in_its_value_keeps_its_truth():
    base = simulated_trial.load("mediation_clean")
    waves = (*base.waves[:-1], replace(base.waves[-1], value="6, after"))
    scenario = replace(base, waves=waves, primary_wave="6, after")
    study, data = simulated_trials.simulated(scenario, 1)
    layout = design(study, data)
    found = quantities.quantities(mediation.prior(layout, prior_set.load(), 2, 1), mediation, layout, study)
    known = quantities.known(truth(scenario, population=400), found)
    named = {"risk_difference[6, after]", "interventional_via[6, after, income_share]", "natural_indirect[6, after]"}
    assert named <= set(known)
    told = quantities.words("interventional_via[6, after, income_share]")
    assert told == "interventional effect via income_share, 6, after"


def test_every_parameter_has_words():
    for kinds in (("normal", "share", "binary"), ("student", "share")):
        layout = pinned_mediation.four_waves(kinds=kinds)
        assert set(mediation.dimensions(layout)) <= set(quantities.WORDS | quantities.OF_MEDIATORS)


def test_quantities_have_words_and_units():
    data, layout = simulated_trials.simulated(simulated_trial.load("effect"), 1), None
    layout = design(*data)
    draws = effect.prior(layout, prior_set.load(), 3, 1)
    found = quantities.quantities(draws, effect, layout, data[0])
    assert quantities.words("risk_difference[6 months]") == "risk difference, 6 months"
    via = quantities.words("interventional_via[6 months, income_share]")
    assert via == "interventional effect via income_share, 6 months"
    assert quantities.words("mediator_step[support, 3 months]") == "change of support to the wave, 3 months"
    assert quantities.words("tau") == "SD of participants' own levels"
    units = {
        ("effect", "risk_difference[6 months]"): "points",
        ("effect", "theta[6 months]"): "log-odds",
        ("counts", "theta[6 months]"): "log-mean",
        ("counts", "dispersion"): "",
        ("mediation_clean", "mediator_difference[social_support, 6 months]"): "score",
        ("mediation_clean", "mediator_difference[income_share, 6 months]"): "points",
    }
    found_units = {key: quantities.unit(key[1], simulated_trial.load(key[0])) for key in units}
    assert found_units == units
    score = simulated_trial.load("effect").with_outcome(kind="continuous")
    assert quantities.unit("tau", score) == operating_characteristics.STANDARD  # models see it standardised
    assert quantities.unit("mean_difference[6 months]", score) == "units"
    assert all(each.values.shape == (1, 3) for each in found.values())
    assert found["risk_difference[6 months]"].null == 0
    assert np.isnan(found["tau"].null)


def test_a_scenario_says_how_its_mediators_are_analysed():
    base = simulated_trial.load("mediation_clean")
    asked = base.with_mediator("social_support", family="student").with_mediator("income_share", interaction=True)
    read, _ = simulated_trials.simulated(asked, 1)
    assert [(part.family, part.interaction) for part in read.mediators] == [("student", False), ("normal", True)]
    plain, _ = simulated_trials.simulated(base, 1)
    assert [(part.family, part.interaction) for part in plain.mediators] == [("normal", False), ("normal", False)]
    assert analysed(read.mediators, read.lag) == analysed(asked.mediators)
