"""A trial of six people, small enough to know every cell of, and ways to spoil it."""

from __future__ import annotations

import copy
import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tomli_w
import xarray as xr

from models.trial import dataset as trials
from models.trial.study_file import study as studies

HEADER = ["who", "when", "group", "sick", "visits", "support", "income", "sessions", "age", "sex"]
ROWS = [
    # 007 and 7 are two people; 7 has no baseline row; p4 has one row; the arm stands once for p3
    ["007", "start", "usual", "1", "3", "50.5", "0.25", "4", "31", "female"],
    ["007", "end", "usual", "0", "0", "", "1", "", "", ""],
    ["7", "middle", "usual", "0", "2", "47", "0", "2", "28.5", "male"],
    ["7", "end", "usual", "", "", "41.25", "", "", "", ""],
    ["p3", "start", "savings", "1", "12", "39", "0.75", "30", "44", "female"],
    ["p3", "middle", "", "1", "7", "55", "0.5", "", "", ""],
    ["p3", "end", "", "0", "1", "60", "0.1", "", "", ""],
    ["p4", "start", "savings", "0", "", "", "", "", "", "male"],
    ["p5", "start", "savings", "1", "5", "48", "0.3", "34", "52", ""],
    ["p5", "middle", "savings", "0", "4", "52.125", "0.2", "", "", ""],
    ["p5", "end", "savings", "1", "6", "49", "0.15", "", "", ""],
    ["p6", "start", "usual", "0", "1", "66", "0", "0", "37", "male"],
    ["p6", "middle", "usual", "1", "2", "61", "0.05", "", "", ""],
]
STUDY: dict[str, Any] = {
    "title": "Six people",
    "simulated": True,
    "seed": 1,
    "primary_wave": "end",
    "data": {"file": "data.csv"},
    "columns": {"participant": "who", "wave": "when", "arm": "group"},
    "arms": {
        "control": {"value": "usual", "label": "care as usual"},
        "treated": {"value": "savings", "label": "with savings", "randomised": 4},
    },
    "waves": [
        {"value": "start", "label": "before", "month": 0, "role": "baseline"},
        {"value": "middle", "label": "after a month", "month": 1, "role": "negative control"},
        {"value": "end", "label": "after half a year", "month": 6.5, "role": "follow-up"},
    ],
    "outcome": {
        "column": "sick",
        "kind": "binary",
        "label": "sick",
        "better": "lower",
        "margin": 0.1,
        "margin_reason": "made up",
    },
    "further_outcomes": [
        {
            "column": "visits",
            "kind": "count",
            "label": "visits",
            "better": "lower",
            "margin": 1.0,
            "margin_reason": "made up",
        }
    ],
    "mediators": [
        {"column": "support", "kind": "continuous", "label": "support"},
        {"column": "income", "kind": "share", "label": "share of income"},
    ],
    "attendance": {"column": "sessions", "offered": {"control": 4, "treated": 34}},
    "covariates": [
        {"column": "age", "kind": "continuous", "label": "age"},
        {"column": "sex", "kind": "categorical", "label": "sex", "levels": ["female", "male"]},
    ],
}
REMOVED = object()


def changed(*changes: tuple[str, Any]) -> dict[str, Any]:
    """The study with entries replaced, or `REMOVED`: ("waves.1.month", 3)."""
    study = copy.deepcopy(STUDY)
    for path, value in changes:
        *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        place: Any = study
        for step in steps:
            place = place[step] if isinstance(place, list) or step in place else place.setdefault(step, {})
        if value is REMOVED:
            del place[last]
        else:
            place[last] = value
    return study


def with_cells(*cells: tuple[int, str, str]) -> list[list[str]]:
    """The rows with cells replaced: (row as a spreadsheet counts, column, text)."""
    rows = copy.deepcopy(ROWS)
    for row, column, text in cells:
        rows[row - 2][HEADER.index(column)] = text
    return rows


def text_of(rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER, **dialect: Any) -> str:
    """A table as CSV."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, **({"lineterminator": "\n"} | dialect))
    writer.writerows([header, *rows])
    return stream.getvalue()


def written(folder: Path, data: str | bytes = text_of(ROWS), study: dict[str, Any] = STUDY) -> Path:
    """A study folder with this text as its data."""
    folder.mkdir(exist_ok=True)
    (folder / "study.toml").write_text(tomli_w.dumps(study), encoding="utf-8")
    content = data.encode() if isinstance(data, str) else data
    (folder / study["data"]["file"]).write_bytes(content)
    return folder


def loaded(folder: Path, data: str | bytes = text_of(ROWS), study: dict[str, Any] = STUDY) -> xr.Dataset:
    """The trial as the product reads it."""
    return trials.load(*studies.read(written(folder, data, study)))
