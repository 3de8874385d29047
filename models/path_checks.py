"""Checks of the gate that belong to paths: parts that sum, integration that is exact enough, models that agree."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from models.gate_limits import limited, unneeded
from models.gate_table import AMBER, GREEN, RED, Check
from models.path_draws import PathDraws

SUMS = 1e-8
"""Largest difference between a total and the sum of its parts, at any draw."""
APART, ERRORS = 0.25, 4
"""Two models' totals may differ by so many posterior SDs plus so many Monte-Carlo standard errors."""


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
    worst = max(found, key=lambda name: found[name], default="")
    text = "Direct and indirect effects must add up to the total at every draw, parts of a change to the change."
    if not found:
        return Check("total − sum of parts", GREEN, "not applicable", "", "", "", text)
    status = GREEN if found[worst] < SUMS else RED
    value, limit = (f"{number:.0e}".replace("-", "−") for number in (found[worst], SUMS))
    return Check("total − sum of parts", status, value, worst, f"< {limit}", "", text)


def _integration(table: pd.DataFrame) -> Check:
    known = table[(table["sd"] > 1e-12) & table["integration_error"].notna()]
    share = (known["integration_error"] / known["sd"]) ** 2
    worst = known.loc[share.idxmax()]
    name = f"{worst['estimand']}[{', '.join(filter(None, (worst['mediator'], worst['arm'], worst['wave'])))}]"
    value = float(share.max())
    text = "Averages over participants are taken at finitely many points; the spread over sets of points measures it."
    return limited("integration error of the averages", value, name, text, f"{value:.1e} of the posterior variance")


def distributions(pit: xr.Dataset) -> Check:
    """Mediators' values beside the distributions that they are given, `pit` from a model's `mediator_pit`."""
    name = "mediators' distributions"
    text = (
        "How often a mediator with the assumed distribution would look so unlike it (its values' leave-one-out "
        "probabilities, § 7). Below the limit it has another shape: declare it as a share or as yes or no, analyse its "
        "logarithm, or take the family with heavier tails."
    )
    if not pit.sizes:
        return unneeded(name, text)
    rare = pit["chance"].to_numpy()
    worst = pit["mediator"].to_numpy()[rare.argmin()]
    return limited(name, float(rare.min()), f"mediator[{worst}]", text, f"{rare.min():.4f}")


def coherence(effect: pd.Series, mediation: pd.Series) -> Check:
    """Whether two models give the same primary difference, each a row of `summary.summarise`."""
    apart = abs(effect["median"] - mediation["median"])
    error = float(np.hypot(effect["mcse_median"], mediation["mcse_median"]))
    allowed = APART * effect["sd"] + ERRORS * error
    return Check(
        "total effect agrees with the effect model's",
        GREEN if apart <= allowed else AMBER,
        f"{apart / effect['sd']:.2f} posterior SD",
        f"{effect['estimand']}[{effect['wave']}]",
        f"≤ {APART:g} SD + {ERRORS} Monte-Carlo errors",
        "above",
        "Both models estimate the same total; where they part, one of them is misspecified or its priors pull.",
    )
