"""`report.py --index`: every run listed, none vouched for that cannot be, the same bytes twice."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from urllib.parse import unquote

import pytest

from reports.page import build, index
from tests.command_line import messages, run
from tests.report_fixture import AMBER, RED, Recipe, make
from tests.test_report_page import HOSTILE, Page
from tests.test_report_script import saved

WITHHELD = "Withheld: the computation cannot be trusted."


def finished(folder: Path, recipe: Recipe | None = None, show_anyway: bool = False) -> Path:
    """A saved run with its report."""
    saved(folder, recipe)
    build.build(make(folder, recipe), show_anyway)
    return folder


def alike(folder: Path, first: Path) -> Path:
    """The same run and report in another folder."""
    return Path(shutil.copytree(first, folder))


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs, each in another state."""
    folder = tmp_path_factory.mktemp("shelf")
    finished(folder / "b green")
    finished(folder / "amber", Recipe(status=AMBER, simulated=False))
    finished(folder / "c:red #1?", Recipe(status=RED), show_anyway=True)
    saved(folder / "no report")
    finished(folder / "hostile", Recipe(texts=HOSTILE))
    alike(folder / "stale", folder / "b green")
    record = json.loads((folder / "stale/report.json").read_text(encoding="utf-8"))
    record["run"]["run_id"] = "another"
    (folder / "stale/report.json").write_text(json.dumps(record), encoding="utf-8")
    for harm in ("changed", "cut", "no gate", "unfinished", "old record", "a list"):
        alike(folder / harm, folder / "b green")
    (folder / "changed/run.nc").write_bytes(b"other")
    (folder / "cut/manifest.json").write_text('{"files": {', encoding="utf-8")
    (folder / "no gate/gate.json").unlink()
    (folder / "unfinished/manifest.json").unlink()
    (folder / "old record/report.json").write_text("{}", encoding="utf-8")
    (folder / "a list/manifest.json").write_text("[1]", encoding="utf-8")
    (folder / "not a run").mkdir()
    (folder / "faults.csv").write_text("row\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def listed(shelf: Path) -> tuple[str, dict[str, index.Entry]]:
    result = run("report", "--index", shelf)
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{shelf / 'index.html'}\n", "")
    return (shelf / "index.html").read_text(encoding="utf-8"), {one.name: one for one in index.entries(shelf)}


def test_every_run_is_listed_by_name_and_nothing_else(listed: tuple[str, dict[str, index.Entry]]) -> None:
    _, found = listed
    assert list(found) == sorted(found)
    assert not {"not a run", "faults.csv"} & set(found)
    assert len(found) == 12


def test_the_page_stands_alone_and_its_links_lead_to_reports(
    shelf: Path, listed: tuple[str, dict[str, index.Entry]]
) -> None:
    text, found = listed
    html = Page(text)
    assert not html.all("script")
    assert not [name for _, attributes in html.tags for name in attributes if name.startswith("on")]
    links = [attributes["href"] for attributes in html.all("a")]
    assert len(links) == len(set(links)) == len([one for one in found.values() if one.report])
    for link in links:
        assert (shelf / unquote(link)).is_file(), link
        assert ":" not in link.split("/")[0]  # else the folder's name would be read as a scheme
    assert "://" not in text
    ids = [attributes["id"] for _, attributes in html.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert len(html.all("table")) == len(html.all("caption")) == 1
    assert all(attributes["scope"] in ("col", "row") for attributes in html.all("th"))


def test_the_answer_is_the_reports_own_and_withheld_where_the_gate_is_red(
    shelf: Path, listed: tuple[str, dict[str, index.Entry]]
) -> None:
    text, found = listed
    shown = Page(text).text
    for name in ("b green", "amber"):
        record = json.loads((shelf / name / "report.json").read_text(encoding="utf-8"))
        assert found[name].answer == record["sentences"]["A1"]["text"]
        assert found[name].answer in shown
    red = found["c:red #1?"]
    # this report was built with --show-anyway: its own sentence is there, and not taken
    assert "A1" in json.loads((shelf / "c:red #1?/report.json").read_text(encoding="utf-8"))["sentences"]
    assert (red.answer, red.answered) == (WITHHELD, False)
    assert "There is no report.html" in found["no report"].answer
    assert "another run" in found["stale"].answer


def test_the_gate_has_a_sign_a_word_and_its_reason(listed: tuple[str, dict[str, index.Entry]]) -> None:
    text, found = listed
    shown = Page(text).text
    assert {"✓ Pass", "! Look", "✗ Stop"} <= {word for word in ("✓ Pass", "! Look", "✗ Stop") if word in shown}
    assert found["b green"].badge == "6 of 6 checks pass"
    reason = "R-hat, largest: 1.04 (risk difference, 6 months after the programme; pass: ≤ 1.01)"
    assert found["amber"].badge == f"5 of 6 checks pass. {reason}"


def test_simulated_runs_are_marked_one_by_one(shelf: Path, listed: tuple[str, dict[str, index.Entry]]) -> None:
    text, found = listed
    marked = sum(one.simulated for one in found.values() if not one.problem)
    assert Page(text).text.count("SIMULATED DATA") == marked + 1  # and the banner
    assert not found["amber"].simulated
    real = shelf.parent / "real only"
    shutil.copytree(shelf / "amber", real / "amber", dirs_exist_ok=True)
    assert "SIMULATED" not in index.html(index.entries(real))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("changed", "Other content than the manifest lists: run.nc"),
        ("cut", "JSONDecodeError"),
        ("no gate", "FileNotFoundError"),
        ("unfinished", "It has no manifest.json, which is written last."),
        ("old record", "KeyError"),
        ("a list", "AttributeError"),
    ],
)
def test_a_broken_folder_is_listed_with_its_reason(
    listed: tuple[str, dict[str, index.Entry]], name: str, words: str
) -> None:
    text, found = listed
    assert words in found[name].problem
    assert words in Page(text).text
    assert not found[name].answer


def test_the_same_bytes_twice_and_from_a_copy(shelf: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(shelf, tmp_path / "elsewhere"))
    texts = [index.build(place).read_bytes() for place in (shelf, shelf, copy)]
    assert texts[0] == texts[1] == texts[2]


@pytest.mark.parametrize("where", ["empty", "nowhere", "a run"])
def test_a_folder_without_runs_exits_3(tmp_path: Path, where: str) -> None:
    folder = tmp_path / where
    if where == "a run":
        saved(folder)
    if where == "empty":
        (folder / "inner").mkdir(parents=True)
    result = run("report", "--index", folder)
    assert (result.exit_code, result.stdout) == (3, "")
    assert messages(result.stderr) == ["What", "Why", "Fix"]
    assert not (folder / "index.html").exists()


def test_a_run_or_an_index_not_both(tmp_path: Path) -> None:
    for arguments in ([], [tmp_path, "--index", tmp_path]):
        result = run("report", *arguments)
        assert (result.exit_code, result.stdout) == (2, "")


def test_mediation_decides_on_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = finished(tmp_path / "run")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (folder / "manifest.json").write_text(json.dumps(manifest | {"further": {"mediation": {}}}), encoding="utf-8")
    (folder / "mediation").mkdir()
    make(folder, Recipe(status=RED)).gate.write(folder / "mediation/gate.json")
    (entry,) = index.entries(tmp_path)
    assert (entry.status, entry.model) == ("red", "effect and mediation")
    assert entry.answer.startswith(WITHHELD)
    assert "Mediation model, R-hat, largest" in entry.badge
