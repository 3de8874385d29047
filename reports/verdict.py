"""The verdict on a whole run: every fit has its own gate, and the run is as good as the worst of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from models.gate_table import Check
from reports.facts import NOT_APPLICABLE, Facts, as_found
from reports.words import clean


@dataclass(frozen=True)
class Judged:
    """A check with the model that it was made on: "effect", "mediation"."""

    model: str
    check: Check


def checks(facts: Facts) -> list[Judged]:
    """Every check of every fit, the first fit's first."""
    return [Judged(name, check) for name, fit in fits(facts).items() for check in fit.gate.checks]


def counted(facts: Facts) -> list[Judged]:
    """Checks that their fit has a use for."""
    return [one for one in checks(facts) if one.check.value != NOT_APPLICABLE]


def fits(facts: Facts) -> dict[str, Facts]:
    """Facts of each fit by its model's name."""
    return {clean(facts.manifest["model"]): facts, **facts.further}


def status(facts: Facts) -> str:
    """Worst status of all fits."""
    return facts.run.status


def worst(facts: Facts) -> list[Judged]:
    """The checks that made the run amber or red."""
    return [one for one in checks(facts) if one.check.status == status(facts) != "green"]


def named(facts: Facts, one: Judged) -> str:
    """Name of a check, with its model where there are several."""
    return f"{one.model} model, {one.check.name}" if facts.further else one.check.name


def told(facts: Facts, one: Judged) -> str:
    """A check, its model where there are several, what was found, where it is worst and the limit."""
    return as_found(one.check, named(facts, one))


def closest(facts: Facts) -> Judged | None:
    """The check that used most of its limit, among those that passed and have a number; None where none has one."""
    passed = [one for one in counted(facts) if one.check.status == "green"]
    last = max(passed, key=lambda one: _used(one.check), default=None)
    return last if last and _used(last.check) > 0 else None


def _used(check: Check) -> float:
    """Share of a limit that was used, 1 at the limit; 0 where there is no number or nothing above the ideal."""
    value, limit = (_number(text) for text in (check.value, check.green))
    if check.green[:1] == "≥":
        return limit / value if value > 0 else 0.0
    ideal = 1.0 if check.name.startswith(("R-hat", "R̂")) else 0.0
    return (value - ideal) / (limit - ideal) if check.green[:1] in "≤<" and limit > ideal else 0.0


def _number(text: str) -> float:
    """First number of a printed value, a percentage as a share; 0 where there is none."""
    number = re.search(r"(\d[\d.]*(?:e[+-]?\d+)?)(%?)", text.replace("\u2212", "-"))
    return float(number[1]) / (100 if number[2] else 1) if number else 0.0


def reason(facts: Facts) -> str:
    """The checks that made the run amber or red, each with the element that came out worst; empty where none did."""
    told_of = [told(facts, one) for one in worst(facts)]
    return f"{'Failed' if status(facts) == 'red' else 'To look at'}: {'; '.join(told_of)}." if told_of else ""
