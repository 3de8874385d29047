"""Expected outcomes in worlds where each equation has an arm of its own, by g-computation on a mediation posterior.

For each draw: traits and innovations of many participants, mediators forward under their arms, and the average of the
outcome's *expectation*; no outcome is drawn, and every world uses the same points (MODEL.md, "Worlds").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product

import numpy as np
import xarray as xr

from models.design.layout import ARM_CODES, Design
from models.design.mediation_cells import STATES
from models.equations import predictors
from models.equations.mediator_kinds import MEDIATOR_KINDS, State
from models.equations.mediator_parameters import MEDIATOR, acting, interacting, spread_of
from models.equations.terms import mediator_terms, score, wave_terms
from models.estimands import own_levels
from models.estimands.points import Points

BLOCK = 100_000
"""Numbers in one array at a time: 0.8 MB, so that a few stay near the processor (a third faster than 8 MB)."""
MOST_STATES = 4
"""Combinations of mediators' values that are summed over; beyond, some are drawn."""
Source = tuple[int, int] | float
"""Where a mediator comes from: (arm 0 or 1, wave) whose world it is drawn in (wave −1: before the first), or the value
at which it is held."""


@dataclass(frozen=True)
class World:
    """One world at one wave.

    Attributes
    ----------
    arm : int
        Of the outcome's own equation: 0 control, 1 treated.
    wave : int
        Place of the outcome's wave.
    sources : tuple of Source
        One for each mediator of the design; those that do not act at the wave are not looked at.
    own : bool
        Whether each mediator is drawn from an independent world of its own (the I of interventional effects) rather
        than all from one (J). Without a path between mediators it makes no difference.
    """

    arm: int
    wave: int
    sources: tuple[Source, ...]
    own: bool = False


@dataclass(frozen=True)
class Averages:
    """Expected outcomes.

    Attributes
    ----------
    mean : ndarray, (draw, world)
        In the design's unit.
    replicate : ndarray, (draw, world, replicate)
        Each replicate's own mean, for the integration error of anything made from them.
    """

    mean: np.ndarray
    replicate: np.ndarray


def expected(
    draws: xr.Dataset, design: Design, worlds: Sequence[World], points: Points, traits: str = "population"
) -> Averages:
    """Expected outcome in each world, at each draw.

    Parameters
    ----------
    draws : Dataset
        Posterior, prior or pinned draws, dims (chain, draw, …).
    design : Design
        Whose mediators and covariates.
    worlds : sequence of World
        What to average.
    points : Points
        Over whom.
    traits : str
        "population": integrated out; "sample": as drawn for each participant; "typical": 0, at mean covariates.
    """

    def rule(state: _State) -> np.ndarray:
        return np.stack([state.mean(state.outcome(world)) for world in worlds], axis=1)

    return _averaged(draws, design, len(worlds), points, traits, rule)


def expected_mediators(
    draws: xr.Dataset, design: Design, cells: Sequence[tuple[int, int, int]], points: Points
) -> Averages:
    """Expected mediators, population average, for (mediator, arm, wave) cells; in the form of `Mediators.value`."""

    def rule(state: _State) -> np.ndarray:
        return np.stack([state.mean(state.mediator_mean(*cell)) for cell in cells], axis=1)

    return _averaged(draws, design, len(cells), points, "population", rule)


def _averaged(
    draws: xr.Dataset,
    design: Design,
    size: int,
    points: Points,
    traits: str,
    rule: Callable[[_State], np.ndarray],
) -> Averages:
    flat = {
        str(name): value.transpose("chain", "draw", ...).to_numpy().reshape(-1, *value.shape[2:])
        for name, value in draws.items()
    }
    length = flat["mu_0"].shape[0]
    found = np.empty((length, size, points.replicates))
    step = max(1, BLOCK // points.person.size)
    parts = [slice(start, min(start + step, length)) for start in range(0, length, step)]

    def fill(part: slice) -> None:
        found[part] = rule(_State({name: value[part] for name, value in flat.items()}, design, points, traits))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(fill, parts))
    return Averages(found.mean(-1), found)


