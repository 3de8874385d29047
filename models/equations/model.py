"""What a model is: what is sampled, its predictor, its likelihood; and what NUTS is given of it.

One file a model holds its mathematics: `effect`, `mediation`, `random_slopes`; `kernels` holds what NUTS evaluates.
What is asked of its draws stands in other rooms, which choose by the model's class: expected outcomes
(`estimands.response`), paths (`estimands.path_effects`), who can be left out (`checks.left_out`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pymc as pm
import xarray as xr

from models.design.layout import Design
from models.equations import top_level
from models.equations.likelihoods import cell_log_probability, dispersion
from models.equations.random_variables import observe
from models.equations.ready import Ready
from priors.prior_set import PriorSet

MOST_TRAITS = 100_000_000
"""Numbers (0.8 GB) beyond which participants' traits are not formed where they were not sampled."""


class Computation(ABC):
    """How a model's posterior is computed; it decides no number but by Monte-Carlo error.

    `density.Sampled`, `effect_integrated.Integrated`, `random_slopes.SlopesSampled`.
    """

    @abstractmethod
    def ready(self, model: Model, design: Design, priors: PriorSet) -> Ready:
        """What the sampler takes; nothing is compiled for it but a kernel, once for every trial."""

    @abstractmethod
    def completed(self, draws: xr.Dataset, design: Design, seed: int) -> xr.Dataset:
        """Posterior draws with whatever of participants was integrated out."""


@dataclass(frozen=True)
class Model(ABC):
    """A model of one trial: a value without state, which knows nothing of any trial but what it is given.

    Attributes
    ----------
    computation : Computation
        How its posterior is computed.
    name : str
        By which a person asks for it.
    mediated : bool
        Whether mediators stand in the outcome's equation: averages over participants are then taken at points.
    """

    computation: Computation
    name: ClassVar[str]
    mediated: ClassVar[bool] = False

    def seen(self, design: Design) -> Design:
        """A trial as the model sees it."""
        return design

    # --- what is sampled ----------------------------------------------------------------------------------------------

    @abstractmethod
    def dimensions(self, design: Design) -> dict[str, tuple[str, ...]]:
        """Top-level parameters and their dimensions (none for a scalar), in order."""

    @abstractmethod
    def coordinates(self, design: Design) -> dict[str, list[str]]:
        """Labels of every dimension of a parameter."""

    @abstractmethod
    def build(self, design: Design, priors: PriorSet) -> pm.Model:
        """The generative PyMC model, nothing observed: to be intervened on with `pm.do`."""

    @abstractmethod
    def data(self, design: Design) -> dict[str, np.ndarray]:
        """What the generative model is given, by the name of its `pm.Data`."""

    @abstractmethod
    def observed(self, design: Design) -> dict[str, np.ndarray]:
        """What it is fitted to, by the name of its random variable."""

    def prior(self, design: Design, priors: PriorSet, draws: int, seed: int) -> xr.Dataset:
        """Independent draws from the prior (NumPy alone), named as the posterior's, dims (chain 1, draw, …)."""
        parameters = self.dimensions(design)
        first, *seeds = self._streams(seed).spawn(len(parameters) + 1)
        top = top_level.drawn(parameters, self.coordinates(design), priors, draws, seeds)
        return top.assign(self.traits_of_new(top, design, np.random.default_rng(first)))

    def _streams(self, seed: int) -> np.random.SeedSequence:
        return np.random.SeedSequence(seed)

    def log_prior(self, draws: xr.Dataset, design: Design, priors: PriorSet) -> xr.Dataset:
        """Log density of each top-level prior at each draw, dims (chain, draw, …); participants' own are left out."""
        return top_level.log_densities(draws, self.dimensions(design), priors)

    @abstractmethod
    def traits_of_new(self, draws: xr.Dataset, design: Design, rng: np.random.Generator) -> dict[str, tuple]:
        """Traits of new participants of the same kind: (dims, array (chain, draw, …, participant)) by variable."""

    # --- the predictor ------------------------------------------------------------------------------------------------

    @abstractmethod
    def predictor(self, draws: xr.Dataset, design: Design) -> np.ndarray:
        """Linear predictor of each observed outcome, shape (chain, draw, observation)."""

    @abstractmethod
    def predictor_of_new(self, draws: xr.Dataset, design: Design, rng: np.random.Generator) -> np.ndarray:
        """The same for new participants of the same kind in the observed cells."""

    def outcomes_of_new(self, draws: xr.Dataset, design: Design, rng: np.random.Generator) -> np.ndarray:
        """Their outcomes, (chain, draw, observation)."""
        return design.family.draw(rng, self.predictor_of_new(draws, design, rng), dispersion(draws, design))

    # --- the likelihood -----------------------------------------------------------------------------------------------

    def simulated(self, truth: xr.Dataset, design: Design, rng: np.random.Generator) -> Design:
        """The same trial with outcomes of new participants, whose parameters are the only draw of `truth`."""
        drawn = self.outcomes_of_new(truth, design, rng)[0, 0]
        return replace(design, outcome=drawn.astype(design.outcome.dtype)).parametrised()

    def log_likelihood(self, draws: xr.Dataset, design: Design) -> np.ndarray:
        """Log likelihood of each observed outcome, in the outcome's own unit, shape (chain, draw, observation)."""
        return cell_log_probability(self.predictor(draws, design), draws, design)

    def total_log_likelihood(self, draws: xr.Dataset, design: Design) -> np.ndarray:
        """Log likelihood of everything observed at each draw, (chain, draw)."""
        return self.log_likelihood(draws, design).sum(-1)

    # --- the posterior ------------------------------------------------------------------------------------------------

    def ready(self, design: Design, priors: PriorSet) -> Ready:
        """What `inference.nuts.sample` takes."""
        return self.computation.ready(self, design, priors)

    def observed_model(self, design: Design, priors: PriorSet) -> pm.Model:
        """The same posterior as a PyMC model: to sample it by other means, and what the kernels are compared with."""
        return observe(self.build(design, priors), self.observed(design))

    def completed(self, draws: xr.Dataset, design: Design, seed: int) -> xr.Dataset:
        """Posterior draws with every value that later steps need: what was integrated out is drawn."""
        return self.computation.completed(draws, design, seed)

    # --- what a reader is told ----------------------------------------------------------------------------------------

    def lacking(self, design: Design) -> str:  # noqa: ARG002 - a default
        """Why the model cannot be fitted to a design; empty where it can."""
        return ""

    def notes(self, design: Design) -> tuple[str, ...]:
        """Limitations of a design, to print in the report."""
        return design.notes

    def computed(self, draws: xr.Dataset, design: Design) -> tuple[str, ...]:  # noqa: ARG002 - a default
        """Limitations of the computation, seen from its draws."""
        return ()


def too_many(draws: xr.Dataset, design: Design) -> bool:
    """Whether participants' traits at every draw are more numbers than `MOST_TRAITS`."""
    return draws.sizes["chain"] * draws.sizes["draw"] * design.participants > MOST_TRAITS
