"""Read a trial's file (CSV, Parquet, Stata, SPSS) into one table of text, so that one set of rules checks them all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from models import cells, csv_file, labelled_file
from models.faults import Fault, InvalidInput
from models.study import ENDINGS, Data

TEXT = pd.StringDtype("pyarrow", na_value=np.nan)
"""Every column of the table: text, NaN where a cell is missing."""


def read(data: Data, folder: Path) -> pd.DataFrame:
    """Every cell as text, missing cells as NaN.

    Parameters
    ----------
    data : Data
        The `[data]` table of the study file; its missing values are left out of every kind of file.
    folder : Path
        Where `data.file` is looked for.

    Returns
    -------
    DataFrame
        Columns as named in the file, those without a name left out; the index is the spreadsheet's row number (the
        header is row 1), rows without any value left out. Numbers in binary files are written in full, whole ones
        without a decimal point; labels stand for labelled codes.

    Raises
    ------
    InvalidInput
        If the file is missing, empty, of another kind or encoding, or has two columns of one name.
    """
    path = folder / data.file
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise InvalidInput(
            f"{path.name} is of a kind that cannot be read.",
            f"Its ending is {path.suffix!r}." if path.suffix else "It has no ending.",
            f"Save it as one of {', '.join(ENDINGS)} and name it in [data] file.",
        )
    try:
        table = reader(path, data)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    table = table.loc[:, [name != "" for name in table.columns]].dropna(how="all")
    if table.empty:
        raise InvalidInput(
            f"{path.name} holds no rows.", "There is nothing to analyse.", "Check the file and its separator."
        )
    return table


def _unreadable(path: Path, error: Exception) -> InvalidInput:
    if isinstance(error, FileNotFoundError):
        return InvalidInput(
            f"There is no data file {path}.",
            "[data] file in the study file names it.",
            "Correct the name, or put the file there.",
        )
    why = error.strerror if isinstance(error, OSError) and error.strerror else f"The reader says: {str(error)[:300]}"
    return InvalidInput(
        f"{path} cannot be read.", f"{why}.", "Check the file and its permissions; save it again, or as CSV."
    )


def _read_csv(path: Path, data: Data) -> pd.DataFrame:
    header, batches = csv_file.read(path, data)
    _refuse_repeated(header, path)
    parts = [
        pd.DataFrame(
            {place: _column(column, data) for place, column in enumerate(batch.columns)}, index=pd.Index(batch.rows)
        )
        for batch in batches
    ]
    table = pd.concat(parts) if parts else pd.DataFrame(columns=range(len(header)))
    return table.set_axis(header, axis=1)


def _refuse_repeated(names: Iterable[str], path: Path) -> None:
    repeated = [name for name, times in Counter(names).items() if times > 1 and name]
    if repeated:
        faults = [Fault(1, name, "stands more than once", "one column a name") for name in repeated]
        raise InvalidInput(
            f"{path.name} has columns of the same name.", "It is unclear which is meant:", "Rename them.", faults
        )


def _column(values: Iterable[str | None], data: Data) -> pd.Series:
    """Cells without the blanks around them; those that mean a missing value are missing."""
    listed = list(values)
    tidy = {value: _tidy(value, data) for value in set(listed)}
    return pd.array([tidy[value] for value in listed], dtype=TEXT)


def _tidy(value: str | None, data: Data) -> str | None:
    text = (value or "").strip()
    return None if not text or cells.label(text) in data.missing else text


def _read_parquet(path: Path, data: Data) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with path.open("rb") as stream:
        try:
            table = pq.ParquetFile(stream).read()
            table.validate(full=True)  # texts that are not UTF-8
            # nullable integers as objects: as floats, long identifiers would lose digits
            columns = [column.to_pandas(integer_object_nulls=True) for column in table.columns]
        except pa.ArrowException as error:
            raise ValueError(str(error)) from error
    return _as_text(table.column_names, columns, path, data)


def _read_labelled(path: Path, data: Data) -> pd.DataFrame:
    frame = labelled_file.read(path)
    return _as_text(frame.columns, [frame.iloc[:, place] for place in range(frame.shape[1])], path, data)


def _as_text(names: Iterable[object], columns: list[pd.Series], path: Path, data: Data) -> pd.DataFrame:
    header = [str(name).strip() for name in names]
    _refuse_repeated(header, path)
    texts = {place: _column(map(_cell_as_text, column.astype(object)), data) for place, column in enumerate(columns)}
    table = pd.DataFrame(texts).set_axis(header, axis=1)
    return table.set_axis(pd.RangeIndex(2, 2 + len(table)), axis=0)


def _cell_as_text(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return None
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


READERS: Mapping[str, Callable[[Path, Data], pd.DataFrame]] = dict(
    zip(ENDINGS, (_read_csv, _read_parquet, _read_labelled, _read_labelled), strict=True)
)
"""Reader of each file ending."""
