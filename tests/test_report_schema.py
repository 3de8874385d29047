"""`report.json` is what `reports/report.schema.json` says, for every kind of run; the schema lets nothing else pass."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reports.page import record
from tests.report_fixture import RED, Recipe
from tests.test_report_page import HOSTILE, Page, built

ROOT = Path(__file__).parents[1]
SCHEMA = json.loads((ROOT / "reports/report.schema.json").read_text(encoding="utf-8"))
TWO = ("continuous", "share")
RECIPES = {
    "undarga": Recipe(mediators=TWO, minimum_cell=5),
    "respiratory": Recipe(better="higher", negative_control=False, simulated=False),
    "red": Recipe(mediators=TWO, status=RED),
    "red, shown": Recipe(mediators=TWO, status=RED, mediation=RED),
    "paths withheld": Recipe(mediators=TWO, mediation=RED),
    "count": Recipe(kind="count"),
    "continuous": Recipe(kind="continuous"),
    "one wave": Recipe(baseline=False, negative_control=False, several_waves=False, covariates=False),
    "hostile": Recipe(mediators=TWO, texts=HOSTILE),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    """A report of each kind."""
    return {
        name: built(tmp_path_factory.mktemp("schema"), recipe, show_anyway=name.endswith("shown"))
        for name, recipe in RECIPES.items()
    }


def read(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def faults(content: dict[str, Any]) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(SCHEMA).iter_errors(content)]


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_a_record_keeps_to_the_schema(folders: dict[str, Path], name: str) -> None:
    assert faults(read(folders[name])) == []


def test_the_schema_is_one_and_of_this_edition() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["schema"]["const"] == SCHEMA["title"] == record.SCHEMA


def objects(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        yield part
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from objects(inner)


def test_every_object_of_the_schema_is_closed_and_says_what_is_required() -> None:
    closed = [part for part in objects(SCHEMA) if part.get("type") == "object"]
    assert len(closed) > 12
    for part in closed:
        assert "additionalProperties" in part
        assert part["additionalProperties"] is not True
        if part["additionalProperties"] is False:
            assert set(part["required"]) == set(part["properties"])


BREAKS = {
    "a missing part": lambda found: found.pop("gate"),
    "an unknown part": lambda found: found.update(extra=1),
    "another edition": lambda found: found.update(schema="microsavings report 2"),
    "a number as text": lambda found: found["sentences"]["A1"]["numbers"]["r0"].update(value="0.3"),
    "a number that is not printed": lambda found: found["sentences"]["A1"]["numbers"]["r0"].pop("printed"),
    "a status that is none": lambda found: found["gate"].update(status="grey"),
    "a section less": lambda found: found["sections"].pop(),
    "not run without a reason": lambda found: found["sections"][9].update(status="not run", reason=""),
    "a cell that is no cell": lambda found: found["tables"]["answer"]["rows"][0].update(unit="%"),
    "a list in a figure": lambda found: found["figures"]["difference"]["rows"][0].append([1]),
    "another interval": lambda found: found["interval"].update(probability=0.89),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BREAKS)
def test_what_is_wrong_does_not_pass(folders: dict[str, Path], name: str) -> None:
    content = copy.deepcopy(read(folders["undarga"]))
    BREAKS[name](content)
    assert faults(content)


@pytest.mark.parametrize("name", RECIPES)
def test_every_number_set_on_the_page_is_in_the_record(folders: dict[str, Path], name: str) -> None:
    """Each `<data value>`, a number in a sentence, stands in the record with the same value and the same text."""
    known = {
        (f"{number['value']:.8g}", number["printed"])
        for sentence in read(folders[name])["sentences"].values()
        for number in sentence["numbers"].values()
    }
    text = (folders[name] / "report.html").read_text(encoding="utf-8")
    set_on_page = re.findall(r'<data value="([^"]+)">([^<]+)</data>', text.replace("&gt;", ">").replace("&lt;", "<"))
    assert set_on_page
    assert set(set_on_page) <= known


@pytest.mark.parametrize("name", [name for name in RECIPES if name != "hostile"])
def test_every_sentence_of_the_record_stands_on_the_page(folders: dict[str, Path], name: str) -> None:
    text = Page((folders[name] / "report.html").read_text(encoding="utf-8")).text
    for key, sentence in read(folders[name])["sentences"].items():
        assert re.sub(r"\s+", " ", sentence["text"]) in text, key
