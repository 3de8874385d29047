"""What the numbers rest on: each assumption, whether the design gives it, a check probes it, or nothing can."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from reports import decision
from reports.assumption_checks import UNCHECKED, by_gate, comes_back, early_difference, predicted, worse
from reports.facts import Facts
from reports.numbers import Number
from reports.parts import Cell, Column, Table

DESIGN, UNTESTABLE = "by design", "not testable"
DOUBT = "in doubt, see § 8"
SPREADS = ("standard deviations by arm and wave", "sd by arm and wave")
"""Names of the gate's check on them."""


def _priors(facts: Facts) -> str:
    # with estimates withheld no verdict is told, not even that it depends on something
    return DOUBT if facts.pulled or (not facts.withheld and decision.depends_on_prior(facts)) else "checked in § 8"


def _always(facts: Facts) -> bool:  # noqa: ARG001 - the others need it
    return True


def _has_baseline(facts: Facts) -> bool:
    return facts.baseline is not None


def _has_negative_control(facts: Facts) -> bool:
    return any(wave.role == "negative control" for wave in facts.study.waves)


def _has_missing(facts: Facts) -> bool:
    return facts.people.incomplete


def _counts_events(facts: Facts) -> bool:
    return not facts.binary and not facts.continuous


def _measures(facts: Facts) -> bool:
    return facts.continuous


def _has_patterns(facts: Facts) -> bool:
    return facts.has_trait and facts.binary


def _has_spread(facts: Facts) -> bool:
    return facts.has_trait and not facts.binary


@dataclass(frozen=True)
class Assumption:
    """One assumption.

    Attributes
    ----------
    claim : str
        What is assumed.
    status : str or callable
        "by design", "checked in § n" where a check that can fail did not, "in doubt, see § n" where it did, "not
        testable" where no data of the trial can speak on it, "not checked" where they might; numbers may follow a
        colon. A function where the run decides.
    consequence : str
        What goes wrong if it does not hold.
    applies : callable
        Whether a run needs it.
    """

    claim: str
    status: str | Callable[[Facts], str]
    consequence: str
    applies: Callable[[Facts], bool] = _always


ASSUMPTIONS = (
    Assumption(
        "Arms were assigned at random",
        DESIGN,
        "The arms would differ before treatment; the baseline table in § 3 lets a reader look.",
    ),
    Assumption(
        "Participants are independent of one another: not randomised, treated or recruited in groups",
        UNCHECKED,
        "Intervals would be too narrow: groups are in no part of the model.",
    ),
    Assumption(
        "Both arms were visited at the same times",
        UNCHECKED,
        "A difference in timing would be read as an effect.",
    ),
    Assumption(
        "Everybody was observed for the same time at each wave",
        UNCHECKED,
        "A longer time would be read as more events.",
        _counts_events,
    ),
    Assumption(
        "At baseline the arms differ by chance alone: the model gives them one level",
        DESIGN,
        "Part of a chance difference would move into the effect; § 5 has the crude difference beside it.",
        _has_baseline,
    ),
    Assumption(
        "At the negative control the arms do not differ yet",
        early_difference,
        "An early difference speaks for bias or for an early effect.",
        _has_negative_control,
    ),
    Assumption(
        "What lasts in a participant is normal on the {scale}",
        lambda facts: by_gate(facts, 7, "response patterns"),
        "Who never or always has the outcome would be reproduced badly.",
        _has_patterns,
    ),
    Assumption(
        "The outcome can come back: having it at one wave does not settle the next",
        comes_back,
        "Risks at later waves, and what lasts in a participant, would be wrong.",
        _has_patterns,
    ),
    Assumption(
        "What lasts in a participant is normal on the {scale}",
        lambda facts: predicted(facts, "spread between participants"),
        "The spread between participants would be reproduced badly.",
        _has_spread,
    ),
    Assumption(
        "Any two waves of a participant are tied equally",
        UNCHECKED,
        "Intervals would be too narrow or too wide.",
        lambda facts: facts.has_trait,
    ),
    Assumption(
        "The effect is the same for all on the {scale}",
        UNCHECKED,
        "The average difference would be slightly off.",
    ),
    Assumption(
        "Counts vary as a negative binomial, without further zeros",
        lambda facts: worse(
            predicted(facts, "zeros"), by_gate(facts, 2, "zeros beyond"), by_gate(facts, 2, "modelled mean")
        ),
        "Zeros and large counts would be reproduced badly, and means could be far off.",
        _counts_events,
    ),
    Assumption(
        "Outcomes vary normally around what is expected of a participant",
        UNCHECKED,
        "Far values would weigh too much.",
        _measures,
    ),
    Assumption(
        "Outcomes vary by as much in both arms and at every wave",
        lambda facts: by_gate(facts, 2, *SPREADS),
        "Intervals would be too narrow or too wide.",
        _measures,
    ),
    Assumption(
        "The priors do not decide the answer",
        _priors,
        "The answer would be what was believed before.",
    ),
    Assumption(
        "Missing outcomes depend only on arm, baseline variables and observed outcomes (missing at random)",
        UNTESTABLE,
        "Selective loss would be read as an effect; § 9 varies it.",
        _has_missing,
    ),
    Assumption(
        "One participant’s arm does not change another’s outcome (no interference)",
        UNTESTABLE,
        "The difference would be diluted or enlarged.",
    ),
    Assumption(
        "Both arms report alike, even where participants know their arm",
        UNTESTABLE,
        "A difference in reporting would be read as an effect; see § 9.",
    ),
)
"""Assumptions of the effect model, from what the design gives to what no data of the trial can test."""


def assumed(facts: Facts) -> list[Assumption]:
    """Those that a run needs, with the status that its numbers give."""
    scale = "outcome’s own scale" if facts.continuous else "link scale"
    return [
        replace(
            one,
            claim=one.claim.format(scale=scale),
            status=one.status(facts) if callable(one.status) else one.status,
        )
        for one in ASSUMPTIONS
        if one.applies(facts)
    ]


def tally(found: Sequence[Assumption]) -> dict[str, Number]:
    """How many of these assumptions are of which kind: all, design, checked, doubt, open; zero of a kind included."""
    told = [str(one.status) for one in found]
    counts = {
        "all": len(told),
        "design": told.count(DESIGN),
        "checked": sum(status.startswith("checked") for status in told),
        "doubt": sum(status.startswith("in doubt") for status in told),
        "open": sum(status.startswith("not ") for status in told),
    }
    return {name: Number(value, str(value)) for name, value in counts.items()}


def table(name: str, caption: str, found: Sequence[Assumption]) -> Table:
    """Each assumption with its status and what goes wrong without it; the numbers of a check stand under its status."""
    columns = (
        Column("assumption", "Assumption"),
        Column("status", "Status"),
        Column("consequence", "If it does not hold"),
    )
    rows = []
    for one in found:
        status, _, numbers = str(one.status).partition(": ")
        rows.append(
            {
                "assumption": Cell(one.claim, one.claim),
                "status": Cell(status, str(one.status), "status", numbers),
                "consequence": Cell(one.consequence, one.consequence, "linked"),
            }
        )
    return Table(name, caption, columns, tuple(rows))
