"""What could the next trial find? A grid of sizes, attrition and effects, analysed by the product's own code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from models.calibration import quantities, simulated_trials
from models.calibration.operating_characteristics import of_wave, share
from models.calibration.plan import Plan
from models.calibration.replication import fit_to
from models.design.layout import design
from models.estimands.summary import DIFFERENCES, LOWER, UPPER
from models.faults import SamplerFailed
from models.simulation import simulated_trial
from models.simulation.scenario import Scenario, ScenarioError
from models.simulation.scenario_parts import Missingness, Outcome
from models.simulation.true_values import Truth, truth

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
        Arm effect on the outcome's link scale at the primary wave, beside what goes through mediators; of a union, on
        that of each of its parts. Other follow-ups keep their proportion to it, or have the same where it was 0; other
        outcomes keep their own.
    mediated : float
        Factor on the arm's effects on every mediator: 1 as the scenario states, 0 none.
    """

    participants: int
    attrition: float
    effect: float
    mediated: float = 1.0

    def scenario(self, base: Scenario) -> Scenario:
        """The scenario at this point; `ScenarioError` where it is impossible."""
        if self.attrition > 0 and len(base.waves) == 1:
            raise ScenarioError(f"attrition is {self.attrition:g}: with one wave there is no later one; give 0")
        outcomes = (
            replace(each, arm_effects=self._moved(each, base)) if each in base.parts else each for each in base.outcomes
        )
        found = replace(base, outcomes=tuple(outcomes))
        for mediator in base.mediators:
            effects = tuple(self.mediated * each for each in mediator.arm_effects)
            found = found.with_mediator(mediator.column, arm_effects=effects)
        rate = 1 - (1 - self.attrition) ** (1 / max(1, len(base.waves) - 1))
        lost = Missingness("dropout", (0.0, *[rate] * (len(base.waves) - 1)))
        found = replace(found, missingness=(lost,) if self.attrition > 0 else ())
        return simulated_trial.resized(found, self.participants)

    def _moved(self, outcome: Outcome, base: Scenario) -> tuple[float, ...]:
        """Arm effects of an outcome, wave by wave; those at waves that are no follow-up stay."""
        stated = outcome.arm_effects or (0.0,) * len(base.waves)
        primary = stated[[wave.value for wave in base.waves].index(base.primary_wave)]
        if self.effect == primary:
            return stated
        follows = [wave.role == "follow-up" for wave in base.waves]
        moved = [self.effect * (each / primary if primary else 1.0) for each in stated]
        return tuple(new if later else old for new, old, later in zip(moved, stated, follows, strict=True))


@dataclass(frozen=True, eq=False)
class Grid:
    """A design study: one plan, many points.

    Attributes
    ----------
    plan : Plan
        Scenario, model, priors and sampler.
    points : tuple of Point
        In order.
    spread : float
        SD of the design prior: each trial has a true effect of its own, normal around its point's. 0: that itself.
    """

    plan: Plan
    points: tuple[Point, ...]
    spread: float = 0.0
    truths: dict[Point, Truth] = field(default_factory=dict, repr=False)

    @classmethod
    def over(
        cls,
        plan: Plan,
        participants: Iterable[int],
        attrition: Iterable[float],
        effect: Iterable[float],
        mediated: Iterable[float] = (1.0,),
        spread: float = 0.0,
    ) -> Grid:
        """Every combination."""
        return cls(plan, tuple(Point(*each) for each in product(participants, attrition, effect, mediated)), spread)

    @cached_property
    def scenarios(self) -> tuple[Scenario, ...]:
        """The scenario at every point; made before any work, so that an impossible one is told at once."""
        return tuple(point.scenario(self.plan.scenario) for point in self.points)

    def __reduce__(self) -> tuple:
        """Another process makes what it needs of it anew."""
        return type(self), (self.plan, self.points, self.spread)

    def describe(self) -> dict[str, Any]:
        """What decides a replication's numbers, JSON-able."""
        points = [list(asdict(point).values()) for point in self.points]
        return self.plan.describe() | {"grid": points, "effect_sd": self.spread}


