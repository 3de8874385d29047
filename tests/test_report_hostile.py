"""Hostile text in every string field: it stays text on the page, in the drawings and in a spreadsheet."""

from __future__ import annotations

import csv
import json
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from pydantic import BaseModel

from models.trial.study_file.study import Study, parse
from reports.page import build, index
from reports.text import calibrations, report_files
from tests import hostile
from tests.hostile import MARK, PAYLOADS
from tests.report_fixture import RED, Recipe, make
from tests.test_report_page import Page, contents

MEDIATED = ("continuous", "share", "binary")
RECIPES = {
    "mediators": Recipe(mediators=MEDIATED, interaction=True),
    "count": Recipe(kind="count", mediators=("continuous",)),
    "continuous, suppressed": Recipe(kind="continuous", better="higher", minimum_cell=5),
    "one wave": Recipe(baseline=False, negative_control=False, several_waves=False),
    "red": Recipe(status=RED, mediators=MEDIATED, mediation=RED),
}
GROWS = {"wbr", "text", "tspan", "p", "bdi", "code"}
"""Elements of which longer words need more: places to break at, lines of a label, paragraphs of a description."""


@pytest.fixture(scope="module", params=list(RECIPES))
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], ...]:
    """Files of a harmless report and of the same one with hostile texts."""
    recipe = RECIPES[request.param]
    harmless, spoilt = (tmp_path_factory.mktemp(name) for name in ("harmless", "hostile"))
    plain = hostile.grouped(make(harmless, recipe))
    # the same optional tables, so that both pages hold the same things
    study = parse(hostile.complete(plain.study))
    for fit in (plain, *plain.further.values()):
        object.__setattr__(fit, "study", study)
    with pytest.MonkeyPatch.context() as patch:
        # studies of other priors are not shown, and the hostile run's priors have a name of their own
        patch.setattr(calibrations, "COMMITTED", harmless / "none")
        build.build(plain)
        build.build(hostile.run(spoilt, recipe))
    return contents(harmless), contents(spoilt)


