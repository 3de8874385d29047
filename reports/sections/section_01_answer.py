"""Section 1: what is the answer."""

from __future__ import annotations

import math

import numpy as np

from reports.figures import difference
from reports.sections import beside_the_answer, section_09_what_if
from reports.text import before, decision, known_truth, mediated, sensitivities, sentences
from reports.text.estimate import NO_INTERVAL, ReportedEstimate
from reports.text.facts import DEFAULT_AVERAGE, Facts
from reports.text.numbers import INTERVAL, PLAIN, NotANumber, Number, show
from reports.text.parts import Cell, Column, Section, Sentence, Table, joined, sentence
from reports.text.people import ARMS
from reports.text.words import agreeing, capital, clean, listed, short

NUMBER, QUESTION, ESTIMATES = 1, "What is the answer?", True
TABLES = ("answer", "not_identified", "estimates", "estimand", beside_the_answer.MOVED)
FIGURES = ("difference",)

_FIELDS = (
    "median",
    "mean",
    "sd",
    "lower",
    "upper",
    "prior_median",
    "prior_sd",
    "prior_lower",
    "prior_upper",
    "contraction",
    "mcse_median",
    "mcse_lower",
    "mcse_upper",
    "ess_bulk",
    "ess_tail",
    "rhat",
    "p_below_zero",
    "p_benefit",
    "p_harm_beyond_margin",
    "p_within_margin",
    "p_benefit_beyond_margin",
)


def compose(facts: Facts) -> Section:
    """The answer in words and numbers, what it rests on, the main table, the density, and what is not identified."""
    about, others = sentences.answer(facts, facts.primary), section_09_what_if.others(facts)
    depends_on = _depends_on(facts, others)
    said = {
        "C1": sentences.c1(about, depends_on),
        "A1": sentences.a1(about),
        "C2": beside_the_answer.observed(facts),
    }
    said |= {"A2": sentences.a2(about), "A3": sentences.a3(about, depends_on), "rule": sentences.RULE}
    more = {
        "P1": sentences.by_prior(facts),
        "W1": section_09_what_if.elsewhere(others),
        "P2": _learned(facts),
        "A4": sentences.pulled(facts),
        "T1": _training(facts),
    }
    said |= {name: one for name, one in more.items() if one}
    said |= {"harms": beside_the_answer.harms(facts), "error": _error(facts, about.difference)}
    tables = {"answer": _main(facts), "not_identified": _not_identified(facts), "estimates": _all(facts)}
    tables["estimand"], moved = beside_the_answer.estimand(facts), beside_the_answer.moved(facts)
    change = _change(facts)
    values = {
        "verdict": about.verdict.replace(" ", "-"),
        "assumptions": _assumptions(about.difference),
        "evidence": about.difference.evidence,
        "change_evidence": change.evidence if change else "",
        "missing": _missing(facts),
        "binary": facts.binary,
        "mediators": bool(facts.study.mediators),
    }
    if isinstance(moved, str):
        values["moved_reason"] = moved
    else:
        tables[beside_the_answer.MOVED] = moved
    drawn = {"difference": difference.draw(facts)}
    return Section(NUMBER, QUESTION, "section_01.html.j2", sentences=said, tables=tables, figures=drawn, values=values)


def _depends_on(facts: Facts, others: section_09_what_if.Elsewhere) -> list[str]:
    """What the verdict depends on: a shipped prior set, or most of the changed analyses, give another one."""
    found = {"the prior": decision.depends_on_prior(facts), "other assumptions": 2 * others.other > others.changed}
    return [name for name, doubtful in found.items() if doubtful]


def _error(facts: Facts, primary: ReportedEstimate) -> Sentence:
    """Monte Carlo errors of the primary difference, and of how many estimates the last digit is finer than its own."""
    printed = [row for row in facts.estimates if row.printed and not row.constant]
    finer = sum(not row.supported for row in printed)
    errors = (primary.mcse_median, *decision.errors(primary))
    median, lower, upper = (show(error, facts.scale.difference_unit, primary.decimals + 1) for error in errors)
    return sentence(
        "By Monte Carlo error another run would differ: the primary median by about {median} {points}, its limits by "
        "{lower} and {upper}; in {finer} of {all} estimates it could change the last digit of a median or limit.",
        median=median,
        lower=lower,
        upper=upper,
        points=facts.scale.points,
        finer=Number(finer, str(finer)),
        all=Number(len(printed), str(len(printed))),
    )


def _learned(facts: Facts) -> Sentence | None:
    """How far the data narrowed the parameter of the effect itself, which no ratio or difference of risks tells."""
    share = before.contraction(facts, facts.primary)
    if share is None:
        return None
    learned = sentence(
        "Contraction of the effect’s own parameter ({scale}): {share}, by which its variance fell from the prior’s; "
        "nought if the prior decides, one if data do.",
        scale=facts.parameter_scale,
        share=show(share, PLAIN),
    )
    given = before.differences(facts, facts.primary)
    if given is None:
        return learned
    lower, median, upper = (
        show(float(value), facts.scale.difference_unit) for value in np.quantile(given, [0.025, 0.5, 0.975])
    )
    reported = (
        "Given the control arm’s level, the prior of the difference is {median} {points} ({ci} interval {lo} to {hi})."
    )
    points = agreeing(median.text, facts.scale.points)
    return joined(learned, sentence(reported, median=median, points=points, ci=INTERVAL, lo=lower, hi=upper))


