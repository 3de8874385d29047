"""The data file of a simulated trial for a recipe: seeded NumPy, no code of the product, describing nobody."""

from __future__ import annotations

import csv
import io

import numpy as np

from models.trial.study_file.study import Outcome, Study
from tests.report_recipe import Recipe

ARMS = (50, 57)
"""Participants randomised to control and treated."""
LEVEL = {"baseline": -0.2, "post-test": -0.6, "3 months": -0.9, "6 months": -1.0}
"""Of the outcome on its link scale, by wave."""
TRAIT, NOISE = {"binary": 1.0, "count": 0.5, "continuous": 0.7}, 0.8


def data_text(recipe: Recipe, plan: Study) -> str:
    """A long CSV file: one row a visit, a blank where a value is missing."""
    rng = np.random.default_rng(recipe.seed)
    arm = np.repeat([0.0, 1.0], ARMS)
    waves = [wave.value for wave in plan.waves]
    lost = np.linspace(0, 0.16, len(waves))
    seen = rng.random((arm.size, len(waves))) >= lost
    age = rng.normal(36.0, 9.0, arm.size).round(1)
    education = rng.choice(3, arm.size, p=[0.06, 0.74, 0.2])
    acts = np.array([wave.role == "follow-up" for wave in plan.waves], float)
    level = np.array([LEVEL[wave] for wave in waves]) + 0.1 * (age[:, None] - 36) / 9
    columns = {
        plan.outcome.column: _outcome(rng, plan.outcome, level + np.outer(arm - 0.5, recipe.effect * acts)),
        **{part.column: _mediator(rng, part.kind, arm, acts) for part in plan.mediators},
        **{part.column: _outcome(rng, part, level) for part in plan.further_outcomes},
    }
    for place, part in enumerate(plan.mediators):
        if place:
            columns[part.column][rng.random(seen.shape) < 0.03] = np.nan
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["participant", "wave", "arm", *(part.column for part in plan.covariates), *columns])
    for person, place in zip(*np.nonzero(seen), strict=True):
        given = [f"{age[person]:g}", plan.covariates[1].levels[education[person]]] if plan.covariates else []
        cells = [f"{values[person, place]:.6g}".replace("nan", "") for values in columns.values()]
        which = (plan.arms.control, plan.arms.treated)[int(arm[person])]
        writer.writerow([f"p{person:03d}", waves[place], which.value, *given, *cells])
    return stream.getvalue()


def _outcome(rng: np.random.Generator, part: Outcome, linear: np.ndarray) -> np.ndarray:
    linear = linear + TRAIT[part.kind] * rng.standard_normal((len(linear), 1))
    if part.kind == "continuous":
        return 2 * (linear + NOISE * rng.standard_normal(linear.shape))
    if part.kind == "count":
        return rng.poisson(np.exp(linear + 1) * rng.gamma(4, 0.25, linear.shape)).astype(float)
    return (rng.random(linear.shape) < 1 / (1 + np.exp(-linear))).astype(float)


def _mediator(rng: np.random.Generator, kind: str, arm: np.ndarray, acts: np.ndarray) -> np.ndarray:
    linear = 0.5 * np.outer(arm - 0.5, acts) + 0.6 * rng.standard_normal((arm.size, 1))
    if kind == "continuous":
        return 50 + 10 * (linear + 0.8 * rng.standard_normal(linear.shape))
    mean = 1 / (1 + np.exp(-linear))
    if kind == "binary":
        return (rng.random(mean.shape) < mean).astype(float)
    share = rng.beta(8 * mean, 8 * (1 - mean)).clip(0.001, 0.999)
    ends = rng.random(mean.shape)
    return np.where(ends < 0.06, 0.0, np.where(ends > 0.9, 1.0, share))
