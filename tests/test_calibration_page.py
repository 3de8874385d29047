"""The page on a calibration study: every number from its files, the same bytes twice, harmless, bad files refused."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from models.faults import InvalidInput
from reports.simulations import calibration_page
from reports.text import calibration_file
from tests.calibration_fixture import QUANTITIES, Study, make
from tests.test_report_page import Page, contents

pytestmark = pytest.mark.slow

HOSTILE = Study(
    scenario="<script>alert(1)</script> \u202e" + "W" * 300,
    title="</title><img src=x onerror=alert(1)> =HYPERLINK(1) " + "W" * 10_000,
    labels={
        "risk_difference[6 months]": "=1+1 </text></svg><script>alert(2)</script> " + "long words " * 900,
        "tau": "@SUM(1) مدخرات \u202e reversed {{ 7 * 7 }}",
        "risk[control, 6 months]": "\t-2+3 ]]> <!-- " + "é" * 300,
    },
    command="uv run 'x' && <script>alert(3)</script> \x1b[31m" + "x" * 3000,
    narrow={"risk_difference[6 months]": 2.0, "tau": 2.0},
)
STUDIES = {
    "effect": Study(),
    "mediation": Study(model="mediation", narrow={"natural_indirect[6 months]": 1.5}, failed=3),
    "prior alone": Study(replications={"prior": 100}),
    "truth alone": Study(replications={"truth": 60}),
    "hostile": HOSTILE,
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A page of each kind."""
    found = {}
    for name, study in STUDIES.items():
        found[name] = make(tmp_path_factory.mktemp("calibration"), study)
        calibration_page.build(found[name])
    return found


