"""The main job, from a checked trial to everything a report needs: fit, derive, check. Nothing is written here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import ModuleType

import numpy as np
import pandas as pd
import xarray as xr

from models import (
    estimands,
    fit,
    gate,
    given_control,
    integrated,
    leave_one_out,
    ledger,
    model_free,
    outcome_checks,
    path_checks,
    path_estimates,
    predictive,
    registry,
    sensitivity,
    settling,
    summary,
)
from models.design import Design, design
from models.gate_table import Check, Gate
from models.groups import as_group
from models.histories import grouping
from models.likelihoods import cell_log_probability
from models.settling import Say
from models.study import Study
from priors.prior_set import PriorSet

PRIOR_DRAWS = 8000
PATH_PRIOR_DRAWS = 1000
"""Of the prior of path estimands, which cost more: their interval is known to about 4% of its width."""
LONGER = "Sampling went on to {chains} × {draws:,} draws: with fewer, {why}."


@dataclass(frozen=True)
class Verdict:
    """What is needed of a fit once its draws are saved.

    Attributes
    ----------
    gate : Gate
        The verdict on the computation.
    table : DataFrame
        `summary.summarise`.
    notes : tuple of str
        Named limitations.
    sampler : Sampler
        Settings with which it was sampled in the end.
    """

    gate: Gate
    table: pd.DataFrame
    notes: tuple[str, ...]
    sampler: fit.Sampler

    def agreeing(self, first: Verdict) -> Verdict:
        """The same, its gate with the check that another model's fit gives the same primary difference."""
        rows = [each.table[each.table.primary].iloc[0] for each in (first, self)]
        return replace(self, gate=Gate((*self.gate.checks, path_checks.coherence(*rows))))


@dataclass(frozen=True)
class Analysis:
    """What one fit gave.

    Attributes
    ----------
    core, checks : DataTree
        The groups of `core.nc` and `checks.nc` (MODEL.md, "What a run holds").
    verdict : Verdict
        Its gate, table and notes.
    """

    core: xr.DataTree
    checks: xr.DataTree
    verdict: Verdict

    def noting(self, note: str) -> Analysis:
        """The same with one more limitation to print."""
        return replace(self, verdict=replace(self.verdict, notes=(*self.verdict.notes, note)))

    def with_checks(self, groups: Mapping[str, xr.Dataset]) -> Analysis:
        """The same with more groups of `checks.nc`."""
        return replace(self, checks=self.checks.assign({name: xr.DataTree(group) for name, group in groups.items()}))

    @property
    def gate(self) -> Gate:
        """The verdict on the computation."""
        return self.verdict.gate

    @property
    def table(self) -> pd.DataFrame:
        """One row for each estimate."""
        return self.verdict.table

    @property
    def notes(self) -> tuple[str, ...]:
        """Named limitations."""
        return self.verdict.notes


def analyse(
    study: Study,
    trial: xr.Dataset,
    model: ModuleType,
    priors: PriorSet,
    sampler: fit.Sampler,
    *,
    data_unchanged: Callable[[], bool] = lambda: True,
    say: Say = lambda _: None,
    progress: fit.Progress | None = None,
    compiled: fit.Compiled | None = None,
) -> Analysis:
    """Fit one model to one trial and derive everything from it.

    Parameters
    ----------
    study, trial : Study, Dataset
        As read by `models.study.read` and `models.trial.load`.
    model : module
        One of `registry.MODELS`; nothing below asks which one it is.
    priors : PriorSet
        A row for every parameter of the model.
    sampler : Sampler
        Settings; its seed also seeds the prior and the replicates.
    data_unchanged : callable
        Asked at the end whether the data file is still the one that was read.
    say, progress : callable
        Told of each step, and of the sampler's progress.
    compiled : Compiled, optional
        Where the compiled model is kept for refits; none is kept without.

    Raises
    ------
    SamplerFailed
        If there is no usable posterior.
    """
    layout = design(study, trial)
    say("compiling the model")
    ready = compiled.model(model, layout, priors) if compiled else fit.Compiled().refit(model, layout, priors)
    say("sampling")
    sampled = settling.until_settled(ready, model, layout, study, sampler, say, progress)
    tree, sampler = sampled.tree, sampled.sampler
    found = derive(study, trial, model, layout, priors, sampler, tree, data_unchanged=data_unchanged, say=say)
    longer = LONGER.format(chains=sampler.chains, draws=sampler.draws, why=", and ".join(sampled.reasons))
    return found.noting(longer) if sampled.reasons else found


