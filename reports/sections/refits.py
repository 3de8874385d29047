"""The primary difference under other priors, as a sentence, a figure and a table of section 8."""

from __future__ import annotations

from reports import asked
from reports.asked import Refit
from reports.facts import Facts
from reports.figures import forest
from reports.numbers import Number
from reports.parts import Cell, Column, Figure, Sentence, Table, sentence
from reports.paths import Part
from reports.sections.section_01_answer import posterior_cells
from reports.words import capital, clean, count

NUMBERS = ("median", "lower", "upper", "prior_lower", "prior_upper", "rhat", "ess_bulk")


def _parts(facts: Facts) -> list[Part]:
    made = [asked.part(facts, one, capital(asked.named(one.name))) for one in asked.refits(facts, "priors")]
    return [asked.as_analysed(facts), *(part for part in made if part is not None)]


def _range(facts: Facts) -> tuple[Number, Number, int, int]:
    """Least and largest median, how many intervals exclude 0, how many analyses."""
    estimates = [part.estimate for part in _parts(facts)]
    low, high = (pick(estimates, key=lambda one: one.median) for pick in (min, max))
    return low.number("median"), high.number("median"), sum(map(asked.excludes_zero, estimates)), len(estimates)


def sentence_of(facts: Facts) -> Sentence:
    """How far the median moves between the sets, and whether any set changes what the interval says."""
    low, high, outside, every = _range(facts)
    told = (
        "Refitted under {others}, the median of the primary difference lies between {low} and {high} {points}; the 95% "
        "interval excludes 0 in {outside} of {every} analyses."
    )
    return sentence(
        told,
        others=count(every - 1, "other set of priors", "other sets of priors"),
        low=low,
        high=high,
        points=facts.scale.points,
        outside=Number(outside, str(outside)),
        every=Number(every, str(every)),
    )


def draw(facts: Facts) -> Figure:
    """Forest: the main analysis, then each other set, every one above its own prior."""
    low, high, _, every = _range(facts)
    title = (
        f"{facts.scale.difference_name}, {facts.wave(facts.primary)}: medians from {low.text} to {high.text} "
        f"{facts.scale.points} under {every} sets of priors"
    )
    words = ("better", "worse") if facts.lower_is_better else ("worse", "better")
    return forest.figure("refits", facts, _parts(facts), title, "Primary difference under each set of priors", words)


def table(facts: Facts) -> Table:
    """One row a set, with its reason and the diagnostics of its fit."""
    columns = (
        Column("priors", "Priors"),
        Column("posterior", "Posterior", f"{facts.scale.points}, median (95% interval)", number=True),
        Column("prior", "Prior", "median (95% interval)", number=True),
        Column("contraction", "Contraction", "1: data, 0: prior", number=True),
        Column("benefit", "P(benefit)", "probability", number=True),
        Column("fit", "Computation"),
        Column("why", "What the set stands for"),
    )
    main = asked.as_analysed(facts)
    priors = facts.manifest["priors"]
    rows = [_row(main, f"{asked.named(priors['name'])}, as analysed", priors["why"], "see § 2")]
    for one in asked.refits(facts, "priors"):
        part = asked.part(facts, one, asked.named(one.name))
        if part is not None:
            rows.append(_row(part, part.name, one.why, fitted(one, part)))
    return Table("refits", "Primary difference refitted under other priors", columns, tuple(rows), NUMBERS)


def fitted(refit: Refit, part: Part) -> str:
    """Diagnostics of a refit, as printed."""
    found = part.estimate
    divergent = count(int(refit.divergences), "divergence")
    return f"R̂ {found.rhat:.2f}, {found.ess_bulk:.0f} effective draws, {divergent}"


def _row(part: Part, name: str, why: str, fit: str) -> dict[str, Cell]:
    found = part.estimate
    numbers = {field: Cell("", getattr(found, field)) for field in NUMBERS}
    return {
        "priors": Cell(capital(name), name),
        **posterior_cells(found),
        "contraction": Cell(found.learned.text, found.contraction),
        "benefit": Cell(found.chance("p_benefit").text, found.p_benefit),
        "fit": Cell(fit, fit),
        "why": Cell(clean(why), clean(why)),
        **numbers,
    }
