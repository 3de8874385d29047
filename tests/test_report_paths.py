"""Section 6: what goes through the mediators, its own gate, its sentences, and what it does without mediators."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.page import build
from reports.text import mediated, sentences_paths
from reports.text.elements import worded
from reports.text.facts import Facts
from reports.text.numbers import MINUS, NotANumber
from reports.text.parts import Label
from reports.text.sentences_paths import Through
from tests.report_draws import as_rows
from tests.report_fixture import AMBER, RED, Recipe, make
from tests.test_report_page import HOSTILE, Page, built, contents
from tests.test_sentences import FORBIDDEN, NUMBER, estimate, negative

TWO = ("continuous", "share")
RECIPES = {
    "two": Recipe(mediators=TWO),
    "one": Recipe(mediators=("share",)),
    "three": Recipe(mediators=("continuous", "share", "binary")),
    "four-way": Recipe(mediators=TWO, interaction=True),
    "one sign": Recipe(mediators=TWO, one_sign=True),
    "no baseline": Recipe(mediators=TWO, baseline=False),
    "count": Recipe(mediators=TWO, kind="count"),
    "continuous": Recipe(mediators=TWO, kind="continuous", better="higher"),
    "same wave": Recipe(mediators=TWO, lag=0),
    "none ordered": Recipe(mediators=TWO, several_waves=False, negative_control=False),
    "suppressed": Recipe(mediators=TWO, minimum_cell=5),
    "hostile": Recipe(mediators=TWO, texts=HOSTILE | {"mediator0": "<script>alert(9)</script> \u202e=1+1" + "x" * 400}),
}


@pytest.fixture(scope="module")
def reports(tmp_path_factory) -> dict[str, Path]:
    """A report of each kind, with mediators."""
    return {name: built(tmp_path_factory.mktemp("paths"), recipe) for name, recipe in RECIPES.items()}


def record(folder: Path) -> dict:
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def section(found: dict, number: int = 6) -> dict:
    return next(part for part in found["sections"] if part["number"] == number)


def rows(found: dict, table: str) -> list[dict]:
    return found["tables"][table]["rows"]


@pytest.mark.parametrize("name", RECIPES)
def test_page_is_valid_and_files_keep_their_names(reports: dict[str, Path], name: str) -> None:
    folder = reports[name]
    Page((folder / "report.html").read_text(encoding="utf-8"))
    assert section(record(folder))["status"] == "shown"
    assert {path.stem for path in (folder / "tables").iterdir()} == set(build.names()["tables"])
    assert {path.stem for path in (folder / "figures").iterdir()} == set(build.names()["figures"])


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in RECIPES if name != "hostile"])
def test_numbers_in_the_prose_are_in_the_record(reports: dict[str, Path], name: str) -> None:
    found = record(reports[name])
    text = Page((reports[name] / "report.html").read_text(encoding="utf-8")).text
    for sentence in ("M1", "M2", "T1_paths"):
        if sentence not in found["sentences"]:
            continue
        told = found["sentences"][sentence]
        assert re.sub(r"\s+", " ", told["text"]) in text
        rest = re.sub(r"\d months after the programme|past 90 days|§ \d", "", told["text"])
        printed = {part for number in told["numbers"].values() for part in number["printed"].split()}
        assert set(re.findall(r"−?\d+(?:\.\d+)?%?", rest)) <= printed, sentence
        assert not FORBIDDEN.search(told["text"])


@pytest.mark.parametrize("name", RECIPES)
def test_every_row_has_posterior_prior_and_class(reports: dict[str, Path], name: str) -> None:
    found = record(reports[name])
    for table in ("mediators", "decomposition", "common_change"):
        for row in rows(found, table) if table in found["tables"] else []:
            assert {"posterior", "prior", "evidence"} <= set(row)
            # that of a difference flatters the data: its prior is spread over every level
            assert "contraction" not in row
            assert row["evidence"]["printed"] in ("randomised + MAR", "assumption-driven")
            # only what randomisation gives is printed as randomised
            randomised = row["estimand"]["value"] in ("mediator_difference", "total")
            assert (row["evidence"]["printed"] == "randomised + MAR") == randomised


def test_rows_follow_from_what_was_fitted(reports: dict[str, Path]) -> None:
    via = {name: [r for r in rows(record(reports[name]), "decomposition")] for name in ("one", "three", "four-way")}
    names = {name: [row["estimand"]["value"] for row in found] for name, found in via.items()}
    assert [names[name].count("interventional_via") for name in ("one", "three", "four-way")] == [1, 3, 2]
    assert "dependence" not in names["one"]
    assert "dependence" in names["three"]
    assert names["four-way"].count("interventional_via_reversed") == 2
    assert {"reference_interaction", "mediated_interaction", "natural_indirect_pure"} <= set(names["four-way"])
    assert "mediated_interaction" not in names["three"]
    dependence = next(row for row in via["three"] if row["estimand"]["value"] == "dependence")
    assert dependence["posterior"]["printed"] == "0, by construction"
    mediators = [row["wave"]["value"] for row in rows(record(reports["two"]), "mediators")]
    assert mediators == ["post-test", "3 months", "6 months"] * 2


def test_a_share_is_told_only_where_the_total_has_one_sign(reports: dict[str, Path]) -> None:
    plain, sure = (record(reports[name])["sentences"]["M1"] for name in ("two", "one sign"))
    told = r"is not reported: P\(total has one sign\) is [\d.]+, not above 0\.975; these are parts"
    assert re.search(told, plain["text"])
    assert plain["numbers"]["p"]["value"] <= 0.975
    assert re.search(r"The share of the total that goes through the mediators is 0\.\d", sure["text"])
    estimands = {name: {row["estimand"]["value"] for row in rows(record(reports[name]), "decomposition")}
                 for name in ("two", "one sign")}  # fmt: skip
    assert "proportion_mediated" in estimands["one sign"] - estimands["two"]


def test_the_change_is_never_called_an_effect(reports: dict[str, Path]) -> None:
    found = record(reports["two"])
    told = found["sentences"]["T1_paths"]["text"]
    assert "The cause of this change is not identified" in told
    assert not re.search(r"effect of|training's|training’s", told)
    table = {row["quantity"]["value"]: row for row in rows(found, "common_change_prior")}
    assert table["Smallest such w"]["posterior"]["printed"] == "0.60"
    left = table["Remainder − d"]
    assert left["estimand"]["value"] == "change_training"
    text = Page((reports["two"] / "report.html").read_text(encoding="utf-8")).text
    assert "assumes that training and all other causes push the same way" in text
    none = record(reports["no baseline"])
    assert not {"common_change", "common_change_prior"} & set(none["tables"])
    text = Page((reports["no baseline"] / "report.html").read_text(encoding="utf-8")).text
    assert "cannot be split: no wave was measured before treatment" in text


def test_waves_without_an_ordered_mediator_say_why(reports: dict[str, Path]) -> None:
    text = Page((reports["two"] / "report.html").read_text(encoding="utf-8")).text
    assert text.count("not identified. No ordered mediator: a made-up reason.") == 2
    alone = record(reports["none ordered"])
    assert alone["sentences"]["M1"]["text"].startswith("No ordered mediator: a made-up reason. Nothing can be said")
    assert "decomposition" not in alone["tables"]
    assert "paths" not in alone["figures"]


def test_notes_of_the_fit_are_visible(reports: dict[str, Path]) -> None:
    html = (reports["two"] / "report.html").read_text(encoding="utf-8")
    inside = html[html.index('id="section-6"') : html.index('id="section-7"')]
    note = "social support score: a limitation of the mediation model."
    assert inside.index(note) < inside.index("<details")
    assert "smallest arm × wave cell" not in inside


def test_red_mediation_hides_its_section_alone(tmp_path: Path) -> None:
    shown = record(built(tmp_path / "green", Recipe(mediators=TWO)))
    folder = built(tmp_path / "red", Recipe(mediators=TWO, mediation=RED))
    found, text = record(folder), Page((folder / "report.html").read_text(encoding="utf-8")).text
    assert section(found)["status"] == "withheld"
    assert section(found, 1)["status"] == "shown"
    assert found["gate"]["status"] == found["gate"]["further"]["mediation"]["status"] == "red"
    assert found["withheld"] is None
    assert "11 of 12 checks pass. Failed: mediation model, R-hat, largest: 1.04" in text
    assert "1 check stops what rests on it: mediation model, R-hat, largest: 1.04 (risk difference" in text
    fields = ("median", "lower", "upper")
    hidden = {
        f"{row[field]['value']:.8g}"
        for row in rows(shown, "path_estimates")
        for field in fields
        if row[field]["value"] is not None and len(f"{abs(row[field]['value']):.8g}") > 8
    }
    assert len(hidden) > 20
    for name, content in contents(folder).items():
        assert not [number for number in hidden if number in content], name


def test_a_red_effect_model_leaves_section_6(tmp_path: Path) -> None:
    found = record(built(tmp_path, Recipe(mediators=TWO, status=RED)))
    assert section(found, 1)["status"] == "withheld"
    assert section(found)["status"] == "shown"
    assert found["gate"]["status"] == "red"


def test_show_anyway_warns_in_the_section_whose_gate_is_red(tmp_path: Path) -> None:
    folder = built(tmp_path, Recipe(mediators=TWO, mediation=RED), show_anyway=True)
    text = Page((folder / "report.html").read_text(encoding="utf-8")).text
    assert text.count("Do not use these numbers.") == 1
    assert section(record(folder))["reason"].startswith("Failed: R-hat, largest")


def test_both_gates_stand_in_section_2(tmp_path: Path) -> None:
    found = record(built(tmp_path, Recipe(mediators=TWO, mediation=AMBER)))
    models = [row["model"]["value"] for row in rows(found, "gate")]
    assert models == ["effect"] * 6 + ["mediation"] * 6
    assert rows(found, "gate")[6]["status"]["value"] == "amber"
    assert any("via" in row["quantity"]["printed"] for row in rows(found, "computation"))


@pytest.mark.parametrize(
    ("recipe", "not_run", "reason"),
    [
        (Recipe(), {}, "the study file names no mediator"),
        (Recipe(mediators=TWO, mediation=None), {"mediation": "support: all equal."}, "support: all equal."),
        (Recipe(mediators=TWO, mediation=None), {}, "only the effect model was fitted"),
    ],
)
def test_without_a_mediation_fit_it_says_why(tmp_path: Path, recipe: Recipe, not_run: dict, reason: str) -> None:
    run = make(tmp_path, recipe)
    run.manifest["not_run"] = not_run
    build.build(run)
    found = section(record(tmp_path))
    assert found["status"] == "not run"
    assert found["reason"] == f"Not run: {reason}" or found["reason"].startswith(f"Not run: {reason}")
    for name in ("tables/decomposition.csv", "figures/paths.csv", "tables/path_assumptions.csv"):
        assert reason in (tmp_path / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("tips", [0.6, float("nan")])
def test_a_run_of_the_mediation_model_alone_fills_every_section(tmp_path: Path, tips: float) -> None:
    run = make(tmp_path, Recipe(mediators=TWO))
    fit = run.further["mediation"]
    table = pd.concat([run.estimates, fit.estimates]).fillna({"mediator": "", "bias_parameters": ""})
    table.loc[table.estimand == "training_tipping_share", "median"] = tips
    groups = {name: group.to_dataset() for name, group in run.tree.children.items()}
    groups |= {"trial": fit.tree["trial"].to_dataset()}
    groups |= {"summary": as_rows(table), "path_estimands": fit.tree["path_estimands"].to_dataset()}
    groups["posterior"] = xr.merge(
        [groups["posterior"], fit.tree["posterior"].to_dataset().drop_dims("covariate")], compat="override"
    )
    names = groups["posterior"]["acting_mediator"]
    slope = groups["prior"]["theta"].rename(follow_up="acting_mediator").assign_coords(acting_mediator=names)
    groups["prior"] = groups["prior"].assign(slope=slope)
    groups["prior_path_estimands"] = fit.tree["prior_path_estimands"].to_dataset()
    build.build(replace(run, tree=xr.DataTree.from_dict(groups), further={}))
    found = record(tmp_path)
    assert section(found)["status"] == section(found, 1)["status"] == "shown"
    printed = [row["posterior"]["printed"] for row in rows(found, "common_change_prior")]
    assert printed[-1] == ("0.60" if tips == tips else "none reaches it")
    assert not [row for row in rows(found, "not_identified") if "direct" in row["quantity"]["printed"]]


def test_hostile_labels_are_only_text(reports: dict[str, Path]) -> None:
    files = contents(reports["hostile"])
    assert not Page(files["report.html"]).all("script")
    assert not [name for name, text in files.items() if name.endswith(".svg") and "<script" in text]
    assert "\u202e" not in files["report.html"]


def test_missing_mediators_are_told_however_few(tmp_path: Path) -> None:
    for minimum in (0, 5):
        run = make(tmp_path, Recipe(mediators=TWO, minimum_cell=minimum))
        known = run.tree["trial"].to_dataset()
        value = np.full((2, 107, 4), 0.5)
        value[0, :3, 3] = np.nan  # 3 of 50 in the control arm
        value[1, :, 1] = np.nan
        unseen = ~known["seen"].to_numpy()[:, 2] & (known["arm"].to_numpy() == 1)
        seen_no = int(unseen.sum())
        value[0, unseen, 2] = np.nan
        value[0, np.flatnonzero(~unseen & (known["arm"].to_numpy() == 1))[:3], 2] = np.nan
        names = [part.column for part in run.study.mediators]
        known = known.assign(mediator_value=(("mediator", "participant", "wave"), value)).assign_coords(mediator=names)
        run.tree["trial"] = xr.DataTree(known)
        build.build(run)
        table = {
            (row["mediator"]["value"], row["wave"]["value"]): row for row in rows(record(tmp_path), "missing_mediators")
        }
        told = table["social_support", "6 months"]["control"]["printed"]
        assert told == "3 (6%)"
        assert table["income_share", "post-test"]["treated"]["printed"] == "not measured"
        blank = table["social_support", "3 months"]["treated"]["printed"]
        assert blank == f"{seen_no + 3} ({100 * (seen_no + 3) / 57:.0f}%)"


def test_the_graph_is_read_from_the_fit(reports: dict[str, Path]) -> None:
    edges = [tuple(row) for row in record(reports["four-way"])["figures"]["paths_graph"]["rows"]]
    support = "social support score, 3 months after the programme"
    outcome = "outcome, 6 months after the programme"
    assert (support, outcome, "modelled, the slope differs by arm") in edges
    assert (support.replace("social support score", "share of income from sex work"), outcome, "modelled") in edges
    before = [edge for edge in edges if edge[1] == "outcome, before the programme" and "score" in edge[0]]
    told = "modelled, the slope differs by arm, the mediator was not observed then"
    assert before == [("social support score, before the first wave", "outcome, before the programme", told)]
    same = [tuple(row) for row in record(reports["same wave"])["figures"]["paths_graph"]["rows"]]
    assert (support.replace("3 months", "6 months"), outcome, "modelled") in same


def test_words_stand_for_elements(tmp_path: Path) -> None:
    plan = make(tmp_path, Recipe(mediators=TWO)).study
    assert worded({"variable": "mediator_step", "mediator": "income_share", "step_to": "post-test"}, plan) == (
        "change in share of income from sex work from a wave to the next, after the training"
    )
    part = {"variable": "change_via", "mediator": "income_share", "arm": "control", "contrast": "6 months"}
    assert worded(part, plan) == (
        "change that moves with share of income from sex work, training arm, 6 months after the programme"
    )
    level = {"variable": "mediator_trait", "lasting_mediator": "social_support", "participant": "36"}
    for place in (level, {"variable": "missing income_share", "missing income_share_dim_0": "36"}):
        assert "36" not in worded(place, plan)
        assert worded(place, plan).endswith("of one participant") or "social support" in worded(place, plan)
    pair = {"variable": "partial_correlation", "pair": "social_support and outcome"}
    assert worded(pair, plan) == "correlation of lasting levels, social support score and outcome"


# sentences, by property


@st.composite
def worlds(draw: st.DrawFn) -> tuple[np.ndarray, list[np.ndarray]]:
    """Draws of a direct effect and of what goes via one to four mediators."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    sizes = [draw(st.floats(-0.3, 0.3)) for _ in range(draw(st.integers(2, 5)))]
    direct, *via = (centre + 0.05 * rng.standard_normal(501) for centre in sizes)
    return direct, via


