"""What a run's checks say of an assumption: a status is "checked" only where a check that can fail did not."""

from __future__ import annotations

from reports import negative_control
from reports.facts import NOT_APPLICABLE, Facts
from reports.words import agreeing

UNCHECKED = "not checked"


def found_in(section: int, *, right: bool) -> str:
    """Status of what a check speaks on: one that can fail, and has failed or not."""
    return f"checked in § {section}" if right else f"in doubt, see § {section}"


def by_gate(facts: Facts, section: int, *names: str) -> str:
    """Status by the gate's check of one of these names; "not checked" where the gate has made none."""
    for check in facts.gate.checks:
        if any(name in check.name.casefold() for name in names) and check.value not in (NOT_APPLICABLE, "not run"):
            return found_in(section, right=check.status == "green")
    return UNCHECKED


def predicted(facts: Facts, *names: str) -> str:
    """Status by predictive checks of these names, all of which must lie inside; "not checked" where there is none."""
    table = facts.run.predictive_checks
    inside = table["inside"][table["check"].isin(names)]
    return found_in(7, right=bool(inside.all())) if len(inside) else UNCHECKED


def early_difference(facts: Facts) -> str:
    """Where the negative control is looked at, with its numbers; checked only if it is precise enough."""
    if facts.withheld:
        return UNCHECKED
    wave = next(wave for wave in facts.contrasts if facts.role(wave) == "negative control")
    found = facts.estimate(facts.scale.difference, wave)
    if not found.identified:
        return f"{UNCHECKED}: nobody was seen there"
    median = found.number("median").text
    told = f"{median} {agreeing(median, facts.scale.points)} ({found.interval})"
    return {
        negative_control.CLEAR: f"checked in § 5: {told}",
        negative_control.AWAY: f"in doubt, see § 5: {told}",
        negative_control.IMPRECISE: f"{UNCHECKED}: {told}, too wide to rule out a bias as large as the margin (§ 5)",
    }[negative_control.found(facts, found)]


def comes_back(facts: Facts) -> str:
    """By the data check, which asks whether as few as were seen without the outcome after it could be chance."""
    found = next((check for check in facts.gate.checks if check.name == "data check"), None)
    return UNCHECKED if found is None else found_in(2, right="absorbing" not in (found.element or ""))


def worse(*statuses: str) -> str:
    """The worst of what several checks found: in doubt before checked, and not checked only where none was made."""
    return min(statuses, key=lambda status: (not status.startswith("in doubt"), status == UNCHECKED))
