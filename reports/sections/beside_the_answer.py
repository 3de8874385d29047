"""What a clinician needs beside the main result: what was counted, for whom it holds, what moved, and harms."""

from __future__ import annotations

import math

from reports.text import decision, difference_by_wave, mediated
from reports.text.estimate import ReportedEstimate
from reports.text.facts import Facts
from reports.text.numbers import INTERVAL, Number, show
from reports.text.parts import Cell, Column, Label, Piece, Sentence, Table, joined, sentence
from reports.text.people import ARMS
from reports.text.words import agreeing, capital, clean, short

MOVED = "moved"
MODEL_FREE = {"crude": "Crude difference", "standardised": "Standardised over baseline variables"}
NO_HARMS = "Harms: none supplied. Nothing here says whether the treatment was safe."
NONE_MODELLED = "The run holds no effects on mediators."


def observed(facts: Facts) -> Sentence:
    """C2: what was counted at the primary wave, and the difference that needs no model."""
    people, wave = facts.people, facts.primary
    if people.concealed(wave):
        return sentence("Observed counts are not printed: the study file calls them sensitive, and one is small.")
    slots: dict[str, Piece] = {}
    for place, arm in enumerate(reversed(ARMS)):
        cell = people.counts[arm, wave]
        slots |= {f"n{place}": Number(cell.observed, str(cell.observed)), f"arm{place}": facts.arm(arm)}
        if not cell.observed:
            continue
        slots[f"mean{place}"] = show(cell.mean, facts.scale.level_unit)
        slots[f"events{place}"] = Number(cell.total, f"{cell.total:.0f}")
    if not all(people.counts[arm, wave].observed for arm in ARMS):
        return sentence("At the primary wave an arm has no observed outcome.")
    one = "{{events{0}}} of {{n{0}}} ({{mean{0}}})" if facts.binary else "mean {{mean{0}}} of {{n{0}}}"
    if facts.study.outcome.exposure:
        one = "{{events{0}}} events among {{n{0}}} participants ({{mean{0}}} {{points}})"
        slots["points"] = facts.scale.points
    reported = f"Observed: {one.format(0)} with {{arm0}}, {one.format(1)} with {{arm1}}"
    return joined(sentence(reported + ".", **_used(reported, slots)), *_crude(facts))


def _used(template: str, slots: dict[str, Piece]) -> dict[str, Piece]:
    return {name: slot for name, slot in slots.items() if f"{{{name}}}" in template}


def _crude(facts: Facts) -> list[Sentence]:
    found = []
    for row in difference_by_wave.intervals(facts):
        if row.wave != facts.primary or row.method not in MODEL_FREE or not row.drawn:
            continue
        median, lower, upper = (show(each, facts.scale.difference_unit) for each in (row.median, row.lower, row.upper))
        slots: dict[str, Piece] = {"median": median, "ci": INTERVAL, "lo": lower, "hi": upper}
        slots["points"] = agreeing(median.text, facts.scale.points)
        slots |= {"method": MODEL_FREE[row.method], "evidence": row.evidence}
        reported = "{method} {median} {points} ({ci} confidence interval {lo} to {hi}; {evidence})."
        found.append(sentence(reported, **slots))
    return found


def harms(facts: Facts) -> Sentence:
    """What the study's author says of harms, or that nothing is said."""
    reported = clean(facts.study.author.get("harms_found", ""))
    return sentence("Harms: {reported}", reported=Label(short(reported, 400))) if reported else sentence(NO_HARMS)


def estimand(facts: Facts) -> Table:
    """The question as ICH E9(R1) has it: population, treatments, variable, intercurrent events, summary measure."""
    people = sum(facts.people.size(arm) for arm in ARMS)
    who = clean(facts.study.author.get("participants", "")) or "As recruited; the study file says no more."
    they = facts.who_was_randomised
    measure = f"{facts.scale.difference_name}, treated minus control, averaged over participants"
    rows = {
        "Population": f"{short(who, 240)} All {people} in the data, in the arm to which {they} were randomised.",
        "Treatments": f"{facts.arm('treated', 120).text}, compared with {facts.arm('control', 120).text}.",
        "Variable": f"{capital(facts.outcome.text)}, {facts.wave(facts.primary)}.",
        "Intercurrent events": (
            "Stopping, missing sessions, other care: treatment policy, the outcome counts whatever happened. Death: "
            "the file says nothing of it. Missing outcomes are not intercurrent events: taken as missing at random "
            "(§ 9 asks what if not)."
        ),
        "Summary measure": f"{measure}{', with ratios beside it' if facts.scale.ratio else ''}.",
    }
    columns = (Column("element", "Estimand"), Column("here", "Here"))
    cells = tuple({"element": Cell(name, name), "here": Cell(text, text, "linked")} for name, text in rows.items())
    return Table("estimand", "What is estimated (ICH E9(R1))", columns, cells)


def moved(facts: Facts) -> Table | str:
    """What the programme did to each mediator, then what that may have done to the outcome; why not, where not."""
    fit = facts.paths
    if fit is None:
        return mediated.not_run(facts) if facts.study.mediators else NONE_MODELLED
    if fit.withheld:
        return f"Effects on the mediators are withheld: the computation of their model cannot be trusted ({_see(2)})."
    wave = next(iter(mediated.ordered(fit)), None)
    when = mediated.before(fit, wave) if wave else None
    if wave is None or when is None:
        return f"No mediator was measured before the outcome that it may act on ({_see(6)})."
    columns = (
        Column("mediator", "Mediator"),
        Column("difference", "Do the arms differ in it?", short(facts.wave(when), 60), number=True),
        Column("through", "What that may have done to the outcome", f"{facts.scale.points}", number=True),
    )
    rows = tuple(_moved(fit, mediator, when, wave) for mediator in mediated.mediators(fit))
    caption = f"First the mediators, then what goes through them to the outcome, {facts.wave(wave)}"
    return Table(MOVED, caption, columns, rows, ("difference_median", "through_median"), note=_whole(fit, wave))


def _whole(fit: Facts, wave: str) -> str:
    """Of which difference the parts are parts: the mediation model has its own."""
    if not fit.has(fit.scale.difference, wave):
        return ""
    total, unit = fit.estimate(fit.scale.difference, wave), fit.scale.difference_unit
    median, lower, upper = (show(value, unit).text for value in (total.median, total.lower, total.upper))
    return (
        f"Parts of the difference as the mediation model has it, {median} ({lower} to {upper}; by the rule above, "
        f"{decision.of(fit, total)}; {total.evidence}); the rest is direct. "
        f"Plus means more in the {fit.arm('treated', 40).text} arm ({_see(6)})."
    )


def _see(section: int) -> str:
    return f"§ {section}"


def _moved(fit: Facts, mediator: str, when: str, wave: str) -> dict[str, Cell]:
    name = mediated.label(fit, mediator).text
    through = fit.estimate(mediated.VIA, wave, mediator=mediator)
    known = fit.has("mediator_difference", when, mediator=mediator)
    first = fit.estimate("mediator_difference", when, mediator=mediator) if known else None
    return {
        "mediator": Cell(capital(name), mediator),
        "difference": _cell(first, first.shown.name) if first else Cell("not measured", None),
        "through": _cell(through),
        "difference_median": Cell("", first.median if first else math.nan),
        "through_median": Cell("", through.median),
    }


def _cell(found: ReportedEstimate, unit: str = "") -> Cell:
    return Cell(found.reported, found.reported, unit="; ".join(part for part in (unit, found.evidence) if part))