def _missing(facts: Facts) -> str:
    """How many primary outcomes are missing in each arm, small numbers hidden; empty where none is."""
    cells = facts.people.counts
    if all(cells[arm, facts.primary].observed == cells[arm, facts.primary].people for arm in ARMS):
        return ""
    reported = listed(
        [
            f"{facts.people.missing((arm, facts.primary), 'observed').text} in the {facts.arm(arm, 40).text} arm"
            for arm in ARMS
        ]
    )
    beyond = "no analysis for outcomes that are not missing at random is part of this run."
    if not sensitivities.not_run(facts):
        beyond = "§ 9 shows what the answer would be if they differed from those seen."
    return f"Primary outcomes are missing for {reported}; {beyond}"


def _change(facts: Facts) -> ReportedEstimate | None:
    """The control arm's change since the baseline at the primary wave, where there is one."""
    known = facts.baseline is not None and facts.has("change", facts.primary, arm="control")
    return facts.estimate("change", facts.primary, arm="control") if known else None


def _training(facts: Facts) -> Sentence | None:
    """T1, where a baseline was measured and the run has the change from it."""
    change = _change(facts)
    if change is None or facts.baseline is None:
        return None
    since, until = facts.wave(facts.baseline), facts.wave(facts.primary)
    return sentences.t1(change, facts.arm("control"), facts.outcome, since, until, facts.scale.points)


def primary_rows(facts: Facts) -> list[tuple[str, str, ReportedEstimate]]:
    """Name, unit and estimate of the rows of the main table."""
    scale, wave = facts.scale, facts.primary
    rows = [
        (
            f"{capital(scale.level_word)}, {facts.arm(arm).text}",
            scale.level_name,
            facts.estimate(scale.level, wave, arm=arm),
        )
        for arm in reversed(ARMS)
    ]
    rows.append((scale.difference_name, scale.points, facts.estimate(scale.difference, wave)))
    if scale.ratio:
        rows.append((scale.ratio_name, "ratio", facts.estimate(scale.ratio, wave)))
    if scale.odds and facts.has(scale.odds, wave):
        rows.append(("Odds ratio (marginal)", "ratio", facts.estimate(scale.odds, wave)))
    return rows


def _main(facts: Facts) -> Table:
    columns = (
        Column("quantity", "Quantity"),
        Column("unit", "Unit"),
        Column("posterior", "Posterior", "median (95% interval)", number=True),
        Column("prior", "Prior", "median (95% interval)", number=True),
        *known_truth.columns(facts),
        Column("evidence", "Evidence"),
    )
    rows = []
    for name, unit, estimate in primary_rows(facts):
        rows.append(
            {
                "quantity": Cell(name, name, unit="" if unit == "ratio" else unit),
                "unit": Cell(unit, unit),
                **posterior_cells(estimate),
                **known_truth.cells(facts, estimate),
                "evidence": Cell(estimate.evidence, estimate.evidence, "evidence"),
                **{
                    field: Cell("", getattr(estimate, field))
                    for field in ("median", "lower", "upper", "prior_median", "prior_lower", "prior_upper")
                },
            }
        )
    caption = (
        f"Estimates at the primary wave ({facts.wave(facts.primary)}), treated compared with control: median (95% "
        "interval)"
    )
    extra = ("median", "lower", "upper", "prior_median", "prior_lower", "prior_upper")
    return Table("answer", caption, columns, tuple(rows), extra)


def posterior_cells(estimate: ReportedEstimate) -> dict[str, Cell]:
    """Posterior and prior of an estimate, each as "median (interval)"."""
    return {
        "posterior": Cell(estimate.reported, estimate.reported, "estimate"),
        "prior": Cell(estimate.prior_reported, estimate.prior_reported),
    }


def _not_identified(facts: Facts) -> Table:
    columns = (Column("quantity", "Quantity"), Column("result", "Result"))
    rows = []
    for row in (row for row in facts.estimates if not row.identified and row.estimand not in mediated.ESTIMANDS):
        if row.wave and (row.estimand != facts.scale.difference or row.average != DEFAULT_AVERAGE):
            continue  # at a wave without data nothing is: the difference stands for all
        result = f"Not identified: {short(row.reason, 400)}"
        where = f", {facts.wave(row.wave)}" if row.wave else ""
        rows.append(
            {
                "quantity": Cell(capital(short(row.label, 160)) + where, clean(row.label) + where),
                "result": Cell(result, result, "unidentified"),
            }
        )
    return Table("not_identified", "What these data cannot tell, whatever the model", columns, tuple(rows))


def _all(facts: Facts) -> Table:
    """Every row of the summary, for the CSV and report.json; the page shows parts of it."""
    words = ("estimand", "label", "unit", "average", "arm", "wave", "evidence", "assumptions", "primary", "reason")
    columns = tuple(Column(name, name, number=name in _FIELDS) for name in (*words, *_FIELDS))
    rows = []
    for row in facts.estimates:
        needed = ("median",) if row.estimand in NO_INTERVAL else ("median", "lower", "upper")
        reported = row.identified and row.estimand != mediated.TIPPING  # of which there may be none
        if reported and any(math.isnan(getattr(row, field)) for field in needed):
            raise NotANumber(f"{row.label} ({row.estimand}, {row.wave}) has no median or interval")
        rows.append({name: Cell(short(row.text(name), 400), row.text(name)) for name in (*words, *_FIELDS)})
    return Table("estimates", "Every estimate of the run", columns, tuple(rows))


def _assumptions(estimate: ReportedEstimate) -> list[str]:
    return [clean(phrase) for phrase in estimate.assumptions]
