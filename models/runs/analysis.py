"""The main job, from a checked trial to everything a report needs: fit, derive, check. Nothing is written here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pandas as pd
import xarray as xr

from models.checks import path_checks, predictive, settling
from models.checks.checked import Checked
from models.checks.gate_table import Gate
from models.design.layout import Design
from models.equations.groups import OWN
from models.estimands import given_control, model_free
from models.estimands.answers import Answers
from models.estimands.tables import as_group
from models.inference import nuts
from models.inference.fitted import Specification
from models.runs import arviz_groups

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
    sampler: nuts.Sampler

    def agreeing(self, first: Verdict) -> Verdict:
        """The same, its gate with the check that another model's fit gives the same primary difference."""
        rows = [each.table[each.table.primary].iloc[0] for each in (first, self)]
        return replace(self, gate=Gate((*self.gate.checks, path_checks.coherence(*rows))))


@dataclass(frozen=True)
class Analysis:
    """What one fit gave.

    Attributes
    ----------
    answers : Answers
        The fit, and what was asked of it.
    tree : DataTree
        The groups of `run.nc` (MODEL.md, "What a run holds").
    verdict : Verdict
        Its gate, table and notes.
    """

    answers: Answers
    tree: xr.DataTree
    verdict: Verdict

    def noting(self, note: str) -> Analysis:
        """The same with one more limitation to print."""
        return replace(self, verdict=replace(self.verdict, notes=(*self.verdict.notes, note)))

    def with_groups(self, groups: Mapping[str, xr.Dataset]) -> Analysis:
        """The same with more groups."""
        return replace(self, tree=self.tree.assign({name: xr.DataTree(group) for name, group in groups.items()}))

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
    asked: Specification,
    *,
    data_unchanged: Callable[[], bool] = lambda: True,
    say: nuts.Say = lambda _: None,
    progress: nuts.Progress | None = None,
) -> Analysis:
    """Fit one model to one trial and derive everything from it.

    Parameters
    ----------
    asked : Specification
        What to fit.
    data_unchanged : callable
        Asked at the end whether the data file is still the one that was read.
    say, progress : callable
        Told of each step, and of the sampler's progress.

    Raises
    ------
    SamplerFailed
        If there is no usable posterior.
    """
    settled = settling.until_settled(asked, say, progress)
    found = derive(settled.answers, data_unchanged=data_unchanged, say=say)
    if not settled.reasons:
        return found
    sampler = settled.answers.fit.sampler
    return found.noting(LONGER.format(chains=sampler.chains, draws=sampler.draws, why=", and ".join(settled.reasons)))


def derive(
    answers: Answers, *, data_unchanged: Callable[[], bool] = lambda: True, say: nuts.Say = lambda _: None
) -> Analysis:
    """Everything after sampling: estimands, prior, predictive checks, sensitivity, gate. Arguments as `analyse`."""
    say("deriving estimands")
    checked = Checked(answers)
    groups = _answered(answers) | _checked(checked, say)
    verdict = Verdict(checked.gate(data_unchanged()), answers.table, checked.notes, answers.fit.sampler)
    return Analysis(answers, xr.DataTree.from_dict(groups), verdict)


def _answered(answers: Answers) -> dict[str, xr.Dataset]:
    """Groups of the data, the draws and what was asked of them."""
    fit = answers.fit
    found = {
        "posterior": fit.posterior,
        "sample_stats": fit.sample_stats,
        "estimands": answers.contrasts,
        "trial": _anonymous(fit.trial).assign(held=_held(fit.trial, fit.design)),
        **arviz_groups.data(fit.trial, fit.design),
        "summary": as_group(answers.table),
        "prior": answers.prior.drop_vars(["trait", "mediator_trait", *OWN], errors="ignore"),
        "prior_estimands": answers.prior_contrasts,
    }
    if answers.paths.values:
        found["path_estimands"] = answers.paths.values
    if answers.prior_paths.values:
        found["prior_path_estimands"] = answers.prior_paths.values
    if not fit.model.mediated:
        found["prior_given_control"] = given_control.differences(fit, answers.prior)
    return found


def _checked(checked: Checked, say: nuts.Say) -> dict[str, xr.Dataset]:
    """Groups of the checks."""
    answers, fit = checked.answers, checked.fit
    say("checking")
    found = {
        "predictive_checks": as_group(checked.compared),
        "patterns": as_group(predictive.patterns(checked.replicates, checked.part)),
        "power_scaling": as_group(checked.power),
        "model_free": as_group(model_free.compare(fit.study, fit.trial, fit.design, answers.table)),
        "posterior_predictive": arviz_groups.posterior_predictive(
            checked.replicates, checked.thin, checked.part, checked.kept
        ),
        "log_prior": checked.log_prior,
    }
    if answers.prior_paths.values and checked.power_of_paths is not None:
        found["path_power_scaling"] = as_group(checked.power_of_paths)
    if checked.pointwise is not None:
        found["log_likelihood"] = arviz_groups.log_likelihood(checked.pointwise, fit.posterior, fit.design)
    if checked.loo is not None:
        found["loo"] = checked.loo
    if checked.mediator_pit.sizes:
        found["mediator_pit"] = checked.mediator_pit
    return found


def _held(trial: xr.Dataset, layout: Design) -> xr.DataArray:
    """Where a controlled direct effect holds each mediator, in its own unit; NaN for one that the model leaves out."""
    known = xr.DataArray(layout.mediators.reference, {"mediator": list(layout.mediators.name)}, "mediator")
    return known.reindex(mediator=trial["mediator"])


def _anonymous(trial: xr.Dataset) -> xr.Dataset:
    """The trial without identifiers: participants are numbered."""
    return trial.drop_vars("participant")
