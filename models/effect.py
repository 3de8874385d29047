"""The effect model: outcome by arm and wave, with baseline constrained equal and participants partially pooled.

MODEL.md, "Effect model", has the mathematics. Siblings of this module have the same verbs: `build`, `prior`,
`predictor`, `response`, `new_participants`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from models import equations
from models.design import Design
from models.likelihoods import LIKELIHOODS
from models.random_variables import declare, declare_outcome, declare_trait
from priors.prior_set import PriorSet

NAME = "effect"
ARMS = ("control", "treated")
AVERAGES = ("population", "sample", "typical")
BLOCK = 4_000_000
"""Numbers held at a time while averaging over participants: 32 MB."""


def dimensions(design: Design) -> dict[str, str | None]:
    """Top-level parameters of the model and the dimension of each (None for a scalar), in order."""
    sizes = {
        "mu_0": (None, True),
        "step": ("step_to", len(design.wave) > 1),
        "theta": ("follow_up", bool(design.follow_up)),
        "theta_negative_control": ("negative_control", bool(design.negative_control)),
        "gamma": ("covariate", bool(design.covariate)),
        "tau": (None, design.has_trait),
        "dispersion": (None, LIKELIHOODS[design.likelihood].dispersed),
    }
    return {name: dim for name, (dim, present) in sizes.items() if present}


def coordinates(design: Design) -> dict[str, list[str]]:
    """Labels of every dimension of a parameter."""
    return {
        "wave": list(design.wave),
        "step_to": list(design.wave[1:]),
        "follow_up": list(design.follow_up),
        "negative_control": list(design.negative_control),
        "covariate": list(design.covariate),
    }


def build(design: Design, priors: PriorSet) -> pm.Model:
    """The generative model: nothing observed; `pm.observe` it on "outcome" to fit, `pm.do` it on "arm" to intervene.

    Parameters
    ----------
    design : Design
        Its arrays become `pm.Data`, so that a compiled model can be given another trial of the same waves and size.
    priors : PriorSet
        One row for each of `dimensions`.
    """
    labels = coordinates(design)
    with pm.Model(coords={**labels, "participant": np.arange(design.participants)}) as model:
        arm = pm.Data("arm", design.arm, dims="participant")
        participant = pm.Data("participant_of", design.participant_of, dims="observation")
        wave = pm.Data("wave_of", design.wave_of, dims="observation")
        values = {
            name: declare(priors[name], dim, len(labels[dim]) if dim else 0) for name, dim in dimensions(design).items()
        }
        level, effect = _wave_terms(values, design)
        score, trait = pt.zeros(1), pt.zeros(1)
        whose = pt.zeros_like(participant)
        if "gamma" in values:
            columns = pm.Data("covariates", design.covariates.T, dims=("covariate", "participant"))
            score = equations.covariate_score(values["gamma"], [columns[k] for k in range(len(design.covariate))])
        if "tau" in values:
            trait = declare_trait("trait", values["tau"], values["mu_0"] + score if design.centred else None)
        predictor = equations.outcome_predictor(
            level[wave],
            effect[wave],
            arm[participant],
            score[participant if "gamma" in values else whose],
            trait[participant if "tau" in values else whose],
        )
        declare_outcome(design.likelihood, predictor, values.get("dispersion"), dims=["observation"])
    return model


def prior(design: Design, priors: PriorSet, draws: int, seed: int) -> xr.Dataset:
    """Independent draws from the prior (NumPy alone), named and shaped as the posterior, dims (chain 1, draw, …)."""
    labels = coordinates(design)
    seeds = np.random.SeedSequence(seed).spawn(len(dimensions(design)) + 1)
    found = {}
    for (name, dim), child in zip(dimensions(design).items(), seeds[1:], strict=True):
        value = priors[name].sample(np.random.default_rng(child), draws, len(labels[dim]) if dim else None)
        found[name] = (("chain", "draw", dim) if dim else ("chain", "draw"), value[None])
    if design.has_trait:
        noise = np.random.default_rng(seeds[0]).standard_normal((1, draws, design.participants))
        found["trait"] = (("chain", "draw", "participant"), found["tau"][1][..., None] * noise)
    used = {dim: labels[dim] for dim in dimensions(design).values() if dim}
    return xr.Dataset(found, {**used, "chain": [0], "draw": np.arange(draws)})


def log_prior(draws: xr.Dataset, design: Design, priors: PriorSet) -> xr.Dataset:
    """Log density of each top-level prior at each draw, dims (chain, draw, …); participants' traits are left out."""
    found = {}
    for name, dim in dimensions(design).items():
        value = draws[name].to_numpy()
        joint = priors[name].distribution == "exchangeable_normal"
        dims = ("chain", "draw", dim) if dim and not joint else ("chain", "draw")
        found[name] = (dims, priors[name].log_density(value))
    return xr.Dataset(found, {name: draws[name] for name in ("chain", "draw")})


