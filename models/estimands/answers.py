"""Everything that is asked of one fit, beside its prior: each computed once, when it is first needed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd
import xarray as xr

from models.estimands import estimands, ledger, path_estimates, summary
from models.estimands.ledger import Estimate
from models.estimands.path_draws import PathDraws
from models.estimands.path_effects import paths
from models.estimands.response import possible, response
from models.inference import effort
from models.inference.fitted import Fit


@dataclass(frozen=True)
class Answers:
    """Estimands of one fit.

    Attributes
    ----------
    fit : Fit
        The fit.
    """

    fit: Fit

    @cached_property
    def prior(self) -> xr.Dataset:
        """Draws of the prior, dims (chain 1, draw, …)."""
        fit = self.fit
        size = effort.PATH_PRIOR if fit.model.mediated else effort.PRIOR
        return fit.model.prior(fit.design, fit.priors, size, fit.sampler.seed)

    @cached_property
    def averages(self) -> list[str]:
        """Averages over participants that both the posterior and the prior allow."""
        before = possible(self.prior, self.fit.design)
        return [name for name in possible(self.fit.posterior, self.fit.design) if name in before]

    @cached_property
    def levels(self) -> xr.DataArray:
        """Expected outcomes in each arm (`response`)."""
        return response(self.fit.model, self.fit.posterior, self.fit.design, self.averages)

    @cached_property
    def prior_levels(self) -> xr.DataArray:
        """The same of the prior."""
        return response(self.fit.model, self.prior, self.fit.design, self.averages)

    @cached_property
    def contrasts(self) -> xr.Dataset:
        """Every estimand of the outcome at every draw (`estimands.contrasts`)."""
        return estimands.contrasts(self.levels, self.fit.study)

    @cached_property
    def prior_contrasts(self) -> xr.Dataset:
        """The same of the prior."""
        return estimands.contrasts(self.prior_levels, self.fit.study)

    @cached_property
    def paths(self) -> PathDraws:
        """What goes through and beside the mediators at every draw; nothing of a model without them."""
        return paths(self.fit.model, self.fit.posterior, self.fit.design, self.fit.order)

    @cached_property
    def prior_paths(self) -> PathDraws:
        """The same of the prior."""
        return paths(self.fit.model, self.prior, self.fit.design, self.fit.order)

    @cached_property
    def through(self) -> list[Estimate]:
        """Path estimands as estimates."""
        return self._with_training(self.paths, self.levels)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row for each estimate, with its prior (`summary.summarise`)."""
        fit = self.fit
        offered = {row.wave for row in self.through if row.estimand == "change_training_share"}
        before = self._with_training(self.prior_paths, self.prior_levels, offered)
        found = ledger.with_prior(
            [*estimands.estimates(self.contrasts, fit.study, fit.trial), *self.through],
            [*estimands.estimates(self.prior_contrasts, fit.study, fit.trial), *before],
        )
        contractions = summary.effect_contractions(self.levels, self.prior_levels, fit.design.likelihood)
        return summary.summarise(found, fit.study, path_estimates.tipping(self.through, fit.study), contractions)

    def _with_training(self, found: PathDraws, levels: xr.DataArray, offered: set[str] | None = None) -> list[Estimate]:
        rows = path_estimates.estimates(found, self.fit.study, self.fit.trial, self.fit.design)
        return rows + path_estimates.training(rows, levels, self.fit, offered)
