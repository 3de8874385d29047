"""Read a Stata, SPSS or SAS file in a process of its own: the reader is C, and a damaged file can crash it outright."""

from __future__ import annotations

import codecs
import json
import pickle
import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

READER = {
    ".dta": "read_dta",
    ".sav": "read_sav",
    ".zsav": "read_sav",
    ".sas7bdat": "read_sas7bdat",
    ".xpt": "read_xport",
}
_CHILD = """
import json, pickle, sys, warnings
import pyreadstat
warnings.simplefilter("ignore")  # of unused value labels
frame, about = getattr(pyreadstat, sys.argv[1])(sys.argv[2], **json.loads(sys.argv[3]))
sys.stdout.buffer.write(pickle.dumps((frame, about.variable_value_labels)))
"""
_BYTES = "invalid byte sequence"
_ANY_BYTE = "ISO-8859-1"
"""An encoding in which every byte is a character: what comes out as ASCII is right, whatever the file's own."""


class WrongEncoding(ValueError):  # noqa: N818 - named after what is wrong
    """Text of the file is not in the encoding that it declares, or that was asked for."""


@dataclass(frozen=True)
class LabelledFile:
    """Content of a file.

    Attributes
    ----------
    frame : DataFrame
        Codes as they are; missing values of every kind as NaN or None.
    labels : dict of str to dict
        By column, the label of each labelled code.
    """

    frame: pd.DataFrame
    labels: dict[str, dict[object, str]]


def read(path: Path, encoding: str | None = None, needed: Collection[str] = ()) -> LabelledFile:
    """The whole file or, where text that is not needed stands in another encoding, the columns that are needed.

    Parameters
    ----------
    path : Path
        The file.
    encoding : str, optional
        Its encoding, as Python names it; the one that the file declares where None.
    needed : collection of str, optional
        Columns that must be read.

    Raises
    ------
    OSError
        If there is no such file, or it cannot be opened.
    WrongEncoding
        If text that is needed is not in the encoding.
    ValueError
        If the reader refuses the file, or breaks on it.
    """
    path.open("rb").close()  # the reader's own message for a file that is not there does not say so
    given: dict[str, object] = {"encoding": _as_the_reader_names_it(encoding)} if encoding else {}
    try:
        return _read(path, given)
    except WrongEncoding:
        if not needed:
            raise
    columns: dict[str, object] = {"usecols": list(needed)}
    try:
        return _read(path, given | columns)
    except WrongEncoding as error:
        found = _read(path, {"encoding": _ANY_BYTE} | columns)
        if not _all_ascii(found):
            raise error from None
        return found


def _as_the_reader_names_it(encoding: str) -> str:
    """Python's encodings under the names that iconv has for them."""
    name = codecs.lookup(encoding).name.upper()
    for ours, theirs in (("ISO8859", "ISO-8859"), ("EUC_", "EUC-"), ("MAC-ROMAN", "MACINTOSH")):
        name = name.replace(ours, theirs)
    return name


def _all_ascii(found: LabelledFile) -> bool:
    texts = [str(name) for name in found.frame.columns]
    texts += [label for name in texts for label in found.labels.get(name, {}).values()]
    return all(map(str.isascii, texts)) and all(
        value.isascii()
        for place in range(found.frame.shape[1])
        for value in found.frame.iloc[:, place].unique()
        if isinstance(value, str)
    )


def _read(path: Path, options: Mapping[str, object]) -> LabelledFile:
    command = [sys.executable, "-c", _CHILD, READER[path.suffix.lower()], str(path), json.dumps(options)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode < 0:
        raise ValueError("none; the file is damaged and broke it")
    if done.returncode > 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        said = lines[-1].split("Error: ", 1)[-1] if lines else "none"
        raise WrongEncoding(said) if _BYTES in said else ValueError(said)
    return LabelledFile(*pickle.loads(done.stdout))
