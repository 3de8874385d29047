"""Direct and indirect effects where unmeasured causes of a mediator and the outcome are behind part of its slope.

ζ is that part, on the outcome's link scale: per residual SD of a continuous mediator, per SD at the first wave of a
share or a yes-or-no one. For a continuous mediator ζ = ρ / √(1 − ρ²) with a probit outcome and ρ s / √(1 − ρ²) with a
continuous one, ρ being the residual correlation (methods of Imai, Keele & Yamamoto 2010). The total does not move with
it. MODEL.md, "Bias parameters".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from models.design.layout import Design
from models.equations.mediator_parameters import acting, spread_of
from models.estimands import path_effects
from models.estimands.counterfactuals import World
from models.estimands.points import Points
from models.estimands.summary import LOWER, UPPER
from models.estimands.totals import points_of
from models.inference.fitted import Fit

ZETAS = (-1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0)
SEED = 31


def confounding(fit: Fit) -> pd.DataFrame:
    """Direct and indirect effects at chosen values of ζ, one mediator at a time; at ζ = 0 those of the main analysis.

    Parameters
    ----------
    fit : Fit
        Of the mediation model; all its draws are used, and row `confounding` of its priors is the belief about ζ.

    Returns
    -------
    DataFrame
        kind ("grid", "prior", "tipping" or "not run"), mediator, value (ζ), effect (natural_direct or
        interventional_via), median, lower, upper, reason. A tipping row's value is the ζ that would explain the
        median slope away.
    """
    posterior, layout, priors, wave = fit.posterior, fit.design, fit.priors, fit.study.primary_wave
    if layout.wave.index(wave) not in path_effects.ordered(layout):
        reason = "no mediator is ordered before the outcome at the primary wave."
        return pd.DataFrame([{"kind": "not run", "mediator": "", "reason": reason}])
    answers = _Answers(posterior, layout, wave, fit.order)
    shape = posterior.sizes["chain"], posterior.sizes["draw"]
    rows: list[dict[str, object]] = []
    for place in acting(layout):
        name = layout.mediators.name[place]
        rows += [
            {"kind": "grid", "mediator": name, "value": zeta, **row}
            for zeta in ZETAS
            for row in answers.at(place, np.full(shape, zeta))
        ]
        lacking = priors.lacking("confounding")
        if lacking:
            rows.append({"kind": "not run", "mediator": name, "reason": lacking})
            continue
        drawn = priors["confounding"].sample(np.random.default_rng([SEED, place]), shape)
        rows += [{"kind": "prior", "mediator": name, **row} for row in answers.at(place, drawn)]
        rows.append({"kind": "tipping", "mediator": name, "value": _tipping(posterior, layout, place)})
    return pd.DataFrame(rows)


class _Answers:
    """Effects at one wave by ζ; worlds that ζ does not touch are computed once, on the points of the main analysis."""

    def __init__(self, posterior: xr.Dataset, layout: Design, wave: str, order: Sequence[str]) -> None:
        self.posterior, self.layout = posterior, layout
        own = layout.mediators.name
        self.names = [name for name in order if name in own] or list(own)
        places = [own.index(name) for name in self.names]
        self.worlds = path_effects.worlds_at(layout, layout.wave.index(wave), places, own=False, interaction=False)
        self.points: Points = points_of(layout)
        self.plain = path_effects.expected_outcomes(posterior, layout, self.worlds, self.points)

    def at(self, place: int, zeta: np.ndarray) -> Iterator[dict[str, object]]:
        """Median and interval of the direct effect and of the one via this mediator, ζ given at each draw."""
        values = np.zeros((*zeta.shape, self.layout.mediators.count))
        values[..., place] = zeta
        draws = self.posterior.assign(confounding=(("chain", "draw", "every_mediator"), values))
        touched = {key: world for key, world in self.worlds.items() if _crossed(world, place)} if zeta.any() else {}
        moved = path_effects.expected_outcomes(draws, self.layout, touched, self.points)
        found = path_effects.effects({**self.plain, **moved}, self.names, interaction=False)
        for effect in ("natural_direct", "interventional_via"):
            part = found[effect].mean("replicate")  # in the order of `path_draws`: the same to the last bit
            part = part.sel(mediator=self.layout.mediators.name[place]) if "mediator" in part.dims else part
            lower, median, upper = np.quantile(part, [LOWER, 0.5, UPPER])
            yield {"effect": effect, "median": float(median), "lower": float(lower), "upper": float(upper)}


def _crossed(world: World, place: int) -> bool:
    """Whether the outcome has one arm and this mediator the other."""
    source = world.sources[place]
    return isinstance(source, tuple) and source[0] != world.arm


def _tipping(posterior: xr.Dataset, layout: Design, place: int) -> float:
    """Median of the slope, in the unit of ζ."""
    flat: Mapping[str, np.ndarray] = {
        str(name): value.transpose("chain", "draw", ...).to_numpy() for name, value in posterior.items()
    }
    slope = flat["slope"][..., acting(layout).index(place)]
    per_sd = spread_of(place, flat, layout)["residual_sd"] if layout.mediators.continuous[place] else 1.0
    return float(np.median(slope * per_sd))
