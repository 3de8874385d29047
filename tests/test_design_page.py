"""The page on a design study: curves, sizes and tables hold the numbers of its files; the same bytes twice."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from models.faults import InvalidInput
from reports.simulations import design_page
from reports.text.design_file import MEASURES
from tests.design_fixture import Grid, make
from tests.test_calibration_page import rewrite, rows, text, words
from tests.test_report_page import Page, contents

HOSTILE = Grid(
    title="</title><script>alert(1)</script> " + "W" * 10_000,
    labels={"risk_difference[6 months]": "=1+1 </text><script>alert(2)</script> \u202e" + "long words " * 900},
    command="<script>alert(3)</script>" + "x" * 3000,
)
GRIDS = {
    "effect": Grid(),
    "mediation": Grid(model="mediation", effect=(-0.5,), participants=(60, 80, 107, 150, 200, 300, 400, 800), failed=2),
    "one point": Grid(participants=(107,), attrition=(0.0,), effect=(-0.5,)),
    "many losses": Grid(attrition=(0.0, 0.05, 0.1, 0.2, 0.3, 0.4)),
    "no margin": Grid(empty=("narrow",)),
    "hostile": HOSTILE,
    "many shifts": Grid(
        model="mediation",
        effect=(-0.8, -0.5, -0.2, 0.0),
        mediated=(0.0, 0.5, 1.0, 2.0, 3.0, 4.0),
        labels={"natural_indirect[6 months]": "natural indirect effect, through all mediators, 6 months"},
    ),
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A page of each kind."""
    found = {}
    for name, grid in GRIDS.items():
        found[name] = make(tmp_path_factory.mktemp("design"), grid)
        design_page.build(found[name])
    return found


def test_two_builds_are_equal(tmp_path: Path) -> None:
    one, two = (make(tmp_path / name) for name in ("one", "two"))
    for folder in (one, two, one):
        design_page.build(folder)
    assert contents(one) == contents(two)


@pytest.mark.parametrize("name", GRIDS)
def test_the_page_stands_alone(pages: dict[str, Path], name: str) -> None:
    found, source = Page(text(pages[name])), text(pages[name])
    assert len(source.encode()) <= 2**20
    assert not found.all("script") + found.all("img")
    assert "://" not in source.replace('xmlns="http://www.w3.org/2000/svg"', "")
    ids = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    tags = [tag for tag, _ in found.tags]
    assert tags.count("table") == tags.count("caption") > 0
    assert not re.search("[\u202e\x1b]", source)
    for _, description in re.findall(r'<desc id="([\w-]+)">(.*?)</desc>', source, re.DOTALL):
        assert len(re.findall(r"\d+% at \d+", description)) >= 1 or "W" * 9 in description
    for link in found.all("a"):
        if not link["href"].startswith("#"):
            assert (pages[name] / link["href"]).is_file(), link["href"]


def test_curves_and_tables_hold_what_the_file_has(pages: dict[str, Path]) -> None:
    key = ("participants", "attrition", "effect")
    study = {tuple(float(one[name]) for name in key): one for one in rows(pages["effect"] / "design.csv")}
    drawn = rows(pages["effect"] / "figures" / "curves_1.csv")
    listed = rows(pages["effect"] / "tables" / "grid_1.csv")
    assert len(drawn) == 3 * len(study)
    assert len(listed) == len(study) == 36
    for one in drawn:
        source = study[tuple(float(one[name]) for name in key)]
        assert float(one["share"]) == pytest.approx(float(source[one["measure"]]), abs=1e-7)
        assert float(one["mcse"]) == pytest.approx(float(source[f"{one['measure']}_mcse"]), abs=1e-7)
    for one in listed:
        source = study[tuple(float(one[name]) for name in key)]
        for name in ("truth", "assurance", "narrow", "harm", "coverage", "width"):
            assert float(one[name]) == pytest.approx(float(source[name]), abs=1e-7), name


