"""One row for every estimate: its numbers, its prior, its Monte-Carlo error, its evidence class."""

from __future__ import annotations

from collections.abc import Mapping

import arviz_stats
import numpy as np
import pandas as pd
import xarray as xr

from models.estimands.ledger import Estimate
from models.outcomes import FAMILIES
from models.trial.study_file.study import Study

INTERVAL = 0.95
"""Probability of every interval printed; equal-tailed (ETI)."""
LOWER, UPPER = (1 - INTERVAL) / 2, (1 + INTERVAL) / 2
DIFFERENCES = ("risk_difference", "mean_difference")
RATIOS = ("risk_ratio", "odds_ratio", "rate_ratio")
CONTRASTS = (*DIFFERENCES, *RATIOS)
LEVELS = ("risk", "mean", "mediator_mean")


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
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = {
            "mcse_median": arviz_stats.mcse(draws, method="median"),
            "mcse_lower": arviz_stats.mcse(draws, method="quantile", prob=LOWER),
            "mcse_upper": arviz_stats.mcse(draws, method="quantile", prob=UPPER),
        }
    errors = xr.concat(parts.values(), dim=pd.Index(parts, name="diagnostic"))
    return xr.concat([convergence(draws), errors], dim="diagnostic")


def convergence(draws: xr.Dataset) -> xr.Dataset:
    """R̂ and effective sample sizes alone, as in `diagnostics`."""
    # an element that never varies has no variance to divide by: its R̂ and ESS are NaN
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = {
            "rhat": arviz_stats.rhat(draws),
            "ess_bulk": arviz_stats.ess(draws, method="bulk"),
            "ess_tail": arviz_stats.ess(draws, method="tail"),
        }
    return xr.concat(parts.values(), dim=pd.Index(parts, name="diagnostic"))


def effect_contractions(posterior: xr.DataArray, prior: xr.DataArray, likelihood: str) -> dict[str, float]:
    """Contraction of the effect's own parameter (log odds, probit, log mean or mean) at each wave after baseline.

    It is the contrast of a typical participant on the link scale: of the effect model `theta` itself. That of a risk
    difference flatters the data, because its prior is spread over every level at which the effect might act.

    Parameters
    ----------
    posterior, prior : DataArray, (chain, draw, average, arm, wave)
        A model's `response`.
    likelihood : str
        Of `design.Design`.
    """
    both = [on_link(levels, likelihood) for levels in (posterior, prior)]
    spread = [part.var(("chain", "draw"), ddof=1) for part in both]
    share = 1 - spread[0] / spread[1]
    return {str(wave): float(value) for wave, value in zip(share["wave"].to_numpy(), share.to_numpy(), strict=True)}


def on_link(levels: xr.DataArray, likelihood: str, average: str = "typical") -> xr.DataArray:
    """Treated minus control of an average on the scale on which effects add, in the outcome's own unit."""
    some = levels.sel(average=average)
    family = FAMILIES[likelihood]
    if family.binary:
        some = some.clip(2.0**-53, 1 - 2.0**-53)
    scaled = some.copy(data=family.linked(some.to_numpy()))
    return scaled.sel(arm="treated", drop=True) - scaled.sel(arm="control", drop=True)


