"""Sentences that answer: filled from numbers, one claim each, directions from the draws that gave the probability."""

from __future__ import annotations

from dataclasses import dataclass

from reports.estimate import Estimate
from reports.facts import Facts
from reports.figures import contrasts
from reports.numbers import INTERVAL, MINUS, NotANumber, Number, show
from reports.parts import Label, Sentence, Strong, joined, sentence
from reports.words import agreeing, at

BENEFIT, HARM, EQUIVALENT, UNDECIDED = "benefit", "harm", "equivalent", "undecided"


@dataclass(frozen=True)
class Answer:
    """What A1 to A3 need, for one difference.

    Attributes
    ----------
    difference : Estimate
        Treated minus control at one wave.
    treated, control : Estimate
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
    """

    difference: Estimate
    treated: Estimate
    control: Estimate
    treated_label: Label
    control_label: Label
    outcome_label: Label
    wave_label: str
    margin: Number
    lower_is_better: bool
    binary: bool
    points: str


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
    )


def a1(about: Answer) -> Sentence:
    """A1: the level in each arm and the difference, with its interval."""
    level = (
        "{at}, an estimated {r1} of participants in the {treated} arm and {r0} in the {control} arm "
        f"{'experience' if about.lower_is_better else 'have'} {{outcome}}"
        if about.binary
        else "{at}, the estimated mean {outcome} is {r1} in the {treated} arm and {r0} in the {control} arm"
    )
    rd = about.difference.number("median")
    return sentence(
        level + ": a difference of {rd} {points} ({ci} interval {lo} to {hi}).",
        ci=INTERVAL,
        at=Label(at(about.wave_label)),
        r1=about.treated.number("median"),
        r0=about.control.number("median"),
        treated=about.treated_label,
        control=about.control_label,
        outcome=about.outcome_label,
        points=agreeing(rd.text, about.points),
        rd=rd,
        lo=about.difference.number("lower"),
        hi=about.difference.number("upper"),
    )


