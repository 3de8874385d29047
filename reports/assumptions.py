"""What the numbers rest on: each assumption, whether the design gives it, a check probes it, or nothing can."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from reports import decision, negative_control
from reports.facts import Facts
from reports.numbers import Number
from reports.parts import Cell, Column, Table
from reports.words import agreeing

DESIGN, UNTESTABLE, UNSTATED = "by design", "not testable", "not stated"
DOUBT = "in doubt, see § 8"


def _priors(facts: Facts) -> str:
    # with estimates withheld no verdict is told, not even that it depends on something
    return DOUBT if facts.pulled or (not facts.withheld and decision.depends_on_prior(facts)) else "checked in § 8"


def _negative_control(facts: Facts) -> str:
    """Where it is looked at, with its numbers where estimates are printed at all."""
    if facts.withheld:
        return "checked in § 5"
    wave = next(wave for wave in facts.contrasts if facts.role(wave) == "negative control")
    found = facts.estimate(facts.scale.difference, wave)
    if not found.identified:
        return "not checked: nobody was seen there"
    median = found.number("median").text
    told = f"{median} {agreeing(median, facts.scale.points)} ({found.interval})"
    return {
        negative_control.CLEAR: f"checked in § 5: {told}",
        negative_control.AWAY: f"in doubt, see § 5: {told}",
        negative_control.IMPRECISE: f"not settled by § 5: {told}, too wide to rule out a bias as large as the margin",
    }[negative_control.found(facts, found)]


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
        "by design", "checked in § n", "checked in § n: numbers", "in doubt, see § n", "not testable" or "not stated";
        a function where the run decides.
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
        "Both arms were visited at the same times",
        UNSTATED,
        "A difference in timing would be read as an effect.",
    ),
    Assumption(
        "At baseline the arms differ by chance alone: the model gives them one level",
        DESIGN,
        "Part of a chance difference would move into the effect; § 5 has the crude difference beside it.",
        _has_baseline,
    ),
    Assumption(
        "At the negative control the arms do not differ yet",
        _negative_control,
        "An early difference speaks for bias or for an early effect.",
        _has_negative_control,
    ),
    Assumption(
        "What lasts in a participant is normal on the {scale} and does not change over time",
        "checked in § 7",
        "Response patterns would be reproduced badly.",
        _has_patterns,
    ),
    Assumption(
        "What lasts in a participant is normal on the {scale} and does not change over time",
        "checked in § 7",
        "The spread between participants would be reproduced badly.",
        _has_spread,
    ),
    Assumption(
        "The effect is the same for all on the {scale}",
        UNTESTABLE,
        "The average difference would be slightly off.",
    ),
    Assumption(
        "Counts vary as a negative binomial",
        "checked in § 7",
        "Zeros and large counts would be reproduced badly.",
        _counts_events,
    ),
    Assumption(
        "Outcomes vary normally around what is expected, by as much in both arms and at every wave",
        "checked in § 7",
        "The standard deviation would be reproduced badly, and intervals would be too narrow or too wide.",
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
        "One participant’s arm does not change another’s outcome",
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
