"""Tables as groups of a saved run, and back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr


def as_group(table: pd.DataFrame) -> xr.Dataset:
    """A table as a group with one dim `row`: numbers and flags as they are, texts as plain strings.

    Where a value is missing, a text is empty and a flag is not set. A column of tuples of texts has a second dim of its
    own, as long as the longest of them.
    """
    columns: dict[str, tuple[str | tuple[str, str], np.ndarray]] = {}
    for name in table.columns:
        if any(isinstance(value, tuple) for value in table[name]):
            columns[name] = ("row", f"{name}_item"), _padded([_phrases(value) for value in table[name]])
        else:
            columns[name] = "row", _typed(table[name])
    return xr.Dataset(columns)


def as_table(group: xr.Dataset) -> pd.DataFrame:
    """The table that `as_group` saved."""
    return pd.DataFrame(
        {
            str(name): value.to_numpy() if value.ndim == 1 else [tuple(filter(None, row)) for row in value.to_numpy()]
            for name, value in group.data_vars.items()
        }
    )


def _typed(column: pd.Series) -> np.ndarray:
    if pd.api.types.is_numeric_dtype(column):  # flags count as numbers
        return column.to_numpy()
    missing = column.isna().to_numpy()
    if not missing.all() and all(isinstance(value, bool | np.bool_) for value in column[~missing]):
        return np.array([not gone and bool(value) for value, gone in zip(column, missing, strict=True)])
    return np.array(["" if gone else _text(value) for value, gone in zip(column, missing, strict=True)], dtype=str)


def _text(value: object) -> str:
    """As NetCDF can hold it, whose strings end at a NUL."""
    return str(value).replace("\0", "")


def _phrases(value: object) -> tuple[str, ...]:
    return tuple(map(_text, value)) if isinstance(value, tuple) else ()


def _padded(rows: list[tuple[str, ...]]) -> np.ndarray:
    longest = max(1, *map(len, rows))
    return np.array([[*row, *[""] * (longest - len(row))] for row in rows], dtype=str).reshape(len(rows), longest)
