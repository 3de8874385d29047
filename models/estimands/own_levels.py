"""What participants bring to a world: their traits and the levels of their groups, in every equation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cache

import numpy as np

from models.design.layout import Design
from models.equations import groups, predictors
from models.equations.mediator_parameters import lasting
from models.estimands.points import Points

Term = np.ndarray | float
"""(draw, point), or 0 for everybody."""


def scores(design: Design) -> int:
    """How many independent standard normal scores a new participant has, her new groups' among them."""
    traits = len(lasting(design)) + design.has_trait
    if not design.groups:
        return traits
    equations, delivered = design.mediators.count + 1, int(design.groups.delivered.sum())
    return (traits if design.groups.delivered.all() else equations) + delivered * equations


class OwnLevels(ABC):
    """Traits and groups' levels of the participants at some points.

    A mediator's equation is named by its place, the outcome's by None. `arm` and `wave` say in which world the
    equation is: groups in which the programme was delivered are felt in the treated arm alone.
    """

    @abstractmethod
    def of(self, place: int | None, arm: int, wave: int) -> Term:
        """What is added to the predictor of one equation, (draw, point); wave −1: before the first."""


class Typical(OwnLevels):
    """Nobody in particular: 0."""

    def of(self, place: int | None, arm: int, wave: int) -> Term:  # noqa: ARG002 - of the interface
        """Nothing."""
        return 0.0


class AsDrawn(OwnLevels):
    """Each participant's own trait and groups, as a posterior has them.

    Parameters
    ----------
    values : dict of str to ndarray
        Draws, (draw, …).
    design : Design
        Whose participants.
    points : Points
        Who stands at each point.
    """

    def __init__(self, values: dict[str, np.ndarray], design: Design, points: Points) -> None:
        self._values, self._design, self._person = values, design, points.person
        self._shared = cache(self._of_groups)

    def of(self, place: int | None, arm: int, wave: int) -> Term:  # noqa: ARG002 - of the interface
        """Her own, at every wave in the group that she was in."""
        lasts = lasting(self._design)
        found: Term = 0.0
        if place is None and self._design.has_trait:
            found = self._values["trait"][:, self._person]
        elif place in lasts:
            found = self._values["mediator_trait"][:, lasts.index(place), self._person]
        return found + self._shared(place, wave) if self._design.groups else found

    def _of_groups(self, place: int | None, wave: int) -> np.ndarray:
        member, waves = self._design.groups.member[:, self._person], np.full(self._person.size, wave)
        return groups.term(self._values, self._design.groups, member, waves, place)


class NewParticipants(OwnLevels):
    """New participants of new groups, integrated over.

    Normal levels that an equation always has are summed: of their covariance over the equations one root is taken.

    Parameters
    ----------
    values : dict of str to ndarray
        Draws, (draw, …).
    design : Design
        Its traits and groups.
    points : Points
        `scores` standard normal scores at each point.
    """

    def __init__(self, values: dict[str, np.ndarray], design: Design, points: Points) -> None:
        self._design, self._always, self._delivered = design, {}, []
        lasts = lasting(design)
        traits = [*lasts, *([None] if design.has_trait else [])]
        root = predictors.correlation_root(values.get("partial_correlation"), len(traits))
        sds = [values["mediator_tau"][:, k] for k in range(len(lasts))] + ([values["tau"]] if design.has_trait else [])
        always, delivered = groups.factors(values, design.groups) if design.groups else ([], [])
        normal = points.normal
        if not always:
            rows = [sum(np.reshape(w, (-1, 1)) * z for w, z in zip(row, normal, strict=False)) for row in root]
            self._always = {place: sds[k][:, None] * rows[k] for k, place in enumerate(traits)}
            normal = normal[len(traits) :]
        else:
            equations: list[int | None] = [*range(design.mediators.count), None]
            own = np.zeros((len(values["mu_0"]), len(equations), len(traits)))
            for k, place in enumerate(traits):
                for j, weight in enumerate(root[k]):
                    own[:, equations.index(place), j] = sds[k] * weight
            whole = _root(np.concatenate([own, *always], axis=2))
            self._always = {place: _weighted(whole[:, k], normal) for k, place in enumerate(equations)}
            normal = normal[len(equations) :]
        size = design.mediators.count + 1
        for factor in delivered:
            self._delivered.append([_weighted(factor[:, k], normal) for k in range(size)])
            normal = normal[size:]

    def of(self, place: int | None, arm: int, wave: int) -> Term:
        """Of her trait and all her groups."""
        found: Term = self._always.get(place, 0.0)
        if not self._delivered or not arm or wave < 0:
            return found
        active = self._design.groups.active[self._design.groups.delivered, wave]
        for own, there in zip(self._delivered, active, strict=True):
            if there:
                found = found + own[-1 if place is None else place]
        return found


def _root(factor: np.ndarray) -> np.ndarray:
    """Lower triangular root, (draw, equation, equation), of factor · factorᵀ, which may be singular."""
    upper = np.linalg.qr(factor.swapaxes(1, 2), mode="r")
    signs = np.where(np.diagonal(upper, axis1=1, axis2=2) < 0, -1.0, 1.0)
    return (upper * signs[:, :, None]).swapaxes(1, 2)


def _weighted(weights: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Σₖ weights[draw, k] · normal[k, point], (draw, point)."""
    return weights @ normal[: weights.shape[1]]


RULES: dict[str, Callable[[dict[str, np.ndarray], Design, Points], OwnLevels]] = {
    "population": NewParticipants,
    "sample": AsDrawn,
    "typical": lambda _values, _design, _points: Typical(),
}
"""Each average's."""
