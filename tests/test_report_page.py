"""The page: the same bytes twice, valid, complete, silent where the gate is red, harmless whatever users wrote."""

from __future__ import annotations

import atexit
import csv
import hashlib
import json
import re
import shutil
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
import xarray as xr

from reports.figures import difference
from reports.page import build
from reports.sections import section_07_prediction
from tests.report_fixture import RED, Recipe, make

ROOT = Path(__file__).parents[1]
HOSTILE = {
    "title": "<script>alert(1)</script> & \"quotes\" 'single' " + "W" * 10_000,
    "question": '=HYPERLINK("http://example.invalid") </title><img src=x onerror=alert(1)>',
    "treated": "مدخرات \u202e reversed \u202c 🏦💰 <b>bold</b>",
    "control": "{{ 7 * 7 }} {% raw %} -training" + "x" * 300,
    "outcome": "=1+1 violence ]]> </svg><script>alert(2)</script>" + " long words" * 900,
    "wave2": "three\nmonths\x00\x07 after </text>",
    "wave3": "six months " + "é" * 200,
    "covariate": '+age "onset"',
    "margin_reason": "<i>because</i>",
    "description": "one\n\ntwo <script>",
    "author": "@cmd",
    "why": "<script>alert(3)</script>",
    "note": "<script>alert(4)</script>",
    "command": "uv run 'x' && <script>alert(5)</script>",
}


class Page(HTMLParser):
    """What the tests ask of a page: tags with attributes, ids, text, and tags left open."""

    VOID = ("meta", "link", "img", "br", "wbr", "hr", "input")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"{tag} closed out of turn"

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))


