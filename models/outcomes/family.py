"""What the toolkit must know of a kind of outcome, verb by verb; a family overrides what is its own."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

FARTHEST = 300.0
"""Predictors are held within ±300 in `cell`: far beyond any that a sampler meets, far within what exp can take."""


class Family(ABC):
    """One distribution of an outcome around its linear predictor η. Arrays broadcast; NumPy unless said otherwise.

    Attributes
    ----------
    name : str
        Of the likelihood.
    number : int
        By which compiled code knows it: 0, 1, 2, … without a gap.
    kind, link : str
        What a study file says to choose it; no link where its kind has one family.
    values : str
        What a cell of the data may hold: "binary" (0 or 1), "count" (whole, 0 or more) or "number".
    spread : str
        Parameter of its spread, passed as `dispersion`; none where the mean decides it.
    spread_ratio : str
        Parameter of the log ratio of the arms' spreads at each follow-up; where there is one, each wave has a `spread`
        of its own.
    standardised : bool
        Whether it is analysed in SDs of the first wave, because its unit is arbitrary.
    least, most : float
        Between which its mean lies.
    effect_scale, unit : str
        On which effects add, and of a difference of means.
    heavy_tails : bool
        Whether the mean exists where a mediator has a Student-t distribution.
    estimands : mapping of str to tuple of str
        Name, label and unit of each estimand: "mean", "difference", "change"; "ratio" and "odds_ratio" where they have
        a meaning.
    """

    name: ClassVar[str]
    number: ClassVar[int]
    kind: ClassVar[str]
    link: ClassVar[str] = ""
    values: ClassVar[str] = "number"
    spread: ClassVar[str] = ""
    spread_ratio: ClassVar[str] = ""
    standardised: ClassVar[bool] = False
    least: ClassVar[float] = -np.inf
    most: ClassVar[float] = np.inf
    effect_scale: ClassVar[str]
    unit: ClassVar[str]
    heavy_tails: ClassVar[bool] = True
    estimands: ClassVar[Mapping[str, tuple[str, str, str]]]

    @classmethod
    def known(cls) -> Iterator[type[Family]]:
        """Every family that has a name, of those imported so far."""
        for each in cls.__subclasses__():
            if "name" in vars(each):
                yield each
            yield from each.known()

    @property
    def binary(self) -> bool:
        """Whether the outcome is 0 or 1, so that its mean is a risk."""
        return self.values == "binary"

    @property
    def counted(self) -> bool:
        """Whether the outcome is a count, whose zeros and variance the data can contradict."""
        return self.values == "count"

    @abstractmethod
    def mean(self, predictor: np.ndarray) -> np.ndarray:
        """Expected outcome."""

    @abstractmethod
    def linked(self, mean: np.ndarray) -> np.ndarray:
        """The other way: from an expected outcome to the scale on which effects add."""

    @abstractmethod
    def linked_slope(self, mean: np.ndarray) -> np.ndarray:
        """Slope of `linked`."""

    @abstractmethod
    def marginal_mean(self, predictor: np.ndarray, sd: np.ndarray) -> np.ndarray:
        """Expected outcome over a normal trait of this SD, added to the predictor."""

    @abstractmethod
    def log_probability(self, outcome: np.ndarray, predictor: np.ndarray, dispersion: np.ndarray) -> np.ndarray:
        """Log probability or log density, elementwise."""

    @abstractmethod
    def draw(self, rng: np.random.Generator, predictor: np.ndarray, dispersion: np.ndarray) -> np.ndarray:
        """Outcomes simulated."""

    @abstractmethod
    def variable(self, predictor: Any, dispersion: Any) -> Any:
        """The PyMC variable "outcome", in the model in context."""

    @abstractmethod
    def symbolic(self, value: Any, predictor: Any, dispersion: Any) -> Any:
        """`log_probability` of PyTensor's tensors."""

    @staticmethod
    @abstractmethod
    def cell(value: float, predictor: float, dispersion: float) -> tuple[float, float, float, float]:
        """Log probability of one outcome without its `constant`, d/dη, d²/dη² (never positive), d/ddispersion.

        Compiled by Numba: plain arithmetic, no call of another function of the project.
        """

    @staticmethod
    def constant(value: float, dispersion: float) -> tuple[float, float]:  # noqa: ARG004 - most have none
        """Part of the log probability without η, and its slope in the dispersion. Compiled as `cell`."""
        return 0.0, 0.0

    @staticmethod
    def integrand(tau: float, members: int, information: float) -> tuple[float, float, float]:  # noqa: ARG004
        """What bounds the step of an integral over the trait, of SD τ. Compiled as `cell`.

        Returns
        -------
        tuple of float
            Information of a history of so many cells at its most, or `information`, that at the mode; distance of the
            integrand's nearest pole from the real line, in SDs of the trait; how much narrower than at its mode the
            integrand may be elsewhere.
        """
        return information, math.inf, 0.8

    @abstractmethod
    def shifted(self, mean: np.ndarray, delta: np.ndarray) -> np.ndarray:
        """Mean of those whose outcome differs by δ, on the scale that a belief about missing outcomes is stated on."""

    def levelled(self, outcome: np.ndarray) -> np.ndarray:
        """Outcomes on a scale on which participants' own levels add: that of sums of squares, and of a covariate."""
        return outcome

    def change_unit(self, baseline: np.ndarray, scale: float) -> np.ndarray:  # noqa: ARG002
        """What a change of 1 means where a prior speaks of a change of the mean since baseline."""
        return np.ones_like(baseline)

    @abstractmethod
    def regression(self, outcome: np.ndarray, matrix: np.ndarray, offset: np.ndarray | None = None) -> Any:
        """Statsmodels' regression of it without traits, not yet fitted; its marginal means need no right model.

        `offset`, of counts alone, is added to log means.
        """
