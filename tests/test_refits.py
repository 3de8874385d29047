"""Refits share compilations and change nothing but what they name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pymc as pm
import pytensor
import pytest
import xarray as xr

from models import effect, fit, mediation, recovery, refits, simulate
from models import study as studies
from models import trial as trial_module
from models.calibration import trials as simulated
from models.design import design
from models.groups import as_group
from models.mediation_cells import cells
from models.random_variables import built_in, prior_numbers
from priors import prior_set
from tests import pinned_mediation, trials
from tests.conftest import ROOT

QUICK = fit.Sampler(draws=300, tune=300, chains=2, seed=3)


@pytest.fixture(scope="module")
def undarga():
    study, folder = studies.read(ROOT / "studies" / "undarga")
    return study, trial_module.load(study, folder)


def test_every_set_once_and_every_further_outcome(undarga):
    study, data = undarga
    planned = refits.planned(study, data, effect, prior_set.load())
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
    others = [one.name for one in refits.planned(study, data, effect, prior_set.load("sceptical"))]
    assert "weakly_informative" in others
    assert "sceptical, SDs × 2" in others


def test_what_cannot_be_refitted_says_why(undarga):
    study, data = undarga
    own = prior_set.load()
    bare = replace(own, priors={name: row for name, row in own.priors.items() if name != "tau_slope"})
    known = {one.name: one for one in refits.planned(study, data, effect, bare)}
    assert "no row" in known["random slopes"].reason
    whole = data.assign(outcome=data["outcome"].fillna(0.0))
    assert (
        "nobody lacks" in {one.name: one for one in refits.planned(study, whole, effect, own)}["complete cases"].reason
    )
    treated_only = data.assign(outcome=data["outcome"].where(data["arm"] == 1))
    known = {one.name: one for one in refits.planned(study, treated_only, effect, own)}
    assert "fewer than two" in known["complete cases"].reason
    blank = data.assign(further_outcome=data["further_outcome"] * np.nan)
    known = {one.name: one for one in refits.planned(study, blank, effect, own)}
    assert "nobody has a value" in known[study.further_outcomes[0].column].reason


def test_a_compilation_is_shared_only_where_shape_and_distributions_agree():
    own = prior_set.load()
    parameters = ["mu_0", "theta", "tau"]
    assert built_in(own, parameters) == built_in(own.scaled(2.0), parameters)
    np.testing.assert_array_equal(prior_numbers(own.scaled(2.0), parameters), [0, 3.0, 0, 1.4, 2.0])
    row = own["theta"]
    changed = replace(
        own, priors={**own.priors, "theta": replace(row, arguments={**row.arguments, "correlation": 0.2})}
    )
    assert built_in(own, parameters) != built_in(changed, parameters)


@pytest.mark.slow
def test_new_priors_in_a_compiled_model_are_a_model_compiled_with_them(undarga):
    study, data = undarga
    layout, other = design(study, data), prior_set.load("sceptical")
    shared = fit.Compiled()
    shared.model(effect, layout, prior_set.load())
    reused = fit.sample(shared.model(effect, layout, other), QUICK)["posterior"]
    alone = fit.sample(fit.Compiled().model(effect, layout, other), QUICK)["posterior"]
    # the same seed, density and numbers: the same draws, but for the last bits that chaos may enlarge
    np.testing.assert_allclose(reused["theta"].mean(), alone["theta"].mean(), atol=1e-6)


def test_draws_do_not_depend_on_which_trial_was_compiled_first():
    """Where levels are centred, their default start would hold the first trial's covariates, and draws would part."""
    covered = simulate.load("mar")
    one, other = (replace(design(*simulated.simulated(covered, seed, 40)), reliability=1.0) for seed in (1, 2))
    assert one.covariate
    priors, after = prior_set.load(), fit.Compiled()
    after.model(effect, one, priors)
    short = fit.Sampler(draws=20, tune=20, chains=1, seed=3)
    ready = [each.model(effect, other, priors) for each in (after, fit.Compiled())]
    found = [fit.sample(each, short)["posterior"] for each in ready]
    np.testing.assert_array_equal(found[0]["trait"], found[1]["trait"])


