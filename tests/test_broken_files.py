"""Thousands of broken studies: each is refused with its faults named, or read without a single wrong number.

Every value of a study that passes is compared with `tests.naive_reader`, which shares no code with the product.
"""

from __future__ import annotations

import copy
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.faults import InvalidInput
from models.trial import dataset as trials
from models.trial.draft import draft
from models.trial.study_file import study as studies
from tests import naive_reader
from tests.breaking import BYTES, bent, explained, many, tally, verdict
from tests.small_trial import HEADER, ROWS, STUDY, changed, text_of, written


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("study")


NUMBERS = "inf -inf 1e400 1e-400 -0 0.0 1.0 1.00 01 +1 1,5 0,5 1.5 1_0 0x1 1e2 1E0 1. .5 ,5 1.000 -1 1e9 1e10 35 34 4 9"
WORDS = (
    "NA . nan None TRUE true tRUE =1+1 usual savings start middle end End 007 7 7.0 p3 p4.0 female -9 2024-01-01 #REF!"
)
SIGNS = [
    "",
    " ",
    "\u00a0",
    "\u200b1",
    "1\u00a0000",
    "a\nb",
    "a\rb",
    'say "x"',
    '"',
    ";",
    ",",
    "\t",
    "é",
    "\x00",
    "\x1a",
]
SIGNS += [" savings", "\x1c1", "\x85", "\u2028", "\ufeff1", "1 %", "9" * 400, "١", "²", "½"]
HOSTILE = st.sampled_from([*NUMBERS.split(), *WORDS.split(), *SIGNS])
Table = list[list[str]]


def with_cell(table: Table, i: int, j: int, text: str) -> Table:
    row = table[i % len(table)]
    row[j % max(len(row), 1) : j % max(len(row), 1) + 1] = [text]
    return table


def with_cell_from_another_row(table: Table, i: int, j: int, text: str) -> Table:
    """What could stand in the column, in a wrong place: contradictions."""
    column, other = j % len(HEADER), (i + 1 + len(text)) % len(table)
    return with_cell(table, i, column, table[other][column]) if len(table[other]) > column else table


NUMERIC = ("sick", "visits", "support", "income", "sessions", "age")
AMOUNTS = ("0.5", "2", "-1", "1.5", "1e1", "0", "35", "+.25")


def with_number(table: Table, i: int, j: int, text: str) -> Table:
    """A number that some kinds of column can hold and others cannot."""
    return with_cell(table, i, HEADER.index(NUMERIC[j % 6]), AMOUNTS[(i + len(text)) % 8])


def with_decimals(table: Table, i: int, j: int, _: str) -> Table:
    """A whole number written with decimals is still the same one."""
    row = table[i % len(table)]
    return with_cell(table, i, j, f"{row[j % len(row)]}.0") if row and row[j % len(row)].isdigit() else table


def with_row_twice(table: Table, i: int, j: int, _: str) -> Table:
    return [*table[: j + 1], list(table[i % len(table)]), *table[j + 1 :]]


def without_row(table: Table, i: int, _j: int, _: str) -> Table:
    return [row for place, row in enumerate(table) if place != i]


def with_rows_swapped(table: Table, i: int, j: int, _: str) -> Table:
    i, j = i % len(table), j % len(table)
    table[i], table[j] = table[j], table[i]
    return table


def with_blank_line(table: Table, i: int, _j: int, _: str) -> Table:
    return [*table[:i], [], *table[i:]]


def with_short_row(table: Table, i: int, _j: int, _: str) -> Table:
    table[i % len(table)] = table[i % len(table)][:-1]
    return table


def with_long_row(table: Table, i: int, _j: int, text: str) -> Table:
    table[i % len(table)].append(text)
    return table


def with_header(table: Table, i: int, _j: int, text: str) -> Table:
    return with_cell(table, 0, i, text)


def without_column(table: Table, i: int, _j: int, _: str) -> Table:
    return [[cell for place, cell in enumerate(row) if place != i] for row in table]


def with_columns_in_another_order(table: Table, i: int, j: int, _: str) -> Table:
    return [[*row[i % 10 :], *reversed(row[: i % 10])] if j % 2 else row[::-1] for row in table]


def with_column_more(table: Table, i: int, _j: int, text: str) -> Table:
    return [[text if place == 0 else "x", *row] if i % 2 else [*row, *row[:1]] for place, row in enumerate(table)]


SPOILERS = [with_cell, with_cell_from_another_row, with_number, with_decimals, with_rows_swapped] * 4
SPOILERS += [with_header, with_row_twice, without_row, with_blank_line, with_short_row, with_long_row]
SPOILERS += [without_column, with_columns_in_another_order, with_column_more]
PLACE = st.integers(0, 20)
CHANGES = st.lists(st.tuples(st.sampled_from(SPOILERS), PLACE, PLACE, HOSTILE | st.text(max_size=4)), max_size=4)


def spoilt(table: Table, changes: list[tuple]) -> Table:
    """A table, header first, after some changes."""
    table = copy.deepcopy(table)
    for change, *arguments in changes:
        table = change(table, *arguments) or [[]]
    return table


