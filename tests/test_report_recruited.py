"""Words of a page about a trial whose participants joined groups that had their arms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from models.trial.study_file.study import Grouping
from reports.sections import section_03_people, section_04_assumptions
from reports.text.assumptions import assumed
from reports.text.facts import Facts
from tests import hostile
from tests.report_fixture import make
from tests.report_recipe import Recipe


def _facts(folder: Path, recruited: str) -> Facts:
    run = hostile.grouped(make(folder, Recipe(mediators=("continuous",))))
    clinics = Grouping(column=hostile.CLINIC, kind="randomised", label="clinic", recruited=recruited)
    return Facts(replace(run, study=run.study.model_copy(update={"groupings": (clinics,)})))


@pytest.mark.parametrize("recruited", ["before", "after"])
def test_what_randomisation_decided_is_what_the_page_says(tmp_path: Path, recruited: str) -> None:
    facts, later = _facts(tmp_path, recruited), recruited == "after"
    claims = {one.claim for one in assumed(facts)}
    assert ("Arms were assigned at random" in claims) == (not later)
    assert ("Groups were assigned to the arms at random" in claims) == later
    assert any("joined a group once it had its arm" in claim for claim in claims) == later
    assert any(claim.startswith("At baseline the arms differ by chance alone") for claim in claims) == (not later)
    people, model = section_03_people.compose(facts), section_04_assumptions.compose(facts)
    assert people.values["recruited_after"] == later
    assert (model.values["baseline"], model.values["own_baseline"]) == (not later, later)
