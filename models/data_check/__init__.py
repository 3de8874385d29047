"""The data check: what a trial's data say against its analysis, before any fit. MODEL.md, "The data check"."""

from __future__ import annotations

import xarray as xr

from models.data_check import baseline
from models.data_check.finding import Finding
from models.study import Study

__all__ = ["Finding", "findings"]


def findings(study: Study, trial: xr.Dataset) -> tuple[Finding, ...]:
    """Everything found, in the order of the checks; empty for most trials.

    Parameters
    ----------
    study, trial : Study, Dataset
        As `models.study.read` and `models.trial.load` return them.
    """
    return tuple(baseline.differences(study, trial))
