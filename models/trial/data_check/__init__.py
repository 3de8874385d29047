"""The data check: what a trial's data say against its analysis, before any fit. MODEL.md, "The data check"."""

from __future__ import annotations

import xarray as xr

from models.faults import InvalidInput
from models.trial.data_check import absorbing, alias, arms_at_baseline, copies, repeats, undeclared_groups, values
from models.trial.data_check.finding import Finding
from models.trial.study_file.study import Study

__all__ = ["Finding", "findings", "refuse"]


CHECKS = (
    arms_at_baseline.differences,
    values.findings,
    absorbing.findings,
    copies.findings,
    undeclared_groups.findings,
    repeats.findings,
)


def findings(study: Study, trial: xr.Dataset) -> tuple[Finding, ...]:
    """Everything found, in the order of the checks; empty for most trials.

    Parameters
    ----------
    study, trial : Study, Dataset
        As `models.trial.study_file.study.read` and `models.trial.dataset.load` return them.
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
            "Its effect and the programme's cannot be separated:",
            "Set adjust = false for it, or leave it out of [[covariates]].",
            faults,
        )
