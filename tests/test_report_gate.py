"""A red gate leaves no estimate in any file, whatever made it red; an amber one names the weakest element."""

from __future__ import annotations

import html
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from models.checks import gate as gates
from models.checks.gate_limits import LIMITS, limited
from models.checks.gate_table import Check, CheckName, Gate, Limit, Status
from models.runs.folder import Run
from reports.page import build
from reports.text import check_words
from reports.text.words import short
from tests.report_fixture import AMBER, RED, Recipe, make
from tests.test_gate import _inputs
from tests.test_report_page import Page, contents

ROOT = Path(__file__).parents[1]
MEDIATED = Recipe(mediators=("continuous", "share"))
FITS = {
    fit: [part.NUMBER for part in build.COMPOSED if part.ESTIMATES and hasattr(part, "judged") == (fit == "mediation")]
    for fit in ("effect", "mediation")
}
"""Sections whose estimates each fit's gate decides on: those that name no other judge, the first fit's."""
FIGURES = {
    CheckName.COMPLETE: dict.fromkeys(("chains", "draws", "planned_chains", "planned_draws"), 4),
    CheckName.CELLS: {"of": 8},
    CheckName.POWER_SCALING: {"shift": 0.01},
    CheckName.SPREADS: {"observed": 3.0, "lower": 1.0, "upper": 2.0},
    CheckName.ZEROS: {"cells": 0.2},
    CheckName.MEANS: {"expected": 3.0, "observed": 2.0},
    CheckName.GROUPS: {"control": 6.0, "treated": 7.0},
    CheckName.WIDTH: {"ratio": 2.0},
    CheckName.WIDTH_OF_COUNTS: {"ratio": 2.0},
}
"""Further figures of the checks that have some."""
SAFE = 9
"""Digits and point of a number that cannot stand in a file by chance."""


CAUSES = list(CheckName)
IN_TURN = [(cause, list(FITS)[place % 2]) for place, cause in enumerate(CAUSES)]
"""Each cause in one of the fits; what hides numbers is tried with both."""


def judged(folder: Path, fit: str, cause: str, status: str) -> Run:
    """A mediated run one check of one fit of which came out otherwise."""
    run = make(folder, MEDIATED)
    where = {"effect": {"variable": "theta", "follow_up": "6 months"},
             "mediation": {"variable": "slope", "acting_mediator": "social_support"}}[fit]  # fmt: skip
    check = Check(CheckName(cause), 1.2345, Limit(1.01, 1.05), (where,), Status(status), FIGURES.get(cause, {}))
    if fit == "effect":
        return replace(run, gate=Gate((*run.gate.checks, check)))
    further = run.further["mediation"]
    return replace(run, further={"mediation": replace(further, gate=Gate((*further.gate.checks, check)))})


def element(fit: str) -> str:
    return "effect, 6 months after the programme" if fit == "effect" else "slope of the outcome on social support score"


def told_of(run: Run, fit: str, cause: str) -> str:
    """The check as a page prints it, which names where it is worst."""
    made = (run if fit == "effect" else run.further[fit]).gate.checks[-1]
    words = check_words.worded(made, run.study).reported(cause)
    assert element(fit) in words
    return words


def numbers(run: Run, fit: str) -> set[str]:
    """Every number of a fit's estimates, of posterior, prior and probabilities, as its files write them."""
    table = (run if fit == "effect" else run.further[fit]).estimates
    printed = re.compile(r"mean$|(prior_)?(median|sd|lower|upper)$|p_|contraction")
    names = [name for name in table.columns if printed.match(name)]
    values = {float(value) for name in names for value in table[name] if math.isfinite(value)}
    return {text for text in (f"{abs(value):.8g}" for value in values) if len(text) >= SAFE}


def built(run: Run, show_anyway: bool = False) -> dict[str, str]:
    build.build(run, show_anyway)
    return contents(run.folder)


def told(record: dict) -> set[str]:
    """Sentences of an answer, which hold its printed numbers."""
    return {one["text"] for one in record["sentences"].values() if one["numbers"]}


def test_every_check_of_a_gate_is_a_cause() -> None:
    assert {1, 5, 7, 8} <= set(FITS["effect"])
    assert 6 in FITS["mediation"]
    assert set(check_words.WORDS) == set(CAUSES), "every check has its words"
    made = {check.name for check in gates.gate(**_inputs()).checks}
    assert made < set(CAUSES)
    assert set(LIMITS) < set(CAUSES)


@pytest.fixture(scope="module")
def green(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, dict[str, str]]:
    run = make(tmp_path_factory.mktemp("green"), MEDIATED)
    return run, built(run)


