"""A scenario's simulated trials, laid out as a user's would be: through the study file and the product's reader."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import xarray as xr

from models.simulation import simulated_trial, study_folder
from models.simulation.scenario import Scenario
from models.trial import dataset
from models.trial.study_file import study as studies
from models.trial.study_file.study import Study


def simulated(scenario: Scenario, seed: int, participants: int | None = None) -> tuple[Study, xr.Dataset]:
    """A simulated trial, of another size if one is given, written as a study folder and read back."""
    made = simulated_trial.simulate(scenario, seed, participants)
    with tempfile.TemporaryDirectory() as folder:
        study_folder.write(Path(folder), made)
        study, where = studies.read(Path(folder))
        return study, dataset.load(study, where)


def without_effect(scenario: Scenario) -> Scenario:
    """The scenario in which the arm moves nothing: no outcome, no mediator, nothing unmeasured."""
    same = tuple(0.0 for _ in scenario.waves)
    # a union has no equation of its own: it follows from its parts
    still = (each if each.union_of else replace(each, arm_effects=same, interactions={}) for each in scenario.outcomes)
    found = replace(scenario, outcomes=tuple(still))
    for mediator in scenario.mediators:
        found = found.with_mediator(mediator.column, arm_effects=same)
    return replace(found, confounder=replace(found.confounder, arm_effect=0.0)) if found.confounder else found
