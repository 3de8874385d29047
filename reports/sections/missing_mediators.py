"""Missing values of each mediator by arm and wave."""

from __future__ import annotations

import numpy as np

from reports.text.facts import Facts
from reports.text.parts import Cell, Column, Table
from reports.text.people import ARMS, People, Place
from reports.text.privacy import Limit
from reports.text.words import capital, short

NAME = "missing_mediators"


def reason(facts: Facts) -> str:
    """Why there is no such table; empty where there is."""
    return "" if _columns_of(facts) else "The run holds no mediators."


def tables(facts: Facts) -> dict[str, Table]:
    """The table by its name, or nothing."""
    return {NAME: _table(facts)} if _columns_of(facts) else {}


def _columns_of(facts: Facts) -> list[str]:
    """Columns of the mediators that the study names and the run holds."""
    known = facts.group("trial")
    held = {str(name) for name in known["mediator"].to_numpy()} if "mediator_value" in known else set()
    return [part.column for part in facts.study.mediators if part.column in held]


def _table(facts: Facts) -> Table:
    columns = (
        Column("mediator", "Mediator"),
        Column("wave", "Wave"),
        *(Column(arm, facts.arm(arm, 50).text, f"missing of {facts.people.size(arm)}", number=True) for arm in ARMS),
    )
    rows = [row for column in _columns_of(facts) for row in _rows(facts, column)]
    return Table(NAME, "Missing mediators by wave and arm, n (% of the arm)", columns, tuple(rows))


def measured(facts: Facts) -> list[tuple[str, str, People]]:
    """Label, kind and participants of each mediator, at the waves at which somebody was asked."""
    named = {part.column: part for part in facts.study.mediators}
    return [
        (capital(short(named[column].label, 60)), named[column].kind, _people(facts, column, named[column].kind))
        for column in _columns_of(facts)
    ]


def _people(facts: Facts, column: str, kind: str) -> People:
    values = facts.group("trial")["mediator_value"].sel(mediator=column)
    grid = values.transpose("participant", "wave").to_numpy().astype(float)
    requested = [place for place in range(grid.shape[1]) if not np.isnan(grid[:, place]).all()]
    waves = [facts.study.waves[place].value for place in requested]
    limit = Limit.of(facts.study, column)
    return People(facts.people.arm, facts.people.seen[:, requested], grid[:, requested], waves, kind == "binary", limit)


def _rows(facts: Facts, column: str) -> list[dict[str, Cell]]:
    label = next(short(part.label, 60) for part in facts.study.mediators if part.column == column)
    people = _people(facts, column, "")
    return [
        {
            "mediator": Cell(capital(label), column),
            "wave": Cell(capital(facts.wave(wave.value)), wave.value),
            **{arm: _missing(people, (arm, wave.value)) for arm in ARMS},
        }
        for wave in facts.study.waves
    ]


def _missing(people: People, place: Place) -> Cell:
    """Number missing, where anybody was asked."""
    return people.missing(place, "observed") if place in people.counts else Cell("not measured", "not measured")
