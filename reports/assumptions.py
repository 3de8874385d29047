"""What the numbers rest on: each assumption, whether the design gives it, a check probes it, or nothing can."""

from __future__ import annotations

from dataclasses import dataclass

from reports.facts import Facts

DESIGN, UNTESTABLE = "by design", "not testable"


@dataclass(frozen=True)
class Assumption:
    """One assumption.

    Attributes
    ----------
    claim : str
        What is assumed.
    status : str
        "by design", "checked in § n" or "not testable".
    consequence : str
        What goes wrong if it does not hold.
    """

    claim: str
    status: str
    consequence: str


def assumed(facts: Facts) -> list[Assumption]:
    """Assumptions of the effect model, in the order in which a reader would doubt them."""
    found = [
        Assumption(
            "Arms were assigned at random",
            DESIGN,
            "The arms would differ before treatment; baseline in § 3 lets a reader look.",
        ),
        Assumption(
            "Both arms were interviewed at the same times", DESIGN, "A difference in timing would be read as an effect."
        ),
        Assumption(
            "One participant’s arm does not change another’s outcome",
            UNTESTABLE,
            "The difference would be diluted or enlarged.",
        ),
        Assumption(
            "Both arms report alike, although they know their arm",
            UNTESTABLE,
            "A difference in reporting would be read as an effect.",
        ),
    ]
    if facts.baseline is not None:
        found.append(
            Assumption(
                "At baseline the arms have the same risk"
                if facts.binary
                else "At baseline the arms have the same mean",
                DESIGN,
                "The model would move part of a chance difference into the effect; § 5 has the crude difference "
                "beside it.",
            )
        )
    if any(wave.role == "negative control" for wave in facts.study.waves):
        found.append(
            Assumption(
                "At the negative control the arms do not differ yet",
                "checked in § 5",
                "An early difference speaks for bias or for an early effect.",
            )
        )
    found += [
        Assumption(
            "Missing outcomes depend only on arm, baseline variables and observed outcomes (missing at random)",
            UNTESTABLE,
            "Selective loss would be read as an effect; § 9 will vary it.",
        ),
        Assumption(
            "Participants’ lasting differences are normal on the link scale and do not change over time",
            "checked in § 7",
            "Response patterns would be reproduced badly.",
        ),
        Assumption(
            "The effect is the same for all on the link scale",
            "checked in § 7",
            "The average difference would be slightly off.",
        ),
        Assumption(
            "The priors do not decide the answer", "checked in § 8", "The answer would be what was believed before."
        ),
    ]
    if not facts.binary:
        found.append(
            Assumption(
                "Counts vary as a negative binomial",
                "checked in § 7",
                "Zeros and large counts would be reproduced badly.",
            )
        )
    return found
