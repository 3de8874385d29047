"""Wide files: the same trial as its long form, and faults that name the row and the column of the file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import xarray as xr

from models.faults import InvalidInput
from models.runs import folder as runs
from models.trial.study_file import study as studies
from tests.small_trial import HEADER, REMOVED, ROWS, changed, loaded, text_of

VARYING = ["sick", "visits", "support", "income"]
WAVES = ["start", "middle", "end"]


def layout(*changes: tuple[str, Any]) -> dict[str, Any]:
    lists = {name: [f"{name}_{wave}" for wave in WAVES] for name in VARYING}
    return changed(("columns.wave", REMOVED), ("wide", lists), *changes)


def side_by_side() -> pd.DataFrame:
    """The six people's rows as one row each."""
    long = pd.DataFrame(ROWS, columns=HEADER).replace("", None)
    fixed = long.groupby("who", sort=False)[["group", "sessions", "age", "sex"]].first()
    wide = long.pivot(index="who", columns="when", values=VARYING).reindex(fixed.index)
    wide.columns = [f"{name}_{wave}" for name, wave in wide.columns]
    return fixed.join(wide).reset_index().fillna("")


def text(table: pd.DataFrame) -> str:
    return text_of(table.to_numpy().tolist(), list(table.columns))


def faults(folder: Path, table: pd.DataFrame, study: dict[str, Any]) -> list[tuple[int | None, str, str]]:
    with pytest.raises(InvalidInput) as caught:
        loaded(folder, text(table), study)
    return [(fault.row, fault.column, fault.value) for fault in caught.value.faults]


def test_the_same_trial_as_its_long_form(tmp_path: Path) -> None:
    wide = loaded(tmp_path, text(side_by_side()), layout())
    long = loaded(tmp_path)
    # an empty row of a long file is a visit; a wide one cannot say so: 7 at the end has support alone, seen too
    xr.testing.assert_equal(wide.drop_vars("covariate_value"), long.drop_vars("covariate_value"))
    xr.testing.assert_equal(wide["covariate_value"], long["covariate_value"])


def test_a_run_keeps_the_layout(tmp_path: Path) -> None:
    study = studies.parse(layout())
    assert studies.parse(tomllib.loads(runs.resolved(study))) == study
    assert "wide" not in studies.parse(changed()).model_dump(exclude_defaults=True)


def test_not_measured_at_a_wave(tmp_path: Path) -> None:
    table = side_by_side().drop(columns="support_middle")
    trial = loaded(tmp_path, text(table), layout(("wide.support", ["support_start", "", "support_end"])))
    assert trial["mediator_value"].sel(mediator="support", wave="middle").isnull().all()
    assert float(trial["mediator_value"].sel(mediator="support", wave="end", participant="p3")) == 60


def test_a_column_may_have_the_name_of_its_variable(tmp_path: Path) -> None:
    table = side_by_side().rename(columns={"sick_start": "sick"})
    trial = loaded(tmp_path, text(table), layout(("wide.sick", ["sick", "sick_middle", "sick_end"])))
    xr.testing.assert_equal(trial["outcome"], loaded(tmp_path)["outcome"])


def test_faults_name_the_row_and_column_of_the_file(tmp_path: Path) -> None:
    table = side_by_side()
    table.loc[2, "sick_end"] = "often"
    table.loc[4, "income_middle"] = "1.5"
    assert faults(tmp_path, table, layout()) == [(4, "sick_end", "often"), (6, "income_middle", "1.5")]


def test_a_repeated_participant_is_named(tmp_path: Path) -> None:
    table = side_by_side()
    (found,) = faults(tmp_path, pd.concat([table, table.iloc[[1]]]), layout())
    assert (found[0], found[1]) == (8, "who")
    assert found[2].startswith("7")


def test_a_wide_column_that_is_not_there_suggests_the_nearest(tmp_path: Path) -> None:
    table = side_by_side().rename(columns={"sick_end": "sick_End"})
    assert faults(tmp_path, table, layout()) == [(1, "sick_end", "no such column")]


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ([("columns.wave", "when")], "columns.wave"),
        ([("wide", {})], "columns.wave"),
        ([("wide.sick", REMOVED)], "wide.sick"),
        ([("wide.sick", ["sick_start", "sick_end"])], "wide.sick"),
        ([("wide.sick", ["", "", ""])], "wide.sick"),
        ([("wide.sick", ["sick_start", "sick_start", "sick_end"])], "columns"),
        ([("wide.sick", ["sick_start", "age", "sick_end"])], "columns"),
        ([("covariates.0.column", "sick")], "wide"),
    ],
)
def test_layouts_that_contradict_themselves(changes: list, place: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        studies.parse(layout(*changes))
    assert place in [fault.column for fault in caught.value.faults]


def test_a_misspelt_variable_is_recognised() -> None:
    with pytest.raises(InvalidInput, match="did you mean 'suport'"):
        studies.parse(layout(("wide.support", REMOVED), ("wide.suport", ["a", "b", "c"])))


def test_arms_left_out_by_name(tmp_path: Path) -> None:
    rows = [*ROWS, *(["x" + row[0], row[1], row[2] and "cash", *row[3:]] for row in ROWS[:4])]
    with pytest.raises(InvalidInput) as caught:
        loaded(tmp_path, text_of(rows))
    assert "more than two arms" in caught.value.what
    assert "leave_out" in caught.value.fix
    assert [(fault.column, fault.value) for fault in caught.value.faults] == [("group", "cash (2 participants)")]
    study = changed(("data.leave_out", ["cash"]))
    trial = loaded(tmp_path, text_of(rows), study)
    xr.testing.assert_equal(trial, loaded(tmp_path))
    assert "2 participants are left out: the arm 'cash', as [data] leave_out says." in trial.attrs["notes"]
    private = loaded(tmp_path, text_of(rows), changed(("data.leave_out", ["cash"]), ("privacy.minimum_cell", 5)))
    assert "fewer than 5 participants are left out" in private.attrs["notes"]


def test_a_misspelt_arm_is_a_cell_and_no_third_arm(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        loaded(tmp_path, text_of([*ROWS, ["p9", "start", "usuel", *[""] * 7]]))
    assert "more than two arms" not in caught.value.what


def test_who_is_in_an_arm_left_out_and_in_another_is_a_fault(tmp_path: Path) -> None:
    rows = [*ROWS, ["p6", "end", "cash", *[""] * 7]]
    with pytest.raises(InvalidInput):
        loaded(tmp_path, text_of(rows), changed(("data.leave_out", ["cash"])))


@pytest.mark.parametrize("value", ["usual", "cush"])
def test_leaving_out_what_is_compared_or_not_there(tmp_path: Path, value: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        loaded(tmp_path, study=changed(("data.leave_out", [value])))
    assert [(fault.column, fault.value) for fault in caught.value.faults] == [("data.leave_out", value)]
