"""What was asked of the fit's assumptions, as rows that tables and figures print (`sensitivity.nc`)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from reports.estimate import Estimate
from reports.facts import Facts
from reports.paths import Part
from reports.words import short

NOT_ASKED = "Not run: this run holds no refits; scripts/analyse.py and scripts/fit.py --model effect make them."
ASSUMED = "assumption-driven"


@dataclass(frozen=True)
class Refit:
    """One changed analysis.

    Attributes
    ----------
    kind, name : str
        "priors", "participants", "model" or "outcome", and which.
    column, outcome : str
        Column and label of what was analysed.
    why : str
        Of the priors.
    reason : str
        Why it was not run; empty where it was.
    estimates : tuple of Estimate
        Its population averages.
    divergences : float
        Of its sampler; NaN where it was not run.
    """

    kind: str
    name: str
    column: str
    outcome: str
    why: str
    reason: str
    estimates: tuple[Estimate, ...]
    divergences: float

    def find(self, estimand: str, wave: str, arm: str = "") -> Estimate | None:
        """One of its estimates; None where it has no such one."""
        wanted = (estimand, wave, arm)
        return next((one for one in self.estimates if (one.estimand, one.wave, one.arm) == wanted), None)


def not_run(facts: Facts) -> str:
    """Why nothing was asked; empty where it was."""
    return NOT_ASKED if facts.run.sensitivity is None else ""


def refits(facts: Facts, *kinds: str) -> list[Refit]:
    """Changed analyses of some kinds, in the order in which they were planned."""
    table = facts.run.asked("refits")
    if table is None or table.empty:
        return []
    found = []
    for (kind, name), rows in table.groupby(["kind", "name"], sort=False):
        if str(kind) not in kinds:
            continue
        first = rows.iloc[0]
        made = tuple(Estimate.of(_typed(row)) for row in rows.to_dict("records") if row["estimand"])
        column, outcome, why, reason = (str(first[key]) for key in ("column", "outcome", "why", "reason"))
        found.append(Refit(str(kind), str(name), column, outcome, why, reason, made, float(first["divergences"])))
    return found


def _typed(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row with its names as text, and without a mediator's or a reason's absence as a number."""
    return {str(name): value for name, value in row.items()} | {"primary": bool(row.get("primary") == 1)}


def named(name: str) -> str:
    """Name of a prior set or a changed analysis, as printed."""
    return short(name.replace("_", " "), 60)


def as_analysed(facts: Facts) -> Part:
    """The main result, to stand above every change of it."""
    difference = facts.estimate(facts.scale.difference, facts.primary)
    return Part("As analysed", named(facts.manifest["priors"]["name"]), difference)


def part(facts: Facts, refit: Refit, name: str, note: str = "") -> Part | None:
    """Primary difference of a refit; None where it was not run."""
    found = refit.find(facts.scale.difference, facts.primary)
    return None if found is None else Part(name, note, found)


def scenario(facts: Facts, row: Mapping[Any, Any], name: str, note: str) -> Part:
    """A row of a tipping table beside the main result: its numbers under an assumption that was chosen."""
    main = facts.estimate(facts.scale.difference, facts.primary)
    numbers: dict[str, Any] = {key: float(row[key]) for key in ("median", "lower", "upper")}
    unknown: dict[str, Any] = dict.fromkeys(("prior_median", "prior_lower", "prior_upper", "contraction"), math.nan)
    return Part(name, note, replace(main, evidence=ASSUMED, **numbers, **unknown))


def excludes_zero(estimate: Estimate) -> bool:
    """Whether the 95% interval lies on one side of 0."""
    return estimate.lower > 0 or estimate.upper < 0
