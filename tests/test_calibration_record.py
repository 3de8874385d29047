"""The full calibration studies that ship, `docs/calibration`: uniform ranks, coverage, false alarms.

They are the results of thousands of fits; the command that made each is in its JSON. CI runs short ones
(`test_calibration.py`).
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

FOLDER = Path(__file__).parents[1] / "docs" / "calibration"
STUDIES = sorted(path.stem for path in FOLDER.glob("*.csv") if path.stem != "gate")  # of the gate: test_gate_rates


def _read(name: str) -> tuple[pd.DataFrame, dict]:
    # pandas takes the kind "null" for a missing value unless told otherwise
    table = pd.read_csv(FOLDER / f"{name}.csv", keep_default_na=False, na_values=[""])
    return table, json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def test_both_models_have_one():
    assert {"effect-effect", "mediation_clean-mediation", "mediation_clean-mediation-not_at_baseline"} <= set(STUDIES)


def test_that_of_the_mediation_model_has_mediators_that_act_at_every_wave():
    _, about = _read("mediation_clean-mediation")
    assert about["analysed"]["acts_at_baseline"] is True
    _, about = _read("mediation_clean-mediation-not_at_baseline")
    assert not about["analysed"].get("acts_at_baseline", False)


def test_paths_are_ranked_as_well():
    table, _ = _read("mediation_clean-mediation")
    bases = set(table.loc[table["kind"] == "prior", "quantity"].str.partition("[")[0])
    assert {"risk_difference", "natural_indirect", "natural_direct", "interventional_via"} <= bases
    assert "dependence" not in bases  # 0 in every draw, by construction: its rank would say nothing


def test_without_an_effect_no_path_is_found_more_often_than_it_should_be():
    # of the model without mediators at baseline: the kinds "truth" and "null" of the other were not run
    table, about = _read("mediation_clean-mediation-not_at_baseline")
    rows = table[(table["kind"] == "null") & table["quantity"].str.contains("6 months") & table["excludes_0"].notna()]
    assert {"natural_indirect[6 months]", "interventional_via[6 months, income_share]"} <= set(rows["quantity"])
    # a dozen shares, each at most 5% plus three binomial standard errors
    assert (rows["excludes_0"] <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / about["replications"]["null"])).all()


@pytest.mark.parametrize("name", STUDIES)
def test_it_says_what_made_it(name):
    table, about = _read(name)
    assert about["command"].startswith("uv run scripts/calibrate.py ")
    assert about["failed"] == 0
    assert about["participants"] == 107
    for kind, count in about["replications"].items():
        assert set(table.loc[table["kind"] == kind, "replications"]) == {count}
    assert about["replications"]["prior"] >= 300


@pytest.mark.parametrize("name", STUDIES)
def test_ranks_are_uniform_for_every_parameter_and_estimand(name):
    table, _ = _read(name)
    ranked = table[table["kind"] == "prior"]
    outside = ranked.loc[~ranked["uniform"].astype(bool), "quantity"].tolist()
    assert not outside
    assert {True, False} == set(ranked["estimand"].astype(bool))


def test_the_interval_of_the_difference_holds_truths_from_the_prior_as_often_as_it_says():
    table, about = _read("effect-effect")
    row = table[(table["kind"] == "prior") & (table["quantity"] == "risk_difference[6 months]")].iloc[0]
    assert about["replications"]["prior"] == 1000
    assert 0.936 <= row["coverage"] <= 0.964


def test_no_effect_is_excluded_as_seldom_as_it_should_be_and_shrinkage_is_told():
    table, about = _read("effect-effect")
    rows = table[(table["kind"] == "null") & table["quantity"].str.startswith("risk_difference")]
    assert len(rows) == 3
    # at most 5% plus two binomial standard errors
    assert (rows["excludes_0"] <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / about["replications"]["null"])).all()
    assert rows["expected_coverage"].between(0.96, 0.995).all()
    # coverage found is what shrinkage alone leads to, within four binomial standard errors
    errors = np.sqrt(rows["expected_coverage"] * (1 - rows["expected_coverage"]) / about["replications"]["null"])
    assert ((rows["coverage"] - rows["expected_coverage"]).abs() < 4 * errors).all()
