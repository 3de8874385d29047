"""What a trial's table may hold: every cell checked against its role, all faults at once (pandera, lazily)."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from models.faults import Fault
from models.study import Mediator, Outcome, Study

TRUE_FALSE = {"TRUE": 1.0, "FALSE": 0.0, "True": 1.0, "False": 0.0, "true": 1.0, "false": 0.0}
LARGEST_COUNT = 1e9
Rule = Callable[[pd.Series], pd.Series]


def absent(study: Study, table: pd.DataFrame) -> list[Fault]:
    """A fault for each column that the study file names and the table lacks, with the nearest name it has."""
    faults = []
    for column in study.role_columns:
        if column not in table.columns:
            near = difflib.get_close_matches(column, list(table.columns), n=1)
            have = f"did you mean {near[0]!r}?" if near else f"the file has {', '.join(map(repr, table.columns[:12]))}"
            faults.append(Fault(1, column, "no such column", have))
    return faults


def numbers(column: pd.Series, study: Study, codes: dict[str, float] | None = None) -> pd.Series:
    """Text to numbers, NaN where it is missing or is no number.

    `codes` are the study file's own words for values, such as ``{"yes": 1, "no": 0}``; without them true and false are
    understood. The decimal sign is the study file's.
    """
    if codes:
        return column.map(codes).astype(float)
    text = column.where(column.isna(), column.astype(str))
    if study.data.decimal == "," and study.data.file.lower().endswith(".csv"):
        text = text.str.replace(",", ".", regex=False)
    return pd.to_numeric(text.map(TRUE_FALSE).where(text.isin(TRUE_FALSE), text), errors="coerce").astype(float)


def plain_label(column: pd.Series) -> pd.Series:
    """Labels as text, with `1.0` read as `1`: spreadsheets write whole numbers either way."""
    return column.where(column.isna(), column.astype(str).str.replace(r"^(-?\d+)\.0+$", r"\1", regex=True))


def cell_faults(study: Study, table: pd.DataFrame) -> list[Fault]:
    """Every cell outside what its role allows, in the order of the file."""
    schema = pa.DataFrameSchema({name: _column(rules) for name, rules in _rules(study).items()})
    try:
        schema.validate(table, lazy=True)
    except SchemaErrors as errors:
        cases = errors.failure_cases.sort_values("index", kind="stable")
        return [_fault(*case) for case in cases[["index", "column", "failure_case", "check"]].itertuples(index=False)]
    return []


def _fault(row: int, column: str, value: object, allowed: str) -> Fault:
    missing = value is None or value != value  # noqa: PLR0124 - NaN is the one value that differs from itself
    return Fault(
        int(row), column, "" if missing else str(value), "a value in every row" if allowed == FILLED else allowed
    )


def _column(rules: Iterable[tuple[str, Rule]]) -> pa.Column:
    # nulls reach no rule (ignore_na); where a cell must be filled, nullable says so
    listed = list(rules)
    nullable = not any(allowed == FILLED for allowed, _ in listed)
    checks = [pa.Check(rule, error=allowed, ignore_na=True) for allowed, rule in listed if allowed != FILLED]
    return pa.Column(None, checks, nullable=nullable)


FILLED = "not_nullable"


def _rules(study: Study) -> dict[str, list[tuple[str, Rule]]]:
    waves = [wave.value for wave in study.waves]
    arms = [study.arms.control.value, study.arms.treated.value]
    rules: dict[str, list[tuple[str, Rule]]] = {
        study.columns.participant: [(FILLED, pd.isna)],
        study.columns.wave: [(FILLED, pd.isna), _label_rule(waves)],
        study.columns.arm: [_label_rule(arms)],
    }
    for outcome in study.outcomes:
        rules[outcome.column] = [_value_rule(outcome, study)]
    for mediator in study.mediators:
        rules[mediator.column] = [_value_rule(mediator, study)]
    for covariate in study.covariates:
        if covariate.kind == "continuous":
            rules[covariate.column] = [("a number", lambda cell: _finite(numbers(cell, study)))]
        elif covariate.levels:
            rules[covariate.column] = [_label_rule(list(covariate.levels))]
    if study.attendance:
        most = max(study.attendance.offered.values())
        rules[study.attendance.column] = [
            (f"a whole number from 0 to {most}", lambda cell: _whole(numbers(cell, study), most))
        ]
    return rules


def _label_rule(labels: list[str]) -> tuple[str, Rule]:
    return f"one of {', '.join(labels)}", lambda cell: plain_label(cell).isin(labels)


def _value_rule(part: Outcome | Mediator, study: Study) -> tuple[str, Rule]:
    def read(cell: pd.Series) -> pd.Series:
        return numbers(cell, study, part.codes)

    words = f" (written as {', '.join(part.codes)})" if part.codes else ""
    if part.kind == "binary":
        hint = "" if part.codes else "; other words: codes in the study file"
        return f"0 or 1{words}{hint}", lambda cell: read(cell).isin([0.0, 1.0])
    if part.kind == "count":
        return f"a whole number from 0 to {LARGEST_COUNT:.0e}{words}", lambda cell: _whole(read(cell), LARGEST_COUNT)
    if part.kind == "share":
        return f"a share from 0 to 1{words}", lambda cell: read(cell).between(0, 1)
    return f"a number{words}", lambda cell: _finite(read(cell))


def _finite(value: pd.Series) -> pd.Series:
    return value.notna() & ~value.isin([float("inf"), float("-inf")])


def _whole(value: pd.Series, most: float) -> pd.Series:
    return value.between(0, most) & (value % 1 == 0)