class _State:
    """One block of draws at all points; a mediator's value in an arm and wave is computed once."""

    def __init__(self, values: dict[str, np.ndarray], design: Design, points: Points, traits: str) -> None:
        self.values, self.design, self.points = values, design, points
        self.mediator_terms = mediator_terms(values, design) if design.mediators.count else None
        self.outcome_terms = wave_terms(values, design)
        typical = traits == "typical"
        self.outcome_score = 0.0 if typical else score(values, design.covariates)[:, points.person]
        self.mediator_score = (
            [0.0] * design.mediators.count
            if typical or not design.mediators.count
            else np.moveaxis(score(values, design.covariates, MEDIATOR)[..., points.person], 1, 0)
        )
        self.own = own_levels.RULES[traits](values, design, points)
        self.path = values.get("mediator_path")
        self.known: dict[tuple[int, int, int, int], np.ndarray] = {}
        self.few: dict[tuple[int, int, int], list[State]] = {}
        self.summed = _few(design) if self.path is None else []

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Average of (draw, point) within each replicate, (draw, replicate)."""
        return values.reshape(values.shape[0], self.points.replicates, -1).mean(-1)

    def _predictor(self, place: int, arm: int, wave: int, copy: int) -> np.ndarray:
        level, effect = self.mediator_terms  # type: ignore[misc]
        before: np.ndarray | float = 0.0
        if self.path is not None:
            before = sum(
                self.path[:, place, source, None] * self.value(source, arm, wave, copy) for source in range(place)
            )
        return predictors.predictor(
            level[:, place, wave + 1, None],
            effect[:, place, wave + 1, None],
            ARM_CODES[arm],
            self.mediator_score[place],
            self.own.of(place, arm, wave),
            before,
        )

    def value(self, place: int, arm: int, wave: int, copy: int) -> np.ndarray:
        """A mediator's scaled value; `copy` numbers independent sets of innovations."""
        key = (place, arm, wave, copy)
        if key not in self.known:
            self.known[key] = self._value(*key)
        return self.known[key]

    def _value(self, place: int, arm: int, wave: int, copy: int) -> np.ndarray:
        layout = self.design.mediators
        predictor = self._predictor(place, arm, wave, copy)
        uniform = self.points.uniform[copy * layout.count + place]
        rule = MEDIATOR_KINDS[layout.kind[place]]
        return layout.scaled(place, rule.value(uniform, predictor, self._spread(place)))

    def _spread(self, place: int) -> dict:
        return {
            name: part[:, None] if isinstance(part, np.ndarray) else part
            for name, part in spread_of(place, self.values, self.design).items()
        }

    def mediator_mean(self, place: int, arm: int, wave: int) -> np.ndarray:
        predictor = self._predictor(place, arm, wave, 0)
        return np.broadcast_to(
            MEDIATOR_KINDS[self.design.mediators.kind[place]].mean(predictor, self._spread(place)),
            (self.values["mu_0"].shape[0], self.points.person.size),
        )

    def states(self, place: int, arm: int, wave: int) -> list[State]:
        """Every scaled value of a mediator with few values, with its probability."""
        key = (place, arm, wave)
        if key not in self.few:
            layout = self.design.mediators
            rule = MEDIATOR_KINDS[layout.kind[place]].states
            found = rule(self._predictor(place, arm, wave, 0), self._spread(place)) if rule else []
            self.few[key] = [(layout.scaled(place, value), weight) for value, weight in found]
        return self.few[key]

    def outcome(self, world: World) -> np.ndarray:
        """Expected outcome at each point, (draw, point)."""
        layout, design = self.design.mediators, self.design
        taken: dict[int, np.ndarray | float] = {}
        summed: dict[int, list[State]] = {}
        for place in acting(design):
            source = world.sources[place]
            if not layout.acts[place, world.wave]:
                taken[place] = 0.0
            elif not isinstance(source, tuple):
                taken[place] = float((source - layout.centre[place]) / layout.scale[place])
            elif place in self.summed:
                summed[place] = self.states(place, *source)
            else:
                taken[place] = self.value(place, *source, place + 1 if world.own and self.path is not None else 0)
        unmeasured = self._unmeasured(world)
        first: np.ndarray | None = None
        total: np.ndarray | float = 0.0
        for combination in product(*summed.values()):
            values = dict(zip(summed, (value for value, _ in combination), strict=True))
            mean = design.family.mean(self._linear(world, taken | values) - unmeasured)
            if first is None:
                total = first = mean
                continue
            # as differences from the first: where a mediator does nothing they are exactly 0
            gain = mean - first
            for _, weight in combination:
                gain = gain * weight
            total = total + gain
        return np.broadcast_to(total, (self.values["mu_0"].shape[0], self.points.person.size))

    def _unmeasured(self, world: World) -> np.ndarray | float:
        """What the slopes credit to the arm's effect on mediators although an unmeasured cause of both is behind it.

        `confounding` (mediator), which no fitted model has, is that part of the slope: per residual SD of a continuous
        mediator, per scaled unit of another. Within one arm it leaves expectations as observed; it counts only where
        outcome and mediator have different arms (MODEL.md, "Bias parameters").
        """
        found: np.ndarray | float = 0.0
        layout = self.design.mediators
        if "confounding" not in self.values:
            return found
        for place in acting(self.design):
            source, part = world.sources[place], self.values["confounding"][:, place, None]
            if isinstance(source, tuple) and source[0] != world.arm and layout.acts[place, world.wave] and part.any():
                apart = self.mediator_mean(place, *source) - self.mediator_mean(place, world.arm, source[1])
                unit = self._spread(place)["residual_sd"] if layout.continuous[place] else layout.scale[place]
                found = found + part * apart / unit
        return found

    def _linear(self, world: World, taken: dict[int, np.ndarray | float]) -> np.ndarray:
        design, arm = self.design, ARM_CODES[world.arm]
        level, effect = self.outcome_terms
        mediated: np.ndarray | float = 0.0
        if taken:
            mediated = predictors.mediated(
                self.values["slope"],
                self.values.get("interaction"),
                arm * design.follows[world.wave],
                [taken[place] for place in acting(design)],
                [taken[place] for place in interacting(design)],
            )
        return predictors.predictor(
            level[:, world.wave, None],
            effect[:, world.wave, None],
            arm,
            self.outcome_score + self.own.of(None, world.arm, world.wave),
            0.0,
            mediated,
        )


def _few(design: Design) -> list[int]:
    """Mediators to sum over in place of drawing them: while there are few combinations of their values."""
    found: list[int] = []
    size = 1
    for place in acting(design):
        states = STATES.get(design.mediators.kind[place])
        if states and size * states <= MOST_STATES:
            found.append(place)
            size *= states
    return found