def text(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


def words(folder: Path) -> str:
    return Page(text(folder)).text


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def row(folder: Path, kind: str, quantity: str = "risk_difference[6 months]") -> dict[str, str]:
    listed = rows(folder / "calibration.csv")
    return next(one for one in listed if (one["kind"], one["quantity"]) == (kind, quantity))


def test_two_builds_are_equal_and_leave_the_study_alone(tmp_path: Path) -> None:
    one, two = (make(tmp_path / name) for name in ("one", "two"))
    before = contents(one)
    for folder in (one, two):
        assert calibration_page.build(folder) == folder / "report.html"
    assert contents(one) == contents(two)
    calibration_page.build(one)
    assert contents(one) == contents(two)
    assert {name: made for name, made in contents(one).items() if name in before} == before


@pytest.mark.parametrize("name", STUDIES)
def test_the_page_stands_alone(pages: dict[str, Path], name: str) -> None:
    found, source = Page(text(pages[name])), text(pages[name])
    assert len(source.encode()) <= 2**20
    assert not found.all("script") + found.all("img")
    assert not [key for _, attributes in found.tags for key in attributes if key.startswith("on")]
    assert not re.findall(r'(?:href|src)="(?!#|data:,|figures/|tables/)', source)
    assert "://" not in source.replace('xmlns="http://www.w3.org/2000/svg"', "")
    ids = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    tags = [tag for tag, _ in found.tags]
    assert tags.count("table") == tags.count("caption") > 0
    assert all(attributes["scope"] in ("col", "row") for attributes in found.all("th"))
    for link in found.all("a"):
        if not link["href"].startswith("#"):
            assert (pages[name] / link["href"]).is_file(), link["href"]
    assert "SIMULATED DATA" in found.text


@pytest.mark.parametrize("name", STUDIES)
def test_every_figure_has_its_description_with_numbers_and_its_data(pages: dict[str, Path], name: str) -> None:
    drawn = re.findall(r'<svg class="chart (\w+)".*?<desc id="([\w-]+)">(.*?)</desc>', text(pages[name]), re.DOTALL)
    figures = {path.stem for path in (pages[name] / "figures").glob("*.svg")}
    assert {re.sub(r"^figure-|-(wide|narrow)-desc$", "", ident) for _, ident, _ in drawn} == figures
    assert len(drawn) == 2 * len(figures) > 0
    for _, _, description in drawn:
        assert len(re.findall(r"\d+(?:\.\d+)?%|percentage points", description)) > 2
    for figure in figures:
        assert len(rows(pages[name] / "figures" / f"{figure}.csv")) > 3


def test_hostile_text_is_inert_and_its_tables_safe(pages: dict[str, Path]) -> None:
    folder = pages["hostile"]
    assert "<script" not in text(folder)
    assert "49" not in words(folder).split("reversed", 1)[1][:12]
    assert not re.search("[\u202e\x1b]", text(folder))
    for path in (*folder.glob("tables/*.csv"), *folder.glob("figures/*.csv")):
        for line in csv.reader(path.read_text(encoding="utf-8").splitlines()):
            for cell in line:
                assert not cell.startswith(("=", "+", "@", "\t")) or re.fullmatch(r"[-+]?[\d.e+-]+", cell), (
                    path.name,
                    cell,
                )
    for path in folder.glob("figures/*.svg"):
        assert "<script" not in path.read_text(encoding="utf-8")


# what it says


def test_sentences_hold_the_numbers_of_the_files(pages: dict[str, Path]) -> None:
    told, prior, truth, null = (
        words(pages["effect"]),
        *(row(pages["effect"], kind) for kind in ("prior", "truth", "null")),
    )
    assert f"contained the true value in {100 * float(prior['coverage']):.1f}% of 200 trials" in told
    low, high = stats.binom.ppf([0.025, 0.975], 200, 0.95) / 2
    assert f"Correct intervals contain it in {low:.1f}% to {high:.1f}% of trials in 19 of 20" in told
    assert f"interval contained the truth in {100 * float(truth['coverage']):.1f}% of 150 trials" in told
    assert f"excluded 0 in {100 * float(truth['excludes_0']):.1f}%, and lay on the wrong side" in told
    assert f"excluded 0 in {100 * float(null['excludes_0']):.1f}% of 150 trials" in told
    assert "Less than 5% is expected: the prior draws estimates towards 0" in told
    assert (
        f"without an effect; about {100 * float(null['expected_coverage']):.1f}% if prior and likelihood were normal."
        in told
    )
    assert f"up to {100 * stats.binom.ppf(0.975, 150, 0.05) / 150:.1f}% would occur in 39 of 40" in told
    assert "Trials of 107 participants and 4 waves were simulated by scenario “effect”" in told
    assert (
        "No fit of the effect model failed. Of 500 fits, 7 had an R-hat above 1.05, 4 fewer than 100 effective draws"
        in told
    )
    assert "and 0 a divergent transition: 9 had one of these, and they are counted in every number here." in told
    assert "3 fits of the mediation model failed; they are in no number here." in words(pages["mediation"])


@pytest.mark.parametrize("name", STUDIES)
def test_every_number_set_in_prose_is_printed_as_its_value(pages: dict[str, Path], name: str) -> None:
    for value, printed in re.findall(r'<data value="([^"]+)">([^<]+)</data>', text(pages[name])):
        shown = float(printed.replace("−", "-").replace("\u202f", "").removesuffix("%"))
        assert any(abs(shown - factor * float(value)) < 0.51 for factor in (1, 100)), (value, printed)


def test_the_ranks_outside_are_named_one_a_line(pages: dict[str, Path]) -> None:
    drawn = rows(pages["mediation"] / "figures" / "calibration_ranks.csv")
    verdicts = {one["label"]: one["inside"] for one in drawn}
    outside = [label for label, inside in verdicts.items() if inside == "false"]
    assert "natural indirect effect, 6 months" in outside
    assert f"{len(verdicts) - len(outside)} of {len(verdicts)} quantities have ranks inside" in words(
        pages["mediation"]
    )
    lines = re.findall(r"<li><bdi>([^<]+)</bdi>: <bdi>([^<]+)</bdi>", text(pages["mediation"]))
    assert [label.casefold() for label, where in lines if where.startswith("outside the band")] == outside
    # the curve of the file is that of the ranks in the study
    ranks = [int(one["rank"]) for one in rows(pages["mediation"] / "replications.csv")
             if (one["kind"], one["quantity"]) == ("prior", "tau")]  # fmt: skip
    for one in (one for one in drawn if one["quantity"] == "tau"):
        share = np.mean([(rank + 1) / 200 <= float(one["probability"]) + 1e-9 for rank in ranks])
        assert float(one["share_minus_probability"]) == pytest.approx(share - float(one["probability"]), abs=1e-6)


def test_the_page_judges_as_the_study_does(pages: dict[str, Path]) -> None:
    for name in ("effect", "mediation", "hostile"):
        own = {
            one["quantity"]: one["uniform"] for one in rows(pages[name] / "calibration.csv") if one["kind"] == "prior"
        }
        drawn = {one["quantity"]: one["inside"] for one in rows(pages[name] / "figures" / "calibration_ranks.csv")}
        assert {key: inside.casefold() for key, inside in own.items()} == drawn


def test_zero_is_left_out_of_contrasts_alone(pages: dict[str, Path]) -> None:
    table = {one["key"]: one for one in rows(pages["effect"] / "tables" / "no_effect.csv")}
    assert set(table) == {key for key, *_ in QUANTITIES}
    for key, one in table.items():
        assert bool(one["excludes_0"]) == key.startswith(("risk_difference", "risk_ratio", "theta")), key
        assert float(one["coverage"]) == pytest.approx(float(row(pages["effect"], "null", key)["coverage"]), abs=1e-7)


# files that are not what they must be


def rewrite(path: Path, listed: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(listed[0]))
        writer.writeheader()
        writer.writerows(listed)


def cells(name: str, **changed: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        listed = rows(folder / name)
        listed[1] |= changed
        rewrite(folder / name, listed)

    return spoil


def about(**changed: object) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        content = json.loads((folder / "calibration.json").read_text(encoding="utf-8"))
        kept = {key: value for key, value in (content | changed).items() if value is not None}
        (folder / "calibration.json").write_text(json.dumps(kept), encoding="utf-8")

    return spoil


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no settings": (lambda folder: (folder / "calibration.json").unlink(), "calibration.json"),
    "no table": (lambda folder: (folder / "calibration.csv").unlink(), "calibration.csv"),
    "no replications": (lambda folder: (folder / "replications.csv").unlink(), "replications.csv"),
    "another format": (about(schema="microsavings calibration 2"), "another format"),
    "a key less": (about(scenario=None), "scenario"),
    "replications no table": (about(replications=3), "no table"),
    "a share above 1": (cells("calibration.csv", coverage="1.2"), "row 3, coverage"),
    "no number": (cells("calibration.csv", bias="much"), "row 3, bias"),
    "an infinite number": (cells("calibration.csv", rmse="inf"), "row 3, rmse"),
    "an unknown kind": (cells("calibration.csv", kind="dream"), "row 3, kind"),
    "an unknown unit": (cells("calibration.csv", unit="miles"), "row 3, unit"),
    "a rank beyond": (cells("replications.csv", rank="200"), "row 3, rank"),
    "other draws": (cells("replications.csv", ranks="250"), "same number of draws"),
    "cut": (lambda folder: (folder / "calibration.csv").write_text("kind,quantity\n", encoding="utf-8"), "lacks"),
    "empty": (lambda folder: (folder / "calibration.json").write_text("[", encoding="utf-8"), "JSONDecodeError"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_bad_file_is_refused_by_name_and_the_page_stays(tmp_path: Path, name: str) -> None:
    folder = make(tmp_path)
    calibration_page.build(folder)
    before = text(folder)
    spoil, said = FAULTS[name]
    spoil(folder)
    with pytest.raises(InvalidInput) as error:
        calibration_page.build(folder)
    told = " ".join([error.value.what, error.value.why, *(str(fault) for fault in error.value.faults)])
    assert said in told
    assert text(folder) == before


def test_the_expected_range_is_that_of_the_methods_document() -> None:
    low, high = calibration_file.expected(1000)
    assert (round(low, 3), round(high, 3)) == (0.936, 0.963)
    assert calibration_file.most_excluding(1000) == pytest.approx(0.064, abs=0.001)
