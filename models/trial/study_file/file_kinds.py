"""Kinds of data file, by their ending: those that are read, and what to do with the others."""

from __future__ import annotations

from pathlib import Path

from models.faults import InvalidInput

ENDINGS = (".csv", ".parquet", ".dta", ".sav", ".zsav", ".sas7bdat", ".xpt")
"""Kinds of data file that are read."""
_R = 'In R: haven::write_sav(data, "data.sav"), or write.csv(data, "data.csv", row.names = FALSE)'
_SHEET = "Save the sheet as CSV UTF-8 (File, Save as)"
_TABLE = "It is a text table: give it the ending .csv and set separator in [data]"
_UNPACK = "Unpack it first"
_OTHERS = {
    **dict.fromkeys((".xlsx", ".xls", ".xlsm", ".xlsb"), ("an Excel workbook", _SHEET)),
    ".ods": ("an OpenDocument spreadsheet", _SHEET),
    ".numbers": ("a Numbers spreadsheet", "Export it as CSV"),
    **dict.fromkeys((".rds", ".rdata", ".rda"), ("an R data file", _R)),
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), ("JSON", "Write its records as a table in CSV, one row each")),
    ".xml": ("XML", "Export the table as CSV"),
    **dict.fromkeys((".txt", ".tsv", ".tab", ".dat"), ("a text file", _TABLE)),
    **dict.fromkeys((".feather", ".arrow"), ("an Arrow file", "Save it as Parquet")),
    **dict.fromkeys((".pkl", ".pickle"), ("a Python pickle", 'In pandas: table.to_parquet("data.parquet")')),
    ".por": ("an SPSS portable file", "Save it in SPSS as .sav"),
    ".sas7bcat": ("a SAS catalogue of formats", "Name the data set itself, .sas7bdat or .xpt"),
    ".mtw": ("a Minitab worksheet", "Export it as CSV"),
    ".jmp": ("a JMP table", "Export it as CSV"),
    ".mdb": ("an Access database", "Export the table as CSV"),
    ".accdb": ("an Access database", "Export the table as CSV"),
    **dict.fromkeys((".db", ".sqlite", ".sqlite3"), ("a database", "Export the table as CSV")),
    **dict.fromkeys((".zip", ".gz", ".7z", ".xz", ".bz2"), ("a compressed file", _UNPACK)),
}


def other(path: Path) -> bool:
    """Whether a path is known as a data file of a kind that cannot be read."""
    return path.suffix.lower() in _OTHERS


def unreadable(path: Path) -> InvalidInput:
    """Why a file of another kind cannot be read, and what to do."""
    ending = path.suffix.lower()
    kind, fix = _OTHERS.get(ending, ("", f"Save it as one of {', '.join(ENDINGS)}"))
    why = f"It is {kind} ({ending})" if kind else f"Its ending is {path.suffix!r}" if ending else "It has no ending"
    return InvalidInput(
        f"{path.name} is of a kind that cannot be read.",
        f"{why}; these are read: {', '.join(ENDINGS)}.",
        f"{fix}, and name that in [data] file.",
    )
