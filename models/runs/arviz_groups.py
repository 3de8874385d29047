"""The groups over observed cells that ArviZ finds by name: data, predictions and pointwise log likelihood.

All three have one variable `outcome` over `observation`, which numbers the cells of a trial: ArviZ compares them by it.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from models.design.layout import Design


def data(trial: xr.Dataset, layout: Design) -> dict[str, xr.Dataset]:
    """What was observed, and what the model takes as given.

    Parameters
    ----------
    trial : Dataset
        As read by `models.trial.dataset.load`.
    layout : Design
        Of that trial.

    Returns
    -------
    dict
        observed_data: `outcome` (observation) in its own unit. constant_data: `arm` (participant) ±½, `covariates`
        (participant, covariate) standardised, `participant_of` and `wave_of` (observation) as positions; `offset`
        (observation) where counts arose over unequal amounts.
    """
    person, wave = layout.participant_of, layout.wave_of
    outcome = trial["outcome"].transpose("participant", "wave").to_numpy()[person, wave]
    given = {
        "arm": ("participant", layout.arm),
        "covariates": (("participant", "covariate"), layout.covariates),
        "participant_of": ("observation", person),
        "wave_of": ("observation", wave),
    }
    if layout.exposed:
        given["offset"] = ("observation", layout.offset)
    labels = {"covariate": np.array(layout.covariate, dtype=str), "observation": np.arange(person.size)}
    return {
        "observed_data": _cells((), outcome.astype(layout.outcome.dtype), layout),
        "constant_data": xr.Dataset(given, labels),
    }


def log_likelihood(pointwise: np.ndarray, posterior: xr.Dataset, layout: Design) -> xr.Dataset:
    """Log likelihood of each cell, dims (chain, draw, observation), labelled as the posterior is."""
    found = _cells(("chain", "draw"), pointwise.astype("float32"), layout)
    return found.assign_coords(chain=posterior["chain"], draw=posterior["draw"])


def posterior_predictive(replicates: np.ndarray, draws: xr.Dataset, some: Design, kept: np.ndarray) -> xr.Dataset:
    """Replicated outcomes of new participants, dims (chain 1, draw, observation).

    Parameters
    ----------
    replicates : ndarray, (replicate, observation)
        From `predictive.replicate`.
    draws : Dataset
        From which they were drawn (`predictive.thinned`); `draw` says which draws of the posterior these are.
    some : Design
        Whose cells.
    kept : ndarray, (observation,)
        Which cells of the trial these are.
    """
    found = _cells(("chain", "draw"), replicates[None], some).assign_coords(observation=kept)
    return found.assign_coords(chain=[0], draw=draws["draw"])


def _cells(sample: tuple[str, ...], outcome: np.ndarray, layout: Design) -> xr.Dataset:
    """Outcomes of observed cells, labelled by arm and wave; never by participant."""
    arm = np.where(layout.arm[layout.participant_of] > 0, "treated", "control")
    labels = {
        "observation": np.arange(outcome.shape[-1]),
        "arm": ("observation", arm),
        "wave": ("observation", np.array(layout.wave)[layout.wave_of]),
    }
    return xr.Dataset({"outcome": ((*sample, "observation"), outcome)}, labels)
