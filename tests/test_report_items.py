"""Section 12: no item is claimed that the page does not show, none is lost, and what is missing is named."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from models.checks.gate_table import Status
from models.trial.study_file import author
from reports.page import build
from reports.sections import section_12_items
from reports.text import checklist
from reports.text.checklist import GIVEN, NOT_APPLICABLE, NOT_SHOWN, PARTLY, SHOWN, STATUSES, TO_WRITE
from reports.text.facts import Facts
from tests.command_line import run
from tests.report_fixture import Recipe, make
from tests.small_trial import changed, written
from tests.test_report_page import HOSTILE, Page, built

TWO = ("continuous", "share")
ITEMS = [(guideline, item) for guideline in checklist.guidelines() for item in guideline.items]
MODULES = {module.NUMBER: module for module in build.COMPOSED}
RECIPES = {
    "mediators": Recipe(mediators=TWO),
    "none": Recipe(),
    "bare": Recipe(baseline=False, negative_control=False, covariates=False),
    "one wave": Recipe(baseline=False, negative_control=False, several_waves=False),
    "not fitted": Recipe(mediators=TWO, mediation=None),
    "unordered": Recipe(mediators=TWO, several_waves=False, negative_control=False),
    "red": Recipe(mediators=TWO, status=Status.RED),
    "red paths": Recipe(mediators=TWO, mediation=Status.RED),
    "hostile": Recipe(mediators=TWO, texts=HOSTILE),
}


@pytest.fixture(scope="module")
def reports(tmp_path_factory) -> dict[str, Path]:
    """A report of each kind."""
    return {name: built(tmp_path_factory.mktemp("items"), recipe) for name, recipe in RECIPES.items()}


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "checklist.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def record(folder: Path) -> dict:
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def status(folder: Path, guideline: str, number: str) -> tuple[str, str]:
    (row,) = [row for row in rows(folder) if (row["guideline"], row["item"]) == (guideline, number)]
    return row["status"], row["where_or_text"]


# the guidelines as data


def test_every_item_says_where_it_comes_from_and_names_what_there_is() -> None:
    assert len(ITEMS) > 90
    numbers = [(guideline.name, item.number) for guideline, item in ITEMS]
    assert len(set(numbers)) == len(numbers)
    for guideline, item in ITEMS:
        assert item.words
        assert bool(item.not_applicable) + bool(item.not_shown) + bool(item.section or item.author) == 1, item
        assert set(item.author) <= set(author.KEYS), item
        assert set(item.section) <= set(range(14)) - {section_12_items.NUMBER}, item
        assert not item.rule or item.rule in checklist.RULES, item
        assert not item.part or item.part in checklist.PARTS, item
        assert not guideline.applies or guideline.applies in checklist.APPLIES
        known = {name for number in item.section if number in MODULES for name in MODULES[number].TABLES}
        known |= {name for number in item.section if number in MODULES for name in MODULES[number].FIGURES}
        assert set(item.needs) <= known, f"{item}: the sections named hold no such table or figure"


def test_every_guidelines_items_are_there() -> None:
    found = {guideline.key: {re.split(r"\W", item.number)[0] for item in guideline.items} for guideline, _ in ITEMS}
    assert found["agrema"] == {str(number) for number in range(1, 26)}
    assert {re.sub(r"[a-z]", "", number) for number in found["consort"]} == {str(number) for number in range(1, 31)}
    assert {number[0] for number in found["barg"]} == set("0123456")
    assert found["wambs"] == {str(number) for number in range(1, 11)}
    lettered = {
        "1": "ab",
        "5": "ab",
        "12": "ab",
        "16": "ab",
        "17": "ab",
        "20": "ab",
        "21": "abcd",
        "22": "ab",
        "23": "ab",
    }
    expected = {number + letter for number, letters in lettered.items() for letter in letters}
    assert {number for number in found["consort"] if number[-1].isalpha()} == expected


def test_every_key_of_an_author_feeds_an_item() -> None:
    assert {key for _, item in ITEMS for key in item.author} == set(author.KEYS)


# the page


@pytest.mark.parametrize("name", RECIPES)
def test_what_is_claimed_stands_on_the_page(reports: dict[str, Path], name: str) -> None:
    folder = reports[name]
    found = Page((folder / "report.html").read_text(encoding="utf-8"))
    ids = {attributes["id"] for _, attributes in found.tags if "id" in attributes}
    sections = {part["number"]: part["status"] for part in record(folder)["sections"]}
    listed = rows(folder)
    assert len(listed) == len(ITEMS)
    for (guideline, item), row in zip(ITEMS, listed, strict=True):
        assert (row["guideline"], row["item"], row["words"]) == (guideline.name, item.number, item.words)
        assert row["status"] in STATUSES
        if row["status"] in (SHOWN, GIVEN):
            assert all(sections[number] == "shown" for number in item.section), row
            assert {f"section-{number}" for number in item.section} <= ids
            assert all({f"table-{need}", f"{need}-figure"} & ids for need in item.needs), row
            assert re.findall(r"§ (\d+)", row["where_or_text"])[-len(item.section) or 99 :] == [
                str(number) for number in item.section
            ]
        else:
            assert row["where_or_text"], row
    links = re.findall(r'id="section-12".*?</section>', (folder / "report.html").read_text("utf-8"), re.DOTALL)[0]
    targets = set(re.findall(r'href="#([^"]*)"', links))
    assert {"section-3", "section-4", "section-13"} <= targets <= ids


@pytest.mark.parametrize("name", RECIPES)
def test_the_counts_are_the_lists(reports: dict[str, Path], name: str) -> None:
    found, listed = record(reports[name]), rows(reports[name])
    numbers = {key: number["value"] for key, number in found["sentences"]["items"]["numbers"].items()}
    counts = {one.replace(" ", "_"): sum(row["status"] == one for row in listed) for one in STATUSES}
    assert numbers == {"all": len(listed), **counts}
    for row in found["tables"]["items"]["rows"]:
        own = [one["status"] for one in listed if one["guideline"] == row["guideline"]["value"]]
        assert row["all"]["value"] == len(own)
        assert {one: row[one.replace(" ", "_")]["value"] for one in STATUSES} == {
            one: own.count(one) for one in STATUSES
        }
    printed = set(re.findall(r"\d+", found["sentences"]["items"]["text"]))
    assert printed == {number["printed"] for number in found["sentences"]["items"]["numbers"].values()}


@pytest.mark.parametrize("name", RECIPES)
def test_everything_missing_is_listed_up_front(reports: dict[str, Path], name: str) -> None:
    told = [row["items"]["value"] for row in record(reports[name])["tables"]["items_open"]["rows"]]
    waiting = [row for row in rows(reports[name]) if row["status"] in (TO_WRITE, NOT_SHOWN, PARTLY)]
    assert waiting
    for row in waiting:
        words = re.compile(rf"{row['guideline'].split()[0]} [^;]*\b{re.escape(row['item'])}(,|;|$)")
        assert any(words.search(one) for one in told), row


def test_without_a_mediator_a_guideline_on_mediation_does_not_apply(reports: dict[str, Path]) -> None:
    own = [row for row in rows(reports["none"]) if row["guideline"] == "AGReMA"]
    assert {(row["status"], row["where_or_text"]) for row in own} == {
        (NOT_APPLICABLE, "the study file names no mediator")
    }
    assert NOT_APPLICABLE not in {row["status"] for row in rows(reports["mediators"]) if row["guideline"] == "AGReMA"}


def test_a_section_that_is_withheld_or_not_run_meets_nothing(reports: dict[str, Path]) -> None:
    assert status(reports["mediators"], "CONSORT 2025", "26") == (SHOWN, "§ 1, § 5")
    told, where = status(reports["red"], "CONSORT 2025", "26")
    assert (told, where.startswith("§ 1: Withheld: the computation cannot be trusted.")) == (NOT_SHOWN, True)
    assert status(reports["red"], "BARG", "2b")[0] == SHOWN
    assert status(reports["mediators"], "AGReMA", "9") == (SHOWN, "§ 6")
    assert status(reports["red paths"], "AGReMA", "9")[0] == NOT_SHOWN
    told, where = status(reports["not fitted"], "AGReMA", "11")
    assert (told, where.startswith("§ 4: Not run: only the effect model was fitted")) == (NOT_SHOWN, True)
    # § 6 is there, but no wave has an ordered mediator
    assert status(reports["unordered"], "AGReMA", "9") == (NOT_SHOWN, "§ 6: No wave has an ordered mediator.")
    assert status(reports["unordered"], "AGReMA", "18, part 1")[0] == SHOWN


def test_a_reason_is_printed_where_it_belongs_and_only_there(reports: dict[str, Path]) -> None:
    found = record(reports["red"])
    text = Page((reports["red"] / "report.html").read_text(encoding="utf-8")).text
    withheld = [part["reason"] for part in found["sections"] if part["status"] == "withheld"]
    assert text.count(withheld[0]) == withheld.count(withheld[0])


# the author


def with_author(tmp_path: Path, **entries: str) -> Path:
    made = make(tmp_path)
    object.__setattr__(made, "study", made.study.model_copy(update={"author": entries}))
    build.build(made)
    return tmp_path


def test_an_authors_text_is_given_and_blanks_are_missing(tmp_path: Path) -> None:
    folder = with_author(tmp_path, registration="Number 7 § 99", ethics=" ", funding="…", harms="...")
    assert status(folder, "CONSORT 2025", "2") == (GIVEN, "registration: Number 7 § 99")
    for number, key in (("5a", "funding"), ("15", "harms"), ("5b", "conflicts")):
        assert status(folder, "CONSORT 2025", number) == (TO_WRITE, f"missing in [author]: {key}")
    found = Page((folder / "report.html").read_text(encoding="utf-8"))
    assert "Number 7 § 99" in found.text
    assert "#section-99" not in {attributes.get("href") for attributes in found.all("a")}


def test_an_item_is_given_only_when_all_of_it_is(tmp_path: Path) -> None:
    some = with_author(tmp_path, design="Two arms.", data_sharing="On request.")
    assert status(some, "CONSORT 2025", "9") == (TO_WRITE, "missing in [author]: allocation")
    assert status(some, "CONSORT 2025", "4") == (GIVEN, "data_sharing: On request. § 13")
    assert status(some, "CONSORT 2025", "22b") == (TO_WRITE, "missing in [author]: losses; the rest: § 3")
    every = with_author(tmp_path, **dict.fromkeys(author.KEYS, "Said."))
    assert status(every, "CONSORT 2025", "9") == (GIVEN, "design: Said. allocation: Said.")
    assert TO_WRITE not in {row["status"] for row in rows(every)}


def test_a_key_that_nothing_reads_is_named(tmp_path: Path) -> None:
    folder = with_author(tmp_path, fundings="A fund.", colour="blue")
    text = Page((folder / "report.html").read_text(encoding="utf-8")).text
    assert "[author] fundings: no reporting item reads this key; did you mean funding?" in text
    assert "[author] colour: no reporting item reads this key." in text
    assert "A fund." in text, "it is printed all the same"
    assert author.notes({"funding": "x", "fundings": "y"})[0].endswith("reads this key.")
    assert author.notes(dict.fromkeys(author.KEYS, "Said.")) == []


def test_a_text_is_no_formula_in_the_checklist(tmp_path: Path) -> None:
    folder = with_author(tmp_path, registration="=1+1")
    assert status(folder, "CONSORT 2025", "2")[1] == "registration: =1+1"
    facts = Facts(make(tmp_path))
    (section,) = [part for part in build.compose(facts) if part.number == section_12_items.NUMBER]
    first, _ = section.values["csv"][0]
    forged = replace(section, values={"csv": [(first, "=1+1")]})
    assert section_12_items.csv_text([forged]).splitlines()[1].endswith(",'=1+1")


def test_only_sections_of_the_page_are_linked(tmp_path: Path) -> None:
    sections = {part.number: part for part in build.compose(Facts(make(tmp_path)))}
    cell = section_12_items._linked("Not run: “§ 99” is a label; § 3, § 13", sections)
    assert cell.runs == [
        ("Not run: “§ 99” is a label; ", ""),
        ("§ 3", "section-3"),
        (", ", ""),
        ("§ 13", "section-13"),
    ]


def test_outcomes_that_are_not_analysed_leave_their_items_open(tmp_path: Path) -> None:
    facts = Facts(make(tmp_path))
    plan = facts.study
    further = plan.outcome.model_copy(update={"column": "other", "label": "another outcome"})
    sections = {part.number: part for part in build.compose(facts)}
    sections[11] = replace(sections[11], status="not run", reason="Not run: why.")
    for outcomes, expected in (((), SHOWN), ((further,), NOT_SHOWN)):
        facts.study = plan.model_copy(update={"further_outcomes": outcomes})
        found = {(one.guideline.key, one.item.number): one for one in checklist.check(facts, sections)}
        assert found["consort", "14"].status == expected
        assert found["consort", "26"].status == expected
    assert found["consort", "14"].reason == "Not run: why."


def test_refits_that_are_not_run_leave_their_items_open(tmp_path: Path) -> None:
    facts = Facts(make(tmp_path, Recipe(asked="none")))
    sections = {part.number: part for part in build.compose(facts)}
    made = sections[8].tables["contraction"]
    for reason, expected in (("Not run: why.", {NOT_SHOWN}), ("", {SHOWN, PARTLY})):
        tables = dict(sections[8].tables) | ({} if reason else {"refits": made})
        sections[8] = replace(sections[8], tables=tables, values={"refits_reason": reason})
        found = {(one.guideline.key, one.item.number): one for one in checklist.check(facts, sections)}
        assert {found["barg", "5a"].status, found["wambs", "7"].status, found["wambs", "8"].status} == expected
    assert (found["barg", "5a"].status, found["barg", "5a"].reason) == (PARTLY, "no informed prior is among them")


def test_a_tick_is_earned_by_the_items_own_words(tmp_path: Path, reports: dict[str, Path]) -> None:
    """What a part of an item lacks is named: no tick for the rest."""
    assert status(reports["mediators"], "BARG", "5a") == (PARTLY, "§ 8 partly: no informed prior is among them")
    assert status(reports["mediators"], "BARG", "6d")[0] == PARTLY
    assert status(reports["mediators"], "AGReMA", "15")[1].endswith("whether they were planned is not stated")
    assert status(with_author(tmp_path, protocol="Number 7."), "CONSORT 2025", "21d")[0] in (SHOWN, NOT_SHOWN)
    facts = Facts(make(tmp_path))
    facts.manifest["priors"]["informed"] = True
    assert checklist.PARTS["informed prior"](facts) == ""
    for number in ("17a", "17b", "18", "19"):
        assert status(reports["mediators"], "CONSORT 2025", number)[0] == TO_WRITE, "only the author knows"


def test_check_names_what_is_missing_and_what_is_misspelt(tmp_path: Path) -> None:
    study = written(tmp_path / "six", study=changed(("author", {"fundings": "A fund.", "ethics": "A board."})))
    result = run("check", study)
    assert result.exit_code == 0, "no author has to fill in a checklist before anything can be analysed"
    assert "Note: [author] fundings: no reporting item reads this key; did you mean funding?" in result.stdout
    assert (
        f"will list {len(author.KEYS) - 1} of {len(author.KEYS)} entries as missing: title, abstract," in result.stdout
    )