def a2(about: Answer) -> Sentence:
    """A2: the probabilities of a benefit, of one and of a harm beyond the margin, of a difference within it."""
    gain, loss = ("lowers", "raises") if about.lower_is_better else ("raises", "lowers")
    what = ("the risk" if about.lower_is_better else "the share") if about.binary else "the mean"
    _agree(about)
    return sentence(
        f"The probability that {{treated}} {gain} {what} is {{p}}, by {{m}} {{points}} or more {{pb}}; that it {loss} "
        f"{what} by {{m}} {{points}} or more, {{ph}}; that the difference is within ±{{m}} {{points}}, {{pin}}.",
        treated=about.treated_label,
        p=about.difference.chance("p_benefit"),
        m=about.margin,
        points=agreeing(about.margin.text, about.points),
        pb=about.difference.chance("p_benefit_beyond_margin"),
        ph=about.difference.chance("p_harm_beyond_margin"),
        pin=about.difference.chance("p_within_margin"),
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


def verdict(lower: float, upper: float, margin: float, lower_is_better: bool) -> str:
    """Where an interval lies: benefit, harm, equivalent or undecided.

    A difference of the margin or more matters, a smaller one does not; an interval in two zones is undecided.
    """
    zones = _zones(lower, upper, margin, lower_is_better)
    return {"fall": BENEFIT, "small": EQUIVALENT, "rise": HARM}[zones[0]] if len(zones) == 1 else UNDECIDED


def _zones(lower: float, upper: float, margin: float, lower_is_better: bool) -> tuple[str, ...]:
    """Zones that the interval reaches into, the better one first ("fall" stands for better, "rise" for worse)."""
    if not (lower <= upper and margin > 0):
        raise NotANumber(f"an interval needs lower ≤ upper and a margin above 0, not {lower}, {upper}, {margin}")
    low, high = (lower, upper) if lower_is_better else (-upper, -lower)
    reached = {"fall": low <= -margin, "small": low < margin and high > -margin, "rise": high >= margin}
    return tuple(zone for zone, inside in reached.items() if inside)


def a3(about: Answer) -> Sentence:
    """A3: the verdict in plain words, by the interval and the margin."""
    lower, upper = about.difference.lower, about.difference.upper
    zones = _zones(lower, upper, about.margin.value, about.lower_is_better)
    word = Strong(verdict(lower, upper, about.margin.value, about.lower_is_better).capitalize())
    found = sentence(
        _A3[zones],
        word=word,
        m=about.margin,
        points=agreeing(about.margin.text, about.points),
        treated=about.treated_label,
        **_directions(about),
    )
    if not about.lower_is_better:
        found = joined(found, sentence("For this outcome a rise is better."))
    edge = max(about.difference.mcse_lower, about.difference.mcse_upper)
    if min(abs(abs(lower) - about.margin.value), abs(abs(upper) - about.margin.value)) < edge:
        return joined(
            found, sentence("A limit lies within Monte Carlo error of the margin: a longer run could change this.")
        )
    return found


def _directions(about: Answer) -> dict[str, str]:
    fall, rise = ("fall", "rise") if about.lower_is_better else ("rise", "fall")
    lower, higher = ("lower", "higher") if about.lower_is_better else ("higher", "lower")
    return {"fall": fall, "rise": rise, "better": lower, "worse": higher}


_A3 = {
    ("fall",): "{word}: the whole interval lies at or beyond {m} {points}, {better} with {treated}.",
    ("rise",): "{word}: the whole interval lies at or beyond {m} {points}, {worse} with {treated}.",
    ("small",): "{word}: the whole interval lies within ±{m} {points}, which the study calls too small to matter.",
    ("fall", "small"): (
        "{word}: the interval holds a {fall} of {m} {points} or more and differences too small to matter, and the "
        "data cannot "
        "say which; a {rise} of {m} {points} or more lies outside it."
    ),
    ("small", "rise"): (
        "{word}: the interval holds a {rise} of {m} {points} or more and differences too small to matter, and the "
        "data cannot "
        "say which; a {fall} of {m} {points} or more lies outside it."
    ),
    ("fall", "small", "rise"): (
        "{word}: the interval holds a {fall} of {m} {points} or more, a {rise} of {m} {points} or more and all "
        "between; "
        "the data cannot say which."
    ),
}


def t1(
    change: Estimate, control: Label, outcome: Label, since: str, until: str, points: str, model: str = "model"
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

    That the prior is what pulls is said only where the medians and the shift under power-scaling agree on it.
    """
    if not facts.pulled:
        return None
    rows = contrasts.intervals(facts)
    crude = next((row for row in rows if (row.wave, row.method) == (facts.primary, "crude") and row.drawn), None)
    if crude is None:
        return None
    model = facts.estimate(facts.scale.difference, facts.primary)
    unit, digits = facts.scale.difference_unit, model.decimals
    median, lower, upper = (show(value, unit, digits) for value in (crude.median, crude.lower, crude.upper))
    return sentence(
        f"{_pull(model.median, crude.median, _shift(facts))}: without the model the difference is {{crude}} {{points}} "
        "({lo} to {hi}).",
        crude=median,
        points=agreeing(median.text, facts.scale.points),
        lo=lower,
        hi=upper,
    )


def _pull(model: float, crude: float, shift: float) -> str:
    """Direction in which the model's median lies from the crude difference; `shift` under a prior that counts more."""
    if model * crude < 0:
        return "The model turns this difference round"
    if abs(model) >= abs(crude):
        return "The model puts this difference further from 0"
    return f"The {'prior' if shift * model < 0 else 'model'} pulls this difference towards 0"


def _shift(facts: Facts) -> float:
    wanted = f"{facts.scale.difference}[{facts.primary}]"
    rows = facts.run.power_scaling.to_dict("records")
    return next((float(row["shift"]) for row in rows if str(row["element"]) == wanted), 0.0)
