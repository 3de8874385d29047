"""The effect model: outcome by arm and wave, with baseline constrained equal and participants partially pooled.

    y_it ~ likelihood(link⁻¹(level_t + arm_i · effect_t + γ·x_i + b_i)),   b_i ~ N(0, τ²)

In place of b_i a continuous outcome has any correlations between waves, and an SD of each wave and arm
(`wave_covariance`).
A count that arose over an exposure e_it has log(e_it) added to its log mean; groups that participants share have levels
of their own (`groups`).

MODEL.md, "Effect model", has the mathematics; `models.equations.model` says what each verb of a model is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from models.design.layout import Design
from models.equations import group_variables, groups, predictors, wave_covariance
from models.equations.density import TRAITS_SAMPLED
from models.equations.effect_integrated import Integrated
from models.equations.histories import integrated_likelihood
from models.equations.likelihoods import cell_log_probability, dispersion
from models.equations.model import Computation, Model, too_many
from models.equations.random_variables import declare_parameters, declare_trait
from models.equations.ready import Ready
from models.equations.terms import (
    dispersions,
    score,
    spread_dimensions,
    wave_coordinates,
    wave_dimensions,
    wave_terms,
)
from priors.prior_set import PriorSet


@dataclass(frozen=True)
class Effect(Model):
    """The effect model; computed with traits sampled, or integrated out (`effect_integrated`)."""

    computation: Computation = TRAITS_SAMPLED
    name: ClassVar[str] = "effect"

    def seen(self, design: Design) -> Design:
        """Where the waves' covariance is left free, it takes the trait's place."""
        return replace(design, has_trait=False).parametrised() if design.unstructured else design

    def dimensions(self, design: Design) -> dict[str, tuple[str, ...]]:
        """Parameters of the waves' levels and effects, and of the spreads."""
        own = wave_dimensions(design) | ({"tau": ()} if design.has_trait else {}) | spread_dimensions(design)
        return own | wave_covariance.dimensions(design) | groups.dimensions(design)

    def coordinates(self, design: Design) -> dict[str, list[str]]:
        """Labels of waves, covariates and groupings."""
        return wave_coordinates(design) | wave_covariance.coordinates(design) | groups.coordinates(design)

    def build(self, design: Design, priors: PriorSet) -> pm.Model:
        """The generative model: `pm.do` it on "arm" to intervene.

        Parameters
        ----------
        design : Design
            Its arrays become `pm.Data`.
        priors : PriorSet
            One row for each of `dimensions`.
        """
        labels = self.coordinates(design)
        coords = {name: names for name, names in labels.items() if len(names)}
        with pm.Model(coords={**coords, "participant": np.arange(design.participants)}) as model:
            known = {name: pm.Data(name, value) for name, value in self.data(design).items()}
            participant, wave = known["participant_of"], known["wave_of"]
            values = declare_parameters(self.dimensions(design), labels, priors)
            level, effect = wave_terms(values, design)
            total, in_cells = pt.zeros(design.participants), pt.zeros((design.participants, 1 + len(design.wave)))
            if "gamma" in values:
                total = predictors.covariate_score(values["gamma"], known["covariates"])
            if design.groups:
                (shared,) = group_variables.declare(values, design.groups)
                total = total + group_variables.declared_of_participants(shared, known)
                of_cells = in_cells.ravel() + group_variables.declared_of_cells(shared, known)
                in_cells = of_cells.reshape(in_cells.shape)
            own = self.own_terms(values, known, total, design) + in_cells[participant, 1 + wave]
            arm, total = known["arm"][participant], total[participant]
            predictor = predictors.predictor(level[wave], effect[wave], arm, total, own)
            spread = dispersions(values, design, arm, wave)
            if design.exposed:
                predictor = known["offset"] + predictor
            if design.correlated:
                wave_covariance.declare(predictor, spread, values[wave_covariance.PARTIAL], design)
            else:
                design.family.variable(predictor, spread)
        return model

    def own_terms(self, values: Mapping[str, Any], known: Mapping[str, Any], score: Any, design: Design) -> Any:
        """What is a participant's own at each observed cell: the trait, declared in the model in context.

        Parameters
        ----------
        values, known : mapping of str to tensor
            Parameters and data.
        score : tensor
            Participants' weighted covariates, and what their groups always add.
        design : Design
            Whether there is a trait, and how it is sampled.
        """
        if "tau" not in values:
            return pt.zeros(1)
        trait = declare_trait("trait", values["tau"], values["mu_0"] + score if design.centred else None)
        return trait[known["participant_of"]]

    def own_sd(self, values: Mapping[str, np.ndarray], design: Design) -> np.ndarray:
        """SD of a participant's own term, (draw, 1 or wave): over it averages of the population are taken."""
        return values["tau"][:, None] if design.has_trait else np.zeros((1, 1))

    def new_sd(self, values: Mapping[str, np.ndarray], design: Design) -> np.ndarray:
        """SD of what new participants of new groups add to the predictor, (draw, 1 or arm, 1 or wave)."""
        own = self.own_sd(values, design)[:, None]
        return np.sqrt(own**2 + groups.variance(values, design.groups)) if design.groups else own

    def data(self, design: Design) -> dict[str, np.ndarray]:
        """Arms, covariates, and whose each observed cell is."""
        given = {"arm": design.arm, "participant_of": design.participant_of, "wave_of": design.wave_of}
        given |= {"offset": design.offset} if design.exposed else {}
        given |= group_variables.equation_data(design.groups) if design.groups else {}
        return given | ({"covariates": design.covariates.T} if design.covariate else {})

    def observed(self, design: Design) -> dict[str, np.ndarray]:
        """The outcomes."""
        return {"outcome": design.outcome}

    def traits_of_new(self, draws: xr.Dataset, design: Design, rng: np.random.Generator) -> dict[str, tuple]:
        """Traits of new participants, unless there are none or too many to be formed, and levels of new groups."""
        found: dict[str, tuple] = {}
        if design.has_trait and not too_many(draws, design):
            found["trait"] = (("chain", "draw", "participant"), _traits_of_new(draws, design, rng))
        return found | (groups.drawn_anew(draws, design, rng) if design.groups else {})

    def predictor(self, draws: xr.Dataset, design: Design, trait: np.ndarray | None = None) -> np.ndarray:
        """Linear predictor of each observed cell, shape (chain, draw, observation).

        Parameters
        ----------
        draws : Dataset
            Posterior or prior draws.
        design : Design
            Whose cells.
        trait : ndarray, (chain, draw, participant), optional
            Other traits than the participants' own.
        """
        values = values_of(draws)
        level, effect = wave_terms(values, design)
        total = score(values, design.covariates)
        trait = own_traits(draws, design) if trait is None else trait
        person, wave = design.participant_of, design.wave_of
        found = design.offset + predictors.predictor(
            level[..., wave], effect[..., wave], design.arm[person], total[..., person], trait[..., person]
        )
        if not design.groups:
            return found
        return found + groups.term(draws, design.groups, design.groups.member[:, person], wave)

    def predictor_of_new(self, draws: xr.Dataset, design: Design, rng: np.random.Generator) -> np.ndarray:
        """Linear predictor of the observed cells for new participants, (chain, draw, observation)."""
        trait = _traits_of_new(draws, design, rng)
        return self.predictor(draws.assign(groups.drawn_anew(draws, design, rng)), design, trait)

    def outcomes_of_new(self, draws: xr.Dataset, design: Design, rng: np.random.Generator) -> np.ndarray:
        """Outcomes of new participants in the observed cells, (chain, draw, observation)."""
        if not design.correlated:
            return super().outcomes_of_new(draws, design, rng)
        away = wave_covariance.noise(draws[wave_covariance.PARTIAL].to_numpy(), design, rng)
        return self.predictor_of_new(draws, design, rng) + dispersion(draws, design) * away

    def log_likelihood(self, draws: xr.Dataset, design: Design) -> np.ndarray:
        """Log likelihood of each observed outcome, (chain, draw, observation): given earlier ones where correlated."""
        rule = wave_covariance.log_likelihood if design.correlated else cell_log_probability
        return rule(self.predictor(draws, design), draws, design)

    def ready(self, design: Design, priors: PriorSet) -> Ready:
        """What `inference.nuts.sample` takes: where waves are correlated freely there is no trait to be sampled."""
        return (Integrated() if design.correlated else self.computation).ready(self, design, priors)

    def total_log_likelihood(self, draws: xr.Dataset, design: Design) -> np.ndarray:
        """Log likelihood of all outcomes at each draw, (chain, draw): given the traits, where they were formed."""
        if design.has_trait and "trait" not in draws:
            each = integrated_likelihood.log_likelihood(draws, design)
            return (each @ design.histories.count).reshape(draws["mu_0"].shape)
        return super().total_log_likelihood(draws, design)

    def computed(self, draws: xr.Dataset, design: Design) -> tuple[str, ...]:
        """Whether the integrals over the trait needed finer steps."""
        change = integrated_likelihood.coarse(draws, design)
        if change <= integrated_likelihood.TOLERANCE:
            return ()
        return (f"Halving the integration step over the trait changes a log likelihood by {change:.1e}: leave-one-out "
                "and fits with the integrated likelihood are less exact than they should be.",)  # fmt: skip


def _traits_of_new(draws: xr.Dataset, design: Design, rng: np.random.Generator) -> np.ndarray:
    shape = (draws.sizes["chain"], draws.sizes["draw"], design.participants)
    scale = draws["tau"].to_numpy()[..., None] if design.has_trait else 0.0
    return scale * rng.standard_normal(shape)


def own_traits(draws: xr.Dataset, design: Design) -> np.ndarray:
    """Participants' traits, shape (..., participant); 0 where the model has none."""
    return draws["trait"].to_numpy() if design.has_trait else np.zeros((*draws["mu_0"].shape, design.participants))


def values_of(draws: xr.Dataset) -> dict[str, np.ndarray]:
    """Top-level parameters by name."""
    own = ("trait", *groups.OWN)
    return {str(name): value.to_numpy() for name, value in draws.items() if name not in own}
