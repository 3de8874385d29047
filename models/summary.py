"""One row for every estimate: its numbers, its prior, its Monte-Carlo error, its evidence class."""

from __future__ import annotations

from collections.abc import Mapping

import arviz_stats
import numpy as np
import pandas as pd
import xarray as xr

from models.ledger import Estimate
from models.study import Study

INTERVAL = 0.95
"""Probability of every interval printed; equal-tailed (ETI)."""
LOWER, UPPER = (1 - INTERVAL) / 2, (1 + INTERVAL) / 2
DIFFERENCES = ("risk_difference", "mean_difference")


def diagnostics(draws: xr.Dataset) -> xr.Dataset:
    """R̂, effective sample sizes and Monte-Carlo errors of every element.

    Parameters
    ----------
    draws : Dataset
        dims (chain, draw, …).

    Returns
    -------
    Dataset
        The same variables with a leading dim `diagnostic`: rhat, ess_bulk, ess_tail, mcse_median, mcse_lower,
        mcse_upper (of the 2.5% and 97.5% quantiles). A variable that never varies has R̂ and ESS NaN and errors 0.
    """
    # an element that never varies has no variance to divide by: its R̂ and ESS are NaN, as the docstring says
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = {
            "rhat": arviz_stats.rhat(draws),
            "ess_bulk": arviz_stats.ess(draws, method="bulk"),
            "ess_tail": arviz_stats.ess(draws, method="tail"),
            "mcse_median": arviz_stats.mcse(draws, method="median"),
            "mcse_lower": arviz_stats.mcse(draws, method="quantile", prob=LOWER),
            "mcse_upper": arviz_stats.mcse(draws, method="quantile", prob=UPPER),
        }
    return xr.concat(parts.values(), dim=pd.Index(parts, name="diagnostic"))


def summarise(estimates: list[Estimate], prior: Mapping[tuple[str, ...], np.ndarray], study: Study) -> pd.DataFrame:
    """Table of all estimates, one row each, in their order.

    Parameters
    ----------
    estimates : list of Estimate
        From the posterior.
    prior : mapping
        Prior draws of the same estimands by `key`.
    study : Study
        Margin, direction and primary wave.

    Returns
    -------
    DataFrame
        Identity (estimand, label, unit, average, arm, wave, primary), claim (evidence, assumptions, reason), posterior
        (median, mean, sd, lower, upper), prior_ likewise, contraction
        1 − (posterior spread / prior spread)², mcse_, ess_, rhat,
        and for differences the probabilities p_below_zero, p_benefit, p_benefit_beyond_margin, p_harm_beyond_margin,
        p_within_margin. Numbers are on the estimand's own scale (risks 0 to 1); NaN where they do not apply.
    """
    identified = [estimate for estimate in estimates if estimate.draws is not None]
    draws = [estimate.draws for estimate in identified if estimate.draws is not None]
    checks = diagnostics(xr.Dataset({"value": xr.concat(draws, dim="estimate")}))["value"].to_pandas()
    rows = []
    for place, estimate in enumerate(identified):
        values = np.asarray(estimate.draws).ravel()
        rows.append(
            _identity(estimate, study)
            | _numbers("", values)
            | _numbers("prior_", prior[key(estimate)])
            | {"contraction": _contraction(values, prior[key(estimate)], estimate.unit)}
            | {str(name): float(checks.loc[name].iloc[place]) for name in checks.index}
            | (_probabilities(values, study) if estimate.estimand in DIFFERENCES else {})
        )
    follow_up = [wave.value for wave in study.waves if wave.role == "follow-up"]
    differences = [row for row in rows if row["estimand"] == "risk_difference" and row["wave"] in follow_up]
    rows += [_needed_to_treat(row) for row in differences if row["average"] == "population"]
    rows += [_identity(estimate, study) for estimate in estimates if estimate.draws is None]
    return pd.DataFrame(rows)


def key(estimate: Estimate) -> tuple[str, ...]:
    """Identity of an estimate, the same for prior and posterior."""
    return (estimate.estimand, estimate.average, estimate.arm, estimate.wave)


def _identity(estimate: Estimate, study: Study) -> dict[str, object]:
    primary = (
        estimate.estimand in DIFFERENCES and estimate.average == "population" and estimate.wave == study.primary_wave
    )
    return {
        "estimand": estimate.estimand,
        "label": estimate.label,
        "unit": estimate.unit,
        "average": estimate.average,
        "arm": estimate.arm,
        "wave": estimate.wave,
        "primary": primary,
        "evidence": str(estimate.claim.evidence),
        "assumptions": "; ".join(estimate.claim.assumptions),
        "reason": estimate.reason,
    }


def _numbers(prefix: str, values: np.ndarray) -> dict[str, float]:
    # prior draws of a mean count can overflow; quantiles stay right, moments become infinite and say so
    with np.errstate(over="ignore", invalid="ignore"):
        lower, median, upper = np.quantile(values, [LOWER, 0.5, UPPER])
        mean, sd = values.mean(), values.std(ddof=1)
    found = {"median": median, "mean": mean, "sd": sd, "lower": lower, "upper": upper}
    return {f"{prefix}{name}": float(number) for name, number in found.items()}


def _contraction(posterior: np.ndarray, prior: np.ndarray, unit: str) -> float:
    """Share of the prior's spread that the data took away, 1 − (posterior spread / prior spread)².

    The spread is the SD; of the logarithm for ratios, and the width of the 95% interval for mean counts: their prior
    variance is all tail, and would make any data look decisive.
    """
    if unit == "events":
        widths = [np.subtract(*np.quantile(values, [UPPER, LOWER])) for values in (posterior, prior)]
    else:
        widths = [np.std(np.log(values) if unit == "ratio" else values, ddof=1) for values in (posterior, prior)]
    return float(1 - (widths[0] / widths[1]) ** 2) if widths[1] > 0 else float("nan")


def _probabilities(values: np.ndarray, study: Study) -> dict[str, float]:
    margin = study.outcome.margin
    harm = values if study.outcome.better == "lower" else -values
    return {
        "p_below_zero": float((values < 0).mean()),
        "p_benefit": float((harm < 0).mean()),
        "p_benefit_beyond_margin": float((harm < -margin).mean()),
        "p_harm_beyond_margin": float((harm > margin).mean()),
        "p_within_margin": float((np.abs(values) < margin).mean()),
    }


def _needed_to_treat(row: dict[str, object]) -> dict[str, object]:
    """1/|RD| of the summary, never averaged over draws; it has no interval where the difference may be 0."""
    difference = float(row["median"])  # type: ignore[arg-type]
    keep = ("average", "arm", "wave", "evidence", "assumptions", "reason")
    return {name: row[name] for name in keep} | {
        "estimand": "number_needed_to_treat",
        "label": "number needed to treat, 1/|risk difference| of the median",
        "unit": "participants",
        "primary": False,
        "median": 1 / abs(difference) if difference else float("inf"),
    }
