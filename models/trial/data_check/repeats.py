"""Participants who are alike in everything measured: entered twice under two names, or made up."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from models.trial.data_check.finding import Finding
from models.trial.study_file.study import Study

CHANCE = 1e-4
"""Of a pair so alike in the whole trial."""
RARE = 0.05
"""Share of participants with a value up to which having it too says something."""
KINSHIP = 3.0
"""How many times likelier a value is where the others agree: measures of one person go together."""
MANY = 0.05
"""Share of participants from which such pairs keep the page from green."""


def findings(study: Study, trial: xr.Dataset) -> Iterator[Finding]:
    """Pairs of participants whose every value is the same, where chance does not explain it.

    Yields
    ------
    Finding
        One, where there are any.
    """
    people = trial.sizes["participant"]
    names = ("outcome", "further_outcome", "mediator_value", "covariate_value")
    values = np.column_stack(
        [trial[name].transpose("participant", ...).to_numpy().reshape(people, -1) for name in names]
    )
    filled = np.where(np.isnan(values), np.inf, values)  # nothing is like nothing
    _, first, times = np.unique(filled, axis=0, return_index=True, return_counts=True)
    pairs = people * (people - 1) / 2
    alike = sum(
        times[group] - 1 for group in np.flatnonzero(times > 1) if pairs * _chance(values, first[group]) < CHANCE
    )
    if not alike:
        return
    smallest = study.privacy.minimum_cell
    shown = f"Fewer than {smallest}" if alike < smallest else str(alike)
    yield Finding(
        "identical participants",
        f"{shown} participant{'s have' if alike != 1 else ' has'} exactly the values of another one at every wave: "
        "entered twice under two names?",
        "amber" if alike > MANY * people else "note",
    )


def _chance(values: np.ndarray, person: int) -> float:
    """That another participant has this one's values, by how many of the others have each."""
    own = values[person]
    present = ~np.isnan(values)
    share = ((values == own).sum(0) - 1) / np.maximum(present.sum(0) - 1, 1)
    rare = ~np.isnan(own) & (share <= RARE)
    return float(np.prod(np.minimum(1, KINSHIP * share[rare])))