@pytest.mark.slow
@pytest.mark.parametrize("fit", list(FITS))
@pytest.mark.parametrize("cause", CAUSES)
def test_a_red_gate_hides_every_estimate_of_its_fit(
    tmp_path: Path, green: tuple[Run, dict[str, str]], cause: str, fit: str
) -> None:
    run = judged(tmp_path, fit, cause, RED)
    files = built(run)
    other = ({"effect", "mediation"} - {fit}).pop()
    secret = numbers(run, fit) - numbers(run, other)
    assert len(secret) > 100
    for name, text in files.items():
        assert not [number for number in secret if number in text], name
    assert set(files) == set(green[1])
    record, before = (json.loads(one["report.json"]) for one in (files, green[1]))
    sections = {part["number"]: part for part in record["sections"]}
    assert {number for number, part in sections.items() if part["status"] == "withheld"} == set(FITS[fit])
    reason = told_of(run, fit, cause)
    shown = Page(files["report.html"]).text
    for number in FITS[fit]:
        assert reason in sections[number]["reason"]
    assert shown.count(f"Withheld: the computation cannot be trusted. Failed: {reason}.") == len(FITS[fit])
    if fit == "effect":
        assert "an estimated" not in shown
        gone = {before["sentences"][name]["text"] for name in ("A1", "A2", "A3", "T1")}
    else:
        gone = {before["sentences"][name]["text"] for name in ("M1", "M2")}
    assert gone
    assert not gone & told(record)
    assert not [sentence for sentence in gone if sentence in shown]


@pytest.mark.slow
@pytest.mark.parametrize(("cause", "fit"), IN_TURN)
def test_show_anyway_prints_the_numbers_beside_the_reason(tmp_path: Path, cause: str, fit: str) -> None:
    run = judged(tmp_path, fit, cause, RED)
    files = built(run, show_anyway=True)
    missing = [number for number in numbers(run, fit) if number not in files["tables/estimates.csv"]
               and number not in files["report.json"]]  # fmt: skip
    assert not missing
    shown = Page(files["report.html"]).text
    warning = f"✗ Do not use these numbers. Failed: {told_of(run, fit, cause)}."
    status = {part["number"]: part["status"] for part in json.loads(files["report.json"])["sections"]}
    assert shown.count(warning) == sum(status[number] == "shown" for number in FITS[fit])
    assert "Withheld" not in shown


@pytest.mark.slow
@pytest.mark.parametrize(("cause", "fit"), IN_TURN)
def test_an_amber_gate_names_the_weakest_element(tmp_path: Path, cause: str, fit: str) -> None:
    run = judged(tmp_path, fit, cause, AMBER)
    files = built(run)
    found = Page(files["report.html"])
    told = f"{fit} model, {told_of(run, fit, cause)}"
    assert f"To look at: {told}." in found.text
    badge = files["report.html"][files["report.html"].index('<p class="badge amber">') :].split("</p>")[0]
    assert "! Computation: look" in badge
    assert short(f"To look at: {told}.", 260) in html.unescape(re.sub("<[^>]+>", "", badge))
    assert "an estimated" in found.text
    record = json.loads(files["report.json"])
    assert record["gate"]["status"] == "amber"
    assert not [part for part in record["sections"] if part["status"] == "withheld"]


def test_an_empty_gate_is_red_and_hides_too(tmp_path: Path) -> None:
    run = replace(make(tmp_path, Recipe()), gate=Gate(()))
    files = built(run)
    assert "an estimated" not in Page(files["report.html"]).text
    for name, text in files.items():
        assert not [number for number in numbers(run, "effect") if number in text], name


@pytest.mark.parametrize(
    ("name", "value", "used"),
    [
        (CheckName.CORE_ESS, 1250, 0.8),
        (CheckName.R_HAT, 1.004, 0.4),
        (CheckName.INTEGRATION, 1.7e-3, 0.17),
        (CheckName.DIVERGENCES, 0.0, 0.0),
    ],
)
def test_the_share_of_a_limit_that_a_passed_check_used(name: CheckName, value: float, used: float) -> None:
    assert LIMITS[name].used(value) == pytest.approx(used)


def test_a_green_gate_names_what_came_closest_to_its_limit(tmp_path: Path) -> None:
    run = make(tmp_path, MEDIATED)
    near = limited(CheckName.CORE_ESS, 1010, {"variable": "tau"})
    files = built(replace(run, gate=Gate((*run.gate.checks, near))))
    said = (
        f"Closest to its limit: effect model, {CheckName.CORE_ESS}: 1010 (spread between participants; pass: ≥ 1000)."
    )
    assert said in Page(files["report.html"]).text
