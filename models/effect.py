"""The effect model: outcome by arm and wave, with baseline constrained equal and participants partially pooled.

MODEL.md, "Effect model", has the mathematics. Siblings of this module have the same verbs: `build`, `shape`, `prior`,
`predictor`, `predictor_of_new`, `simulated`, `completed`, `left_out`, `other_log_likelihood`, `response`,
`path_draws`, `mediator_pit`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from models import equations, top_level
from models.averages import ARMS, AVERAGES, labelled
from models.design import Design
from models.histories import likelihood
from models.leave_one_out import Units
from models.likelihoods import LIKELIHOODS, cell_log_probability, dispersion
from models.path_draws import PathDraws
from models.random_variables import declare_outcome, declare_parameters, declare_trait
from models.terms import score, wave_coordinates, wave_dimensions, wave_terms
from priors.prior_set import PriorSet

NAME = "effect"
COUNTED = True
"""Its averages are closed forms or sums, cheap enough for many prior draws."""
MOST_TRAITS = 100_000_000
"""Numbers (0.8 GB) beyond which participants' traits are not formed where they were not sampled."""
BLOCK = 100_000
"""Numbers held at a time while averaging over participants: 0.8 MB, near the processor."""


def dimensions(design: Design) -> dict[str, tuple[str, ...]]:
    """Top-level parameters of the model and their dimensions (none for a scalar), in order."""
    spread = LIKELIHOODS[design.likelihood].spread
    return wave_dimensions(design) | ({"tau": ()} if design.has_trait else {}) | ({spread: ()} if spread else {})


def coordinates(design: Design) -> dict[str, list[str]]:
    """Labels of every dimension of a parameter."""
    return wave_coordinates(design)


def shape(design: Design) -> tuple:
    """What a compiled model cannot be given anew; which cells are missing is none of it."""
    return (*layout_shape(design), design.centred)


def layout_shape(design: Design) -> tuple:
    """What decides the shape of any model of a trial."""
    whose = (design.participants, design.has_trait)
    return (design.likelihood, design.wave, design.role, design.month, design.covariate, *whose)


def data(design: Design) -> dict[str, np.ndarray]:
    """What the model is given, by the name of its `pm.Data`: replaced when it is fitted to another trial."""
    given = {"arm": design.arm, "participant_of": design.participant_of, "wave_of": design.wave_of}
    return given | ({"covariates": design.covariates.T} if design.covariate else {})


def observed(design: Design) -> dict[str, np.ndarray]:
    """What the model is fitted to, by the name of its random variable."""
    return {"outcome": design.outcome}


def build(design: Design, priors: PriorSet) -> pm.Model:
    """The generative model: nothing observed; `pm.observe` it on "outcome" to fit, `pm.do` it on "arm" to intervene.

    Parameters
    ----------
    design : Design
        Its arrays become `pm.Data`, so that a compiled model can be given another trial of the same waves and size.
    priors : PriorSet
        One row for each of `dimensions`.
    """

    def own(values: Mapping[str, Any], known: Mapping[str, Any], score: Any) -> Any:
        if "tau" not in values:
            return pt.zeros(1)
        trait = declare_trait("trait", values["tau"], values["mu_0"] + score if design.centred else None)
        return trait[known["participant_of"]]

    return assemble(design, priors, dimensions(design), coordinates(design), own)


def assemble(
    design: Design,
    priors: PriorSet,
    parameters: Mapping[str, tuple[str, ...]],
    labels: Mapping[str, Sequence[str]],
    own: Callable[[Mapping[str, Any], Mapping[str, Any], Any], Any],
) -> pm.Model:
    """The model around what lasts in participants.

    Parameters
    ----------
    design, priors : Design, PriorSet
        As for `build`.
    parameters, labels : mapping
        Dimensions of every top-level parameter, and their labels.
    own : callable
        (parameters, data, covariate score) to participants' own terms at each observed cell; declares their traits.
    """
    coords = {name: names for name, names in labels.items() if len(names)}
    with pm.Model(coords={**coords, "participant": np.arange(design.participants)}) as model:
        known = {name: pm.Data(name, value) for name, value in data(design).items()}
        participant, wave = known["participant_of"], known["wave_of"]
        values = declare_parameters(parameters, labels, priors)
        level, effect = wave_terms(values, design)
        total, whose = pt.zeros(1), pt.zeros_like(participant)
        if "gamma" in values:
            total, whose = equations.covariate_score(values["gamma"], known["covariates"]), participant
        trait = own(values, known, total)
        predictor = equations.predictor(level[wave], effect[wave], known["arm"][participant], total[whose], trait)
        declare_outcome(design.likelihood, predictor, values.get(LIKELIHOODS[design.likelihood].spread))
    return model


