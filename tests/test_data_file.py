"""`data_file`: any file becomes one table of text with row numbers, or is refused with its faults named."""

from __future__ import annotations

import datetime
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest

from models.faults import InvalidInput
from models.trial.readers import csv_file, data_file, labelled_file, value_labels
from models.trial.study_file.study import Data


def read(folder: Path, content: str | bytes, name: str = "d.csv", **data: Any) -> pd.DataFrame:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return data_file.read(Data(file=name, **data), folder)


def refused(folder: Path, content: str | bytes, name: str = "d.csv", **data: Any) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        read(folder, content, name, **data)
    assert caught.value.what
    assert caught.value.why
    assert caught.value.fix
    return caught.value


def rows(table: pd.DataFrame) -> dict[int, list[str | None]]:
    """Cells by row number, None where missing."""
    return {
        int(str(row)): [None if pd.isna(cell) else str(cell) for cell in cells]
        for row, cells in zip(table.index, table.to_numpy(dtype=object), strict=True)
    }


def test_cells_are_text_and_rows_are_numbered_as_in_a_spreadsheet(tmp_path: Path) -> None:
    table = read(tmp_path, "id,x\n007,1.0\n7,\n,2e3\n")
    assert list(table.columns) == ["id", "x"]
    assert rows(table) == {2: ["007", "1.0"], 3: ["7", None], 4: [None, "2e3"]}


def test_blank_lines_count_as_rows_and_hold_nothing(tmp_path: Path) -> None:
    assert rows(read(tmp_path, "\nid,x\n\n1,2\n ,\n,\n \t\u00a0\n3,4\n\n")) == {4: ["1", "2"], 8: ["3", "4"]}


def test_a_line_break_inside_quotes_does_not_begin_a_row(tmp_path: Path) -> None:
    assert rows(read(tmp_path, 'id,"the\nx"\n1,"a\nb\r\nc"\n2,d\n')) == {2: ["1", "a\nb\r\nc"], 3: ["2", "d"]}


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_endings(tmp_path: Path, ending: str) -> None:
    text = ending.join(["id,x", "1,a", "2,b\u2028\x0bc"])
    assert rows(read(tmp_path, text)) == {2: ["1", "a"], 3: ["2", "b\u2028\x0bc"]}


