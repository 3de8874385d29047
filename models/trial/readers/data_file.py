"""Read a trial's file, of any kind, into one table of text, so that one set of rules checks them all."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from models.faults import Fault, InvalidInput
from models.trial.readers import csv_file, labelled_file, value_labels
from models.trial.readers.value_labels import ValueLabels
from models.trial.study_file import file_kinds
from models.trial.study_file.missing_values import MissingValues
from models.trial.study_file.study_part import ENCODING, Data


@dataclass(frozen=True)
class Wanted:
    """What a reader must know of the columns: which must be read, and which hold names."""

    needed: Collection[str]
    keys: Collection[str]

    def missing(self, name: str, data: Data) -> MissingValues:
        """What means a missing value in a column."""
        return MissingValues.of(data, numbers=name not in self.keys)


TEXT = pd.StringDtype("pyarrow", na_value=np.nan)
"""Every column of the table: text, NaN where a cell is missing."""


def read(data: Data, folder: Path, needed: Collection[str] = (), keys: Collection[str] = ()) -> pd.DataFrame:
    """Every cell as text, missing cells as NaN.

    Parameters
    ----------
    data : Data
        The `[data]` table of the study file; its missing values are left out of every kind of file.
    folder : Path
        Where `data.file` is looked for.
    needed : collection of str, optional
        Columns that must be read; where text of the others is in another encoding, they may be left out.
    keys : collection of str, optional
        Columns of names, such as participants': a number is one of them, and never a missing value.

    Returns
    -------
    DataFrame
        Columns as named in the file, those without a name left out; the index is the spreadsheet's row number (the
        header is row 1), rows without any value left out. Numbers in binary files are written in full, whole ones
        without a decimal point; labels stand for labelled codes, and `value_labels.of` has the codes.

    Raises
    ------
    InvalidInput
        If the file is missing, empty, of another kind or encoding, or has two columns of one name.
    """
    path = folder / data.file
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise file_kinds.unreadable(path)
    try:
        table = reader(path, data, Wanted(needed, keys))
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
    if isinstance(error, labelled_file.WrongEncoding):
        return InvalidInput(
            f"{path.name} holds text in another encoding than it says.",
            f"The reader reports: {str(error)[:300]}; text that the study does not use would not matter.",
            'Set encoding in [data] to the one it was written in, for example "cp1252" (Windows, Western Europe).',
        )
    why = error.strerror if isinstance(error, OSError) and error.strerror else f"The reader reports: {str(error)[:300]}"
    return InvalidInput(
        f"{path} cannot be read.", f"{why}.", "Check the file and its permissions; save it again, or as CSV."
    )


def _read_csv(path: Path, data: Data, wanted: Wanted) -> pd.DataFrame:
    header, batches = csv_file.read(path, data)
    _refuse_repeated(header, path)
    missing = [wanted.missing(name, data) for name in header]
    parts = [
        pd.DataFrame(
            {place: _column(column, missing[place]) for place, column in enumerate(batch.columns)},
            index=pd.Index(batch.rows),
        )
        for batch in batches
    ]
    table = pd.concat(parts) if parts else pd.DataFrame(columns=range(len(header)))
    return table.set_axis(header, axis=1)


def _refuse_repeated(names: Iterable[str], path: Path) -> None:
    repeated = [name for name, times in Counter(names).items() if times > 1 and name]
    if repeated:
        faults = [Fault(1, name, "occurs more than once", "one column for each name") for name in repeated]
        raise InvalidInput(
            f"{path.name} has columns of the same name.", "It is unclear which is meant:", "Rename them.", faults
        )


def _column(values: Iterable[str | None], missing: MissingValues) -> pd.Series:
    """Cells without the blanks around them; those that mean a missing value are missing."""
    listed = list(values)
    tidy = {value: _tidy(value, missing) for value in set(listed)}
    return pd.array([tidy[value] for value in listed], dtype=TEXT)


def _tidy(value: str | None, missing: MissingValues) -> str | None:
    text = (value or "").strip()
    return None if not text or text in missing else text


def _read_parquet(path: Path, data: Data, wanted: Wanted) -> pd.DataFrame:
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
    return _as_text(table.column_names, columns, path, lambda name, texts: _column(texts, wanted.missing(name, data)))


def _read_labelled(path: Path, data: Data, wanted: Wanted) -> pd.DataFrame:
    found = labelled_file.read(path, data.encoding if data.encoding != ENCODING else None, wanted.needed)
    named: dict[str, ValueLabels] = {}

    def column(name: str, texts: list[str | None]) -> pd.Series:
        missing = wanted.missing(name, data)
        labels = {_cell_as_text(code) or "": label for code, label in found.labels.get(name, {}).items()}
        if not labels:
            return _column(texts, missing)
        text_of, named[name] = value_labels.name(labels, {text for text in texts if text}, missing)
        return pd.array([text_of.get(text or "") for text in texts], dtype=TEXT)

    columns = [found.frame.iloc[:, place] for place in range(found.frame.shape[1])]
    return value_labels.attach(_as_text(found.frame.columns, columns, path, column), named)


def _as_text(
    names: Iterable[object],
    columns: list[pd.Series],
    path: Path,
    cells_of: Callable[[str, list[str | None]], pd.Series],
) -> pd.DataFrame:
    header = [str(name).strip() for name in names]
    _refuse_repeated(header, path)
    texts = {
        place: cells_of(header[place], [_cell_as_text(value) for value in column.astype(object)])
        for place, column in enumerate(columns)
    }
    table = pd.DataFrame(texts).set_axis(header, axis=1)
    return table.set_axis(pd.RangeIndex(2, 2 + len(table)), axis=0)


def _cell_as_text(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return None
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time() and value.tzinfo is None:
        return value.date().isoformat()  # what its owner sees and writes in the study file is the day
    return str(value)


READERS: Mapping[str, Callable[[Path, Data, Wanted], pd.DataFrame]] = {
    ".csv": _read_csv,
    ".parquet": _read_parquet,
    **dict.fromkeys(labelled_file.READER, _read_labelled),
}
"""Reader of each file ending, the keys of `models.trial.study_file.file_kinds.ENDINGS`."""
