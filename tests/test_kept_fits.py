"""What has been fitted is kept, whatever became of another fit; sampling goes on at the margin."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from models import analysis, effect, fit, job, margins, refits, settling, simulate
from models.design import design
from models.faults import SamplerFailed
from models.gate_table import GREEN, Check, Gate
from priors import prior_set
from reports import paths
from tests import trials


class _Failing:
    """A second process whose fit fails."""

    def result(self):
        error = ValueError("index 1 is out of bounds")
        error.add_note("where it happened")
        raise error


def test_a_fit_that_fails_in_the_second_process_costs_the_first_nothing(tmp_path):
    (tmp_path / "mediation").mkdir()
    manifest, log, said = {"failed": {}}, [], []
    first = analysis.Verdict(Gate((Check("data hash", GREEN, "equal", "", "equal", "", ""),)), None, (), fit.Sampler())
    found = job._others(("mediation",), {"mediation": _Failing()}, first, tmp_path, manifest, log, said.append)
    assert found == {}
    assert manifest["failed"] == {"mediation": "ValueError: index 1 is out of bounds"}
    assert not (tmp_path / "mediation").exists(), "nothing half-written stays"
    assert any("the rest is kept" in line for line in said)
    assert "where it happened" in "".join(log), "the log says where"
    facts = SimpleNamespace(paths=None, study=SimpleNamespace(mediators=("support",)), manifest=manifest)
    assert "index 1 is out of bounds" in paths.not_run(facts)


def test_a_refit_that_fails_is_a_row_with_its_reason(monkeypatch):
    study, data = trials.simulated(simulate.load("effect"), 3)
    plan = refits.planned(study, data, effect, prior_set.load())[:2]

    def fails(*_):
        raise SamplerFailed("no usable draws")

    monkeypatch.setattr(refits, "_fitted", fails)
    table = refits.run(plan, fit.Sampler(), fit.Compiled())
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
    study, data = trials.simulated(simulate.load("effect"), 3)
    layout = design(study, data)
    draws = effect.prior(layout, prior_set.load(), 400, 1)
    tree = xr.DataTree.from_dict({"posterior": draws})
    levels = effect.response(draws, layout, ("population",)).sel(average="population", wave=study.primary_wave)
    lower = float(np.quantile(levels.sel(arm="treated") - levels.sel(arm="control"), 0.025))

    def at(margin):
        changed = study.model_copy(update={"outcome": study.outcome.model_copy(update={"margin": margin})})
        return settling._at_the_margin(effect, layout, changed, tree)

    assert at(abs(lower))
    assert not at(0.999)
    asked = fit.Sampler()
    assert settling._may_go_on(layout, asked, asked)
    assert not settling._may_go_on(layout, asked, replace(asked, draws=settling.LONGEST * asked.draws))


def test_sampling_goes_on_where_a_parameter_has_too_few_effective_draws():
    study, data = trials.simulated(simulate.load("effect"), 3)
    far = study.model_copy(update={"outcome": study.outcome.model_copy(update={"margin": 0.999})})
    layout, usual = design(study, data), fit.Sampler()
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
        return settling._unsettled(effect, layout, far, xr.DataTree.from_dict({"posterior": draws}), asked)

    assert why(free, usual) == ""
    assert why(drifting, usual) == settling.FEW
    assert why(drifting, replace(usual, draws=500)) == "", "a quick look is not made a long one"
