"""Labelled codes in the columns that must hold numbers: the number behind a label, where nothing speaks against it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import pandas as pd

from models.trial import cells
from models.trial.readers import codes, value_labels
from models.trial.readers.value_labels import ValueLabels
from models.trial.study_file.study import Study

MOST_NAMED = 6


def read(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """The table with numbers in place of labels, in the columns of which the study file expects numbers.

    A score may have labels at its ends only (`no symptoms` at 0): the label's code is the value. A label keeps its
    word, to be refused as such, where it names a missing value, where the study file's codes give that column's numbers
    another meaning, or where other labels are numbers themselves; so does any label of a yes-or-no variable, of which
    only its author can say which word means 1.
    """
    found, parts = value_labels.of(table), _number_columns(study)
    for name in [name for name in parts if name in found and name in table]:
        table[name] = table[name].replace(_texts(parts[name], found[name]))
    return table


def _number_columns(study: Study) -> dict[str, tuple[str, Mapping[str, float]]]:
    """Values and codes of each variable that must be a number, by column."""
    found: dict[str, tuple[str, Mapping[str, float]]] = {
        name: (variable.values, variable.codes)
        for variable in (*study.variables, *study.exposures)
        if variable.values != "label"
        for name in study.file_columns(variable)
    }
    return found | ({study.attendance.column: ("count", {})} if study.attendance else {})


def _texts(part: tuple[str, Mapping[str, float]], labels: ValueLabels) -> dict[str, str]:
    """What takes the place of each text that changes."""
    allowed, given = part
    code = labels.code
    if any(given.get(text, cells.number(code[text])) != cells.number(code[text]) for text in code):
        return {text: f"{text} (no label)" for text in code if text == code[text] and text not in given}
    numerals = [text for text in code if not math.isnan(cells.number(text))]
    if allowed == "binary" or any(cells.number(text) != cells.number(code[text]) for text in numerals):
        return {}
    return {text: code[text] for text in code if text not in given and not codes.names_missing(text)}


def notes(study: Study, table: pd.DataFrame) -> list[str]:
    """What a reader should know of the labels of the columns in use: codes that share one, words read as numbers."""
    found = value_labels.of(table)
    parts, used = _number_columns(study), [name for name in study.role_columns if name in found]
    said = []
    for name in used:
        for label, listed in found[name].shared.items():
            kept = f"they are kept apart, as {' and '.join(repr(f'{label} ({code})') for code in listed)}"
            said.append(f"{name}: codes {' and '.join(listed)} have one label, {label!r}; {kept}.")
        present = set(table[name].dropna())
        swapped = {} if name not in parts else _texts(parts[name], found[name])
        words = [f"{text!r} as {code}" for text, code in swapped.items() if text != code and code in present]
        if words:
            said.append(f"{name}: labels are read as their codes: {_listed(words)}.")
    return said


def _listed(words: Iterable[str]) -> str:
    listed = list(words)
    more = f" and {len(listed) - MOST_NAMED} more" if len(listed) > MOST_NAMED else ""
    return ", ".join(listed[:MOST_NAMED]) + more
