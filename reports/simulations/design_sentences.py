"""Sentences on a design study: what share of trials ends how, from which size on, and what was simulated."""

from __future__ import annotations

from reports.figures.assurance import loss, where
from reports.text.calibration_file import MAIN
from reports.text.design_file import SHARES, WANTED, DesignStudy, Point, Shift
from reports.text.numbers import PLAIN, Number, Unit, fixed, show, tick_text
from reports.text.outcome_words import SCALES
from reports.text.parts import Label, Piece, Sentence, joined, sentence
from reports.text.simulation_sentences import sampled, whole
from reports.text.words import agreeing, listed

SHARE = Unit(100, 1, "%", "percent")


def main(study: DesignStudy) -> str:
    """Key of the quantity that the sentences are about."""
    keys = list(study.quantities)
    found = [key for name in MAIN for key in keys if key.split("[", 1)[0] == name]
    return found[0] if found else keys[0]


def reached(study: DesignStudy, quantity: str, shift: Shift) -> Sentence:
    """Share of trials that would end with benefit (harm, if it is that) at one true shift; the size for most to."""
    end = study.end(quantity, shift)
    found = [point for point in study.at(quantity, shift) if point.has(end)]
    if not found:
        return sentence("{what}: no trial was analysed.", what=_what(study, quantity, shift))
    low, high = (choose(found, key=lambda point: point[end]) for choose in (min, max))
    reported = (
        "{what}: between {low} of trials ({low_size} participants, attrition {low_loss}) and {high} ({high_size} "
        "participants, attrition {high_loss}) end with a probability of {end} above {sure}."
    )
    if len(found) == 1:
        reported = (
            "{what}: {low} of trials ({low_size} participants, attrition {low_loss}) end with a probability of {end} "
            "above {sure}."
        )
    spread = sentence(
        reported,
        end=Label("harm" if end == "harm" else "benefit"),
        what=_what(study, quantity, shift),
        low=show(low[end], SHARE, 0),
        high=show(high[end], SHARE, 0),
        low_size=whole(low.participants),
        high_size=whole(high.participants),
        low_loss=Number(low.attrition, loss(low.attrition)),
        high_loss=Number(high.attrition, loss(high.attrition)),
        sure=Number(0.95, "0.95"),
    )
    return spread if study.nothing(quantity, shift) else joined(spread, _sizes(study, quantity, shift))


def _what(study: DesignStudy, quantity: str, shift: Shift) -> Label:
    true = study.truth(quantity, shift)
    unit = next(point.shown.name for point in study.points if point.quantity == quantity)
    about = f", {'at the centre ' * bool(study.spread)}{true.text} {unit}".rstrip() if true else ""
    own = f"{Shift(shift.effect).text} {study.shift_unit}"
    head = f"With a {study.shift_name} of {own}"
    if study.nothing(quantity, shift):
        head = "Where the arms do not differ"
    elif study.spread:
        head = f"With {study.shift_name}s around {own} (SD {study.spread:g})"
    elif study.through and not study.moved:
        head += " beside what goes through the mediators"
    if study.moved and not study.nothing(quantity, shift):
        head += f" and mediators moved {tick_text(shift.mediated, PLAIN)} × as far as the scenario states"
    return Label(f"{head} ({study.quantities[quantity]}{about})")


def _sizes(study: DesignStudy, quantity: str, shift: Shift) -> Sentence:
    """First size that brings enough trials there, attrition by attrition."""
    slots: dict[str, Piece] = {"wanted": show(WANTED, SHARE, 0)}
    parts: list[str] = []
    found: list[Point | None] = []
    for place, attrition in enumerate(study.losses):
        point = study.smallest(quantity, shift, attrition, study.end(quantity, shift))
        slots[f"loss_{place}"] = Number(attrition, loss(attrition))
        if point:
            slots[f"size_{place}"] = whole(point.participants)
        found.append(point)
        parts.append(
            f"{{size_{place}}} at attrition {{loss_{place}}}" if point else f"none at attrition {{loss_{place}}}"
        )
    if not any(found):
        return sentence("Of the sizes tried, none reaches {wanted}.", wanted=slots["wanted"])
    return sentence(f"Of the sizes tried, {{wanted}} is reached from: {listed(parts)}.", **slots)


def requested(study: DesignStudy) -> Sentence:
    """What was simulated, what failed, how exact the shares are."""
    worst = max(point[f"{name}_mcse"] for point in study.points for name in SHARES if point.has(f"{name}_mcse"))
    reported = sentence(
        "At each point of the grid {trials} trials were simulated from scenario “{scenario}” and analysed with the "
        "{model} model and the priors {priors}; Monte Carlo standard "
        "errors of shares are at most {error} points.",
        trials=whole(int(study.about["replications"])),
        scenario=Label(study.text("scenario")),
        model=Label(study.text("model")),
        priors=Label(study.text("priors").replace("_", " ")),
        error=Number(worst, fixed(100 * worst, 1)),
    )
    losses = "Participants are lost by chance alone, as each point says"
    losses += "; the scenario’s own missing data are left out." if study.about.get("missingness_left_out") else "."
    return joined(reported, sentence(losses), *_lost(study), *_without(study), *_margin(study), sampled(study.about))


def _lost(study: DesignStudy) -> list[Sentence]:
    """Points of the grid at which no trial could be analysed; nothing where there is none."""
    lost = {point.place: point for point in study.points if not study.analysed[point.place]}
    if not lost:
        return []
    named = listed([where(study, lost[place]) for place in sorted(lost)[:3]])
    reported = "At {count} of them every fit failed, so that they say nothing: {named}"
    return [sentence(reported + (" and others." if len(lost) > 3 else "."), count=whole(len(lost)), named=Label(named))]


def _without(study: DesignStudy) -> list[Sentence]:
    """Quantities that not every analysed trial has: where no mediator was seen in an arm there is no effect by it."""
    found = []
    for quantity, label in study.quantities.items():
        points = [point for point in study.points if point.quantity == quantity]
        of = sum(study.analysed[point.place] for point in points)
        if lacking := of - sum(point.replications for point in points):
            reported = "{lacking} of {of} analysed trials have no {quantity}; its shares are those of the others."
            found.append(sentence(reported, lacking=whole(lacking), of=whole(of), quantity=Label(label)))
    return found


def _margin(study: DesignStudy) -> list[Sentence]:
    """The margin that intervals are compared with, with the digits it was given with; nothing where there is none."""
    known, unit = study.about.get("margin"), SCALES[study.points[0].outcome].difference_unit
    if known is None:
        return []
    margin = Number(float(known), tick_text(float(known), unit))
    return [sentence("The margin is {margin} {unit}.", margin=margin, unit=agreeing(margin.text, unit.name))]
