"""What the page says follows from the run: statuses, the crude difference beside a flag, words instead of codes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import xarray as xr

from reports import page
from reports.elements import worded
from tests.report_fixture import Recipe, make
from tests.test_report_page import built


def flagged(folder: Path, shift: float) -> dict:
    """Record of a run whose primary difference is flagged by power-scaling."""
    run = make(folder)
    table = run.checks["power_scaling"].to_dataset()
    size = table.sizes["row"]
    run.checks["power_scaling"] = xr.DataTree(table.assign(flag=("row", [True] * size), shift=("row", [shift] * size)))
    page.build(run)
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def test_a_flag_puts_the_priors_in_doubt_and_tells_the_crude_difference(tmp_path: Path) -> None:
    plain = json.loads((built(tmp_path / "plain") / "report.json").read_text(encoding="utf-8"))
    record = flagged(tmp_path, 0.01)
    claim = "The priors do not decide the answer"
    for one, status in ((plain, "checked in § 8"), (record, "in doubt, see § 8")):
        rows = {row["assumption"]["value"]: row["status"]["value"] for row in one["tables"]["assumptions"]["rows"]}
        assert rows[claim] == status
        assert rows["Both arms were visited at the same times"] == "not checked"
        assert re.search(r"checked in § 5: −?\d.* \(.* to .*\)", next(s for s in rows.values() if "§ 5" in s))
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


def test_a_share_that_is_better_when_higher_is_no_risk(tmp_path: Path) -> None:
    record = json.loads((built(tmp_path, Recipe(better="higher", effect=1.5)) / "report.json").read_text())
    names = [row["quantity"]["printed"] for row in record["tables"]["answer"]["rows"]]
    assert {"Difference in shares", "Ratio of shares"} <= set(names)
    assert not [name for name in names if "isk" in name]
    assert record["figures"]["difference"]["title"].startswith("Difference in shares: ")


def test_words_stand_for_elements(tmp_path: Path) -> None:
    plan = make(tmp_path).study
    assert worded("risk_difference[6 months]", plan) == "risk difference, 6 months after the programme"
    assert worded("risk[sample, control, baseline]", plan) == (
        "risk, averaged over the sample, training arm, before the programme"
    )
    assert worded("gamma[education: more]", plan) == "slope of a baseline variable, education more"
    assert worded("tau", plan) == "spread between participants"
    assert "36" not in worded("trait[36]", plan)
    assert worded("control at 6 months; treated at 3 months", plan).startswith("training arm, 6 months after")
    assert worded("chain 2", plan) == "chain 2"
