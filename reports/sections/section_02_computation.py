"""Section 2: can the computation be trusted."""

from __future__ import annotations

from dataclasses import replace

from models.checks.gate_table import Status
from reports.figures import ranks
from reports.text import gate_status, mediated
from reports.text.facts import DEFAULT_AVERAGE, Facts
from reports.text.numbers import Number
from reports.text.parts import Cell, Column, Section, Sentence, Table, sentence
from reports.text.words import capital, count, listed

NUMBER, QUESTION, ESTIMATES = 2, "Can the computation be trusted?", False
TABLES = ("gate", "computation")
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
    checks, worst = gate_status.counted(facts), gate_status.worst(facts)
    passed = sum(one.check.passed for one in checks)
    numbers = {"passed": Number(passed, str(passed)), "all": Number(len(checks), str(len(checks)))}
    if passed == len(checks):
        weakest = gate_status.closest(facts)
        last = f" Closest to its limit: {gate_status.reported(facts, weakest)}." if weakest else ""
        said = sentence("All {all} checks pass.{last}", all=numbers["all"], last=last)
        return replace(said, numbers={**said.numbers, **_numbers([weakest] if weakest else [])})
    reported = [gate_status.reported(facts, one) for one in worst]
    doubtful = f"{count(len(worst), 'check')} {_consequence(facts, len(worst))}"
    said = sentence(
        f"{{passed}} of {{all}} checks pass. {doubtful}: {{named}}.",
        **numbers,
        named="; ".join(reported),
    )
    return replace(said, numbers={**said.numbers, **_numbers(worst)})


def _consequence(facts: Facts, checks: int) -> str:
    """What so many checks that did not pass mean for the page."""
    if gate_status.status(facts) is not Status.RED:
        return "is to be looked at" if checks == 1 else "are to be looked at"
    stopped = "what rests on it" if facts.further else "the report"
    return f"{'stops' if checks == 1 else 'stop'} {stopped}"


def _numbers(checks: list[gate_status.Judged]) -> dict[str, Number]:
    """Every number of what was found and of the limits."""
    reported = [said for one in checks for said in (one.worded.found, one.worded.green)]
    found = [number for said in reported for number in said.numbers.values()]
    return {f"found_{place}": number for place, number in enumerate(found)}


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
    # the sort is stable: the first model's checks stay before the second's
    worst_first = [
        one
        for name in gate_status.fits(facts)
        for one in sorted(gate_status.checks(facts), key=_severity, reverse=True)
        if one.model == name
    ]
    rows = [_row(one) for one in worst_first]
    caption = "The gate: every check, what was found and the limits; beyond “look” the report stops"
    if facts.further:
        caption = (
            f"The gate of each model ({listed([*gate_status.fits(facts)])}): every check, what was found and the "
            "limits; beyond “look” what rests on that model is not printed"
        )
    return Table("gate", caption, columns, tuple(rows), ("text",))


def _severity(one: gate_status.Judged) -> int:
    """Rank of what a check found; one that does not apply stands among those that passed."""
    return 0 if one.check.passed else one.check.status.rank


def _row(one: gate_status.Judged) -> dict[str, Cell]:
    check, worded = one.check, one.worded
    verdict_cell = Cell(check.status, check.status, "verdict") if check.applies else Cell("—", None)
    return {
        "check": Cell(capital(check.name), check.name, unit=worded.text),
        "model": Cell(one.model, one.model),
        "status": verdict_cell,
        "value": Cell(worded.found.text, worded.found.text, unit=worded.element),
        "element": Cell(worded.element or "—", worded.element),
        "green": Cell(worded.green.text, worded.green.text),
        "amber": Cell(worded.amber or "—", worded.amber),
        "text": Cell("", worded.text),
    }


def _computation(facts: Facts) -> Table:
    columns = (
        Column("quantity", "Quantity"),
        Column("rhat", "R̂", number=True),
        Column("ess_bulk", "Bulk ESS", "draws", number=True),
        Column("ess_tail", "Tail ESS", "draws", number=True),
    )
    rows = []
    further = mediated.rows(facts.paths) if facts.paths and facts.further else []
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
