"""Fits that `benchmark.py --fits` measures, each in a process of its own; prints what it found as JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from models.calibration import replication, simulated_trials
from models.calibration.plan import Plan, number_of
from models.design.layout import Design, design
from models.equations.effect import Effect
from models.equations.effect_integrated import Integrated
from models.estimands.response import response
from models.estimands.summary import convergence
from models.inference import nuts
from models.simulation import simulated_trial
from priors import prior_set
from scripts.benchmark_brms import brms

WAVES = ("baseline", "post-test", "3 months", "6 months")
ROLES = ("baseline", "negative control", "follow-up", "follow-up")
FITS = 40


def _large(participants: int, continuous: bool) -> Design:
    """A trial drawn from the effect model itself: arm and one covariate, four waves, a tenth of the cells missing."""
    rng = np.random.default_rng(1)
    arm = rng.permutation(np.arange(participants) % 2) - 0.5
    covariate = rng.standard_normal(participants) if continuous else rng.integers(0, 2, participants) * 2.0 - 1.0
    level, move = np.array([-0.3, -0.8, -1.2, -1.4]), np.array([0.0, 0.0, -0.1, -0.1])
    person, wave = np.nonzero(rng.random((participants, 4)) < 0.9)
    linear = level[wave] + arm[person] * move[wave] + 0.3 * covariate[person]
    linear += 1.2 * rng.standard_normal(participants)[person]
    outcome = (rng.random(person.size) < 1 / (1 + np.exp(-linear))).astype(int)
    return Design("logit", WAVES, ROLES, arm, covariate[:, None], ("c",), person, wave, outcome, (0.0, 1.0, 9.0, 12.0))


def _fit(layout: Design, sampler: nuts.Sampler) -> dict[str, Any]:
    """Group, sample, average over everybody; seconds of each, and whether it converged."""
    stamps = [time.monotonic()]
    ready = Effect(Integrated()).ready(layout, prior_set.load())
    stamps.append(time.monotonic())
    draws = nuts.sample(ready, sampler)["posterior"].to_dataset()
    stamps.append(time.monotonic())
    risks = response(Effect(), draws, layout, ("population",))
    stamps.append(time.monotonic())
    found = convergence(draws)
    difference = (risks.sel(arm="treated") - risks.sel(arm="control")).sel(wave="6 months")
    return {
        "seconds": dict(zip(("group", "sample", "average"), np.diff(stamps).round(2), strict=True)),
        "rhat": round(float(found.sel(diagnostic="rhat").to_dataarray().max()), 4),
        "least ess": round(float(found.sel(diagnostic="ess_bulk").to_dataarray().min())),
        "risk difference": [round(float(value), 5) for value in (difference.mean(), difference.std())],
    }


def million() -> dict[str, Any]:
    """A million participants, one binary covariate."""
    return _fit(_large(1_000_000, continuous=False), nuts.Sampler(draws=1000, tune=500, chains=2, seed=1))


def hundred_thousand() -> dict[str, Any]:
    """A hundred thousand participants, each with a covariate value of her own."""
    return _fit(
        _large(100_000, continuous=True), nuts.Sampler(draws=400, tune=200, chains=2, seed=1, target_accept=0.8)
    )


def calibration() -> dict[str, Any]:
    """Calibration fits of the effect model in one process, after the first."""
    plan = Plan(
        simulated_trial.load("effect"),
        "effect",
        "integrated",
        prior_set.load(),
        nuts.Sampler(500, 200, 2, 1, target_accept=0.8),
    )
    replication.replicate(plan, number_of("prior", 0))
    began = time.process_time()
    for place in range(1, FITS + 1):
        replication.replicate(plan, number_of("prior", place))
    return {"cpu seconds a fit": round((time.process_time() - began) / FITS, 3)}


def _sampled(ready: Any, sampler: nuts.Sampler) -> Any:
    return nuts.sample(ready, sampler)["posterior"].to_dataset()


def efficiency() -> dict[str, Any]:
    """Effective draws of the arm effect a second at n = 107: traits integrated out, sampled by nutpie; PyMC; brms."""
    import pymc as pm

    layout, priors = design(*simulated_trials.simulated(simulated_trial.load("effect"), 1)), prior_set.load()
    found: dict[str, Any] = {}

    def told(name: str, run: Callable[[], Any]) -> None:
        began, cpu = time.monotonic(), time.process_time()
        draws = run()
        wall, cpu = time.monotonic() - began, time.process_time() - cpu
        ess = float(convergence(draws[["theta"]]).sel(diagnostic="ess_bulk", follow_up="6 months")["theta"])
        found[name] = {"ess": round(ess), "a wall second": round(ess / wall), "a cpu second": round(ess / cpu)}

    for name, model in (("integrated", Effect(Integrated())), ("sampled", Effect())):
        ready = model.ready(layout, priors)
        nuts.sample(ready, nuts.Sampler(100, 100, 2, 1))
        for target in (0.9, 0.8):  # the product's default, and that of PyMC and of brms
            sampler = nuts.Sampler(draws=2000, tune=1000, chains=4, seed=1, target_accept=target)
            told(f"{name}, acceptance {target}", partial(_sampled, ready, sampler))
    plain_model = Effect().observed_model(layout, priors)

    def plain() -> Any:
        with plain_model:
            return pm.sample(random_seed=1, progressbar=False, nuts_sampler="pymc")["posterior"].to_dataset()

    plain()  # compiles
    told("PyMC, defaults", plain)
    return found | {"brms": brms(layout, priors)}


if __name__ == "__main__":
    rules = {rule.__name__: rule for rule in (million, hundred_thousand, calibration, efficiency)}
    sys.stdout.write(json.dumps(rules[sys.argv[1]]()) + "\n")
