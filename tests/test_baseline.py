"""`models.trial.baseline_variables`: one value a participant, and a note wherever it is in doubt."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import xarray as xr

from tests.small_trial import ROWS, changed, loaded, text_of, with_cells


def notes(trial: xr.Dataset) -> list[str]:
    return json.loads(trial.attrs["notes"])


LATE = [
    f"{label}: no value at baseline for 1 participant; one from a later wave is used, although the programme may have "
    "changed it."
    for label in ("age", "sex")
]


def test_a_covariate_from_a_later_wave_is_noted(tmp_path: Path) -> None:
    assert notes(loaded(tmp_path)) == LATE  # 7 has no row at baseline
    assert notes(loaded(tmp_path, text_of(with_cells((4, "age", ""))))) == LATE[1:]
    # where no wave is the baseline there is no saying which rows came before the programme
    assert notes(loaded(tmp_path, study=changed(("waves.0.role", "follow-up")))) == []


def test_a_covariate_that_changes_is_noted_and_the_earliest_value_holds(tmp_path: Path) -> None:
    cells = [(7, "age", "45"), (8, "age", "46"), (3, "age", "31.0"), (3, "sex", "male"), (14, "sex", "female")]
    trial = loaded(tmp_path, text_of(with_cells(*cells)))
    xr.testing.assert_equal(trial, loaded(tmp_path))
    xr.testing.assert_identical(trial, loaded(tmp_path, text_of(with_cells(*cells)[::-1])))
    assert notes(trial) == [
        LATE[0],
        "age: another value in a later row for 1 participant; the earliest is used.",
        LATE[1],
        "sex: another value in a later row for 2 participants; the earliest is used.",
    ]


def test_notes_keep_to_the_smallest_cell(tmp_path: Path) -> None:
    trial = loaded(tmp_path, text_of(with_cells((3, "age", "32"))), changed(("privacy.minimum_cell", 2)))
    assert len(notes(trial)) == 3
    assert all("fewer than 2 participants" in note for note in notes(trial))


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ((), ["female", "male"]),
        (("male", "female"), ["male", "female"]),
        (("other", "female", "male"), ["other", "female", "male"]),
    ],
)
def test_levels_are_as_declared_or_in_alphabetical_order(tmp_path: Path, levels: tuple, expected: list[str]) -> None:
    trial = loaded(tmp_path, study=changed(("covariates.1.levels", list(levels))))
    assert json.loads(trial.attrs["levels"])["sex"] == expected
    codes = trial["covariate_value"].sel(covariate="sex").values
    assert [expected[int(code)] if code == code else "" for code in codes] == [
        "female",
        "male",
        "female",
        "male",
        "",
        "male",
    ]


def test_a_covariate_without_any_value(tmp_path: Path) -> None:
    blank = [[*row[:8], "", ""] for row in ROWS]
    trial = loaded(tmp_path, text_of(blank))
    assert bool(trial["covariate_value"].isnull().all())
