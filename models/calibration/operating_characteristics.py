"""From replications to operating characteristics: bias, coverage, width, sign, exclusion of no effect, ranks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from models.checks.uniformity import curve

STANDARD = "SD at the first wave"
"""Unit of a continuous outcome's parameters: models see it standardised."""
CHANCE = 0.05
"""Probability that any of a study's quantities leaves its band although all ranks are uniform (Bonferroni)."""


UNMIXED, FEW = 1.05, 100
"""R-hat above which, and effective sample size below which, a fit is counted as doubtful: truths are ranked among 99
draws that should be nearly independent."""


def table(results: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """One row for each replication and quantity, in order; failed replications have none."""
    rows = [
        {"kind": result["kind"], "number": result["replication"], "quantity": name, **row}
        | {name: result[name] for name in ("divergences", "rhat", "ess")}
        for result in results
        if "failed" not in result
        for name, row in result["rows"].items()
    ]
    return pd.DataFrame(rows)


def of_wave(quantity: str, wave: str) -> bool:
    """Whether a quantity's key is of that wave; an arm may stand before the wave in it, a mediator on either side."""
    inside = quantity.partition("[")[2].removesuffix("]")
    return f", {wave}, " in f", {inside}, "


def sampling(results: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """How well fits were sampled: how many there are, and of them how many that a single analysis would question.

    Returns
    -------
    dict
        fits (that did not fail), divergent (with a divergent transition), unmixed (largest R-hat above `UNMIXED`), few
        (least effective sample size below `FEW`), limited (an integral that should be finer), doubtful (any of these).
    """
    rows = [
        {
            "divergent": result["divergences"] > 0,
            "unmixed": not result["rhat"] <= UNMIXED,
            "few": not result["ess"] >= FEW,
            "limited": result["limitations"] > 0,
        }
        for result in results
        if "failed" not in result
    ]
    counts = {name: sum(row[name] for row in rows) for name in ("divergent", "unmixed", "few", "limited")}
    return {"fits": len(rows), **counts, "doubtful": sum(any(row.values()) for row in rows)}


def summarise(replications: pd.DataFrame) -> pd.DataFrame:
    """One row for each kind and quantity.

    Parameters
    ----------
    replications : DataFrame
        From `table`.

    Returns
    -------
    DataFrame
        kind, quantity, estimand, replications, truth (mean), bias (of the posterior mean) and rmse, sd (mean), coverage
        and width of the 95% interval, sign_error (share of intervals wholly on the wrong side of no difference),
        excludes_0 (share of intervals without no difference in them), expected_coverage (of no effect, where the prior
        shrinks towards it), ecdf_deviation, ecdf_limit and uniform (`uniformity.curve`, at its furthest place); a
        column `…_mcse` beside each share and the bias is its Monte-Carlo standard error.
    """
    quantities = replications.loc[replications["kind"] == "prior", "quantity"].nunique()
    spread = _prior_spread(replications)
    groups = replications.groupby(["kind", "quantity"], sort=False)
    rows = [
        {"kind": kind, "quantity": name} | _row(str(kind), group, spread.get(name, np.nan), quantities)
        for (kind, name), group in groups
    ]
    return pd.DataFrame(rows)


def _prior_spread(replications: pd.DataFrame) -> dict[str, float]:
    """SD of each quantity's prior, from the truths that were drawn from it."""
    drawn = replications[replications["kind"] == "prior"]
    return drawn.groupby("quantity")["truth"].std(ddof=1).to_dict() if len(drawn) else {}


def _row(kind: str, group: pd.DataFrame, prior_sd: float, quantities: int) -> dict[str, Any]:
    error = group["mean"] - group["truth"]
    count, null = len(group), float(group["null"].iloc[0])
    found: dict[str, Any] = {
        "estimand": bool(group["estimand"].iloc[0]),
        "replications": count,
        "truth": float(group["truth"].mean()),
        "bias": float(error.mean()),
        "bias_mcse": float(error.std(ddof=1) / np.sqrt(count)) if count > 1 else np.nan,
        "rmse": float(np.sqrt((error**2).mean())),
        "sd": float(group["sd"].mean()),
        "width": float((group["upper"] - group["lower"]).mean()),
    }
    found |= share("coverage", (group["lower"] <= group["truth"]) & (group["truth"] <= group["upper"]))
    above, below = group["lower"] > null, group["upper"] < null
    wrong = (above & (group["truth"] < null)) | (below & (group["truth"] > null))
    some = not np.isnan(null)
    differs = some and bool((group["truth"] != null).any())
    found |= share("sign_error", wrong) if differs else {"sign_error": np.nan, "sign_error_mcse": np.nan}
    found |= share("excludes_0", above | below) if some else {"excludes_0": np.nan, "excludes_0_mcse": np.nan}
    found["expected_coverage"] = _shrunk(group, prior_sd) if kind == "null" and some else np.nan
    if kind == "prior":
        ranked = curve(group["rank"].to_numpy(), int(group["ranks"].iloc[0]), 1 - CHANCE / quantities)
        off = ranked.difference[ranked.furthest]
        limit = ranked.upper[ranked.furthest] if off > 0 else -ranked.lower[ranked.furthest]
        found |= {"ecdf_deviation": abs(float(off)), "ecdf_limit": float(limit), "uniform": ranked.inside}
    else:
        found |= {"ecdf_deviation": np.nan, "ecdf_limit": np.nan, "uniform": None}
    return found


def share(name: str, events: pd.Series) -> dict[str, float]:
    """A share of replications and its Monte-Carlo standard error, √(p(1 − p)/n) with p kept off 0 and 1."""
    count = len(events)
    rate = float(events.mean())
    inside = min(max(rate, 1 / (count + 2)), 1 - 1 / (count + 2))
    return {name: rate, f"{name}_mcse": float(np.sqrt(inside * (1 - inside) / count))}


def _shrunk(group: pd.DataFrame, prior_sd: float) -> float:
    """Coverage of no effect that shrinkage alone leads to.

    With a normal prior around no effect and a normal likelihood the posterior mean is k times the estimate and the
    posterior SD √k times its standard error, k = 1 − (posterior SD / prior SD)². The interval then holds no effect
    where |z| ≤ 1.96 / √k, z standard normal.
    """
    kept = 1 - min((float(group["sd"].mean()) / prior_sd) ** 2, 1.0) if prior_sd > 0 else np.nan
    if np.isnan(kept):
        return np.nan
    return float(2 * stats.norm.cdf(stats.norm.ppf(0.975) / np.sqrt(kept)) - 1) if kept > 0 else 1.0