def leaves(model: BaseModel) -> Any:
    """(model, field) of every text that is not empty."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        parts = value if isinstance(value, tuple) else [value]
        for part in parts:
            if isinstance(part, BaseModel):
                yield from leaves(part)
            elif isinstance(part, str):
                yield (type(model).__name__, name), part
            elif isinstance(part, dict):
                yield from (((type(model).__name__, name), word) for word in (*part, *part.values())
                            if isinstance(word, str))  # fmt: skip


def test_every_text_of_the_study_file_is_hostile(tmp_path: Path) -> None:
    study = hostile.run(tmp_path, RECIPES["mediators"]).study
    wanted = set(hostile.fields())
    assert ("Study", "title") in wanted
    assert ("Mediator", "label") in wanted
    assert ("Outcome", "codes") in wanted
    spoilt = {field for field, text in leaves(study) if MARK in text}
    assert wanted - spoilt == set(hostile.KEPT), "give the new optional table to hostile.complete"
    used = {payload for payload in PAYLOADS for _, text in leaves(study)
            if payload.format(m=MARK).strip()[:12] in text}  # fmt: skip
    assert len(used) >= len(PAYLOADS) - 2


def shape(text: str) -> Counter[str]:
    """Elements of a page but for its checklist, whose rows follow which keys of `[author]` are there."""
    start = text.index('<section id="section-12"')
    end = text.index("</section>", start) + len("</section>")
    return Counter(tag for tag, _ in Page(text[:start] + text[end:]).tags)


@pytest.mark.slow
def test_no_element_and_no_attribute_came_from_the_text(both: tuple[dict[str, str], ...]) -> None:
    plain, spoilt = (files["report.html"] for files in both)
    expected, found = shape(plain), shape(spoilt)
    assert MARK in Page(spoilt).text
    assert {tag for tag in expected | found if expected[tag] != found[tag]} <= GROWS
    names = {name for _, attributes in Page(plain).tags for name in attributes}
    for tag, attributes in Page(spoilt).tags:
        assert set(attributes) <= names, tag
        # a cell says its column's head again, for a phone; no other attribute takes a text from a user
        assert {name for name, value in attributes.items() if MARK in value} <= {"data-label"}, attributes
    ids = [attributes["id"] for _, attributes in Page(spoilt).tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_the_page_stays_small_and_shows_no_sign_that_reorders_or_hides(both: tuple[dict[str, str], ...]) -> None:
    text = both[1]["report.html"]
    assert len(text.encode()) < 2**20
    shown = Page(text).text
    bad = {sign for sign in shown if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp")} - {"\u200d"}
    assert not bad


def test_drawings_hold_no_element_from_the_text(both: tuple[dict[str, str], ...]) -> None:
    drawings = [name for name in both[1] if name.endswith(".svg")]
    assert drawings
    for name in drawings:
        kinds = [{node.tag for node in ElementTree.fromstring(files[name]).iter()} for files in both]
        assert kinds[1] <= kinds[0] | {"{http://www.w3.org/2000/svg}tspan"}, name
        for node in ElementTree.fromstring(both[1][name]).iter():
            assert not [key for key, value in node.attrib.items() if MARK in value or key.startswith("on")], name


def dangerous(cell: str) -> bool:
    """Whether a spreadsheet may take a cell for a formula, whatever it skips before the first sign."""
    bare = cell.lstrip("".join({sign for sign in cell if sign.isspace() or unicodedata.category(sign)[0] == "C"}))
    if not bare.startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠")) and cell[:1] not in ("\t", "\r", "\n"):
        return False
    try:
        float(cell)
    except ValueError:
        return True
    return False


def test_tables_are_safe_to_open_in_a_spreadsheet(both: tuple[dict[str, str], ...]) -> None:
    tables = {name: text for name, text in both[1].items() if name.endswith(".csv")}
    assert len(tables) > 20
    seen = 0
    for name, text in tables.items():
        rows = list(csv.reader(text.splitlines()))
        assert len({len(row) for row in rows}) == 1, f"{name}: a text broke a row"
        for row in rows:
            seen += sum(MARK in cell for cell in row)
            assert not [cell for cell in row if dangerous(cell)], name
    assert seen > 5


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_cell_of_any_payload_is_inert(payload: str) -> None:
    text = report_files.csv_text((payload,), [(payload,), (f"  {payload}",)])
    for row in csv.reader(text.splitlines()):
        assert not dangerous(row[0]), row


def test_the_record_keeps_the_text_and_stays_json(both: tuple[dict[str, str], ...]) -> None:
    record = json.loads(both[1]["report.json"])
    assert MARK in record["run"]["title"]


def test_a_hostile_folder_and_study_in_the_index() -> None:
    name = hostile.hostile("a folder").replace("/", "")[:200]
    entries = [index.Entry(payload.format(m=MARK), "link", problem=payload.format(m=MARK)) for payload in PAYLOADS]
    entries += [index.Entry(name, "link", title=payload.format(m=MARK), answer=payload.format(m=MARK),
                            model=name, priors=name, run_id=name, status="amber", badge=name, report=True)
                for payload in PAYLOADS]  # fmt: skip
    html = Page(index.html(entries))
    assert not {MARK.lower() + "-tag", "script", "img", "b"} & {tag for tag, _ in html.tags}
    assert not [name for _, attributes in html.tags for name, value in attributes.items() if MARK in value]


def test_the_walk_would_find_a_new_field() -> None:
    class Later(BaseModel):
        """A table of a later edition."""

        words: str | None = None
        several: tuple[Study, ...] = ()
        kind: str = "x"

    assert {("Later", "words"), ("Later", "kind"), ("Study", "title")} <= set(hostile.fields(Later))
    assert hostile.spoil({"words": "a", "kind": "b"}, Later) == {
        "words": hostile.hostile("a"),
        "kind": hostile.hostile("b"),
    }
