"""The mediation model: outcome and mediators by arm and wave, participants' traits correlated across equations.

MODEL.md, "Mediation model", has the mathematics. Verbs as in its sibling `models.effect`; what is averaged over
participants stands in `models.worlds`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from models import effect, equations, forward, integrated, mediator_checks, paths, top_level, totals
from models.averages import AVERAGES
from models.design import Design
from models.leave_one_out import Units
from models.likelihoods import LIKELIHOODS, cell_log_probability, dispersion
from models.mediation_cells import UNKNOWN, Cells, cells
from models.mediator_parameters import acting, coordinates, dimensions, interacting, lasting
from models.mediator_variables import declare_mediator, declare_missing, incomplete_log_likelihood
from models.path_draws import PathDraws
from models.random_variables import STANDARD, declare_outcome, declare_parameters
from models.terms import mediator_terms, wave_terms
from priors.prior_set import PriorSet

NAME = "mediation"
COUNTED = False
"""Its averages are taken at points: fewer prior draws will do."""


def shape(design: Design) -> tuple:
    """What a compiled model cannot be given anew: missing mediators that an outcome needs are unknowns of it."""
    layout, plan = design.mediators, cells(design)
    shares = tuple(layout.ends(place) for place in layout.of_kind("share"))
    unknown = tuple((name, rows.size) for name, rows in plan.indices.items() if name.startswith(UNKNOWN))
    sizes = (bool(plan.incomplete), plan.states.tobytes(), unknown)
    kinds = (layout.name, layout.kind, layout.interaction, layout.lag, layout.has_trait, shares)
    return (
        *effect.layout_shape(design),
        *kinds,
        layout.acts.tobytes(),
        layout.followed.tobytes(),
        layout.seen.tobytes(),
        *sizes,
    )


def data(design: Design) -> dict[str, np.ndarray]:
    """What the model is given, by the name of its `pm.Data`: replaced when it is fitted to another trial."""
    layout = design.mediators
    found = {"arm": design.arm, "mediator_arm": np.tile(design.arm, (layout.count, 1))}
    if layout.of_kind("binary", "share"):  # continuous ones are centred and scaled already
        found |= {"mediator_centre": layout.centre, "mediator_scale": layout.scale}
    if any(layout.has_trait) or design.has_trait:
        found |= _form(design)
    if design.covariate:
        found["covariates"] = design.covariates.T
    return found | cells(design).indices


def observed(design: Design) -> dict[str, np.ndarray]:
    """What the model is fitted to, by the name of its random variable."""
    return cells(design).observed


def build(design: Design, priors: PriorSet) -> pm.Model:
    """The generative model; `pm.observe` it on `observed` to fit, `pm.do` it on the arms to intervene.

    Each equation has an arm of its own: "arm" is the outcome's, "mediator_arm" (mediator, participant) the mediators',
    so that any J(z; z′) is the same model with different arms.

    Parameters
    ----------
    design : Design
        Its arrays become `pm.Data`.
    priors : PriorSet
        One row for each of `dimensions`.

    Notes
    -----
    A continuous mediator that is missing where an outcome needs it, or was before the first wave, is a latent value. A
    share or yes-or-no mediator is summed out of that outcome's likelihood, a `pm.Potential`: a sum is no variable.
    """
    labels, plan = coordinates(design), cells(design)
    coords = {name: names for name, names in labels.items() if names}
    with pm.Model(coords=coords | {"participant": np.arange(design.participants)}) as model:
        known = {name: pm.Data(name, value) for name, value in data(design).items()}
        values = declare_parameters(dimensions(design), labels, priors)
        totals = _scores(values, design, known)
        traits = _traits(values, design, known, totals)
        linear = _mediator_grid(values, design, known, totals[0], traits[0])
        drawn = [declare_mediator(place, linear, values, design, known) for place in range(plan.mediators)]
        pool = pt.concatenate([*drawn, declare_missing(linear, values, design, plan, known), pt.zeros(1)])
        _outcome(values, design, plan, known, (totals[1], traits[1]), pool, linear)
    return model


def _scores(values: Mapping[str, Any], design: Design, known: Mapping[str, Any]) -> tuple[Any, Any]:
    """Weighted covariates of the mediators (mediator, participant) and of the outcome (participant,)."""
    if not design.covariate:
        return pt.zeros((design.mediators.count, design.participants)), pt.zeros(design.participants)
    return tuple(equations.covariate_score(values[name], known["covariates"]) for name in ("mediator_gamma", "gamma"))


def _traits(
    values: Mapping[str, Any], design: Design, known: Mapping[str, Any], totals: tuple[Any, Any]
) -> tuple[Any, Any]:
    """Traits of the mediators (mediator, participant) and of the outcome (participant,), 0 where there is none.

    One after the other in the order of `_form`, each given those before it: as a multiple of what is left of its SD,
    or, where the data pin it down, as the participant's level itself. Which it is, and the order, are data, because
    the posterior does not depend on them and a refit is not compiled again for them.
    """
    layout, lasts = design.mediators, lasting(design)
    mediators, outcome = [pt.zeros(design.participants)] * layout.count, pt.zeros(design.participants)
    if lasts or design.has_trait:
        rows = _in_form(values, design, known, totals)
        if lasts:
            drawn = pm.Deterministic("mediator_trait", rows[: len(lasts)], dims=("lasting_mediator", "participant"))
            mediators = [
                drawn[lasts.index(place)] if place in lasts else mediators[place] for place in range(layout.count)
            ]
        if design.has_trait:
            outcome = pm.Deterministic("trait", rows[len(lasts)], dims="participant")
    return pt.stack(mediators), outcome


def _in_form(values: Mapping[str, Any], design: Design, known: Mapping[str, Any], totals: tuple[Any, Any]) -> Any:
    """Lasting mediators' traits and then the outcome's, (equation, participant), sampled as `_form` says."""
    scales = [values["mediator_tau"][k] for k in range(len(lasting(design)))]
    levels = [values["mediator_mu_0"][place] + totals[0][place] for place in lasting(design)]
    if design.has_trait:
        scales, levels = [*scales, values["tau"]], [*levels, values["mu_0"] + totals[1]]
    size, order, centred = len(scales), known["trait_order"], known["trait_centred"]

    def taken(k: int, each: Sequence[Any]) -> Any:
        # a weighted sum in place of an index: PyTensor fuses it, where gathering took 10 s more to compile
        return sum(order[k, i] * one for i, one in enumerate(each))

    root = equations.correlation_root(values.get("partial_correlation"), size)
    full = [[*row, *[0.0] * (size - len(row))] for row in root]
    # each equation's row of the root, in the order of sampling; of their products the root anew
    turned = [[taken(k, [row[i] for row in full]) for i in range(size)] for k in range(size)]
    root = equations.root_of(
        [[sum(a * b for a, b in zip(one, other, strict=True)) for other in turned] for one in turned]
    )
    rows: list[Any] = []
    standard: list[Any] = []
    for k in range(size):
        scale, level = taken(k, scales), taken(k, levels)
        left, whole = scale * root[k][-1], centred[k]
        before = scale * sum((weight * z for weight, z in zip(root[k], standard, strict=False)), pt.zeros(1))
        drawn = pm.Normal(
            f"trait {k + 1}{STANDARD}",
            mu=whole * (level + before),
            sigma=whole * left + (1 - whole),
            dims="participant",
        )
        rows.append(whole * (drawn - level) + (1 - whole) * (before + left * drawn))
        standard.append(whole * (drawn - level - before) / left + (1 - whole) * drawn)
    return pt.stack([sum(order[k, i] * row for k, row in enumerate(rows)) for i in range(size)])


def _form(design: Design) -> dict[str, np.ndarray]:
    """In which order traits are sampled, best known levels first (a permutation's matrix), and which are centred.

    A level about which the data say little must not come before one that they know: to change their correlation the
    sampler would have to move every participant's value of the unknown one (MODEL.md, "Order and form").
    """
    layout, lasts = design.mediators, lasting(design)
    known = [layout.reliability[place] for place in lasts] + [design.reliability] * design.has_trait
    centred = [layout.centred[place] for place in lasts] + [design.centred] * design.has_trait
    order = np.argsort([-each for each in known], kind="stable")
    return {"trait_order": np.eye(len(order))[order], "trait_centred": np.array(centred, float)[order]}


def _mediator_grid(values: Mapping[str, Any], design: Design, known: Mapping[str, Any], total: Any, trait: Any) -> Any:
    """Each mediator on its link scale, flat over (mediator, participant, 1 + wave): one gather a use compiles fast."""
    level, effect = mediator_terms(values, design)
    arm = known["mediator_arm"][:, :, None]
    return equations.predictor(level[:, None, :], effect[:, None, :], arm, total[:, :, None], trait[:, :, None]).ravel()


def _outcome(
    values: Mapping[str, Any],
    design: Design,
    plan: Cells,
    known: Mapping[str, Any],
    own: tuple[Any, Any],
    pool: Any,
    linear: Any,
) -> None:
    """The outcome of cells whose mediators are known or latent, and the likelihood of those where one is summed out."""
    level, effect = wave_terms(values, design)
    total, trait = own
    grid = equations.predictor(level, effect, known["arm"][:, None], total[:, None], trait[:, None]).ravel()
    sources, differing = acting(design), interacting(design)
    later = np.array([role == "follow-up" for role in design.role], float)
    acts = (known["arm"][:, None] * later).ravel()

    def added(taken: Mapping[int, Any], arm: Any) -> Any:
        rows, some = [taken[place] for place in sources], [taken[place] for place in differing]
        return equations.mediated(values["slope"], values.get("interaction"), arm, rows, some)

    cell = known["cell_of"]
    predictor = grid[cell]
    if sources:
        taken = {place: pool[known[f"source of {design.mediators.name[place]}"]] for place in sources}
        predictor = predictor + added(taken, acts[cell])
    spread = values.get(LIKELIHOODS[design.likelihood].spread)
    declare_outcome(design.likelihood, predictor, spread)
    if plan.incomplete:
        cell = known["incomplete_cell_of"]
        likely = incomplete_log_likelihood(
            design,
            plan,
            known,
            values,
            pool,
            linear,
            grid[cell][:, None],
            lambda taken: added(taken, acts[cell][:, None]),
        )
        pm.Potential("outcome_where_a_mediator_is_summed_out", likely)


def prior(design: Design, priors: PriorSet, draws: int, seed: int) -> xr.Dataset:
    """Independent draws from the prior (NumPy alone), named and shaped as the posterior, dims (chain 1, draw, …)."""
    parameters = dimensions(design)
    first, *seeds = np.random.SeedSequence([seed, 3]).spawn(len(parameters) + 1)
    top = top_level.drawn(parameters, coordinates(design), priors, draws, seeds)
    return top.assign(forward.traits_of_new(top, design, np.random.default_rng(first)))


def log_prior(draws: xr.Dataset, design: Design, priors: PriorSet) -> xr.Dataset:
    """Log density of each top-level prior at each draw, dims (chain, draw, …); traits, latent values are left out."""
    return top_level.log_densities(draws, dimensions(design), priors)


def completed(draws: xr.Dataset, design: Design, seed: int) -> xr.Dataset:
    """Posterior draws with every value that later steps need: what was summed out is drawn (`forward.completed`)."""
    return forward.completed(draws, design, seed)


def predictor(draws: xr.Dataset, design: Design) -> np.ndarray:
    """Linear predictor of each observed outcome, shape (chain, draw, observation), given traits and mediators."""
    values = forward.values_of(draws)
    return forward.outcome_predictor(values, design, forward.mediators_read(values, design), values.get("trait", 0.0))


def predictor_of_new(draws: xr.Dataset, design: Design, rng: np.random.Generator) -> np.ndarray:
    """Linear predictor of the observed cells for new participants of the same kind, (chain, draw, observation)."""
    return forward.drawn_for_new(draws, design, rng)


def simulated(truth: xr.Dataset, design: Design, rng: np.random.Generator) -> Design:
    """The same trial with mediators and outcomes of new participants of the same kind (`forward.simulated`)."""
    return forward.simulated(truth, design, rng)


def left_out(draws: xr.Dataset, design: Design) -> Units:
    """Log probability of each observed outcome given the same participant's others, for leaving single ones out."""
    fixed, scale = _without_trait(draws, design)
    flat = fixed.reshape(scale.size, -1)
    given = integrated.Draws(flat, scale.ravel(), dispersion(draws, design).ravel())
    return Units("observation", integrated.log_predictive(given, design), np.ones(flat.shape[1], int))


def _without_trait(draws: xr.Dataset, design: Design) -> tuple[np.ndarray, np.ndarray]:
    """Predictor where the outcome's trait is at its mean given the mediators' traits, and the SD left around it."""
    values = forward.values_of(draws)
    mean, sd = forward.conditional_trait(values, design)
    fixed = forward.outcome_predictor(values, design, forward.mediators_read(values, design), mean)
    return fixed, np.broadcast_to(sd, values["mu_0"].shape)


def computed(draws: xr.Dataset, design: Design) -> tuple[str, ...]:  # noqa: ARG001 - a verb of every model
    """Limitations of the computation, seen from its draws: its integrals refine themselves or raise."""
    return ()


def other_log_likelihood(draws: xr.Dataset, design: Design) -> np.ndarray:
    """Log likelihood of the observed mediators at each draw, (chain, draw)."""
    return forward.mediator_log_likelihood(draws, design)


def lacking(design: Design) -> str:
    """Why the model cannot be fitted to a design; empty where it can."""
    if design.mediators.count:
        return ""
    return " ".join(design.mediators.left_out.values()) or "The study file names no mediator."


def notes(design: Design) -> tuple[str, ...]:
    """Limitations to print in the report."""
    return (*design.notes, *design.mediators.notes)


def averages(draws: xr.Dataset, design: Design) -> tuple[str, ...]:  # noqa: ARG001 - a verb of every model
    """Averages that `response` can take."""
    return AVERAGES


def total_log_likelihood(draws: xr.Dataset, design: Design) -> np.ndarray:
    """Log likelihood of all outcomes at each draw, (chain, draw), given traits and mediators."""
    return cell_log_probability(predictor(draws, design), draws, design).sum(-1)


def path_draws(draws: xr.Dataset, design: Design, order: Sequence[str]) -> PathDraws:
    """Effects through and beside the mediators at every draw (`paths.path_draws`)."""
    return paths.path_draws(draws, design, order)


def mediator_pit(draws: xr.Dataset, design: Design, seed: int) -> xr.Dataset:
    """Whether the observed mediators look like draws from their own distributions (`mediator_checks.pit`)."""
    return mediator_checks.pit(draws, design, seed)


def response(draws: xr.Dataset, design: Design, averages: Sequence[str] = AVERAGES) -> xr.DataArray:
    """Expected outcome if everybody were in one arm, mediators included; as `models.effect.response`."""
    return totals.response(draws, design, averages)
