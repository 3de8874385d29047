"""Checks of the gate on what the model makes of the outcome: spreads, zeros, means, and the size of the answer."""

from __future__ import annotations

from functools import singledispatch

import numpy as np
import xarray as xr

from models.checks import count_means, proportion, spread_checks, zero_inflation
from models.checks.gate_limits import limited, unneeded
from models.checks.gate_table import Check, CheckName, Status
from models.design.layout import ARM_CODES, Design
from models.equations.effect import Effect
from models.equations.model import Model
from models.estimands.answers import Answers
from models.trial import data_check, missing_codes
from models.trial.data_check import Finding
from models.trial.study_file.study import ARMS, Study

CONTINUOUS, COUNTED = "A check of continuous outcomes.", "A check of counts."
BOTH_ARMS = "both arms"


def before(study: Study, trial: xr.Dataset) -> tuple[Finding, ...]:
    """What the data say before any fit: findings, and extremes that are asked about, which leave no page green."""
    asked = (Finding("repeated extremes", each, "amber") for each in missing_codes.questions(study, trial))
    return (*data_check.findings(study, trial), *asked)


def data(found: tuple[Finding, ...]) -> Check:
    """What the data check found before any fit; notes are told elsewhere."""
    serious = [each for each in found if each.status != "note"]
    worst = max((Status(each.status) for each in serious), key=lambda status: status.rank, default=Status.GREEN)
    kinds = tuple({"finding": kind} for kind in dict.fromkeys(each.kind for each in serious))
    return Check(CheckName.DATA, len(serious), None, kinds, worst, remarks=tuple(each.message for each in serious))


def spreads(replicates: np.ndarray, design: Design) -> Check:
    """Standard deviations of a continuous outcome, of which the model has one for every wave and both arms.

    Above 1 one lies outside the band that holds all of them in 99.5% of trials.
    """
    if not design.family.standardised or design.outcome.size < spread_checks.FEWEST:
        return unneeded(CheckName.SPREADS, CONTINUOUS)
    found = spread_checks.widest(replicates, design)
    if found is None:
        return unneeded(CheckName.SPREADS, "No arm has enough values at any wave.")
    figures = {"observed": found.observed, "lower": found.lower, "upper": found.upper}
    return limited(CheckName.SPREADS, found.fold, {"arm": found.arm, "wave": found.wave}, figures=figures)


def groups(design: Design) -> tuple[Check, ...]:
    """Groups that were randomised, of the arm that has fewer; nothing where participants were."""
    if design.groups.randomised is None:
        return ()
    member = design.groups.member[design.groups.randomised]
    many = {name: np.unique(member[design.arm == code]).size for name, code in zip(ARMS, ARM_CODES, strict=True)}
    fewer = min(many, key=lambda name: many[name])
    return (limited(CheckName.GROUPS, many[fewer], {"arm": fewer}, figures=dict(many)),)


def zeros(design: Design, seed: int) -> Check:
    """Zeros of a count, beside those of a zero-inflated model: twice the log likelihood ratio."""
    if not design.family.counted or not (design.outcome == 0).any():
        return unneeded(CheckName.ZEROS, COUNTED)
    found = zero_inflation.ratio(design, seed)
    return limited(CheckName.ZEROS, found.value, figures={found.kind: found.share})


@singledispatch
def alone(model: Model, answers: Answers) -> tuple[Check, ...]:  # noqa: ARG001 - chosen by the model's class
    """Checks of a model whose equation of the outcome holds no mediators: it can be held against regressions.

    Parameters
    ----------
    model : Model
        The fitted one.
    answers : Answers
        Of its fit.
    """
    return ()


@alone.register
def _of_effect(model: Effect, answers: Answers) -> tuple[Check, ...]:
    fit = answers.fit
    return (
        means(model, fit.posterior, fit.design),
        *in_proportion(answers.levels, answers.prior_levels, fit.study, fit.trial, fit.design),
    )


def means(model: Effect, posterior: xr.Dataset, design: Design) -> Check:
    """Modelled mean counts beside the crude ones."""
    if not design.family.counted:
        return unneeded(CheckName.MEANS, COUNTED)
    table = count_means.compare(model.predictor, posterior, design)
    worst = table.loc[table["errors"].abs().idxmax()]
    figures = {"expected": float(worst.expected), "observed": float(worst.observed)}
    where = {"arm": worst.arm or BOTH_ARMS, "wave": worst.wave}
    return limited(CheckName.MEANS, abs(worst.errors), where, figures=figures)


def in_proportion(
    posterior: xr.DataArray, prior: xr.DataArray, study: Study, trial: xr.Dataset, design: Design
) -> tuple[Check, Check]:
    """Width and place of the primary effect beside a robust estimate; for the effect model, whose `theta` is it all."""
    found = proportion.compare(posterior, prior, study, trial, design)
    width = CheckName.WIDTH_OF_COUNTS if design.family.counted else CheckName.WIDTH
    if isinstance(found, str):
        why = f"There is no robust estimate to compare with: {found}."
        return unneeded(width, why), unneeded(CheckName.PLACE, why)
    where = {"variable": "theta", "wave": study.primary_wave}
    factor = max(found.ratio, 1 / found.ratio)
    return (
        limited(width, factor, where, figures={"ratio": found.ratio}),
        limited(CheckName.PLACE, abs(found.apart), where),
    )
