"""Do outcomes spread as the model says in every arm and wave? Standard deviations, observed against replicated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.checks import predictive
from models.design.layout import Design

FEWEST = 3
"""Values of a cell whose standard deviation is looked at."""
COVERAGE = 0.995
"""Probability with which a trial of the model has every standard deviation inside the band."""


@dataclass(frozen=True)
class Widest:
    """The cell that lies worst: arm, wave, its SD, the band's limits, and how many times its edge the SD lies."""

    arm: str
    wave: str
    observed: float
    lower: float
    upper: float
    fold: float


def widest(replicates: np.ndarray, design: Design) -> Widest | None:
    """The standard deviation that lies farthest out of the simultaneous band of all cells, or nearest to its edge.

    The band is that of the logarithms of replicated SDs: one number of their own SDs around their means, within which
    all cells of a replicate stay at once with probability `COVERAGE`.

    Parameters
    ----------
    replicates : ndarray, (replicate, observation)
        From `predictive.replicate`.
    design : Design
        The trial as observed, of a continuous outcome.

    Returns
    -------
    Widest or None
        None where no arm has `FEWEST` values at any wave.
    """
    outcome = design.natural(design.outcome)
    cells = [each for each in predictive.cells(design) if each[2].sum() >= FEWEST]
    if not cells:
        return None
    logs = np.log([replicates[:, inside].std(1, ddof=1) for _, _, inside in cells])
    centre, scale = logs.mean(1), logs.std(1)
    reach = np.quantile(np.abs((logs - centre[:, None]) / scale[:, None]).max(0), COVERAGE)
    observed = np.array([outcome[inside].std(ddof=1) for _, _, inside in cells])
    with np.errstate(divide="ignore"):  # values all alike: infinitely far below
        apart = np.abs(np.log(observed) - centre) - reach * scale
    worst = int(apart.argmax())
    lower, upper = np.exp(centre[worst] + np.array([-1, 1]) * reach * scale[worst])
    arm, wave, _ = cells[worst]
    return Widest(arm, wave, float(observed[worst]), float(lower), float(upper), float(np.exp(apart[worst])))
