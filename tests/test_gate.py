"""The gate: each limit at its edge, green on correct models, not green on wrong ones."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from models.calibration.gate_frequencies import BY_PRIOR
from models.checks import gate, gate_table
from models.checks.gate_limits import LIMITS
from models.checks.gate_table import Check, CheckName, Gate, Kind, Limit, Status
from models.design.layout import design
from models.equations.effect import Effect
from models.equations.effect_integrated import Integrated
from models.estimands.answers import Answers
from models.faults import InvalidInput
from models.inference import nuts
from models.inference.fitted import Specification
from models.runs import analysis
from models.simulation import simulated_trial
from priors import prior_set
from tests import trials

effect = Effect()
effect_integrated = Effect(Integrated())

PRIORS = prior_set.load()
AMBER, GREEN, RED = Status.AMBER, Status.GREEN, Status.RED


@pytest.mark.parametrize(("name", "limit"), LIMITS.items())
def test_each_limit_at_its_edges(name, limit):
    worse = 1e-9 * (-1 if limit.kind is Kind.AT_LEAST else 1)
    within = limit.good if limit.kind is not Kind.BELOW else np.nextafter(limit.good, 0)
    assert limit.status(within) == GREEN
    assert limit.status(limit.good + worse) == (RED if limit.never_amber else AMBER)
    assert limit.never_red or limit.status(limit.fair + worse) == RED
    # a check that is never red does not pass what is unknown either
    assert limit.status(float("nan")) == (AMBER if limit.never_red else RED)
    assert limit.status(float("-inf") if limit.kind is Kind.AT_LEAST else float("inf")) == (
        AMBER if limit.never_red else RED
    )


def test_the_overall_status_is_the_worst_and_names_it():
    found = zip(CheckName, (GREEN, AMBER, RED), strict=False)
    checks = [Check(name, 1.0, None, (), status) for name, status in found]
    assert Gate(tuple(checks[:1])).status == GREEN
    assert Gate(tuple(checks[:1])).worst == ()
    assert Gate(tuple(checks[:2])).status == AMBER
    assert [check.name for check in Gate(tuple(checks)).worst] == [list(CheckName)[2]]
    assert Gate(()).status == RED
    # what does not apply is no worse than what passed, and no better where nothing else was made
    assert Gate((replace(checks[0], status=Status.NOT_APPLICABLE), checks[0])).status == GREEN


def test_a_gate_survives_its_file(tmp_path):
    where = ({"variable": "theta", "follow_up": "6 months; or [later], at the end"}, {"chain": 2})
    checks = (
        Check(CheckName.R_HAT, 1.02, LIMITS[CheckName.R_HAT], where, AMBER),
        Check(CheckName.ZEROS, 9.5, LIMITS[CheckName.ZEROS], (), AMBER, {"cells": 0.25}),
        Check(CheckName.CONTRACTION, 0.5, LIMITS[CheckName.CONTRACTION], (), GREEN),
        Check(CheckName.DATA, 1, None, (), AMBER, remarks=("A sentence; with 3 numbers: 1.5.",)),
    )
    Gate(checks).write(tmp_path / "gate.json")
    assert gate_table.read(tmp_path / "gate.json") == Gate(checks)


def test_a_saved_gate_holds_numbers_for_machines(tmp_path):
    check = Check(CheckName.POWER_SCALING, float("nan"), Limit(0.1, float("inf")), ({"wave": "6 months"},), AMBER)
    Gate((check,)).write(tmp_path / "gate.json")
    saved = json.loads((tmp_path / "gate.json").read_text())["checks"][0]
    assert saved["value"] is None
    assert saved["limit"] == {"kind": "at most", "good": 0.1, "fair": None, "ideal": 0.0}
    assert saved["where"] == [{"wave": "6 months"}]
    read = gate_table.read(tmp_path / "gate.json").checks[0]
    assert np.isnan(read.value)
    assert read.limit == check.limit


def test_a_gate_of_another_edition_is_refused(tmp_path):
    old = {"status": "green", "checks": [{"name": "divergences", "status": "green", "value": "0 of 8000"}]}
    (tmp_path / "gate.json").write_text(json.dumps(old))
    with pytest.raises(InvalidInput, match="another edition"):
        gate_table.read(tmp_path / "gate.json")


def _inputs(**changes):
    """A run that passes everything, with what a test changes."""
    rng = np.random.default_rng(3)
    draws = xr.Dataset(
        {
            "theta": (("chain", "draw", "follow_up"), rng.standard_normal((4, 2000, 1))),
            "tau": (("chain", "draw"), rng.random((4, 2000))),
        },
        {"chain": range(4), "draw": range(2000), "follow_up": ["6 months"]},
    )
    estimands = xr.Dataset(
        {"risk_difference": (("chain", "draw", "contrast"), rng.standard_normal((4, 2000, 1)) / 20)},
        {"chain": range(4), "draw": range(2000), "contrast": ["6 months"]},
    )
    stats = xr.Dataset(
        {name: (("chain", "draw"), np.zeros((4, 2000), bool)) for name in ("diverging", "maxdepth_reached")}
    )
    stats["energy"] = (("chain", "draw"), rng.standard_normal((4, 2000)))
    primary = {
        "primary": True,
        "estimand": "risk_difference",
        "wave": "6 months",
        "unit": "risk",
        "mcse_median": 0.001,
        "mcse_lower": 0.002,
        "mcse_upper": 0.002,
        "contraction": 0.6,
        "effect_contraction": 0.5,
    }
    predictive = pd.DataFrame(
        [
            {"check": "share", "arm": arm, "wave": str(wave), "inside": True, "tail": 0.5}
            for arm in ("control", "treated")
            for wave in range(4)
        ]
        + [{"check": "never", "arm": "", "wave": "", "inside": True, "tail": 0.5}]
    )
    scaled = {"element": "risk_difference[6 months]", "estimand": "risk_difference", "wave": "6 months"}
    power = pd.DataFrame([scaled | {"prior": 0.05, "likelihood": 0.1, "shift": 0.001}])
    study = SimpleNamespace(outcome=SimpleNamespace(margin=0.1))
    given = {
        "fit": trials.fit_of(study, None, draws, sample_stats=stats),
        "estimands": estimands,
        "table": pd.DataFrame([primary]),
        "left_out": (0, 400),
        "predictive": predictive,
        "power": power,
        "data_unchanged": True,
    }
    of_fit = {name: changes.pop(name) for name in ("posterior", "sample_stats", "sampler") if name in changes}
    return given | {"fit": replace(given["fit"], **of_fit)} | changes


def _status(name, **changes):
    found = gate.gate(**_inputs(**changes))
    return next(check for check in found.checks if check.name.startswith(name))


def test_a_good_run_is_green():
    found = gate.gate(**_inputs())
    assert found.status == GREEN, found.worst


def _spoilt(group, name, change):
    spoilt = group.copy(deep=True)
    change(spoilt[name].values)
    return spoilt


def _set(place, value):
    def change(values):
        values[place] = value

    return change


@pytest.mark.parametrize(("much", "status"), [(0.05, GREEN), (0.4, AMBER), (3.0, RED)])
def test_chains_that_disagree(much, status):
    # a shift of one of four chains by δ SD gives R-hat about sqrt(1 + 3δ²/16): 1.0002, 1.015, 1.64
    shifted = _inputs()["estimands"].copy(deep=True)
    shifted["risk_difference"][0] += much * float(shifted["risk_difference"].std())
    check = _status("R-hat", estimands=shifted)
    assert check.status == status
    assert status == Status.GREEN or check.where == ({"variable": "risk_difference", "contrast": "6 months"},)


def test_a_value_that_is_not_a_number_is_red_and_named():
    broken = _spoilt(_inputs()["estimands"], "risk_difference", _set((0, 0, 0), np.nan))
    check = _status("chains and draws", estimands=broken)
    assert check.status == RED
    assert check.where == ({"variable": "risk_difference"},)


def test_fewer_draws_than_planned_are_red():
    assert _status("chains and draws", sampler=nuts.Sampler(draws=2001)).status == RED


@pytest.mark.parametrize(("count", "status"), [(0, GREEN), (8, AMBER), (9, RED)])
def test_divergences_are_counted(count, status):
    group = _spoilt(_inputs()["fit"].sample_stats, "diverging", _set((0, slice(0, count)), True))
    check = _status("divergences", sample_stats=group)
    assert check.status == status
    assert check.figures == {"count": count, "of": 8000}
    assert check.value == count / 8000


@pytest.mark.parametrize(("name", "check"), [("diverging", "divergences"), ("maxdepth_reached", "tree depth")])
def test_what_was_not_recorded_is_red(name, check):
    assert _status(check, sample_stats=_inputs()["fit"].sample_stats.drop_vars(name)).status == RED


def test_slow_energy_is_seen():
    walk = np.cumsum(np.random.default_rng(1).standard_normal((4, 2000)), axis=1)
    group = _inputs()["fit"].sample_stats.assign(energy=(("chain", "draw"), walk))
    assert _status("E-BFMI", sample_stats=group).status == RED


def test_few_effective_draws_are_seen_where_they_are():
    slow = np.repeat(np.random.default_rng(1).standard_normal((4, 40)), 50, axis=1)
    assert (
        _status(
            "effective draws, spreads", posterior=_inputs()["fit"].posterior.assign(tau=(("chain", "draw"), slow))
        ).status
        == RED
    )
    check = _status(
        "effective draws, estimands", posterior=_inputs()["fit"].posterior.assign(mu_0=(("chain", "draw"), slow))
    )
    assert (check.status, check.where) == (RED, ({"variable": "mu_0"},))


@pytest.mark.parametrize(("error", "status"), [(0.005, GREEN), (0.0051, AMBER), (0.0101, RED)])
def test_monte_carlo_error_is_held_against_the_margin(error, status):
    table = _inputs()["table"].assign(mcse_median=error)
    assert _status("Monte-Carlo error of the primary", table=table).status == status


@pytest.mark.parametrize(("bad", "status"), [(0, GREEN), (8, AMBER), (9, RED)])
def test_pareto_k(bad, status):
    assert _status("Pareto", left_out=(bad, 400)).status == status


def test_leave_one_out_not_run_is_amber():
    check = _status("Pareto", left_out="too large")
    assert (check.status, check.remarks) == (AMBER, ("too large",))


@pytest.mark.parametrize(("outside", "status"), [(2, GREEN), (3, AMBER), (4, RED)])
def test_cells_outside_their_intervals(outside, status):
    # 8 cells: the 95th percentile of Binomial(8, .05) is 2, the 99.9th is 3
    predictive = _inputs()["predictive"]
    predictive.loc[: outside - 1, "inside"] = False
    assert _status("arm × wave", predictive=predictive).status == status


def test_power_scaling_is_never_red():
    power = _inputs()["power"].assign(prior=5.0)
    check = _status("power-scaling", power=power)
    assert check.status == AMBER
    assert check.figures == {"shift": 0.001}


def test_power_scaling_is_found_by_its_wave_not_by_its_name():
    # a label may hold brackets: the first row whose name holds "[6 months]" is not the one at 6 months
    primary = _inputs()["power"]
    other = primary.assign(element="risk_difference[x[6 months]]", wave="x[6 months]", prior=9.0)
    assert _status("power-scaling", power=pd.concat([other, primary], ignore_index=True)).value == 0.05


def test_an_unknown_sensitivity_does_not_pass():
    assert _status("power-scaling", power=_inputs()["power"].assign(prior=float("nan"))).status == AMBER


@pytest.mark.parametrize(("value", "status"), [(0.33, GREEN), (0.32, AMBER), (-0.24, AMBER), (float("nan"), AMBER)])
def test_data_that_add_little_to_the_prior_are_named(value, status):
    # of the effect's own parameter: that of the difference, which flatters the data, is not asked
    table = _inputs()["table"].assign(effect_contraction=value, contraction=0.9)
    assert _status("contraction", table=table).status == status


def test_changed_data_are_red():
    assert _status("data hash", data_unchanged=False).status == RED


# --- whole models -----------------------------------------------------------------------------------------------------


def _verdict(study, data, layout, tree, sampler, model=effect):
    return analysis.derive(Answers(Specification(study, data, layout, model, PRIORS, sampler).fit(tree))).gate


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 106))
def test_a_correct_model_of_this_size_is_green_or_leans_on_its_prior(seed):
    """Trials of 107 from the model's own equation, at the default settings; rates are those of 219 trials of mixed
    sizes and kinds (`test_gate_rates`), in which the prior alone makes some amber."""
    study, data = trials.simulated(simulated_trial.load("effect"), seed)
    sampler = nuts.Sampler(seed=seed)
    tree = trials.fitted(study, data, sampler, model=effect_integrated)
    verdict = _verdict(study, data, design(study, data), tree, sampler, effect_integrated)
    assert verdict.status in (GREEN, AMBER), verdict.worst
    assert {check.name for check in verdict.worst} <= set(BY_PRIOR), verdict.worst


SPREAD = {"intercepts": (0.2, 0.0, -0.3, -0.5), "trait_sd": 2.5, "covariates": {}}


@pytest.mark.slow
def test_ignoring_participants_own_levels_is_not_green():
    study, data = trials.simulated(simulated_trial.load("effect").with_outcome(**SPREAD), 1)
    layout = design(study, data)
    layout = replace(layout, has_trait=False)
    sampler = nuts.Sampler(seed=1)
    verdict = _verdict(
        study,
        data,
        layout,
        nuts.sample(effect.ready(layout, PRIORS), sampler),
        sampler,
    )
    assert verdict.status != GREEN
    assert "predictive tails of response patterns" in [check.name for check in verdict.worst]


@pytest.mark.slow
def test_leaving_the_waves_out_is_not_green():
    falling = {"intercepts": (0.5, -0.5, -1.5, -2.5), "covariates": {}}
    study, data = trials.simulated(simulated_trial.load("effect").with_outcome(**falling), 1)
    layout = design(study, data)
    still = replace(PRIORS["step"], arguments={"mean": 0.0, "sd": 1e-6})
    sampler = nuts.Sampler(seed=1)
    tree = nuts.sample(effect.ready(layout, replace(PRIORS, priors={**PRIORS.priors, "step": still})), sampler)
    verdict = _verdict(study, data, layout, tree, sampler)
    assert verdict.status == RED
    assert "arm × wave" in " ".join(check.name for check in verdict.worst)


@pytest.mark.slow
def test_a_log_link_for_a_binary_outcome_is_not_green():
    # the wrong link that a user can ask for: an outcome of 0 and 1 declared as a count. The means fit; the zeros do not
    study, data = trials.simulated(simulated_trial.load("effect").with_outcome(**SPREAD), 2, participants=120)
    counted = study.model_copy(update={"outcome": study.outcome.model_copy(update={"kind": "count"})})
    layout, sampler = design(counted, data), nuts.Sampler(draws=800, tune=400, seed=1)
    verdict = _verdict(counted, data, layout, trials.fitted(counted, data, sampler), sampler)
    assert {CheckName.ZEROS, CheckName.TAILS} <= {check.name for check in verdict.checks if not check.passed}
