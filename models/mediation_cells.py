"""Which cells a mediation model reads: mediators observed, mediators missing where an outcome needs them, outcomes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from models.design import Design
from models.mediators import Mediators

STATES = {"share": 3, "binary": 2}
"""Values over which a missing mediator is summed: 0, 1 and, for a share, what lies between."""

UNKNOWN = ("latent cell of ", "between rows of ")
"""Beginnings of the names of indices that have an entry for each missing value that is sampled."""


@dataclass(frozen=True)
class Cells:
    """Cells by mediator, as indices.

    Attributes
    ----------
    observed : dict of str to ndarray
        Values by the name of their random variable: "outcome", and one for each mediator.
    indices : dict of str to ndarray
        The `pm.Data` of the model: where each cell stands in the flat grid of its equation, and which entry of the pool
        of mediator values (observed, then latent, then a 0) each outcome reads.
    mediators : int
        How many there are.
    incomplete : int
        Outcomes of which a share or a yes-or-no mediator is missing.
    states : ndarray of int, (mediator, combination)
        Every combination of the values over which such mediators are summed.
    latent : tuple of (int, ndarray, ndarray)
        For each continuous mediator with missing values that are needed: its place, whose they are, and when.
    partly : ndarray of int
        Which of the design's outcomes are incomplete.
    missing : dict of int to ndarray
        For each mediator with missing values that are needed: the outcomes that read them, in the order in which the
        values are stored.
    inside : tuple of (int, ndarray)
        For each share that is summed out: its place, and for which of the incomplete outcomes.
    """

    observed: dict[str, np.ndarray]
    indices: dict[str, np.ndarray]
    mediators: int
    incomplete: int
    states: np.ndarray = field(repr=False)
    latent: tuple[tuple[int, np.ndarray, np.ndarray], ...] = ()
    inside: tuple[tuple[int, np.ndarray], ...] = ()
    partly: np.ndarray = field(default_factory=lambda: np.zeros(0, int), repr=False)
    missing: dict[int, np.ndarray] = field(default_factory=dict, repr=False)


def cells(design: Design) -> Cells:
    """Sort a design's cells."""
    layout, person, wave = design.mediators, design.participant_of, design.wave_of
    known = {place: np.nonzero(~np.isnan(layout.value[place])) for place in range(layout.count)}
    found: dict[str, np.ndarray] = {}
    indices: dict[str, np.ndarray] = {}
    for place, (people, waves) in known.items():
        indices[f"cell of {layout.name[place]}"] = _flat(layout, place, people, waves)
        found[f"value of {layout.name[place]}"] = _typed(layout.kind[place], layout.value[place][people, waves])
    entry, latent, size = _pool(design, known)
    source = np.full((layout.count, person.size), size)
    summed = np.zeros((layout.count, person.size), bool)
    for place in range(layout.count):
        needs = layout.acts[place][wave]
        read = entry[place, person[needs], wave[needs] - layout.lag]
        source[place, needs] = np.where(read < 0, size, read)
        summed[place, needs] = read < 0
    partly = summed.any(axis=0)
    cell = person * len(design.wave) + wave
    indices["cell_of"] = cell[~partly]
    indices |= {f"source of {name}": source[place, ~partly] for place, name in enumerate(layout.name)}
    found["outcome"] = design.outcome[~partly]
    inside = []
    for place, people, waves in latent:
        indices[f"latent cell of {layout.name[place]}"] = layout.filled(_flat(layout, place, people, waves))
    if partly.any():
        indices |= {
            "incomplete_cell_of": cell[partly],
            "incomplete_known": (~summed[:, partly]).astype(float),
            "incomplete_outcome": design.outcome[partly],
        }
        for place, name in enumerate(layout.name):
            indices[f"incomplete source of {name}"] = source[place, partly]
            if summed[place].any():
                # where the mediator does not act there is none: any cell will do
                before = np.maximum(wave[partly] - layout.lag, 0)
                indices[f"incomplete cell of {name}"] = _flat(layout, place, person[partly], before)
            if summed[place].any() and layout.kind[place] == "share":
                here = summed[place, partly]
                inside.append((place, here))
                rows = indices[f"between rows of {name}"] = layout.filled(np.nonzero(here)[0])
                # the last entry, a 0, serves the rows where the share is known
                indices[f"between entry of {name}"] = np.where(here, np.cumsum(here) - 1, rows.size)
    states = [range(STATES[layout.kind[place]] if summed[place].any() else 1) for place in range(layout.count)]
    combinations = (
        np.stack([each.ravel() for each in np.meshgrid(*states, indexing="ij")]) if states else np.zeros((0, 1))
    )
    return Cells(
        found,
        indices,
        layout.count,
        int(partly.sum()),
        combinations.astype(int),
        tuple(latent),
        tuple(inside),
        np.nonzero(partly)[0],
        _missing(design, latent, summed),
    )


def _missing(design: Design, latent: list, summed: np.ndarray) -> dict[int, np.ndarray]:
    found = {place: np.nonzero(summed[place])[0] for place in range(summed.shape[0]) if summed[place].any()}
    for place, people, waves in latent:
        at = {
            (person, wave): row
            for row, (person, wave) in enumerate(zip(design.participant_of, design.wave_of, strict=True))
        }
        found[place] = np.array(
            [at[person, wave + design.mediators.lag] for person, wave in zip(people, waves, strict=True)]
        )
    return found


def _flat(layout: Mediators, place: int, person: np.ndarray, wave: np.ndarray) -> np.ndarray:
    """Entry of the grid (mediator, participant, wave), flat."""
    return np.ravel_multi_index((np.full_like(person, place), person, wave), layout.value.shape)


def _typed(kind: str, values: np.ndarray) -> np.ndarray:
    return values.astype(int) if kind == "binary" else values


def _pool(design: Design, known: dict) -> tuple[np.ndarray, list[tuple[int, np.ndarray, np.ndarray]], int]:
    """Entry of the pool that holds each mediator value, −1 where none does; latent ones; number of entries."""
    layout = design.mediators
    entry, size = np.full(layout.value.shape, -1), 0
    for place, at in known.items():
        entry[place][at] = size + np.arange(at[0].size)
        size += at[0].size
    latent = []
    for place in layout.of_kind("normal", "student"):
        needs = layout.acts[place][design.wave_of]
        needed = np.zeros(layout.value[place].shape, bool)
        needed[design.participant_of[needs], design.wave_of[needs] - layout.lag] = True
        people, waves = np.nonzero(needed & np.isnan(layout.value[place]))
        if people.size:
            latent.append((place, people, waves))
            entry[place][people, waves] = size + np.arange(people.size)
            size += layout.filled(people).size
    return entry, latent, size
