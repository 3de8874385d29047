"""What the numbers rest on: each assumption, whether the design gives it, a check probes it, or nothing can."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.checks.gate_table import CheckName
from reports.text import decision
from reports.text.assumption_checks import (
    DESIGN,
    UNCHECKED,
    UNTESTABLE,
    Basis,
    Standing,
    by_gate,
    comes_back,
    early_difference,
    found_in,
    predicted,
    worse,
)
from reports.text.facts import Facts
from reports.text.numbers import Number
from reports.text.parts import Cell, Column, Marked, Table
from reports.text.words import listed, short


def _priors(facts: Facts) -> Standing:
    # with estimates withheld no verdict is told, not even that it depends on something
    doubtful = facts.pulled or (not facts.withheld and decision.depends_on_prior(facts))
    return found_in(8, right=not doubtful)


def _always(facts: Facts) -> bool:  # noqa: ARG001 - the others need it
    return True


def _has_baseline(facts: Facts) -> bool:
    return facts.shared_baseline


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
    status : Standing or callable
        What stands behind it; a function where the run decides.
    consequence : str
        What goes wrong if it does not hold.
    applies : callable
        Whether a run needs it.
    """

    claim: str
    status: Standing | Callable[[Facts], Standing]
    consequence: str
    applies: Callable[[Facts], bool] = _always

    def of(self, facts: Facts, **words: str) -> Assumed:
        """It as one run makes it, `words` filled into its claim."""
        status = self.status(facts) if callable(self.status) else self.status
        return Assumed(self.claim.format(**words), status, self.consequence)


@dataclass(frozen=True)
class Assumed:
    """An assumption that a run makes, with what stands behind it there."""

    claim: str
    standing: Standing
    consequence: str


SIGNS = {
    Basis.DESIGN: ("■", "by"),
    Basis.CHECKED: ("✓", "checked"),
    Basis.DOUBT: ("!", "in"),
    Basis.UNTESTABLE: ("?", "not"),
    Basis.UNCHECKED: ("?", "not"),
}
"""Mark of each, and the style that it is set in."""
ASSUMPTIONS = (
    Assumption(
        "Arms were assigned at random",
        DESIGN,
        "The arms would differ before treatment; the baseline table in § 3 lets a reader look.",
        lambda facts: not facts.study.recruited_after,
    ),
    Assumption(
        "Groups were assigned to the arms at random",
        DESIGN,
        "The arms would differ before treatment.",
        lambda facts: facts.study.recruited_after,
    ),
    Assumption(
        "Whoever joined a group once it had its arm does not differ by arm, beyond the adjusted baseline variables",
        UNTESTABLE,
        "Different people would be compared; the baseline table in § 3 lets a reader look.",
        lambda facts: facts.study.recruited_after,
    ),
    Assumption(
        "Participants are independent: not randomised, treated or recruited in groups",
        UNCHECKED,
        "Intervals would be too narrow: the study file declares no groups.",
        lambda facts: not facts.study.groupings,
    ),
    Assumption(
        "Participants are independent but for their own levels and those of their groups ({groups})",
        UNCHECKED,
        "Intervals would be too narrow.",
        lambda facts: bool(facts.study.groupings),
    ),
    Assumption(
        "Groups’ levels are normal on the {scale}, at every wave",
        lambda facts: predicted(facts, "spread between groups"),
        "The spread between groups would be reproduced badly, and intervals be too narrow or too wide.",
        lambda facts: facts.study.randomised_in_groups is not None,
    ),
    Assumption(
        "Both arms were visited at the same times",
        UNCHECKED,
        "A difference in timing would be read as an effect.",
    ),
    Assumption(
        "Everybody was observed for the same length of time at each wave",
        UNCHECKED,
        "Longer observation would be read as more events.",
        lambda facts: _counts_events(facts) and not facts.study.outcome.exposure,
    ),
    Assumption(
        "Events arise in proportion to {exposure}, at a rate that does not depend on how much of it there was",
        UNCHECKED,
        "Rates would differ because the arms’ exposures do; an effect on the exposure itself is no part of the answer.",
        lambda facts: facts.study.outcome.exposure is not None,
    ),
    Assumption(
        "At baseline the arms differ by chance alone: the model gives them a common level",
        DESIGN,
        "Part of a chance difference would enter the effect; § 5 has the crude difference beside it.",
        _has_baseline,
    ),
    Assumption(
        "At the negative control the arms do not differ yet",
        early_difference,
        "An early difference points to bias or to an early effect.",
        _has_negative_control,
    ),
    Assumption(
        "Participants’ lasting levels are normal on the {scale}",
        lambda facts: by_gate(facts, 7, CheckName.TAILS),
        "The numbers who never or always have the outcome would be reproduced badly.",
        _has_patterns,
    ),
    Assumption(
        "The outcome can come back: having it at one wave does not settle the next",
        comes_back,
        "Risks at later waves, and participants’ lasting levels, would be wrong.",
        _has_patterns,
    ),
    Assumption(
        "Participants’ lasting levels are normal on the {scale}",
        lambda facts: predicted(facts, "spread between participants"),
        "The spread between participants would be reproduced badly.",
        _has_spread,
    ),
    Assumption(
        "Any two waves of a participant are equally correlated",
        UNCHECKED,
        "Intervals would be too narrow or too wide.",
        lambda facts: facts.has_trait,
    ),
    Assumption(
        "The effect is the same for all on the {scale}",
        UNCHECKED,
        "The average difference would be slightly biased.",
    ),
    Assumption(
        "{counts}",
        lambda facts: worse(
            predicted(facts, "zeros"), by_gate(facts, 2, CheckName.ZEROS), by_gate(facts, 2, CheckName.MEANS)
        ),
        "Zeros and large counts would be reproduced badly, and means could be far off.",
        _counts_events,
    ),
    Assumption(
        "Outcomes vary normally around what is expected of a participant",
        UNCHECKED,
        "Outliers would have too much influence.",
        _measures,
    ),
    Assumption(
        "Outcomes of either arm vary at each wave as the model has it",
        lambda facts: by_gate(facts, 2, CheckName.SPREADS),
        "Intervals would be too narrow or too wide.",
        _measures,
    ),
    Assumption(
        "The priors do not decide the answer",
        _priors,
        "The answer would reflect the prior rather than the data.",
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
        lambda facts: facts.study.randomised_in_groups is None,
    ),
    Assumption(
        "One group’s arm does not change outcomes in another (no interference between groups)",
        UNTESTABLE,
        "The difference would be diluted or enlarged.",
        lambda facts: facts.study.randomised_in_groups is not None,
    ),
    Assumption(
        "Both arms report alike, even where participants know their arm",
        UNTESTABLE,
        "A difference in reporting would be read as an effect; see § 9.",
    ),
)
"""Assumptions of the effect model, from what the design gives to what no data of the trial can test."""


