"""Sections 8 to 10: refits, changed assumptions and simulated trials say what the run holds, in every kind of run."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from reports.page import build
from reports.sections import section_09_what_if
from reports.text import sensitivities
from reports.text.decision import verdict
from reports.text.facts import Facts
from tests.report_fixture import Recipe, make
from tests.test_report_page import HOSTILE, Page, built, contents, fresh
from tests.test_report_schema import faults

pytestmark = pytest.mark.slow

THREE = ("binary", "count", "continuous")
TWO = ("continuous", "share")
FULL = Recipe(further=THREE, mediators=TWO)
OWN = ("refits", "what_if", "tipping", "missing_not_at_random", "misreporting", "confounding", "recovery")
OTHER = ("secondary", "post_hoc", "other_waves")
MARKUP = {
    "further0": "<script>alert(9)</script> =1+1 " + "W" * 400,
    "further1": "مدخرات \u202e reversed \u202c </td></table>",
    "set0": "<img src=x onerror=alert(1)> " + "x" * 300,
    "set1": "=HYPERLINK(1)",
    "set_why0": '<script>alert(8)</script> "quoted" ' + "y" * 900,
}
RECIPES = {
    "binary": FULL,
    "count": Recipe(kind="count", further=THREE, mediators=TWO),
    "continuous": Recipe(kind="continuous", further=THREE, mediators=TWO),
    "higher is better": Recipe(better="higher", effect=1.5, further=("binary",)),
    "little": Recipe(asked="little", further=THREE, mediators=TWO, interaction=True),
    "nothing but the main result": Recipe(
        kind="continuous", asked="little", several_waves=False, baseline=False, negative_control=False
    ),
    "unordered": Recipe(mediators=TWO, several_waves=False, negative_control=False, further=("count",)),
    "older run": Recipe(asked="none", further=THREE),
    "no further outcome": Recipe(),
    "hostile": Recipe(further=THREE, mediators=TWO, texts=HOSTILE | MARKUP),
    "suppressed": Recipe(further=THREE, mediators=TWO, minimum_cell=5),
}


@pytest.fixture(scope="module")
def reports(tmp_path_factory) -> dict[str, Path]:
    """A report of each kind."""
    return {name: built(tmp_path_factory.mktemp("asked"), recipe) for name, recipe in RECIPES.items()}


def record(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "tables" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def section(folder: Path, number: int) -> str:
    text = (folder / "report.html").read_text(encoding="utf-8")
    found = re.search(rf'<section id="section-{number}".*?</section>', text, re.DOTALL)
    assert found
    return found[0]


def words(folder: Path, number: int) -> str:
    return Page(section(folder, number)).text


def figures(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "figures" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# every kind of run


@pytest.mark.parametrize("name", RECIPES)
def test_a_report_is_whole_whatever_was_asked(reports: dict[str, Path], name: str) -> None:
    folder = reports[name]
    found = Page((folder / "report.html").read_text(encoding="utf-8"))
    assert faults(record(folder)) == []
    assert (folder / "report.html").stat().st_size < 2**20
    tags = [tag for tag, _ in found.tags]
    assert tags.count("table") == tags.count("caption")
    assert not found.all("script") + found.all("img")
    assert {path.stem for path in (folder / "tables").iterdir()} == set(build.names()["tables"])
    for path in sorted((folder / "tables").iterdir()):
        header, *content = csv.reader(path.read_text(encoding="utf-8").splitlines())
        assert header != ["reason"] or content[0][0].strip(), f"{path.name} has neither numbers nor a reason"
        assert content, path.name


@pytest.mark.parametrize("name", RECIPES)
def test_every_number_that_is_said_is_in_the_record(reports: dict[str, Path], name: str) -> None:
    told = record(reports[name])["sentences"]
    known = {
        (f"{number['value']:.8g}", number["printed"])
        for sentence in told.values()
        for number in sentence["numbers"].values()
    }
    for number in (8, 9, 10, 11):
        text = section(reports[name], number).replace("&gt;", ">").replace("&lt;", "<")
        assert set(re.findall(r'<data value="([^"]+)">([^<]+)</data>', text)) <= known
    for key in ("refits", "what_if", "recovery", "other"):
        if key in told:
            sentence = told[key]["text"].replace(" 0 in ", " ").replace("excludes 0", "").replace("exclude 0", "")
            sentence = sentence.replace("includes 0", "").replace("towards 0", "")
            printed = {part for one in told[key]["numbers"].values() for part in one["printed"].split()}
            assert set(re.findall(r"−?\d+(?:\.\d+)?%?", sentence)) <= printed, key


def test_two_builds_are_equal(tmp_path: Path) -> None:
    one, two = (contents(fresh(tmp_path / name, FULL)) for name in ("one", "two"))
    assert one == two


def test_an_older_run_says_what_makes_refits(reports: dict[str, Path]) -> None:
    folder = reports["older run"]
    found = record(folder)
    assert sensitivities.NO_REFITS in words(folder, 10)  # it may show a calibration study all the same
    for number in (9, 11):
        assert (found["sections"][number]["status"], found["sections"][number]["reason"]) == (
            "not run",
            sensitivities.NO_REFITS,
        )
        assert sensitivities.NO_REFITS in words(folder, number)
    assert found["sections"][8]["status"] == "shown"
    assert sensitivities.NO_REFITS in words(folder, 8)
    for name in (*OWN, *OTHER):
        assert rows(folder, name) == [{"reason": sensitivities.NO_REFITS}]
    assert sensitivities.NO_REFITS in (folder / "figures" / "refits.svg").read_text(encoding="utf-8")


# arms exchanged


def test_exchanging_the_arms_turns_everything_round(tmp_path: Path) -> None:
    one, other = (built(tmp_path / str(effect), Recipe(further=THREE, effect=effect)) for effect in (-0.4, 0.4))
    signs = ("median", "lower", "upper", "prior_lower", "prior_upper")
    for name in ("refits", "secondary", "post_hoc", "other_waves", "recovery"):
        mine, theirs = rows(one, name), rows(other, name)
        if name == "refits":
            mine, theirs = mine[1:], theirs[1:]  # the main result has draws of its own
        assert len(mine) == len(theirs) > 0
        for left, right in zip(mine, theirs, strict=True):
            for field in (field for field in signs if field in left):
                mirror = field.replace("lower", "UPPER").replace("upper", "lower").replace("UPPER", "upper")
                assert float(left[field]) == pytest.approx(-float(right[mirror]), abs=1e-7), (name, field)
            if "benefit" in left:
                assert float(left["benefit"]) == pytest.approx(1 - float(right["benefit"]), abs=1e-7)
            if "control" in left:
                difference = float(left["treated"]) - float(left["control"])
                assert difference == pytest.approx(float(left["median"]), abs=1e-6)
                assert (left["control"], left["control_lower"]) == (right["treated"], right["treated_lower"])
                assert (left["treated"], left["treated_upper"]) == (right["control"], right["control_upper"])
    # on the surface the arms change places, and with them what is better
    surface = {(row["control"], float(row[f"treated_{d:g}"])) for d in (-1, 1) for row in rows(one, OWN[3])}
    mirror = {(row["control"], -float(row[f"treated_{d:g}"])) for d in (-1, 1) for row in rows(other, OWN[3])}
    assert {(-float(c), round(v, 7)) for c, v in surface} == {(float(c), round(v, 7)) for c, v in mirror}
    tips, turned = (
        [row for row in rows(folder, "tipping") if (row["assumption"], row["against"]) == ("Missing at random", "0")]
        for folder in (one, other)
    )
    assert [float(row["tips"]) for row in tips] == [-float(row["tips"]) for row in reversed(turned)]
    assert [row["then"].split(": ")[1] for row in tips] == ["benefit", "harm"]
    assert [row["then"] for row in tips] == [row["then"] for row in turned]


def test_what_is_better_follows_the_study(tmp_path: Path) -> None:
    lower, higher = (
        built(tmp_path / better, Recipe(better=better, further=("binary",))) for better in ("lower", "higher")
    )
    for name in ("refits", "secondary"):
        for left, right in zip(rows(lower, name)[1:], rows(higher, name)[1:], strict=True):
            assert left["median"] == right["median"]
            assert float(left["benefit"]) == pytest.approx(1 - float(right["benefit"]))
    then = [[row["then"] for row in rows(folder, "tipping")[:4]] for folder in (lower, higher)]
    swapped = [text.replace("harm", "HARM").replace("benefit", "harm").replace("HARM", "benefit") for text in then[0]]
    assert then[1] == swapped
    assert {text.split(": ")[1] for text in then[0]} == {"harm", "benefit"}


# section 8


def test_refits_tell_range_margin_and_zero(reports: dict[str, Path]) -> None:
    folder = reports["binary"]
    listed, said = rows(folder, "refits"), record(folder)["sentences"]["refits"]["numbers"]
    medians = [float(row["median"]) for row in listed]
    assert (said["low"]["value"], said["high"]["value"]) == pytest.approx((min(medians), max(medians)), abs=1e-7)
    limits = sorted(((float(row["lower"]), float(row["upper"])) for row in listed), key=lambda one: one[1] - one[0])
    told = [(said[f"{which}_lower"]["value"], said[f"{which}_upper"]["value"]) for which in ("narrow", "wide")]
    assert np.allclose(told, [limits[0], limits[-1]], atol=1e-7)
    assert said["outside"]["value"] == sum(low > 0 or high < 0 for low, high in limits)
    assert said["inside"]["value"] == sum(low > -0.1 and high < 0.1 for low, high in limits)
    assert 0 < said["inside"]["value"] < len(listed) == said["every"]["value"]
    assert [row["part"] for row in figures(folder, "refits")] == [
        "Weakly informative, as analysed",
        "Diffuse",
        "Sceptical",
        "Weakly informative, SDs × 0.5",
    ]
    assert record(folder)["figures"]["refits"]["title"].endswith("under 4 sets of priors")


def test_a_scaled_set_does_not_borrow_the_words_of_the_set_it_came_from(reports: dict[str, Path]) -> None:
    why = [row["why"] for row in rows(reports["binary"], "refits")]
    assert why[0] == "Rules out effects that no trial has seen."
    assert why[3].startswith("The set as analysed, with the SD of every prior")
    assert words(reports["binary"], 8).count(why[0]) == 1
    assert all(text in words(reports["binary"], 8) for text in why)


def test_a_difference_of_risks_is_in_points_in_every_table(reports: dict[str, Path]) -> None:
    run = make(reports["binary"].parent / "units", FULL)
    (eight,) = [part for part in build.compose(Facts(run)) if part.number == 8]
    units = {row["quantity"].text.split(",")[0]: row["unit"].text for row in eight.tables["prior_posterior"].rows}
    assert units["Risk difference"] == "percentage points"
    assert units["Risk"] == "%"


# section 9


@pytest.mark.parametrize("name", ["binary", "count", "continuous", "higher is better", "suppressed"])
def test_title_sentence_and_rows_count_the_same(reports: dict[str, Path], name: str) -> None:
    main, *changed = rows(reports[name], "what_if")
    same = sum(row["says"].split(",")[0].split(":")[0] == main["says"].split(",")[0].split(":")[0] for row in changed)
    title = record(reports[name])["figures"]["what_if"]["title"]
    assert f"in {same} of {len(changed)} analyses" in title
    assert ("excludes" in title) == main["says"].startswith("excludes")
    numbers = record(reports[name])["sentences"]["what_if"]["numbers"]
    assert (numbers["same"]["value"], numbers["changed"]["value"]) == (same, len(changed))
    first = record(reports[name])["sentences"].get("W1", {"numbers": {}})["numbers"]
    kept, other, near = (
        found[key]["value"] if key in found else 0
        for found, key in ((numbers, "kept"), (first, "other"), (first, "near"))
    )
    assert kept + other + near == len(changed), "the first screen and section 9 count the same verdicts"
    assert numbers.get("near") == first.get("near")
    for row, drawn in zip([main, *changed], figures(reports[name], "what_if"), strict=True):
        assert [row[field] for field in ("analysis", "what", "lower", "upper", "evidence")] == [
            drawn[field] for field in ("part", "note", "lower", "upper", "evidence")
        ]
        lower, upper = float(row["lower"]), float(row["upper"])
        assert row["says"].startswith("includes 0") == (lower <= 0 <= upper)


def test_what_rests_on_an_assumption_is_classed_so(reports: dict[str, Path]) -> None:
    classes = {row["analysis"]: row["evidence"] for row in rows(reports["binary"], "what_if")}
    assert classes == {
        "As analysed": "randomised + MAR",
        "Complete cases": "assumption-driven",
        "Random slopes": "randomised + MAR",
        "Missing outcomes differ": "assumption-driven",
        "Events go unreported": "assumption-driven",
    }


@pytest.mark.parametrize("name", ["count", "continuous"])
def test_what_belongs_to_yes_or_no_is_not_said_of_numbers(reports: dict[str, Path], name: str) -> None:
    text = words(reports[name], 9).replace("sensitivity and specificity belong to yes-or-no outcomes", "")
    assert not re.findall(r"\bodds|[Ss]ensitivity|specificity|percentage point|risk", text)
    assert {"count": "mean × 2.7", "continuous": "+1 SD"}[name] in text
    assert not re.findall(r"\bodds|percentage point|\brisk\b", words(reports[name], 10))
    assert rows(reports[name], "misreporting")[0]["reason"].startswith("Misreporting. Not run: ")
    assert "log-odds" in words(reports["binary"], 9)


def test_what_was_not_run_says_so_with_its_name(reports: dict[str, Path]) -> None:
    text = words(reports["little"], 9)
    for head in ("Complete cases", "Random slopes", "Missing not at random", "Misreporting", "Unmeasured causes of"):
        assert re.search(rf"{head}[^.]*\. Not run: \w", text), head
    assert text.index("Unmeasured causes of") < text.index("As analysed, the verdict"), "what is open comes first"
    assert "no mediator is ordered" in rows(reports["unordered"], "confounding")[0]["reason"]
    alone = reports["nothing but the main result"]
    assert "No analysis with another assumption was run." in words(alone, 9)
    assert record(alone)["figures"]["what_if"]["title"] == "The interval includes 0 as analysed"
    assert rows(alone, "tipping") == [{"reason": section_09_what_if.NO_TIPS["tipping_reason"]}]


def test_tipping_values_are_those_of_the_run(reports: dict[str, Path]) -> None:
    run = make(reports["binary"].parent / "tips", FULL)
    every = rows(reports["binary"], "tipping")
    listed = {(row["assumption"], row["parameter"]): row["tips"] for row in every if "±" not in row["against"]}
    beside = [row for row in every if row["against"] == "±10"]
    assert [row["parameter"] for row in beside] == [row["parameter"] for row in every[:4]]
    tables = [run.asked(name) for name in ("missing_not_at_random", "misreporting")]
    limits = [row for table in tables for row in table[table["kind"] == "tipping_margin"].to_dict("records")]
    words_of = [verdict(row["lower"], row["upper"], 0.1, lower_is_better=True) for row in limits]
    assert [row["then"] for row in beside] == [f"the verdict of § 1 is {word}" for word in words_of]
    missing, told = (run.asked(name) for name in ("missing_not_at_random", "misreporting"))
    for table, columns, keys in (
        (missing, ("treated", "treated"), ("δ, treated arm, downwards", "δ, treated arm, upwards")),
        (told, ("treated", "control"), ("sensitivity, treated arm", "sensitivity, control arm")),
    ):
        found = table[table["kind"] == "tipping"].to_dict("records")
        for row, column, key in zip(found, columns, keys, strict=True):
            (text,) = [value for (_, parameter), value in listed.items() if parameter == key]
            assert float(text) == pytest.approx(row[column])
    assert listed["No unmeasured causes of mediator and outcome", "ζ"] == "-0.2641"


def test_a_verdict_that_never_changes_is_told_with_the_range(tmp_path: Path) -> None:
    run = make(tmp_path, Recipe())
    table = run.tree["missing_not_at_random"].to_dataset()
    tipping = table["kind"] == "tipping"
    table["treated"] = table["treated"].where(~tipping)
    table["searched_from"] = xr.where(tipping, 0.0, np.nan)
    table["searched_to"] = xr.where(tipping, -3.0, np.nan)
    run.tree["missing_not_at_random"] = xr.DataTree(table)
    build.build(run)
    first = rows(tmp_path, "tipping")[0]
    assert first["tips"] == "nowhere from 0 to −3"
    assert first["then"] == "nothing: throughout, the 95% interval includes 0"


def small(tmp_path: Path, control: int, missing: int) -> Path:
    """A study that asks for suppression, with `control` events and `missing` outcomes in one cell."""
    run = make(tmp_path, Recipe(minimum_cell=5))
    outcome = run.tree["trial"]["outcome"].to_numpy().copy()
    outcome[:50, 3] = 0.0
    outcome[50:, 3] = np.tile([0.0, 1.0, np.nan], 19)
    outcome[:control, 3] = 1.0
    outcome[50 - missing : 50, 3] = np.nan
    dims = ("participant", "wave")
    run.tree["trial"] = xr.DataTree(run.tree["trial"].to_dataset().assign(outcome=(dims, outcome)))
    build.build(run)
    return tmp_path


@pytest.mark.parametrize(("events", "missing", "hides"), [(3, 10, True), (20, 2, False), (20, 10, False)])
def test_a_small_cell_hides_how_far_the_missing_move_the_answer(
    tmp_path: Path, events: int, missing: int, hides: bool
) -> None:
    folder = small(tmp_path, events, missing)
    again = make(tmp_path / "again", Recipe(minimum_cell=5))
    # a number that another analysis has as well gives nothing away: at no bias all are the same
    own = _eight(again.asked("missing_not_at_random")) - _eight(again.asked("misreporting"))
    own -= _eight(again.asked("refits"))
    assert len(own) > 20
    told = [name for name, text in contents(folder).items() if own & _numbers(text)]
    assert bool(rows(folder, "missing_not_at_random")[0].get("reason")) == hides
    assert ("Missing outcomes differ" not in words(folder, 9)) == hides
    assert ("Missing at random" not in words(folder, 9)) == hides
    assert not [row for row in figures(folder, "what_if") if row["part"] == "Missing outcomes differ"] or not hides
    if hides:
        assert not told
        assert "would give a small number of participants away" in words(folder, 9)
    else:
        assert told


def _numbers(text: str) -> set[str]:
    """Numbers of eight digits in a file, rounded as the CSV files have them."""
    return {f"{float(found):.8g}" for found in re.findall(r"-?\d+\.\d{6,}(?:e-\d+)?", text)}


def _eight(table: pd.DataFrame) -> set[str]:
    numbers = (f"{value:.8g}" for name in ("median", "lower", "upper") for value in table[name].dropna())
    return {number for number in numbers if len(number) >= 8}


def test_power_scaling_of_the_paths_stands_in_section_8_or_says_why_not(reports: dict[str, Path]) -> None:
    listed = rows(reports["binary"], "path_power_scaling")
    assert [row["quantity"].partition("[")[0] for row in listed] == ["total", *["interventional_via"] * 2]
    text = words(reports["binary"], 8)
    assert re.search(r"Effect via social support score\s*0\.17\s*0\.05\s*−1\.2\s*! Look", text)
    assert [row["flag"] for row in listed] == ["false", "true", "false"]
    assert (
        "Refits of direct and indirect effects under other priors. Not run: the mediation model was fitted once" in text
    )
    alone = words(reports["nothing but the main result"], 8)
    assert re.search(r"Power-scaling of direct and indirect effects\. Not run: the study file names no mediator", alone)


def test_recovery_counts_what_the_table_shows(reports: dict[str, Path]) -> None:
    listed = rows(reports["binary"], "recovery")
    for row in listed:
        assert (row["covered"] == "true") == (float(row["lower"]) <= float(row["truth"]) <= float(row["upper"]))
    said = record(reports["binary"])["sentences"]["recovery"]["numbers"]
    assert said["held"]["value"] == sum(row["covered"] == "true" for row in listed)
    assert said["trials"]["value"] == len(listed)
    errors = [float(row["median"]) - float(row["truth"]) for row in listed]
    assert said["error"]["value"] == pytest.approx(np.mean(errors), abs=1e-7)
    assert said["spread"]["value"] == pytest.approx(np.std(errors, ddof=1) / np.sqrt(len(errors)), abs=1e-7)
