"""The effect model in which participants also differ in how they change: a sensitivity analysis, never the default.

    b_i + s_i · time_t in place of b_i,   (b_i, s_i) ~ N(0; τ², τₛ², ρ)

MODEL.md, "Random slopes". Four yes-or-no answers a participant say little of their slope; what is asked is whether
the answer moves when it is allowed for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from models.design.layout import Design
from models.design.mediators import NO_MEDIATORS
from models.equations import density, groups, predictors, top_level
from models.equations.density import Sampled
from models.equations.effect import Effect
from models.equations.kernels import slopes_kernel
from models.equations.model import Computation, Model
from models.equations.random_variables import STANDARD
from models.equations.ready import Ready
from priors.prior_set import PriorSet

PAIR = "trait, slope"


@dataclass(frozen=True)
class SlopesSampled(Sampled):
    """Traits and slopes are sampled, and not kept."""

    def ready(self, model: Model, design: Design, priors: PriorSet) -> Ready:
        """The trial and its priors, packed for the kernel."""
        bare = replace(design, mediators=NO_MEDIATORS)
        distinct, times = np.unique(design.outcome, return_counts=True)
        entry = density.entries(model, bare)
        seen = slopes_kernel.Sloping(
            design.family.number,
            design.participant_of.astype(int),
            design.wave_of.astype(int),
            design.outcome.astype(float),
            design.offset,
            distinct.astype(float),
            times.astype(float),
            elapsed(design),
            entry["tau_slope"],
            entry["partial_correlation"],
        )
        trial = (*density.given_of(model, bare, priors, density.NO_TRAITS), tuple(seen))
        return density.to_sample(
            model,
            bare,
            slopes_kernel.called,
            trial,
            density.levels_of_groups(bare) + 2 * design.participants,
            density.groups_kept(bare, trial),
        )


@dataclass(frozen=True)
class RandomSlopes(Effect):
    """The effect model with random slopes; its draws hold no participant's own terms."""

    computation: Computation = SlopesSampled()
    name: ClassVar[str] = "random slopes"

    def seen(self, design: Design) -> Design:
        """A trial as it is: slopes and traits make the waves' covariance."""
        return design

    def dimensions(self, design: Design) -> dict[str, tuple[str, ...]]:
        """Those of the effect model, the slopes' SD, their correlation."""
        return super().dimensions(design) | {"tau_slope": (), "partial_correlation": ("pair",)}

    def coordinates(self, design: Design) -> dict[str, list[str]]:
        """Those of the effect model, and the one pair."""
        return super().coordinates(design) | {"pair": [PAIR]}

    def own_terms(self, values: Mapping[str, Any], known: Mapping[str, Any], score: Any, design: Design) -> Any:  # noqa: ARG002
        """Trait and slope · time at each observed cell, as multiples of their SDs."""
        first = pm.Normal(f"trait{STANDARD}", dims="participant")
        second = pm.Normal(f"slope{STANDARD}", dims="participant")
        root = predictors.correlation_root(values["partial_correlation"], 2)
        trait = values["tau"] * first
        slope = values["tau_slope"] * (root[1][0] * first + root[1][1] * second)
        person = known["participant_of"]
        return trait[person] + slope[person] * pt.constant(elapsed(design))[known["wave_of"]]

    def own_sd(self, values: Mapping[str, np.ndarray], design: Design) -> np.ndarray:
        """SD of the own term at time t: its variance is τ² + 2 ρ τ τₛ t + τₛ² t²."""
        time, tau, slope = elapsed(design), values["tau"][:, None], values["tau_slope"][:, None]
        return np.sqrt(tau**2 + 2 * values["partial_correlation"] * tau * slope * time + (slope * time) ** 2)

    def prior(self, design: Design, priors: PriorSet, draws: int, seed: int) -> xr.Dataset:
        """Draws of the top-level parameters alone, dims (chain 1, draw, …)."""
        parameters = self.dimensions(design)
        seeds = [[seed, number] for number in range(len(parameters))]
        return top_level.drawn(parameters, self.coordinates(design), priors, draws, seeds)

    def predictor_of_new(self, draws: xr.Dataset, design: Design, rng: np.random.Generator) -> np.ndarray:
        """Linear predictor of the observed cells for new participants, each with a slope of their own."""
        first, second = rng.standard_normal((2, *draws["mu_0"].shape, design.participants))
        values = {name: draws[name].to_numpy()[..., None] for name in ("tau", "tau_slope")}
        root = predictors.correlation_root(draws["partial_correlation"].to_numpy(), 2)
        slope = values["tau_slope"] * (root[1][0][..., None] * first + root[1][1][..., None] * second)
        person = design.participant_of
        moved = slope[..., person] * elapsed(design)[design.wave_of]
        found = draws.assign(groups.drawn_anew(draws, design, rng))
        return self.predictor(found, design, values["tau"] * first) + moved

    def lacking(self, design: Design) -> str:
        """Why slopes cannot be told from levels; empty where they can."""
        if design.correlated:
            return "any two waves of a participant have a correlation of their own already."
        if not design.has_trait or len(design.wave) < 3:
            return "slopes need three waves or more, and participants seen more than once."
        return ""


def elapsed(design: Design) -> np.ndarray:
    """Time of each wave, 0 at the first and 1 at the last, (wave,)."""
    month = np.array(design.month)
    return (month - month[0]) / (month[-1] - month[0])
