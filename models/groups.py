"""Tables as groups of a saved run."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr


def as_group(table: pd.DataFrame) -> xr.Dataset:
    """A table as a group with one dim `row`: numbers as they are, texts as plain strings, empty where missing."""
    columns = {}
    for name in table.columns:
        column = table[name]
        number = pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)
        texts = ["" if value is None or value != value else str(value) for value in column]
        columns[name] = ("row", column.to_numpy() if number else np.array(texts, dtype=str))
    return xr.Dataset(columns)
