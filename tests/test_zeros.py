"""More zeros than the model: twenty kinds of trial with zeros of their own, as many without, and the mean counts.

Fits are marginal maximum likelihood, posteriors pinned: nothing is sampled.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy import integrate, optimize, stats

from models.checks import count_means, outcome_checks, zero_inflation
from models.checks.gate_table import Status
from models.design.layout import Design
from models.design.layout import design as laid_out
from models.equations.effect import Effect
from models.simulation import simulated_trial
from reports.text import check_words
from tests.trials import simulated

effect = Effect()


def _trial(rng: np.random.Generator, **of: Any) -> Design:
    """Counts with log-normal levels; `cells` or `participants` is the share of zeros of another kind."""
    n, waves = of.get("n", 150), of.get("waves", 3)
    arm = np.where(rng.permutation(n) < n / 2, -0.5, 0.5)
    person, wave = np.indices((n, waves)).reshape(2, -1)
    after = (wave > 0) | (waves == 1)
    mean = np.exp(of.get("level", 1.5) + of.get("step", 0.0) * wave + of.get("effect", -0.3) * arm[person] * after
                  + of.get("trait", 0.7) * rng.standard_normal(n)[person])  # fmt: skip
    size = 1 / of.get("dispersion", 0.5) ** 2
    count = rng.poisson(mean * rng.gamma(size, 1 / size, mean.size))
    count = np.where(rng.random(mean.size) < of.get("cells", 0.0), 0, count)
    never = rng.random(n) < np.where(
        arm > 0, of.get("treated", of.get("participants", 0.0)), of.get("participants", 0.0)
    )
    count = np.where(never[person], 0, count)
    kept = (wave == 0) | (rng.random(mean.size) > of.get("lost", 0.0))
    role = ("baseline",) * (waves > 1) + ("follow-up",) * (waves - (waves > 1))
    return Design(
        "negative binomial", tuple(map(str, range(waves))), role, arm, np.zeros((n, 0)), (),
        person[kept], wave[kept], count[kept], has_trait=waves > 1,
    )  # fmt: skip


ZEROS = {
    "half never have any": {"participants": 0.5},
    "seven in ten never": {"participants": 0.7},
    "a third never": {"participants": 0.33},
    "two waves": {"participants": 0.5, "waves": 2},
    "four waves": {"participants": 0.5, "waves": 4},
    "one wave, high counts": {"participants": 0.5, "waves": 1, "level": 2.5},
    "high counts": {"participants": 0.5, "level": 3.0},
    "low counts": {"participants": 0.5, "level": 0.7},
    "nearly Poisson": {"participants": 0.5, "dispersion": 0.05},
    "no lasting level": {"participants": 0.5, "trait": 0.0},
    "wide levels": {"participants": 0.5, "trait": 1.2, "level": 2.5},
    "107 participants": {"participants": 0.5, "n": 107},
    "400 participants": {"participants": 0.3, "n": 400},
    "a third lost": {"participants": 0.5, "lost": 0.33},
    "in the treated arm alone": {"treated": 0.6},
    "more in the treated arm": {"participants": 0.3, "treated": 0.6},
    "a large effect": {"participants": 0.5, "effect": -1.0},
    "falling counts": {"participants": 0.5, "level": 2.5, "step": -0.5},
    "half of the counts": {"cells": 0.5, "level": 2.5, "waves": 4},
    "some of both": {"cells": 0.3, "participants": 0.3, "level": 2.5},
}
PLAIN = {
    "plain": {},
    "one wave": {"waves": 1},
    "two waves": {"waves": 2},
    "four waves": {"waves": 4},
    "rare events": {"level": -1.5},
    "high counts": {"level": 3.0},
    "nearly Poisson": {"dispersion": 0.05},
    "much extra variation": {"dispersion": 1.2},
    "wide levels": {"trait": 1.3},
    "60 participants": {"n": 60},
    "a third lost": {"lost": 0.33},
    "a large effect": {"effect": -1.0},
    "falling counts": {"level": 2.0, "step": -0.7},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ZEROS)
def test_zeros_of_another_kind_are_seen(name):
    found = outcome_checks.zeros(_trial(np.random.default_rng(1), **ZEROS[name]), 1)
    assert found.status != Status.GREEN, found.value


@pytest.mark.slow
@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_negative_binomial_is_left_alone(name):
    # 13 fixed seeds; of 1,370 trials 4 were above the limit (MODEL.md): all below in 96% of choices of seeds
    found = outcome_checks.zeros(_trial(np.random.default_rng(2), **PLAIN[name]), 1)
    assert found.status == Status.GREEN, found.value


def test_many_participants_are_looked_at_in_part():
    many = _trial(np.random.default_rng(1), n=zero_inflation.MOST_PEOPLE * 3, waves=1)
    assert zero_inflation.ratio(many, 1) == zero_inflation.ratio(many, 1)


@pytest.mark.parametrize("kind", zero_inflation.KINDS)
def test_slopes_are_those_of_the_log_likelihood(kind):
    data = zero_inflation._Data.of(_trial(np.random.default_rng(1), n=40, participants=0.3))
    x = np.append(data.start(), [] if kind == "plain" else -1.0)
    nodes = zero_inflation._nodes(data, x)
    slope = optimize.approx_fprime(x, lambda at: zero_inflation._loss(at, data, kind, nodes)[0], 1e-6)
    np.testing.assert_allclose(zero_inflation._loss(x, data, kind, nodes)[1], slope, atol=1e-3)


def _brute_force(x, data, kind):
    """Log likelihood by adaptive integration and SciPy's own densities."""
    k = data.matrix.shape[1]
    size, tau, share = np.exp(x[k]), np.exp(x[k + 1]), 1 / (1 + np.exp(-x[-1])) if kind != "plain" else 0.0
    total = 0.0
    for who in range(data.people):
        mine = data.person == who
        y, fixed = data.count[mine], data.matrix[mine] @ x[:k]

        def given(level, y=y, fixed=fixed):
            mass = stats.nbinom.pmf(y, size, size / (size + np.exp(fixed + level)))
            return np.prod(share * (y == 0) + (1 - share) * mass if kind == "cells" else mass)

        def density(level, given=given):
            return given(level) * stats.norm.pdf(level, 0, tau)

        whole = integrate.quad(density, -8 * tau, 8 * tau, limit=400, epsabs=0, epsrel=1e-10)[0]
        if kind == "participants":
            whole = share * (y.sum() == 0) + (1 - share) * whole
        total += np.log(whole)
    return total


