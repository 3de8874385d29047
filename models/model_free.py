"""Two answers that owe nothing to the model: the crude difference, and one standardised over baseline by regression."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.tools.sm_exceptions import ConvergenceWarning, PerfectSeparationError, PerfectSeparationWarning

from models.design import Design
from models.study import Study
from models.summary import INTERVAL

FEWEST = 5
"""Participants an arm needs for each column of the regression."""


def compare(study: Study, trial: xr.Dataset, design: Design, table: pd.DataFrame) -> pd.DataFrame:
    """Crude and standardised differences at every wave after baseline.

    Crude: difference of the observed shares, Newcombe's hybrid score interval (others: of means, Welch). Standardised:
    logistic (counts: Poisson, continuous: least squares) regression on arm, baseline outcome and covariates among those
    observed, averaged over the participants in it; the interval is that of its influence function, which does not need
    a correct regression.

    Parameters
    ----------
    study, trial, design : Study, Dataset, Design
        The trial as analysed.
    table : DataFrame
        From `summary.summarise`: the model's own differences, to flag a disagreement.

    Returns
    -------
    DataFrame
        wave, method, estimate, lower, upper (in the outcome's own unit), n, flag (more than one posterior SD from the
        model's median), note. An estimate that cannot be had is NaN, and the note says why.
    """
    rows = []
    arm = trial["arm"].to_numpy()
    for wave in study.waves:
        if wave.role == "baseline":
            continue
        outcome = trial["outcome"].sel(wave=wave.value).to_numpy()
        model = table[
            table.estimand.isin(["risk_difference", "mean_difference"])
            & (table.average == "population")
            & (table.wave == wave.value)
        ].iloc[0]
        for method, found in (
            ("crude", _crude(outcome, arm, study)),
            ("standardised", _standardised(outcome, arm, trial, design, study)),
        ):
            far = bool(np.isfinite(found["estimate"]) and abs(found["estimate"] - model["median"]) > model["sd"])
            rows.append({"wave": wave.value, "method": method, **found, "flag": far})
    return pd.DataFrame(rows)


def _result(estimate: float, lower: float, upper: float, n: int, note: str = "") -> dict:
    return {"estimate": float(estimate), "lower": float(lower), "upper": float(upper), "n": int(n), "note": note}


def _absent(n: int, note: str) -> dict:
    return _result(np.nan, np.nan, np.nan, n, note)


def _crude(outcome: np.ndarray, arm: np.ndarray, study: Study) -> dict:
    seen = ~np.isnan(outcome)
    treated, control = outcome[seen & (arm == 1)], outcome[seen & (arm == 0)]
    n = int(seen.sum())
    if min(treated.size, control.size) == 0:
        return _absent(n, "one arm has no observed outcome")
    estimate = treated.mean() - control.mean()
    if study.outcome.kind == "binary":
        lower, upper = confint_proportions_2indep(
            treated.sum(),
            treated.size,
            control.sum(),
            control.size,
            method="newcomb",
            compare="diff",
            alpha=1 - INTERVAL,
        )
        return _result(estimate, lower, upper, n)
    if min(treated.size, control.size) < 2:
        return _absent(n, "one arm has a single observed outcome")
    parts = treated.var(ddof=1) / treated.size, control.var(ddof=1) / control.size
    if sum(parts) == 0:
        return _absent(n, "the outcome does not vary")
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / (treated.size - 1) + parts[1] ** 2 / (control.size - 1))
    half = stats.t.ppf((1 + INTERVAL) / 2, freedom) * np.sqrt(sum(parts))
    return _result(estimate, estimate - half, estimate + half, n)


def _standardised(outcome: np.ndarray, arm: np.ndarray, trial: xr.Dataset, design: Design, study: Study) -> dict:
    found = adjusted(outcome, arm, trial, design, study)
    n = int((~np.isnan(outcome)).sum()) if isinstance(found, str) else found.influence.shape[1]
    if isinstance(found, str):
        return _absent(n, found)
    estimate, influence = np.subtract(*found.mean[::-1]), np.subtract(*found.influence[::-1])
    half = stats.norm.ppf((1 + INTERVAL) / 2) * influence.std(ddof=1) / np.sqrt(n)
    return _result(estimate, estimate - half, estimate + half, n)


@dataclass(frozen=True)
class Adjusted:
    """Means standardised over baseline in the control and the treated arm, and what each participant adds to them.

    Attributes
    ----------
    mean : ndarray, (arm,)
        In the outcome's own unit.
    influence : ndarray, (arm, participant)
        Of those observed: their mean is 0 but for rounding, their SD over √n the mean's standard error.
    coefficients : int
        Of the regression.
    """

    mean: np.ndarray
    influence: np.ndarray
    coefficients: int


def adjusted(outcome: np.ndarray, arm: np.ndarray, trial: xr.Dataset, design: Design, study: Study) -> Adjusted | str:
    """Both arms' means at one wave, standardised by a regression on arm, baseline and covariates; or why not.

    Parameters
    ----------
    outcome, arm : ndarray, (participant,)
        Of the wave, NaN where missing; 0 control, 1 treated.
    trial, design, study : Dataset, Design, Study
        Where the baseline outcome and the covariates are.
    """
    columns = [design.covariates]
    if design.baseline:
        columns.insert(0, _before(trial["outcome"].sel(wave=design.baseline[0]).to_numpy(), design, study)[:, None])
    known = np.column_stack(columns)
    seen = ~np.isnan(outcome) & ~np.isnan(known).any(1)
    known = known[seen][:, np.ptp(known[seen], axis=0) > 0] if seen.any() else known[seen]
    y, z, n = outcome[seen], arm[seen], int(seen.sum())
    if min((z == 0).sum(), (z == 1).sum()) < FEWEST * (1 + known.shape[1] / 2):
        return f"too few participants for {known.shape[1] + 2} coefficients"
    matrix = np.column_stack([np.ones(n), z, known])
    fitted = _regression(y, matrix, study)
    if isinstance(fitted, str):
        return fitted
    means = np.array([fitted.predict(np.column_stack([np.ones(n), np.full(n, code), known])) for code in (0, 1)])
    inside = np.array([(1 - z) / (1 - z.mean()), z / z.mean()])
    influence = means + inside * (y - means)
    return Adjusted(means.mean(1), influence - means.mean(1, keepdims=True), matrix.shape[1])


def _before(outcome: np.ndarray, design: Design, study: Study) -> np.ndarray:
    """Baseline outcome as a column: any straight scale gives the same fit, one of its own size keeps the digits."""
    if study.outcome.kind == "continuous":
        return (outcome - design.location) / design.scale
    return np.log1p(outcome) if study.outcome.kind == "count" else outcome


def _regression(y: np.ndarray, matrix: np.ndarray, study: Study) -> Any:
    if np.ptp(y) == 0:
        return "the outcome does not vary"
    if np.linalg.matrix_rank(matrix) < matrix.shape[1]:
        return "the covariates determine each other"
    if study.outcome.kind == "continuous":
        return OLS(y, matrix).fit()
    family = families.Binomial() if study.outcome.kind == "binary" else families.Poisson()
    with warnings.catch_warnings():
        # separation and lack of convergence are findings: they stand in the table's note
        warnings.simplefilter("error", PerfectSeparationWarning)
        warnings.simplefilter("error", ConvergenceWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            fitted = GLM(y, matrix, family=family).fit(maxiter=100)
        except (PerfectSeparationError, PerfectSeparationWarning, ConvergenceWarning, np.linalg.LinAlgError) as error:
            return f"the regression has no finite solution ({type(error).__name__})"
    if not fitted.converged or np.abs(fitted.params[1:]).max() > 12:
        return "the regression has no finite solution (separation)"
    return fitted
