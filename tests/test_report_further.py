"""Section 11 leaves no outcome out; a red gate no number of a refit; users' words stay words; slopes of section 6."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from tests.report_fixture import RED, Recipe, make
from tests.test_report_asked import FULL, OTHER, OWN, RECIPES, THREE, TWO, record, rows, section, words
from tests.test_report_page import Page, built, contents

NAMES = ("binary", "count", "little", "unordered", "no further outcome", "hostile", "suppressed")


@pytest.fixture(scope="module")
def reports(tmp_path_factory) -> dict[str, Path]:
    """A report of each kind that is looked at here."""
    return {name: built(tmp_path_factory.mktemp("further"), RECIPES[name]) for name in NAMES}


def _floats(row: dict[str, str]) -> list[float]:
    found = []
    for value in row.values():
        try:
            found.append(float(value))
        except ValueError:
            continue
    return found


# section 11


def test_no_outcome_is_left_out(reports: dict[str, Path]) -> None:
    for name in ("binary", "little", "hostile", "suppressed"):
        found = rows(reports[name], "secondary") + rows(reports[name], "post_hoc")
        assert [row["outcome"] for row in found] == ["further_0", "further_1", "further_2"]
    assert {row["difference"] for row in rows(reports["little"], "secondary")} == {"not run"}
    assert {row["reason"] for row in rows(reports["little"], "secondary")} == {"nobody has a value of it."}
    assert "names 3 further outcomes; none was analysed" in words(reports["little"], 11)
    assert "names 3 further outcomes; 3 were analysed" in words(reports["binary"], 11)
    assert rows(reports["unordered"], "post_hoc") == [{"reason": "No further outcome is named as post hoc."}]
    reason = "Not run: the study file names no further outcome."
    assert reason in words(reports["no further outcome"], 11)
    for name in OTHER:
        assert rows(reports["no further outcome"], name) == [{"reason": reason}]


def test_one_that_was_not_run_stands_beside_those_that_were(tmp_path: Path) -> None:
    folder = built(tmp_path, Recipe(further=THREE, blank=1))
    first, second = rows(folder, "secondary")
    assert first["reason"] == ""
    assert (second["difference"], second["median"], second["reason"]) == ("not run", "", "nobody has a value of it.")
    text = words(folder, 11)
    assert "names 3 further outcomes; 2 were analysed" in text
    assert "Further count outcome. Not run: nobody has a value of it." in text


def test_the_primary_wave_stands_alone_and_first(reports: dict[str, Path]) -> None:
    found = record(reports["binary"])["tables"]
    assert found["secondary"]["caption"].endswith("at the primary wave, 6 months after the programme")
    waves = {row["wave"] for row in rows(reports["binary"], "other_waves")}
    assert waves == {"post-test", "3 months"}
    text = section(reports["binary"], 11)
    assert text.index("table-secondary") < text.index("table-post_hoc") < text.index("table-other_waves")
    assert "negative control" in words(reports["binary"], 11)
    assert {row["named"] for row in rows(reports["binary"], "other_waves")} == {"pre-specified", "post hoc"}


# the gate, and what users write


def test_a_red_gate_leaves_no_number_of_a_refit(tmp_path: Path) -> None:
    green = built(tmp_path / "green", FULL)
    red = built(tmp_path / "red", Recipe(further=THREE, mediators=TWO, status=RED))
    numbers = {
        f"{value:.8g}"
        for name in (*OWN[:4], "recovery", *OTHER)
        for row in rows(green, name)
        for value in _floats(row)
        if len(f"{abs(value):.8g}") >= 8
    }
    assert len(numbers) > 40
    found = record(red)
    assert {found["sections"][number]["status"] for number in (8, 9, 10, 11)} == {"withheld"}
    for name, text in contents(red).items():
        assert not [number for number in numbers if number in text], name
    for name in (*OWN, *OTHER):
        assert rows(red, name)[0]["reason"].startswith("Withheld: ")
        assert name not in found["tables"]
    assert not {"refits", "what_if", "recovery", "other"} & set(found["sentences"])
    for name in ("refits", "what_if"):
        assert "Withheld" in (red / "figures" / f"{name}.svg").read_text(encoding="utf-8")
    assert "Every scale doubled" not in (red / "report.html").read_text(encoding="utf-8")


def test_a_red_mediation_gate_hides_its_numbers_in_section_9(tmp_path: Path) -> None:
    folder = built(tmp_path, Recipe(mediators=TWO, mediation=RED))
    assert rows(folder, "confounding")[0]["reason"].endswith("the mediation model's gate is red.")
    assert "ζ" not in words(folder, 9)
    assert {row["assumption"] for row in rows(folder, "tipping")} == {"Missing at random", "Every event is reported"}
    assert rows(folder, "mediator_slopes")[0]["reason"].startswith("Withheld: ")


def test_shown_anyway_a_section_that_was_not_run_keeps_its_reason(tmp_path: Path) -> None:
    folder = built(tmp_path, Recipe(status=RED), show_anyway=True)
    assert "Not run: the study file names no further outcome." in words(folder, 11)
    assert "Do not use these numbers" in words(folder, 9)


def test_what_users_write_stays_text(reports: dict[str, Path]) -> None:
    folder = reports["hostile"]
    files = contents(folder)
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", files["report.html"])
    for name, text in files.items():
        if name.endswith(".csv"):
            cells = [cell for row in csv.reader(text.splitlines()) for cell in row]
            assert not [cell for cell in cells if cell.startswith(("=", "@")) or re.match(r"[+-][^\d]", cell)], name
        if name.endswith(".svg"):
            assert "<script" not in text
            assert "<img" not in text
    found = Page(files["report.html"])
    assert not found.all("script") + found.all("img")
    assert "<script>alert(9)</script>" in found.text.replace("\u200b", "")


# the slopes of section 6


def test_slopes_are_those_of_the_mediation_fit(reports: dict[str, Path]) -> None:
    run = make(reports["binary"].parent / "slopes", FULL)
    draws = run.further["mediation"].tree["posterior"]["slope"]
    listed = rows(reports["binary"], "mediator_slopes")
    assert [row["mediator"] for row in listed] == ["social_support", "income_share"]
    for row in listed:
        own = draws.sel(acting_mediator=row["mediator"]).to_numpy().ravel()
        expected = np.quantile(own, [0.025, 0.5, 0.975])
        assert [float(row[name]) for name in ("lower", "median", "upper")] == pytest.approx(list(expected), rel=1e-6)
        assert row["evidence"] == "assumption-driven"
    assert "conditional (log-odds per SD of the mediator)" in words(reports["binary"], 6)
    assert "log-mean per SD" in words(reports["count"], 6)
    assert "mean of the two" in words(reports["little"], 6)