def fresh(folder: Path, recipe: Recipe | None = None, show_anyway: bool = False) -> Path:
    """Build a report in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    build.build(make(folder, recipe), show_anyway)
    return folder


def built(folder: Path, recipe: Recipe | None = None, show_anyway: bool = False) -> Path:
    """The same, copied where this process has built it before."""
    key = f"{recipe or Recipe()!r} {show_anyway}"
    if key not in _BUILT:
        _BUILT[key] = fresh(Path(tempfile.mkdtemp()), recipe, show_anyway)
        atexit.register(shutil.rmtree, _BUILT[key])
    return shutil.copytree(_BUILT[key], folder, dirs_exist_ok=True)


_BUILT: dict[str, Path] = {}


def contents(folder: Path) -> dict[str, str]:
    """Every file of a report as text."""
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


RECIPES = {
    "binary": Recipe(),
    "count": Recipe(kind="count", effect=0.4),
    "higher is better": Recipe(better="higher", effect=1.5),
    "bare": Recipe(baseline=False, negative_control=False, covariates=False),
    "continuous": Recipe(kind="continuous"),
    "continuous, suppressed": Recipe(kind="continuous", better="higher", minimum_cell=5),
    "one wave": Recipe(baseline=False, negative_control=False, several_waves=False),
    "one wave, continuous": Recipe(kind="continuous", baseline=False, negative_control=False, several_waves=False),
    "suppressed": Recipe(minimum_cell=5),
    "hostile": Recipe(texts=HOSTILE),
    "red": Recipe(status=RED),
    "real": Recipe(simulated=False),
}


@pytest.fixture(scope="module", params=list(RECIPES))
def report(request, tmp_path_factory) -> Path:
    """A report of each kind."""
    return built(tmp_path_factory.mktemp("report"), RECIPES[request.param])


@pytest.fixture(scope="module")
def green(tmp_path_factory) -> Path:
    """The plain report."""
    return built(tmp_path_factory.mktemp("green"))


def test_same_run_same_bytes(tmp_path: Path) -> None:
    one, two = (
        {name: hashlib.sha256(text.encode()).hexdigest() for name, text in contents(fresh(tmp_path / name)).items()}
        for name in ("one", "two")
    )
    assert one == two
    fresh(tmp_path / "one")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_html_is_valid_and_stands_alone(report: Path) -> None:
    text = (report / "report.html").read_text(encoding="utf-8")
    assert len(text.encode()) < 2**20
    found = Page(text)
    ids = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert not found.all("script")
    assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")]
    for _, attributes in found.tags:
        for name in ("href", "src", "xlink:href"):
            if name in attributes:
                target = attributes[name]
                assert (
                    (target.startswith("#") and target[1:] in ids) or target == "data:," or (report / target).is_file()
                ), target
        for ident in attributes.get("aria-labelledby", "").split():
            assert ident in ids
    assert not re.findall(r"url\(|@import", text)
    assert {found for found in re.findall(r"https?://[^\"'<\s]+", text) if "w3.org" not in found} <= {
        "http://example.invalid&#34;)"
    }


def test_tables_and_figures_are_accessible(report: Path) -> None:
    found = Page((report / "report.html").read_text(encoding="utf-8"))
    names = [tag for tag, _ in found.tags]
    assert names.count("table") == names.count("caption") >= 8
    assert all(attributes.get("scope") in ("col", "row") for attributes in found.all("th"))
    drawings = [attributes for attributes in found.all("svg") if "chart" in attributes.get("class", "")]
    assert all(attributes["role"] == "img" and "aria-labelledby" in attributes for attributes in drawings)
    page_text = (report / "report.html").read_text(encoding="utf-8")
    for drawing in re.findall(r"<svg[^>]*chart.*?</svg>", page_text, re.DOTALL):
        assert re.search(r"<title[^>]*>[^<]+</title>", drawing)
        assert re.search(r"<desc[^>]*>[^<]*\d[^<]*</desc>", drawing), drawing[:200]
    for path in (report / "figures").glob("*.svg"):
        tree = ElementTree.fromstring(path.read_text(encoding="utf-8"))
        title, description = (tree.find(f"{{http://www.w3.org/2000/svg}}{tag}") for tag in ("title", "desc"))
        assert title is not None
        assert title.text
        assert description is None or re.search(r"\d", description.text or "")


def test_files_have_the_same_names_always(report: Path) -> None:
    expected = build.names()
    assert {path.stem for path in (report / "tables").iterdir()} == set(expected["tables"])
    assert {path.name for path in (report / "figures").iterdir()} == {
        f"{name}.{kind}" for name in expected["figures"] for kind in ("svg", "csv")
    }
    assert not (report / ".report.partial").exists()


def test_sections_stand_in_order_and_say_why_when_not_run(green: Path) -> None:
    text = Page((green / "report.html").read_text(encoding="utf-8")).text
    record = json.loads((green / "report.json").read_text(encoding="utf-8"))
    assert [part["number"] for part in record["sections"]] == list(range(14))
    places = [text.rindex(f"{part['number']} {part['question']}") for part in record["sections"][1:]]
    assert places == sorted(places)
    assert {part["number"] for part in record["sections"] if part["status"] == "not run"} == {6, 11}
    for part in record["sections"]:
        assert (part["status"] == "not run") == part["reason"].startswith("Not run: ")
        assert part["reason"] in text


def test_every_number_in_the_sentences_is_in_the_record(green: Path) -> None:
    record = json.loads((green / "report.json").read_text(encoding="utf-8"))
    text = Page((green / "report.html").read_text(encoding="utf-8")).text
    assert {"A1", "A2", "A3", "T1"} <= set(record["sentences"])
    labels = (
        "6 months after the programme",
        "3 months after the programme",
        "risk difference, 6 months",
        "excluded 0",
        "wrong side of 0",
        "past 90 days",
        "towards 0",
        "away from 0",
        "includes 0",
        "contains 0",
        "excludes 0",
        "excludes 0",
        "exclude 0",
    )
    for name, sentence in record["sentences"].items():
        assert re.sub(r"\s+", " ", sentence["text"]) in text, name
        rest = sentence["text"]
        for label in labels:
            rest = rest.replace(label, "")
        printed = {part for number in sentence["numbers"].values() for part in number["printed"].lstrip("+").split()}
        assert set(re.findall(r"−?\d+(?:\.\d+)?%?", rest)) <= printed, name


def test_words_that_mislead_are_not_used(green: Path) -> None:
    words = re.compile(r"\bsignifican|\bprove[sdn]?\b|no effect of|\btrend", re.IGNORECASE)
    text = Page((green / "report.html").read_text(encoding="utf-8")).text
    assert not words.findall(text)


def test_simulated_data_say_so(tmp_path: Path) -> None:
    simulated, real = built(tmp_path / "s"), built(tmp_path / "r", Recipe(simulated=False))
    text = (simulated / "report.html").read_text(encoding="utf-8")
    assert "SIMULATED DATA" in Page(text).text
    assert "SIMULATED DATA" not in (real / "report.html").read_text(encoding="utf-8")
    for path in (simulated / "figures").glob("*.svg"):
        assert "SIMULATED DATA" in path.read_text(encoding="utf-8")
    assert json.loads((simulated / "report.json").read_text())["run"]["simulated"] is True


def test_hostile_text_is_only_text(tmp_path: Path) -> None:
    files = contents(built(tmp_path, Recipe(texts=HOSTILE)))
    text = files["report.html"]
    assert not Page(text).all("script")
    assert not Page(text).all("img")
    assert not Page(text).all("b")
    assert "49" not in Page(text).text.split("arm")[0]
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f\x00-\x08\x0b\x0c\x0e-\x1f]", text)
    for name, content in files.items():
        if name.endswith(".svg"):
            assert "<script" not in content
            ElementTree.fromstring(content)
        if name.endswith(".csv"):
            for row in csv.reader(content.splitlines()):
                assert not [
                    cell for cell in row if cell.lstrip().startswith(("=", "+", "-", "@")) and not _number(cell)
                ], name


def _number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_a_figure_that_fails_stops_the_report_and_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(fresh(tmp_path))
    monkeypatch.setattr(difference, "_layout", lambda *_: 1 / 0)
    with pytest.raises(build.FigureFailed, match=r"section 1 .*ZeroDivisionError"):
        fresh(tmp_path)
    assert contents(tmp_path) == before


def test_a_disk_that_fails_leaves_the_old_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(fresh(tmp_path))
    write = Path.write_text

    def full(path: Path, *args, **kwargs):
        if path.name == "report.json":
            raise OSError(28, "No space left on device", str(path))
        return write(path, *args, **kwargs)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space"):
        fresh(tmp_path, Recipe(effect=1.0))
    assert contents(tmp_path) == before


def test_an_estimate_without_a_number_stops_the_report(tmp_path: Path) -> None:
    run = make(tmp_path)
    lower = run.tree["summary"]["lower"].to_numpy().copy()
    lower[3] = float("nan")
    run.tree["summary"] = xr.DataTree(run.tree["summary"].to_dataset().assign(lower=("row", lower)))
    with pytest.raises(build.FigureFailed, match="section 1"):
        build.build(run)


def test_counts_are_printed_as_events(tmp_path: Path) -> None:
    text = Page((built(tmp_path, Recipe(kind="count", effect=0.4)) / "report.html").read_text(encoding="utf-8")).text
    assert re.search(r"the estimated mean number of violent episodes in the past 90 days is \d", text)
    assert re.search(r"er by \d+(\.\d+)? events \(95% interval", text)
    assert "Rate ratio" in text
    assert "percentage point" not in text


def test_continuous_outcomes_are_printed_in_units_without_a_ratio(tmp_path: Path) -> None:
    folder = built(tmp_path, Recipe(kind="continuous", effect=0.4))
    text = Page((folder / "report.html").read_text(encoding="utf-8")).text
    assert re.search(r"the estimated mean depression score is −\d", text)
    assert re.search(r"er by \d+(\.\d+)? units? \(95% interval", text)
    assert re.search(r"The probability that .* lowers the mean is", text)
    assert "means and the standard deviation are checked instead" in text
    assert not re.findall(r"Rate ratio|Risk ratio|percentage point|events per|of the counts|log-mean", text)
    rows = json.loads((folder / "report.json").read_text(encoding="utf-8"))["tables"]["answer"]["rows"]
    assert [row["quantity"]["printed"].split(",")[0] for row in rows] == ["Mean", "Mean", "Mean difference"]
    assert {row["unit"]["printed"] for row in rows} == {"units"}


def test_one_wave_tells_no_change_and_no_lasting_difference(tmp_path: Path) -> None:
    folder = built(tmp_path, RECIPES["one wave"])
    text = Page((folder / "report.html").read_text(encoding="utf-8")).text
    record = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert "T1" not in record["sentences"]
    assert "nobody has two observed outcomes" in text
    assert "lasting differences between participants" not in text.casefold()
    title = record["figures"]["trajectories"]["title"]
    assert re.fullmatch(r"Risk by arm: training [\d.]+%; training plus microsavings [\d.]+%", title)


def test_patterns_of_counts_are_not_run(tmp_path: Path) -> None:
    facts = build.Facts(make(tmp_path, Recipe(kind="count")))
    section = section_07_prediction.compose(facts)
    assert section.values["patterns_reason"].startswith("Not run: ")


def test_leaving_one_out_says_when_it_may_move_the_verdict(tmp_path: Path) -> None:
    facts = build.Facts(make(tmp_path, Recipe()))
    estimate, margin = facts.estimate(facts.scale.difference, facts.primary), facts.study.outcome.margin
    loo, printed = facts.group("loo"), []
    for share in (0.9, 1.1):  # of the way from the upper limit to the margin on the other side of 0
        shift = share * (-margin - estimate.upper)
        one_way = {"shift_lower": min(shift, 0.0), "shift_upper": max(shift, 0.0)}
        printed.append(section_07_prediction._left_out(facts, loo.assign(one_way)))
    assert "would make the verdict" not in printed[0]
    assert "an interval moved that far would make the verdict benefit" in printed[1]