def replicate(grid: Grid, number: int) -> dict[str, Any]:
    """Simulate and analyse one trial at one point: number = replication × points + point.

    Returns
    -------
    dict
        point, replication, and `rows`, for each estimand asked: truth (of the point: under a design prior each trial
        has its own), benefit and harm (posterior probabilities), width, covered; or `failed`.
    """
    place, plan = number % len(grid.points), grid.plan
    seeds = np.random.SeedSequence([plan.sampler.seed, 53, number // len(grid.points)])
    # one point's trial has the same random numbers as another's: their difference is known better
    simulated_by, fitted_by = (int(np.random.default_rng(seed).integers(2**31)) for seed in seeds.spawn(2))
    scenario = grid.scenarios[place]
    if grid.spread > 0:
        away = grid.spread * np.random.default_rng([*seeds.entropy, 1]).standard_normal()  # type: ignore[misc]
        point = replace(grid.points[place], effect=grid.points[place].effect + float(away))
        scenario = point.scenario(plan.scenario)
    study, data = simulated_trials.simulated(scenario, simulated_by)
    layout = plan.fitted.seen(design(study, data))
    head: dict[str, Any] = {"point": place, "replication": number // len(grid.points)}
    try:
        fitted = fit_to(plan, layout, fitted_by)
    except SamplerFailed as error:
        return head | {"failed": str(error)}
    found = asked(quantities.quantities(fitted.draws, plan.fitted, layout, study), study.primary_wave)
    true = _truth(grid, place, found)
    lower_is_better = study.outcome.better == "lower"
    rows: dict[str, dict[str, Any]] = {}
    for name, each in found.items():
        values = each.values.ravel()
        below, above = float((values < 0).mean()), float((values > 0).mean())
        low, high = np.quantile(values, [LOWER, UPPER])
        benefit, harm = (below, above) if lower_is_better else (above, below)
        at = true.get(name, np.nan)
        held = bool(low <= at <= high) if name in true and grid.spread == 0 else None
        rows[name] = {"truth": at, "benefit": benefit, "harm": harm, "width": float(high - low), "covered": held}
    return head | fitted.diagnostics | {"rows": rows}


def asked(found: Mapping[str, quantities.Quantity], wave: str) -> dict[str, quantities.Quantity]:
    """The difference between the arms and the path effects, at the primary wave."""
    names = (*DIFFERENCES, "natural_direct", "natural_indirect", "interventional_direct", "interventional_via")
    return {name: each for name, each in found.items() if name.partition("[")[0] in names and of_wave(name, wave)}


def _truth(grid: Grid, place: int, found: Mapping[str, quantities.Quantity]) -> dict[str, float]:
    """True values at a point; size and attrition do not change them."""
    key = replace(grid.points[place], participants=0, attrition=0.0)
    if key not in grid.truths:
        grid.truths[key] = truth(grid.scenarios[place])
    return quantities.known(grid.truths[key], found)


def summarise(grid: Grid, results: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """One row for each point and estimand.

    Returns
    -------
    DataFrame
        participants, attrition, effect, mediated, quantity, label, truth, replications; assurance, the share of trials
        that end with P(benefit) > 0.95 (at one true effect: power); harm, likewise; narrow, the share whose 95%
        interval is narrower than the margin; coverage; width, its mean; and `…_mcse` of each. A point at which every
        fit failed has rows of 0 replications.
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
    for (place, point), name in product(enumerate(grid.points), whole["quantity"].unique()):
        group = whole[(whole["point"] == place) & (whole["quantity"] == name)]
        row: dict[str, Any] = asdict(point) | {
            "quantity": name,
            "label": quantities.words(str(name)),
            "truth": float(group["truth"].iloc[0]) if len(group) else np.nan,
            "replications": len(group),
        }
        rows.append(row)
        if group.empty:
            continue
        row |= share("assurance", group["benefit"] > CERTAIN) | share("harm", group["harm"] > CERTAIN)
        known = group["covered"].notna().all()
        row |= share("coverage", group["covered"].astype(bool)) if known else _unknown("coverage")
        row |= share("narrow", group["width"] < margin) if margin is not None else _unknown("narrow")
        row |= {"width": float(group["width"].mean()), "width_mcse": float(group["width"].sem())}
    return pd.DataFrame(rows)


def _unknown(name: str) -> dict[str, float]:
    return {name: np.nan, f"{name}_mcse": np.nan}
