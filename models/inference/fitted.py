"""What is fitted, and a fit: the values that travel together from the sampler to every estimand and check."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import xarray as xr

from models.design.layout import Design, design
from models.equations.model import Model
from models.equations.ready import Ready
from models.inference.nuts import Sampler, sample
from models.trial.study_file.study import Study
from priors.prior_set import PriorSet


@dataclass(frozen=True)
class Specification:
    """Everything that decides a fit.

    Attributes
    ----------
    study, trial : Study, Dataset
        As read by `models.trial.study_file.study.read` and `models.trial.dataset.load`.
    design : Design
        The trial as the model sees it.
    model : Model
        Which is fitted, and how.
    priors : PriorSet
        A row for every parameter of the model.
    sampler : Sampler
        Settings; its seed also seeds the prior and the replicates.
    """

    study: Study
    trial: xr.Dataset
    design: Design
    model: Model
    priors: PriorSet
    sampler: Sampler

    @classmethod
    def of(cls, study: Study, trial: xr.Dataset, model: Model, priors: PriorSet, sampler: Sampler) -> Specification:
        """The trial laid out for the model."""
        return cls(study, trial, model.seen(design(study, trial)), model, priors, sampler)

    def of_trial(self, trial: xr.Dataset) -> Self:
        """The same of other data of the same study."""
        return replace(self, trial=trial, design=self.model.seen(design(self.study, trial)))

    @property
    def order(self) -> list[str]:
        """Columns of the mediators in the order of the study file."""
        return [part.column for part in self.study.mediators]

    def ready(self) -> Ready:
        """What `nuts.sample` takes."""
        return self.model.ready(self.design, self.priors)

    def refitted(self, sampler: Sampler) -> Fit:
        """A quick fit beside another one, for which it is not to wait: on one core.

        Raises
        ------
        SamplerFailed
            If there is no usable posterior.
        """
        return replace(self, sampler=sampler).fit(sample(self.ready(), sampler, cores=1))

    def fit(self, tree: xr.DataTree) -> Fit:
        """The fit that these draws are.

        Parameters
        ----------
        tree : DataTree
            From `nuts.sample`.
        """
        given = {name: getattr(self, name) for name in Specification.__dataclass_fields__}
        posterior = self.model.completed(tree["posterior"].to_dataset(), self.design, self.sampler.seed)
        return Fit(**given, posterior=posterior, sample_stats=tree["sample_stats"].to_dataset())


@dataclass(frozen=True)
class Fit(Specification):
    """A fitted model.

    Attributes
    ----------
    posterior : Dataset
        Draws, dims (chain, draw, …), with every value that later steps need (`Model.completed`).
    sample_stats : Dataset
        Of the sampler, dims (chain, draw).
    """

    posterior: xr.Dataset
    sample_stats: xr.Dataset

    @property
    def divergences(self) -> int:
        """How many draws the sampler could not follow."""
        return int(self.sample_stats["diverging"].sum())


def as_one_chain(draws: xr.Dataset, places: np.ndarray) -> xr.Dataset:
    """Some draws of all chains as one, dims (chain 1, draw, …).

    Parameters
    ----------
    draws : Dataset
        dims (chain, draw, …).
    places : ndarray of int
        Which, counted through one chain after the other.
    """
    size = draws.sizes["chain"], draws.sizes["draw"]
    chain, draw = (xr.DataArray(at, dims="kept") for at in np.unravel_index(places, size))
    kept = draws.isel(chain=chain, draw=draw).drop_vars(["chain", "draw"], errors="ignore")
    found = kept.rename(kept="draw").expand_dims("chain").assign_coords(chain=[0], draw=np.arange(len(places)))
    return found.transpose("chain", "draw", ...)
