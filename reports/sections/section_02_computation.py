"""Section 2: can the computation be trusted."""

from __future__ import annotations

import re
from dataclasses import replace

from reports import paths, verdict
from reports.facts import DEFAULT_AVERAGE, NOT_APPLICABLE, Facts
from reports.figures import ranks
from reports.numbers import Number
from reports.parts import Cell, Column, Section, Sentence, Table, sentence
from reports.words import capital, count, listed, minus

NUMBER, QUESTION, ESTIMATES = 2, "Can the computation be trusted?", False
TABLES = ("gate", "computation")
NUMBERS = re.compile(r"(−?\d+(?:\.\d+)?(?:e[−+]?\d+)?)(%?)")
FIGURES = ("ranks",)


def compose(facts: Facts) -> Section:
    """Gate with its limits, rank plots, and the numbers of every estimand."""
    return Section(
        NUMBER,
        QUESTION,
        "section_02.html.j2",
        values={"several": bool(facts.further)},
        sentences={"gate": _lead(facts)},
        tables={"gate": _gate(facts), "computation": _computation(facts)},
        figures={"ranks": ranks.draw(facts)},
    )


def _lead(facts: Facts) -> Sentence:
    checks, worst = verdict.counted(facts), verdict.worst(facts)
    passed = sum(one.check.status == "green" for one in checks)
    numbers = {"passed": Number(passed, str(passed)), "all": Number(len(checks), str(len(checks)))}
    if passed == len(checks):
        weakest = verdict.closest(facts)
        last = f" Closest to its limit: {verdict.told(facts, weakest)}." if weakest else ""
        said = sentence("All {all} checks pass.{last}", all=numbers["all"], last=last)
        return replace(said, numbers={**said.numbers, **_numbers([weakest] if weakest else [])})
    told = [verdict.told(facts, one) for one in worst]
    verb = "stops the report" if verdict.status(facts) == "red" else "is to be looked at"
    if facts.further and verdict.status(facts) == "red":
        verb = "stops what rests on it"
    if len(worst) > 1:
        verb = verb.replace("stops", "stop").replace("is to", "are to")
    said = sentence(
        f"{{passed}} of {{all}} checks pass. {count(len(worst), 'check')} {verb}: {{named}}.",
        **numbers,
        named="; ".join(told),
    )
    return replace(said, numbers={**said.numbers, **_numbers(worst)})


def _numbers(checks: list[verdict.Judged]) -> dict[str, Number]:
    """Every number of what was found and of the limits, as printed."""
    texts = [minus(text) for one in checks for text in (one.check.value, one.check.green)]
    found = [(match[0], match[1], match[2]) for text in texts for match in NUMBERS.finditer(text)]
    return {
        f"found_{place}": Number(float(number.replace("\u2212", "-")) / (100 if percent else 1), whole)
        for place, (whole, number, percent) in enumerate(found)
    }


def _gate(facts: Facts) -> Table:
    columns = (
        Column("check", "Check"),
        Column("model", "Model"),
        Column("status", "Verdict"),
        Column("value", "Found", "and where it is worst"),
        Column("element", "Worst element"),
        Column("green", "Pass if"),
        Column("amber", "Look if"),
    )
    order = ("red", "amber", "green")
    # the sort is stable: the first model's checks stay before the second's
    worst_first = [
        (one.model, one.check)
        for name in verdict.fits(facts)
        for one in sorted(verdict.checks(facts), key=lambda one: order.index(one.check.status))
        if one.model == name
    ]
    rows = [
        {
            "check": Cell(capital(check.name), check.name, unit=check.text),
            "model": Cell(model, model),
            "status": Cell("—", None) if check.value == NOT_APPLICABLE else Cell(check.status, check.status, "verdict"),
            "value": Cell(minus(check.value), check.value, unit=check.element or ""),
            "element": Cell(check.element or "—", check.element),
            "green": Cell(minus(check.green), check.green),
            "amber": Cell(minus(check.amber) or "—", check.amber),
            "text": Cell("", check.text),
        }
        for model, check in worst_first
    ]
    caption = "The gate: every check, what was found and the limits; beyond “look” the report stops"
    if facts.further:
        caption = (
            f"The gate of each model ({listed([*verdict.fits(facts)])}): every check, what was found and the limits; "
            "beyond “look” what rests on that model is not printed"
        )
    return Table("gate", caption, columns, tuple(rows), ("text",))


def _computation(facts: Facts) -> Table:
    columns = (
        Column("quantity", "Quantity"),
        Column("rhat", "R̂", number=True),
        Column("ess_bulk", "Bulk ESS", "draws", number=True),
        Column("ess_tail", "Tail ESS", "draws", number=True),
    )
    rows = []
    further = paths.rows(facts.paths) if facts.paths and facts.further else []
    for row in [*facts.estimates, *further]:
        if row.printed and row.average in (DEFAULT_AVERAGE, ""):
            where = " · ".join(
                part for part in (row.arm and facts.arm(row.arm, 40).text, _wave(facts, row.wave)) if part
            )
            name = f"{capital(facts.named(row, 160 if row.mediator else 60))}{' · ' + where if where else ''}"
            inside = ", ".join(part for part in (row.mediator, row.arm, row.wave) if part or not row.mediator)
            rows.append(
                {
                    "quantity": Cell(name, f"{row.estimand}[{inside}]"),
                    "rhat": Cell("—" if row.constant else f"{row.rhat:.3f}", row.rhat),
                    "ess_bulk": Cell(f"{row.ess_bulk:.0f}", row.ess_bulk),
                    "ess_tail": Cell(f"{row.ess_tail:.0f}", row.ess_tail),
                }
            )
    return Table(
        "computation",
        "Convergence and effective sample size of every estimand, average over the population",
        columns,
        tuple(rows),
    )


def _wave(facts: Facts, wave: str) -> str:
    return facts.wave(wave, 40) if any(known.value == wave for known in facts.study.waves) else wave
