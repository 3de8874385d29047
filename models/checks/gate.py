"""Can the computation be trusted? Every check on parameters and estimands alike, each against limits from one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats.base import array_stats
from scipy import stats

from models.checks.gate_limits import LIMITS, decided, limited, unneeded
from models.checks.gate_table import Check, CheckName, Coords, Gate, Limit, Status
from models.estimands import coordinates
from models.estimands.summary import convergence
from models.inference.fitted import Fit

_TERMS = ("mu_0", "step", "theta", "theta_negative_control", "gamma")
FIXED_EFFECTS = (*_TERMS, *(f"mediator_{name}" for name in _TERMS), "slope", "interaction")


def gate(
    fit: Fit,
    estimands: xr.Dataset,
    table: pd.DataFrame,
    left_out: tuple[int, int] | str,
    predictive: pd.DataFrame,
    power: pd.DataFrame,
    data_unchanged: bool,
    further: tuple[Check, ...] = (),
) -> Gate:
    """Make every check.

    Parameters
    ----------
    fit : Fit
        Its draws, what the sampler says of them, and the margin of its study.
    estimands : Dataset
        dims (chain, draw, …).
    table : DataFrame
        From `summary.summarise`.
    left_out : (int, int) or str
        How many could not be left out, and of how many; why, where leave-one-out was not run.
    predictive, power : DataFrame
        From `predictive.compare` and `sensitivity.power_scaling`.
    data_unchanged : bool
        Whether the data file still has the hash with which the run began.
    further : tuple of Check
        Checks that one model alone has.
    """
    found = [*_elements(convergence(fit.posterior)), *_elements(convergence(estimands))]
    primary = table[table.primary].iloc[0]
    return Gate(
        (
            _complete(fit.posterior, estimands, (fit.sampler.chains, fit.sampler.draws)),
            *_convergence(found, set(map(str, estimands.data_vars))),
            *_monte_carlo(primary, fit.study.outcome.margin),
            *_sampler(fit.sample_stats),
            _pareto(left_out),
            _cells(predictive),
            _tails(predictive),
            _power(power, primary),
            _learned(primary),
            *further,
            decided(CheckName.DATA_HASH, Status.GREEN if data_unchanged else Status.RED),
        )
    )


def short_of_draws(diagnostics: xr.Dataset) -> bool:
    """Whether R-hat or effective draws of some parameters, from `summary.convergence`, fall short of the limits."""
    return not all(check.passed for check in _convergence(_elements(diagnostics), set()))


@dataclass(frozen=True)
class _Element:
    """Diagnostics of one scalar, and where it stands."""

    where: Coords
    rhat: float
    least_ess: float

    @property
    def variable(self) -> str:
        """The parameter or estimand that it is of."""
        return str(self.where[coordinates.VARIABLE])


def _elements(diagnostics: xr.Dataset) -> list[_Element]:
    """Every scalar of every variable, in order."""
    found: list[_Element] = []
    for value in diagnostics.values():
        by_kind = value.transpose("diagnostic", ...)
        rhat, bulk, tail = (
            by_kind.sel(diagnostic=kind).to_numpy().ravel() for kind in ("rhat", "ess_bulk", "ess_tail")
        )
        found += map(_Element, coordinates.places(value), rhat.tolist(), np.fmin(bulk, tail).tolist())
    return found


def _convergence(found: list[_Element], estimands: set[str]) -> list[Check]:
    core = [each for each in found if each.variable in (*FIXED_EFFECTS, *estimands)]
    rest = [each for each in found if each.variable not in (*FIXED_EFFECTS, *estimands)]
    by_name = {CheckName.CORE_ESS: core, CheckName.OTHER_ESS: rest}
    return [
        _worst(CheckName.R_HAT, found, lambda each: each.rhat, max),
        *(_worst(name, some, lambda each: each.least_ess, min) for name, some in by_name.items() if some),
    ]


def _worst(
    name: CheckName, found: list[_Element], figure: Callable[[_Element], float], pick: Callable[..., _Element]
) -> Check:
    """The check by its worst element; a figure is NaN where one never varies, such as an effect that is exactly 0."""
    known = [each for each in found if not np.isnan(figure(each))]
    if not known:
        return limited(name, np.nan)
    worst = pick(known, key=figure)
    return limited(name, figure(worst), worst.where)


def _complete(posterior: xr.Dataset, estimands: xr.Dataset, planned: tuple[int, int]) -> Check:
    bad = [str(name) for part in (posterior, estimands) for name, value in part.items() if not np.isfinite(value).all()]
    made = posterior.sizes["chain"], posterior.sizes["draw"]
    return decided(
        CheckName.COMPLETE,
        Status.GREEN if made == planned and not bad else Status.RED,
        *({"variable": name} for name in bad),
        **dict(zip(("chains", "draws", "planned_chains", "planned_draws"), (*made, *planned), strict=True)),
    )


def _monte_carlo(primary: pd.Series, margin: float) -> list[Check]:
    where = {"variable": primary.estimand, "wave": primary.wave}
    of_interval = max(primary.mcse_lower, primary.mcse_upper)
    return [
        limited(CheckName.MEDIAN_ERROR, primary.mcse_median / margin, where),
        limited(CheckName.INTERVAL_ERROR, of_interval / margin, where),
    ]


def _sampler(group: xr.Dataset) -> list[Check]:
    energy = group["energy"]
    bfmi = array_stats.bfmi(energy.to_numpy())
    slowest = int(bfmi.argmin())
    return [
        _counted(CheckName.DIVERGENCES, group, "diverging"),
        _counted(CheckName.TREE_DEPTH, group, "maxdepth_reached"),
        limited(CheckName.ENERGY, bfmi[slowest], {"chain": int(energy["chain"][slowest])}),
    ]


def _counted(name: CheckName, group: xr.Dataset, flag: str) -> Check:
    """Share of draws with a flag of the sampler; unknown, and so not passed, where it was not recorded."""
    if flag not in group:
        return limited(name, np.nan)
    return limited(name, float(group[flag].mean()), figures={"count": int(group[flag].sum()), "of": group[flag].size})


def _pareto(left_out: tuple[int, int] | str) -> Check:
    if isinstance(left_out, str):
        name = CheckName.PARETO_K
        return Check(name, np.nan, LIMITS[name], (), Status.AMBER, remarks=(left_out,))
    above, total = left_out
    return limited(CheckName.PARETO_K, above / max(1, total), figures={"count": above, "of": total})


def _cells(predictive: pd.DataFrame) -> Check:
    """Cells outside: the model was fitted to them, so that fewer than 1 in 20 are."""
    cells = predictive[predictive.arm != ""]
    outside = cells[~cells.inside]
    good, fair = (int(stats.binom.ppf(level, len(cells), 0.05)) for level in (0.95, 0.999))
    where = [{"arm": row.arm, "wave": row.wave} for row in outside.itertuples()]
    return limited(CheckName.CELLS, len(outside), *where, figures={"of": len(cells)}, limit=Limit(good, fair))


def _tails(predictive: pd.DataFrame) -> Check:
    rest = predictive[predictive.arm == ""]
    if rest.empty:
        return unneeded(CheckName.TAILS, "Nobody has two observed outcomes.")
    rarest = rest.loc[rest["tail"].idxmin()]
    tails = rest.groupby("check", sort=False)["tail"].min().astype(float).to_dict()
    where = {"check": rarest["check"]} | ({"wave": rarest["wave"]} if rarest["wave"] else {})
    return limited(CheckName.TAILS, rarest["tail"], where, figures=tails)


def _power(power: pd.DataFrame, primary: pd.Series) -> Check:
    row = power[power.wave == primary.wave].iloc[0]
    where = {"variable": row.estimand, "wave": row.wave}
    return limited(CheckName.POWER_SCALING, row.prior, where, figures={"shift": float(row["shift"])})


def _learned(primary: pd.Series) -> Check:
    where = {"variable": "theta", "wave": primary.wave}
    return limited(CheckName.CONTRACTION, primary.effect_contraction, where)
