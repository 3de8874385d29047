"""Read a CSV file into cells of text; a file that is no table is refused, row by row, and never guessed at."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from models.faults import Fault, InvalidInput
from models.trial.study_file.study import Data

BATCH = 50_000
"""Records held as Python lists at a time: a million rows would fill the memory."""


@dataclass(frozen=True)
class Batch:
    """Some consecutive records.

    Attributes
    ----------
    columns : list of tuple of str
        Cells as written, one tuple a column of the header.
    rows : list of int
        Row of each record as a spreadsheet counts: blank lines count, a line break inside quotes does not.
    """

    columns: list[tuple[str, ...]]
    rows: list[int]


def read(path: Path, data: Data) -> tuple[list[str], Iterator[Batch]]:
    """The header, and the records below it in batches.

    Raises
    ------
    InvalidInput
        If the file is empty, in another encoding, or not a table: quotes left open, or rows with fewer or more cells
        than the header. Empty cells beyond the header's last are no fault: spreadsheets write them.
    """
    content = path.read_bytes()
    # with or without a byte order mark, whichever name of UTF-8 the study file uses
    encoding = "utf-8-sig" if codecs.lookup(data.encoding).name == "utf-8" else data.encoding
    _refuse_other_than_text(content, encoding, path)
    lines = io.TextIOWrapper(io.BytesIO(content), encoding, newline="")
    data = _as_the_first_line_says(lines, data)
    # strict: a stray quote is a fault, not a part of a cell
    records = csv.reader(lines, delimiter=data.separator, strict=True, skipinitialspace=data.separator != " ")
    numbered = _numbered(records, path, data)
    header = next(((row, record) for row, record in numbered if not _blank(record)), None)
    if header is None:
        raise InvalidInput(f"{path.name} is empty.", "It has no header and no rows.", "Check the file.")
    return [name.strip() for name in header[1]], _batches(numbered, len(header[1]), path, data)


def _as_the_first_line_says(lines: io.TextIOWrapper, data: Data) -> Data:
    """Pass over a first line `sep=;`, which Excel obeys and does not show; the study file's own separator stands."""
    said = re.fullmatch(r'"?sep=(.)"?\s*', lines.readline(), re.IGNORECASE)
    if said is None:
        lines.seek(0)
    elif "separator" not in data.model_fields_set and said[1] != data.decimal:
        return data.model_copy(update={"separator": said[1]})
    return data


def _refuse_other_than_text(content: bytes, encoding: str, path: Path) -> None:
    try:
        text = content.decode(encoding)
    except UnicodeError as error:
        wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        where = f"Byte {error.start + 1}: {error.reason}" if isinstance(error, UnicodeDecodeError) else str(error)
        raise InvalidInput(
            f"{path.name} is not encoded as {encoding.removesuffix('-sig')}.",
            f"{where}.",
            f'Save it as UTF-8, or set encoding in [data], for example "{"utf-16" if wide else "cp1252"}".',
        ) from None
    if "\0" in text:
        raise InvalidInput(
            f"{path.name} is not a text file.",
            "It holds NUL characters.",
            'Save it as CSV in UTF-8; if it is in UTF-16, set encoding = "utf-16" in [data].',
        )


def _numbered(records: Iterator[list[str]], path: Path, data: Data) -> Iterator[tuple[int, list[str]]]:
    row = 0
    try:
        for row, record in enumerate(records, start=1):
            yield row, record
    except csv.Error as error:
        raise _no_table(
            path, data, [Fault(row + 1, "whole row", str(error), "quotes that open and close a cell")]
        ) from None


def _batches(numbered: Iterator[tuple[int, list[str]]], width: int, path: Path, data: Data) -> Iterator[Batch]:
    faults: list[Fault] = []
    while batch := list(islice(numbered, BATCH)):
        records = []
        for row, record in batch:
            if len(record) == width:
                records.append((row, record))
            elif not _blank(record):
                if len(record) < width or not _blank(record[width:]):
                    faults.append(Fault(row, "whole row", f"{len(record)} cells", f"{width} cells, as in the header"))
                records.append((row, record[:width]))
        if records and not faults:
            yield Batch(list(zip(*(record for _, record in records), strict=True)), [row for row, _ in records])
    if faults:
        raise _no_table(path, data, faults)


def _blank(record: list[str]) -> bool:
    return not any(cell.strip() for cell in record)


def _no_table(path: Path, data: Data, faults: list[Fault]) -> InvalidInput:
    return InvalidInput(
        f"{path.name} is not a table.",
        f"With {data.separator!r} between cells, {len(faults)} of its rows do not fit the header:",
        "Correct the rows, or set separator in [data] where another character separates the cells.",
        faults,
    )
