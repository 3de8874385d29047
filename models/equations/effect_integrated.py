"""The effect model's likelihood with each participant's trait integrated out: the same posterior of fewer unknowns.

NUTS moves in the top-level parameters alone, and its cost grows with distinct outcome histories, not with participants
(`histories`). Priors and equations are those of `effect`. MODEL.md, "Fitting without the traits".
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import xarray as xr

from models.design.layout import Design
from models.design.mediators import NO_MEDIATORS
from models.equations import density, wave_covariance
from models.equations.density import NO_TRAITS
from models.equations.histories import integrated_likelihood
from models.equations.kernels import integrated_kernel
from models.equations.model import Computation, Model, too_many
from models.equations.ready import Ready
from priors.prior_set import PriorSet


@dataclass(frozen=True)
class Integrated(Computation):
    """Traits of the effect model are integrated out, in a kernel that sums over distinct histories."""

    def ready(self, model: Model, design: Design, priors: PriorSet) -> Ready:
        """Distinct histories and the priors, packed for the kernel."""
        seen, bare = design.histories, replace(design, mediators=NO_MEDIATORS)
        # patterns stand in for participants, and no trait of them is sampled
        of_patterns = replace(
            bare, arm=seen.arm, covariates=seen.covariates, groups=replace(design.groups, member=seen.group)
        )
        # where the waves' correlations begin among the parameters; −1 where a trait makes them
        partial = density.entries(model, bare)[wave_covariance.PARTIAL] if design.correlated else -1
        histories = (design.family.number, seen.offset.ravel(), tuple(seen.structure.values()), partial)
        trial = (*density.given_of(model, of_patterns, priors, NO_TRAITS), histories)
        return density.to_sample(
            model,
            bare,
            integrated_kernel.called,
            trial,
            density.levels_of_groups(bare),
            density.groups_kept(bare, trial),
        )

    def completed(self, draws: xr.Dataset, design: Design, seed: int) -> xr.Dataset:
        """The draws with participants' traits, each drawn exactly from its conditional distribution (`traits.drawn`).

        Of a very large trial (`model.MOST_TRAITS`) none is formed: what needs them takes some participants, or is left
        out.
        """
        if not design.has_trait or "trait" in draws or too_many(draws, design):
            return draws
        return draws.assign(trait=(("chain", "draw", "participant"), integrated_likelihood.traits(draws, design, seed)))
