"""Sentences that answer: filled from numbers, one claim each, directions from the draws that gave the probability."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.text import before, decision, difference_by_wave, sensitivities
from reports.text.before import Chances
from reports.text.decision import FALL, RISE, SMALL
from reports.text.estimate import ReportedEstimate
from reports.text.facts import Facts
from reports.text.numbers import INTERVAL, MINUS, NotANumber, Number, show
from reports.text.parts import Label, Piece, Sentence, Strong, joined, sentence
from reports.text.words import agreeing, at, listed


@dataclass(frozen=True)
class Answer:
    """What A1 to A3 need, for one difference.

    Attributes
    ----------
    difference : ReportedEstimate
        Treated minus control at one wave.
    treated, control : ReportedEstimate
        The level in each arm at that wave.
    treated_label, control_label, outcome_label : Label
        Words of the study file.
    wave_label : str
        The wave in words.
    margin : Number
        Smallest difference that matters, as stored and as printed.
    lower_is_better, binary : bool
        Direction of a benefit; risk or mean.
    points : str
        Unit of the difference in words: "percentage points", "events".
    prior : Chances or None
        What was believed before the data, given the control arm's level.
    """

    difference: ReportedEstimate
    treated: ReportedEstimate
    control: ReportedEstimate
    treated_label: Label
    control_label: Label
    outcome_label: Label
    wave_label: str
    margin: Number
    lower_is_better: bool
    binary: bool
    points: str
    prior: Chances | None = None

    @property
    def mean(self) -> str:
        """What an outcome that is not yes or no has: a mean, or, of counts at an equal exposure, a rate."""
        return "rate of" if " per " in self.points else "mean"

    @property
    def reached(self) -> tuple[str, ...]:
        """Zones that the interval reaches into."""
        found = self.difference
        return decision.zones(found.lower, found.upper, self.margin.value, self.lower_is_better)

    @property
    def verdict(self) -> str:
        """Where the interval lies."""
        found = self.difference
        limits = (found.lower, found.upper)
        return decision.verdict(*limits, self.margin.value, self.lower_is_better, decision.errors(found))


def answer(facts: Facts, wave: str) -> Answer:
    """Collect the numbers of a wave."""
    scale = facts.scale
    return Answer(
        facts.estimate(scale.difference, wave),
        facts.estimate(scale.level, wave, arm="treated"),
        facts.estimate(scale.level, wave, arm="control"),
        facts.arm("treated"),
        facts.arm("control"),
        facts.outcome,
        facts.wave(wave),
        facts.margin,
        facts.lower_is_better,
        facts.binary,
        scale.points,
        before.chances(facts, wave),
    )


def c1(about: Answer, depends_on: list[str] | tuple[str, ...] = ()) -> Sentence:
    """C1: the answer in one line of plain words, numbers first, and on what its verdict depends."""
    verb = "experience" if about.lower_is_better else "have"
    level = (
        f"{{r1}} with {{treated}} and {{r0}} with {{control}} {verb} {{outcome}}"
        if about.binary
        else f"{{r1}} with {{treated}} and {{r0}} with {{control}}, {about.mean} {{outcome}}"
    )
    found = _plain(about)
    if depends_on:
        found = f"not settled; as analysed, {found}, but that depends on {listed(depends_on)}"
    return sentence(
        f"{level}: {found}.",
        r1=about.treated.number("median"),
        r0=about.control.number("median"),
        treated=about.treated_label,
        control=about.control_label,
        outcome=about.outcome_label,
    )


def _plain(about: Answer) -> str:
    """What was found, in words without a number."""
    if about.verdict == decision.AT_THE_MARGIN:
        return "a difference at the margin of what matters, too close to call"
    one_sided = _ONE_SIDED.get(about.reached)
    return one_sided if one_sided and sensitivities.excludes_zero(about.difference) else _C1[about.reached]


_ONE_SIDED: dict[tuple[str, ...], str] = {
    (FALL, SMALL): "a benefit; whether it is big enough to matter, these data cannot say",
    (SMALL, RISE): "a harm; whether it is big enough to matter, these data cannot say",
}
"""Where the interval excludes 0."""
_C1 = {
    (FALL,): "a benefit big enough to matter",
    (SMALL,): "no difference big enough to matter",
    (RISE,): "a harm big enough to matter",
    (FALL, SMALL): "no harm big enough to matter; whether there is such a benefit, these data cannot say",
    (SMALL, RISE): "no benefit big enough to matter; whether there is such a harm, these data cannot say",
    (FALL, SMALL, RISE): "whether there is a benefit or a harm big enough to matter, these data cannot say",
}
"""By the zones that the interval reaches into."""


def a1(about: Answer) -> Sentence:
    """A1: the level in each arm and the difference, with its interval."""
    level = (
        "{at}, an estimated {r1} of participants in the {treated} arm and {r0} in the {control} arm "
        f"{'experience' if about.lower_is_better else 'have'} {{outcome}}"
        if about.binary
        else f"{{at}}, the estimated {about.mean} {{outcome}} is {{r1}} in the {{treated}} arm "
        "and {r0} in the {control} arm"
    )
    rd = about.difference.number("median")
    return sentence(
        level + ": {way} {rd} {points} ({ci} interval {lo} to {hi}).",
        ci=INTERVAL,
        at=Label(at(about.wave_label)),
        r1=about.treated.number("median"),
        r0=about.control.number("median"),
        treated=about.treated_label,
        control=about.control_label,
        outcome=about.outcome_label,
        way=_way(rd),
        points=agreeing(rd.text, about.points),
        rd=Number(rd.value, rd.text.lstrip(MINUS)),
        lo=about.difference.number("lower"),
        hi=about.difference.number("upper"),
    )


def _way(difference: Number) -> str:
    """Direction of a difference as it is printed, before its size."""
    if not any(sign in difference.text for sign in "123456789"):
        return "a difference of"
    return "lower by" if difference.text.startswith(MINUS) else "higher by"


def a2(about: Answer) -> Sentence:
    """A2: the probabilities of a benefit, of one and of a harm beyond the margin, of a difference within it."""
    gain, loss = ("lowers", "raises") if about.lower_is_better else ("raises", "lowers")
    what = ("the risk" if about.lower_is_better else "the share") if about.binary else "the mean"
    _agree(about)
    prior: dict[str, Piece] = {}
    if about.prior:
        names, was = ("p_prior", "pb_prior", "ph_prior", "pin_prior"), about.prior
        known = (was.benefit, was.benefit_beyond_margin, was.harm_beyond_margin, was.within_margin)
        prior = dict(zip(names, known, strict=True))
    reported = {name: f" ({{{name}_prior}})" if prior else "" for name in ("pb", "ph", "pin")}
    first = " (before the data, given the control arm’s level, {p_prior})" if prior else ""
    return sentence(
        f"The probability that {{treated}} {gain} {what} is {{p}}{first}, by {{m}} {{points}} or more "
        f"{{pb}}{reported['pb']}; that it {loss} {what} by {{m}} {{points}} or more, {{ph}}{reported['ph']}; that the "
        f"difference is within ±{{m}} {{points}}, {{pin}}{reported['pin']}.",
        treated=about.treated_label,
        p=about.difference.chance("p_benefit"),
        m=about.margin,
        points=agreeing(about.margin.text, about.points),
        pb=about.difference.chance("p_benefit_beyond_margin"),
        ph=about.difference.chance("p_harm_beyond_margin"),
        pin=about.difference.chance("p_within_margin"),
        **prior,
    )


def _agree(about: Answer) -> None:
    """Word for the direction and the probability must come from the same draws."""
    below = about.difference.p_below_zero
    expected = below if about.lower_is_better else 1 - below
    # draws of exactly 0 belong to neither side; more than a hundredth of them would be another mistake
    if not abs(expected - about.difference.p_benefit) <= 0.01:
        raise NotANumber(
            f"P(benefit) {about.difference.p_benefit} and P(below zero) {below} contradict the better direction"
        )


def a3(about: Answer, depends_on: list[str] | tuple[str, ...] = ()) -> Sentence:
    """A3: the verdict in plain words, by the interval and the margin; on what it depends is said beside it."""
    margin: dict[str, Piece] = {"m": about.margin, "points": agreeing(about.margin.text, about.points)}
    word = Strong(f"{about.verdict.capitalize()}{' as analysed' if depends_on else ''}")
    if about.verdict == decision.AT_THE_MARGIN:
        return _at_the_margin(about, word, margin)
    found = sentence(_A3[about.reached], word=word, treated=about.treated_label, **margin, **_directions(about))
    return found if about.lower_is_better else joined(found, sentence("For this outcome a rise is better."))


def _at_the_margin(about: Answer, word: Strong, margin: Mapping[str, Piece]) -> Sentence:
    """Which limit cannot be told from the margin, and what verdicts its Monte Carlo error leaves open."""
    found, errors = about.difference, decision.errors(about.difference)
    limits = (found.lower, found.upper)
    near = decision.near(*limits, about.margin.value, errors)
    named = [name for name, close in zip(("lower", "upper"), near, strict=True) if close]
    left = decision.possible(*limits, about.margin.value, about.lower_is_better, errors)
    reported = f"it is {listed(left)} either way" if len(left) == 1 else f"more draws would make it {' or '.join(left)}"
    verb = "limits of the interval lie" if len(named) > 1 else "limit of the interval lies"
    return sentence(
        f"{{word}}: the {listed(named)} {verb} within Monte Carlo error of {{m}} {{points}}; {reported}.",
        word=word,
        **margin,
    )


RULE = sentence(
    "The rule: {ci} interval against the margin. All of it at or beyond the margin: benefit or harm; all of it within: "
    "equivalent; otherwise undecided; a limit within its Monte Carlo error of the margin: at the margin.",
    ci=INTERVAL,
)


def _directions(about: Answer) -> dict[str, str]:
    fall, rise = ("fall", "rise") if about.lower_is_better else ("rise", "fall")
    lower, higher = ("lower", "higher") if about.lower_is_better else ("higher", "lower")
    return {"fall": fall, "rise": rise, "better": lower, "worse": higher}


_A3 = {
    (FALL,): "{word}: the whole interval lies at or beyond {m} {points}, {better} with {treated}.",
    (RISE,): "{word}: the whole interval lies at or beyond {m} {points}, {worse} with {treated}.",
    (SMALL,): "{word}: the whole interval lies within ±{m} {points}, which the study calls too small to matter.",
    (FALL, SMALL): (
        "{word}: the interval holds a {fall} of {m} {points} or more and differences too small to matter, and the "
        "data cannot "
        "say which; a {rise} of {m} {points} or more lies outside it."
    ),
    (SMALL, RISE): (
        "{word}: the interval holds a {rise} of {m} {points} or more and differences too small to matter, and the "
        "data cannot "
        "say which; a {fall} of {m} {points} or more lies outside it."
    ),
    (FALL, SMALL, RISE): (
        "{word}: the interval holds a {fall} of {m} {points} or more, a {rise} of {m} {points} or more and all "
        "between; "
        "the data cannot say which."
    ),
}


def t1(
    change: ReportedEstimate, control: Label, outcome: Label, since: str, until: str, points: str, model: str = "model"
) -> Sentence:
    """T1: how far the outcome moved in the control arm by a model, and that its cause is not identified."""
    size = change.number("median")
    if change.lower <= 0 <= change.upper:
        moved, size = "changed", Number(size.value, f"+{size.text}" if change.median > 0 else size.text)
    else:
        moved, size = "rose" if change.median > 0 else "fell", Number(size.value, size.text.lstrip(MINUS))
    return sentence(
        f"By the {model}, {{outcome}} {moved} by {{size}} {{points}} in the {{control}} arm from “{{since}}” to "
        "“{until}” ({ci} interval of the change {lo} to {hi}). "
        "The cause of this change is not identified: without a further arm to compare with, what the control arm "
        "received cannot be told from the passing of time, regression to the mean, repeated measurement or a change "
        "in how the outcome is recorded.",
        ci=INTERVAL,
        outcome=outcome,
        control=control,
        points=agreeing(size.text.lstrip("+"), points),
        since=Label(since),
        until=Label(until),
        size=size,
        lo=change.number("lower"),
        hi=change.number("upper"),
    )


def pulled(facts: Facts) -> Sentence | None:
    """A4: what the primary difference is without the model, where a check flags it; None where none does, or no number.

    That the prior is what pulls is said only where refits under wider and narrower priors bear it out.
    """
    if not facts.pulled:
        return None
    rows = difference_by_wave.intervals(facts)
    crude = next((row for row in rows if (row.wave, row.method) == (facts.primary, "crude") and row.drawn), None)
    if crude is None:
        return None
    model = facts.estimate(facts.scale.difference, facts.primary)
    unit, digits = facts.scale.difference_unit, model.decimals
    median, lower, upper = (show(value, unit, digits) for value in (crude.median, crude.lower, crude.upper))
    return sentence(
        f"{_pull(model, crude.median, _others(facts))}: without the model the difference is {{crude}} {{points}} "
        "({lo} to {hi}).",
        crude=median,
        points=agreeing(median.text, facts.scale.points),
        lo=lower,
        hi=upper,
    )


def _pull(model: ReportedEstimate, crude: float, others: Sequence[ReportedEstimate]) -> str:
    """Direction in which the model's median lies from the crude difference; `others` are refits under other priors."""
    if model.median * crude < 0:
        return "The model reverses the sign of this difference"
    if abs(model.median) >= abs(crude):
        return "The model puts this difference further from 0"
    return f"The {'prior' if _prior_pulls(model, others) else 'model'} pulls this difference towards 0"


def _prior_pulls(model: ReportedEstimate, others: Sequence[ReportedEstimate]) -> bool:
    """Whether narrower priors move the median towards 0 or wider ones away from it, and none the other way.

    A move counts beyond twice the Monte Carlo error of the two medians.
    """
    moves = []
    for other in others:
        further = (other.median - model.median) * math.copysign(1, model.median)
        if abs(further) > 2 * math.hypot(other.mcse_median, model.mcse_median):
            moves.append((further > 0) == (other.prior_sd > model.prior_sd))
    return bool(moves) and all(moves)


def _others(facts: Facts) -> list[ReportedEstimate]:
    found = (one.find(facts.scale.difference, facts.primary) for one in sensitivities.refits(facts, "priors"))
    return [estimate for estimate in found if estimate]


def by_prior(facts: Facts) -> Sentence | None:
    """P1: the verdict under each shipped prior set, where they do not agree; None where they do."""
    found = decision.by_prior(facts)
    if len(found) < 2:
        return None
    reported = ", ".join(f"{verdict} under {listed(names)}" for verdict, names in found.items())
    return sentence(
        "The verdict {depends}: {reported}.", depends=Strong("depends on the prior"), reported=Label(reported)
    )
