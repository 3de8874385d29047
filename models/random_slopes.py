"""The effect model in which participants also differ in how they change: a sensitivity analysis, never the default.

MODEL.md, "Random slopes". Four yes-or-no answers a participant say little of their slope; what is asked is whether
the answer moves when it is allowed for. Only the verbs that a refit needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from models import effect, equations, top_level
from models.averages import labelled
from models.design import Design
from models.random_variables import STANDARD
from models.terms import wave_terms
from priors.prior_set import PriorSet

NAME = "random slopes"
PAIR = "trait, slope"
data, observed, shape = effect.data, effect.observed, effect.shape


def dimensions(design: Design) -> dict[str, tuple[str, ...]]:
    """Top-level parameters and their dimensions: those of the effect model, the slopes' SD, their correlation."""
    return effect.dimensions(design) | {"tau_slope": (), "partial_correlation": ("pair",)}


def coordinates(design: Design) -> dict[str, list[str]]:
    """Labels of every dimension of a parameter."""
    return effect.coordinates(design) | {"pair": [PAIR]}


def lacking(design: Design) -> str:
    """Why the model cannot be fitted to a design; empty where it can."""
    if not design.has_trait or len(design.wave) < 3:
        return "slopes need three waves or more, and participants seen more than once."
    return ""


def elapsed(design: Design) -> np.ndarray:
    """Time of each wave, 0 at the first and 1 at the last, (wave,)."""
    month = np.array(design.month)
    return (month - month[0]) / (month[-1] - month[0])


def build(design: Design, priors: PriorSet) -> pm.Model:
    """The generative model, as `models.effect.build`, with b + s · time in place of b for each participant."""

    def own(values: Mapping[str, Any], known: Mapping[str, Any], score: Any) -> Any:  # noqa: ARG001
        first = pm.Normal(f"trait{STANDARD}", dims="participant")
        second = pm.Normal(f"slope{STANDARD}", dims="participant")
        root = equations.correlation_root(values["partial_correlation"], 2)
        trait = values["tau"] * first
        slope = values["tau_slope"] * (root[1][0] * first + root[1][1] * second)
        person = known["participant_of"]
        return trait[person] + slope[person] * pt.constant(elapsed(design))[known["wave_of"]]

    return effect.assemble(design, priors, dimensions(design), coordinates(design), own)


def prior(design: Design, priors: PriorSet, draws: int, seed: int) -> xr.Dataset:
    """Independent draws of the top-level parameters from the prior, dims (chain 1, draw, …)."""
    parameters = dimensions(design)
    seeds = [[seed, number] for number in range(len(parameters))]
    return top_level.drawn(parameters, coordinates(design), priors, draws, seeds)


def response(draws: xr.Dataset, design: Design, averages: Sequence[str] = ("population",)) -> xr.DataArray:
    """Expected outcome if everybody were in one arm, population average; as `models.effect.response`.

    A participant's own term at time t is normal with variance τ² + 2 ρ τ τₛ t + τₛ² t².
    """
    flat = draws.stack(sample=("chain", "draw"), create_index=False).transpose("sample", ...)
    values = {str(name): value.to_numpy() for name, value in flat.items()}
    time, tau, slope = elapsed(design), values["tau"][:, None], values["tau_slope"][:, None]
    sd = np.sqrt(tau**2 + 2 * values["partial_correlation"] * tau * slope * time + (slope * time) ** 2)
    level, change = wave_terms(values, design)
    arms = np.array([-0.5, 0.5])[:, None, None]
    result = np.empty((len(sd), 1, 2, len(design.wave)))
    block = max(1, effect.BLOCK // (design.participants * result[0].size))
    for start in range(0, len(sd), block):
        part = slice(start, start + block)
        terms = level[part, None, :, None], change[part, None, :, None], arms
        result[part, 0] = effect.averaged(flat.isel(sample=part), design, *terms, sd[part, None, :, None])
    return labelled(draws, design, averages, result)
