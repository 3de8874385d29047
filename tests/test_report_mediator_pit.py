"""Mediators' transforms on the page: title and status by rule, no count that could be subtracted, no row a value."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from reports.page import build
from reports.text import mediator_curves
from reports.text.facts import Facts
from tests.report_fixture import Recipe, make

KINDS = ("continuous", "share")


def built(folder: Path, values: int = 397, **recipe) -> tuple[Facts, dict]:
    """A built report and its record; each mediator has so many values."""
    run = make(folder, Recipe(mediators=KINDS, **recipe))
    tree = run.further["mediation"].tree
    group = tree["mediator_pit"].to_dataset()
    tree["mediator_pit"] = xr.DataTree(group.assign(values=("mediator", np.full(2, values))))
    build.build(run)
    return Facts(run), json.loads((folder / "report.json").read_text(encoding="utf-8"))


def statuses(record: dict) -> dict[str, str]:
    rows = record["tables"]["path_assumptions"]["rows"]
    return {row["assumption"]["value"]: row["status"]["value"] for row in rows}


CLAIM = "Each mediator varies as the distribution that is fitted to it"


def test_inside_and_outside_are_said_by_rule(tmp_path: Path) -> None:
    _, inside = built(tmp_path / "a")
    facts, outside = built(tmp_path / "b", outside=("income_share",))
    assert inside["figures"]["mediator_pit"]["title"].startswith("Inside the 95% band")
    assert outside["figures"]["mediator_pit"]["title"] == (
        "Outside the 95% band of a right distribution: share of income from sex work; inside: social support score"
    )
    assert statuses(inside)[CLAIM] == "checked in § 7"
    assert statuses(outside)[CLAIM] == "in doubt, see § 7"
    assert [row["inside"]["value"] for row in outside["tables"]["mediator_pit"]["rows"]] == [True, False]
    assert "1 of 2 mediators stay" in outside["sentences"]["mediator_pit"]["text"]
    assert "1 in doubt" in outside["sentences"]["assumed_paths"]["text"]
    # it informs: the gate stays as it was
    assert outside["gate"] == inside["gate"]
    drawn = (tmp_path / "b" / "figures" / "mediator_pit.svg").read_text(encoding="utf-8")
    assert "! leaves the band" in drawn
    assert 'class="stop-mark"' in drawn
    assert 'class="stop-mark"' not in (tmp_path / "a" / "figures" / "mediator_pit.svg").read_text(encoding="utf-8")
    assert mediator_curves.curves(facts.paths)[1].difference.size == 99


def test_a_sensitive_mediators_curve_is_coarse_and_its_number_of_values_told(tmp_path: Path) -> None:
    for minimum in (0, 5):
        folder = tmp_path / str(minimum)
        _, record = built(folder, minimum_cell=minimum)
        values = {row["values"]["value"] for row in record["tables"]["mediator_pit"]["rows"]}
        assert values == {397}, "how many are missing is never hidden"
        rows = list(csv.DictReader((folder / "figures" / "mediator_pit.csv").read_text(encoding="utf-8").splitlines()))
        shares = np.array([float(row["share_minus_probability"]) + float(row["probability"]) for row in rows])
        assert np.allclose(shares, shares.round(2), atol=1e-7) == bool(minimum)


@pytest.mark.parametrize(("values", "step"), [(150, 0.05), (30, None)])
def test_fewer_values_are_told_more_coarsely_or_not_at_all(tmp_path: Path, values: int, step: float | None) -> None:
    facts, record = built(tmp_path, values, minimum_cell=5)
    rows = record["figures"]["mediator_pit"]["rows"]
    if step is None:
        assert not rows
        assert "curve not shown" in record["figures"]["mediator_pit"]["description"]
        assert "too few values to draw" in (tmp_path / "figures" / "mediator_pit.svg").read_text(encoding="utf-8")
    else:
        steps = np.array([row[2] + row[1] for row in rows]) / step
        assert np.allclose(steps, steps.round(), atol=1e-5)
    exact = mediator_curves.curves(Facts(make(tmp_path / "none", Recipe(mediators=KINDS))).paths)
    assert exact[0].values.value == 397
    assert facts.limit.minimum == 5


def test_a_curve_told_coarsely_stays_inside_where_it_is(tmp_path: Path) -> None:
    facts, _ = built(tmp_path, minimum_cell=5)
    for curve in mediator_curves.curves(facts.paths):
        assert ((curve.lower <= curve.difference + 1e-12) & (curve.difference <= curve.upper + 1e-12)).all()


def test_without_mediators_or_from_an_older_run_there_is_a_reason(tmp_path: Path) -> None:
    build.build(make(tmp_path / "none", Recipe()))
    assert "names no mediator" in (tmp_path / "none" / "tables" / "mediator_pit.csv").read_text(encoding="utf-8")
    run = make(tmp_path / "old", Recipe(mediators=KINDS))
    del run.further["mediation"].tree["mediator_pit"]
    build.build(run)
    text = (tmp_path / "old" / "report.html").read_text(encoding="utf-8")
    assert "before mediators were checked" in text
    assert CLAIM not in text


def test_sections_named_in_words_lead_there(tmp_path: Path) -> None:
    built(tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    part = text[text.index('<section id="section-4"') : text.index('<section id="section-5"')]
    found = re.findall(r'<a href="#section-(\d+)">§ (\d+)</a>', part)
    assert {"5", "7", "8"} <= {where for where, _ in found}
    assert all(where == said for where, said in found)
    assert all(f'id="section-{where}"' in text for where, _ in found)
    assert str(build.linked("§ 14 & <b> § 7")) == '§ 14 &amp; &lt;b&gt; <a href="#section-7">§ 7</a>'


def test_mediators_stand_in_time_order_with_their_unit(tmp_path: Path) -> None:
    facts, record = built(tmp_path)
    rows = record["tables"]["mediators"]["rows"]
    after = [wave.value for wave in facts.study.waves if wave.role != "baseline"]
    assert [row["wave"]["value"] for row in rows] == after * 2
    assert [row["unit"]["value"] for row in rows] == ["mediator units"] * 3 + ["share"] * 3
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert html.count("(primary wave)") >= 2
