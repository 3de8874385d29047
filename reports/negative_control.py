"""What a negative control says: nothing on when the programme began but what the study file states."""

from __future__ import annotations

from reports.asked import excludes_zero, within_margin
from reports.estimate import Estimate
from reports.facts import Facts

EXPOSED = {
    "none": " before the programme could act",
    "partly": " after part of the programme, so that some of it may be an effect",
    None: "",
}
"""What a study file says of the programme before a negative control; where it says nothing, nor does the page."""
CLEAR, AWAY, IMPRECISE = "clear", "away", "imprecise"
WORDS = {
    CLEAR: "it contains 0 and rules out a bias of the margin’s size",
    AWAY: "it leaves out 0, which speaks of a bias, not of an effect",
    IMPRECISE: "it contains 0, and is too imprecise to rule out a bias of the margin’s size",
}


def found(facts: Facts, contrast: Estimate) -> str:
    """Whether the interval clears the design of a bias as large as the margin, lies away from 0, or is too wide."""
    if excludes_zero(contrast):
        return AWAY
    return CLEAR if within_margin(facts, contrast) else IMPRECISE
