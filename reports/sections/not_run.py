"""Sections whose analysis is not part of this run: each stands in its place and says why."""

from __future__ import annotations

from reports.facts import Facts
from reports.parts import Section
from reports.words import listed, short

REASONS = {
    9: (
        "What if an assumption fails?",
        "tipping points for confounding, selective loss and misreporting are a later step; § 4 lists the "
        "assumptions that they will probe.",
    ),
    10: (
        "Would the method find the truth?",
        "recovery and calibration at this sample size are in the test suite; a later step prints them here.",
    ),
    11: ("Any other result?", "further outcomes are a later step; {further}."),
}


def sections(facts: Facts) -> list[Section]:
    """Sections above, with what the study file names for them."""
    further = [short(part.label, 60) for part in facts.study.further_outcomes]
    named = {
        "further": f"the study file names {listed(further)}" if further else "the study file names none",
    }
    return [
        Section(number, question, "not_run.html.j2", "not run", f"Not run: {reason.format(**named)}")
        for number, (question, reason) in REASONS.items()
    ]
