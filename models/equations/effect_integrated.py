"""The effect model's likelihood with each participant's trait integrated out: the same posterior of fewer unknowns.

NUTS moves in the top-level parameters alone, and its cost grows with distinct outcome histories, not with participants
(`histories`). Priors and equations are those of `effect`. MODEL.md, "Fitting without the traits".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from models.design.layout import Design
from models.equations import group_variables, groups, predictors
from models.equations.histories import integrated_likelihood
from models.equations.histories.op import LogLikelihood
from models.equations.model import Computation, Model, too_many
from models.equations.random_variables import declare_parameters
from models.equations.terms import wave_terms
from priors.prior_set import PriorSet

STRUCTURE = "histories "
"""Beginning of the names of the data that say which histories were observed."""


@dataclass(frozen=True)
class Integrated(Computation):
    """Of the effect model: outcomes are among the data, because their likelihood is a potential."""

    def build(self, model: Model, design: Design, priors: PriorSet) -> pm.Model:
        """Parameters, and the potential of every distinct history.

        Parameters
        ----------
        model : Model
            The effect model: its parameters.
        design : Design
            Its histories become `pm.Data`.
        priors : PriorSet
            One row for each of the model's `dimensions`.
        """
        labels = model.coordinates(design)
        with pm.Model(coords={name: names for name, names in labels.items() if names}) as built:
            known = {name: pm.Data(name, value) for name, value in self.data(model, design).items()}
            values = declare_parameters(model.dimensions(design), labels, priors)
            level, effect_at = wave_terms(values, design)
            total = 0.0
            if design.covariate:
                total = predictors.covariate_score(values["gamma"], known["pattern_covariates"])[:, None]
            eta = predictors.predictor(level[None, :], effect_at[None, :], known["pattern_arm"][:, None], total, 0.0)
            if design.exposed:
                eta = eta + known["pattern_offset"]
            eta = eta.ravel()
            if design.groups:
                eta = eta + group_variables.declared_term(values, design.groups, known)
            spread = values.get(design.family.spread, pt.zeros(()))
            structure = [value for name, value in known.items() if name.startswith(STRUCTURE)]
            rule = LogLikelihood(design.family.number)
            pm.Potential("outcomes", rule(eta, values.get("tau", pt.zeros(())), spread, *structure)[0])
        return built

    def data(self, model: Model, design: Design) -> dict[str, np.ndarray]:  # noqa: ARG002 - of the interface
        """Distinct histories, their arms and covariates: any trial of the same waves and covariates."""
        found = design.histories
        given = {"pattern_arm": found.arm} | {f"{STRUCTURE}{name}": value for name, value in found.structure.items()}
        given |= {"pattern_offset": found.offset} if design.exposed else {}
        if design.groups:
            given |= group_variables.data(design.groups, *groups.grid(found.group, len(design.wave)))
        return given | ({"pattern_covariates": found.covariates.T} if design.covariate else {})

    def structure(self, model: Model, design: Design) -> tuple:  # noqa: ARG002 - of the interface
        """Waves, roles and covariates; the number of participants is none of it."""
        waves = (design.wave, design.role, design.month, design.seen)
        return (design.likelihood, *waves, design.covariate, design.has_trait, design.exposed, *design.groups.structure)

    def completed(self, draws: xr.Dataset, design: Design, seed: int) -> xr.Dataset:
        """The draws with participants' traits, each drawn exactly from its conditional distribution (`traits.drawn`).

        Of a very large trial (`model.MOST_TRAITS`) none is formed: what needs them takes some participants, or is left
        out.
        """
        if not design.has_trait or "trait" in draws or too_many(draws, design):
            return draws
        return draws.assign(trait=(("chain", "draw", "participant"), integrated_likelihood.traits(draws, design, seed)))
