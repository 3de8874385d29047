"""Nobody can be recognised: no row of data, no count below the limit, and none that can be worked out."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from models.trial.study_file.study import Privacy
from reports.page import build
from reports.text import difference_by_wave
from reports.text.facts import Facts
from reports.text.people import ARMS
from reports.text.privacy import HIDDEN, SUPPRESSED, Limit
from tests.report_fixture import Recipe, make, study

MINIMUM = 5


@pytest.fixture(scope="module")
def suppressed(tmp_path_factory) -> tuple[Facts, Path]:
    """A report of a study that asks for suppression, with one small cell made by hand."""
    folder = tmp_path_factory.mktemp("suppressed")
    run = make(folder, Recipe(minimum_cell=MINIMUM))
    outcome = run.tree["trial"]["outcome"].to_numpy().copy()
    outcome[:50, 3] = 0.0
    outcome[:3, 3] = 1.0
    outcome[43:50, 3] = np.nan  # leaves 3 of 43 in the control arm at the primary wave
    run.tree["trial"] = xr.DataTree(run.tree["trial"].to_dataset().assign(outcome=(("participant", "wave"), outcome)))
    build.build(run)
    return Facts(run), folder


def rows(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file."""
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


@given(st.lists(st.integers(0, 40), min_size=2, max_size=6))
def test_a_split_leaves_no_hole_that_others_fill_and_hides_nobody_who_is_not_there(counts: list[int]) -> None:
    cells = Limit(MINIMUM).split(counts)
    hidden = [count for count, cell in zip(counts, cells, strict=True) if cell.kind == SUPPRESSED]
    assert 0 not in hidden
    # one alone is left only where it is all there is
    assert len(hidden) != 1 or hidden == [count for count in counts if count]
    assert not [count for count in counts if 0 < count < MINIMUM and count not in hidden]
    assert [cell.text for cell in Limit(0).split(counts)] == [str(count) for count in counts]


@given(st.integers(0, 60), st.integers(0, 60))
def test_a_count_and_what_it_leaves_of_its_total(count: int, rest: int) -> None:
    cell = Limit(MINIMUM).count(count, count + rest)
    if any(0 < part < MINIMUM for part in (count, rest)):
        assert cell.kind == SUPPRESSED
        assert str(cell.value)[0] in "<>"
    else:
        assert cell.value == count


@pytest.mark.parametrize(
    ("privacy", "simulated", "outcome", "age", "histories"),
    [
        ({"minimum_cell": 5}, False, 0, 5, 5),
        ({"minimum_cell": 5, "hide_outcome_counts": True}, False, 5, 5, 5),
        ({"minimum_cell": 5, "sensitive": ["education"]}, False, 0, 0, 5),
        ({"minimum_cell": 5, "sensitive": ["age"]}, False, 0, 5, 5),
        ({"minimum_cell": 5, "hide_outcome_counts": True}, True, 0, 0, 0),
        ({}, False, 0, 0, 0),
    ],
)
def test_which_cells_are_sensitive(
    privacy: dict[str, object], simulated: bool, outcome: int, age: int, histories: int
) -> None:
    plan = study(Recipe()).model_copy(update={"privacy": Privacy(**privacy), "simulated": simulated})
    found = [Limit.of(plan, column).minimum for column in ("violence", "age", "")]
    assert found == [outcome, age, histories]


def test_events_of_the_primary_outcome_are_printed_unless_the_study_says_otherwise(tmp_path: Path) -> None:
    run = make(tmp_path, Recipe(minimum_cell=MINIMUM))
    group = run.tree["trial"].to_dataset()
    outcome = np.zeros((107, 4))
    outcome[:3] = 1.0
    run.tree["trial"] = xr.DataTree(group.assign(outcome=(("participant", "wave"), outcome)))
    place = ("control", "6 months")
    assert Facts(run).people.hidden(place)
    assert not Facts(run).people.hidden(("treated", "6 months"))  # nobody: a zero is of nobody
    told = replace(run, study=run.study.model_copy(update={"privacy": Privacy(minimum_cell=MINIMUM)}))
    assert not Facts(told).people.hidden(place)