def predictor(draws: xr.Dataset, design: Design, trait: np.ndarray | None = None) -> np.ndarray:
    """Linear predictor of each observed cell, shape (chain, draw, observation).

    Parameters
    ----------
    draws : Dataset
        Posterior or prior draws.
    design : Design
        Whose cells.
    trait : ndarray, (chain, draw, participant), optional
        Other traits than the participants' own: new participants of the same kind.
    """
    level, effect = _wave_terms(_values(draws), design)
    score = _score(draws, design.covariates)
    trait = _trait(draws, design) if trait is None else trait
    person, wave = design.participant_of, design.wave_of
    return equations.outcome_predictor(
        level[..., wave], effect[..., wave], design.arm[person], score[..., person], trait[..., person]
    )


def new_participants(draws: xr.Dataset, design: Design, rng: np.random.Generator) -> np.ndarray:
    """Traits of new participants of the same kind, shape (chain, draw, participant)."""
    shape = (draws.sizes["chain"], draws.sizes["draw"], design.participants)
    scale = draws["tau"].to_numpy()[..., None] if design.has_trait else 0.0
    return scale * rng.standard_normal(shape)


def response(draws: xr.Dataset, design: Design) -> xr.DataArray:
    """Expected outcome if everybody were in one arm, by g-computation.

    Participants are averaged over their observed covariates; the trait is integrated out ("population", the default
    for every report), taken as estimated ("sample"), or set to 0 at mean covariates ("typical").

    Parameters
    ----------
    draws : Dataset
        Posterior or prior draws, dims (chain, draw, …).
    design : Design
        The participants over whom to average.

    Returns
    -------
    DataArray, (chain, draw, average, arm, wave)
        Risks, or mean counts. The trait's integral is exact to 1e-9, so there is no Monte-Carlo error in it.
    """
    chains, length = draws.sizes["chain"], draws.sizes["draw"]
    flat = draws.stack(sample=("chain", "draw"), create_index=False).transpose("sample", ...)
    level, effect = _wave_terms(_values(flat), design)
    arms = np.array([-0.5, 0.5])[:, None]
    result = np.empty((chains * length, len(AVERAGES), len(ARMS), len(design.wave)))
    result[:, 2] = LIKELIHOODS[design.likelihood].mean(
        equations.outcome_predictor(level[:, None], effect[:, None], arms, 0.0, 0.0)
    )
    block = max(1, BLOCK // (design.participants * result[0, 0].size))
    for start in range(0, chains * length, block):
        part = slice(start, start + block)
        inside = flat.isel(sample=part)
        terms = level[part, None, :, None], effect[part, None, :, None], arms[..., None]
        result[part, 0] = _population(inside, design, *terms)
        result[part, 1] = _sample(inside, design, *terms)
    return xr.DataArray(
        result.reshape(chains, length, *result.shape[1:]),
        {
            "chain": draws["chain"],
            "draw": draws["draw"],
            "average": list(AVERAGES),
            "arm": list(ARMS),
            "wave": list(design.wave),
        },
        dims=("chain", "draw", "average", "arm", "wave"),
    )


def _population(
    flat: xr.Dataset, design: Design, level: np.ndarray, effect: np.ndarray, arms: np.ndarray
) -> np.ndarray:
    # participants with the same covariates share one term
    patterns, counts = np.unique(design.covariates, axis=0, return_counts=True)
    score = _score(flat, patterns)[:, None, None, :]
    scale = flat["tau"].to_numpy()[:, None, None, None] if design.has_trait else np.zeros(1)
    at_zero = equations.outcome_predictor(level, effect, arms, score, 0.0)
    return LIKELIHOODS[design.likelihood].marginal_mean(at_zero, scale) @ (counts / counts.sum())


def _sample(flat: xr.Dataset, design: Design, level: np.ndarray, effect: np.ndarray, arms: np.ndarray) -> np.ndarray:
    score, trait = _score(flat, design.covariates)[:, None, None, :], _trait(flat, design)[:, None, None, :]
    return LIKELIHOODS[design.likelihood].mean(equations.outcome_predictor(level, effect, arms, score, trait)).mean(-1)


def _trait(draws: xr.Dataset, design: Design) -> np.ndarray:
    """Participants' traits, shape (..., participant); 0 where the model has none."""
    return draws["trait"].to_numpy() if design.has_trait else np.zeros((*draws["mu_0"].shape, design.participants))


def _score(draws: xr.Dataset, covariates: np.ndarray) -> np.ndarray:
    """Weighted covariates of each row of `covariates`, shape (..., row); 0 where nothing is adjusted for."""
    if not covariates.shape[1]:
        return np.zeros((*draws["mu_0"].shape, covariates.shape[0]))
    return equations.covariate_score(draws["gamma"].to_numpy(), covariates.T)


def _values(draws: xr.Dataset) -> Mapping[str, np.ndarray]:
    return {name: value.to_numpy() for name, value in draws.items() if name != "trait"}  # type: ignore[misc]


def _wave_terms(values: Mapping, design: Design) -> tuple:
    """Level and arm effect of every wave, (..., wave), from PyTensor or NumPy values."""
    level = values["mu_0"][..., None]
    if "step" in values:
        level = equations.wave_level(level, values["step"], design.cumulation)
    effect = equations.wave_effect(values["theta"], design.placement("follow-up"))
    if "theta_negative_control" in values:
        before = equations.wave_effect(values["theta_negative_control"], design.placement("negative control"))
        effect = effect + before
    return level, effect
