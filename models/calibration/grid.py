"""What could the next trial find? A grid of sizes, attrition and effects, analysed by the product's own code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from models import simulate
from models.calibration import quantities, trials
from models.calibration.plan import Plan
from models.calibration.replication import fit_to
from models.calibration.summary import share
from models.design import design
from models.faults import SamplerFailed
from models.simulation.scenario import Missingness, Scenario
from models.simulation.truth import truth
from models.summary import DIFFERENCES, LOWER, UPPER

CERTAIN = 0.95
"""Posterior probability that counts as an answer."""


@dataclass(frozen=True)
class Point:
    """One point of the grid.

    Attributes
    ----------
    participants : int
        In both arms together.
    attrition : float
        Share lost by the last wave, by chance alone and for good.
    effect : float
        Arm effect on the outcome's link scale at every follow-up, beside what goes through mediators.
    """

    participants: int
    attrition: float
    effect: float

    def scenario(self, base: Scenario) -> Scenario:
        """The scenario at this point; `ScenarioError` where it is impossible."""
        follow_up = [wave.role == "follow-up" for wave in base.waves]
        found = base.with_outcome(arm_effects=tuple(self.effect if later else 0.0 for later in follow_up))
        rate = 1 - (1 - self.attrition) ** (1 / max(1, len(base.waves) - 1))
        lost = Missingness("dropout", (0.0, *[rate] * (len(base.waves) - 1)))
        found = replace(found, missingness=(lost,) if self.attrition > 0 else ())
        return simulate.resized(found, self.participants)


@dataclass(frozen=True, eq=False)
class Grid:
    """A design study: one plan, many points.

    Attributes
    ----------
    plan : Plan
        Scenario, model, priors and sampler.
    points : tuple of Point
        In order.
    """

    plan: Plan
    points: tuple[Point, ...]
    truths: dict[Point, dict[str, float]] = field(default_factory=dict, repr=False)

    @classmethod
    def over(cls, plan: Plan, participants: Iterable[int], attrition: Iterable[float], effect: Iterable[float]) -> Grid:
        """Every combination."""
        return cls(plan, tuple(Point(*each) for each in product(participants, attrition, effect)))

    @cached_property
    def scenarios(self) -> tuple[Scenario, ...]:
        """The scenario at every point; made before any work, so that an impossible one is told at once."""
        return tuple(point.scenario(self.plan.scenario) for point in self.points)

    def __reduce__(self) -> tuple:
        """Another process compiles for itself."""
        return type(self), (self.plan, self.points)

    def describe(self) -> dict[str, Any]:
        """What decides a replication's numbers, JSON-able."""
        return self.plan.describe() | {"grid": [[p.participants, p.attrition, p.effect] for p in self.points]}


def replicate(grid: Grid, number: int) -> dict[str, Any]:
    """Simulate and analyse one trial at one point: number = replication × points + point.

    Returns
    -------
    dict
        point, replication, and `rows`, for each estimand asked: truth, benefit and harm (posterior probabilities),
        width, covered; or `failed`.
    """
    place, plan = number % len(grid.points), grid.plan
    seeds = np.random.SeedSequence([plan.sampler.seed, 53, number // len(grid.points)])
    # one point's trial has the same random numbers as another's: their difference is known better
    simulated_by, fitted_by = (int(np.random.default_rng(seed).integers(2**31)) for seed in seeds.spawn(2))
    study, data = trials.simulated(grid.scenarios[place], simulated_by)
    layout = design(study, data)
    head: dict[str, Any] = {"point": place, "replication": number // len(grid.points)}
    try:
        fitted = fit_to(plan, layout, fitted_by)
    except SamplerFailed as error:
        return head | {"failed": str(error)}
    found = asked(quantities.quantities(fitted.draws, plan.module, layout, study), study.primary_wave)
    true = _truth(grid, place, found)
    lower_is_better = study.outcome.better == "lower"
    rows: dict[str, dict[str, Any]] = {}
    for name, each in found.items():
        values = each.values.ravel()
        below, above = float((values < 0).mean()), float((values > 0).mean())
        low, high = np.quantile(values, [LOWER, UPPER])
        outcome_scale = not name.startswith("mediator_")
        benefit, harm = (below, above) if lower_is_better and outcome_scale else (above, below)
        at = true.get(name, np.nan)
        held = bool(low <= at <= high) if name in true else None
        rows[name] = {"truth": at, "benefit": benefit, "harm": harm, "width": float(high - low), "covered": held}
    return head | {"rows": rows}


def asked(found: Mapping[str, quantities.Quantity], wave: str) -> dict[str, quantities.Quantity]:
    """The difference between the arms and the path effects, at the primary wave."""
    names = (*DIFFERENCES, "natural_direct", "natural_indirect", "interventional_direct", "interventional_via")
    return {
        name: each
        for name, each in found.items()
        if name.partition("[")[0] in names and name.removesuffix("]").endswith(wave)
    }


def _truth(grid: Grid, place: int, found: Mapping[str, quantities.Quantity]) -> dict[str, float]:
    """True values at a point; size and attrition do not change them."""
    key = replace(grid.points[place], participants=0, attrition=0.0)
    if key not in grid.truths:
        grid.truths[key] = quantities.known(truth(grid.scenarios[place]), found)
    return grid.truths[key]


def summarise(grid: Grid, results: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """One row for each point and estimand.

    Returns
    -------
    DataFrame
        participants, attrition, effect, quantity, label, truth, replications; assurance, the share of trials that end
        with P(benefit) > 0.95; harm, likewise; narrow, the share whose 95% interval is narrower than the margin;
        coverage; width, its mean; and `…_mcse` of each.
    """
    margin = grid.plan.scenario.outcome.margin
    whole = pd.DataFrame(
        [
            {"point": result["point"], "quantity": name, **row}
            for result in results
            if "failed" not in result
            for name, row in result["rows"].items()
        ]
    )
    rows = []
    for (place, name), group in whole.groupby(["point", "quantity"], sort=False):
        point = grid.points[int(place)]
        row: dict[str, Any] = {
            "participants": point.participants,
            "attrition": point.attrition,
            "effect": point.effect,
            "quantity": name,
            "label": quantities.words(str(name)),
            "truth": float(group["truth"].iloc[0]),
            "replications": len(group),
        }
        row |= share("assurance", group["benefit"] > CERTAIN) | share("harm", group["harm"] > CERTAIN)
        known = group["covered"].notna().all()
        row |= share("coverage", group["covered"].astype(bool)) if known else _unknown("coverage")
        row |= share("narrow", group["width"] < margin) if margin is not None else _unknown("narrow")
        row |= {"width": float(group["width"].mean()), "width_mcse": float(group["width"].sem())}
        rows.append(row)
    return pd.DataFrame(rows)


def _unknown(name: str) -> dict[str, float]:
    return {name: np.nan, f"{name}_mcse": np.nan}