def test_a_small_cell_is_printed_nowhere(suppressed: tuple[Facts, Path]) -> None:
    facts, folder = suppressed
    assert facts.people.hidden(("control", facts.primary))
    waves = {(row["wave"], row["arm"]): row for row in rows(folder / "tables" / "waves.csv")}
    assert waves["6 months", "control"]["observed"] == "suppressed"
    assert all(
        row["observed"] == "suppressed"
        for row in rows(folder / "figures" / "trajectories.csv")
        if (row["arm"], row["wave"]) == ("control", "6 months")
    )
    assert all(
        row["observed"] == "suppressed"
        for row in rows(folder / "figures" / "predictive.csv")
        if (row["arm"], row["wave"]) == ("control", "6 months")
    )
    share = f"{3 / 43:.8g}"
    for path in folder.rglob("*.*"):
        assert share not in path.read_text(encoding="utf-8"), path.name


def test_a_crude_difference_that_would_give_it_away_is_left_out(suppressed: tuple[Facts, Path]) -> None:
    facts, folder = suppressed
    found = [
        row for row in difference_by_wave.intervals(facts) if row.wave == facts.primary and row.method != "modelled"
    ]
    assert len(found) == 2
    assert {row.text for row in found} == {"suppressed"}
    assert not [
        row
        for row in rows(folder / "figures" / "contrasts.csv")
        if row["wave"] == facts.primary and row["method"] != "modelled"
    ]


def test_no_count_below_the_limit_stands_in_a_table(suppressed: tuple[Facts, Path]) -> None:
    _, folder = suppressed
    record = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    counted = {
        "baseline": ARMS,
        "patterns": ("observed",),
    }
    seen = 0
    for table, columns in counted.items():
        for row in record["tables"][table]["rows"]:
            for column in columns:
                number = re.match(r"(\d+)(?: \((\d+)%\))?$", row[column]["printed"])
                seen += 1
                small = number is not None and 0 < int(number.group(1)) < MINIMUM
                assert not small or "missing" in str(row["variable"]["value"]), (table, row)
    assert seen > 20


def test_no_file_has_a_row_a_participant(suppressed: tuple[Facts, Path]) -> None:
    facts, folder = suppressed
    people = {
        len(facts.people.arm),
        int(np.isfinite(facts.people.outcome).sum()),
        *(facts.people.size(arm) for arm in ARMS),
    }
    for path in folder.rglob("*.csv"):
        found = rows(path)
        assert len(found) not in people, path.name
        assert not found or not {"participant", "trait", "id"} & {name.casefold() for name in found[0]}, path.name


def test_nothing_that_a_replicate_shows_gives_a_hidden_number_away(suppressed: tuple[Facts, Path]) -> None:
    facts, folder = suppressed
    waves = {(row["arm"], row["wave"]): row for row in rows(folder / "tables" / "waves.csv")}
    untold = {place for place, row in waves.items() if row["observed"] == SUPPRESSED}
    assert all(row["n"].isdigit() for row in waves.values())
    assert untold
    assert len(untold) < len(facts.people.counts)
    files = {path.name: path.read_text(encoding="utf-8") for path in folder.rglob("*.*")}
    for row in facts.run.predictive_checks.to_dict("records"):
        place = (row["arm"], row["wave"])
        if place in untold or not row["arm"]:
            for field in ("lower", "median", "upper"):
                found = f"{row[field]:.8g}"
                if len(found) > 8:  # shorter ones may stand in a file by chance
                    assert not [name for name, text in files.items() if found in text], (place, field)
    told = {(row["arm"], row["wave"]): row for row in rows(folder / "figures" / "predictive.csv")}
    assert {place for place, row in told.items() if row["upper"] == SUPPRESSED} == untold
    assert {row["inside"] for row in told.values()} <= {"true", "false"}
    table = json.loads(files["report.json"])["tables"]["predictive"]["rows"]
    hidden = [row for row in table if row["predicted"]["printed"] == HIDDEN]
    assert len(hidden) == len(untold) + sum(row["check"]["value"] in ("never", "always") for row in table)
    assert all(row["inside"]["printed"][2:] in ("inside", "outside") for row in hidden)
