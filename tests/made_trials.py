"""Trials made from arrays, without files: for checks of the data, thousands in a second."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from models.trial.study_file import study as studies
from models.trial.study_file.study import Study
from tests.small_trial import REMOVED, changed


def study_of(kind: str, waves: int, mediators: int = 0, covariates: int = 0, baseline: bool = True) -> Study:
    """A study of one outcome."""
    content = changed(
        ("further_outcomes", []),
        ("attendance", REMOVED),
        ("outcome.kind", kind),
        ("waves", [_wave(place, baseline) for place in range(waves)]),
        ("primary_wave", str(waves - 1)),
        ("lag", 0),
        ("mediators", [_mediator(place) for place in range(mediators)]),
        ("arms.treated.randomised", REMOVED),
        ("covariates", [{"column": f"c{c}", "kind": "continuous", "label": f"c{c}"} for c in range(covariates)]),
    )
    return studies.parse(content)


def _wave(place: int, baseline: bool) -> dict[str, Any]:
    role = "baseline" if baseline and not place else "follow-up"
    return {"value": str(place), "label": f"wave {place}", "month": place, "role": role}


def _mediator(place: int) -> dict[str, Any]:
    return {"column": f"m{place}", "kind": "continuous", "label": f"m{place}"}


def trial_of(
    study: Study,
    arm: np.ndarray,
    outcome: np.ndarray,
    mediators: np.ndarray | None = None,
    covariates: np.ndarray | None = None,
    groups: list[dict] | None = None,
) -> xr.Dataset:
    """The trial as `models.trial.dataset.load` lays it out; outcome (participant, wave), mediators (mediator, …)."""
    people, waves = outcome.shape
    mediators = np.zeros((0, people, waves)) if mediators is None else mediators
    covariates = np.zeros((people, 0)) if covariates is None else covariates
    return xr.Dataset(
        {
            "arm": ("participant", arm),
            "seen": (("participant", "wave"), ~np.isnan(outcome)),
            "outcome": (("participant", "wave"), outcome.astype(float)),
            "further_outcome": (("further", "participant", "wave"), np.zeros((0, people, waves))),
            "mediator_value": (("mediator", "participant", "wave"), mediators),
            "covariate_value": (("participant", "covariate"), covariates),
        },
        {"covariate": [part.column for part in study.covariates]},
        attrs={"levels": "{}", "notes": "[]", "groups": json.dumps(groups or [])},
    )
