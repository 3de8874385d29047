"""The primary question again: under other priors, of complete cases, with random slopes, of other outcomes.

Every refit is the product's own model, sampler and estimands on changed input.
MODEL.md, "Refits and recovery".
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import singledispatch

import numpy as np
import pandas as pd
import xarray as xr

from models.checks import outcome_checks
from models.checks.gate_table import Status
from models.design.layout import Design
from models.equations import groups
from models.equations.effect import Effect
from models.equations.model import Model
from models.equations.random_slopes import RandomSlopes
from models.estimands import estimands, ledger, summary
from models.estimands.response import response
from models.faults import SamplerFailed
from models.inference import effort, nuts
from models.inference.fitted import Specification
from models.trial.study_file.study import Outcome
from priors import prior_set
from priors.prior_set import PriorSet

SCALES = (0.5, 2.0)
"""By which every prior SD is multiplied."""
BETWEEN_GROUPS = "spread between groups"
"""What is multiplied in the name of a prior set, where it is that alone."""


@singledispatch
def richer(model: Model) -> Model | None:  # noqa: ARG001 - chosen by its class
    """The model that is tried beside one whose primary question is asked again; None where it is not."""
    return None


@richer.register
def _with_slopes(_: Effect) -> Model | None:
    return RandomSlopes()


@dataclass(frozen=True)
class Refit:
    """One changed analysis, or why it is not run.

    Attributes
    ----------
    kind, name : str
        What is changed ("priors", "participants", "model" or "outcome"), and into what.
    fitted : Specification
        The primary outcome of its study is the one that is analysed.
    among : ndarray of bool, (participant,)
        Whose outcomes are used, and over whom is averaged.
    reason : str
        Why it is not run; empty where it is.
    """

    kind: str
    name: str
    fitted: Specification
    among: np.ndarray
    reason: str = ""


def planned(fitted: Specification) -> list[Refit]:
    """Every refit of a fit, in the order of the report."""
    study, trial = fitted.study, fitted.trial
    everybody = np.ones(trial.sizes["participant"], bool)
    first = Refit("priors", fitted.priors.name, fitted, everybody)
    found = [
        replace(first, name=others.name, fitted=replace(fitted, priors=others)) for others in _other_priors(fitted)
    ]
    found.append(_complete_cases(replace(first, kind="participants", name="complete cases")))
    if variant := richer(fitted.model):
        reason = variant.lacking(fitted.design) or fitted.priors.lacking(*variant.dimensions(fitted.design))
        richest = replace(fitted, model=variant)
        found.append(replace(first, kind="model", name=variant.name, fitted=richest, reason=reason))
    return [*found, *(_of_outcome(outcome, first) for outcome in study.further_outcomes)]


def _of_outcome(outcome: Outcome, first: Refit) -> Refit:
    """The primary question asked of another outcome."""
    study = first.fitted.study
    other = study.model_copy(update={"outcome": outcome, "further_outcomes": (), "mediators": ()})
    trial = first.fitted.trial
    values = trial.assign(outcome=trial["further_outcome"].sel(further=outcome.column, drop=True))
    blank = bool(values["outcome"].isnull().all())
    nobody = estimands.unobserved(study, values, study.primary_wave)
    reason = "nobody has a value of it." if blank else f"{nobody[:1].lower()}{nobody[1:]}"
    fitted = replace(first.fitted, study=other, trial=values)
    return replace(first, kind="outcome", name=outcome.column, fitted=fitted, reason=reason)


def _other_priors(fitted: Specification) -> list[PriorSet]:
    """The sets that ship and the scaled ones, but for any that says the same as another.

    Where an arm has few groups that were randomised their spread is known from its prior: it is scaled alone too.
    """
    priors, few = fitted.priors, outcome_checks.groups(fitted.design)
    candidates = [prior_set.load(name) for name in prior_set.shipped()]
    candidates += [priors.scaled(factor) for factor in SCALES]
    if any(check.status is not Status.GREEN for check in few):
        candidates += [priors.scaled(factor, groups.dimensions(fitted.design), BETWEEN_GROUPS) for factor in SCALES]
    kept: list[PriorSet] = []
    used = fitted.model.dimensions(fitted.design)
    for candidate in candidates:
        if all(_numbers(candidate, used) != _numbers(known, used) for known in (priors, *kept)):
            kept.append(candidate)
    return kept


def _numbers(priors: PriorSet, used: Collection[str]) -> dict[str, tuple]:
    rows = {name: priors.priors[name] for name in used if name in priors.priors}
    return {name: (row.distribution, *sorted(row.arguments.items())) for name, row in rows.items()}


def _complete_cases(refit: Refit) -> Refit:
    complete = refit.fitted.trial["outcome"].notnull().all("wave").to_numpy()
    arms = refit.fitted.trial["arm"].to_numpy()
    if complete.all():
        return replace(refit, reason="nobody lacks an outcome, so that it is the main analysis.")
    if any((complete & (arms == arm)).sum() < 2 for arm in (0, 1)):
        return replace(refit, reason="fewer than two participants of an arm have every outcome.")
    return replace(refit, among=complete)


def run(refits: list[Refit], say: nuts.Say = lambda _: None) -> pd.DataFrame:
    """Fit them: each with its own seed and target, and the iterations of `effort.REFIT`.

    Parameters
    ----------
    refits : list of Refit
        From `planned`.
    say : callable
        Told of each.

    Returns
    -------
    DataFrame
        Rows of `summary.summarise` for the population averages, with kind, name, column and outcome (label) of what
        was analysed, participants, divergences, why (of the priors), ships and informed (whether they do, and are) and
        reason (why it was not run; then one row without numbers).
    """
    rows = []
    for refit in refits:
        outcome = refit.fitted.study.outcome
        what: dict[str, object] = {
            "kind": refit.kind,
            "name": refit.name,
            "column": outcome.column,
            "outcome": outcome.label,
        }
        what |= {
            "why": refit.fitted.priors.why if refit.kind == "priors" else "",
            "participants": int(refit.among.sum()),
        }
        what |= {"ships": refit.fitted.priors.name in prior_set.shipped(), "informed": refit.fitted.priors.informed}
        if refit.reason:
            rows.append(pd.DataFrame([what | _without(refit.reason)]))
            continue
        say(f"refitting: {refit.name}")
        try:
            table, divergences = _fitted(refit)
        except SamplerFailed as error:
            rows.append(pd.DataFrame([what | _without(f"its fit failed: {error}")]))
            continue
        rows.append(table.assign(**what, divergences=divergences))
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()


def _without(reason: str) -> dict[str, object]:
    """What stands in place of estimates where there are none."""
    return {"reason": reason, "estimand": "", "primary": False}


def _fitted(refit: Refit) -> tuple[pd.DataFrame, int]:
    fitted, among = refit.fitted, refit.among
    used = fitted.trial.assign(outcome=fitted.trial["outcome"].where(xr.DataArray(among, dims="participant")))
    fitted = fitted.of_trial(used)
    fit = fitted.refitted(replace(fitted.sampler, **effort.REFIT))
    prior = fit.model.prior(fit.design, fit.priors, effort.REFIT_PRIOR, fit.sampler.seed)
    # who has no outcome leaves the likelihood alone: only the average must leave them out
    over = replace(fit.design, covariates=fit.design.covariates[among], arm=fit.design.arm[among])
    found = [_estimates(draws, fitted, over) for draws in (fit.posterior, prior)]
    table = summary.summarise(ledger.with_prior(*found), fit.study)
    return table[table["average"] == estimands.POPULATION], fit.divergences


def _estimates(draws: xr.Dataset, fitted: Specification, over: Design) -> list[ledger.Estimate]:
    levels = response(fitted.model, draws.drop_vars("trait", errors="ignore"), over, (estimands.POPULATION,))
    contrasts = estimands.contrasts(levels, fitted.study)
    return [each for each in estimands.estimates(contrasts, fitted.study, fitted.trial) if each.draws is not None]