@pytest.mark.parametrize(
    ("codec", "encoding"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-8-sig", "utf-8"),
        ("utf-8-sig", "UTF8"),
        ("cp1252", "cp1252"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
    ],
)
def test_encodings_and_byte_order_marks(tmp_path: Path, codec: str, encoding: str) -> None:
    table = read(tmp_path, '"Größe",x\n1,é\n'.encode(codec), encoding=encoding)
    assert list(table.columns) == ["Größe", "x"]
    assert rows(table) == {2: ["1", "é"]}


def test_a_wrong_encoding_is_named_with_its_byte_and_a_way_out(tmp_path: Path) -> None:
    error = refused(tmp_path, "id,x\n1,é\n".encode("cp1252"))
    assert "Byte 8" in error.why
    assert "cp1252" in error.fix
    assert "utf-16" in refused(tmp_path, "id,x\n1,é\n".encode("utf-16")).fix


def test_nul_characters_are_refused(tmp_path: Path) -> None:
    assert "NUL" in refused(tmp_path, b"id,x\n1,\x002\n").why
    assert "utf-16" in refused(tmp_path, "id,x\n1,2\n".encode("utf-16-le")).fix


@pytest.mark.parametrize("separator", [";", "\t", "|", " "])
def test_separators(tmp_path: Path, separator: str) -> None:
    text = "id,x,y\n1,,3\n'a,b',2,3\n".replace(",", separator).replace("'", '"')
    assert rows(read(tmp_path, text, separator=separator)) == {2: ["1", None, "3"], 3: [f"a{separator}b", "2", "3"]}


def test_blanks_around_headers_cells_and_quotes(tmp_path: Path) -> None:
    table = read(tmp_path, ' id , "the x",z\n  1 , "a, b",\u00a0 2\u00a0\n')
    assert list(table.columns) == ["id", "the x", "z"]
    assert rows(table) == {2: ["1", "a, b", "2"]}


def test_every_row_of_another_length_is_named(tmp_path: Path) -> None:
    error = refused(tmp_path, "a,b,c\n1,2\n1,2,3\n1,2,3,4\n\n1\n")
    assert [(fault.row, fault.value) for fault in error.faults] == [(2, "2 cells"), (4, "4 cells"), (6, "1 cells")]
    assert "','" in error.why


def test_empty_cells_beyond_the_header_are_no_fault(tmp_path: Path) -> None:
    assert rows(read(tmp_path, "a,b\n1,2,,\n3,4, \n")) == {2: ["1", "2"], 3: ["3", "4"]}


@pytest.mark.parametrize(("text", "row"), [('a,b\n1,2\n"x"y,2\n', 3), ('a,b\n1,"2\n3,4\n', 2), ('a,"b\n', 1)])
def test_quotes_that_do_not_close(tmp_path: Path, text: str, row: int) -> None:
    (fault,) = refused(tmp_path, text).faults
    assert fault.row == row


def test_a_cell_of_endless_length(tmp_path: Path) -> None:
    assert refused(tmp_path, "a,b\n1," + "x" * 200_000 + "\n").faults[0].row == 2


def test_batches_make_one_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a,b\n" + "".join(f"{n},{n % 3 or ''}\n" for n in range(11))
    whole = rows(read(tmp_path, text))
    monkeypatch.setattr(csv_file, "BATCH", 4)
    assert rows(read(tmp_path, text)) == whole
    assert len(whole) == 11
    assert [fault.row for fault in refused(tmp_path, text + "1\n" + text).faults] == [13]


def test_columns_of_one_name(tmp_path: Path) -> None:
    error = refused(tmp_path, "a,b,a ,c,c\n1,2,3,4,5\n")
    assert [(fault.row, fault.column) for fault in error.faults] == [(1, "a"), (1, "c")]


def test_columns_without_a_name_are_left_out(tmp_path: Path) -> None:
    table = read(tmp_path, ",a, ,b,\n9,1,8,2,\n7,,,,\n")
    assert list(table.columns) == ["a", "b"]
    assert rows(table) == {2: ["1", "2"]}


@pytest.mark.parametrize("content", ["", "\n\n", " , \n", "a,b\n", "a,b\n\n,\n", "\ufeff"])
def test_files_without_rows(tmp_path: Path, content: str) -> None:
    error = refused(tmp_path, content)
    assert "is empty" in error.what or "holds no rows" in error.what


def test_missing_values(tmp_path: Path) -> None:
    text = "id,x,y\n1,NA,.\n2,-9,n/a\n3,-9.0,-90\n4,nan,NaN\n5,,007\n"
    assert rows(read(tmp_path, text)) == {
        2: ["1", None, None],
        3: ["2", "-9", "n/a"],
        4: ["3", "-9.0", "-90"],
        5: ["4", None, None],
        6: ["5", None, "007"],
    }
    given = rows(read(tmp_path, text, missing=(-9, "n/a")))
    assert given == {
        2: ["1", None, None],
        3: ["2", None, None],
        4: ["3", None, "-90"],
        5: ["4", None, None],
        6: ["5", None, "007"],
    }
    assert rows(read(tmp_path, text, missing=(-9,), missing_only=True))[2] == ["1", "NA", "."]


def test_hundreds_of_columns(tmp_path: Path) -> None:
    names = [f"c{place}" for place in range(700)]
    table = read(tmp_path, ",".join(names) + "\n" + ",".join(str(place) for place in range(700)) + "\n")
    assert list(table.columns) == names
    assert table.loc[2, "c699"] == "699"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gone.csv", "There is no data file"),
        ("gone.parquet", "There is no data file"),
        ("gone.dta", "There is no data file"),
        ("gone.sav", "There is no data file"),
        ("folder.csv", "cannot be read"),
        ("folder.dta", "cannot be read"),
        ("book.xlsx", "a kind that cannot be read"),
        ("data", "a kind that cannot be read"),
        ("\0.csv", "cannot be read"),
        ("x" * 300 + ".csv", "cannot be read"),
        ("file/d.csv", "cannot be read"),
    ],
)
def test_no_such_file(tmp_path: Path, name: str, words: str) -> None:
    for folder in ("folder.csv", "folder.dta"):
        (tmp_path / folder).mkdir()
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        data_file.read(Data(file=name), tmp_path)
    assert words in caught.value.what


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable for root")
def test_a_file_without_permission(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("a\n1\n", encoding="utf-8")
    (tmp_path / "d.csv").chmod(0)
    with pytest.raises(InvalidInput) as caught:
        data_file.read(Data(file="d.csv"), tmp_path)
    assert "ermission" in caught.value.why


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("d.parquet", b""),
        ("d.parquet", b"no such format"),
        ("d.parquet", b"PAR1\x00\x00PAR1"),
        ("d.dta", b"no such format"),
        ("d.sav", b"$FL2" + b"\0" * 300),
    ],
)
def test_binary_files_that_are_none(tmp_path: Path, name: str, content: bytes) -> None:
    error = refused(tmp_path, content, name)
    assert "cannot be read" in error.what
    assert "The reader reports" in error.why


