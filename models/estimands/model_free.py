"""Two answers that owe nothing to the model: the crude difference, and one standardised over baseline by regression."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW
from statsmodels.tools.sm_exceptions import ConvergenceWarning, PerfectSeparationError, PerfectSeparationWarning

from models.design.layout import Design
from models.estimands.summary import INTERVAL
from models.trial.standard import amounts
from models.trial.study_file.study import Study

FEWEST = 5
"""Participants an arm needs for each column of the regression."""


def compare(study: Study, trial: xr.Dataset, design: Design, table: pd.DataFrame) -> pd.DataFrame:
    """Crude and standardised differences at every wave after baseline.

    Crude: difference of the observed shares, Newcombe's hybrid score interval (others: of means, Welch). Standardised:
    logistic (counts: Poisson, continuous: least squares) regression on arm, baseline outcome and covariates among those
    observed, averaged over the participants in it; the interval is that of its influence function, which does not need
    a correct regression. Where groups were randomised, both intervals are of their sums, with t on (groups − 2) degrees
    of freedom.

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
    arm, together = trial["arm"].to_numpy(), randomised_together(study, trial)
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
            ("crude", _crude(outcome, arm, amounts(study.outcome, trial.sel(wave=wave.value)), study, together)),
            ("standardised", _standardised(wave.value, trial, design, study)),
        ):
            far = bool(np.isfinite(found["estimate"]) and abs(found["estimate"] - model["median"]) > model["sd"])
            rows.append({"wave": wave.value, "method": method, **found, "flag": far})
    return pd.DataFrame(rows)


def _result(estimate: float, lower: float, upper: float, n: int, note: str = "") -> dict:
    return {"estimate": float(estimate), "lower": float(lower), "upper": float(upper), "n": int(n), "note": note}


def _absent(n: int, note: str) -> dict:
    return _result(np.nan, np.nan, np.nan, n, note)


def randomised_together(study: Study, trial: xr.Dataset) -> np.ndarray | None:
    """Group of each participant, where groups were randomised: they, and not participants, are independent."""
    grouping = study.randomised_in_groups
    return None if grouping is None else trial["group"].sel(grouping=grouping.column).to_numpy()


def clustered(influence: np.ndarray, group: np.ndarray | None, lost: int = 1) -> tuple[float, float]:
    """Standard error of a mean from its influence function, and its degrees of freedom.

    Parameters
    ----------
    influence : ndarray, (participant,)
        What each participant adds to the estimate, around 0.
    group : ndarray, (participant,), optional
        Groups that were randomised together: their sums are independent, by t on (groups − 2) degrees of freedom;
        without them participants are.
    lost : int
        Coefficients of the regression behind the estimate, or 1.
    """
    n = influence.size
    if group is None:
        return float(np.sqrt(((influence - influence.mean()) ** 2).sum() / (n - lost) / n)), np.inf
    sums = np.bincount(np.unique(group, return_inverse=True)[1], influence) / n
    return float(np.sqrt(sums.size / (sums.size - 1) * (sums**2).sum())), max(1.0, sums.size - 2.0)


def _crude(outcome: np.ndarray, arm: np.ndarray, amount: np.ndarray, study: Study, together: np.ndarray | None) -> dict:
    seen = ~np.isnan(outcome) & (amount > 0)
    treated, control = (_rates(outcome[seen & (arm == code)], amount[seen & (arm == code)]) for code in (1, 0))
    n = int(seen.sum())
    if min(treated.size, control.size) == 0:
        return _absent(n, "one arm has no observed outcome")
    estimate = treated.mean() - control.mean()
    if together is not None:
        influence = np.zeros(outcome.size)
        for code, sign, mine in ((1, 1, treated), (0, -1, control)):
            influence[seen & (arm == code)] = sign * (mine - mine.mean()) * n / mine.size
        return _interval(estimate, *clustered(influence[seen], together[seen]), n)
    if study.outcome.family.binary:
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
    if np.ptp(treated) == np.ptp(control) == 0:
        return _absent(n, "the outcome does not vary")
    welch = CompareMeans(DescrStatsW(treated), DescrStatsW(control))
    lower, upper = welch.tconfint_diff(alpha=1 - INTERVAL, usevar="unequal")
    return _result(estimate, lower, upper, n)


