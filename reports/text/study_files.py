"""Files of a calibration or a design study: read strictly, every fault named by file, row and column."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from models.faults import Fault, InvalidInput

MADE = "Make it again with the script that wrote it, or restore it from where it was copied."
MOST_FAULTS = 100


def about(path: Path, schema: str, keys: Iterable[str]) -> dict[str, Any]:
    """Settings of a study.

    Parameters
    ----------
    path : Path
        Its JSON file.
    schema : str
        Format and edition that it must name.
    keys : iterable of str
        What it must hold.

    Raises
    ------
    InvalidInput
        If it is missing, no JSON, of another format, or lacks a key.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        found = content["schema"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{path} cannot be read.", f"{type(error).__name__}: {error}.", MADE) from None
    if found != schema:
        raise InvalidInput(f"{path} is of another format.", f"It says {found!r}, not {schema!r}.", MADE)
    lacking = [key for key in keys if key not in content]
    if lacking:
        raise InvalidInput(f"{path} is not complete.", f"It lacks {', '.join(lacking)}.", MADE)
    return dict(content)


def rows[T](path: Path, columns: Sequence[str], make: Callable[[Mapping[str, str]], T]) -> list[T]:
    """Rows of a CSV file, each made into an object.

    Parameters
    ----------
    path : Path
        The file; it may hold more columns than are asked for.
    columns : sequence of str
        Columns that it must have.
    make : callable
        Takes a row; raises `Wrong` where a value is not what it must be.

    Raises
    ------
    InvalidInput
        If the file is missing, lacks a column, holds no row or a wrong value; with every fault found.
    """
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            lacking = [name for name in columns if name not in (reader.fieldnames or ())]
            listed = [] if lacking else list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(f"{path} cannot be read.", f"{type(error).__name__}: {error}.", MADE) from None
    if lacking:
        raise InvalidInput(f"{path} is not complete.", f"It lacks the columns {', '.join(lacking)}.", MADE)
    found, faults = [], []
    for place, row in enumerate(listed, start=2):
        try:
            found.append(make(row))
        except Wrong as wrong:
            faults.append(Fault(place, wrong.column, str(row[wrong.column]), wrong.allowed))
    if faults or not found:
        why = f"{len(faults)} of its rows hold values that are not allowed." if faults else "It has no rows."
        raise InvalidInput(f"{path} cannot be used.", why, MADE, faults[:MOST_FAULTS])
    return found


class Wrong(ValueError):  # noqa: N818 - named after what happened
    """A value of a row that is not what its column allows."""

    def __init__(self, column: str, allowed: str) -> None:
        super().__init__(f"{column}: {allowed}")
        self.column, self.allowed = column, allowed


def number(row: Mapping[str, str], column: str, low: float = -math.inf, high: float = math.inf) -> float:
    """Finite number of a column; `Wrong` where it is none or lies outside the limits."""
    value = optional(row, column, low, high)
    if math.isnan(value):
        raise Wrong(column, "a number")
    return value


def optional(row: Mapping[str, str], column: str, low: float = -math.inf, high: float = math.inf) -> float:
    """Number of a column, NaN where the cell is empty."""
    text = (row.get(column) or "").strip()
    if text.casefold() in ("", "nan"):
        return math.nan
    try:
        value = float(text)
    except ValueError:
        raise Wrong(column, "a number, or nothing") from None
    if not (math.isfinite(value) and low <= value <= high):
        raise Wrong(column, f"a finite number from {low:g} to {high:g}")
    return value


def truth(row: Mapping[str, str], column: str) -> bool | None:
    """Yes or no; None where the cell is empty."""
    text = (row.get(column) or "").strip().casefold()
    known = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False, "": None, "nan": None}
    if text not in known:
        raise Wrong(column, "true, false, or nothing")
    return known[text]


def word(row: Mapping[str, str], column: str, allowed: Iterable[str] = ()) -> str:
    """Text of a column that may not be empty; `Wrong` where it is none of those allowed."""
    text = row[column] or ""
    known = tuple(allowed)
    if not text.strip() or (known and text not in known):
        raise Wrong(column, " or ".join(known) or "a text")
    return text
