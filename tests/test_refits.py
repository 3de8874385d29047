"""Refits change nothing but what they name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from models.checks import recovery, refits
from models.design.layout import design
from models.equations.effect import Effect
from models.estimands.response import response
from models.estimands.tables import as_group
from models.inference import nuts
from models.inference.fitted import Specification
from models.simulation import simulated_trial
from models.trial import dataset as trial_module
from models.trial.study_file import study as studies
from priors import prior_set
from tests import trials
from tests.conftest import ROOT

effect = Effect()

QUICK = nuts.Sampler(draws=300, tune=300, chains=2, seed=3)


@pytest.fixture(scope="module")
def undarga():
    study, folder = studies.read(ROOT / "studies" / "undarga")
    return study, trial_module.load(study, folder)


def test_every_set_once_and_every_further_outcome(undarga):
    study, data = undarga
    planned = refits.planned(Specification.of(study, data, effect, prior_set.load(), QUICK))
    names = [(one.kind, one.name) for one in planned]
    # "diffuse" doubles every SD of the default set, so that doubling them again would say the same
    assert names == [
        ("priors", "diffuse"),
        ("priors", "sceptical"),
        ("priors", "weakly_informative, SDs × 0.5"),
        ("participants", "complete cases"),
        ("model", "random slopes"),
        *(("outcome", part.column) for part in study.further_outcomes),
    ]
    assert not any(one.reason for one in planned)
    others = [
        one.name for one in refits.planned(Specification.of(study, data, effect, prior_set.load("sceptical"), QUICK))
    ]
    assert "weakly_informative" in others
    assert "sceptical, SDs × 2" in others


def test_what_cannot_be_refitted_says_why(undarga):
    study, data = undarga
    own = prior_set.load()
    bare = replace(own, priors={name: row for name, row in own.priors.items() if name != "tau_slope"})
    known = {one.name: one for one in refits.planned(Specification.of(study, data, effect, bare, QUICK))}
    assert "no row" in known["random slopes"].reason
    whole = data.assign(outcome=data["outcome"].fillna(0.0))
    assert (
        "nobody lacks"
        in {one.name: one for one in refits.planned(Specification.of(study, whole, effect, own, QUICK))}[
            "complete cases"
        ].reason
    )
    treated_only = data.assign(outcome=data["outcome"].where(data["arm"] == 1))
    known = {one.name: one for one in refits.planned(Specification.of(study, treated_only, effect, own, QUICK))}
    assert "fewer than two" in known["complete cases"].reason
    blank = data.assign(further_outcome=data["further_outcome"] * np.nan)
    known = {one.name: one for one in refits.planned(Specification.of(study, blank, effect, own, QUICK))}
    assert "nobody has a value" in known[study.further_outcomes[0].column].reason


@pytest.mark.slow
def test_complete_cases_are_the_trial_of_those_alone():
    """Cells left out of one likelihood against people left out of the trial: 4 Monte-Carlo errors."""
    scenario = simulated_trial.load("mar").with_outcome(covariates={})
    study, data = trials.simulated(replace(scenario, covariates=()), 4, 200)
    sampler = nuts.Sampler(seed=5)
    planned = {
        one.name: one for one in refits.planned(Specification.of(study, data, effect, prior_set.load(), sampler))
    }
    cases = planned["complete cases"]
    table = refits.run([cases])
    alone = data.isel(participant=np.flatnonzero(cases.among))
    asked = Specification.of(study, alone, effect, prior_set.load(), sampler)
    whole = refits.Refit("all", "all", asked, np.ones(alone.sizes["participant"], bool))
    other = refits.run([whole])
    rows = [
        one[(one["estimand"] == "risk_difference") & (one["wave"] == study.primary_wave)].iloc[0]
        for one in (table, other)
    ]
    apart = abs(rows[0]["median"] - rows[1]["median"])
    assert apart < 4 * np.hypot(rows[0]["mcse_median"], rows[1]["mcse_median"])
    assert rows[0]["sd"] == pytest.approx(rows[1]["sd"], rel=0.1)


@pytest.mark.slow
def test_recovery_simulates_the_cells_that_were_seen_and_finds_the_truth(undarga):
    study, data = undarga
    layout = design(study, data)
    posterior = nuts.sample(effect.ready(layout, prior_set.load()), QUICK)["posterior"].to_dataset()
    table = recovery.recovery(trials.fit_of(study, layout, posterior, sampler=QUICK))
    assert len(table) == recovery.TRIALS
    truths = response(effect, posterior, layout, ("population",)).sel(wave=study.primary_wave, average="population")
    differences = truths.sel(arm="treated") - truths.sel(arm="control")
    # quadrature is exact to 1e-9, and its nodes follow the draws at hand
    assert float(np.abs(differences - table["truth"][0]).min()) < 1e-9, "a truth is a draw of the posterior"
    # of ten intervals of 95% fewer than six hold the truth once in 30,000 times
    assert table["covered"].sum() >= 6
    assert ((table["lower"] < table["median"]) & (table["median"] < table["upper"])).all()


def test_a_scaled_set_moves_sds_alone():
    half = prior_set.load().scaled(0.5)
    assert half["tau"].arguments == {"sd": 0.5}
    assert half["mediator_nu"] == prior_set.load()["mediator_nu"]
    assert isinstance(half.name, str)
    assert "0.5" in half.name


def test_a_table_as_a_group_keeps_numbers_and_flags_and_empties_missing_texts():
    group = as_group(pd.DataFrame({"a": [1.0, np.nan], "b": ["x", None], "c": [True, False], "d": [None, True]}))
    assert isinstance(group, xr.Dataset)
    assert list(group["b"].to_numpy()) == ["x", ""]
    assert group["a"].dtype.kind == "f"
    assert group["c"].dtype.kind == "b"
    assert group["d"].dtype.kind == "b"
    assert list(group["d"].to_numpy()) == [False, True]
