"""The mediation model: outcome and mediators by arm and wave, participants' traits correlated across equations.

    m_jit ~ distribution_j(level_jt + arm_i · effect_jt + γ_j·x_i + b_ji)
    y_it  ~ likelihood(link⁻¹(level_t + arm_i · effect_t + γ·x_i + b_i + Σ_j slope_ij m_ji,t−lag))
    slope_ij = slope_j + arm_i · interaction_j,   (b_i, b_1i, b_2i, …) jointly normal

Groups that participants share have levels of their own in every equation, jointly normal likewise (`groups`).
MODEL.md, "Mediation model", has the mathematics; `models.equations.model` says what each verb of a model is. What runs
it forward in NumPy stands in `forward`, what is averaged over participants in `models.estimands.counterfactuals`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from models.design.layout import Design
from models.design.mediation_cells import Cells, cells
from models.equations import forward, group_variables, mediator_parameters, predictors
from models.equations.density import TRAITS_SAMPLED
from models.equations.mediator_parameters import acting, interacting, lasting, trait_form
from models.equations.mediator_variables import declare_mediator, declare_missing, incomplete_log_likelihood
from models.equations.model import Computation, Model
from models.equations.random_variables import STANDARD, declare_parameters
from models.equations.terms import dispersions, mediator_terms, wave_terms
from priors.prior_set import PriorSet


@dataclass(frozen=True)
class Mediation(Model):
    """The mediation model."""

    computation: Computation = TRAITS_SAMPLED
    name: ClassVar[str] = "mediation"
    mediated: ClassVar[bool] = True

    def dimensions(self, design: Design) -> dict[str, tuple[str, ...]]:
        """Parameters of the outcome's equation, of each mediator's, and of the traits' correlations."""
        return mediator_parameters.dimensions(design)

    def coordinates(self, design: Design) -> dict[str, list[str]]:
        """Labels of waves, covariates and mediators."""
        return mediator_parameters.coordinates(design)

    def build(self, design: Design, priors: PriorSet) -> pm.Model:
        """The generative model; `pm.observe` it on `observed` for its density, `pm.do` it on the arms to intervene.

        Each equation has an arm of its own: "arm" is the outcome's, "mediator_arm" (mediator, participant) the
        mediators', so that any J(z; z′) is the same model with different arms.

        Parameters
        ----------
        design : Design
            Its arrays become `pm.Data`.
        priors : PriorSet
            One row for each of `dimensions`.

        Notes
        -----
        A continuous mediator that is missing where an outcome needs it, or was before the first wave, is a latent
        value. A share or yes-or-no mediator is summed out of that outcome's likelihood, a `pm.Potential`: a sum is no
        variable.
        """
        labels, plan = self.coordinates(design), cells(design)
        coords = {name: names for name, names in labels.items() if names}
        with pm.Model(coords=coords | {"participant": np.arange(design.participants)}) as model:
            known = {name: pm.Data(name, value) for name, value in self.data(design).items()}
            values = declare_parameters(self.dimensions(design), labels, priors)
            shared = group_variables.declare(values, design.groups, plan.mediators) if design.groups else []
            totals = _scores(values, design, known)
            if shared:
                of_people = [group_variables.declared_of_participants(levels, known) for levels in shared]
                totals = (totals[0] + pt.stack(of_people[:-1]), totals[1] + of_people[-1])
            traits = _traits(values, design, totals)
            linear = _mediator_grid(values, design, known, totals[0], traits[0])
            of_outcome: Any = 0.0
            if shared:
                cell = pt.zeros(design.participants * (1 + len(design.wave)))
                of_cells = [cell + group_variables.declared_of_cells(levels, known) for levels in shared]
                linear = linear + pt.concatenate(of_cells[:-1])
                of_outcome = of_cells[-1].reshape((design.participants, -1))[:, 1:].ravel()
            drawn = [declare_mediator(place, linear, values, design, known) for place in range(plan.mediators)]
            pool = pt.concatenate([*drawn, declare_missing(linear, values, design, plan, known), pt.zeros(1)])
            _outcome(values, design, plan, known, (totals[1], traits[1], of_outcome), pool, linear)
        return model

    def data(self, design: Design) -> dict[str, np.ndarray]:
        """Arms, covariates, mediators' scales, and which cells each equation reads."""
        layout = design.mediators
        found = {"arm": design.arm, "mediator_arm": np.tile(design.arm, (layout.count, 1))}
        if layout.of_kind("binary", "share"):  # continuous ones are centred and scaled already
            found |= {"mediator_centre": layout.centre, "mediator_scale": layout.scale}
        if design.covariate:
            found["covariates"] = design.covariates.T
        if design.exposed:
            found["offset"] = design.offset_grid
        if design.groups:
            found |= group_variables.equation_data(design.groups)
        return found | cells(design).indices

    def observed(self, design: Design) -> dict[str, np.ndarray]:
        """Outcomes and mediators."""
        return cells(design).observed

    def _streams(self, seed: int) -> np.random.SeedSequence:
        return np.random.SeedSequence([seed, 3])

    def traits_of_new(self, draws: xr.Dataset, design: Design, rng: np.random.Generator) -> dict[str, tuple]:
        """Traits of new participants, of the mediators and the outcome."""
        return forward.traits_of_new(draws, design, rng)

    def predictor(self, draws: xr.Dataset, design: Design) -> np.ndarray:
        """Given traits and mediators."""
        values = forward.values_of(draws)
        read = forward.mediators_read(values, design)
        return forward.outcome_predictor(values, design, read, values.get("trait", 0.0))

    def predictor_of_new(self, draws: xr.Dataset, design: Design, rng: np.random.Generator) -> np.ndarray:
        """With mediators drawn anew."""
        return forward.drawn_for_new(draws, design, rng)

    def simulated(self, truth: xr.Dataset, design: Design, rng: np.random.Generator) -> Design:
        """The same trial with mediators and outcomes of new participants (`forward.simulated`)."""
        return forward.simulated(truth, design, rng)

    def total_log_likelihood(self, draws: xr.Dataset, design: Design) -> np.ndarray:
        """Of the outcomes, given traits and mediators, and of the observed mediators."""
        return super().total_log_likelihood(draws, design) + forward.mediator_log_likelihood(draws, design)

    def completed(self, draws: xr.Dataset, design: Design, seed: int) -> xr.Dataset:
        """The draws with mediators that were summed out, drawn (`forward.completed`)."""
        return forward.completed(super().completed(draws, design, seed), design, seed)

    def lacking(self, design: Design) -> str:
        """Why there is no mediator to model; empty where there is one."""
        if design.mediators.count:
            return ""
        return " ".join(design.mediators.left_out.values()) or "The study file names no mediator."

    def notes(self, design: Design) -> tuple[str, ...]:
        """Those of the mediators too."""
        return (*design.notes, *design.mediators.notes)