def summarise(
    estimates: list[Estimate],
    study: Study,
    tipping: Mapping[str, float] | None = None,
    contractions: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Table of all estimates, one row each, in their order.

    Parameters
    ----------
    estimates : list of Estimate
        From the posterior, each with its prior.
    study : Study
        Margin, direction and primary wave.
    tipping : mapping of str to float, optional
        Tipping share of the remainder by wave (`common_change.tipping_share`): a single number without an interval.
    contractions : mapping of str to float, optional
        Of the effect's own parameter by wave (`effect_contractions`).

    Returns
    -------
    DataFrame
        Identity (estimand, label, unit, average, arm, wave, mediator, primary), claim (evidence, reason, and as tuples
        of phrases assumptions and bias_parameters), posterior
        (median, mean, sd, lower, upper), prior_ likewise, contraction
        1 − (posterior spread / prior spread)², effect_contraction, that of the effect's own parameter at the wave of a
        difference or ratio of the outcome, mcse_, ess_, rhat,
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
            | (_numbers("prior_", np.asarray(estimate.prior)) if estimate.prior is not None else {})
            | {"contraction": estimate.contraction, "integration_error": estimate.integration_error}
            | {
                "effect_contraction": (contractions or {}).get(estimate.wave, np.nan)
                if estimate.estimand in CONTRASTS
                else np.nan
            }
            | {str(name): float(checks.loc[name].iloc[place]) for name in checks.index}
            | ({} if estimate.estimand in LEVELS or estimate.unit == "ratio" else {"p_below_zero": _below(values)})
            | (_probabilities(values, study) if estimate.estimand in DIFFERENCES else {})
        )
    follow_up = [wave.value for wave in study.waves if wave.role == "follow-up"]
    differences = [row for row in rows if row["estimand"] == "risk_difference" and row["wave"] in follow_up]
    rows += [_needed_to_treat(row) for row in differences if row["average"] == "population"]
    shares = [row for row in rows if row["estimand"] == "change_training_share"]
    rows += [_tipping(row, (tipping or {})[str(row["wave"])]) for row in shares]
    rows += [_identity(estimate, study) for estimate in estimates if estimate.draws is None]
    return pd.DataFrame(rows)


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
        "mediator": estimate.mediator,
        "primary": primary,
        "evidence": str(estimate.claim.evidence),
        "assumptions": estimate.claim.assumptions,
        "bias_parameters": estimate.claim.bias_parameters,
        "reason": estimate.reason,
    }


def _numbers(prefix: str, values: np.ndarray) -> dict[str, float]:
    # prior draws of a mean count can overflow; quantiles stay right, moments become infinite and say so
    with np.errstate(over="ignore", invalid="ignore"):
        lower, median, upper = np.quantile(values, [LOWER, 0.5, UPPER])
        mean, sd = values.mean(), values.std(ddof=1)
    found = {"median": median, "mean": mean, "sd": sd, "lower": lower, "upper": upper}
    return {f"{prefix}{name}": float(number) for name, number in found.items()}


def _below(values: np.ndarray) -> float:
    return float((values < 0).mean())


def _probabilities(values: np.ndarray, study: Study) -> dict[str, float]:
    margin = study.outcome.margin
    harm = values if study.outcome.better == "lower" else -values
    return {
        "p_benefit": float((harm < 0).mean()),
        "p_benefit_beyond_margin": float((harm < -margin).mean()),
        "p_harm_beyond_margin": float((harm > margin).mean()),
        "p_within_margin": float((np.abs(values) < margin).mean()),
    }


def _needed_to_treat(row: dict[str, object]) -> dict[str, object]:
    """1/|RD| of the summary, never averaged over draws; it has no interval where the difference may be 0."""
    difference = float(row["median"])  # type: ignore[arg-type]
    number = 1 / abs(difference) if difference else float("inf")
    label = "number needed to treat, 1/|risk difference| of the median"
    return _single(row, "number_needed_to_treat", label, "participants", number)


def _tipping(row: dict[str, object], share: float) -> dict[str, object]:
    label = "smallest share w of the remainder that would matter with probability 0.95"
    return _single(row, "training_tipping_share", label, "proportion", share)


def _single(row: dict[str, object], estimand: str, label: str, unit: str, number: float) -> dict[str, object]:
    """A number without an interval, with the place and the claim of the row that it is made from."""
    keep = ("average", "arm", "wave", "mediator", "evidence", "assumptions", "bias_parameters", "reason")
    own = {"estimand": estimand, "label": label, "unit": unit, "primary": False, "median": number}
    return {name: row[name] for name in keep} | own
