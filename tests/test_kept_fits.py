"""What has been fitted is kept, whatever became of another fit; sampling goes on at the margin."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from models.checks import refits, settling
from models.checks.gate_limits import decided
from models.checks.gate_table import CheckName, Gate, Status
from models.design.layout import design
from models.equations.effect import Effect
from models.estimands import margins
from models.estimands.answers import Answers
from models.estimands.response import response
from models.faults import SamplerFailed
from models.inference import nuts
from models.inference.fitted import Specification
from models.runs import analysis, job
from models.simulation import simulated_trial
from priors import prior_set
from reports.text import mediated
from tests import trials

effect = Effect()


class _Failing:
    """A second process whose fit fails."""

    def result(self):
        error = ValueError("index 1 is out of bounds")
        error.add_note("where it happened")
        raise error


def test_a_fit_that_fails_in_the_second_process_costs_the_first_nothing(tmp_path):
    (tmp_path / "mediation").mkdir()
    manifest, log, said = {"failed": {}}, [], []
    first = analysis.Verdict(Gate((decided(CheckName.DATA_HASH, Status.GREEN),)), None, (), nuts.Sampler())
    found = job._others(
        ("mediation",), {"mediation": _Failing()}, first, tmp_path, manifest, job._Told(log, said.append)
    )
    assert found == {}
    assert manifest["failed"] == {"mediation": "ValueError: index 1 is out of bounds"}
    assert not (tmp_path / "mediation").exists(), "nothing half-written stays"
    assert any("the rest is kept" in line for line in said)
    assert "where it happened" in "".join(log), "the log says where"
    facts = SimpleNamespace(paths=None, study=SimpleNamespace(mediators=("support",)), manifest=manifest)
    assert "index 1 is out of bounds" in mediated.not_run(facts)


def test_a_refit_that_fails_is_a_row_with_its_reason(monkeypatch):
    study, data = trials.simulated(simulated_trial.load("effect"), 3)
    asked = Specification.of(study, data, effect, prior_set.load(), nuts.Sampler())
    plan = refits.planned(asked)[:2]

    def fails(*_):
        raise SamplerFailed("no usable draws")

    monkeypatch.setattr(refits, "_fitted", fails)
    table = refits.run(plan)
    assert list(table["reason"]) == ["its fit failed: no usable draws"] * 2


@pytest.mark.parametrize(
    ("lower", "upper", "errors", "expected"),
    [
        (-0.101, 0.05, (0.002, 0.001), (True, False)),
        (-0.101, 0.05, (0.0005, 0.1), (False, True)),
        (-0.2, 0.1005, (0.01, 0.001), (False, True)),
        (0.0995, 0.3, (0.001, 0.001), (True, False)),
        (-0.1, 0.1, (0.0, 0.0), (False, False)),
    ],
)
def test_each_limit_is_compared_with_its_own_error(lower, upper, errors, expected):
    assert margins.near(lower, upper, 0.1, errors) == expected


def test_sampling_goes_on_only_where_a_limit_is_at_the_margin():
    """Pinned draws of the effect: the margin put on a limit, and far from both."""
    study, data = trials.simulated(simulated_trial.load("effect"), 3)
    layout = design(study, data)
    draws = effect.prior(layout, prior_set.load(), 400, 1)
    levels = response(effect, draws, layout, ("population",)).sel(average="population", wave=study.primary_wave)
    lower = float(np.quantile(levels.sel(arm="treated") - levels.sel(arm="control"), 0.025))

    def at(margin):
        changed = study.model_copy(update={"outcome": study.outcome.model_copy(update={"margin": margin})})
        return settling._at_the_margin(Answers(trials.fit_of(changed, layout, draws)))

    assert at(abs(lower))
    assert not at(0.999)
    asked = trials.fit_of(study, layout, draws)
    longest = replace(asked.sampler, draws=settling.LONGEST * asked.sampler.draws)
    assert settling._may_go_on(asked, asked)
    assert not settling._may_go_on(replace(asked, sampler=longest), asked)


@pytest.mark.slow
def test_sampling_goes_on_where_a_parameter_has_too_few_effective_draws():
    study, data = trials.simulated(simulated_trial.load("effect"), 3)
    far = study.model_copy(update={"outcome": study.outcome.model_copy(update={"margin": 0.999})})
    layout, usual = design(study, data), nuts.Sampler()
    free = effect.prior(layout, prior_set.load(), usual.chains * usual.draws, 1).stack(
        sample=("chain", "draw"), create_index=False
    )
    shape = {"chain": usual.chains, "draw": usual.draws}
    free = xr.Dataset(
        {
            name: (
                ("chain", "draw", *value.dims[:-1]),
                np.moveaxis(value.to_numpy(), -1, 0).reshape(*shape.values(), *value.shape[:-1]),
            )
            for name, value in free.transpose(..., "sample").items()
        },
        {name: value for name, value in free.coords.items() if value.dims != ("sample",)},
    )
    drifting = free.assign(tau=free["tau"] + 3 * xr.DataArray(np.linspace(0, 1, usual.draws), dims="draw"))

    def why(draws, asked):
        fit = trials.fit_of(far, layout, draws, sampler=asked)
        return settling._unsettled(Answers(fit), fit)

    assert why(free, usual) == ""
    assert why(drifting, usual) == settling.FEW
    assert why(drifting, replace(usual, draws=500)) == "", "a quick look is not made a long one"
