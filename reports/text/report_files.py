"""Files of a report: written beside the run, then moved into place together, so that nothing is half-written."""

from __future__ import annotations

import csv
import io
import os
import shutil
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from reports.text.words import clean

PAGE, RECORD = "report.html", "report.json"
STAGING = ".report.partial"
FORMULA = tuple("=+-@＝＋－＠")
"""A text cell that begins so is a formula to a spreadsheet; to some also in the wide forms of East Asian keyboards."""


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """CSV file (RFC 4180, UTF-8, LF): numbers with 8 significant digits, text that no spreadsheet runs as a formula."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow([_plain(name) for name in header])
    for row in rows:
        writer.writerow([_plain(value) for value in row])
    return target.getvalue()


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | str):
        return str(value).lower() if isinstance(value, bool) else inert(clean(value))
    number = float(value)
    return "" if number != number else f"{number:.8g}"


def inert(text: str) -> str:
    """Text that no spreadsheet runs as a formula: an apostrophe goes before one, also where unseen signs precede it."""
    seen = next((sign for sign in text if not (sign.isspace() or unicodedata.category(sign).startswith("C"))), "")
    return f"'{text}" if seen in FORMULA or text.startswith(("\t", "\r", "\n")) else text


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write all files (path inside `folder` to content), then move them into place; folders named are replaced whole.

    Raises
    ------
    OSError
        If the disk is full or the folder cannot be written; the earlier report is then still there.
    """
    staging = folder / STAGING
    shutil.rmtree(staging, ignore_errors=True)
    try:
        for name, content in files.items():
            path = staging / "new" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8", newline="\n")
        _move(staging, folder, sorted({name.split("/", 1)[0] for name in files}))
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _move(staging: Path, folder: Path, names: Sequence[str]) -> None:
    old = staging / "old"
    old.mkdir(parents=True)
    # the page goes last: whoever sees it finds what it links to
    for name in sorted(names, key=lambda name: (name == PAGE, name)):
        if (folder / name).is_dir():
            os.replace(folder / name, old / name)
        os.replace(staging / "new" / name, folder / name)