def test_a_file_that_crashes_its_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # a damaged .sav can end pyreadstat 1.3.7 with a segmentation fault
    monkeypatch.setattr(labelled_file, "_CHILD", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert "damaged" in refused(tmp_path, b"$FL2", "d.sav").why


def test_an_ending_in_capitals(tmp_path: Path) -> None:
    assert rows(read(tmp_path, "a\n1\n", name="D.CSV")) == {2: ["1"]}


def test_parquet_cells_are_written_in_full(tmp_path: Path) -> None:
    table = pa.table(
        {
            " long ": pa.array([2**60 + 1, None], pa.int64()),
            "whole": pa.array([3.0, None]),
            "third": pa.array([1 / 3, float("inf")]),
            "flag": pa.array([True, None]),
            "word": pa.array([" a ", "NA"]),
            "category": pa.array(["x", "y"]).dictionary_encode(),
            "date": pa.array([datetime.date(2024, 5, 1), None]),
            "list": pa.array([[1, 2], None], pa.list_(pa.int64())),
            "small": pa.array([5, None], pa.int8()),
        }
    )
    pq.write_table(table, tmp_path / "d.parquet")
    found = data_file.read(Data(file="d.parquet"), tmp_path)
    assert found.columns[0] == "long"
    assert rows(found) == {
        2: [str(2**60 + 1), "3", repr(1 / 3), "True", "a", "x", "2024-05-01", "[1 2]", "5"],
        3: [None, None, "inf", None, None, "y", None, None, None],
    }


def test_parquet_with_columns_of_one_name(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), tmp_path / "d.parquet")
    with pytest.raises(InvalidInput) as caught:
        data_file.read(Data(file="d.parquet"), tmp_path)
    assert caught.value.faults[0].column == "a"


def test_stata_labels_and_missing_codes(tmp_path: Path) -> None:
    table = pd.DataFrame({"id": ["a", "b", "c"], "arm": [0.0, 1.0, 2.0], "score": [1.5, np.nan, 4.0]})
    labels = {"arm": {0: "usual", 1: "savings"}}
    missing = {"score": ["a"]}
    table["score"] = table["score"].astype(object)
    table.loc[1, "score"] = "a"  # Stata's .a
    pyreadstat.write_dta(table, str(tmp_path / "d.dta"), variable_value_labels=labels, missing_user_values=missing)
    found = data_file.read(Data(file="d.dta"), tmp_path)
    assert rows(found) == {2: ["a", "usual", "1.5"], 3: ["b", "savings", None], 4: ["c", "2", "4"]}


def test_spss_labels_and_missing_codes(tmp_path: Path) -> None:
    table = pd.DataFrame({"id": ["a", "b"], "arm": [0.0, 1.0], "score": [1.5, -9.0]})
    labels = {"arm": {0: "usual", 1: "savings"}}
    path = str(tmp_path / "d.sav")
    pyreadstat.write_sav(table, path, variable_value_labels=labels, missing_ranges={"score": [-9]})
    assert rows(data_file.read(Data(file="d.sav"), tmp_path)) == {2: ["a", "usual", "1.5"], 3: ["b", "savings", None]}


def test_codes_give_the_order_of_labels(tmp_path: Path) -> None:
    table = pd.DataFrame({"id": ["a", "b", "c"], "arm": [1.0, 0.0, 2.0]})
    labels = {"arm": {1: "savings", 0: "usual", 9: "not randomised"}}
    pyreadstat.write_sav(table, str(tmp_path / "d.sav"), variable_value_labels=labels)
    found = value_labels.of(data_file.read(Data(file="d.sav"), tmp_path))
    assert list(found) == ["arm"]
    assert found["arm"].order == ["usual", "savings", "2", "not randomised"]


@pytest.mark.parametrize("first", ["sep=;", "\ufeffsep=;", '"sep=;"', "SEP=;", "sep=;\r"])
def test_a_first_line_may_name_the_separator(tmp_path: Path, first: str) -> None:
    found = read(tmp_path, f"{first}\nid;x\n1;a,b\n")
    assert rows(found) == {2: ["1", "a,b"]}  # numbered as Excel does, which does not show that line
    assert list(found.columns) == ["id", "x"]


def test_the_study_files_separator_goes_before_the_first_lines(tmp_path: Path) -> None:
    assert rows(read(tmp_path, "sep=|\nid;x\n1;2|5\n", separator=";")) == {2: ["1", "2|5"]}
    assert list(read(tmp_path, "sep=x;y\n1;2\n", separator=";").columns) == ["sep=x", "y"]


@pytest.mark.parametrize(
    ("name", "kind", "fix"),
    [
        ("d.xlsx", "an Excel workbook", "CSV UTF-8"),
        ("d.RDS", "an R data file", "write_sav"),
        ("d.ods", "an OpenDocument spreadsheet", "CSV"),
        ("d.json", "JSON", "CSV"),
        ("d.tsv", "a text file", "separator"),
        ("d.por", "an SPSS portable file", ".sav"),
        ("d.zip", "a compressed file", "Unpack"),
        ("d.unheard", "Its ending is '.unheard'", ".sas7bdat"),
    ],
)
def test_a_kind_that_cannot_be_read_is_named(tmp_path: Path, name: str, kind: str, fix: str) -> None:
    error = refused(tmp_path, b"x", name)
    assert kind in error.why
    assert ".sas7bdat" in error.why
    assert fix in error.fix
