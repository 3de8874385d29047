"""Sentences on what goes through the mediators: filled from numbers, medians of each part with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.estimands.common_change import ONE_SIGN
from reports.text import mediated
from reports.text.estimate import ReportedEstimate
from reports.text.facts import Facts
from reports.text.numbers import INTERVAL, MINUS, NotANumber, Number, probability
from reports.text.parts import Label, Piece, Sentence, joined, sentence
from reports.text.words import agreeing, at, capital, listed


@dataclass(frozen=True)
class Through:
    """What M1 and the sentence on the share need, for one wave.

    Attributes
    ----------
    wave_label, points : str
        The wave and the unit of a difference, in words.
    total, direct : Estimate
        Total and direct effect.
    via : sequence of (Label, Estimate)
        Each mediator with what goes through it.
    dependence : Estimate
        What goes through the dependence between mediators.
    share : Estimate or None
        Proportion mediated, where it is told.
    """

    wave_label: str
    points: str
    total: ReportedEstimate
    direct: ReportedEstimate
    via: Sequence[tuple[Label, ReportedEstimate]]
    dependence: ReportedEstimate
    share: ReportedEstimate | None = None


def through(facts: Facts, wave: str) -> Through:
    """Collect the numbers of a wave from the facts of the mediation fit."""
    share = "proportion_mediated"
    return Through(
        facts.wave(wave),
        facts.scale.points,
        facts.estimate(mediated.TOTAL, wave),
        facts.estimate(mediated.DIRECT, wave),
        [
            (mediated.label(facts, name), facts.estimate(mediated.VIA, wave, mediator=name))
            for name in mediated.mediators(facts)
        ],
        facts.estimate(mediated.DEPENDENCE, wave),
        facts.estimate(share, wave) if facts.has(share, wave) else None,
    )


def m1(about: Through) -> Sentence:
    """M1: the total difference and its parts, each with its interval."""
    total = about.total.number("median")
    slots: dict[str, Piece] = {"at": Label(at(about.wave_label)), "points": agreeing(total.text, about.points)}
    parts = [f"{_slots('direct')} goes directly"]
    slots |= _numbers("total", about.total) | _numbers("direct", about.direct)
    for place, (label, estimate) in enumerate(about.via, 1):
        parts.append(f"{_slots(f'via{place}')} via {{label{place}}}")
        slots |= _numbers(f"via{place}", estimate) | {f"label{place}": label}
    if not about.dependence.constant:
        parts.append(f"{_slots('dependence')} through the dependence between mediators")
        slots |= _numbers("dependence", about.dependence)
    return sentence(
        "{at}, by the mediation model, of the total difference of {total} {points} ({ci} interval {total_lo} to "
        "{total_hi}), "
        f"{listed(parts)}, if the assumptions in § 4 hold.",
        ci=INTERVAL,
        **slots,
    )


def _slots(name: str) -> str:
    return f"{{{name}}} ({{{name}_lo}} to {{{name}_hi}})"


def _numbers(name: str, estimate: ReportedEstimate) -> dict[str, Piece]:
    """Median and limits; an estimate without them raises."""
    return {
        name: estimate.number("median"),
        f"{name}_lo": estimate.number("lower"),
        f"{name}_hi": estimate.number("upper"),
    }


def share(about: Through) -> Sentence:
    """The proportion mediated, or why it is not told."""
    below = about.total.p_below_zero
    if not 0 <= below <= 1:
        raise NotANumber(f"P(total below zero) is {below}")
    if about.share is None:
        return sentence(
            "The share that goes through the mediators is not reported: P(total has one sign) is {p}, not above "
            "{limit}; these are parts of a total whose direction is not known.",
            p=_below(probability(max(below, 1 - below))),
            limit=Number(ONE_SIGN, f"{ONE_SIGN:g}"),
        )
    return sentence(
        "The share of the total that goes through the mediators is {share} ({share_lo} to {share_hi}).",
        **_numbers("share", about.share),
    )


def _below(found: Number) -> Number:
    """A probability that is not above 0.975 must not be printed as more than it."""
    return found if found.value > ONE_SIGN or found.text != "0.98" else Number(found.value, "0.97")


def first_leg(facts: Facts, wave: str) -> Sentence | None:
    """How far randomisation moved each mediator at the wave whose values precede the outcome of `wave`."""
    when = mediated.before(facts, wave)
    if when is None:
        return None
    reported = [
        _moved(facts, name, when) for name in mediated.mediators(facts) if when in mediated.differences(facts, name)
    ]
    if not reported:
        return None
    head = sentence(
        "{at}, where they precede this outcome, the estimated differences in the mediators, {treated} arm minus "
        "{control} arm, are:",
        at=Label(at(facts.wave(when))),
        treated=facts.arm("treated"),
        control=facts.arm("control"),
    )
    return joined(head, *reported)


def _moved(facts: Facts, mediator: str, wave: str) -> Sentence:
    found = facts.estimate("mediator_difference", wave, mediator=mediator)
    size = found.number("median")
    return sentence(
        "{mediator}, {size} {unit} ({ci} interval {lo} to {hi}; P(lower) {p}).",
        mediator=Label(capital(mediated.label(facts, mediator).text)),
        size=size,
        unit=agreeing(size.text.lstrip(MINUS), unit_words(found)),
        ci=INTERVAL,
        lo=found.number("lower"),
        hi=found.number("upper"),
        p=found.chance("p_below_zero"),
    )


def unit_words(estimate: ReportedEstimate) -> str:
    """Unit of a difference in a mediator, in words."""
    return "units" if estimate.unit == "mediator units" else "percentage points"


def moves_with(facts: Facts, wave: str) -> Sentence:
    """How the change of the control arm splits: with each mediator, and what is left."""
    slots: dict[str, Piece] = {}
    reported = []
    for place, mediator in enumerate(mediated.mediators(facts), 1):
        found = facts.estimate(mediated.CHANGE_VIA, wave, arm="control", mediator=mediator)
        reported.append(f"{_slots(f'via{place}')} moves with {{label{place}}}")
        slots |= _numbers(f"via{place}", found) | {f"label{place}": mediated.label(facts, mediator)}
    rest = facts.estimate(mediated.REMAINDER, wave, arm="control")
    points = agreeing(rest.number("median").text, facts.scale.points)
    return sentence(
        f"Of this change, {listed(reported)}; {_slots('rest')} {{points}} remain.",
        points=points,
        **slots,
        **_numbers("rest", rest),
    )
