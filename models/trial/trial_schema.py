"""What a trial's table may hold: every cell checked against its role, all faults at once."""

from __future__ import annotations

import difflib
import functools
import math
from collections.abc import Callable
from typing import Any

import pandas as pd

from models.faults import Fault
from models.trial import cells
from models.trial.readers import cell_hints, value_labels
from models.trial.readers.data_file import TEXT
from models.trial.study_file.study import Covariate, Exposure, Mediator, Outcome, Study

TRUE_FALSE = {"TRUE": 1.0, "FALSE": 0.0, "True": 1.0, "False": 0.0, "true": 1.0, "false": 0.0}
LARGEST_COUNT = 1e9
FILLED = "a value in every row"
Rule = Callable[[pd.Series], pd.Series]
"""Which cells are allowed; missing ones are no concern of it."""


def absent(study: Study, table: pd.DataFrame) -> list[Fault]:
    """A fault for each column that the study file names and the table lacks, with the nearest name it has."""
    have = [str(name) for name in table.columns]
    other = next((sign for sign in ";\t|," if len(have) == 1 and sign in have[0]), None)
    if other and study.data.separator != other:
        return [Fault(1, have[0], "one column", f"several; with {other!r} between cells, set separator in [data]")]
    faults = []
    for column in study.role_columns:
        if column not in have:
            near = difflib.get_close_matches(column, have, n=1)
            words = f"did you mean {near[0]!r}?" if near else f"the file has {', '.join(map(repr, have[:12]))}"
            faults.append(Fault(1, column, "no such column", f"a column of the file; {words}"))
    return faults


def numbers(
    column: pd.Series, study: Study, part: Outcome | Mediator | Exposure | Covariate | None = None
) -> pd.Series:
    """Text to numbers, NaN where it is missing or is no number.

    A variable's own codes, such as ``{"yes": 1, "no": 0}``, are the only words that it may hold; without them a binary
    one may be written as true and false. Other cells are numbers, unless the codes give a number another value.
    """
    codes = part.codes if part else {}
    words = codes or (TRUE_FALSE if part and part.values == "binary" else {})
    numerals = [word for word in codes if not math.isnan(cells.number(word))]
    recoded = any(cells.number(word) != codes[word] for word in numerals)

    def value(text: str) -> float:
        plain = cells.label(text) if codes else text
        if plain in words:
            return words[plain]
        return math.nan if recoded else cells.number(text, study.data.decimal_mark)

    return _each(column, value).astype(float)


def labels(column: pd.Series) -> pd.Series:
    """Text to labels: `1.0` is read as `1`."""
    return _each(column, cells.label).astype(TEXT)


def _each(column: pd.Series, rule: Callable[[str], Any]) -> pd.Series:
    """Apply a rule to each distinct text, once; missing cells stay missing."""
    return column.map({text: rule(text) for text in column.dropna().unique()})


def cell_faults(study: Study, table: pd.DataFrame) -> list[Fault]:
    """Every cell outside what its role allows, in the order of the file."""
    meant = functools.cache(lambda column, text: _meant(study, value_labels.of(table).get(column), column, text))
    faults = []
    for name, rules in _rules(study).items():
        missing = table[name].isna()
        for allowed, rule in rules:
            wrong = missing if rule is None else ~missing & ~rule(table[name])
            cells_ = table.loc[wrong, name]
            faults += [_fault(int(row), name, value, allowed, meant) for row, value in cells_.items()]
    return sorted(faults, key=lambda fault: fault.row or 0)


def _fault(row: int, column: str, value: object, allowed: str, meant: Callable[[str, str], str]) -> Fault:
    if allowed == FILLED:
        return Fault(row, column, "", allowed)
    hint = meant(column, str(value))
    return Fault(row, column, str(value), f"{allowed}; {hint}" if hint else allowed)


def _meant(study: Study, file_labels: value_labels.ValueLabels | None, column: str, text: str) -> str:
    named = {study.columns.wave: [wave.value for wave in study.waves]}
    named[study.columns.arm] = [study.arms.control.value, study.arms.treated.value]
    named |= {covariate.column: list(covariate.levels) for covariate in study.covariates if covariate.levels}
    if column in named:
        return cell_hints.of_label(text, named[column], file_labels)
    return cell_hints.of_number(text, study.data.decimal_mark, file_labels)


def _rules(study: Study) -> dict[str, list[tuple[str, Rule | None]]]:
    """What each column allows, in words, with its rule; None is that of a column in which no cell may be missing."""
    arms = [study.arms.control.value, study.arms.treated.value]
    rules: dict[str, list[tuple[str, Rule | None]]] = {
        study.columns.participant: [(FILLED, None)],
        study.columns.arm: [_label_rule(arms)],
    }
    if study.columns.wave is not None:
        rules[study.columns.wave] = [(FILLED, None), _label_rule([wave.value for wave in study.waves])]
    for part in study.read_by_wave:
        rules |= {name: [_value_rule(part, study)] for name in study.file_columns(part)}
    for covariate in study.covariates:
        if covariate.kind == "continuous":
            rules[covariate.column] = [_value_rule(covariate, study)]
        elif covariate.levels:
            rules[covariate.column] = [_label_rule(list(covariate.levels))]
    if study.attendance:
        most = max(study.attendance.offered.values())
        rules[study.attendance.column] = [
            (f"a whole number from 0 to {most}", lambda cell: _whole(numbers(cell, study), most))
        ]
    return rules


def _label_rule(allowed: list[str]) -> tuple[str, Rule]:
    return f"one of {', '.join(allowed)}", lambda cell: labels(cell).isin(allowed)


def _value_rule(part: Outcome | Mediator | Exposure | Covariate, study: Study) -> tuple[str, Rule]:
    def read(cell: pd.Series) -> pd.Series:
        return numbers(cell, study, part)

    words = f" (written as {', '.join(part.codes)})" if part.codes else _mark(study)
    if part.values == "binary":
        hint = words if part.codes else "; other words: codes in the study file"
        return f"0 or 1{hint}", lambda cell: read(cell).isin([0.0, 1.0])
    if part.values == "count":
        return f"a whole number from 0 to {LARGEST_COUNT:.0f}{words}", lambda cell: _whole(read(cell), LARGEST_COUNT)
    if part.values == "amount":
        return f"a number, 0 or more{words}", lambda cell: _finite(read(cell)) & (read(cell) >= 0)
    if part.values == "share":
        return f"a share from 0 to 1{words}", lambda cell: read(cell).between(0, 1)
    return f"a number{words}", lambda cell: _finite(read(cell))


def _mark(study: Study) -> str:
    return " with a decimal comma" if study.data.decimal_mark == "," else ""


def _finite(value: pd.Series) -> pd.Series:
    return value.notna() & ~value.isin([float("inf"), float("-inf")])


def _whole(value: pd.Series, most: float) -> pd.Series:
    return value.between(0, most) & (value % 1 == 0)