def told(direct: np.ndarray, via: list[np.ndarray], sign: int = 1, share: bool = False) -> Through:
    """Numbers of M1 from draws; `sign` −1 swaps the arms."""
    of = [replace(estimate(sign * part, 0.1, True), unit="risk") for part in (direct + sum(via), direct, *via)]
    labels = [Label(f"mediator {'abcd'[place]}") for place in range(len(via))]
    dependence = replace(estimate(np.zeros(501), 0.1, True), mcse_median=0.0, mcse_lower=0.0, mcse_upper=0.0)
    whole = replace(of[1], unit="proportion") if share else None
    return Through(
        "6 months", "percentage points", of[0], of[1], list(zip(labels, of[2:], strict=True)), dependence, whole
    )


@settings(max_examples=40, deadline=None)
@given(worlds())
def test_swapping_the_arms_flips_every_number(parts: tuple[np.ndarray, list[np.ndarray]]) -> None:
    one, other = sentences_paths.m1(told(*parts)), sentences_paths.m1(told(*parts, sign=-1))
    assert [name for name in one.numbers if not name.endswith(("_lo", "_hi"))][1:] == [
        "total",
        "direct",
        *(f"via{place}" for place in range(1, len(parts[1]) + 1)),
    ]
    for name, number in one.numbers.items():
        mirrored = name.replace("_lo", "_xx").replace("_hi", "_lo").replace("_xx", "_hi")
        if name != "ci":
            assert negative(number.text).replace(f"{MINUS}0.0", "0.0") in (
                other.numbers[mirrored].text,
                other.numbers[mirrored].text.replace(f"{MINUS}0.0", "0.0"),
            )