def derive(
    study: Study,
    trial: xr.Dataset,
    model: ModuleType,
    layout: Design,
    priors: PriorSet,
    sampler: fit.Sampler,
    tree: xr.DataTree,
    *,
    data_unchanged: Callable[[], bool] = lambda: True,
    say: Say = lambda _: None,
) -> Analysis:
    """Everything after sampling: estimands, prior, predictive checks, sensitivity, gate. Arguments as `analyse`."""
    posterior = model.completed(tree["posterior"].to_dataset(), layout, sampler.seed)
    found_before = outcome_checks.before(study, trial)
    say("deriving estimands")
    prior = model.prior(layout, priors, PRIOR_DRAWS if model.COUNTED else PATH_PRIOR_DRAWS, sampler.seed)
    possible = model.averages(prior, layout)
    averages = [name for name in model.averages(posterior, layout) if name in possible]
    levels = model.response(posterior, layout, averages)
    draws = estimands.contrasts(levels, study)
    prior_levels = model.response(prior, layout, averages)
    prior_draws = estimands.contrasts(prior_levels, study)
    order = [part.column for part in study.mediators]
    paths, prior_paths = model.path_draws(posterior, layout, order), model.path_draws(prior, layout, order)
    through = path_estimates.estimates(paths, study, trial, layout)
    through += path_estimates.training(through, levels, study, layout, priors, sampler.seed)
    offered = {row.wave for row in through if row.estimand == "change_training_share"}
    before = path_estimates.estimates(prior_paths, study, trial, layout)
    before += path_estimates.training(before, prior_levels, study, layout, priors, sampler.seed, offered)
    found = ledger.with_prior(
        [*estimands.estimates(draws, study, trial), *through],
        [*estimands.estimates(prior_draws, study, trial), *before],
    )
    contractions = summary.effect_contractions(levels, prior_levels, layout.likelihood)
    table = summary.summarise(found, study, path_estimates.tipping(through, study), contractions)
    say("checking")
    some, some_note = predictive.part(layout, sampler.seed)
    thin = predictive.thinned(posterior, some)
    replicates = predictive.replicate(model.predictor_of_new, thin, some, sampler.seed)
    compared = predictive.compare(replicates, some)
    pit = model.mediator_pit(posterior, layout, sampler.seed)
    pointwise, pointwise_note = _pointwise(model, posterior, layout)
    log_prior = model.log_prior(posterior, layout, priors)
    loo, loo_note = _leave_one_out(model, posterior, layout, priors, sampler, study)
    differences = draws[[name for name in summary.DIFFERENCES if name in draws]].sel(
        average=estimands.POPULATION, drop=True
    )
    total = _total(model, posterior, layout)
    power = sensitivity.power_scaling(differences, log_prior, total)
    alone = _alone(posterior, levels, prior_levels, study, trial, layout) if _integrable(model) else ()
    verdict = gate.gate(
        posterior,
        draws.merge(paths.flat),
        tree["sample_stats"].to_dataset(),
        (sampler.chains, sampler.draws),
        table,
        study.outcome.margin,
        None if loo is None else (int(loo["high"]), loo["pareto_k"].size),
        compared,
        power,
        data_unchanged(),
        summary.convergence,
        (
            *path_checks.checks(paths, table, pit),
            outcome_checks.data(found_before),
            outcome_checks.spreads(replicates, some),
            outcome_checks.zeros(layout, sampler.seed),
            *alone,
        ),
    )
    core = {
        "posterior": posterior,
        "sample_stats": tree["sample_stats"].to_dataset(),
        "estimands": draws,
        "observed_data": _anonymous(trial)[["outcome"]],
        "constant_data": _anonymous(trial).drop_vars("outcome"),
        "summary": as_group(table),
    }
    if paths.values:
        core["path_estimands"] = paths.values
    checks = {
        "predictive_checks": as_group(compared),
        "patterns": as_group(predictive.patterns(replicates, some)),
        "power_scaling": as_group(power),
        "model_free": as_group(model_free.compare(study, trial, layout, table)),
        "posterior_predictive": _cells({"outcome": (("chain", "draw", "observation"), replicates[None])}, some),
        "prior": prior.drop_vars(["trait", "mediator_trait"], errors="ignore"),
        "prior_estimands": prior_draws,
        "log_prior": log_prior,
    }
    if alone:
        checks["prior_given_control"] = given_control.differences(posterior, prior, model, layout, study)
    if prior_paths.values:
        checks["prior_path_estimands"] = prior_paths.values
        power_of_paths = sensitivity.path_scaling(paths, study.primary_wave, log_prior, total)
        if power_of_paths is not None:
            checks["path_power_scaling"] = as_group(power_of_paths)
    if pointwise is not None:
        checks["log_likelihood"] = _cells({"outcome": (("chain", "draw", "observation"), pointwise)}, layout)
    if loo is not None:
        checks["loo"] = loo
    if pit.sizes:
        checks["mediator_pit"] = pit
    notes = (
        *(each.message for each in found_before),
        *model.notes(layout),
        *model.computed(posterior, layout),
        *(note for note in (some_note, pointwise_note, loo_note) if note),
    )
    trees = xr.DataTree.from_dict(core), xr.DataTree.from_dict(checks)
    return Analysis(*trees, Verdict(verdict, table, notes, sampler))


