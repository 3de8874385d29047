"""Would the method find the truth at this size? Trials simulated from the posterior, with its own women and waves.

Each truth is one draw of the posterior; outcomes are simulated in the cells that were observed, for new participants
of the same kind, and the product's own model is fitted to them. A few trials show gross errors only; the calibration
study has thousands. MODEL.md, "Refits and recovery".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import numpy as np
import pandas as pd
import xarray as xr

from models import estimands, fit
from models.design import Design
from models.study import Study
from models.summary import LOWER, UPPER
from priors.prior_set import PriorSet

TRIALS = 10
TUNE, DRAWS, CHAINS = 300, 400, 2


def recovery(
    posterior: xr.Dataset,
    model: ModuleType,
    layout: Design,
    study: Study,
    priors: PriorSet,
    sampler: fit.Sampler,
    compiled: fit.Compiled,
    say: Callable[[str], None] = lambda _: None,
) -> pd.DataFrame:
    """Simulate, refit, compare.

    Parameters
    ----------
    posterior : Dataset
        Draws of the main fit: the truths are spread over them.
    model, layout, study, priors, sampler, compiled : module, Design, Study, PriorSet, Sampler, Compiled
        As analysed; compilations are shared.
    say : callable
        Told of each trial.

    Returns
    -------
    DataFrame
        One row a trial: truth, median, mean, sd, lower, upper of the primary difference, covered (1 or 0), divergences.
    """
    rng = np.random.default_rng([sampler.seed, 37])
    length = posterior.sizes["draw"]
    rows = []
    for number, place in enumerate(np.linspace(0, posterior.sizes["chain"] * length - 1, TRIALS).astype(int)):
        say(f"recovery: simulated trial {number + 1} of {TRIALS}")
        truth = posterior.isel(chain=[place // length], draw=[place % length])
        simulated = model.simulated(truth, layout, rng)
        quick = replace(sampler, draws=DRAWS, tune=TUNE, chains=CHAINS, seed=sampler.seed + number + 1)
        tree = fit.sample(compiled.refit(model, simulated, priors), quick, cores=1)
        values = _difference(tree["posterior"].to_dataset(), model, layout, study)
        true = float(_difference(truth, model, layout, study)[0])
        lower, median, upper = (float(value) for value in np.quantile(values, [LOWER, 0.5, UPPER]))
        found = {"truth": true, "median": median, "mean": float(values.mean()), "sd": float(values.std(ddof=1))}
        found |= {"lower": lower, "upper": upper, "covered": float(lower <= true <= upper)}
        rows.append(found | {"divergences": int(tree["sample_stats"]["diverging"].sum())})
    return pd.DataFrame(rows)


def _difference(draws: xr.Dataset, model: ModuleType, layout: Design, study: Study) -> np.ndarray:
    levels = model.response(draws, layout, (estimands.POPULATION,))
    return estimands.primary_difference(levels, study).to_numpy().ravel()