def prior(design: Design, priors: PriorSet, draws: int, seed: int) -> xr.Dataset:
    """Independent draws from the prior (NumPy alone), named and shaped as the posterior, dims (chain 1, draw, …)."""
    parameters = dimensions(design)
    first, *seeds = np.random.SeedSequence(seed).spawn(len(parameters) + 1)
    top = top_level.drawn(parameters, coordinates(design), priors, draws, seeds)
    if not design.has_trait or draws * design.participants > MOST_TRAITS:
        return top
    noise = np.random.default_rng(first).standard_normal((1, draws, design.participants))
    return top.assign(trait=(("chain", "draw", "participant"), top["tau"].to_numpy()[..., None] * noise))


def log_prior(draws: xr.Dataset, design: Design, priors: PriorSet) -> xr.Dataset:
    """Log density of each top-level prior at each draw, dims (chain, draw, …); participants' traits are left out."""
    return top_level.log_densities(draws, dimensions(design), priors)


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
    level, effect = wave_terms(_values(draws), design)
    total = score(_values(draws), design.covariates)
    trait = _trait(draws, design) if trait is None else trait
    person, wave = design.participant_of, design.wave_of
    return equations.predictor(
        level[..., wave], effect[..., wave], design.arm[person], total[..., person], trait[..., person]
    )


def predictor_of_new(draws: xr.Dataset, design: Design, rng: np.random.Generator) -> np.ndarray:
    """Linear predictor of the observed cells for new participants of the same kind, (chain, draw, observation)."""
    shape = (draws.sizes["chain"], draws.sizes["draw"], design.participants)
    scale = draws["tau"].to_numpy()[..., None] if design.has_trait else 0.0
    return predictor(draws, design, scale * rng.standard_normal(shape))


def simulated(truth: xr.Dataset, design: Design, rng: np.random.Generator) -> Design:
    """The same trial with outcomes of new participants, whose parameters are the only draw of `truth`."""
    linear = predictor_of_new(truth, design, rng)
    drawn = LIKELIHOODS[design.likelihood].draw(rng, linear, dispersion(truth, design)[..., None])[0, 0]
    return replace(design, outcome=drawn.astype(design.outcome.dtype)).parametrised()


def completed(draws: xr.Dataset, design: Design, seed: int) -> xr.Dataset:  # noqa: ARG001 - a verb of every model
    """Posterior draws with every value that later steps need; the effect model has no missing ones."""
    return draws


def left_out(draws: xr.Dataset, design: Design) -> Units:
    """Log probability of each distinct history, for leaving participants out (trait integrated out)."""
    count = design.histories.count.astype(int)
    return Units("participant", likelihood.log_likelihood(draws, design), count)


def computed(draws: xr.Dataset, design: Design) -> tuple[str, ...]:
    """Limitations of the computation, seen from its draws: whether the integrals over the trait needed finer steps."""
    change = likelihood.coarse(draws, design)
    if change <= likelihood.TOLERANCE:
        return ()
    return (f"Halving the integration step over the trait changes a log likelihood by {change:.1e}: leave-one-out and "
            "fits with the integrated likelihood are less exact than they should be.",)  # fmt: skip


def other_log_likelihood(draws: xr.Dataset, design: Design) -> np.ndarray:  # noqa: ARG001 - a verb of every model
    """Log likelihood of whatever else is observed at each draw, (chain, draw): nothing."""
    return np.zeros(draws["mu_0"].shape)


def lacking(design: Design) -> str:  # noqa: ARG001 - a verb of every model
    """Why the model cannot be fitted to a design; empty where it can."""
    return ""


def notes(design: Design) -> tuple[str, ...]:
    """Limitations to print in the report."""
    return design.notes


def path_draws(draws: xr.Dataset, design: Design, order: Sequence[str]) -> PathDraws:  # noqa: ARG001
    """Effects through mediators: there are none in this model."""
    return PathDraws()


def mediator_pit(draws: xr.Dataset, design: Design, seed: int) -> xr.Dataset:  # noqa: ARG001
    """Check of the mediators' distributions: there are none in this model."""
    return xr.Dataset()


def averages(draws: xr.Dataset, design: Design) -> tuple[str, ...]:
    """Averages that `response` can take: that over these participants needs their traits."""
    known = not design.has_trait or "trait" in draws
    return AVERAGES if known else tuple(name for name in AVERAGES if name != "sample")


