"""`dataset`: a valid file becomes the Dataset that a person would write down; any other is refused, row by row."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest
import xarray as xr

from models.faults import InvalidInput
from models.trial import dataset as trials
from models.trial.study_file import study as studies
from tests.small_trial import HEADER, ROWS, STUDY, changed, loaded, text_of, with_cells, written

NAN = math.nan


def faults(folder: Path, data: str | bytes, study: dict[str, Any] = STUDY) -> list[tuple[int | None, str, str]]:
    """Row, column and value of every fault."""
    with pytest.raises(InvalidInput) as caught:
        loaded(folder, data, study)
    error = caught.value
    assert error.what
    assert error.why
    assert error.fix
    assert all(fault.allowed for fault in error.faults)
    return [(fault.row, fault.column, fault.value) for fault in error.faults]


def spoilt(folder: Path, *cells: tuple[int, str, str], study: dict[str, Any] = STUDY) -> list[tuple]:
    """Faults of the small trial with cells replaced."""
    return faults(folder, text_of(with_cells(*cells)), study)


def test_every_cell_is_where_it_belongs(tmp_path: Path) -> None:
    trial = loaded(tmp_path)
    assert list(trial["participant"].values) == ["007", "7", "p3", "p4", "p5", "p6"]
    assert list(trial["wave"].values) == ["start", "middle", "end"]
    assert list(trial["month"].values) == [0, 1, 6.5]
    assert list(trial["role"].values) == ["baseline", "negative control", "follow-up"]
    assert list(trial["arm"].values) == [0, 0, 1, 1, 1, 0]
    yes, no = True, False
    np.testing.assert_array_equal(
        trial["seen"], [[yes, no, yes], [no, yes, yes], [yes] * 3, [yes, no, no], [yes] * 3, [yes, yes, no]]
    )
    np.testing.assert_array_equal(
        trial["outcome"], [[1, NAN, 0], [NAN, 0, NAN], [1, 1, 0], [0, NAN, NAN], [1, 0, 1], [0, 1, NAN]]
    )
    np.testing.assert_array_equal(
        trial["further_outcome"].sel(further="visits"),
        [[3, NAN, 0], [NAN, 2, NAN], [12, 7, 1], [NAN] * 3, [5, 4, 6], [1, 2, NAN]],
    )
    np.testing.assert_array_equal(
        trial["mediator_value"].sel(mediator="support"),
        [[50.5, NAN, NAN], [NAN, 47, 41.25], [39, 55, 60], [NAN] * 3, [48, 52.125, 49], [66, 61, NAN]],
    )
    np.testing.assert_array_equal(
        trial["mediator_value"].sel(mediator="income"),
        [[0.25, NAN, 1], [NAN, 0, NAN], [0.75, 0.5, 0.1], [NAN] * 3, [0.3, 0.2, 0.15], [0, 0.05, NAN]],
    )
    np.testing.assert_array_equal(trial["attendance"], [4, 2, 30, NAN, 34, 0])
    np.testing.assert_array_equal(trial["covariate_value"], [[31, 0], [28.5, 1], [44, 0], [NAN, 1], [52, NAN], [37, 1]])
    assert json.loads(trial.attrs["levels"]) == {"sex": ["female", "male"]}


def test_the_order_of_rows_and_columns_and_unused_columns_change_nothing(tmp_path: Path) -> None:
    order = list(range(len(HEADER)))
    random.Random(1).shuffle(order)
    rows = [[*(row[place] for place in order), "remark, unused"] for row in reversed(ROWS)]
    header = [*(HEADER[place] for place in order), "remark"]
    xr.testing.assert_identical(loaded(tmp_path, text_of(rows, header)), loaded(tmp_path))


def test_one_row_for_each_participant_is_enough(tmp_path: Path) -> None:
    trial = loaded(tmp_path, text_of([ROWS[1], ROWS[10]]))
    assert dict(trial.sizes)["participant"] == 2
    assert int(trial["seen"].sum()) == 2


def test_a_single_row_leaves_an_arm_empty(tmp_path: Path) -> None:
    assert faults(tmp_path, text_of(ROWS[1:2])) == [(None, "group", "no rows")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "changes"),
    [
        (text_of(ROWS).encode("utf-8-sig"), []),
        (text_of(ROWS, lineterminator="\r\n"), []),
        (text_of(ROWS, quoting=1), []),
        (text_of(ROWS, delimiter="\t"), [("data.separator", "\t")]),
        (text_of(ROWS).encode("utf-16"), [("data.encoding", "utf-16")]),
        ("\n" + text_of(ROWS).replace("\n", ",,\n\n"), []),
        (text_of([[f" {cell}  " for cell in row] for row in ROWS], [f"{name} " for name in HEADER]), []),
        (text_of([[cell or "NA" for cell in row] for row in ROWS]), []),
        (text_of([[cell or "-9.0" for cell in row] for row in ROWS]), [("data.missing", [-9])]),
        (text_of([[*row[:3], row[3] and f"{row[3]}.0", *row[4:]] for row in ROWS]), []),
        (text_of([[*row[:3], {"1": "TRUE", "0": "False"}.get(row[3], ""), *row[4:]] for row in ROWS]), []),
        (
            text_of([[*row[:3], {"1": "oui", "0": "non"}.get(row[3], ""), *row[4:]] for row in ROWS]),
            [("outcome.codes", {"oui": 1, "non": 0})],
        ),
        (
            text_of([[*row[:3], {"1": "2.0", "0": "1.0"}.get(row[3], ""), *row[4:]] for row in ROWS]),
            [("outcome.codes", {"2": 1, "1": 0})],
        ),
        (
            text_of([[cell.replace(".", ",") for cell in row] for row in ROWS], delimiter=";"),
            [("data.separator", ";"), ("data.decimal", ",")],
        ),
    ],
)
def test_other_ways_to_write_the_same_trial(tmp_path: Path, data: str | bytes, changes: list) -> None:
    xr.testing.assert_identical(loaded(tmp_path, data, changed(*changes)), loaded(tmp_path))


def test_labels_in_another_script_and_encoding(tmp_path: Path) -> None:
    rows = [[row[0], {"start": "début"}.get(row[1], row[1]), *row[2:]] for row in ROWS]
    study = changed(("waves.0.value", "début"), ("data.encoding", "cp1252"))
    trial = loaded(tmp_path, text_of(rows).encode("cp1252"), study)
    np.testing.assert_array_equal(trial["outcome"], loaded(tmp_path)["outcome"])
    mongolian = changed(("waves.0.value", "эхлэл"))
    rows = [[row[0], {"start": "эхлэл"}.get(row[1], row[1]), *row[2:]] for row in ROWS]
    np.testing.assert_array_equal(loaded(tmp_path, text_of(rows), mongolian)["outcome"], trial["outcome"])


def test_whole_numbers_as_labels_with_and_without_decimals(tmp_path: Path) -> None:
    number = {"start": ["0", "0.0"], "middle": ["1", "1.00"], "end": ["2", "2.0"]}
    rows = [[row[0], number[row[1]][place % 2], *row[2:]] for place, row in enumerate(ROWS)]
    study = changed(*((f"waves.{wave}.value", float(wave)) for wave in range(3)), ("primary_wave", 2))
    np.testing.assert_array_equal(loaded(tmp_path, text_of(rows), study)["outcome"], loaded(tmp_path)["outcome"])


def test_identifiers_that_look_alike_stay_apart(tmp_path: Path) -> None:
    rows = [
        [name, "end", arm, "1", *[""] * 6]
        for name, arm in zip(["007", "7", "07", "7e0", "a", "A"], ["usual", "savings"] * 3, strict=True)
    ]
    assert list(loaded(tmp_path, text_of(rows))["participant"].values) == ["007", "07", "7", "7e0", "A", "a"]


def test_an_identifier_written_with_decimals_is_the_same_person(tmp_path: Path) -> None:
    trial = loaded(tmp_path, text_of(with_cells((5, "who", "7.0"))))
    assert list(trial["participant"].values) == ["007", "7", "p3", "p4", "p5", "p6"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("sick", "2"),
        ("sick", "0.5"),
        ("sick", "yes"),
        ("sick", "inf"),
        ("sick", "1e400"),
        ("sick", "2024-01-31"),
        ("sick", "=1"),
        ("visits", "-1"),
        ("visits", "2.5"),
        ("visits", "1e10"),
        ("visits", "TRUE"),
        ("visits", "1,000"),
        ("visits", "0x10"),
        ("visits", "1_000"),
        ("visits", "١٢"),
        ("support", "inf"),
        ("support", "-1e999"),
        ("support", "True"),
        ("support", "12 points"),
        ("support", "1 000"),
        ("income", "1.0001"),
        ("income", "-0.1"),
        ("income", "45%"),
        ("sessions", "5"),
        ("sessions", "-1"),
        ("sessions", "3.5"),
        ("age", "unknown"),
        ("age", "-inf"),
        ("age", "1e999"),
        ("age", "FALSE"),
        ("sex", "f"),
        ("when", "End"),
        ("group", "Usual"),
    ],
)
def test_a_value_outside_its_kind(tmp_path: Path, column: str, value: str) -> None:
    assert spoilt(tmp_path, (2, column, value)) == [(2, column, value)]


@pytest.mark.parametrize("column", ["who", "when"])
def test_who_and_when_stand_in_every_row(tmp_path: Path, column: str) -> None:
    assert spoilt(tmp_path, (3, column, "")) == [(3, column, "")]


def test_all_faults_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    cells = (
        (9, "income", "2"),
        (2, "sick", "x"),
        (2, "age", "old"),
        (14, "when", "later"),
        (4, "who", ""),
        (7, "sick", "y"),
    )
    assert spoilt(tmp_path, *cells) == sorted(cells, key=lambda cell: cell[0])


def test_row_numbers_count_blank_lines_and_not_breaks_inside_quotes(tmp_path: Path) -> None:
    rows = with_cells((14, "sick", "wrong"))
    rows[0][9] = "female"
    lines = text_of([[*row, "a\nremark"] for row in rows], [*HEADER, "remark"])
    assert faults(tmp_path, lines.replace("007,end", "\n\n007,end")) == [(16, "sick", "wrong")]


def test_faults_say_what_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        loaded(
            tmp_path, text_of(with_cells((2, "sick", "2"), (3, "when", "x"), (4, "visits", "-1"), (5, "income", "2")))
        )
    assert [fault.allowed for fault in caught.value.faults] == [
        "0 or 1; other words: codes in the study file",
        "one of start, middle, end",
        "a whole number from 0 to 1000000000; a missing code? Then list it in [data] missing",
        "a share from 0 to 1",
    ]
    comma = changed(("data.separator", ";"), ("data.decimal", ","))
    with pytest.raises(InvalidInput) as caught:
        loaded(tmp_path, text_of(with_cells((2, "age", "31.5")), delimiter=";"), comma)
    assert {fault.allowed for fault in caught.value.faults if fault.column == "age"} == {
        "a number with a decimal comma; a decimal point? Then set decimal in [data]"
    }


def test_a_point_is_no_decimal_sign_where_the_comma_is(tmp_path: Path) -> None:
    study = changed(("data.separator", ";"), ("data.decimal", ","))
    rows = [[cell.replace(".", ",") for cell in row] for row in with_cells((2, "visits", "1.000"))]
    rows[0][4] = "1.000"  # a thousand visits, as a German spreadsheet writes it; not one
    assert faults(tmp_path, text_of(rows, delimiter=";"), study) == [(2, "visits", "1.000")]


def test_the_words_of_codes_are_the_only_ones(tmp_path: Path) -> None:
    study = changed(("outcome.codes", {"1": 1, "2": 0}))
    found = spoilt(tmp_path, study=study)
    assert {value for _, _, value in found} == {"0"}
    assert len(found) == sum(row[3] == "0" for row in ROWS)


def test_a_column_that_is_not_there_suggests_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        loaded(tmp_path, text_of(ROWS, ["who", "when", "group", "Sick", *HEADER[4:-1], "gender"]))
    assert [(fault.column, fault.value) for fault in caught.value.faults] == [
        ("sick", "no such column"),
        ("sex", "no such column"),
    ]
    assert "did you mean 'Sick'?" in caught.value.faults[0].allowed
    assert "the file has 'who', 'when'" in caught.value.faults[1].allowed


def test_another_separator_is_suggested(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        loaded(tmp_path, text_of(ROWS, delimiter=";"))
    assert "';'" in str(caught.value)


def test_arms(tmp_path: Path) -> None:
    assert spoilt(tmp_path, (3, "group", "savings")) == [(3, "group", "savings")]
    assert spoilt(tmp_path, (9, "group", "")) == [(9, "group", "")]
    # told once for a participant with three rows
    assert spoilt(tmp_path, (10, "group", ""), (11, "group", ""), (12, "group", "")) == [(10, "group", "")]
    # written in a later row only
    late = loaded(tmp_path, text_of(with_cells((6, "group", ""), (8, "group", "savings"))))
    xr.testing.assert_identical(late, loaded(tmp_path))


def test_two_rows_of_one_participant_and_wave(tmp_path: Path) -> None:
    assert faults(tmp_path, text_of([*ROWS, ROWS[0], ROWS[1], ROWS[0]])) == [
        (15, "when", "start"),
        (16, "when", "end"),
        (17, "when", "start"),
    ]
    assert spoilt(tmp_path, (8, "when", "middle")) == [(8, "when", "middle")]


def test_an_empty_arm_and_arms_without_outcomes(tmp_path: Path) -> None:
    usual = [row for row in ROWS if row[2] == "usual"]
    assert faults(tmp_path, text_of(usual)) == [(None, "group", "no rows")]
    silent = [row if row[0] in ("007", "7", "p6") else [*row[:3], "", *row[4:]] for row in ROWS]
    assert faults(tmp_path, text_of(silent)) == [(None, "sick", "all missing")]
    nothing = [[*row[:3], "", *row[4:]] for row in ROWS]
    assert faults(tmp_path, text_of(nothing)) == [(None, "sick", "all missing")] * 2


def test_more_people_than_were_randomised(tmp_path: Path) -> None:
    study = changed(("arms.treated.randomised", 2), ("arms.control.randomised", 3))
    assert faults(tmp_path, text_of(ROWS), study) == [(None, "arms.treated.randomised", "2")]


def test_attendance(tmp_path: Path) -> None:
    # 5 sessions fit the treated arm, where 34 are offered; the control arm has 4
    assert spoilt(tmp_path, (2, "sessions", "5")) == [(2, "sessions", "5")]
    assert spoilt(tmp_path, (6, "sessions", "35")) == [(6, "sessions", "35")]
    assert spoilt(tmp_path, (7, "sessions", "29")) == [(7, "sessions", "29")]
    xr.testing.assert_identical(loaded(tmp_path, text_of(with_cells((7, "sessions", "30.0")))), loaded(tmp_path))
    # an arm that stands in the first row only counts in the others
    assert spoilt(tmp_path, (2, "sessions", ""), (3, "group", ""), (3, "sessions", "5")) == [(3, "sessions", "5")]


def test_rows_that_contradict_each_other_are_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    rows = [*with_cells((2, "sessions", "5"), (12, "group", "usual")), ROWS[0]]
    rows[-1] = [*rows[-1][:7], "", *rows[-1][8:]]
    assert faults(tmp_path, text_of(rows)) == [(2, "sessions", "5"), (12, "group", "usual"), (15, "when", "start")]


def test_files_of_other_kinds_hold_the_same_trial(tmp_path: Path) -> None:
    table = pd.DataFrame([[cell or None for cell in row] for row in ROWS], columns=HEADER)
    for column in ("sick", "visits", "support", "income", "sessions", "age"):
        table[column] = pd.to_numeric(table[column])
    expected = loaded(tmp_path)
    labelled = table.assign(
        group=table["group"].map({"usual": 0.0, "savings": 1.0}), sex=table["sex"].map({"female": 1.0, "male": 2.0})
    )
    labels = {"group": {0: "usual", 1: "savings"}, "sex": {1: "female", 2: "male", 3: "other"}}
    for name in ("data.parquet", "data.dta", "data.sav"):
        path = tmp_path / name
        folder = written(tmp_path, study=changed(("data.file", name)))
        if name == "data.parquet":
            categories = {column: table[column].astype("category") for column in ("when", "group", "sex")}
            table.assign(**categories, sick=table["sick"].astype("boolean")).to_parquet(path)
        elif name == "data.dta":
            pyreadstat.write_dta(labelled, str(path), variable_value_labels=labels)
        else:
            pyreadstat.write_sav(labelled, str(path), variable_value_labels=labels)
        xr.testing.assert_identical(trials.load(*studies.read(folder)), expected)


def test_no_covariates_mediators_attendance_at_all(tmp_path: Path) -> None:
    study = {
        key: value
        for key, value in STUDY.items()
        if key not in ("covariates", "mediators", "attendance", "further_outcomes")
    }
    trial = loaded(tmp_path, study=study)
    assert trial["covariate_value"].shape == (6, 0)
    assert trial["mediator_value"].shape == (0, 6, 3)
    assert "attendance" not in trial


def test_a_repeated_row_names_the_participant_and_both_rows(tmp_path: Path) -> None:
    again = [*ROWS, list(ROWS[0]), [*ROWS[1][:3], "1", *ROWS[1][4:]]]
    with pytest.raises(InvalidInput) as caught:
        loaded(tmp_path, text_of(again))
    assert [(fault.row, fault.column, fault.value, fault.allowed) for fault in caught.value.faults] == [
        (
            15,
            "when",
            "start",
            "one row a participant and wave; '007' has it in row 2 too; the two rows are alike: leave one out",
        ),
        (
            16,
            "when",
            "end",
            "one row a participant and wave; '007' has it in row 3 too; their values differ: which one is right?",
        ),
    ]


def test_faults_that_differ_only_by_row_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        loaded(tmp_path, text_of(with_cells((2, "sick", "x"), (5, "when", "ende"), (7, "sick", "x"))))
    lines = [line for line in str(caught.value).splitlines() if line.startswith("  - ")]
    assert lines == [
        "  - 2 cells of sick: 'x' (allowed: 0 or 1; other words: codes in the study file), the first in row 2",
        "  - row 5, when: 'ende' (allowed: one of start, middle, end; did you mean 'end'?)",
    ]


def test_numbers_stand_beside_the_words_of_codes(tmp_path: Path) -> None:
    top = changed(("covariates.0.codes", {"90+": 90}))
    trial = loaded(tmp_path, text_of(with_cells((2, "age", "90+"))), top)
    assert trial["covariate_value"].sel(covariate="age").to_numpy()[0] == 90
    assert 28.5 in trial["covariate_value"].sel(covariate="age").to_numpy()
