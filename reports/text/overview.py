"""What a trial's files hold, before anything is fitted: who was randomised, seen and observed, by arm and wave."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from models.design.layout import design
from models.trial import data_check
from models.trial.standard import amounts
from models.trial.study_file import author
from models.trial.study_file.study import Study
from reports.text import overview_values
from reports.text.numbers import PLAIN, RISK
from reports.text.parts import Cell, Column, Table
from reports.text.people import ARMS, People, grouped
from reports.text.privacy import Limit


@dataclass(frozen=True)
class Overview:
    """A valid study, in tables.

    Attributes
    ----------
    study : Study
        The study file.
    participants : int
        Number in the data file.
    tables : tuple of Table
        Arms, the outcome by wave and arm, every other column, ranges of numbers, counts of labels; counts below the
        study's smallest cell are suppressed.
    notes : tuple of str
        Named limitations.
    """

    study: Study
    participants: int
    tables: tuple[Table, ...]
    notes: tuple[str, ...]

    def as_json(self) -> str:
        """Everything, for other programs."""
        content = {
            "valid": True,
            "title": self.study.title,
            "simulated": self.study.simulated,
            "data_file": self.study.data.file,
            "participants": self.participants,
            "outcome": self.study.outcome.column,
            "primary_wave": self.study.primary_wave,
            **{table.name: _records(table) for table in self.tables},
            "notes": list(self.notes),
        }
        return json.dumps(content, ensure_ascii=False, indent=1)


def overview(study: Study, trial: xr.Dataset) -> Overview:
    """Sum up a checked trial; `InvalidInput` where no fit could answer it.

    Parameters
    ----------
    study, trial : Study, Dataset
        As `models.trial.study_file.study.read` and `models.trial.dataset.load` return them.
    """
    data_check.refuse(study, trial)
    tables = (
        _arms(study, trial),
        *([_groups(study, trial)] if study.groupings else []),
        _outcome(study, trial),
        _columns(study, trial),
        *overview_values.tables(study, trial),
    )
    layout = design(study, trial)
    found = [finding.message for finding in data_check.findings(study, trial)]
    found += [*layout.notes, *layout.mediators.notes, *_unobserved(study, trial)]
    found += author.notes(study.author)
    notes = dict.fromkeys([*found, Limit.of(study).note])  # each sentence once, in order
    notes.pop("", None)
    return Overview(study, int(trial.sizes["participant"]), tables, tuple(notes))


def _records(table: Table) -> list[dict[str, object]]:
    return [{key: cell.text if cell.value is None else cell.value for key, cell in row.items()} for row in table.rows]


def _table(name: str, caption: str, heads: Mapping[str, str], rows: Sequence[tuple[Cell, ...]]) -> Table:
    columns = tuple(
        Column(key, head, number=all(isinstance(row[place].value, float | int) for row in rows))
        for place, (key, head) in enumerate(heads.items())
    )
    return Table(name, caption, columns, tuple(dict(zip(heads, row, strict=True)) for row in rows))


def _arms(study: Study, trial: xr.Dataset) -> Table:
    rows = []
    for code, arm in enumerate((study.arms.control, study.arms.treated)):
        people = _number(int((trial["arm"] == code).sum()))
        randomised = Cell("not stated") if arm.randomised is None else _number(arm.randomised)
        rows.append((Cell(ARMS[code]), Cell(arm.value), Cell(arm.label), randomised, people))
    heads = {"arm": "arm", "value": "value", "label": "label", "randomised": "randomised", "in_file": "in the file"}
    return _table("arms", "Arms", heads, rows)


def _groups(study: Study, trial: xr.Dataset) -> Table:
    """Groups and members by arm."""
    rows = []
    for part in study.groupings:
        found = grouped(trial["group"].sel(grouping=part.column).to_numpy(), trial["arm"].to_numpy())
        for arm, groups in found.items():
            numbers = (groups.number, groups.least, groups.middle, groups.most)
            rows.append((Cell(part.column), Cell(part.kind), Cell(arm), *map(_number, numbers)))
    heads = ("column", "kind", "arm", "groups", "fewest", "median", "most")
    return _table("groups", "Groups, and how many members they have", {head: head for head in heads}, rows)


def _outcome(study: Study, trial: xr.Dataset) -> Table:
    binary = study.outcome.family.binary
    waves = [wave.value for wave in study.waves]
    limit = Limit.of(study, study.outcome.column)
    arm_of, seen, outcome = (trial[name].to_numpy() for name in ("arm", "seen", "outcome"))
    people = People(arm_of, seen, outcome, waves, binary, limit, amounts(study.outcome, trial))
    rows = []
    for wave in study.waves:
        for arm in ARMS:
            place = (arm, wave.value)
            counts = (people.rows[place], people.observed[place], people.missing(place, "observed"))
            mean = people.mean_cell(place, RISK if binary else PLAIN)
            rows.append((Cell(wave.value), _number(wave.month), Cell(wave.role), Cell(arm), *counts, mean))
    mean_key = "share" if binary else "rate" if study.outcome.exposure else "mean"
    keys = ("wave", "month", "role", "arm", "rows", "observed", "missing", mean_key)
    caption = f"Outcome: {study.outcome.label} ({study.outcome.column}, {study.outcome.kind})"
    return _table("waves", caption, {key: key for key in keys}, rows)


def _columns(study: Study, trial: xr.Dataset) -> Table:
    """Missing values of every other column: among the rows if it is measured at every wave, else among participants."""
    seen = trial["seen"].to_numpy()
    everyone = np.ones(trial.sizes["participant"], bool)
    rows = []

    def add(column: str, role: str, kind: str, values: xr.DataArray, requested: np.ndarray) -> None:
        total = int(requested.sum())
        missing = int((values.isnull().to_numpy() & requested).sum())
        rows.append((Cell(column), Cell(role), Cell(kind), _number(missing), _number(total)))

    for outcome in study.further_outcomes:
        values = trial["further_outcome"].sel(further=outcome.column)
        add(outcome.column, "further outcome", outcome.kind, values, seen)
    for mediator in study.mediators:
        values = trial["mediator_value"].sel(mediator=mediator.column)
        add(mediator.column, "mediator", mediator.kind, values, seen)
    for exposure in study.exposures:
        values = trial["amount"].sel(exposure=exposure.column)
        add(exposure.column, "exposure", f"amount, compared at {exposure.per}", values, seen)
    for covariate in study.covariates:
        values = trial["covariate_value"].sel(covariate=covariate.column)
        role = "covariate, adjusted for" if covariate.adjust else "covariate, described only"
        add(covariate.column, role, covariate.kind, values, everyone)
    if study.attendance:
        add(study.attendance.column, "attendance", "count", trial["attendance"], everyone)
    heads = {"column": "column", "role": "role", "kind": "kind", "missing": "missing", "of": "of"}
    return _table("columns", "Other columns", heads, rows)


def _unobserved(study: Study, trial: xr.Dataset) -> list[str]:
    """Columns without a single value in an arm; the primary outcome must have some."""
    named = {part.label: trial["further_outcome"].sel(further=part.column) for part in study.further_outcomes}
    named |= {part.label: trial["mediator_value"].sel(mediator=part.column) for part in study.mediators}
    return [
        f"{label}: no value in the arm {arm.label!r}."
        for label, values in named.items()
        for code, arm in enumerate((study.arms.control, study.arms.treated))
        if not bool(values.notnull().where(trial["arm"] == code, False).any())
    ]


def _number(value: float) -> Cell:
    return Cell(f"{value:g}", value)
