"""Thousands of broken study files: each is refused with its faults named, or means what it says."""

from __future__ import annotations

import copy
import datetime
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from tests.breaking import BYTES, bent, many, tally, verdict
from tests.small_trial import STUDY, changed, written


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("study")


def places(table: Any, steps: tuple = ()) -> Iterator[tuple]:
    """The way to every entry of a study file."""
    pairs = table.items() if isinstance(table, dict) else enumerate(table)
    for step, entry in pairs:
        yield (*steps, step)
        if isinstance(entry, dict | list):
            yield from places(entry, (*steps, step))


TEXTS = "end start usual savings sick who visits data.csv study.toml ../data.csv binary count share continuous baseline"
TEXTS += " follow-up probit lower utf-7 utf-16 idna punycode unicode_escape rot13 cp037 big5 undefined"
TABLES = [
    [],
    {},
    [[]],
    [1],
    ["a", "a"],
    {"a": 1},
    {"yes": 1, "no": 0},
    {"1": 1, "0": 0},
    [{}],
    ["female"],
    ["male", "female"],
]
DATES = [datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), datetime.time(1)]
AMOUNTS = [0, 1, -1, 2**63, 2**400, 0.5, 1e308, math.nan, math.inf, -math.inf, True, False]
ENTRIES = [*TEXTS.split(), *TABLES, *DATES, *AMOUNTS, "", "\t", "\x00", "я"]


def changed_at(study: dict[str, Any], where: tuple, change: str, entry: Any) -> dict[str, Any]:
    """A study file with an entry replaced, left out, doubled, or joined by one of an unknown name."""
    study = copy.deepcopy(study)
    place: Any = study
    for step in where[:-1]:
        place = place[step]
    if change == "replace":
        place[where[-1]] = entry
    elif change == "drop":
        del place[where[-1]]
    elif isinstance(place, dict):
        place[f"{where[-1]}s"] = entry
    else:
        place.append(copy.deepcopy(place[-1]))
    return study


FULL = changed(
    ("author", {"ethics": "none"}),
    ("privacy", {"minimum_cell": 2}),
    ("data", {"file": "data.csv", "separator": ",", "decimal": ".", "encoding": "utf-8", "missing": ["NA"]}),
    ("outcome.codes", {"1": 1, "0": 0}),
    ("outcome.link", "probit"),
)
EVERYWHERE = sorted(places(FULL), key=str)


def judged(folder: Path, study: dict[str, Any]) -> str:
    (folder / "study.toml").write_text(tomli_w.dumps(study), encoding="utf-8")
    return verdict(folder)


@pytest.mark.slow
def test_study_files_with_each_entry_changed(folder: Path) -> None:
    """No chance in it: each entry left out, doubled or misspelt, and replaced by every third of all there is to try."""
    written(folder)
    counts: Counter[str] = Counter()
    for place, where in enumerate(EVERYWHERE):
        for change, entry in [("drop", None), ("add", "x"), *(("replace", entry) for entry in ENTRIES[place % 3 :: 3])]:
            counts[judged(folder, changed_at(FULL, where, change, entry))] += 1
    tally(counts, 20)


@pytest.mark.slow
def test_study_files_with_several_entries_changed(folder: Path) -> None:
    written(folder)
    change = st.tuples(
        st.sampled_from(EVERYWHERE), st.sampled_from(["replace", "drop", "add"]), st.sampled_from(ENTRIES)
    )

    @many(300)
    @given(st.lists(change, min_size=2, max_size=3))
    def examine(changes: list) -> None:
        study = FULL
        for where, what, entry in changes:
            if where in set(places(study)):
                study = changed_at(study, where, what, entry)
        judged(folder, study)

    examine()


@pytest.mark.slow
def test_study_files_with_changed_bytes(folder: Path) -> None:
    counts: Counter[str] = Counter()
    original = tomli_w.dumps(STUDY).encode()

    @many(500)
    @given(BYTES)
    def examine(changes: list) -> None:
        written(folder)
        (folder / "study.toml").write_bytes(bent(original, changes))
        counts[verdict(folder)] += 1

    examine()
    tally(counts, 5)
