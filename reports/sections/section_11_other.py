"""Section 11: any other result."""

from __future__ import annotations

from reports.text import sensitivities
from reports.text.estimate import ReportedEstimate
from reports.text.facts import Facts
from reports.text.numbers import INTERVAL, Number
from reports.text.outcome_words import SCALES, Scale
from reports.text.parts import Cell, Column, Section, Sentence, Table, sentence
from reports.text.people import ARMS
from reports.text.sensitivities import Refit
from reports.text.words import capital, clean, count, short

NUMBER, QUESTION, ESTIMATES = 11, "Any other result?", True
TABLES = ("secondary", "post_hoc", "other_waves")
FIGURES: tuple[str, ...] = ()
NUMBERS = (
    *("median", "lower", "upper", "prior_median", "prior_lower", "prior_upper", "rhat", "ess_bulk"),
    *("control", "control_lower", "control_upper", "treated", "treated_lower", "treated_upper", "reason"),
)
NAMED = {"secondary": "pre-specified", "post_hoc": "post hoc"}
NOTHING = "—"


def compose(facts: Facts) -> Section:
    """Every further outcome of the study file, by the effect model, none left out."""
    further = facts.study.further_outcomes
    if not further:
        return Section(
            NUMBER, QUESTION, "not_run.html.j2", "not run", "Not run: the study file names no further outcome."
        )
    reason = sensitivities.not_run(facts)
    if reason:
        return Section(NUMBER, QUESTION, "not_run.html.j2", "not run", reason)
    found = sensitivities.refits(facts, "outcome")
    planned = {part.column for part in further if part.prespecified}
    groups = {
        "secondary": [one for one in found if one.column in planned],
        "post_hoc": [one for one in found if one.column not in planned],
    }
    tables = {name: _primary(facts, name, some) for name, some in groups.items() if some}
    others = [wave for wave in facts.contrasts if wave != facts.primary]
    if others and any(one.estimates for one in found):
        tables["other_waves"] = _other_waves(facts, found, others, planned)
    values: dict[str, object] = {
        "not_run": [f"{capital(short(one.outcome, 80))}. Not run: {clean(one.reason)}" for one in found if one.reason],
        "other_waves_reason": "No further outcome was analysed at another wave.",
    }
    values |= {f"{name}_reason": f"No further outcome is named as {words}." for name, words in NAMED.items()}
    return Section(
        NUMBER, QUESTION, "section_11.html.j2", sentences={"other": _lead(facts, found)}, tables=tables, values=values
    )


def _lead(facts: Facts, found: list[Refit]) -> Sentence:
    """How many further outcomes have an interval that excludes 0, of how many named and analysed."""
    differences = [made for one in found if (made := one.find(_scale(facts, one).difference, facts.primary))]
    reported = "The study file names {named}; "
    if not differences:
        return sentence(reported + "none was analysed.", named=Number(len(found), count(len(found), "further outcome")))
    outside = sum(map(sensitivities.excludes_zero, differences))
    reported += (
        "{every} analysed. The {interval} interval of the difference at the primary wave excludes 0 in {outside}. "
        "Nothing is adjusted for looking at several: each prior draws its own difference towards 0."
    )
    return sentence(
        reported,
        named=Number(len(found), count(len(found), "further outcome")),
        every=Number(len(differences), count(len(differences), "was", "were")),
        interval=INTERVAL,
        outside=Number(outside, str(outside) if outside else "none"),
    )


def _scale(facts: Facts, refit: Refit) -> Scale:
    kind = next(part.kind for part in facts.study.further_outcomes if part.column == refit.column)
    return SCALES[kind]


def _columns(*between: Column) -> tuple[Column, ...]:
    return (
        Column("outcome", "Outcome"),
        *between,
        Column("levels", "Levels", "treated · control", number=True),
        Column("difference", "Difference", "median (95% interval)", number=True),
        Column("prior", "Its prior", "median (95% interval)", number=True),
        Column("benefit", "P(benefit)", number=True),
        Column("evidence", "Evidence"),
    )


def _primary(facts: Facts, name: str, found: list[Refit]) -> Table:
    """One row an outcome at the primary wave; one that was not run says so."""
    called = f"Further outcomes that the study file calls {NAMED[name]}"
    caption = f"{called}, at the primary wave, {facts.wave(facts.primary)}"
    rows = tuple(_row(facts, one, facts.primary) or _lost(one) for one in found)
    return Table(name, caption, _columns(), rows, NUMBERS)


def _other_waves(facts: Facts, found: list[Refit], waves: list[str], planned: set[str]) -> Table:
    """One row an outcome and wave but the primary one."""
    rows = []
    for one in found:
        for wave in waves:
            row = _row(facts, one, wave)
            mark = "negative control" if facts.role(wave) == "negative control" else ""
            named = NAMED["secondary" if one.column in planned else "post_hoc"]
            if row:
                rows.append(row | {"wave": Cell(facts.wave(wave, 40), wave, unit=mark), "named": Cell("", named)})
    columns = _columns(Column("wave", "Wave"))
    return Table("other_waves", "Further outcomes at other waves", columns, tuple(rows), ("named", *NUMBERS))


def _row(facts: Facts, refit: Refit, wave: str) -> dict[str, Cell]:
    """Levels, difference and prior at a wave; empty where it has none."""
    scale = _scale(facts, refit)
    difference = refit.find(scale.difference, wave)
    levels = {arm: level for arm in ARMS if (level := refit.find(scale.level, wave, arm))}
    if difference is None or len(levels) < len(ARMS):
        return {}
    numbers = {arm: Cell("", levels[arm].median) for arm in ARMS}
    numbers |= {f"{arm}_{end}": Cell("", getattr(levels[arm], end)) for arm in ARMS for end in ("lower", "upper")}
    both = " · ".join(levels[arm].number("median").text for arm in reversed(ARMS))
    return {
        "outcome": Cell(capital(short(refit.outcome, 80)), refit.column, unit=scale.points),
        "levels": Cell(both, both),
        "difference": _reported(difference),
        "prior": Cell(*[difference.prior_reported] * 2),
        "benefit": Cell(difference.chance("p_benefit").text, difference.p_benefit),
        "evidence": Cell(difference.evidence, difference.evidence, "evidence"),
        **{field: Cell("", getattr(difference, field)) for field in NUMBERS[:8]},
        **numbers,
        "reason": Cell("", ""),
    }


def _lost(refit: Refit) -> dict[str, Cell]:
    """Row of an outcome that was not run: the reason stands below the table and in the CSV."""
    empty = {field: Cell("", None) for field in NUMBERS}
    empty |= {column.key: Cell(NOTHING, None) for column in _columns()}
    return empty | {
        "outcome": Cell(capital(short(refit.outcome, 80)), refit.column),
        "difference": Cell("not run", "not run"),
        "reason": Cell("", clean(refit.reason) or "the run holds no difference at the primary wave"),
    }


def _reported(estimate: ReportedEstimate) -> Cell:
    text = estimate.reported
    return Cell(text, text, "estimate")