def _rates(outcome: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Numbers whose mean is events over all that they arose over, and whose variance is that of such a ratio."""
    if not outcome.size or (amount == 1).all():
        return outcome
    rate = outcome.sum() / amount.sum()
    return rate + (outcome - rate * amount) / amount.mean()


def _standardised(wave: str, trial: xr.Dataset, design: Design, study: Study) -> dict:
    found = adjusted(wave, trial, design, study)
    if isinstance(found, str):
        return _absent(int(trial["outcome"].sel(wave=wave).notnull().sum()), found)
    n = found.influence.shape[1]
    estimate, influence = np.subtract(*found.mean[::-1]), np.subtract(*found.influence[::-1])
    return _interval(float(estimate), *clustered(influence, found.group), n)


def _interval(estimate: float, error: float, freedom: float, n: int) -> dict:
    half = stats.t.ppf((1 + INTERVAL) / 2, freedom) * error
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
    group : ndarray, (participant,), or None
        Of `randomised_together`.
    """

    mean: np.ndarray
    influence: np.ndarray
    coefficients: int
    group: np.ndarray | None


def adjusted(wave: str, trial: xr.Dataset, design: Design, study: Study) -> Adjusted | str:
    """Both arms' means at one wave, standardised by a regression on arm, baseline and covariates; or why not.

    The baseline outcome is left out where the model gives the arms levels of their own there.

    Parameters
    ----------
    wave : str
        Which.
    trial, design, study : Dataset, Design, Study
        The trial as analysed.
    """
    outcome, arm = trial["outcome"].sel(wave=wave).to_numpy(), trial["arm"].to_numpy()
    columns = [design.covariates]
    # adjusting for a baseline at which the arms may differ would take part of the contrast
    if design.baseline and design.shared_baseline:
        first = trial.sel(wave=design.baseline[0])
        with np.errstate(divide="ignore", invalid="ignore"):  # over nothing: no rate, and left out
            columns.insert(0, _before(first["outcome"].to_numpy() / amounts(study.outcome, first), design)[:, None])
    known = np.column_stack(columns)
    amount = amounts(study.outcome, trial.sel(wave=wave))
    seen = ~np.isnan(outcome) & (amount > 0) & np.isfinite(known).all(1)
    known = known[seen][:, np.ptp(known[seen], axis=0) > 0] if seen.any() else known[seen]
    y, z, e, n = outcome[seen], arm[seen], amount[seen], int(seen.sum())
    if min((z == 0).sum(), (z == 1).sum()) < FEWEST * (1 + known.shape[1] / 2):
        return f"too few participants for {known.shape[1] + 2} coefficients"
    matrix = np.column_stack([np.ones(n), z, known])
    fitted = _regression(y, matrix, np.log(e), study)
    if isinstance(fitted, str):
        return fitted
    means = np.array([fitted.predict(np.column_stack([np.ones(n), np.full(n, code), known])) for code in (0, 1)])
    inside = np.array([(1 - z) / (1 - z.mean()), z / z.mean()])
    each = np.array([[e[z == code].mean()] for code in (0, 1)])
    influence = means + inside * (y - e * means) / each
    together = randomised_together(study, trial)
    group = None if together is None else together[seen]
    return Adjusted(means.mean(1), influence - means.mean(1, keepdims=True), matrix.shape[1], group)


def _before(outcome: np.ndarray, design: Design) -> np.ndarray:
    """Baseline outcome as a column: any straight scale gives the same fit, one of its own size keeps the digits."""
    return design.family.levelled((outcome - design.location) / design.scale)


def _regression(y: np.ndarray, matrix: np.ndarray, offset: np.ndarray, study: Study) -> Any:
    if np.ptp(y) == 0:
        return "the outcome does not vary"
    if np.linalg.matrix_rank(matrix) < matrix.shape[1]:
        return "the covariates determine each other"
    regression = study.outcome.family.regression(y, matrix, offset)
    if isinstance(regression, OLS):
        return regression.fit()
    with warnings.catch_warnings():
        # separation and lack of convergence are findings: they stand in the table's note
        warnings.simplefilter("error", PerfectSeparationWarning)
        warnings.simplefilter("error", ConvergenceWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            fitted = regression.fit(maxiter=100)
        except (PerfectSeparationError, PerfectSeparationWarning, ConvergenceWarning, np.linalg.LinAlgError) as error:
            return f"the regression has no finite solution ({type(error).__name__})"
    if not fitted.converged or np.abs(fitted.params[1:]).max() > 12:
        return "the regression has no finite solution (separation)"
    return fitted
