"""Section 2: can the computation be trusted."""

from __future__ import annotations

from reports.facts import DEFAULT_AVERAGE, Facts
from reports.figures import ranks
from reports.numbers import Number
from reports.parts import Cell, Column, Section, Sentence, Table, sentence
from reports.words import capital, count, listed, minus

NUMBER, QUESTION, ESTIMATES = 2, "Can the computation be trusted?", False
TABLES = ("gate", "computation")
FIGURES = ("ranks",)


def compose(facts: Facts) -> Section:
    """Gate with its limits, rank plots, and the numbers of every estimand."""
    return Section(
        NUMBER,
        QUESTION,
        "section_02.html.j2",
        sentences={"gate": _lead(facts)},
        tables={"gate": _gate(facts), "computation": _computation(facts)},
        figures={"ranks": ranks.draw(facts)},
    )


def _lead(facts: Facts) -> Sentence:
    checks = facts.counted
    passed = sum(check.status == "green" for check in checks)
    numbers = {"passed": Number(passed, str(passed)), "all": Number(len(checks), str(len(checks)))}
    if passed == len(checks):
        return sentence("All {all} checks pass.", all=numbers["all"])
    named = listed([check.name + (f" (worst: {check.element})" if check.element else "") for check in facts.gate.worst])
    verb = "stops the report" if facts.gate.status == "red" else "is to be looked at"
    return sentence(
        f"{{passed}} of {{all}} checks pass. {count(len(facts.gate.worst), 'check')} {verb}: {{named}}.",
        **numbers,
        named=named,
    )


def _gate(facts: Facts) -> Table:
    columns = (
        Column("check", "Check"),
        Column("status", "Verdict"),
        Column("value", "Found"),
        Column("element", "Worst element"),
        Column("green", "Pass if"),
        Column("amber", "Look if"),
    )
    worst_first = sorted(facts.gate.checks, key=lambda check: ("red", "amber", "green").index(check.status))
    rows = [
        {
            "check": Cell(capital(check.name), check.name, unit=check.text),
            "status": Cell(check.status, check.status, "verdict"),
            "value": Cell(minus(check.value), check.value),
            "element": Cell(check.element or "—", check.element),
            "green": Cell(minus(check.green), check.green),
            "amber": Cell(minus(check.amber) or "—", check.amber),
            "text": Cell("", check.text),
        }
        for check in worst_first
    ]
    caption = "The gate: every check, what was found and the limits; beyond “look” the report stops"
    return Table("gate", caption, columns, tuple(rows), ("text",))


def _computation(facts: Facts) -> Table:
    columns = (
        Column("quantity", "Quantity"),
        Column("rhat", "R̂", number=True),
        Column("ess_bulk", "Bulk ESS", "draws", number=True),
        Column("ess_tail", "Tail ESS", "draws", number=True),
    )
    rows = []
    for row in facts.estimates:
        if row.printed and row.average in (DEFAULT_AVERAGE, ""):
            where = " · ".join(
                part for part in (row.arm and facts.arm(row.arm, 40).text, _wave(facts, row.wave)) if part
            )
            name = f"{capital(facts.named(row))}{' · ' + where if where else ''}"
            rows.append(
                {
                    "quantity": Cell(name, f"{row.estimand}[{row.arm}, {row.wave}]"),
                    "rhat": Cell(f"{row.rhat:.3f}", row.rhat),
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
