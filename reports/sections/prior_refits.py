"""The primary difference under other priors, as a sentence, a figure and a table of section 8."""

from __future__ import annotations

from dataclasses import replace

from reports.figures import forest
from reports.sections.section_01_answer import posterior_cells
from reports.text import decision, sensitivities
from reports.text.estimate import ReportedEstimate
from reports.text.facts import Facts
from reports.text.mediated import Part
from reports.text.numbers import INTERVAL, Number
from reports.text.parts import Cell, Column, Figure, Sentence, Table, sentence
from reports.text.sensitivities import Refit
from reports.text.words import agreeing, capital, clean, count, short

NUMBERS = ("median", "lower", "upper", "prior_lower", "prior_upper", "rhat", "ess_bulk", "why")


def _parts(facts: Facts) -> list[Part]:
    made = [
        sensitivities.part(facts, one, capital(sensitivities.named(one.name)))
        for one in sensitivities.refits(facts, "priors")
    ]
    main = replace(sensitivities.as_analysed(facts), name=capital(_main(facts)), note="")
    return [main, *(part for part in made if part is not None)]


def _main(facts: Facts) -> str:
    return f"{sensitivities.named(facts.manifest['priors']['name'])}, as analysed"


def sentence_of(facts: Facts) -> Sentence:
    """How far median and interval move between the sets, and how many say what of 0 and the margin."""
    estimates = [part.estimate for part in _parts(facts)]
    low, high = (pick(estimates, key=lambda one: one.median) for pick in (min, max))
    narrow, wide = (pick(estimates, key=lambda one: one.upper - one.lower) for pick in (min, max))
    outside = sum(map(sensitivities.excludes_zero, estimates))
    inside = sum(sensitivities.within_margin(facts, one) for one in estimates)
    reported = (
        "Under {every} of priors, that of the analysis included, the median of the primary difference "
        f"{_span(low, high)} "
        "{points}; the narrowest {interval} interval is {narrow_lower} to {narrow_upper}, the widest "
        "{wide_lower} to {wide_upper}. {outside} of them {exclude} 0; {inside} {lie} within the margin of ±{margin}."
    )
    return sentence(
        reported,
        every=_counted(len(estimates), count(len(estimates), "set")),
        interval=INTERVAL,
        low=low.number("median"),
        high=high.number("median"),
        points=_points(facts, low, high),
        narrow_lower=narrow.number("lower"),
        narrow_upper=narrow.number("upper"),
        wide_lower=wide.number("lower"),
        wide_upper=wide.number("upper"),
        outside=_counted(outside, none="None"),
        exclude="excludes" if outside <= 1 else "exclude",
        inside=_counted(inside),
        lie="lies" if inside <= 1 else "lie",
        margin=facts.margin,
    )


def _span(low: ReportedEstimate, high: ReportedEstimate) -> str:
    """Medians as a range, or as one number where they print alike."""
    return "is {low}" if low.number("median").text == high.number("median").text else "lies between {low} and {high}"


def _points(facts: Facts, low: ReportedEstimate, high: ReportedEstimate) -> str:
    text = low.number("median").text
    return agreeing(text, facts.scale.points) if text == high.number("median").text else facts.scale.points


def _counted(number: int, text: str = "", none: str = "none") -> Number:
    return Number(number, text or (str(number) if number else none))


def draw(facts: Facts) -> Figure:
    """Forest: the main analysis, then each other set, every one above its own prior."""
    parts = _parts(facts)
    low, high = (pick((part.estimate for part in parts), key=lambda one: one.median) for pick in (min, max))
    first, last = (one.number("median").text for one in (low, high))
    title = (
        f"{facts.scale.difference_name}, {facts.wave(facts.primary)}: "
        f"{f'median {first}' if first == last else f'medians from {first} to {last}'} {_points(facts, low, high)} "
        f"under {count(len(parts), 'set')} of priors"
    )
    words = facts.directions
    return forest.figure("refits", facts, parts, title, "Primary difference under each set of priors", words)


def table(facts: Facts) -> Table:
    """One row a set, with the diagnostics of its fit; why it is there goes to the CSV and below the table."""
    columns = (
        Column("priors", "Priors"),
        Column("posterior", "Posterior", "median (95% interval)", number=True),
        Column("prior", "Prior", "median (95% interval)", number=True),
        Column("benefit", "P(benefit)", number=True),
        Column("verdict", "Verdict", f"±{facts.margin.text} {facts.scale.points}"),
        Column("evidence", "Evidence"),
        Column("fit", "Computation"),
    )
    main = sensitivities.as_analysed(facts)
    priors = facts.manifest["priors"]
    rows = [_row(facts, main, _main(facts), priors["why"], "see § 2")]
    for one in sensitivities.refits(facts, "priors"):
        part = sensitivities.part(facts, one, sensitivities.named(one.name))
        if part is not None:
            rows.append(_row(facts, part, part.name, _why(facts, one), _fitted(one, part)))
    caption = f"Primary difference ({facts.scale.points}) refitted under other priors"
    return Table("refits", caption, columns, tuple(rows), NUMBERS)


def stands_for(facts: Facts) -> list[tuple[str, str]]:
    """Every set with its reason, as analysed first."""
    priors = facts.manifest["priors"]
    reported = [(_main(facts), priors["why"])]
    reported += [
        (sensitivities.named(one.name), _why(facts, one))
        for one in sensitivities.refits(facts, "priors")
        if one.estimates
    ]
    return [(capital(name), short(why, 400)) for name, why in reported]


def _why(facts: Facts, refit: Refit) -> str:
    """Reason of a set; a scaled set carries that of the set which it was made from, and is not that set."""
    if refit.why == facts.manifest["priors"]["why"]:
        return "The set as analysed, with the SD of every prior that has one multiplied as its name says."
    return refit.why


def _fitted(refit: Refit, part: Part) -> str:
    """Diagnostics of a refit, as printed."""
    found = part.estimate
    divergent = count(int(refit.divergences), "divergence")
    return f"R̂ {found.rhat:.2f}, {found.ess_bulk:.0f} effective draws, {divergent}"


def _row(facts: Facts, part: Part, name: str, why: str, fit: str) -> dict[str, Cell]:
    found = part.estimate
    return {
        "priors": Cell(capital(name), name),
        **posterior_cells(found),
        "benefit": Cell(found.chance("p_benefit").text, found.p_benefit),
        "verdict": Cell(decision.of(facts, found), decision.of(facts, found)),
        "evidence": Cell(found.evidence, found.evidence, "evidence"),
        "fit": Cell(fit, fit),
        **{field: Cell("", getattr(found, field)) for field in NUMBERS if field != "why"},
        "why": Cell("", clean(why)),
    }
