"""What the prior of the effect says of a difference once the control arm is known: prior draws on a posterior level."""

from __future__ import annotations

import numpy as np
import xarray as xr

from models.equations import predictors
from models.estimands import estimands
from models.estimands.response import response
from models.inference.fitted import Fit, as_one_chain

EFFECT = "theta"


def differences(fit: Fit, prior: xr.Dataset) -> xr.Dataset:
    """Differences between the arms with the control arm as estimated and arm effects from their prior.

    Spread over every level that the prior allows, the prior of a difference of risks says little of the one in hand.
    Here each posterior draw keeps its control arm, participants' spread and covariates, and is given the arm effects
    of a prior draw; averaged over the population like the posterior itself.

    Parameters
    ----------
    fit : Fit
        Of a model whose outcome's equation holds no mediators: through them, the arm would go on acting.
    prior : Dataset
        Draws of its prior.

    Returns
    -------
    Dataset
        The difference of `estimands.contrasts` at each follow-up, dims (chain 1, draw, contrast), in the outcome's own
        unit; empty without a follow-up.
    """
    if EFFECT not in prior:
        return xr.Dataset()
    posterior, design, study = fit.posterior, fit.design, fit.study
    count = min(prior.sizes["draw"], posterior.sizes["chain"] * posterior.sizes["draw"])
    now, assumed = (
        _spread(posterior[list(fit.model.dimensions(design))], count),
        _spread(prior[[EFFECT]], count)[EFFECT],
    )
    # arms stand at ±½ of the effect: the levels move with it, so that the control arm stays
    moved = predictors.wave_effect((assumed - now[EFFECT]).to_numpy(), design.placement("follow-up")) / 2
    changed = {EFFECT: assumed, "mu_0": now["mu_0"] + moved[..., 0]}
    if "step" in now:
        changed["step"] = now["step"] + np.diff(moved, axis=-1)
    found = estimands.contrasts(response(fit.model, now.assign(changed), design, (estimands.POPULATION,)), study)
    name, *_ = estimands.names(study)["difference"]
    return found[[name]].sel(average=estimands.POPULATION, contrast=list(design.follow_up), drop=True)


def _spread(draws: xr.Dataset, count: int) -> xr.Dataset:
    """`count` draws evenly spread over all chains, as one chain."""
    return as_one_chain(draws, np.linspace(0, draws.sizes["chain"] * draws.sizes["draw"] - 1, count).astype(int))