def test_the_first_size_is_one_from_which_on_all_reach(pages: dict[str, Path]) -> None:
    study = rows(pages["mediation"] / "design.csv")
    found = rows(pages["mediation"] / "tables" / "smallest_sizes.csv")
    assert len(found) == 4
    told = words(pages["mediation"])
    for one in found:
        for place, attrition in enumerate(("0.0", "0.15", "0.3")):
            line = {int(point["participants"]): float(point[one["end"]]) for point in study
                    if (point["attrition"], point["label"]) == (attrition, one["quantity"])}  # fmt: skip
            enough = [size for size in line if all(share >= 0.8 for at, share in line.items() if at >= size)]
            wanted = str(min(enough)) if enough else "none tried"
            assert one[f"attrition_{place}"] == wanted
            if one["quantity"].startswith("risk") and one["end"] == "assurance" and enough:
                assert f"{wanted} at attrition {float(attrition) * 100:.0f}%" in told
    assert {one["end"] for one in rows(pages["effect"] / "tables" / "smallest_sizes.csv") if one["effect"] == "0"} == {
        "narrow"
    }


def test_a_size_does_not_reach_where_a_larger_one_does_not(tmp_path: Path) -> None:
    folder = make(tmp_path)
    listed = rows(folder / "design.csv")
    for one in listed:
        if (one["effect"], one["attrition"]) == ("-0.8", "0.0"):
            one["assurance"] = {"107": "0.9", "200": "0.7"}.get(one["participants"], "0.85")
    rewrite(folder / "design.csv", listed)
    design_page.build(folder)
    assert rows(folder / "tables" / "smallest_sizes.csv")[0]["attrition_0"] == "400"


def test_sentences_tell_range_truth_and_error(pages: dict[str, Path]) -> None:
    told = words(pages["effect"])
    at = [one for one in rows(pages["effect"] / "design.csv") if one["effect"] == "-0.5"]
    shares = sorted(at, key=lambda one: float(one["assurance"]))
    assert "With a true shift of −0.5 log-odds (risk difference, 6 months, −9.5 percentage points)" in told
    assert f"between {100 * float(shares[0]['assurance']):.0f}% of trials ({shares[0]['participants']}" in told
    assert f"and {100 * float(shares[-1]['assurance']):.0f}% ({shares[-1]['participants']} participants" in told
    assert "Where the arms do not differ" in told
    worst = max(float(one[f"{name}_mcse"]) for one in rows(pages["effect"] / "design.csv")
                for name in ("assurance", "narrow", "harm", "coverage"))  # fmt: skip
    assert f"errors of shares are at most {100 * worst:.1f} points. Participants are lost by chance alone, as" in told
    assert "as each point says. The margin is 10 percentage points. No fit" in told
    assert "2 fits of the mediation model failed" in words(pages["mediation"])
    assert "narrower than the margin in" not in words(pages["no margin"])


def test_a_shift_of_0_is_no_false_alarm_where_mediators_move_the_outcome(tmp_path: Path) -> None:
    folder = make(tmp_path, Grid(model="mediation", effect=(0.0,)))
    moved = [one | {"truth": "-0.067"} for one in rows(folder / "design.csv")]
    rewrite(folder / "design.csv", moved)
    design_page.build(folder)
    assert "Where the arms do not differ" not in words(folder)
    assert "With a direct effect of 0 log-odds beside what goes through the mediators (risk difference" in words(folder)
    assert "participants, attrition 30%, direct effect 0)" in (folder / "figures" / "curves_1.svg").read_text()
    ends = {one["end"] for one in rows(folder / "tables" / "smallest_sizes.csv")}
    assert "assurance" in ends


def test_what_a_page_has_no_room_for_stands_in_its_file(pages: dict[str, Path]) -> None:
    told = words(pages["many shifts"])
    assert told.count("This page has no room for 1 of 2 quantities: design.csv beside it has") == 2
    assert len(list((pages["many shifts"] / "figures").glob("curves_*.csv"))) == 1
    assert told.count("of trials (60 participants") == 2  # the lowest and the highest shift
    assert "there is no room" not in words(pages["mediation"])