def _scores(values: Mapping[str, Any], design: Design, known: Mapping[str, Any]) -> tuple[Any, Any]:
    """Weighted covariates of the mediators (mediator, participant) and of the outcome (participant,)."""
    if not design.covariate:
        return pt.zeros((design.mediators.count, design.participants)), pt.zeros(design.participants)
    return tuple(predictors.covariate_score(values[name], known["covariates"]) for name in ("mediator_gamma", "gamma"))


def _traits(values: Mapping[str, Any], design: Design, totals: tuple[Any, Any]) -> tuple[Any, Any]:
    """Traits of the mediators (mediator, participant) and of the outcome (participant,), 0 where there is none.

    One after the other in the order of `trait_form`, each given those before it: as a multiple of what is left of its
    SD, or, where the data pin it down, as the participant's level itself. The posterior does not depend on which.
    """
    layout, lasts = design.mediators, lasting(design)
    mediators, outcome = [pt.zeros(design.participants)] * layout.count, pt.zeros(design.participants)
    if lasts or design.has_trait:
        rows = _in_form(values, design, totals)
        if lasts:
            drawn = pm.Deterministic("mediator_trait", rows[: len(lasts)], dims=("lasting_mediator", "participant"))
            mediators = [
                drawn[lasts.index(place)] if place in lasts else mediators[place] for place in range(layout.count)
            ]
        if design.has_trait:
            outcome = pm.Deterministic("trait", rows[len(lasts)], dims="participant")
    return pt.stack(mediators), outcome


