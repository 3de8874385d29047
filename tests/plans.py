"""Calibration plans of the tests: the effect model with short chains."""

from __future__ import annotations

from typing import Any

from models.calibration.plan import Plan
from models.inference import nuts
from models.simulation import simulated_trial
from priors import prior_set

QUICK = nuts.Sampler(draws=400, tune=200, chains=2, seed=8)


def quick(**changes: Any) -> Plan:
    """A plan for scenario `effect`, but for what is changed."""
    given = {"scenario": simulated_trial.load("effect"), "model": "effect", "likelihood": "integrated"}
    return Plan(**(given | {"priors": prior_set.load(), "sampler": QUICK} | changes))
