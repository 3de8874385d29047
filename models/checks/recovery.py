"""Would the method find the truth at this size? Trials simulated from the posterior, with its own women and waves.

Each truth is one draw of the posterior; outcomes are simulated in the cells that were observed, for new participants
of the same kind, and the product's own model is fitted to them. A few trials show gross errors only; the calibration
study has thousands. MODEL.md, "Refits and recovery".
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from models.estimands.response import primary_draws
from models.estimands.summary import LOWER, UPPER
from models.inference import effort, nuts
from models.inference.fitted import Fit

TRIALS = 10


def recovery(fit: Fit, say: nuts.Say = lambda _: None) -> pd.DataFrame:
    """Simulate, refit, compare.

    Parameters
    ----------
    fit : Fit
        The main fit: the truths are spread over its draws.
    say : callable
        Told of each trial.

    Returns
    -------
    DataFrame
        One row a trial: truth, median, mean, sd, lower, upper of the primary difference, covered (1 or 0), divergences.
    """
    posterior, sampler = fit.posterior, fit.sampler
    rng = np.random.default_rng([sampler.seed, 37])
    length = posterior.sizes["draw"]
    rows = []
    for number, place in enumerate(np.linspace(0, posterior.sizes["chain"] * length - 1, TRIALS).astype(int)):
        say(f"recovery: simulated trial {number + 1} of {TRIALS}")
        truth = posterior.isel(chain=[place // length], draw=[place % length])
        simulated = fit.model.simulated(truth, fit.design, rng)
        quick = replace(sampler, **effort.RECOVERY, seed=sampler.seed + number + 1)
        tree = nuts.sample(fit.model.ready(simulated, fit.priors), quick, cores=1)
        values = primary_draws(fit, tree["posterior"].to_dataset())
        true = float(primary_draws(fit, truth)[0])
        lower, median, upper = (float(value) for value in np.quantile(values, [LOWER, 0.5, UPPER]))
        found = {"truth": true, "median": median, "mean": float(values.mean()), "sd": float(values.std(ddof=1))}
        found |= {"lower": lower, "upper": upper, "covered": float(lower <= true <= upper)}
        rows.append(found | {"divergences": int(tree["sample_stats"]["diverging"].sum())})
    return pd.DataFrame(rows)
