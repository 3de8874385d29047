"""What a negative control says: nothing on when the programme began but what the study file states."""

from __future__ import annotations

from reports.text.estimate import ReportedEstimate
from reports.text.facts import Facts
from reports.text.sensitivities import excludes_zero, within_margin

EXPOSED = {
    "none": " before the programme could act",
    "partly": " after part of the programme, so that some of it may be an effect",
    None: "",
}
"""What a study file says of the programme before a negative control; where it says nothing, nor does the page."""
CLEAR, AWAY, IMPRECISE = "clear", "away", "imprecise"
WORDS = {
    CLEAR: "it contains 0 and rules out a bias of the margin’s size",
    AWAY: "it excludes 0, which points to a bias, not to an effect",
    IMPRECISE: "it contains 0, and is too imprecise to rule out a bias of the margin’s size",
}


def found(facts: Facts, contrast: ReportedEstimate) -> str:
    """Whether the interval clears the design of a bias as large as the margin, lies away from 0, or is too wide."""
    if excludes_zero(contrast):
        return AWAY
    return CLEAR if within_margin(facts, contrast) else IMPRECISE
