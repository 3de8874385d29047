"""What the prior of the effect says of a difference once the control arm is known: prior draws on a posterior level."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import xarray as xr

from models import equations, estimands
from models.design import Design
from models.study import Study

EFFECT = "theta"


def differences(
    posterior: xr.Dataset, prior: xr.Dataset, model: ModuleType, design: Design, study: Study
) -> xr.Dataset:
    """Differences between the arms with the control arm as estimated and arm effects from their prior.

    Spread over every level that the prior allows, the prior of a difference of risks says little of the one in hand.
    Here each posterior draw keeps its control arm, participants' spread and covariates, and is given the arm effects
    of a prior draw; averaged over the population like the posterior itself.

    Parameters
    ----------
    posterior, prior : Dataset
        Draws of a model whose outcome's equation holds no mediators: through them, the arm would go on acting.
    model : module
        The model that drew them: its `dimensions` and `response`.
    design : Design
        The trial laid out as the model sees it.
    study : Study
        Names the outcome and with it the difference in its own unit.

    Returns
    -------
    Dataset
        The difference of `estimands.contrasts` at each follow-up, dims (chain 1, draw, contrast), in the outcome's own
        unit; empty without a follow-up.
    """
    if EFFECT not in prior:
        return xr.Dataset()
    count = min(prior.sizes["draw"], posterior.sizes["chain"] * posterior.sizes["draw"])
    now, assumed = _spread(posterior[list(model.dimensions(design))], count), _spread(prior[[EFFECT]], count)[EFFECT]
    # arms stand at ±½ of the effect: the levels move with it, so that the control arm stays
    moved = equations.wave_effect((assumed - now[EFFECT]).to_numpy(), design.placement("follow-up")) / 2
    changed = {EFFECT: assumed, "mu_0": now["mu_0"] + moved[..., 0]}
    if "step" in now:
        changed["step"] = now["step"] + np.diff(moved, axis=-1)
    found = estimands.contrasts(model.response(now.assign(changed), design, (estimands.POPULATION,)), study)
    name, *_ = estimands.names(study)["difference"]
    return found[[name]].sel(average=estimands.POPULATION, contrast=list(design.follow_up), drop=True)


def _spread(draws: xr.Dataset, count: int) -> xr.Dataset:
    """`count` draws evenly spread over all chains, as one chain."""
    size = draws.sizes["chain"], draws.sizes["draw"]
    places = np.linspace(0, size[0] * size[1] - 1, count).astype(int)
    chain, draw = (xr.DataArray(at, dims="kept") for at in np.unravel_index(places, size))
    kept = draws.isel(chain=chain, draw=draw).drop_vars(["chain", "draw"], errors="ignore")
    return kept.rename(kept="draw").expand_dims("chain").assign_coords(chain=[0], draw=np.arange(count))
