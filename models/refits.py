"""The primary question again: under other priors, of complete cases, with random slopes, of other outcomes.

Every refit is the product's own model, sampler and estimands on changed input; fits of one shape share a compilation.
MODEL.md, "Refits and recovery".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import ModuleType

import numpy as np
import pandas as pd
import xarray as xr

from models import effect, estimands, fit, ledger, random_slopes, summary
from models.design import Design, design
from models.faults import SamplerFailed
from models.study import Study
from priors import prior_set
from priors.prior_set import PriorSet

VARIANTS: Mapping[str, ModuleType] = {effect.NAME: random_slopes}
"""Models that are refitted, each with the richer one that is tried beside it."""
SCALES = (0.5, 2.0)
"""By which every prior SD is multiplied."""
PRIOR_DRAWS = 2000
TUNE, DRAWS, CHAINS = 500, 1000, 2
"""Of a refit: enough for a median and an interval to a few hundredths of a posterior SD; their errors stand beside."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Refit:
    """One changed analysis, or why it is not run.

    Attributes
    ----------
    kind, name : str
        What is changed ("priors", "participants", "model" or "outcome"), and into what.
    study, trial : Study, Dataset
        The primary outcome is the one that is analysed.
    model, priors : module, PriorSet
        As for the main fit.
    among : ndarray of bool, (participant,)
        Whose outcomes are used, and over whom is averaged.
    reason : str
        Why it is not run; empty where it is.
    """

    kind: str
    name: str
    study: Study
    trial: xr.Dataset
    model: ModuleType
    priors: PriorSet
    among: np.ndarray
    reason: str = ""


def planned(study: Study, trial: xr.Dataset, model: ModuleType, priors: PriorSet) -> list[Refit]:
    """Every refit of a fit, in the order of the report."""
    everybody = np.ones(trial.sizes["participant"], bool)
    first = Refit("priors", priors.name, study, trial, model, priors, everybody)
    found = []
    for others in _other_priors(priors):
        found.append(replace(first, name=others.name, priors=others))
    found.append(_complete_cases(replace(first, kind="participants", name="complete cases")))
    variant = VARIANTS[model.NAME]
    richer = replace(first, kind="model", name=variant.NAME, model=variant)
    found.append(replace(richer, reason=_lacking(variant, design(study, trial), priors)))
    for outcome in study.further_outcomes:
        other = study.model_copy(update={"outcome": outcome, "further_outcomes": (), "mediators": ()})
        values = trial.assign(outcome=trial["further_outcome"].sel(further=outcome.column, drop=True))
        blank = bool(values["outcome"].isnull().all())
        nobody = estimands.unobserved(study, values, study.primary_wave)
        reason = "nobody has a value of it." if blank else f"{nobody[:1].lower()}{nobody[1:]}"
        found.append(replace(first, kind="outcome", name=outcome.column, study=other, trial=values, reason=reason))
    return found


def _other_priors(priors: PriorSet) -> list[PriorSet]:
    """The sets that ship and the scaled ones, but for any that says the same as another."""
    candidates = [prior_set.load(name) for name in prior_set.shipped()]
    candidates += [priors.scaled(factor) for factor in SCALES]
    kept: list[PriorSet] = []
    for candidate in candidates:
        if all(_numbers(candidate) != _numbers(known) for known in (priors, *kept)):
            kept.append(candidate)
    return kept


def _numbers(priors: PriorSet) -> dict[str, tuple]:
    used = ("mu_0", "step", "theta", "theta_negative_control", "gamma", "tau", "dispersion", "residual_sd")
    rows = {name: priors.priors[name] for name in used if name in priors.priors}
    return {name: (row.distribution, *sorted(row.arguments.items())) for name, row in rows.items()}


def _complete_cases(refit: Refit) -> Refit:
    complete = refit.trial["outcome"].notnull().all("wave").to_numpy()
    arms = refit.trial["arm"].to_numpy()
    if complete.all():
        return replace(refit, reason="nobody lacks an outcome, so that it is the main analysis.")
    if any((complete & (arms == arm)).sum() < 2 for arm in (0, 1)):
        return replace(refit, reason="fewer than two participants of an arm have every outcome.")
    return replace(refit, among=complete)


def _lacking(model: ModuleType, layout: Design, priors: PriorSet) -> str:
    return model.lacking(layout) or priors.lacking(*model.dimensions(layout))


def run(refits: list[Refit], sampler: fit.Sampler, compiled: fit.Compiled, say: Say = lambda _: None) -> pd.DataFrame:
    """Fit them.

    Parameters
    ----------
    refits : list of Refit
        From `planned`.
    sampler : Sampler
        Its seed and target; iterations are `CHAINS` × (`TUNE` + `DRAWS`).
    compiled : Compiled
        Compilations to share.
    say : callable
        Told of each.

    Returns
    -------
    DataFrame
        Rows of `summary.summarise` for the population averages, with kind, name, column and outcome (label) of what
        was analysed, participants, divergences, why (of the priors) and reason (why it was not run; then one row
        without numbers).
    """
    rows = []
    for refit in refits:
        outcome = refit.study.outcome
        what: dict[str, object] = {
            "kind": refit.kind,
            "name": refit.name,
            "column": outcome.column,
            "outcome": outcome.label,
        }
        what |= {"why": refit.priors.why if refit.kind == "priors" else "", "participants": int(refit.among.sum())}
        if refit.reason:
            rows.append(pd.DataFrame([what | {"reason": refit.reason, "estimand": ""}]))
            continue
        say(f"refitting: {refit.name}")
        try:
            table, divergences = _fitted(refit, sampler, compiled)
        except SamplerFailed as error:
            rows.append(pd.DataFrame([what | {"reason": f"its fit failed: {error}", "estimand": ""}]))
            continue
        rows.append(table.assign(**what, divergences=divergences))
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()


def _fitted(refit: Refit, sampler: fit.Sampler, compiled: fit.Compiled) -> tuple[pd.DataFrame, int]:
    used = refit.trial.assign(outcome=refit.trial["outcome"].where(xr.DataArray(refit.among, dims="participant")))
    layout = design(refit.study, used)
    quick = replace(sampler, draws=DRAWS, tune=TUNE, chains=CHAINS)
    tree = fit.sample(compiled.refit(refit.model, layout, refit.priors), quick, cores=1)  # the other fit is not to wait
    # who has no outcome leaves the likelihood alone: only the average must leave them out
    over = replace(layout, covariates=layout.covariates[refit.among], arm=layout.arm[refit.among])
    draws = tree["posterior"].to_dataset()
    found = [_estimates(part, refit, over, used) for part in (draws, _prior(refit, layout, sampler.seed))]
    table = summary.summarise(ledger.with_prior(*found), refit.study)
    return table[table["average"] == estimands.POPULATION], int(tree["sample_stats"]["diverging"].sum())


def _prior(refit: Refit, layout: Design, seed: int) -> xr.Dataset:
    drawn: xr.Dataset = refit.model.prior(layout, refit.priors, PRIOR_DRAWS, seed)
    return drawn


def _estimates(draws: xr.Dataset, refit: Refit, over: Design, used: xr.Dataset) -> list[ledger.Estimate]:
    draws = draws.drop_vars("trait", errors="ignore")
    levels = refit.model.response(draws, over, (estimands.POPULATION,))
    every = estimands.estimates(estimands.contrasts(levels, refit.study), refit.study, used)
    return [each for each in every if each.draws is not None]
