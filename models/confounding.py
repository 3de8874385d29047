"""Direct and indirect effects where unmeasured causes of a mediator and the outcome are behind part of its slope.

ζ is that part, on the outcome's link scale per residual SD of the mediator: for a probit outcome ζ = ρ / √(1 − ρ²),
for a continuous one ρ s / √(1 − ρ²), ρ being the residual correlation (methods of Imai, Keele & Yamamoto 2010). The
total does not move with it. MODEL.md, "Bias parameters".
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from models import paths
from models.design import Design
from models.mediator_parameters import acting, spread_of
from models.summary import LOWER, UPPER
from models.totals import points_of
from priors.prior_set import PriorSet

ZETAS = (-1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0)
DRAWS = 400
"""Of the posterior; the numbers are for comparison with each other."""
SEED = 31


def confounding(posterior: xr.Dataset, layout: Design, priors: PriorSet, wave: str) -> pd.DataFrame:
    """Direct and indirect effects at chosen values of ζ, one mediator at a time.

    Parameters
    ----------
    posterior : Dataset
        Completed draws of the mediation model.
    layout : Design
        As analysed.
    priors : PriorSet
        Row `confounding` is the belief about ζ.
    wave : str
        The primary one.

    Returns
    -------
    DataFrame
        kind ("grid", "prior", "tipping" or "not run"), mediator, value (ζ), effect (natural_direct or
        interventional_via), median, lower, upper, reason. A tipping row's value is the ζ that would explain the
        median slope away.
    """
    reason = _reason(layout, wave)
    if reason:
        return pd.DataFrame([{"kind": "not run", "mediator": "", "reason": reason}])
    step = max(1, posterior.sizes["chain"] * posterior.sizes["draw"] // DRAWS)
    thin = posterior.isel(draw=slice(None, None, step))
    shape = thin.sizes["chain"], thin.sizes["draw"]
    rows: list[dict[str, object]] = []
    for place in acting(layout):
        name = layout.mediators.name[place]
        if layout.mediators.kind[place] not in ("normal", "student"):
            told = "ζ and ρ are defined for continuous mediators; of this kind no such analysis is made."
            rows.append({"kind": "not run", "mediator": name, "reason": told})
            continue
        rows += [
            {"kind": "grid", "mediator": name, "value": zeta, **row}
            for zeta in ZETAS
            for row in _effects(thin, layout, place, wave, np.full(shape, zeta))
        ]
        lacking = priors.lacking("confounding")
        if lacking:
            rows.append({"kind": "not run", "mediator": name, "reason": lacking})
            continue
        drawn = priors["confounding"].sample(np.random.default_rng([SEED, place]), shape)
        rows += [{"kind": "prior", "mediator": name, **row} for row in _effects(thin, layout, place, wave, drawn)]
        rows.append({"kind": "tipping", "mediator": name, "value": _tipping(posterior, layout, place)})
    return pd.DataFrame(rows)


def _reason(layout: Design, wave: str) -> str:
    if layout.wave.index(wave) not in paths.ordered(layout):
        return "no mediator is ordered before the outcome at the primary wave."
    if any(layout.mediators.interaction):
        return "the algebra of unmeasured causes is for slopes that are equal in both arms."
    return ""


def _effects(thin: xr.Dataset, layout: Design, place: int, wave: str, zeta: np.ndarray) -> list[dict[str, object]]:
    values = np.zeros((*zeta.shape, layout.mediators.count))
    values[..., place] = zeta
    draws = thin.assign(confounding=(("chain", "draw", "every_mediator"), values))
    found = paths.effects_at(draws, layout, wave, points_of(layout, wanted=layout.participants))
    name = layout.mediators.name[place]
    parts = {
        "natural_direct": found["natural_direct"],
        "interventional_via": found["interventional_via"].sel(mediator=name),
    }
    rows = []
    for effect, part in parts.items():
        lower, median, upper = np.quantile(part.mean("replicate"), [LOWER, 0.5, UPPER])
        rows.append({"effect": effect, "median": float(median), "lower": float(lower), "upper": float(upper)})
    return rows


def _tipping(posterior: xr.Dataset, layout: Design, place: int) -> float:
    """Median of the slope per residual SD of the mediator."""
    flat = {str(n): v.transpose("chain", "draw", ...).to_numpy() for n, v in posterior.items()}
    slope = flat["slope"][..., acting(layout).index(place)]
    return float(np.median(slope * spread_of(place, flat, layout)["residual_sd"]))