def assumed(facts: Facts) -> list[Assumed]:
    """Those that a run needs, with the status that its numbers give."""
    scale = "outcome’s own scale" if facts.continuous else "link scale"
    over = facts.study.outcome.exposure
    slots = {"scale": scale, "counts": facts.distribution.counts, "exposure": short(over.column, 40) if over else ""}
    slots["groups"] = listed([short(each.label, 40) for each in facts.study.groupings]) if facts.study.groupings else ""
    return [one.of(facts, **slots) for one in ASSUMPTIONS if one.applies(facts)]


def tally(found: Sequence[Assumed]) -> dict[str, Number]:
    """How many of these assumptions are of which kind: all, design, checked, doubt, open; zero of a kind included."""
    bases = [one.standing.basis for one in found]
    counts = {
        "all": len(bases),
        "design": bases.count(Basis.DESIGN),
        "checked": bases.count(Basis.CHECKED),
        "doubt": bases.count(Basis.DOUBT),
        "open": bases.count(Basis.UNTESTABLE) + bases.count(Basis.UNCHECKED),
    }
    return {name: Number(value, str(value)) for name, value in counts.items()}


def table(name: str, caption: str, found: Sequence[Assumed]) -> Table:
    """Each assumption with its status and what goes wrong without it; the numbers of a check stand under its status."""
    columns = (
        Column("assumption", "Assumption"),
        Column("status", "Status"),
        Column("consequence", "If it does not hold"),
    )
    rows = []
    for one in found:
        standing = one.standing
        mark, style = SIGNS[standing.basis]
        rows.append(
            {
                "assumption": Cell(one.claim, one.claim),
                "status": Marked(standing.words, str(standing), "status", standing.detail, mark=mark, style=style),
                "consequence": Cell(one.consequence, one.consequence, "linked"),
            }
        )
    return Table(name, caption, columns, tuple(rows))
