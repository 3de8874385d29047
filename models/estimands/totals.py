"""Expected outcomes of a mediation posterior with everybody in one arm, for the three averages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr

from models.design.layout import Design
from models.equations.averages import AVERAGES, expected_outcomes
from models.estimands.counterfactuals import World, expected
from models.estimands.own_levels import scores
from models.estimands.points import Points, participants_themselves, population


def points_of(design: Design, copies: int = 1, wanted: int | None = None) -> Points:
    """The population's points of a design: the same for every posterior, prior and world.

    Parameters
    ----------
    design : Design
        Its traits, mediators and participants.
    copies : int
        How many independent sets of mediators' innovations: more than one only for a path between mediators.
    wanted : int, optional
        Points in all; default `points.WANTED`.
    """
    more = {} if wanted is None else {"wanted": wanted}
    return population(scores(design), copies * design.mediators.count, design.participants, **more)


def in_arm(design: Design, arm: int, wave: int) -> World:
    """The world in which everybody's outcome and mediators are those of one arm."""
    before = max(wave - design.mediators.lag, -1)
    return World(arm, wave, ((arm, before),) * design.mediators.count)


def response(draws: xr.Dataset, design: Design, averages: Sequence[str] = AVERAGES) -> xr.DataArray:
    """Risks or means, dims (chain, draw, average, arm, wave), in the outcome's own unit."""
    worlds = [in_arm(design, arm, wave) for arm in (0, 1) for wave in range(len(design.wave))]
    count = design.mediators.count
    points: dict[str, Callable[[], Points]] = {
        "population": lambda: points_of(design),
        "sample": lambda: participants_themselves(count, design.participants),
        # of a typical participant only the mediators' innovations vary
        "typical": lambda: participants_themselves(count, 256),
    }
    means = [expected(draws, design, worlds, points[average](), average).mean for average in averages]
    return expected_outcomes(
        draws, design, averages, np.stack(means, axis=1).reshape(-1, len(averages), 2, len(design.wave))
    )