VARIANTS = {
    "as it is": (STUDY, lambda cell: cell),
    "with a decimal comma": (
        changed(("data.separator", ";"), ("data.decimal", ",")),
        lambda cell: cell.replace(".", ","),
    ),
    "with codes": (
        changed(("outcome.codes", {"yes": 1, "no": 0}), ("data.missing", [-9])),
        lambda cell: {"0": "no", "1": "yes", "": "-9.0"}.get(cell, cell),
    ),
    "without levels": (changed(("covariates.1.levels", [])), lambda cell: cell),
}


def variant(name: str) -> tuple[dict[str, Any], list[list[str]]]:
    """A study, and its table as the study says that it is written."""
    study, write = VARIANTS[name]
    outcome = HEADER.index("sick")
    if name != "with codes":
        return study, [HEADER, *([write(cell) for cell in row] for row in ROWS)]
    return study, [HEADER, *([write(c) if k == outcome or not c else c for k, c in enumerate(row)] for row in ROWS)]


@pytest.mark.slow
def test_tables_with_changed_cells_rows_and_columns(folder: Path) -> None:
    counts: Counter[str] = Counter()

    @many(1000)
    @given(
        st.sampled_from(sorted(VARIANTS)),
        CHANGES,
        st.sampled_from(["\n", "\r\n", "\r"]),
        st.sampled_from([0, 1]),
        st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252"]),
        st.sampled_from([True, True, True, False]),
    )
    def examine(name: str, changes: list, ending: str, quoting: int, encoding: str, declared: bool) -> None:
        study, table = variant(name)
        header, *rows = spoilt(table, changes)
        separator = study["data"].get("separator", ",")
        text = text_of(rows, header, lineterminator=ending, quoting=quoting, delimiter=separator)
        if declared:
            study = study | {"data": study["data"] | {"encoding": encoding}}
        counts[verdict(written(folder, text.encode(encoding, errors="replace"), study))] += 1

    examine()
    tally(counts, 50)


@pytest.mark.slow
def test_data_files_with_changed_bytes(folder: Path) -> None:
    counts: Counter[str] = Counter()
    data = {
        "utf-8-sig": text_of(ROWS, quoting=1).encode("utf-8-sig"),
        "latin-1": text_of(ROWS).encode("latin-1"),
        "utf-16": text_of(ROWS).encode("utf-16"),
    }

    @many(500)
    @given(st.sampled_from(sorted(data)), BYTES)
    def examine(encoding: str, changes: list) -> None:
        study = changed(("data.encoding", encoding))
        counts[verdict(written(folder, bent(data[encoding], changes), study))] += 1

    examine()
    tally(counts, 5)


def test_random_bytes_are_refused(folder: Path) -> None:
    @many(200)
    @given(st.binary(max_size=300) | st.text(alphabet='",;\n\r ab1.\ufeff', max_size=200).map(str.encode))
    def examine(content: bytes) -> None:
        assert verdict(written(folder, content)).startswith("refused")

    examine()


@pytest.mark.slow
def test_a_draft_of_anything_is_toml_or_a_refusal(folder: Path) -> None:
    counts: Counter[str] = Counter()
    file = folder / "unknown.csv"

    @many(250)
    @given(CHANGES, st.booleans(), st.sampled_from(["utf-8", "utf-16", "cp1252"]), BYTES)
    def examine(changes: list, bend: bool, encoding: str, bytes_changed: list) -> None:
        header, *rows = spoilt([HEADER, *ROWS], changes)
        content = text_of(rows, header).encode(encoding, errors="replace")
        file.write_bytes(bent(content, bytes_changed) if bend else content)
        try:
            drafted = tomllib.loads(draft.draft(file).text)
        except InvalidInput as error:
            counts[explained(error)] += 1
            return
        counts["valid"] += 1
        assert {"title", "data", "columns", "outcome"} <= set(drafted)

    examine()
    assert counts["valid"] >= 50, counts


@pytest.mark.parametrize("separator", [",", ";"])
def test_the_naive_reader_reads_what_a_writer_wrote(separator: str) -> None:
    table = [["a", 'b "c"', "d\ne"], ["", "1,5;", " x"], ["\r", "", ""]]
    text = text_of(table[1:], table[0], delimiter=separator)
    assert list(naive_reader.records(text, separator)) == table


@pytest.mark.parametrize(
    "column", ["sick", "visits", "support", "income", "sessions", "age", "sex", "group", "who", "when"]
)
def test_the_naive_reader_sees_every_wrong_value(folder: Path, column: str) -> None:
    """The comparison has teeth: a Dataset of one file does not pass for that of another."""
    rows = copy.deepcopy(ROWS)
    place = HEADER.index(column)
    other = {"sick": "0", "group": "usual", "who": "p9", "when": "end", "sex": "male", "income": "0.5"}
    # each arm keeps somebody at the primary wave
    for row in {"group": rows[8:11], "when": rows[12:]}.get(column, rows[:2]):
        row[place] = other.get(column, "2")
    if column == "group":
        rows[8][HEADER.index("sessions")] = "4"  # of the four that the other arm is offered
    study, where = studies.read(written(folder, text_of(rows)))
    trial = trials.load(study, where)
    with pytest.raises(AssertionError):
        naive_reader.assert_holds(trial, text_of(ROWS).encode(), STUDY)