@settings(max_examples=40, deadline=None)
@given(worlds())
def test_every_number_in_m1_is_one_of_its_numbers(parts: tuple[np.ndarray, list[np.ndarray]]) -> None:
    about = told(*parts)
    for made in (sentences_paths.m1(about), sentences_paths.share(about)):
        printed = {number.text for number in made.numbers.values()} | {"6", "4"}
        assert set(NUMBER.findall(made.text)) <= printed
        assert not FORBIDDEN.search(made.text)
    assert "dependence" not in sentences_paths.m1(about).text


def test_a_sentence_without_a_number_raises() -> None:
    about = told(np.full(501, -0.1), [np.full(501, 0.02)])
    with pytest.raises(NotANumber):
        sentences_paths.m1(replace(about, direct=replace(about.direct, median=float("nan"))))
    with pytest.raises(NotANumber):
        sentences_paths.share(replace(about, total=replace(about.total, p_below_zero=float("nan"))))


def test_dependence_that_is_not_constant_is_told() -> None:
    rng = np.random.default_rng(1)
    about = told(rng.standard_normal(501), [rng.standard_normal(501)] * 2)
    more = sentences_paths.m1(replace(about, dependence=about.direct))
    assert "through the dependence between mediators, if the assumptions" in more.text


def test_a_probability_not_above_the_limit_is_not_printed_above_it() -> None:
    about = told(np.full(501, -0.1), [np.full(501, 0.02)])
    made = sentences_paths.share(replace(about, total=replace(about.total, p_below_zero=0.975)))
    assert made.numbers["p"].text == "0.97"


def test_mediators_stand_in_the_order_of_the_study(tmp_path: Path) -> None:
    facts = Facts(make(tmp_path, Recipe(mediators=("continuous", "share", "binary")))).paths
    assert facts is not None
    assert mediated.mediators(facts) == ["social_support", "income_share", "bank_account"]
    assert mediated.before(facts, "6 months") == "3 months"
