"""Checks of the gate that belong to paths: parts that sum, integration that is exact enough, models that agree."""

from __future__ import annotations

from math import inf

import numpy as np
import pandas as pd
import xarray as xr

from models.checks.gate_limits import AGREEMENT_ERRORS, AGREEMENT_SDS, limited, unneeded
from models.checks.gate_table import Check, CheckName, Limit
from models.estimands.path_draws import PathDraws


def checks(found: PathDraws, table: pd.DataFrame, pit: xr.Dataset) -> tuple[Check, ...]:
    """Checks of one mediation fit, `pit` from its `mediator_pit`; none where it has no paths."""
    return (_sums(found.values), _integration(table), distributions(pit)) if found.values else ()


def gaps(values: xr.Dataset) -> dict[str, float]:
    """Largest |total − sum of its parts| over all draws, for each split."""
    found = {}
    if "total" in values:
        via = values["interventional_via"].sum("mediator")
        parts = {
            "interventional effects": values["interventional_direct"] + via + values["dependence"],
            "natural effects": values["natural_direct"] + values["natural_indirect"],
        }
        if "mediated_interaction" in values:
            reverse = values["interventional_via_reversed"].sum("mediator")
            parts["interventional effects, other order"] = (
                values["interventional_direct"] + reverse + values["dependence"]
            )
            parts["four-way decomposition"] = (
                values["controlled_direct"]
                + values["reference_interaction"]
                + values["mediated_interaction"]
                + values["natural_indirect_pure"]
            )
        found = {name: float(np.abs(part - values["total"]).max()) for name, part in parts.items()}
    if "common_change" in values:
        parts_of = values["change_via"].sum("mediator") + values["change_remainder"]
        found["change since baseline"] = float(np.abs(parts_of - values["common_change"]).max())
    return found


def _sums(values: xr.Dataset) -> Check:
    found = gaps(values)
    if not found:
        return unneeded(CheckName.SUMS)
    worst = max(found, key=lambda name: found[name])
    return limited(CheckName.SUMS, found[worst], {"split": worst})


def _integration(table: pd.DataFrame) -> Check:
    known = table[(table["sd"] > 1e-12) & table["integration_error"].notna()]
    share = (known["integration_error"] / known["sd"]) ** 2
    worst = known.loc[share.idxmax()]
    where = {dim: worst[dim] for dim in ("mediator", "arm", "wave") if worst[dim]}
    return limited(CheckName.INTEGRATION, share.max(), {"variable": worst["estimand"], **where})


def distributions(pit: xr.Dataset) -> Check:
    """Mediators' values beside the distributions that they are given, `pit` from a model's `mediator_pit`."""
    if not pit.sizes:
        return unneeded(CheckName.DISTRIBUTIONS)
    rare = pit["chance"].to_numpy()
    worst = str(pit["mediator"].to_numpy()[rare.argmin()])
    return limited(CheckName.DISTRIBUTIONS, rare.min(), {"variable": "mediator", "mediator": worst})


def coherence(effect: pd.Series, mediation: pd.Series) -> Check:
    """Whether two models give the same primary difference, each a row of `summary.summarise`; in posterior SDs."""
    sd = effect["sd"]
    apart = abs(effect["median"] - mediation["median"])
    error = np.hypot(effect["mcse_median"], mediation["mcse_median"])
    return limited(
        CheckName.AGREEMENT,
        apart / sd,
        {"variable": effect["estimand"], "wave": effect["wave"]},
        limit=Limit(float(AGREEMENT_SDS + AGREEMENT_ERRORS * error / sd), inf),
    )