def _in_form(values: Mapping[str, Any], design: Design, totals: tuple[Any, Any]) -> Any:
    """Lasting mediators' traits and then the outcome's, (equation, participant), sampled as `trait_form` says."""
    scales = [values["mediator_tau"][k] for k in range(len(lasting(design)))]
    levels = [values["mediator_mu_0"][place] + totals[0][place] for place in lasting(design)]
    if design.has_trait:
        scales, levels = [*scales, values["tau"]], [*levels, values["mu_0"] + totals[1]]
    order, centred = trait_form(design)
    full = [
        [*row, *[0.0] * (order.size - len(row))]
        for row in predictors.correlation_root(values.get("partial_correlation"), order.size)
    ]
    # each equation's row of the root, in the order of sampling; of their products the root anew
    turned = [full[place] for place in order]
    root = predictors.root_of(
        [[sum(a * b for a, b in zip(one, other, strict=True)) for other in turned] for one in turned]
    )
    rows: dict[int, Any] = {}
    standard: list[Any] = []
    for k, place in enumerate(order):
        name, level, left = f"trait {k + 1}{STANDARD}", levels[place], scales[place] * root[k][-1]
        before = scales[place] * sum((weight * z for weight, z in zip(root[k], standard, strict=False)), pt.zeros(1))
        if centred[k]:
            rows[place] = pm.Normal(name, mu=level + before, sigma=left, dims="participant") - level
            standard.append((rows[place] - before) / left)
        else:
            standard.append(pm.Normal(name, dims="participant"))
            rows[place] = before + left * standard[-1]
    return pt.stack([rows[place] for place in range(order.size)])


def _mediator_grid(values: Mapping[str, Any], design: Design, known: Mapping[str, Any], total: Any, trait: Any) -> Any:
    """Each mediator on its link scale, flat over (mediator, participant, 1 + wave)."""
    level, effect = mediator_terms(values, design)
    arm = known["mediator_arm"][:, :, None]
    return predictors.predictor(
        level[:, None, :], effect[:, None, :], arm, total[:, :, None], trait[:, :, None]
    ).ravel()


def _outcome(
    values: Mapping[str, Any],
    design: Design,
    plan: Cells,
    known: Mapping[str, Any],
    own: tuple[Any, Any, Any],
    pool: Any,
    linear: Any,
) -> None:
    """The outcome of cells whose mediators are known or latent, and the likelihood of those where one is summed out."""
    level, effect = wave_terms(values, design)
    total, trait, of_groups = own
    grid = predictors.predictor(level, effect, known["arm"][:, None], total[:, None], trait[:, None]).ravel()
    if design.exposed:
        grid = grid + known["offset"].ravel()
    if design.groups:
        grid = grid + of_groups
    sources, differing = acting(design), interacting(design)
    acts = (known["arm"][:, None] * design.follows).ravel()

    def added(taken: Mapping[int, Any], arm: Any) -> Any:
        rows, some = [taken[place] for place in sources], [taken[place] for place in differing]
        return predictors.mediated(values["slope"], values.get("interaction"), arm, rows, some)

    cell = known["cell_of"]
    predictor = grid[cell]
    if sources:
        taken = {place: pool[known[f"source of {design.mediators.name[place]}"]] for place in sources}
        predictor = predictor + added(taken, acts[cell])
    of_cells = dispersions(values, design, known["arm"][:, None], np.arange(len(design.wave)))
    spread = pt.broadcast_to(of_cells, (design.participants, len(design.wave))).ravel()
    design.family.variable(predictor, spread[cell])
    if plan.incomplete:
        cell = known["incomplete_cell_of"]
        likely = incomplete_log_likelihood(
            design,
            plan,
            known,
            values,
            pool,
            linear,
            (grid[cell][:, None], spread[cell][:, None]),
            lambda taken: added(taken, acts[cell][:, None]),
        )
        pm.Potential("outcome_where_a_mediator_is_summed_out", likely)
