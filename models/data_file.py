"""Read a trial's file (CSV, Parquet, Stata, SPSS) into one table of text, so that one set of rules checks them all."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from models.faults import Fault, InvalidInput
from models.study import Data


def read(data: Data, folder: Path) -> pd.DataFrame:
    """Every cell as text, missing cells as None.

    Parameters
    ----------
    data : Data
        The `[data]` table of the study file.
    folder : Path
        Where `data.file` is looked for.

    Returns
    -------
    DataFrame
        Columns as named in the file; the index is the spreadsheet's row number (the header is row 1). Numbers in
        binary files are written in full, whole ones without a decimal point; labels stand for labelled codes.

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
            f"Its ending is {path.suffix or 'missing'!r}.",
            f"Save it as one of {', '.join(READERS)} and name it in [data] file.",
        )
    if not path.is_file():
        raise InvalidInput(
            f"There is no data file {path}.",
            "[data] file in the study file names it.",
            "Correct the name, or put the file there.",
        )
    table = reader(path, data)
    repeated = [name for name, times in Counter(table.columns).items() if times > 1]
    if repeated:
        faults = [Fault(1, str(name), "stands more than once", "one column a name") for name in repeated]
        raise InvalidInput(
            f"{path.name} has columns of the same name.", "It is unclear which is meant:", "Rename them.", faults
        )
    table = table.dropna(how="all")
    if table.empty:
        raise InvalidInput(
            f"{path.name} holds no rows.", "There is nothing to analyse.", "Check the file and its separator."
        )
    return table


def _read_csv(path: Path, data: Data) -> pd.DataFrame:
    try:
        # header=None: pandas would rename a repeated column in silence
        raw = pd.read_csv(
            path,
            sep=data.separator,
            encoding=data.encoding,
            dtype=str,
            header=None,
            keep_default_na=False,
            skip_blank_lines=False,
            on_bad_lines="error",
            engine="c",
        )
    except pd.errors.EmptyDataError:
        raise InvalidInput(f"{path.name} is empty.", "It has no header and no rows.", "Check the file.") from None
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{path.name} is not encoded as {data.encoding}.",
            f"Byte {error.start + 1} cannot be read: {error.reason}.",
            'Save it as UTF-8, or set encoding in [data] (for example "cp1252" or "latin-1").',
        ) from None
    except (pd.errors.ParserError, ValueError) as error:
        raise InvalidInput(
            f"{path.name} is not a table.",
            f"The reader says: {str(error).strip()}.",
            f"Every row needs as many cells as the header, separated by {data.separator!r}; see separator in [data].",
        ) from None
    table = raw.iloc[1:].set_axis([str(name).strip() for name in raw.iloc[0]], axis=1)
    table.index = pd.RangeIndex(2, 2 + len(table))
    text = table.apply(lambda column: column.str.strip())
    return text.mask(text.isin([value.strip() for value in data.missing]) | text.isna(), None)


def _read_parquet(path: Path, data: Data) -> pd.DataFrame:  # noqa: ARG001 - all readers take the same arguments
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise _broken(path, error) from None
    columns = [table.column(place).to_pandas() for place in range(table.num_columns)]
    frame = pd.concat(columns, axis=1) if columns else pd.DataFrame()
    return _as_text(frame.set_axis(table.column_names, axis=1) if columns else frame)


def _read_labelled(path: Path, data: Data) -> pd.DataFrame:  # noqa: ARG001 - all readers take the same arguments
    import pyreadstat

    reader = pyreadstat.read_dta if path.suffix.lower() == ".dta" else pyreadstat.read_sav
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pyreadstat warns of unused value labels
            frame, _ = reader(str(path), apply_value_formats=True, formats_as_category=False)
    except (
        pyreadstat.ReadstatError,
        pyreadstat.PyreadstatError,
        UnicodeDecodeError,
        ValueError,
        OverflowError,
    ) as error:
        raise _broken(path, error) from None
    return _as_text(frame)


def _broken(path: Path, error: Exception) -> InvalidInput:
    return InvalidInput(
        f"{path.name} cannot be read.", f"The reader says: {str(error)[:300]}.", "Save it again, or as CSV."
    )


def _as_text(table: pd.DataFrame) -> pd.DataFrame:
    text = pd.DataFrame({place: _column_as_text(table.iloc[:, place]) for place in range(table.shape[1])}, dtype=object)
    text.columns = pd.Index([str(name).strip() for name in table.columns])
    text.index = pd.RangeIndex(2, 2 + len(text))
    return text


def _column_as_text(column: pd.Series) -> np.ndarray:
    return np.array([_cell_as_text(value) for value in column.astype(object)], dtype=object)


def _cell_as_text(value: object) -> str | None:
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return None
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip() or None


READERS: Mapping[str, Callable[[Path, Data], pd.DataFrame]] = {
    ".csv": _read_csv,
    ".parquet": _read_parquet,
    ".dta": _read_labelled,
    ".sav": _read_labelled,
}
"""Reader of each file ending."""