@pytest.mark.parametrize("kind", zero_inflation.KINDS)
def test_the_likelihood_is_that_of_brute_force(kind):
    data = zero_inflation._Data.of(_trial(np.random.default_rng(1), n=12, participants=0.3))
    x = np.append(data.start(), [] if kind == "plain" else -1.0)
    found = -zero_inflation._loss(x, data, kind, zero_inflation._nodes(data, x))[0]
    # levels beyond ±6 SD hold 2e-9 of a normal distribution
    assert found == pytest.approx(_brute_force(x, data, kind), abs=1e-5)


# --- mean counts ------------------------------------------------------------------------------------------------------


def _pinned(design: Design, **values: float) -> xr.Dataset:
    """A posterior that is nearly a point: 400 draws, SD .02, around the truth or what is put in its place."""
    rng = np.random.default_rng(5)
    given = {"mu_0": 1.5, "tau": 0.7, "dispersion": 0.5, "theta": -0.3, "step": 0.0} | values
    labels = {"follow_up": list(design.follow_up), "step_to": list(design.wave[1:])}
    dims = {"mu_0": (), "tau": (), "dispersion": (), "theta": ("follow_up",), "step": ("step_to",)}
    found = {}
    for name, own in dims.items():
        if all(labels[dim] for dim in own):
            shape = (1, 400, *(len(labels[dim]) for dim in own))
            found[name] = (("chain", "draw", *own), given[name] + 0.02 * rng.standard_normal(shape))
    return xr.Dataset(found, labels | {"chain": [0], "draw": range(400)})


