"""A red gate leaves no estimate in any file, whatever made it red; an amber one names the weakest element."""

from __future__ import annotations

import ast
import html
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from models import gate as gates
from models.gate_table import Check, Gate
from models.run import Run
from reports import page, verdict
from tests.report_fixture import AMBER, RED, Recipe, make
from tests.test_gate import _inputs
from tests.test_report_page import Page, contents

ROOT = Path(__file__).parents[1]
MEDIATED = Recipe(mediators=("continuous", "share"))
FITS = {
    fit: [part.NUMBER for part in page.COMPOSED if part.ESTIMATES and hasattr(part, "judged") == (fit == "mediation")]
    for fit in ("effect", "mediation")
}
"""Sections whose estimates each fit's gate decides on: those that name no other judge, the first fit's."""
SAFE = 9
"""Digits and point of a number that cannot stand in a file by chance."""


def causes() -> list[str]:
    """Name of every check that any gate makes: read from the code, so that a new one is tested unasked."""
    found = dict.fromkeys([*gates.LIMITS, *(check.name for check in gates.gate(**_inputs()).checks)])
    for path in sorted((ROOT / "models").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", "") in ("Check", "limited", "unneeded")
                and node.args
            ):
                name = node.args[0]
                if isinstance(name, ast.Constant) and isinstance(name.value, str):
                    found[name.value] = None
    return list(found)


CAUSES = causes()
IN_TURN = [(cause, list(FITS)[place % 2]) for place, cause in enumerate(CAUSES)]
"""Each cause in one of the fits; what hides numbers is tried with both."""


def judged(folder: Path, fit: str, cause: str, status: str) -> Run:
    """A mediated run one check of one fit of which came out otherwise."""
    run = make(folder, MEDIATED)
    check = Check(cause, status, "1.2345", "theta[6 months]" if fit == "effect" else "slope[social_support]",
                  "≤ 1.01", "≤ 1.05", "Run longer.")  # fmt: skip
    if fit == "effect":
        return replace(run, gate=Gate((*run.gate.checks, check)))
    further = run.further["mediation"]
    return replace(run, further={"mediation": replace(further, gate=Gate((*further.gate.checks, check)))})


def element(fit: str) -> str:
    return "effect, 6 months after the programme" if fit == "effect" else "slope of the outcome on social support score"


def numbers(run: Run, fit: str) -> set[str]:
    """Every number of a fit's estimates, of posterior, prior and probabilities, as its files write them."""
    table = (run if fit == "effect" else run.further[fit]).estimates
    names = [name for name in table.columns if re.match(r"(prior_)?(median|mean|sd|lower|upper)$|p_|contraction", name)]
    values = {float(value) for name in names for value in table[name] if math.isfinite(value)}
    return {text for text in (f"{abs(value):.8g}" for value in values) if len(text) >= SAFE}


def built(run: Run, show_anyway: bool = False) -> dict[str, str]:
    page.build(run, show_anyway)
    return contents(run.folder)


def told(record: dict) -> set[str]:
    """Sentences of an answer, which hold its printed numbers."""
    return {one["text"] for one in record["sentences"].values() if one["numbers"]}


def test_every_check_of_a_gate_is_a_cause() -> None:
    assert len(CAUSES) >= 17
    assert {1, 5, 7, 8} <= set(FITS["effect"])
    assert 6 in FITS["mediation"]
    assert {"data hash", "total − sum of parts", "total effect agrees with the effect model's"} <= set(CAUSES)
    importing = re.compile(r"from models\.gate_table import [^\n]*\bCheck\b")
    made = {path.stem for path in (ROOT / "models").glob("*.py") if importing.search(path.read_text(encoding="utf-8"))}
    assert made == {"analysis", "gate", "gate_limits", "outcome_checks", "path_checks"}, (
        "another module makes checks: see that `causes` reads it"
    )


@pytest.fixture(scope="module")
def green(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, dict[str, str]]:
    run = make(tmp_path_factory.mktemp("green"), MEDIATED)
    return run, built(run)


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
    reason = f"{cause}: 1.2345 ({element(fit)}; pass: ≤ 1.01)"
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


@pytest.mark.parametrize(("cause", "fit"), IN_TURN)
def test_show_anyway_prints_the_numbers_beside_the_reason(tmp_path: Path, cause: str, fit: str) -> None:
    run = judged(tmp_path, fit, cause, RED)
    files = built(run, show_anyway=True)
    missing = [number for number in numbers(run, fit) if number not in files["tables/estimates.csv"]
               and number not in files["report.json"]]  # fmt: skip
    assert not missing
    shown = Page(files["report.html"]).text
    warning = f"✗ Do not use these numbers. Failed: {cause}: 1.2345 ({element(fit)}; pass: ≤ 1.01)."
    status = {part["number"]: part["status"] for part in json.loads(files["report.json"])["sections"]}
    assert shown.count(warning) == sum(status[number] == "shown" for number in FITS[fit])
    assert "Withheld" not in shown


@pytest.mark.parametrize(("cause", "fit"), IN_TURN)
def test_an_amber_gate_names_the_weakest_element(tmp_path: Path, cause: str, fit: str) -> None:
    files = built(judged(tmp_path, fit, cause, AMBER))
    found = Page(files["report.html"])
    model = f"{fit} model, "
    assert f"To look at: {model}{cause}: 1.2345 ({element(fit)}; pass: ≤ 1.01)." in found.text
    badge = files["report.html"][files["report.html"].index('<p class="badge amber">') :].split("</p>")[0]
    assert "! Computation: look" in badge
    assert f"{model}{cause}: 1.2345 ({element(fit)}; pass: ≤ 1.01)" in html.unescape(re.sub("<[^>]+>", "", badge))
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
    ("name", "value", "limit", "used"),
    [
        ("effective draws", "1250", "≥ 1000", 0.8),
        ("R-hat, largest", "1.004", "≤ 1.01", 0.4),
        ("integration error of the averages", "1.7e−03 of the posterior variance", "≤ 1%", 0.17),
        ("divergences", "0 of 8000", "0", 0.0),
        ("data hash", "equal", "equal", 0.0),
        ("chains and draws as planned, all finite", "4 × 2000", "4 × 2000, finite", 0.0),
    ],
)
def test_the_share_of_a_limit_that_a_passed_check_used(name: str, value: str, limit: str, used: float) -> None:
    assert verdict._used(Check(name, "green", value, "", limit, "", "")) == pytest.approx(used)


def test_a_green_gate_names_what_came_closest_to_its_limit(tmp_path: Path) -> None:
    run = make(tmp_path, MEDIATED)
    near = Check("effective draws", "green", "1010", "tau", "≥ 1000", "≥ 400", "")
    files = built(replace(run, gate=Gate((*run.gate.checks, near))))
    said = "Closest to its limit: effect model, effective draws: 1010 (spread between participants; pass: ≥ 1000)."
    assert said in Page(files["report.html"]).text
