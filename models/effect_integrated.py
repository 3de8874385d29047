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
    coordinates,
    dimensions,
    lacking,
    log_prior,
    mediator_pit,
    notes,
    other_log_likelihood,
    path_draws,
    predictor,
    predictor_of_new,
    prior,
    response,
    simulated,
    without_trait,
)
from models.histories import densities, grouping, kernel, traits
from models.histories.op import LogLikelihood
from models.likelihoods import LIKELIHOODS, dispersion
from models.random_variables import declare_parameters
from models.terms import score, wave_terms
from priors.prior_set import PriorSet

__all__ = [
    "COUNTED", "NAME", "build", "completed", "coordinates", "data", "dimensions", "lacking", "log_prior",
    "mediator_pit", "notes", "observed", "other_log_likelihood", "path_draws", "predictor", "predictor_of_new", "prior",
    "response", "shape", "simulated", "without_trait",
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
    found = grouping.histories(design)
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


Given = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Of each draw: predictors (draw, pattern × wave) at a trait of 0, SD of the trait (draw,), dispersion (draw,)."""


def given(draws: xr.Dataset, design: Design, found: grouping.Histories) -> Given:
    """What the kernel needs of draws, which are stacked over chains."""
    flat = draws.stack(sample=("chain", "draw"), create_index=False).transpose("sample", ...)
    values = {str(name): flat[name].to_numpy() for name in dimensions(design)}
    level, effect_at = wave_terms(values, design)
    total = score(values, found.covariates)
    eta = equations.predictor(level[:, None, :], effect_at[:, None, :], found.arm[:, None], total[:, :, None], 0.0)
    scale = values["tau"] if design.has_trait else np.zeros(len(eta))
    return eta.reshape(len(eta), -1), scale, dispersion(draws, design).ravel()


def log_likelihood(draws: xr.Dataset, design: Design, fineness: float = 1.0) -> np.ndarray:
    """Log probability of each distinct history given the top-level parameters, shape (draw, history).

    Parameters
    ----------
    draws : Dataset
        Of the posterior or prior.
    design : Design
        Whose `grouping.histories` they are.
    fineness : float
        Divides the step between nodes; 2 shows whether 1 was fine enough.
    """
    found = grouping.histories(design)
    return _each(given(draws, design, found), design, found, fineness)


def _each(values: Given, design: Design, found: grouping.Histories, fineness: float = 1.0) -> np.ndarray:
    eta, tau, spread = values
    logs, slopes = np.empty((tau.size, found.count.size)), np.empty(eta.shape[1])
    kind, structure = densities.KINDS[design.likelihood], tuple(found.structure.values())
    for draw, row in enumerate(logs):
        kernel.each(kind, fineness, eta[draw], tau[draw], spread[draw], *structure, row, slopes)  # type: ignore[call-arg]
    # a continuous outcome is standardised: its density is per unit of the outcome itself
    return logs - np.diff(found.history_members) * np.log(design.scale)


TOLERANCE = 1e-8
"""Largest change of a history's log likelihood that halving the step may bring."""


def coarse(draws: xr.Dataset, design: Design) -> float:
    """Largest change of any history's log likelihood that halving the step brings, where τ is at its 99.9% quantile."""
    if not design.has_trait:
        return 0.0
    found = grouping.histories(design)
    eta, tau, spread = given(draws, design, found)
    place = tau.argsort(kind="stable")[[int(0.999 * (tau.size - 1))]]
    worst = (eta[place], tau[place], spread[place])
    return float(np.abs(_each(worst, design, found) - _each(worst, design, found, 2.0)).max(initial=0.0))


def completed(draws: xr.Dataset, design: Design, seed: int) -> xr.Dataset:
    """The draws with participants' traits, each drawn exactly from its conditional distribution (`traits.drawn`)."""
    if not design.has_trait or "trait" in draws:
        return draws
    found = grouping.histories(design)
    shape = (draws.sizes["chain"], draws.sizes["draw"], design.participants)
    structure = (found.cell_grid, found.cell_value, found.member, found.history_members, found.history_of)
    kind = densities.KINDS[design.likelihood]
    trait = traits.drawn(np.random.default_rng([seed, 41]), kind, *given(draws, design, found), *structure)
    return draws.assign(trait=(("chain", "draw", "participant"), trait.reshape(shape)))
