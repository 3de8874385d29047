"""Section 11: any other result."""

from __future__ import annotations

from reports import asked
from reports.asked import Refit
from reports.estimate import Estimate
from reports.facts import SCALES, Facts
from reports.numbers import Number
from reports.parts import Cell, Column, Section, Sentence, Table, sentence
from reports.people import ARMS
from reports.words import capital, clean, count, short

NUMBER, QUESTION, ESTIMATES = 11, "Any other result?", True
TABLES = ("secondary", "post_hoc")
FIGURES: tuple[str, ...] = ()
NUMBERS = ("median", "lower", "upper", "prior_lower", "prior_upper", "rhat", "ess_bulk")
CAPTIONS = {
    "secondary": "Further outcomes that the study file names as pre-specified",
    "post_hoc": "Further outcomes that the study file names as post hoc",
}


def compose(facts: Facts) -> Section:
    """Every further outcome of the study file, by the effect model, none left out."""
    further = facts.study.further_outcomes
    if not further:
        return Section(
            NUMBER, QUESTION, "not_run.html.j2", "not run", "Not run: the study file names no further outcome."
        )
    reason = asked.not_run(facts)
    if reason:
        return Section(NUMBER, QUESTION, "not_run.html.j2", "not run", reason)
    planned = {part.column for part in further if part.prespecified}
    found = asked.refits(facts, "outcome")
    groups = {
        "secondary": [one for one in found if one.column in planned],
        "post_hoc": [one for one in found if one.column not in planned],
    }
    tables = {name: _table(facts, name, some) for name, some in groups.items() if any(one.estimates for one in some)}
    values = {
        "not_run": [f"{capital(short(one.outcome, 80))}. Not run: {clean(one.reason)}" for one in found if one.reason],
        "secondary_reason": "" if "secondary" in tables else "No further outcome is named as pre-specified.",
        "post_hoc_reason": "" if "post_hoc" in tables else "No further outcome is named as post hoc.",
    }
    return Section(
        NUMBER, QUESTION, "section_11.html.j2", sentences={"other": _lead(facts, found)}, tables=tables, values=values
    )


def _lead(facts: Facts, found: list[Refit]) -> Sentence:
    """How many further outcomes have an interval that excludes 0, of how many looked at."""
    made = [(one, one.find(_scale(facts, one).difference, facts.primary)) for one in found]
    differences = [estimate for _, estimate in made if estimate is not None]
    outside = sum(map(asked.excludes_zero, differences))
    told = (
        "Of {every} further {outcomes}, the 95% interval of the difference at the primary wave excludes 0 in "
        "{outside}. No "
        "adjustment is made for looking at several: each prior draws its own difference towards 0."
    )
    return sentence(
        told,
        every=Number(len(differences), str(len(differences))),
        outcomes="outcome" if len(differences) == 1 else "outcomes",
        outside=Number(outside, str(outside) if outside else "none"),
    )


def _scale(facts: Facts, refit: Refit):  # type: ignore[no-untyped-def]
    kind = next(part.kind for part in facts.study.further_outcomes if part.column == refit.column)
    return SCALES[kind]


def _table(facts: Facts, name: str, found: list[Refit]) -> Table:
    columns = (
        Column("outcome", "Outcome"),
        Column("wave", "Wave"),
        Column("control", facts.arm("control", 40).text, "median (95% interval)", number=True),
        Column("treated", facts.arm("treated", 40).text, "median (95% interval)", number=True),
        Column("difference", "Difference", "median (95% interval)", number=True),
        Column("prior", "Its prior", "median (95% interval)", number=True),
        Column("benefit", "P(benefit)", "probability", number=True),
        Column("evidence", "Evidence"),
    )
    rows = [row for one in found for wave in facts.contrasts for row in _rows(facts, one, wave)]
    order = f"primary wave: {facts.wave(facts.primary)}; {count(len(found), 'outcome')}"
    return Table(name, f"{CAPTIONS[name]}, treated compared with control ({order})", columns, tuple(rows), NUMBERS)


def _rows(facts: Facts, refit: Refit, wave: str) -> list[dict[str, Cell]]:
    scale = _scale(facts, refit)
    difference = refit.find(scale.difference, wave)
    levels = {arm: refit.find(scale.level, wave, arm) for arm in ARMS}
    if difference is None or None in levels.values():
        return []
    mark = ", negative control" if facts.role(wave) == "negative control" else ""
    return [
        {
            "outcome": Cell(capital(short(refit.outcome, 80)), refit.column, unit=scale.points),
            "wave": Cell(facts.wave(wave, 40) + mark, wave),
            **{arm: _told(level) for arm, level in levels.items() if level is not None},
            "difference": _told(difference),
            "prior": Cell(*[f"{difference.number('prior_median').text} ({difference.prior_interval})"] * 2),
            "benefit": Cell(difference.chance("p_benefit").text, difference.p_benefit),
            "evidence": Cell(difference.evidence, difference.evidence, "evidence"),
            **{field: Cell("", getattr(difference, field)) for field in NUMBERS},
        }
    ]


def _told(estimate: Estimate) -> Cell:
    text = f"{estimate.number('median').text} ({estimate.interval})"
    return Cell(text, text, "estimate")
