"""The verdict on a whole run: every fit has its own gate, and the run is as good as the worst of them."""

from __future__ import annotations

from dataclasses import dataclass

from models.gate_table import Check
from reports.facts import NOT_APPLICABLE, Facts
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


def reason(facts: Facts) -> str:
    """The checks that made the run amber or red, each with the element that came out worst; empty where none did."""
    told = [
        f"{named(facts, one)}: {one.check.value}" + (f" ({one.check.element})" if one.check.element else "")
        for one in worst(facts)
    ]
    return f"{'Failed' if status(facts) == 'red' else 'To look at'}: {'; '.join(told)}." if told else ""
