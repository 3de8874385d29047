"""Missing codes: those that are listed are left out as numbers, those that are not are asked about."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.trial import dataset as trials
from models.trial import missing_codes
from models.trial.readers import cell_hints, data_file
from models.trial.study_file import study as studies
from models.trial.study_file.missing_values import MissingValues
from models.trial.study_file.study import Data
from tests.small_trial import changed, loaded, text_of, with_cells

N = 160


def score(rng: np.random.Generator) -> np.ndarray:
    return rng.binomial(27, rng.beta(0.8, 3, N)).astype(float)


def middling(rng: np.random.Generator) -> np.ndarray:
    return np.round(rng.normal(12, 6, N)).clip(0, 27)


def items(rng: np.random.Generator) -> np.ndarray:
    return rng.choice(4, N, p=[0.5, 0.3, 0.15, 0.05]).astype(float)


def decimals(rng: np.random.Generator) -> np.ndarray:
    return np.round(rng.normal(50, 10, N), 1)


def visits(rng: np.random.Generator) -> np.ndarray:
    return rng.negative_binomial(0.5, 0.1, N).astype(float)


CODED: list[tuple[Callable[[np.random.Generator], np.ndarray], list[float]]] = [
    *((score, [code]) for code in (-1, -9, -99, 77, 88, 98, 99, 999, 9999, -999)),
    *((middling, [code]) for code in (-1, -8, 99)),
    *((items, [code]) for code in (9, 99, -9)),
    *((decimals, [code]) for code in (-9, 999, 99.9e1, 9999)),
    *((score, codes) for codes in ([88, 99], [-9, -8], [97, 98, 99], [-9, 99], [500])),
    (visits, [999]),
]


@pytest.mark.parametrize(("column", "codes"), CODED)
def test_codes_are_asked_about(column: Callable[[np.random.Generator], np.ndarray], codes: list[float]) -> None:
    values = column(np.random.default_rng(1))
    least, greatest = values.min(), values.max()
    for place, code in enumerate(codes):
        values[place * 10 : place * 10 + 6] = code
    found = missing_codes.suspects(values)
    assert [(one.value, one.count) for one in found] == [(code, 6) for code in sorted(codes)]
    assert found[0].others[0] >= least
    assert found[0].others[1] <= greatest


def plain(kind: int, rng: np.random.Generator) -> np.ndarray:
    """A column without codes: skewed counts, many zeros, shares at 0 and 1, ages, scores, changes, skewed amounts."""
    n = int(rng.choice([40, 120, 500]))
    return [
        lambda: rng.negative_binomial(rng.uniform(0.2, 1), rng.uniform(0.05, 0.5), n),
        lambda: rng.negative_binomial(0.5, 0.05, n) * (rng.random(n) < rng.uniform(0.1, 0.5)),
        lambda: np.clip(np.round(rng.normal(0.5, 0.5, n), 2), 0, 1),
        lambda: np.round(rng.normal(rng.uniform(25, 80), rng.uniform(5, 18), n)).clip(18, 105),
        lambda: rng.binomial(27, rng.beta(0.8, 3, n)),
        lambda: np.round(rng.normal(rng.uniform(-5, 5), rng.uniform(1, 8), n)),
        lambda: np.round(rng.lognormal(rng.uniform(0, 4), rng.uniform(0.5, 1.5), n)),
        lambda: np.minimum(np.round(rng.normal(75, 12, n)), 90),  # top-coded
    ][kind]().astype(float)


def test_correct_columns_are_left_alone() -> None:
    # 2,000 columns at a true rate of .25%: 5 expected; 14 or more (.7%) by chance once in 1,000
    rng = np.random.default_rng(2)
    asked = sum(bool(missing_codes.suspects(plain(place % 8, rng))) for place in range(2000))
    assert asked < 14


@pytest.mark.parametrize(
    ("values", "codes"),
    [((0, 1), (9,)), ((0, 1), (-99,)), ((1, 2), (9, 99)), ((0, 1), (-1,)), ((0, 1), (88, 99)), ((1, 2), (-9,))],
)
def test_codes_beside_yes_and_no_are_asked_about(values: tuple[int, int], codes: tuple[int, ...]) -> None:
    column = np.array([*values * 40, *codes * 2], dtype=float)
    assert [one.value for one in missing_codes.suspects(column)] == sorted(codes)
    assert not missing_codes.suspects(column, known=codes)


@pytest.mark.parametrize("values", [(0, 1), (0, 1, 2), (0, 1, 3), (0, 5, 9)])
def test_few_values_that_are_counts_are_left_alone(values: tuple[int, ...]) -> None:
    assert not missing_codes.suspects(np.array(values * 20, dtype=float))


@pytest.mark.parametrize(
    ("values", "asked"),
    [
        ([1.472, 996, 12.004, 450, 1.1, 999], True),
        ([1.472, 996, 12.0045, 450, 1.1, 999], False),
        ([1.472, 96, 12.004, 450, 1.1, 999], False),
        ([0.512, 0.4, 0.123, 1, 1, 0], False),
        ([101.5, 102.25, 120.125, 450, 451, 999], False),
        ([1.472, 996, 12.004, 450, 999], False),
    ],
)
def test_thousands_read_as_decimals_are_asked_about(values: list[float], asked: bool) -> None:
    assert missing_codes.thousands(np.array(values)) is asked


@pytest.mark.parametrize(
    ("text", "hint"),
    [("1,472", "does the comma separate thousands"), ("18,3", "a decimal comma?"), ("0,472", "a decimal comma?")],
)
def test_a_comma_is_not_always_a_decimal_one(text: str, hint: str) -> None:
    assert cell_hints.of_number(text, ".", None).startswith(hint)


def test_a_code_that_the_study_file_names_is_a_value() -> None:
    values = np.array([*range(28), 99, 99, 99], dtype=float)
    assert missing_codes.suspects(values)
    assert not missing_codes.suspects(values, known=[99])


def test_the_question_stands_among_the_notes(tmp_path: Path) -> None:
    rows = text_of(with_cells((2, "support", "-99"), (4, "support", "-99"), (6, "age", "999")))
    notes = json.loads(loaded(tmp_path, rows).attrs["notes"])
    assert any(
        note.startswith("support: 2 values of −99 lie far from the others (39 to 66): a missing code?")
        and note.endswith('list it in [data] missing; if not, codes = { "-99" = -99 } says so.')
        for note in notes
    ), notes
    assert any(note.startswith("age: 1 value of 999 lies far from") for note in notes)
    listed = json.loads(loaded(tmp_path, rows, changed(("data.missing", [-99, 999]))).attrs["notes"])
    assert not any("missing code?" in note for note in listed)
    small = json.loads(
        loaded(tmp_path, rows, changed(("privacy.minimum_cell", 5), ("simulated", False))).attrs["notes"]
    )
    assert any(note.startswith("support: fewer than 5 values lie far from the others: ") for note in small)


@pytest.mark.parametrize(
    ("listed", "decimal", "text", "missing"),
    [
        (-99, ".", "-99", True),
        (-99, ".", "-99.0", True),
        (-99, ".", "-99.00", True),
        (-99, ".", "-9.9e1", True),
        (-99, ",", "-99,0", True),
        (-99, ",", "-99", True),
        ("-99,00", ",", "-99", True),
        ("-99.0", ",", "-99,000", True),
        (99.5, ",", "99,5", True),
        (99, ".", "99,0", False),  # no number where the point is the sign
        (1, ".", "1,000", False),
        (-99, ".", "-990", False),
        (99, ".", "99", True),
        (99, ".", "099", False),  # a name
        (0, ".", "0", True),
        (0, ".", "00", False),
        ("refused", ".", "refused", True),
        ("refused", ".", "Refused", False),
        (999, ".", "999", True),
        (".", ".", ".", True),
        ("x", ".", "NA", True),
        ("x", ",", "nan", True),
        ("x", ".", "n/a", False),
    ],
)
def test_numbers_match_as_numbers(listed: str | float, decimal: str, text: str, missing: bool) -> None:
    data = Data(file="d.csv", separator=";", decimal=decimal, missing=(listed,))
    assert (text in MissingValues.of(data)) is missing
    assert "NA" not in MissingValues.of(data.model_copy(update={"missing_only": True}))


def test_a_number_may_be_a_participants_name_and_a_month(tmp_path: Path) -> None:
    text = "id,month,x\n99,9,99\n9,99,9\n"
    (tmp_path / "d.csv").write_text(text, encoding="utf-8")
    found = data_file.read(Data(file="d.csv", missing=(9, 99)), tmp_path, keys=("id", "month"))
    assert found.fillna("—").to_numpy().tolist() == [["99", "9", "—"], ["9", "99", "—"]]
    rows = [[*row] for row in with_cells()]
    rows = [[row[0].replace("p4", "99"), *row[1:]] for row in rows]
    study = studies.parse(changed(("data.missing", [99])))
    (tmp_path / "data.csv").write_text(text_of(rows), encoding="utf-8")
    assert "99" in trials.load(study, tmp_path)["participant"].to_numpy()
