"""How a data file is written of which nothing is known yet: encoding, separator, decimal mark."""

from __future__ import annotations

import math
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from models.faults import InvalidInput
from models.trial import cells
from models.trial.readers import data_file, labelled_file
from models.trial.study_file.study import Data

LEAST = 4
"""Columns of a trial: who, when, which arm, the outcome."""


def guess(path: Path) -> tuple[Data, pd.DataFrame]:
    """Of the usual ways to read a file the first that gives the most columns and then the most numbers; and its table.

    Raises
    ------
    InvalidInput
        If none gives a table of four columns or more.
    """
    ways: list[dict[str, Any]] = [{}]
    if path.suffix.lower() == ".csv":
        signs = product(("utf-8-sig", "utf-16", "cp1252"), (",", ";", "\t", "|"), (".", ","))
        ways = [{"encoding": e, "separator": s, "decimal": d} for e, s, d in signs if s != d]
    elif path.suffix.lower() in labelled_file.READER:
        ways += [{"encoding": "cp1252"}]  # where text is not in the encoding that the file declares
    refused: list[InvalidInput] = []
    found: list[tuple[int, int, Data, pd.DataFrame]] = []
    for data in (Data(file=path.name, **way) for way in ways):
        if found and path.suffix.lower() != ".csv":
            break
        try:
            table = data_file.read(data, path.parent)
        except InvalidInput as error:
            refused.append(error)
            continue
        found.append((table.shape[1], sum(numbers(table[name], data.decimal) for name in table), data, table))
    if not found:
        raise refused[0]
    columns, _, data, table = max(found, key=lambda way: way[:2])
    if columns < LEAST:
        raise InvalidInput(
            f"{path} has {columns} columns.",
            "A trial needs four: who, when, which arm, the outcome.",
            "Check the file.",
        )
    return data, table


def numbers(column: pd.Series, decimal: str = ".") -> int:
    """How many of a column's distinct texts are numbers."""
    return sum(not math.isnan(cells.number(text, decimal)) for text in column.dropna().unique())
