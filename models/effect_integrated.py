"""The effect model with each participant's trait integrated out: the same posterior of fewer unknowns.

NUTS moves in the top-level parameters alone, and its cost grows with distinct outcome histories, not with participants
(`models.histories`). Priors and equations are those of `models.effect`, whose verbs these are. MODEL.md, "Integrated
likelihood".
"""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from models import equations
from models.design import Design
from models.effect import (
    COUNTED,
    MOST_TRAITS,
    averages,
    computed,
    coordinates,
    dimensions,
    lacking,
    left_out,
    log_prior,
    mediator_pit,
    notes,
    of_participants,
    other_log_likelihood,
    path_draws,
    predictor,
    predictor_of_new,
    prior,
    response,
    simulated,
    total_log_likelihood,
)
from models.histories import densities, likelihood
from models.histories.op import LogLikelihood
from models.likelihoods import LIKELIHOODS
from models.random_variables import declare_parameters
from models.terms import wave_terms
from priors.prior_set import PriorSet

__all__ = [
    "COUNTED", "NAME", "averages", "build", "completed", "computed", "coordinates", "data", "dimensions",
    "lacking", "left_out", "log_prior", "mediator_pit", "notes", "observed", "of_participants",
    "other_log_likelihood", "path_draws", "predictor", "predictor_of_new", "prior", "response", "shape",
    "simulated", "total_log_likelihood",
]  # fmt: skip

NAME = "effect"
"""The same model: only how its posterior is computed differs."""
STRUCTURE = "histories "
"""Beginning of the names of the data that say which histories were observed."""


def shape(design: Design) -> tuple:
    """What a compiled model cannot be given anew; the number of participants is none of it."""
    return (design.likelihood, design.wave, design.role, design.month, design.covariate, design.has_trait)


def data(design: Design) -> dict[str, np.ndarray]:
    """What the model is given, by the name of its `pm.Data`: any trial of the same waves and covariates."""
    found = design.histories
    given = {"pattern_arm": found.arm} | {f"{STRUCTURE}{name}": value for name, value in found.structure.items()}
    return given | ({"pattern_covariates": found.covariates.T} if design.covariate else {})


def observed(design: Design) -> dict[str, np.ndarray]:  # noqa: ARG001 - a verb of every model
    """Nothing: outcomes are among the `data`, because their likelihood is a potential."""
    return {}


def build(design: Design, priors: PriorSet) -> pm.Model:
    """The model to fit; it cannot simulate, which `models.effect` can.

    Parameters
    ----------
    design : Design
        Its histories become `pm.Data`.
    priors : PriorSet
        One row for each of `dimensions`.
    """
    labels = coordinates(design)
    with pm.Model(coords={name: names for name, names in labels.items() if names}) as model:
        known = {name: pm.Data(name, value) for name, value in data(design).items()}
        values = declare_parameters(dimensions(design), labels, priors)
        level, effect_at = wave_terms(values, design)
        total = 0.0
        if design.covariate:
            total = equations.covariate_score(values["gamma"], known["pattern_covariates"])[:, None]
        eta = equations.predictor(level[None, :], effect_at[None, :], known["pattern_arm"][:, None], total, 0.0)
        spread = values.get(LIKELIHOODS[design.likelihood].spread, pt.zeros(()))
        structure = [value for name, value in known.items() if name.startswith(STRUCTURE)]
        rule = LogLikelihood(densities.KINDS[design.likelihood])
        pm.Potential("outcomes", rule(eta.ravel(), values.get("tau", pt.zeros(())), spread, *structure)[0])
    return model


def completed(draws: xr.Dataset, design: Design, seed: int) -> xr.Dataset:
    """The draws with participants' traits, each drawn exactly from its conditional distribution (`traits.drawn`).

    Of a very large trial (`effect.MOST_TRAITS`) none is formed: what needs them takes some participants
    (`effect.of_participants`) or is left out.
    """
    numbers = draws.sizes["chain"] * draws.sizes["draw"] * design.participants
    if not design.has_trait or "trait" in draws or numbers > MOST_TRAITS:
        return draws
    return draws.assign(trait=(("chain", "draw", "participant"), likelihood.traits(draws, design, seed)))