@pytest.mark.parametrize("waves", [1, 2, 4])
def test_a_model_that_fits_has_the_crude_means(waves):
    design = _trial(np.random.default_rng(3), waves=waves, **({"trait": 0.0} if waves == 1 else {}))
    found = outcome_checks.means(effect, _pinned(design), design)
    assert found.status == Status.GREEN, found.value


@pytest.mark.parametrize("waves", [2, 3, 4])
def test_stretched_levels_are_red_and_the_remedy_is_named(waves):
    # R6: seven in ten never have any; the fit answers with τ near 3 and a mean of e^(τ²/2) times the median
    design = _trial(np.random.default_rng(3), waves=waves, participants=0.7, level=2.0)
    found = outcome_checks.means(effect, _pinned(design, mu_0=0.0, tau=3.0), design)
    assert found.status == Status.RED
    assert "more draws would not help" in check_words.WORDS[found.name].meaning
    assert "zeros" in check_words.WORDS[found.name].meaning


def test_those_who_stay_are_compared_with_what_is_expected_of_them():
    # whoever had many events at first leaves: the mean of those seen is far below the arm's, and the model says so
    rng = np.random.default_rng(4)
    design = _trial(rng, n=400, waves=2, trait=1.0, dispersion=0.3, effect=0.0)
    first = np.zeros(400)
    first[design.participant_of[design.wave_of == 0]] = design.outcome[design.wave_of == 0]
    kept = (design.wave_of == 0) | (first[design.participant_of] <= np.median(first))
    left = Design(
        design.likelihood, design.wave, design.role, design.arm, design.covariates, (),
        design.participant_of[kept], design.wave_of[kept], design.outcome[kept],
    )  # fmt: skip
    table = count_means.compare(effect.predictor, _pinned(left, tau=1.0, dispersion=0.3, theta=0.0), left)
    everybody = np.exp(1.5 + 0.5)
    later = table[table.wave == "1"]
    assert (later.observed < 0.6 * everybody).all()
    assert (later.errors.abs() < 2.5).all()


def test_expected_counts_are_those_of_brute_force():
    design = _trial(np.random.default_rng(6), n=6, waves=3)
    draws = _pinned(design).isel(draw=[0])
    found = count_means.expected(effect.predictor, draws, design)[0]
    fixed = effect.predictor(draws, design, np.zeros((1, 1, design.participants)))[0, 0]
    tau, size = float(draws["tau"][0, 0]), 1 / float(draws["dispersion"][0, 0]) ** 2
    for cell in range(design.outcome.size):
        earlier = (design.participant_of == design.participant_of[cell]) & (design.wave_of < design.wave_of[cell])

        def weight(level, earlier=earlier):
            mean = np.exp(fixed[earlier] + level)
            mass = stats.nbinom.pmf(design.outcome[earlier], size, size / (size + mean))
            return np.prod(mass) * stats.norm.pdf(level, 0, tau)

        above, below = (
            integrate.quad(
                lambda level, power=power: weight(level) * np.exp(power * level), -9 * tau, 9 * tau, epsabs=0
            )[0]
            for power in (1, 0)
        )
        assert found[cell] == pytest.approx(np.exp(fixed[cell]) * above / below, rel=1e-6)


def test_other_kinds_of_outcome_have_no_such_checks():
    study, trial = simulated(simulated_trial.load("effect"), 1)
    layout = laid_out(study, trial)
    assert not outcome_checks.zeros(layout, 1).applies
    assert not outcome_checks.means(effect, xr.Dataset(), layout).applies