def test_how_far_mediators_are_moved_is_told_wherever_the_shift_is(tmp_path: Path) -> None:
    folder = make(tmp_path, Grid(model="mediation", effect=(-0.5, 0.0), mediated=(0.0, 1.0, 2.0), attrition=(0.0,)))
    design_page.build(folder)
    told = words(folder)
    assert "With a direct effect of −0.5 log-odds and mediators moved 2 × as far as the scenario states (risk" in told
    assert told.count("Where the arms do not differ") == 1  # neither shift nor mediators
    keys = ("effect", "mediated", "participants")
    for name, points in (("figures/curves_2.csv", 3 * 24), ("tables/grid_2.csv", 24)):
        listed = rows(folder / name)
        assert len(listed) == points
        study = {tuple(float(one[key]) for key in keys): one for one in rows(folder / "design.csv")
                 if one["quantity"] == "natural_indirect[6 months]"}  # fmt: skip
        for one in listed:
            source = study[tuple(float(one[key]) for key in keys)]
            assert float(one["truth"]) == pytest.approx(float(source["truth"]), abs=1e-7)
    assert "Mediators" in told
    assert "Mediators × as stated" not in words(make_page(tmp_path / "as stated", Grid(model="mediation")))


def settle(folder: Path, changes: dict[str, object]) -> None:
    """Change settings of a study."""
    file = folder / "design.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def make_page(folder: Path, grid: Grid) -> Path:
    """A folder with its page."""
    design_page.build(make(folder, grid))
    return folder


@pytest.mark.parametrize(("better", "effect", "end"), [("lower", 0.5, "harm"), ("higher", 0.5, "benefit")])
def test_where_the_truth_is_harm_the_page_asks_for_harm(tmp_path: Path, better: str, effect: float, end: str) -> None:
    folder = make(tmp_path, Grid(effect=(effect,)))
    settle(folder, {"better": better})
    design_page.build(folder)
    assert f"end with a probability of {end} above 0.95" in words(folder)
    ends = {one["end"] for one in rows(folder / "tables" / "smallest_sizes.csv")}
    assert ends == {"harm" if end == "harm" else "assurance", "narrow"}


def test_effects_of_a_design_prior_are_told_as_such(tmp_path: Path) -> None:
    folder = make(tmp_path, Grid(effect=(-0.5,)))
    settle(folder, {"effect_sd": 0.3})
    unknown = [one | {"truth": "", "coverage": "", "coverage_mcse": ""} for one in rows(folder / "design.csv")]
    rewrite(folder / "design.csv", unknown)
    design_page.build(folder)
    assert "With true shifts around −0.5 log-odds (SD 0.3) (risk difference, 6 months)" in words(folder)


def test_the_end_that_a_path_is_asked_for_is_its_own_under_a_design_prior(tmp_path: Path) -> None:
    """A harmful direct shift beside paths that benefit, or are 0 in every trial."""
    folder = make(tmp_path, Grid(model="mediation", effect=(0.5, 0.0), mediated=(0.0, 1.0)))
    settle(folder, {"effect_sd": 0.3})
    design_page.build(folder)
    listed = rows(folder / "tables" / "smallest_sizes.csv")
    ends = {(one["quantity"].split(",")[0], one["effect"], one["mediated"], one["end"]) for one in listed}
    assert {end for name, _, _, end in ends if name == "natural indirect effect"} == {"assurance", "narrow"}
    assert ("natural indirect effect", "0.5", "0", "assurance") not in ends
    assert ("risk difference", "0.5", "0", "harm") in ends
    assert ("risk difference", "0", "0", "assurance") in ends  # true values around 0: benefit in half of them
    assert "at the centre 9.5 percentage points" in words(folder)


