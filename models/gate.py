"""Can the computation be trusted? Every check on parameters and estimands alike, each against limits from one table."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from models.gate_limits import LIMITS, Limit, limited
from models.gate_table import AMBER, GREEN, RED, Check, Gate

_TERMS = ("mu_0", "step", "theta", "theta_negative_control", "gamma")
FIXED_EFFECTS = (*_TERMS, *(f"mediator_{name}" for name in _TERMS), "slope", "interaction")


R_HAT_TEXT = "Chains that agree have R-hat near 1; run longer, or look for a parameter that the data do not inform."


def gate(
    posterior: xr.Dataset,
    estimands: xr.Dataset,
    stats_group: xr.Dataset,
    planned: tuple[int, int],
    table: pd.DataFrame,
    margin: float,
    left_out: tuple[int, int] | None,
    predictive: pd.DataFrame,
    power: pd.DataFrame,
    data_unchanged: bool,
    element_diagnostics: Callable[[xr.Dataset], xr.Dataset],
    further: tuple[Check, ...] = (),
) -> Gate:
    """Make every check.

    Parameters
    ----------
    posterior, estimands : Dataset
        dims (chain, draw, …).
    stats_group : Dataset
        diverging, energy, maxdepth_reached, dims (chain, draw).
    planned : (int, int)
        Chains and draws asked for.
    table : DataFrame
        From `summary.summarise`.
    margin : float
        Smallest difference that matters, in the primary estimand's unit.
    left_out : (int, int) or None
        How many could not be left out, and of how many; None where leave-one-out was not run.
    predictive, power : DataFrame
        From `predictive.compare` and `sensitivity.power_scaling`.
    data_unchanged : bool
        Whether the data file still has the hash with which the run began.
    element_diagnostics : callable
        `summary.convergence`.
    further : tuple of Check
        Checks that one model alone has.
    """
    found = pd.concat([_elements(element_diagnostics(posterior)), _elements(element_diagnostics(estimands))])
    primary = table[table.primary].iloc[0]
    return Gate(
        (
            _complete(posterior, estimands, planned),
            *_convergence(found, set(map(str, estimands.data_vars))),
            *_monte_carlo(primary, margin),
            *_sampler(stats_group),
            _pareto(left_out),
            _cells(predictive),
            _tails(predictive),
            _power(power, primary),
            _learned(primary),
            *further,
            Check(
                "data hash",
                GREEN if data_unchanged else RED,
                "equal" if data_unchanged else "changed",
                "",
                "equal",
                "",
                "The data file must not change while it is analysed; run again.",
            ),
        )
    )


def short_of_draws(diagnostics: xr.Dataset) -> bool:
    """Whether R-hat or effective draws of some parameters, from `summary.convergence`, fall short of the limits."""
    return any(check.status != GREEN for check in _convergence(_elements(diagnostics), set()))


def _convergence(found: pd.DataFrame, estimands: set[str]) -> list[Check]:
    return [
        limited("R-hat, largest", *_extreme(found.rhat, largest=True), R_HAT_TEXT),
        *_effective(found, estimands),
    ]


def _elements(diagnostics: xr.Dataset) -> pd.DataFrame:
    """One row for each scalar element, named like theta[6 months]."""
    rows = {}
    for name, value in diagnostics.items():
        others = [dim for dim in value.dims if dim != "diagnostic"]
        cells = value.stack(cell=others).transpose("cell", "diagnostic") if others else value.expand_dims("cell")
        for place in range(cells.sizes["cell"]):
            label = f"{name}[{', '.join(map(str, cells['cell'].to_numpy()[place]))}]" if others else str(name)
            rows[label] = dict(zip(cells["diagnostic"].to_numpy(), cells.to_numpy()[place], strict=True)) | {
                "name": str(name)
            }
    return pd.DataFrame(rows).T


def _extreme(values: pd.Series, largest: bool) -> tuple[float, str]:
    known = values.astype(float).dropna()  # NaN: the element never varies, such as an effect that is exactly 0
    if known.empty:
        return float("nan"), ""
    place = known.idxmax() if largest else known.idxmin()
    return float(known[place]), str(place)


def _complete(posterior: xr.Dataset, estimands: xr.Dataset, planned: tuple[int, int]) -> Check:
    bad = [str(name) for part in (posterior, estimands) for name, value in part.items() if not np.isfinite(value).all()]
    shape = (posterior.sizes["chain"], posterior.sizes["draw"])
    right = shape == planned and not bad
    return Check(
        "chains and draws as planned, all finite",
        GREEN if right else RED,
        f"{shape[0]} × {shape[1]}",
        ", ".join(bad),
        f"{planned[0]} × {planned[1]}, finite",
        "",
        "A run cut short, or a value that is not a number, cannot be trusted.",
    )


def _effective(found: pd.DataFrame, estimands: set[str]) -> list[Check]:
    core = found.name.isin([*FIXED_EFFECTS, *estimands])
    checks = []
    for name, rows in (
        ("effective draws, estimands and fixed effects", found[core]),
        ("effective draws, spreads and participants", found[~core]),
    ):
        if len(rows):
            least = rows[["ess_bulk", "ess_tail"]].astype(float).min(axis=1)
            checks.append(
                limited(name, *_extreme(least, largest=False), "Fewer effective draws mean larger Monte-Carlo error.")
            )
    return checks


def _monte_carlo(primary: pd.Series, margin: float) -> list[Check]:
    name = f"{primary.estimand}[{primary.wave}]"
    text = "Error of the simulation itself, against the smallest difference that matters; more draws shrink it."
    return [
        limited(
            "Monte-Carlo error of the primary median",
            primary.mcse_median / margin,
            name,
            text,
            f"{primary.mcse_median / margin:.1%} of the margin",
        ),
        limited(
            "Monte-Carlo error of its interval",
            max(primary.mcse_lower, primary.mcse_upper) / margin,
            name,
            text,
            f"{max(primary.mcse_lower, primary.mcse_upper) / margin:.1%} of the margin",
        ),
    ]


def _sampler(group: xr.Dataset) -> list[Check]:
    divergent = float(group["diverging"].mean()) if "diverging" in group else float("nan")
    saturated = float(group["maxdepth_reached"].mean()) if "maxdepth_reached" in group else float("nan")
    energy = group["energy"].to_numpy()
    bfmi = (np.diff(energy, axis=1) ** 2).mean(1) / energy.var(1)
    count = "not recorded" if np.isnan(divergent) else f"{int(group['diverging'].sum())} of {group['diverging'].size}"
    return [
        limited("divergences", divergent, "", "A divergence means that part of the posterior was not explored.", count),
        limited(
            "tree depth saturated",
            saturated,
            "",
            "Trajectories cut short explore slowly.",
            "not recorded"
            if np.isnan(saturated)
            else f"{int(group['maxdepth_reached'].sum())} of {group['maxdepth_reached'].size}",
        ),
        limited(
            "E-BFMI, smallest",
            float(bfmi.min()),
            f"chain {int(bfmi.argmin()) + 1}",
            "A low value means that heavy tails were explored slowly.",
            f"{bfmi.min():.2f}",
        ),
    ]


def _pareto(left_out: tuple[int, int] | None) -> Check:
    name = "Pareto k above 0.7"
    text = "Of whoever is left out in turn, those on whom the fit leans so much that leaving them out is not known."
    if left_out is None:
        limit = LIMITS[name]
        return Check(name, AMBER, "not run", "", limit.words(limit.good), limit.words(limit.fair), text)
    above, total = left_out
    return limited(name, above / max(1, total), "", text, f"{above} of {total}")


def _cells(predictive: pd.DataFrame) -> Check:
    cells = predictive[predictive.arm != ""]
    outside = cells[~cells.inside]
    good, fair = (int(stats.binom.ppf(level, len(cells), 0.05)) for level in (0.95, 0.999))
    limit = Limit(good, fair)
    element = "; ".join(f"{row.arm} at {row.wave}" for row in outside.itertuples())
    return Check(
        "arm × wave cells outside 95% predictive intervals",
        limit.status(len(outside)),
        f"{len(outside)} of {len(cells)}",
        element,
        limit.words(good),
        limit.words(fair),
        "The model was fitted to these cells, so that fewer than 1 in 20 fall outside; more mean that it misses a "
        "wave or an arm.",
    )


def _tails(predictive: pd.DataFrame) -> Check:
    rest = predictive[predictive.arm == ""]
    name = "predictive tails of response patterns"
    text = f"How unusual under the model what was observed is, the rarest of these: {', '.join(rest.check)}."
    if rest.empty:
        return Check(name, GREEN, "not applicable", "", "", "", "Nobody has two observed outcomes.")
    return limited(
        name,
        *(float(rest["tail"].min()), str(rest.loc[rest["tail"].idxmin(), "check"])),
        text,
        f"{rest['tail'].min():.3f}",
    )


def _power(power: pd.DataFrame, primary: pd.Series) -> Check:
    row = power[power.element.str.contains(f"[{primary.wave}]", regex=False)].iloc[0]
    scale, unit = (100, " points") if primary.unit == "risk" else (1, f" {primary.unit}")
    moved = f"{_signed(scale * row['shift'])}{unit}"
    shown = f"{row.prior:.2f}; priors that count 1.25 times in place of 0.8 times move the median by {moved}"
    text = "Above the limit the median leans on the priors; below it they may still decide the verdict (§ 8)."
    return limited("power-scaling of the primary estimand", row.prior, str(row.element), text, shown)


def _signed(value: float) -> str:
    """Two digits with their sign, large numbers without an exponent."""
    return f"{float(f'{value:.2g}'):+g}".replace("-", "−")


def _learned(primary: pd.Series) -> Check:
    text = (
        "By how much the variance of the effect on the link scale (log odds, log mean or mean; of all paths together) "
        "fell from its prior's; other follow-ups lend to it. Below a third the prior counts more than twice as much as "
        "the data."
    )
    shown = f"{primary.effect_contraction:.2f}"
    return limited(
        "contraction of the primary effect", primary.effect_contraction, f"theta[{primary.wave}]", text, shown
    )
