"""Every check of one fit that needs more than its draws: each made once, when it is first needed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr

from models.checks import leave_one_out, left_out, mediator_checks, outcome_checks, path_checks, predictive, sensitivity
from models.checks.gate import gate
from models.checks.gate_table import Check, Gate
from models.design.layout import Design
from models.estimands import estimands, summary
from models.estimands.answers import Answers
from models.inference.fitted import Fit
from models.trial.data_check import Finding


@dataclass(frozen=True)
class Checked:
    """Checks of one fit.

    Attributes
    ----------
    answers : Answers
        Of the fit.
    """

    answers: Answers

    @property
    def fit(self) -> Fit:
        """The fit."""
        return self.answers.fit

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What the data said before any fit."""
        return outcome_checks.before(self.fit.study, self.fit.trial)

    @cached_property
    def _part(self) -> tuple[Design, np.ndarray, str]:
        return predictive.part(self.fit.design, self.fit.sampler.seed)

    @property
    def part(self) -> Design:
        """The participants whose outcomes are replicated."""
        return self._part[0]

    @property
    def kept(self) -> np.ndarray:
        """Which cells of the trial are theirs, (observation,)."""
        return self._part[1]

    @cached_property
    def thin(self) -> xr.Dataset:
        """The draws from which outcomes are replicated."""
        return predictive.thinned(self.fit.posterior, self.part)

    @cached_property
    def replicates(self) -> np.ndarray:
        """Outcomes of new participants in the observed cells, (replicate, observation)."""
        return predictive.replicate(self.fit.model, self.thin, self.part, self.fit.sampler.seed)

    @cached_property
    def compared(self) -> pd.DataFrame:
        """Observed statistics beside their predictive intervals."""
        return predictive.compare(self.replicates, self.part)

    @cached_property
    def mediator_pit(self) -> xr.Dataset:
        """Mediators' transforms beside uniform ones; empty of a model without mediators."""
        return mediator_checks.mediator_pit(self.fit.model, self.fit.posterior, self.fit.design, self.fit.sampler.seed)

    @cached_property
    def log_prior(self) -> xr.Dataset:
        """Log density of each top-level prior at each draw."""
        return self.fit.model.log_prior(self.fit.posterior, self.fit.design, self.fit.priors)

    @cached_property
    def total(self) -> xr.DataArray:
        """Log likelihood of the whole trial at each draw, (chain, draw); a chain in pieces, to bound the memory."""
        fit, length = self.fit, self.fit.posterior.sizes["draw"]
        count = max(1, length * fit.design.outcome.size // leave_one_out.MOST_NUMBERS * 4)
        pieces = np.array_split(np.arange(length), count)
        each = [fit.model.total_log_likelihood(fit.posterior.isel(draw=piece), fit.design) for piece in pieces]
        return xr.DataArray(np.concatenate(each, axis=1), dims=("chain", "draw"))

    @cached_property
    def power(self) -> pd.DataFrame:
        """How much the differences between the arms lean on priors and likelihood."""
        draws = self.answers.contrasts
        named = draws[[name for name in summary.DIFFERENCES if name in draws]]
        differences = named.sel(average=estimands.POPULATION, drop=True)
        return sensitivity.power_scaling(differences, self.log_prior, self.total)

    @cached_property
    def power_of_paths(self) -> pd.DataFrame | None:
        """The same of what goes directly and through each mediator; None where nothing does."""
        return sensitivity.path_scaling(self.answers.paths, self.fit.study.primary_wave, self.log_prior, self.total)

    @cached_property
    def _pointwise(self) -> tuple[np.ndarray | None, str]:
        posterior, design = self.fit.posterior, self.fit.design
        numbers = posterior.sizes["chain"] * posterior.sizes["draw"] * design.outcome.size
        if numbers > leave_one_out.MOST_NUMBERS or (design.has_trait and "trait" not in posterior):
            return None, f"The pointwise log likelihood ({numbers:.1e} numbers) was too large to keep."
        return self.fit.model.log_likelihood(posterior, design), ""

    @property
    def pointwise(self) -> np.ndarray | None:
        """Log likelihood of each outcome, (chain, draw, observation); None where it is too large to keep."""
        return self._pointwise[0]

    @cached_property
    def _loo(self) -> tuple[xr.Dataset | None, str]:
        return left_out.run(self.fit)

    @property
    def loo(self) -> xr.Dataset | None:
        """Leave-one-out; None where it was not run."""
        return self._loo[0]

    @property
    def notes(self) -> tuple[str, ...]:
        """Limitations to print: of the data, the design, the computation, and these checks."""
        fit = self.fit
        return (
            *(each.message for each in self.findings),
            *fit.model.notes(fit.design),
            *fit.model.computed(fit.posterior, fit.design),
            *(note for *_, note in (self._part, self._pointwise, self._loo) if note),
        )

    def gate(self, data_unchanged: bool) -> Gate:
        """The verdict on the computation.

        Parameters
        ----------
        data_unchanged : bool
            Whether the data file still has the hash with which the run began.
        """
        loo, answers = self.loo, self.answers
        return gate(
            self.fit,
            answers.contrasts.merge(answers.paths.flat),
            answers.table,
            self._loo[1] if loo is None else (int(loo["high"]), loo["pareto_k"].size),
            self.compared,
            self.power,
            data_unchanged,
            self._further,
        )

    @property
    def _further(self) -> tuple[Check, ...]:
        fit, answers = self.fit, self.answers
        return (
            *path_checks.checks(answers.paths, answers.table, self.mediator_pit),
            outcome_checks.data(self.findings),
            *outcome_checks.groups(fit.design),
            outcome_checks.spreads(self.replicates, self.part),
            outcome_checks.zeros(fit.design, fit.sampler.seed),
            *outcome_checks.alone(fit.model, answers),
        )