def test_a_compiled_mediation_model_takes_a_trial_that_misses_other_shares():
    """Of two shares, which one each of three incomplete outcomes lacks is data: another trial is not read as the first.

    Two of them lack the first share, one the second, so that both trials have one shape.
    """
    base = pinned_mediation.four_waves(kinds=("share", "share"), seed=3)

    def missing(*shares: int):
        value = base.mediators.value.copy()
        for person, place in enumerate(shares):
            wave = base.wave_of[(base.participant_of == person) & (base.wave_of > 0)][0]
            value[place, person, wave - base.mediators.lag] = np.nan
        return replace(base, mediators=replace(base.mediators, value=value, ended=((True, True),) * 2))

    one, other = missing(0, 0, 1), missing(0, 1, 0)
    assert mediation.shape(one) == mediation.shape(other)
    first, second = (mediation.build(layout, prior_set.load()) for layout in (one, other))
    with first:
        pm.set_data(mediation.data(other))
    rng = np.random.default_rng(1)
    shapes = {rv.name: tuple(rv.shape.eval(mode="FAST_COMPILE")) for rv in second.basic_RVs}
    point = {name: rng.uniform(0.2, 0.8, shape) for name, shape in shapes.items()}
    found = []
    for model in (first, second):
        asked = pytensor.function(model.basic_RVs, model.potentials[0], mode="FAST_COMPILE", on_unused_input="ignore")
        found.append(float(asked(*(point[rv.name].astype(rv.dtype) for rv in model.basic_RVs))))
    assert found[0] == pytest.approx(found[1], rel=1e-12)


def test_a_compiled_mediation_model_with_room_takes_a_trial_that_misses_more():
    """Both have room for 16 missing values of each mediator: the same shape, and each its own density."""
    one, other = (pinned_mediation.four_waves(kinds=("normal", "share"), missing=rate) for rate in (0.1, 0.3))
    assert mediation.shape(one) != mediation.shape(other)
    one, other = (
        replace(layout, mediators=replace(layout.mediators, room=16, ended=((True, True),) * 2))
        for layout in (one, other)
    )
    assert mediation.shape(one) == mediation.shape(other)
    first, second = (mediation.build(layout, prior_set.load()) for layout in (one, other))
    with first:
        pm.set_data(mediation.data(other))
    rng, seen, point = np.random.default_rng(1), mediation.observed(other), {}
    for variable in second.free_RVs:
        shape = variable.shape.eval(mode="FAST_COMPILE")
        value = seen.get(variable.name, rng.uniform(0.2, 0.8, shape))
        point[second.rvs_to_values[variable].name] = value.astype(variable.dtype)
    found = [float(model.compile_logp(jacobian=False, mode="FAST_COMPILE")(point)) for model in (first, second)]
    assert found[0] == pytest.approx(found[1], rel=1e-12)


def test_draws_of_missing_values_that_nothing_reads_are_left_out():
    base = pinned_mediation.four_waves(kinds=("normal", "share"), missing=0.3)
    layout = replace(base, mediators=replace(base.mediators, room=32))
    plan = cells(layout)
    names = ["missing m0"]
    posterior = pinned_mediation.posterior(base, 3)
    size = posterior.sizes["chain"], posterior.sizes["draw"]
    drawn = {name: (("chain", "draw", f"{name}_dim_0"), np.full((*size, 32), 0.5)) for name in names}
    completed = mediation.completed(posterior.assign(drawn), layout, 1)
    for place, positions in plan.unknown.items():
        assert completed[f"missing m{place}"].shape == (*size, positions.size)
        assert positions.size < 32


@pytest.mark.slow
def test_complete_cases_are_the_trial_of_those_alone():
    """Cells left out of one likelihood against people left out of the trial: two compilations, 4 Monte-Carlo errors."""
    scenario = simulate.load("mar").with_outcome(covariates={})
    study, data = trials.simulated(replace(scenario, covariates=()), 4, 200)
    sampler, compiled = fit.Sampler(seed=5), fit.Compiled()
    planned = {one.name: one for one in refits.planned(study, data, effect, prior_set.load())}
    cases = planned["complete cases"]
    table = refits.run([cases], sampler, compiled)
    alone = data.isel(participant=np.flatnonzero(cases.among))
    whole = refits.Refit(
        "all", "all", study, alone, effect, prior_set.load(), np.ones(alone.sizes["participant"], bool)
    )
    other = refits.run([whole], sampler, compiled)
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
    layout, compiled = design(study, data), fit.Compiled()
    posterior = fit.sample(compiled.model(effect, layout, prior_set.load()), QUICK)["posterior"].to_dataset()
    table = recovery.recovery(posterior, effect, layout, study, prior_set.load(), QUICK, compiled)
    assert len(table) == recovery.TRIALS
    truths = effect.response(posterior, layout, ("population",)).sel(wave=study.primary_wave, average="population")
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


def test_a_table_as_a_group_keeps_numbers_and_empties_missing_texts():
    group = as_group(pd.DataFrame({"a": [1.0, np.nan], "b": ["x", None], "c": [True, False]}))
    assert isinstance(group, xr.Dataset)
    assert list(group["b"].to_numpy()) == ["x", ""]
    assert group["a"].dtype.kind == "f"
    assert group["c"].dtype.kind == "b"
