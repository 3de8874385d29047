"""What direct and indirect effects rest on, beside the assumptions of the effect model."""

from __future__ import annotations

from dataclasses import replace

from models.checks.gate_table import CheckName
from models.estimands.ledger import Evidence
from reports.text import mediated, sensitivities
from reports.text.assumption_checks import DESIGN, UNCHECKED, UNTESTABLE, Basis, Standing, by_gate, found_in
from reports.text.assumptions import Assumed, Assumption
from reports.text.facts import Facts
from reports.text.mediator_curves import GROUP, curves


def _several(facts: Facts) -> bool:
    return len(mediated.mediators(facts)) > 1


def _has_baseline(facts: Facts) -> bool:
    return facts.baseline is not None


def _has_negative_control(facts: Facts) -> bool:
    return any(wave.role == "negative control" for wave in facts.study.waves)


def _has_early(facts: Facts) -> bool:
    """Whether some wave's outcome depends on mediators of the time before the programme."""
    return _has_baseline(facts) or facts.study.lag > 0


def _same_wave(facts: Facts) -> bool:
    return facts.study.lag == 0


def _later(facts: Facts) -> bool:
    return facts.study.lag > 0


def _missing(facts: Facts) -> bool:
    return any(row.evidence is Evidence.RANDOMISED_MAR for row in mediated.rows(facts))


def _continuous(facts: Facts) -> bool:
    fitted = mediated.mediators(facts)
    return any(part.kind == "continuous" for part in facts.study.mediators if part.column in fitted)


def _distributions(facts: Facts) -> Standing:
    """By the gate; in doubt too where a mediator's values leave the band of what its distribution predicts."""
    gate = by_gate(facts, 7, CheckName.DISTRIBUTIONS)
    return gate if gate.basis is Basis.DOUBT else found_in(7, right=all(curve.inside for curve in curves(facts)))


def _negative_control(facts: Facts) -> Standing:
    """In doubt where some mediator differs between the arms at the negative control.

    There is no margin for a mediator: an interval rules out enough where it holds no difference as large as the largest
    that the programme made at a follow-up.
    """
    early = {wave for wave in facts.after_baseline if facts.role(wave) == "negative control"}
    clear, seen = True, False
    for name in mediated.mediators(facts):
        waves = mediated.differences(facts, name)
        effects = {wave: facts.estimate("mediator_difference", wave, mediator=name) for wave in waves}
        found = [effects[wave] for wave in waves if wave in early]
        if any(map(sensitivities.excludes_zero, found)):
            return found_in(6, right=False)
        most = max((abs(effects[wave].median) for wave in waves if wave not in early), default=0.0)
        clear &= all(max(-one.lower, one.upper) < most for one in found)
        seen |= bool(found)
    if seen and clear:
        return found_in(6, right=True)
    wide = "none differs, but too wide to rule out a difference as large as the effects (§ 6)"
    return Standing(Basis.UNCHECKED, detail=wide) if seen else UNCHECKED


def _same_total(facts: Facts) -> Standing:
    """By the gate; what they differ by stands in its check."""
    found = next(each.found for each in facts.checks if each.check.name is CheckName.AGREEMENT)
    standing = by_gate(facts, 2, CheckName.AGREEMENT)
    return replace(standing, detail=f"{found.text} apart") if standing.basis is Basis.CHECKED else standing