def of_participants(draws: xr.Dataset, design: Design, people: np.ndarray, seed: int) -> tuple[xr.Dataset, Design]:
    """The draws and the trial of some participants alone; traits that were left out are drawn for them."""
    part = design.of(people)
    if not design.has_trait:
        return draws, part
    if "trait" in draws:
        return draws.isel(participant=people), part
    return draws.assign(trait=(("chain", "draw", "participant"), likelihood.traits(draws, part, seed))), part


def total_log_likelihood(draws: xr.Dataset, design: Design) -> np.ndarray:
    """Log likelihood of all outcomes at each draw, (chain, draw): given the traits, where they were formed."""
    if design.has_trait and "trait" not in draws:
        units = left_out(draws, design)
        return (units.log_probability @ units.count).reshape(draws["mu_0"].shape)
    return cell_log_probability(predictor(draws, design), draws, design).sum(-1)


def response(draws: xr.Dataset, design: Design, averages: Sequence[str] = AVERAGES) -> xr.DataArray:
    """Expected outcome if everybody were in one arm, by g-computation.

    Participants are averaged over their observed covariates; the trait is integrated out ("population", the default
    for every report), taken as estimated ("sample"), or set to 0 at mean covariates ("typical").

    Parameters
    ----------
    draws : Dataset
        Posterior or prior draws, dims (chain, draw, …).
    design : Design
        The participants over whom to average.
    averages : sequence of str
        Which of the three.

    Returns
    -------
    DataArray, (chain, draw, average, arm, wave)
        Risks, or mean counts. The trait's integral is exact to 1e-9, so there is no Monte-Carlo error in it.
    """
    flat = draws.stack(sample=("chain", "draw"), create_index=False).transpose("sample", ...)
    level, effect = wave_terms(_values(flat), design)
    arms = np.array([-0.5, 0.5])[:, None]
    result = np.empty((flat.sizes["sample"], len(averages), len(ARMS), len(design.wave)))
    rules = {"population": _population, "sample": _sample, "typical": _typical}
    # a draw's participants are averaged one by one for these ones, pattern by pattern for all of their kind
    rows = design.participants if "sample" in averages else len(design.patterns[0])
    block = max(1, BLOCK // (rows * result[0, 0].size))
    for start in range(0, len(result), block):
        part = slice(start, start + block)
        inside = flat.isel(sample=part)
        terms = level[part, None, :, None], effect[part, None, :, None], arms[..., None]
        for place, average in enumerate(averages):
            result[part, place] = rules[average](inside, design, *terms)
    return labelled(draws, design, averages, result)


def _population(
    flat: xr.Dataset, design: Design, level: np.ndarray, effect: np.ndarray, arms: np.ndarray
) -> np.ndarray:
    scale = flat["tau"].to_numpy()[:, None, None, None] if design.has_trait else np.zeros(1)
    return averaged(flat, design, level, effect, arms, scale)


def averaged(
    flat: xr.Dataset, design: Design, level: np.ndarray, effect: np.ndarray, arms: np.ndarray, scale: np.ndarray
) -> np.ndarray:
    """Mean over covariates and a normal own term of SD `scale`, all broadcast as (draw, arm, wave, participant)."""
    # participants with the same covariates share one term
    patterns, counts = design.patterns
    total = score(_values(flat), patterns)[:, None, None, :]
    at_zero = equations.predictor(level, effect, arms, total, 0.0)
    return LIKELIHOODS[design.likelihood].marginal_mean(at_zero, scale) @ (counts / counts.sum())


def _typical(flat: xr.Dataset, design: Design, level: np.ndarray, effect: np.ndarray, arms: np.ndarray) -> np.ndarray:  # noqa: ARG001
    return LIKELIHOODS[design.likelihood].mean(equations.predictor(level, effect, arms, 0.0, 0.0))[..., 0]


def _sample(flat: xr.Dataset, design: Design, level: np.ndarray, effect: np.ndarray, arms: np.ndarray) -> np.ndarray:
    total, trait = score(_values(flat), design.covariates)[:, None, None, :], _trait(flat, design)[:, None, None, :]
    return LIKELIHOODS[design.likelihood].mean(equations.predictor(level, effect, arms, total, trait)).mean(-1)


def _trait(draws: xr.Dataset, design: Design) -> np.ndarray:
    """Participants' traits, shape (..., participant); 0 where the model has none."""
    return draws["trait"].to_numpy() if design.has_trait else np.zeros((*draws["mu_0"].shape, design.participants))


def _values(draws: xr.Dataset) -> Mapping[str, np.ndarray]:
    return {name: value.to_numpy() for name, value in draws.items() if name != "trait"}  # type: ignore[misc]