def test_a_point_at_which_every_fit_failed_is_told(tmp_path: Path) -> None:
    folder = make(tmp_path, Grid(effect=(-0.8,), failed=300))
    empty = {name: "" for one in MEASURES for name in (one, f"{one}_mcse")} | {"truth": "", "replications": "0"}
    lost = [one | (empty if (one["participants"], one["attrition"]) == ("400", "0.3") else {})
            for one in rows(folder / "design.csv")]  # fmt: skip
    rewrite(folder / "design.csv", lost)
    design_page.build(folder)
    told = words(folder)
    assert "At each point of the grid 300 trials were simulated" in told
    assert "At 1 of them every fit failed, so that they say nothing: 400 participants, attrition 30%, true" in told
    first = rows(folder / "tables" / "smallest_sizes.csv")[0]
    assert (first["attrition_2"], first["attrition_0"] != "none tried") == ("none tried", True)


def test_the_effect_model_says_so_too_where_the_arm_moves_mediators(tmp_path: Path) -> None:
    folder = make(tmp_path, Grid(effect=(0.0,)))
    settle(folder, {"arm_moves_mediators": True})
    rewrite(folder / "design.csv", [one | {"truth": "-0.067"} for one in rows(folder / "design.csv")])
    design_page.build(folder)
    told = words(folder)
    assert "With a direct effect of 0 log-odds beside what goes through the mediators (risk difference" in told
    assert "true shift 0" not in told


def test_a_quantity_that_not_every_trial_has_is_told(tmp_path: Path) -> None:
    """Not as a failed fit: in small trials an arm may lack whoever tells of a path."""
    folder = make(tmp_path, Grid(model="mediation", effect=(-0.8,)))
    lacking = {("60", "0.3"): "0", ("60", "0.15"): "290"}
    listed = [one | ({"replications": lacking.get((one["participants"], one["attrition"]), "300")}
                     if one["quantity"].startswith("natural_indirect") else {})
              for one in rows(folder / "design.csv")]  # fmt: skip
    rewrite(folder / "design.csv", listed)
    design_page.build(folder)
    told = words(folder)
    assert "every fit failed" not in told
    assert "310 of 3" in told
    assert "analysed trials have no natural indirect effect, 6 months; its shares are those of the others" in told


def test_a_grid_of_one_point_has_one_end(tmp_path: Path) -> None:
    folder = make_page(tmp_path, Grid(participants=(107,), attrition=(0.0,), effect=(-0.5,)))
    assert "between" not in words(folder).split("end with a probability")[0]
    figure = (folder / "figures" / "curves_1.svg").read_text()
    assert "participants, attrition 0%, true shift −0.5) of trials" in figure


def test_a_count_is_drawn_in_its_own_unit(tmp_path: Path) -> None:
    folder = make(tmp_path, Grid(effect=(-0.5,)))
    settle(folder, {"outcome": "count", "margin": 1})
    design_page.build(folder)
    assert "shift −0.5: −0.10 events<" in (folder / "figures" / "curves_1.svg").read_text()
    assert "The margin is 1 event per participant." in words(folder)


def test_an_integral_that_should_be_finer_is_named_where_there_is_one(tmp_path: Path) -> None:
    folder = make(tmp_path, Grid(effect=(-0.5,)))
    counted = {"fits": 100, "divergent": 0, "unmixed": 0, "few": 0, "limited": 3, "doubtful": 3}
    settle(folder, {"sampling": counted})
    design_page.build(folder)
    assert "0 a divergent transition, and 3 an integral that should be finer: 3 had one of these" in words(folder)
    assert "integral" not in words(make_page(tmp_path / "none", Grid()))


def test_bad_files_are_refused(tmp_path: Path) -> None:
    folder = make(tmp_path)
    listed = rows(folder / "design.csv")
    rewrite(folder / "design.csv", [*listed, listed[0]])
    with pytest.raises(InvalidInput) as error:
        design_page.build(folder)
    assert "twice" in error.value.why
    listed[0]["assurance"] = "-0.1"
    rewrite(folder / "design.csv", listed)
    with pytest.raises(InvalidInput) as error:
        design_page.build(folder)
    assert "row 2, assurance" in str(error.value.faults[0])