PATH_ASSUMPTIONS = (
    Assumption(
        "At baseline the arms differ in the mediators by chance alone",
        DESIGN,
        "Part of a chance difference would enter the effect on a mediator.",
        lambda facts: facts.shared_baseline,
    ),
    Assumption(
        "At the negative control the arms do not differ in the mediators yet",
        _negative_control,
        "An early difference points to bias or to an early effect.",
        _has_negative_control,
    ),
    Assumption(
        "The mediation model gives the same total as the effect model, but for its priors",
        _same_total,
        "One of the two would be misspecified, or pulled by its priors.",
        lambda facts: facts.check(CheckName.AGREEMENT) is not None,
    ),
    Assumption(
        "A mediator acts on the outcome {lag} later and at no other distance, in a straight line on the link "
        "scale{interaction}",
        UNCHECKED,
        "The effect through it would be over- or underestimated.",
        _later,
    ),
    Assumption(
        "A mediator acts on the outcome of its own wave, in a straight line on the link scale{interaction}",
        UNTESTABLE,
        "What is called an indirect effect may run from the outcome to the mediator.",
        _same_wave,
    ),
    Assumption(
        "Mediators acted on the outcome before the programme as they do in it",
        Standing(Basis.UNTESTABLE, 9),
        "The correlation of lasting levels would make up for it; slopes and the parts of § 6 would be somewhat wrong.",
        lambda facts: _has_early(facts) and facts.study.acts_at_baseline,
    ),
    Assumption(
        "Mediators act on the outcome only once the programme has begun",
        Standing(Basis.UNTESTABLE, 9),
        "The correlation of lasting levels would make up for it, and slopes would be drawn towards 0.",
        lambda facts: _has_early(facts) and not facts.study.acts_at_baseline,
    ),
    Assumption(
        "Within a group a mediator acts on the outcome through each participant’s own level alone, and no shock of one "
        "wave moves both in a whole group",
        UNTESTABLE,
        "What groups share would be credited to the mediator, or the other way about.",
        lambda facts: bool(facts.study.groupings),
    ),
    Assumption(
        "Each mediator varies as the distribution that is fitted to it",
        _distributions,
        "Its missing values, and what is averaged over it, would be drawn from the wrong distribution.",
        lambda facts: GROUP in facts.run.tree.children,
    ),
    Assumption(
        "The residual of a continuous mediator has the same variance in both arms and at every wave",
        UNCHECKED,
        "Its missing values would vary too little or too much.",
        _continuous,
    ),
    Assumption(
        "No common cause of a mediator and the outcome beyond lasting levels and the adjusted baseline variables",
        UNTESTABLE,
        "Part of what is called indirect would be confounding, taken as none in § 6; § 9 varies it (ζ).",
    ),
    Assumption(
        "Lasting levels of mediators and outcome are jointly normal on the link scales",
        UNCHECKED,
        "Lasting common causes would be absorbed only in part.",
    ),
    Assumption(
        "Nothing that the arm changes causes both a mediator and the outcome",
        UNTESTABLE,
        "Neither natural nor interventional effects would be attributable to the mediator alone.",
    ),
    Assumption(
        "An earlier outcome does not change a later mediator",
        UNCHECKED,
        "It would itself be a common cause that the arm affects.",
        lambda facts: len(facts.study.waves) > 1,
    ),
    Assumption(
        "Mediators do not act on one another, and their residuals at a wave are uncorrelated",
        UNCHECKED,
        "What goes through one mediator by way of another would be attributed to the wrong one.",
        _several,
    ),
    Assumption(
        "Cross-world, for natural effects: the outcome under one arm is independent of the mediators under the other",
        UNTESTABLE,
        "Natural effects would not be defined by any trial; interventional ones do not need this.",
    ),
    Assumption(
        "Missing mediators depend only on arm, baseline variables and what was observed (missing at random)",
        UNTESTABLE,
        "Selective loss would be read as an effect on, or through, a mediator.",
        _missing,
    ),
)
"""From what the design gives to what no data of the trial can test."""


def assumed(facts: Facts) -> list[Assumed]:
    """Those that a mediation fit needs; `facts` are its own."""
    lag = "one wave" if facts.study.lag == 1 else f"{facts.study.lag} waves"
    differing = "interaction" in facts.group("posterior")
    interaction = ", by arm where the study file says so" if differing else ", the same in both arms"
    return [one.of(facts, lag=lag, interaction=interaction) for one in PATH_ASSUMPTIONS if one.applies(facts)]
