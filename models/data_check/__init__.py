"""The data check: what a trial's data say against its analysis, before any fit. MODEL.md, "The data check"."""

from __future__ import annotations

import xarray as xr

from models.data_check import absorbing, alias, baseline, copies, groups, repeats, values
from models.data_check.finding import Finding
from models.faults import InvalidInput
from models.study import Study

__all__ = ["Finding", "findings", "refuse"]


CHECKS = (
    baseline.differences,
    values.findings,
    absorbing.findings,
    copies.findings,
    groups.findings,
    repeats.findings,
)


def findings(study: Study, trial: xr.Dataset) -> tuple[Finding, ...]:
    """Everything found, in the order of the checks; empty for most trials.

    Parameters
    ----------
    study, trial : Study, Dataset
        As `models.study.read` and `models.trial.load` return them.
    """
    return tuple(finding for check in CHECKS for finding in check(study, trial))


def refuse(study: Study, trial: xr.Dataset) -> None:
    """Refuse a trial that no fit can answer: before any is begun.

    Raises
    ------
    InvalidInput
        If an outcome never varies, or what is adjusted for determines the arm.
    """
    if faults := values.constant(study, trial):
        raise InvalidInput(
            "An outcome never varies.",
            f"Nothing can be compared in {study.data.file}:",
            "Check the column, its codes and [data] missing; leave a further outcome out of the study file.",
            faults,
        )
    if faults := alias.aliases(study, trial):
        raise InvalidInput(
            "What is adjusted for determines the arm.",
            "Its effect and the programme's cannot be told apart:",
            "Set adjust = false for it, or leave it out of [[covariates]].",
            faults,
        )
