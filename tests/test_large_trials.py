"""Trials too large for every participant's trait: what is left out, and what is taken of some, still says the truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.calibration import simulated_trials
from models.checks import predictive, tipping
from models.design.layout import design
from models.equations.effect import Effect
from models.equations.effect_integrated import Integrated
from models.estimands.answers import Answers
from models.estimands.response import response
from models.inference import nuts
from models.inference.fitted import Specification
from models.runs import analysis
from models.simulation import simulated_trial
from priors import prior_set
from tests import pinned, trials

effect = Effect()
effect_integrated = Effect(Integrated())


@pytest.fixture(scope="module")
def fitted():
    study, data = simulated_trials.simulated(simulated_trial.load("mar"), 3, participants=300)
    sampler = nuts.Sampler(draws=400, tune=300, chains=2, seed=4)
    layout = design(study, data)
    ready = effect_integrated.ready(layout, prior_set.load())
    return study, data, layout, sampler, nuts.sample(ready, sampler)


def _derived(fitted):
    study, data, layout, sampler, tree = fitted
    return analysis.derive(
        Answers(Specification(study, data, layout, effect_integrated, prior_set.load(), sampler).fit(tree))
    )


@pytest.mark.slow
def test_without_traits_the_analysis_is_whole_but_for_the_sample_average(fitted, monkeypatch):
    whole = _derived(fitted)
    # the posterior has 240,000 traits, the prior 2,400,000
    monkeypatch.setattr("models.equations.model.MOST_TRAITS", 100_000)
    monkeypatch.setattr(predictive, "MOST_CELLS", 100_000)
    less = _derived(fitted)
    assert "trait" not in less.tree["posterior"]
    assert set(less.table["average"]) == {"population", "typical"}
    keys = ["estimand", "average", "arm", "wave"]
    one, two = (each.table.set_index(keys)["median"] for each in (whole, less))
    assert np.allclose(one.loc[two.index], two, equal_nan=True)
    assert any("taken at random" in note for note in less.notes)
    assert {check.name for check in less.gate.checks} == {check.name for check in whole.gate.checks}


def test_some_participants_are_those_participants():
    layout = pinned.layout()
    people = np.array([1, 4, 7])
    part = layout.of(people)
    assert part.participants == 3
    for place, person in enumerate(people):
        mine, theirs = part.participant_of == place, layout.participant_of == person
        assert part.outcome[mine].tolist() == layout.outcome[theirs].tolist()
        assert part.wave_of[mine].tolist() == layout.wave_of[theirs].tolist()
    draws = pinned.posterior(layout)
    kept = effect_integrated.completed(draws.isel(participant=people), part, 1)
    assert np.array_equal(effect.predictor(kept, part), effect.predictor(draws, layout)[..., _rows(layout, people)])
    anew = effect_integrated.completed(draws.drop_vars("trait"), part, 1)
    assert anew["trait"].shape == (2, 40, 3)


def _rows(layout, people):
    return np.isin(layout.participant_of, people)


@pytest.mark.slow
def test_tipping_values_of_some_are_near_those_of_all(fitted, monkeypatch):
    """Of about 40 in each arm who lack the last outcome 15 stand for all: shifts of SD .05 / √15 × .25 = .003."""
    study, _, layout, _, tree = fitted
    posterior = effect_integrated.completed(tree["posterior"].to_dataset(), layout, 1)
    levels = response(effect, posterior, layout, ("population",))
    given = (trials.fit_of(study, layout, posterior), levels)
    every = tipping.not_missing_at_random(*given)
    monkeypatch.setattr(tipping, "MOST_MISSING", 15)
    some = tipping.not_missing_at_random(*given)
    one, two = (table.loc[table["kind"] == "grid", "median"].to_numpy() for table in (every, some))
    assert one.size == two.size > 20
    # six standard errors of what the docstring says
    assert np.abs(one - two).max() < 0.018
    assert not np.array_equal(one, two)


def test_averages_by_pattern_are_averages_over_participants():
    layout = pinned.layout()
    draws = pinned.posterior(layout)
    doubled = replace(layout, covariates=np.vstack([layout.covariates[:7], layout.covariates[:7]]))
    rows, counts = doubled.patterns
    assert len(rows) == 7
    assert counts.tolist() == [2] * 7
    one, two = (response(effect, draws, each, ("population",)) for each in (doubled, layout.of(np.arange(7))))
    assert np.allclose(one, two, atol=1e-12)
