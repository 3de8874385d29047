"""Nobody can be recognised: no row of data, no count below the limit, and none that can be worked out."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from models.gate_table import Check, Gate
from reports import page
from reports.facts import Facts, printed
from reports.figures import contrasts
from reports.people import ARMS
from reports.privacy import HIDDEN, SUPPRESSED, Limit
from tests.report_fixture import Recipe, make

MINIMUM = 5


@pytest.fixture(scope="module")
def suppressed(tmp_path_factory) -> tuple[Facts, Path]:
    """A report of a study that asks for suppression, with one small cell made by hand."""
    folder = tmp_path_factory.mktemp("suppressed")
    run = make(folder, Recipe(minimum_cell=MINIMUM))
    outcome = run.core["observed_data"]["outcome"].to_numpy().copy()
    outcome[:50, 3] = 0.0
    outcome[:3, 3] = 1.0
    outcome[43:50, 3] = np.nan  # leaves 3 of 43 in the control arm at the primary wave
    run.core["observed_data"] = xr.DataTree(
        run.core["observed_data"].to_dataset().assign(outcome=(("participant", "wave"), outcome))
    )
    page.build(run)
    return Facts(run), folder


def rows(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file."""
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


@given(st.lists(st.integers(0, 40), min_size=2, max_size=6))
def test_a_split_never_leaves_one_hole(counts: list[int]) -> None:
    cells = Limit(MINIMUM).split(counts)
    hidden = [count for count, cell in zip(counts, cells, strict=True) if cell.kind == SUPPRESSED]
    assert len(hidden) != 1
    assert not [count for count, cell in zip(counts, cells, strict=True) if count < MINIMUM and cell.kind != SUPPRESSED]
    assert [cell.text for cell in Limit(0).split(counts)] == [str(count) for count in counts]


@given(st.integers(0, 60), st.integers(0, 60))
def test_a_count_and_what_it_leaves_of_its_total(count: int, rest: int) -> None:
    cell = Limit(MINIMUM).count(count, count + rest)
    if min(count, rest) < MINIMUM:
        assert cell.kind == SUPPRESSED
        assert str(cell.value)[0] in "<>"
    else:
        assert cell.value == count


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
    found = [row for row in contrasts.intervals(facts) if row.wave == facts.primary and row.method != "modelled"]
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
        "missing": tuple(f"{arm}_{what}" for arm in ARMS for what in ("not seen", "outcome missing")),
        "waves": ("n",),
        "patterns": ("observed",),
        "predictive": ("n",),
    }
    seen = 0
    for table, columns in counted.items():
        for row in record["tables"][table]["rows"]:
            for column in columns:
                number = re.match(r"(\d+)(?: \((\d+)%\))?$", row[column]["printed"])
                seen += 1
                assert number is None or int(number.group(1)) >= MINIMUM, (table, row)
    assert seen > 40
    flow = record["figures"]["flow"]["rows"]
    assert not [
        cell
        for row in flow
        for cell in row[3:]
        if isinstance(cell, int) and (cell < MINIMUM or 0 <= row[2] - cell < MINIMUM)
    ]


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


def test_a_share_with_a_suppressed_denominator_has_no_digits_to_find_it_by(suppressed: tuple[Facts, Path]) -> None:
    facts, folder = suppressed
    coarse = 0
    for row in rows(folder / "tables" / "waves.csv"):
        if row["observed"] not in ("suppressed", "") and row["n"][:1] in "<>s":
            coarse += 1
            assert round(float(row["observed"]), 2) == float(row["observed"])
            exact = facts.people.counts[row["arm"], row["wave"]].mean
            assert f"{exact:.8g}" == row["observed"] or f"{exact:.8g}" not in (folder / "report.json").read_text(
                encoding="utf-8"
            )
    assert coarse


def test_observed_and_missing_hide_the_same_cells(suppressed: tuple[Facts, Path]) -> None:
    facts, _ = suppressed
    for place, cell in facts.people.observed.items():
        assert (facts.people.missing(place, "observed").kind == SUPPRESSED) == (cell.kind == SUPPRESSED)


def test_nothing_that_a_replicate_shows_gives_a_hidden_number_away(suppressed: tuple[Facts, Path]) -> None:
    facts, folder = suppressed
    waves = {(row["arm"], row["wave"]): row for row in rows(folder / "tables" / "waves.csv")}
    untold = {place for place, row in waves.items() if not row["n"].isdigit() or row["observed"] == SUPPRESSED}
    assert any(waves[place]["observed"] != SUPPRESSED for place in untold)
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


def test_the_number_of_rows_from_which_a_hidden_one_could_be_subtracted_is_told_nowhere(
    suppressed: tuple[Facts, Path],
) -> None:
    facts, folder = suppressed
    total = facts.group("checks", "loo").sizes["observation"]
    record = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert {row["rows"]["value"] for row in record["tables"]["pareto"]["rows"]} == {SUPPRESSED}
    assert {
        row["n"]["value"] for row in record["tables"]["predictive"]["rows"] if "both" in row["where"]["printed"]
    } == {SUPPRESSED}
    check = Check("Pareto k above 0.7", "green", f"4 of {total}", "", "0", "≤ 2% of those left out", "")
    for minimum, value in ((MINIMUM, "1% of them"), (0, f"4 of {total}")):
        study = make(folder.parent / "none", Recipe(minimum_cell=minimum)).study
        assert printed(Gate((check,)), study).checks[0].value == value


def test_a_crude_interval_beside_a_hidden_number_has_whole_points(suppressed: tuple[Facts, Path]) -> None:
    facts, _ = suppressed
    found = [row for row in contrasts.intervals(facts) if row.drawn and row.method != "modelled"]
    coarse = [row for row in found if facts.people.coarse(row.wave)]
    assert coarse
    assert contrasts.digits(facts, coarse[0].wave, 1) == 0
    for row in coarse:
        assert [100 * value for value in (row.median, row.lower, row.upper)] == pytest.approx(
            [round(100 * value) for value in (row.median, row.lower, row.upper)]
        )
