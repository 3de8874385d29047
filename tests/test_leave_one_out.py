"""Leaving participants out by weights against exact refits; folds; who moves the answer."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from models.calibration import simulated_trials
from models.checks.leave_one_out import FOLDS, Refitted, Units, leave_one_out, thinned, weights
from models.checks.left_out import units as units_of
from models.design.layout import design
from models.equations.effect import Effect
from models.equations.effect_integrated import Integrated
from models.faults import SamplerFailed
from models.inference import nuts
from models.simulation import simulated_trial
from priors import prior_set

effect = Effect()
effect_integrated = Effect(Integrated())

SAMPLER = nuts.Sampler(draws=2000, tune=500, chains=2, seed=9)


@pytest.fixture(scope="module")
def fitted():
    layout = design(*simulated_trials.simulated(simulated_trial.load("effect"), 5))

    def draws(rest):
        ready = effect_integrated.ready(rest, prior_set.load())
        return nuts.sample(ready, SAMPLER)["posterior"].to_dataset()

    return layout, draws, draws(layout)


@pytest.mark.slow
def test_five_participants_left_out_by_weights_are_as_if_refitted(fitted):
    """The five whose likelihood varies most over the posterior, where importance sampling has most to do.

    Either side averages 4,000 draws: a log mean of likelihoods with coefficient of variation c has an error of
    c / √(effective draws), c ≤ 1 and 1,000 effective draws: .03 each side, .045 together, 4 of them.
    """
    layout, draws, whole = fitted
    units = units_of(effect, whole, layout)
    weight, k = weights(units.log_probability)
    assert (k < 0.7).all()
    hardest = np.argsort(units.log_probability.std(0))[-5:]
    for column in hardest:
        by_weights = special.logsumexp(np.log(weight[column]) + units.log_probability[:, column])
        rest = layout.without(np.array([column]))
        assert rest.outcome.size < layout.outcome.size
        again = units_of(effect, draws(rest), layout).log_probability[:, column]
        assert by_weights == pytest.approx(special.logsumexp(again) - np.log(again.size), abs=0.18)


def test_leaving_out_one_participant_takes_one_of_those_who_share_a_history(fitted):
    layout, _, _ = fitted
    column = int(np.argmax(layout.histories.count))
    rest = layout.without(np.array([column]))
    lost = layout.outcome.size - rest.outcome.size
    assert lost == np.diff(layout.histories.history_members)[column]


def _normal_units(values, draws):
    return Units("participant", stats.norm.logpdf(values, draws[:, None], 1.0), np.ones(len(values), int))


@pytest.fixture
def normal():
    """Draws of a normal mean given 40 values of SD 1 and a flat prior; one value lies twenty SDs out."""
    values = np.r_[stats.norm.ppf((np.arange(39) + 0.5) / 39), 20.0]
    return values, np.random.default_rng(3).normal(values.mean(), 1 / np.sqrt(40), 4000)


def _by_weights(units, place):
    weight, _ = weights(units.log_probability)
    return special.logsumexp(np.log(weight[place]) + units.log_probability[:, place])


def _exact(values, place):
    rest = np.delete(values, place)
    return stats.norm.logpdf(values[place], rest.mean(), np.sqrt(1 + 1 / rest.size))


def test_elpd_and_shift_are_those_of_a_normal_mean(normal):
    values, draws = normal
    found = leave_one_out(_normal_units(values[:-1], draws - values.mean() + values[:-1].mean()), draws)
    expected = sum(_exact(values[:-1], place) for place in range(39))
    # 4,000 draws: each term to .002, and all of them wrong to one side at most
    assert float(found["elpd"]) == pytest.approx(expected, abs=39 * 0.002 * 4)
    # leaving out the farthest value, 2.23, moves the mean by 2.23 / 38
    assert float(found["shift_upper"]) == pytest.approx(2.234 / 38, abs=0.012)
    assert float(found["shift_lower"]) == pytest.approx(-2.234 / 38, abs=0.012)
    assert int(found["high"]) == 0


@pytest.mark.parametrize("several", [False, True])
def test_whoever_cannot_be_left_out_by_weights_is_refitted(normal, monkeypatch, several):
    values, draws = normal
    asked = []

    def refit(gone):
        asked.append(gone)
        rest = np.delete(values, gone)
        again = np.random.default_rng(5).normal(rest.mean(), 1 / np.sqrt(rest.size), 4000)
        return Refitted(_normal_units(values, again), float(again.mean()))

    monkeypatch.setattr("models.checks.leave_one_out.HIGH_K", -10.0 if several else 0.5)
    units = _normal_units(values, draws)
    _, k = weights(units.log_probability)
    high = int((k > (-10.0 if several else 0.5)).sum())
    assert high >= 1
    found = leave_one_out(units, draws, refit)
    assert int(found["refitted"]) == high
    assert int(found["high"]) == 0
    assert len(asked) == (FOLDS if several else high)
    assert sorted(np.concatenate(asked)) == (list(range(40)) if several else np.flatnonzero(k > 0.5).tolist())
    if not several:
        # by the fit without it, the farthest value's place and share in the mean are exact: 4 errors of 4,000 draws
        place = int(np.argmax(values))
        moved = np.delete(values, place).mean() - values.mean()
        assert float(found["shift_lower"]) == pytest.approx(moved, abs=4 * np.sqrt(2 / 40 / 4000))
        left = leave_one_out(units, draws)
        assert high == 1
        again = refit(place).units.log_probability[:, place]
        better = special.logsumexp(again) - np.log(again.size) - _by_weights(units, place)
        assert float(found["elpd"] - left["elpd"]) == pytest.approx(better, rel=1e-9)
        assert int(left["high"]) == high
        assert int(left["refitted"]) == 0


def test_whoever_no_fit_can_leave_out_moves_nothing_that_is_told(normal, monkeypatch):
    """Weights that cannot be relied on give no change of the answer; a refit that fails is no end of the others."""
    values, draws = normal
    units = _normal_units(values, draws)
    _, k = weights(units.log_probability)
    monkeypatch.setattr("models.checks.leave_one_out.HIGH_K", float(np.sort(k)[-2]) - 1e-9)  # two are beyond it
    farthest = {int(place) for place in np.argsort(k)[-2:]}
    assert int(np.argmax(values)) in farthest
    failing = max(farthest, key=lambda place: abs(values[place]))

    def refit(gone):
        if gone[0] == failing:
            raise SamplerFailed("no chain could start")
        rest = np.delete(values, gone)
        again = np.random.default_rng(5).normal(rest.mean(), 1 / np.sqrt(rest.size), 4000)
        return Refitted(_normal_units(values, again), float(again.mean()))

    found, alone = leave_one_out(units, draws, refit), leave_one_out(units, draws)
    assert (int(found["refitted"]), int(found["high"]), int(found["unweighed"])) == (1, 1, 1)
    assert (int(alone["refitted"]), int(alone["high"]), int(alone["unweighed"])) == (0, 2, 2)
    told = values[[place for place in range(40) if place not in farthest]]
    least = (values.mean() - told.max()) / 39
    # the largest of the others, by weights of 4,000 draws
    assert float(alone["shift_lower"]) == pytest.approx(least, abs=0.012)
    assert float(alone["shift_lower"]) > (values.mean() - values[failing]) / 39 + 0.005


def test_equal_participants_count_as_often_as_they_are(normal):
    values, draws = normal
    units = _normal_units(values[:5], draws)
    twice = Units("participant", units.log_probability, np.full(5, 2))
    one, two = (leave_one_out(each, draws) for each in (units, twice))
    assert float(two["elpd"]) == pytest.approx(2 * float(one["elpd"]))
    assert two["pareto_k"].size == 10


def test_draws_are_thinned_to_what_memory_holds(fitted):
    _, _, whole = fitted
    assert thinned(whole, 100).sizes["draw"] == 1000
    few = thinned(whole, 100_000)
    assert 400 <= few.sizes["draw"] * 2 <= 600
    assert thinned(whole, 1_000_000) is None
