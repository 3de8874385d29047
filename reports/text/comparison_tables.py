"""A comparison of two runs as sentences and tables for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator

from reports.text.comparison import Comparison
from reports.text.numbers import PLAIN, show
from reports.text.parts import Cell, Column, Table
from reports.text.shifts import ERRORS, Shift, reported
from reports.text.words import clean, count, short

WIDE = 60
"""Signs of a text in a table; `--json` has all of it."""


def headline(found: Comparison) -> str:
    """The comparison in a sentence or two."""
    if found.identical:
        return "Identical: the same inputs, and the same draws, checks and gates to the byte."
    if found.nothing and not found.withheld:
        return "Nothing that is compared differs; only bytes of the files do."
    both = [shift for shift in found.shifts if shift.both]
    alone = len(found.shifts) - len(both)
    beyond = sum(shift.beyond is True for shift in both)
    said = [f"{beyond} of {count(len(both), 'estimate')} moved by more than Monte-Carlo error explains"]
    if alone:
        said.append(f"{count(alone, 'estimate')} only in one run")
    if found.withheld:
        said.append(f"numbers of {', '.join(found.withheld)} are withheld (--show-anyway compares them)")
    primary = next((shift for shift in both if shift.either.primary), None)
    if primary is None:
        return f"{'; '.join(said)}."
    ends = f"from {reported(primary.first)} to {reported(primary.second)}"
    return f"{'; '.join(said)}. The primary difference moved by {_moved(primary)}, {ends}."


def _moved(shift: Shift) -> str:
    sds = "" if math.isnan(shift.in_sds) else f" ({show(shift.in_sds, PLAIN, 2).text} posterior SD)"
    return f"{shift.printed.text} {shift.unit.name}".rstrip() + sds


def tables(found: Comparison) -> Iterator[Table]:
    """One table for each kind of thing that differs."""
    for group, changes in found.changes.items():
        if changes:
            rows = tuple(
                {"what": _text(one.what), "first": _text(one.first), "second": _text(one.second)} for one in changes
            )
            columns = (Column("what", ""), Column("first", "first run"), Column("second", "second run"))
            yield Table(group.replace(" ", "_"), f"{group.capitalize()}: {count(len(rows), 'change')}", columns, rows)
    if found.moved:
        yield _numbers(found)


def _text(words: str) -> Cell:
    return Cell(short(words, WIDE))


def _numbers(found: Comparison) -> Table:
    several = len({shift.key[0] for shift in found.shifts}) > 1
    heads = {
        **({"model": "model"} if several else {}),
        "estimate": "estimate",
        "where": "where",
        "first": "first run",
        "second": "second run",
        "shift": "shift",
        "unit": "unit",
        "sds": "posterior SDs",
        "beyond": "beyond Monte-Carlo error",
    }
    equal = len(found.shifts) - len(found.moved)
    caption = (
        f"Estimates, median (95% interval): {len(found.moved)} differ, {equal} do not. Beyond Monte-Carlo error: the "
        f"median or a limit moved by more than {ERRORS} standard errors of the two simulations"
    )
    right = ("shift", "sds")
    columns = tuple(Column(key, head, number=key in right) for key, head in heads.items())
    return Table("estimates", caption, columns, tuple(_row(shift) for shift in found.moved))


def _row(shift: Shift) -> dict[str, Cell]:
    model, estimand, average, arm, wave, mediator = map(clean, shift.key)
    cells = {
        "model": model,
        "estimate": short(estimand.replace("_", " "), WIDE),
        "where": short(", ".join(filter(None, (average, arm, mediator, wave))), WIDE),
        "first": reported(shift.first),
        "second": reported(shift.second),
        "shift": shift.printed.text if shift.both else "",
        "unit": shift.unit.name or short(shift.either.unit, 30),
        "sds": "" if math.isnan(shift.in_sds) else show(shift.in_sds, PLAIN, 2).text,
        "beyond": _beyond(shift),
    }
    return {key: Cell(text) for key, text in cells.items()}


def _beyond(shift: Shift) -> str:
    if not shift.both:
        return f"only in the {'first' if shift.first else 'second'} run"
    first, second = shift.both
    evidence = "" if first.evidence == second.evidence else f"; evidence {first.evidence} → {second.evidence}"
    return {True: "yes", False: "no", None: "not known"}[shift.beyond] + evidence
