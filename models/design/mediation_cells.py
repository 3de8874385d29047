"""Which cells a mediation model reads: mediators observed, mediators missing where an outcome needs them, outcomes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from models.design.layout import Design
from models.design.mediators import Mediators

STATES = {"share": 4, "binary": 2}
"""Values over which a mediator that is not known is summed: 0, 1 and, for a share, two that stand for those between."""

UNKNOWN = "latent cell of "
"""Beginning of the names of indices that have an entry for each value that is sampled."""


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
    latent : dict of int to ndarray
        For each continuous mediator of which outcomes need a value that is not known: those of the design's outcomes,
        each with a latent value of its own.
    partly : ndarray of int
        Which of the design's outcomes are incomplete.
    unknown : dict of int to ndarray
        For each mediator with needed values that are not known: the outcomes that read them, in the order in which the
        values are stored.
    """

    observed: dict[str, np.ndarray]
    indices: dict[str, np.ndarray]
    mediators: int
    incomplete: int
    states: np.ndarray = field(repr=False)
    latent: dict[int, np.ndarray] = field(default_factory=dict, repr=False)
    partly: np.ndarray = field(default_factory=lambda: np.zeros(0, int), repr=False)
    unknown: dict[int, np.ndarray] = field(default_factory=dict, repr=False)


def cells(design: Design) -> Cells:
    """Sort a design's cells."""
    layout, person, wave = design.mediators, design.participant_of, design.wave_of
    found: dict[str, np.ndarray] = {}
    indices: dict[str, np.ndarray] = {}
    for place, name in enumerate(layout.name):
        people, waves = np.nonzero(~np.isnan(layout.value[place]))
        indices[f"cell of {name}"] = flat(layout, place, people, waves)
        found[f"value of {name}"] = _typed(layout.kind[place], layout.value[place][people, waves])
    read, latent, size = pool(design)
    summed = read == SUMMED
    source = np.where(read < 0, size, read)
    partly = summed.any(axis=0)
    cell = person * len(design.wave) + wave
    indices["cell_of"] = cell[~partly]
    indices |= {f"source of {name}": source[place, ~partly] for place, name in enumerate(layout.name)}
    found["outcome"] = design.outcome[~partly]
    for place, rows in latent.items():
        indices[f"{UNKNOWN}{layout.name[place]}"] = flat(layout, place, person[rows], wave[rows] - layout.lag)
    if partly.any():
        indices |= {
            "incomplete_cell_of": cell[partly],
            "incomplete_known": (~summed[:, partly]).astype(float),
            "incomplete_outcome": design.outcome[partly],
        }
        for place, name in enumerate(layout.name):
            indices[f"incomplete source of {name}"] = source[place, partly]
            if summed[place].any():
                # where the mediator does not act any cell will do
                indices[f"incomplete cell of {name}"] = flat(layout, place, person[partly], wave[partly] - layout.lag)
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
        latent,
        np.nonzero(partly)[0],
        {place: np.nonzero(rows)[0] for place, rows in enumerate(summed) if rows.any()} | latent,
    )


def flat(layout: Mediators, place: int, person: np.ndarray, wave: np.ndarray) -> np.ndarray:
    """Entry of the grid (mediator, participant, 1 + wave), flat; whatever was before the first wave is one time."""
    _, participants, waves = layout.value.shape
    return (place * participants + person) * (waves + 1) + np.maximum(wave, -1) + 1


def _typed(kind: str, values: np.ndarray) -> np.ndarray:
    return values.astype(int) if kind == "binary" else values


NOTHING, SUMMED = -1, -2
"""What an outcome reads of a mediator that does not act, and of one that is summed out, in place of a pool's entry."""
KNOWN = -1
"""In the kernels, in place of a latent value: the number is known."""


def pool(design: Design) -> tuple[np.ndarray, dict[int, np.ndarray], int]:
    """Entry of the pool that each outcome reads of each mediator (mediator, observation); latent ones; their number."""
    layout, person, wave = design.mediators, design.participant_of, design.wave_of
    read, size = np.full((layout.count, person.size), NOTHING), 0
    latent: dict[int, np.ndarray] = {}
    for place in range(layout.count):
        observed = ~np.isnan(layout.value[place])
        entry = size + np.cumsum(observed).reshape(observed.shape) - 1
        size += int(observed.sum())
        needs = layout.acts[place][wave]
        known = needs & ~np.isnan(layout.felt(place, person, wave))
        read[place, known] = entry[person[known], wave[known] - layout.lag]
        read[place, needs & ~known] = SUMMED
    for place in layout.of_kind("normal", "student"):
        rows = np.flatnonzero(read[place] == SUMMED)
        if rows.size:
            latent[place] = rows
            read[place, rows] = size + np.arange(rows.size)
            size += rows.size
    return read, latent, size
