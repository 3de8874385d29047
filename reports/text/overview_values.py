"""What stands in the columns of a trial: the range of each that holds numbers, the counts of each that holds labels."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from models.trial.study_file.study import Study
from reports.text.parts import Cell, Column, Table
from reports.text.privacy import SUPPRESSED, Limit


@dataclass(frozen=True)
class Values:
    """Values of one column, missing ones left out.

    Attributes
    ----------
    column, role, kind : str
        Its name, what it is for, what it holds.
    found : ndarray
        Its values; those of labels as codes into `levels`.
    levels : tuple of str
        Its labels in order; empty where it holds numbers.
    """

    column: str
    role: str
    kind: str
    found: np.ndarray
    levels: tuple[str, ...] = ()


def tables(study: Study, trial: xr.Dataset) -> tuple[Table, Table]:
    """Ranges of the columns of numbers, and counts of the columns of labels.

    Parameters
    ----------
    study, trial : Study, Dataset
        As `models.trial.study_file.study.read` and `models.trial.dataset.load` return them.
    """
    limit = Limit(0 if study.simulated else study.privacy.minimum_cell)
    listed = list(_columns(study, trial))
    ranges = [_range(one, limit) for one in listed if not one.levels and one.found.size]
    levels = [row for one in listed if one.levels for row in _levels(one, limit)]
    heads = ("column", "role", "kind", "values", "least", "mean", "greatest", "distinct")
    return (
        _table("ranges", "Columns of numbers", heads, ranges),
        _table("levels", "Columns of labels, and of yes or no", ("column", "role", "level", "count"), levels),
    )


def _columns(study: Study, trial: xr.Dataset) -> Iterator[Values]:
    yield _measured(study.outcome.column, "outcome", study.outcome.kind, trial["outcome"])
    for outcome in study.further_outcomes:
        values = trial["further_outcome"].sel(further=outcome.column)
        yield _measured(outcome.column, "further outcome", outcome.kind, values)
    for mediator in study.mediators:
        values = trial["mediator_value"].sel(mediator=mediator.column)
        yield _measured(mediator.column, "mediator", mediator.kind, values)
    for exposure in study.exposures:
        yield _measured(exposure.column, "exposure", "amount", trial["amount"].sel(exposure=exposure.column))
    levels = json.loads(trial.attrs["levels"])
    for covariate in study.covariates:
        values = trial["covariate_value"].sel(covariate=covariate.column)
        found = _measured(covariate.column, "covariate", covariate.kind, values)
        yield Values(found.column, found.role, found.kind, found.found, tuple(levels.get(covariate.column, ())))
    if study.attendance:
        yield _measured(study.attendance.column, "attendance", "count", trial["attendance"])


def _measured(column: str, role: str, kind: str, values: xr.DataArray) -> Values:
    found = values.to_numpy().ravel()
    return Values(column, role, kind, found[np.isfinite(found)], ("0", "1") if kind == "binary" else ())


def _range(one: Values, limit: Limit) -> tuple[Cell, ...]:
    """A row of the ranges; an extreme that few have could tell who they are."""
    distinct, count = np.unique(one.found, return_counts=True)
    mean = Cell("…", SUPPRESSED, SUPPRESSED) if limit.small(one.found.size) else _number(one.found.mean())
    ends = [Cell("…", SUPPRESSED, SUPPRESSED) if limit.small(count[at]) else _number(distinct[at]) for at in (0, -1)]
    size = Cell(str(one.found.size), int(one.found.size))
    words = (Cell(one.column), Cell(one.role), Cell(one.kind))
    return (*words, size, ends[0], mean, ends[1], Cell(str(distinct.size), int(distinct.size)))


def _levels(one: Values, limit: Limit) -> Iterator[tuple[Cell, ...]]:
    """A row of the counts for each level; a level that nobody has hides nothing."""
    counts = np.bincount(one.found.astype(int), minlength=len(one.levels))
    reported = iter(limit.split([int(count) for count in counts if count]))
    for level, count in zip(one.levels, counts, strict=True):
        yield Cell(one.column), Cell(one.role), Cell(level), next(reported) if count else Cell("0", 0)


def _number(value: float) -> Cell:
    return Cell(f"{value:.6g}", float(value))


def _table(name: str, caption: str, heads: Sequence[str], rows: Sequence[tuple[Cell, ...]]) -> Table:
    numeric = {"values", "least", "mean", "greatest", "distinct", "count"}
    columns = tuple(Column(head, head, number=head in numeric) for head in heads)
    return Table(name, caption, columns, tuple(dict(zip(heads, row, strict=True)) for row in rows))
