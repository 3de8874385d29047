"""What was asked of the fit's assumptions, as rows that tables and figures print."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from models.estimands.ledger import Evidence
from reports.text.estimate import ReportedEstimate
from reports.text.facts import Facts
from reports.text.mediated import Part
from reports.text.numbers import score_decimals
from reports.text.words import clean, short

if TYPE_CHECKING:
    import pandas as pd

NO_REFITS = "Not run: this run holds no refits."
ASSUMED = Evidence.ASSUMPTION


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
    ships, informed : bool
        Whether its priors ship, and are not those in use with other SDs; whether they stand on other trials.
    divergences : float
        Of its sampler; NaN where it was not run.
    """

    kind: str
    name: str
    column: str
    outcome: str
    why: str
    reason: str
    estimates: tuple[ReportedEstimate, ...]
    divergences: float
    ships: bool = False
    informed: bool = False

    def find(self, estimand: str, wave: str, arm: str = "") -> ReportedEstimate | None:
        """One of its estimates; None where it has no such one."""
        wanted = (estimand, wave, arm)
        return next((one for one in self.estimates if (one.estimand, one.wave, one.arm) == wanted), None)


def not_run(facts: Facts) -> str:
    """Why nothing was asked; empty where it was."""
    return "" if "refits" in facts.run.tree.children else NO_REFITS


def refits(facts: Facts, *kinds: str) -> list[Refit]:
    """Changed analyses of some kinds, in the order in which they were planned."""
    if facts not in _KNOWN:  # many sections ask
        _KNOWN[facts] = _every(facts)
    return [each for each in _KNOWN[facts] if each.kind in kinds]


_KNOWN: WeakKeyDictionary[Facts, list[Refit]] = WeakKeyDictionary()


def _every(facts: Facts) -> list[Refit]:
    table = facts.run.asked("refits")
    if table is None or table.empty:
        return []
    found = []
    for (kind, name), rows in table.groupby(["kind", "name"], sort=False):
        first = rows.iloc[0]
        same = str(first["column"]) == facts.study.outcome.column
        made = tuple(_estimate(facts, row, same) for row in rows.to_dict("records") if row["estimand"])
        column, outcome, why, reason = (str(first[key]) for key in ("column", "outcome", "why", "reason"))
        numbers = float(first["divergences"]), bool(first["ships"]), bool(first["informed"])
        found.append(Refit(str(kind), str(name), column, outcome, why, reason, made, *numbers))
    return found


def _estimate(facts: Facts, row: Mapping[Any, Any], analysed: bool) -> ReportedEstimate:
    """A row with its names as text, and the decimals of its quantity: of another outcome by what its effect varies."""
    found = ReportedEstimate.of({str(name): value for name, value in row.items()})
    if analysed:
        return facts.completed(found)
    return replace(found, digits=score_decimals(10 * found.sd)) if found.unit in ("events", "units") else found


def named(name: str) -> str:
    """Name of a prior set or a changed analysis, as printed."""
    return short(name.replace("_", " "), 60)


def of_paths(facts: Facts, group: str, column: str) -> pd.DataFrame | str:
    """What was asked of the mediation fit, `column` being of answers alone, or why there is no answer."""
    if facts.paths is None:
        return "no mediation model was fitted."
    if facts.paths.withheld:
        return "the mediation model's gate is red."
    table: pd.DataFrame | None = getattr(facts.paths.run, group)
    if table is None:
        return "the run holds none."
    return table if column in table else clean(table["reason"].iloc[0])


def as_analysed(facts: Facts) -> Part:
    """The main result, to stand above every change of it."""
    difference = facts.estimate(facts.scale.difference, facts.primary)
    return Part("As analysed", f"priors: {named(facts.manifest['priors']['name'])}", difference)


def part(facts: Facts, refit: Refit, name: str, note: str = "") -> Part | None:
    """Primary difference of a refit; None where it was not run."""
    found = refit.find(facts.scale.difference, facts.primary)
    return None if found is None else Part(name, note, found)


def assumed(part: Part) -> Part:
    """The same with the evidence class of a number that an untested assumption carries."""
    return replace(part, estimate=replace(part.estimate, evidence=ASSUMED))


def scenario(facts: Facts, row: Mapping[Any, Any], name: str, note: str) -> Part:
    """A row of a tipping table beside the main result: its numbers under an assumption that was chosen."""
    main = facts.estimate(facts.scale.difference, facts.primary)
    numbers: dict[str, Any] = {key: float(row[key]) for key in ("median", "lower", "upper")}
    unknown: dict[str, Any] = dict.fromkeys(("prior_median", "prior_lower", "prior_upper", "contraction"), math.nan)
    return Part(name, note, replace(main, evidence=ASSUMED, **numbers, **unknown))


def excludes_zero(estimate: ReportedEstimate) -> bool:
    """Whether the 95% interval lies on one side of 0."""
    return estimate.lower > 0 or estimate.upper < 0


def within_margin(facts: Facts, estimate: ReportedEstimate) -> bool:
    """Whether the 95% interval lies inside the margin on both sides."""
    margin = facts.study.outcome.margin
    return -margin < estimate.lower and estimate.upper < margin


def side(facts: Facts, lower: float, upper: float) -> str:
    """Where an interval lies: on one side of 0, or on both."""
    if lower <= 0 <= upper:
        return "includes 0"
    return "excludes 0: benefit" if (upper < 0) == facts.lower_is_better else "excludes 0: harm"


def gives_away(facts: Facts) -> bool:
    """Whether the move under another assumption on the missing would tell a number missing that may not be told."""
    return facts.people.concealed(facts.primary)


def surface(facts: Facts, name: str) -> pd.DataFrame | str:
    """A tipping table, or why there is none to print."""
    table = facts.run.asked(name)
    if table is None:
        return "the run holds none."
    if str(table["kind"].iloc[0]) == "not run":
        return clean(table["reason"].iloc[0])
    if name == "missing_not_at_random" and gives_away(facts):
        return "how far the answer moves would give a small number of participants away."
    return table
