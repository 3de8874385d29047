"""What the page says follows from the run: statuses, the crude difference beside a flag, words instead of codes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import xarray as xr

from reports.page import build
from reports.sections import section_01_answer, section_05_waves, section_08_priors
from reports.text import assumptions
from reports.text.elements import every, worded
from reports.text.facts import Facts
from tests.report_asked import as_group
from tests.report_draws import as_rows
from tests.report_fixture import Recipe, make
from tests.test_report_page import built


def flagged(folder: Path, shift: float) -> dict:
    """Record of a run whose primary difference is flagged by power-scaling."""
    run = make(folder, Recipe(asked="none"))
    table = run.tree["power_scaling"].to_dataset()
    size = table.sizes["row"]
    run.tree["power_scaling"] = xr.DataTree(table.assign(flag=("row", [True] * size), shift=("row", [shift] * size)))
    build.build(run)
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def test_a_flag_puts_the_priors_in_doubt_and_tells_the_crude_difference(tmp_path: Path) -> None:
    plain = built(tmp_path / "plain", Recipe(asked="none"))
    plain = json.loads((plain / "report.json").read_text(encoding="utf-8"))
    record = flagged(tmp_path, 0.01)
    claim = "The priors do not decide the answer"
    for one, status in ((plain, "checked in § 8"), (record, "in doubt, see § 8")):
        rows = {row["assumption"]["value"]: row["status"]["value"] for row in one["tables"]["assumptions"]["rows"]}
        assert rows[claim] == status
        assert rows["Both arms were visited at the same times"] == "not checked"
        assert re.search(r"not checked: −?\d.* \(.* to .*\), too wide", next(s for s in rows.values() if "wide" in s))
    assert "A4" not in plain["sentences"]
    told = record["sentences"]["A4"]
    crude = next(
        row
        for row in record["tables"]["contrasts"]["rows"]
        if (row["wave"]["value"], row["method"]["value"]) == ("6 months", "crude")
    )
    assert [told["numbers"][name]["value"] for name in ("crude", "lo", "hi")] == [
        crude[name]["value"] for name in ("median", "lower", "upper")
    ]
    assert "without the model the difference is" in told["text"]


def statuses(facts: Facts) -> dict[str, str]:
    """Status of each assumption."""
    rows = assumptions.table("assumptions", "", assumptions.assumed(facts)).rows
    return {str(row["assumption"].value): row["status"].text for row in rows}


@pytest.mark.parametrize("doubted", [False, True])
def test_another_verdict_under_a_shipped_prior_puts_the_priors_in_doubt(tmp_path: Path, doubted: bool) -> None:
    run = make(tmp_path)
    main = Facts(run).estimate("risk_difference", "6 months")
    table = run.asked("refits")
    rows = (table["estimand"] == "risk_difference") & (table["wave"] == "6 months") & (table["kind"] == "priors")
    # under every set the interval of the analysis, and then under one that ships one that lies within the margin
    for field in ("lower", "upper", "mcse_lower", "mcse_upper"):
        table.loc[rows, field] = getattr(main, field)
    if doubted:
        table.loc[rows & (table["name"] == "sceptical"), ["lower", "upper"]] = (-0.09, 0.09)
    else:
        table.loc[rows & table["name"].str.contains("SDs"), ["lower", "upper"]] = (-0.09, 0.09)  # none that ships
    run.tree["refits"] = xr.DataTree(as_group(table))
    facts = Facts(run)
    assert statuses(facts)["The priors do not decide the answer"].startswith("in doubt") == doubted
    said = section_01_answer.compose(facts).sentences
    assert ("P1" in said) == doubted
    if doubted:
        told = "undecided under weakly informative (as analysed) and diffuse, equivalent under sceptical."
        assert said["P1"].text == f"The verdict depends on the prior: {told}"
        assert said["P1"].text in section_08_priors.compose(facts).sentences["priors"].text


@pytest.mark.parametrize(
    ("exposed", "interval", "told"),
    [
        ("none", (-0.05, 0.05), "before the programme could act"),
        ("partly", (-0.05, 0.05), "after part of the programme"),
        (None, (-0.05, 0.05), "a negative control, the contrast is"),
        (None, (-0.05, 0.05), "rules out a bias of the margin’s size"),
        (None, (-0.15, 0.05), "too imprecise to rule out a bias of the margin’s size"),
        (None, (0.01, 0.05), "excludes 0, which points to a bias"),
    ],
)
def test_a_negative_control_says_no_more_than_it_can(
    tmp_path: Path, exposed: str | None, interval: tuple[float, float], told: str
) -> None:
    run = make(tmp_path)
    waves = tuple(
        wave.model_copy(update={"exposed": exposed}) if wave.role == "negative control" else wave
        for wave in run.study.waves
    )
    table = run.estimates
    rows = (table["estimand"] == "risk_difference") & (table["wave"] == "post-test")
    table.loc[rows, ["lower", "upper"]] = interval
    run.tree["summary"] = xr.DataTree(as_rows(table))
    facts = Facts(replace(run, study=run.study.model_copy(update={"waves": waves})))
    said = section_05_waves.compose(facts).sentences["waves"].text
    assert told in said
    assert ("could act" in said, "part of the programme" in said) == (exposed == "none", exposed == "partly")
    status = statuses(facts)["At the negative control the arms do not differ yet"]
    within = interval[0] > -0.1
    assert status.startswith("checked" if within and interval[0] < 0 else "in doubt" if within else "not checked")


def test_a_share_that_is_better_when_higher_is_no_risk(tmp_path: Path) -> None:
    record = json.loads((built(tmp_path, Recipe(better="higher", effect=1.5)) / "report.json").read_text())
    names = [row["quantity"]["printed"] for row in record["tables"]["answer"]["rows"]]
    assert {"Difference in shares", "Ratio of shares"} <= set(names)
    assert not [name for name in names if "isk" in name]
    assert record["figures"]["difference"]["title"].startswith("Difference in shares: ")


def test_words_stand_for_elements(tmp_path: Path) -> None:
    plan = make(tmp_path).study
    assert (
        worded({"variable": "risk_difference", "contrast": "6 months"}, plan)
        == "risk difference, 6 months after the programme"
    )
    assert worded({"variable": "risk", "average": "sample", "arm": "control", "wave": "baseline"}, plan) == (
        "risk, averaged over the sample, training arm, before the programme"
    )
    assert (
        worded({"variable": "gamma", "covariate": "education: more"}, plan)
        == "slope of a baseline variable, education more"
    )
    assert worded({"variable": "tau"}, plan) == "spread between participants"
    assert "36" not in worded({"variable": "trait", "participant": "36"}, plan)
    assert "36" not in worded({"variable": "of a new kind", "participant": "36"}, plan), "whatever it is called"
    cells = ({"arm": "control", "wave": "6 months"}, {"arm": "treated", "wave": "at 3 months; or later"})
    assert every(cells, plan).startswith("training arm, 6 months after")
    assert every(cells, plan).endswith("arm, at 3 months; or later"), "a label is not taken apart"
    assert worded({"chain": 1}, plan) == "chain 2"