def _pointwise(model: ModuleType, posterior: xr.Dataset, layout: Design) -> tuple[np.ndarray | None, str]:
    numbers = posterior.sizes["chain"] * posterior.sizes["draw"] * layout.outcome.size
    if numbers > leave_one_out.MOST_NUMBERS or "sample" not in model.averages(posterior, layout):
        return None, f"The pointwise log likelihood ({numbers:.1e} numbers) was too large to keep."
    return cell_log_probability(model.predictor(posterior, layout), posterior, layout).astype("float32"), ""


def _total(model: ModuleType, posterior: xr.Dataset, layout: Design) -> xr.DataArray:
    """Log likelihood of the whole trial at each draw, (chain, draw); a chain in pieces, to bound the memory."""
    length = posterior.sizes["draw"]
    pieces = np.array_split(np.arange(length), max(1, length * layout.outcome.size // leave_one_out.MOST_NUMBERS * 4))
    totals = [model.total_log_likelihood(posterior.isel(draw=piece), layout) for piece in pieces]
    whole = np.concatenate(totals, axis=1) + model.other_log_likelihood(posterior, layout)
    return xr.DataArray(whole, dims=("chain", "draw"))


def _leave_one_out(
    model: ModuleType, posterior: xr.Dataset, layout: Design, priors: PriorSet, sampler: fit.Sampler, study: Study
) -> tuple[xr.Dataset | None, str]:
    """How well whoever is left out is predicted, and whether anybody moves the answer; or why that is not told."""
    compiled = fit.Compiled()

    def difference(draws: xr.Dataset) -> np.ndarray:
        levels = model.response(draws, layout, (estimands.POPULATION,))
        return estimands.primary_difference(levels, study).to_numpy().ravel()

    def without(faster: ModuleType, gone: np.ndarray) -> leave_one_out.Refitted:
        rest = grouping.without(layout, gone)
        settings = replace(sampler, draws=1000, tune=500, chains=2)
        draws = fit.sample(compiled.model(faster, rest, priors), settings)["posterior"].to_dataset()
        few = leave_one_out.thinned(draws, columns)
        assert few is not None  # as of the fit itself
        return leave_one_out.Refitted(model.left_out(few, layout), float(difference(draws).mean()))

    try:
        columns = model.left_out(posterior.isel(draw=[0]), layout).count.size
        thin = leave_one_out.thinned(posterior, columns)
        if thin is None:
            return None, "Leave-one-out was not run: too many distinct histories for importance sampling in memory."
        faster = registry.MODELS[model.NAME].get(registry.INTEGRATED)
        refit = partial(without, faster) if faster else None
        units = model.left_out(thin, layout)
        return leave_one_out.leave_one_out(units, difference(thin), refit), ""
    except integrated.NodesExhausted as error:
        return None, f"Leave-one-out was not run: {error}"


def _integrable(model: ModuleType) -> bool:
    """Whether the trait can be integrated out of the outcome: no mediator stands in its equation."""
    return registry.INTEGRATED in registry.MODELS[model.NAME]


def _alone(
    posterior: xr.Dataset, levels: xr.DataArray, before: xr.DataArray, study: Study, trial: xr.Dataset, layout: Design
) -> tuple[Check, ...]:
    """Checks of a model whose equation of the outcome holds no mediators: it can be held against regressions."""
    return (
        outcome_checks.means(posterior, layout),
        *outcome_checks.in_proportion(levels, before, study, trial, layout),
    )


def _cells(variables: dict, layout: Design) -> xr.Dataset:
    """Variables over observed cells, labelled by arm and wave; never by participant."""
    arm = np.where(layout.arm[layout.participant_of] > 0, "treated", "control")
    wave = np.array(layout.wave)[layout.wave_of]
    return xr.Dataset(variables, {"arm": ("observation", arm), "wave": ("observation", wave)})


def _anonymous(trial: xr.Dataset) -> xr.Dataset:
    """The trial without identifiers: participants are numbered."""
    return trial.drop_vars("participant")
