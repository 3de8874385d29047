"""Does the model's mean count stand where the counts do? Expected means of those observed, beside their own.

The mean of a log-normal level grows with exp(tau²/2): where zeros or a few high counts widen tau, the modelled mean
leaves the data, and no predictive check sees it, because the replicates' means spread as widely. The expectation of a
count is taken given the same participant's earlier counts, so that those who stay after earlier counts have moved
others to leave are compared with what is expected of them (missing at random).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import xarray as xr

from models.checks import predictive
from models.design.layout import Design
from models.equations.likelihoods import dispersion
from models.outcomes.counts import POISSON_BELOW

DRAWS = 200
"""Posterior draws over which an expected mean is the median."""
NODES = np.linspace(-9.0, 9.0, 73)
"""Standard normal levels of the sums over a participant's own one."""
Predictor = Callable[[xr.Dataset, Design, np.ndarray], np.ndarray]


def compare(predictor: Predictor, draws: xr.Dataset, design: Design) -> pd.DataFrame:
    """Expected and observed mean count in each arm and wave; at the baseline, where arms are one, in both together.

    Parameters
    ----------
    predictor : callable
        `effect.predictor`: draws, design and traits to predictors.
    draws : Dataset
        Of the posterior, dims (chain, draw, …).
    design : Design
        A trial of counts.

    Returns
    -------
    DataFrame
        arm (empty: both), wave, n, observed, expected (posterior median), errors: their distance in standard errors of
        the observed mean.
    """
    thin = predictive.thinned(draws, design, DRAWS)
    mean = expected(predictor, thin, design)
    rows = []
    for arm, wave, inside in _cells(design):
        counts = design.outcome[inside]
        centre = float(np.median(mean[:, inside].mean(1)))
        # where nobody, or everybody alike, has any: the spread of a Poisson count of the expected mean
        variance = counts.var(ddof=1) if counts.size > 1 and np.ptp(counts) else centre
        errors = (centre - counts.mean()) / np.sqrt(variance / counts.size)
        row = {"arm": arm, "wave": wave, "n": counts.size, "observed": float(counts.mean()), "expected": centre}
        rows.append({**row, "errors": float(errors)})
    return pd.DataFrame(rows)


def _cells(design: Design) -> list[tuple[str, str, np.ndarray]]:
    """Arm, wave and whose cells; both arms' together at the baseline."""
    found = []
    for place, (wave, role) in enumerate(zip(design.wave, design.role, strict=True)):
        at = design.wave_of == place
        own = design.arm[design.participant_of]
        shared = role == "baseline" and design.shared_baseline
        arms = {"": at} if shared else {"control": at & (own < 0), "treated": at & (own > 0)}
        found += [(arm, wave, inside) for arm, inside in arms.items() if inside.any()]
    return found


def expected(predictor: Predictor, draws: xr.Dataset, design: Design) -> np.ndarray:
    """Expected count of each cell given the participant's counts at earlier waves, shape (draw, cell)."""
    nobody = np.zeros((draws.sizes["chain"], draws.sizes["draw"], design.participants))
    fixed = predictor(draws, design, nobody)[0]
    if not design.has_trait:
        return np.exp(fixed)
    scale = draws["tau"].to_numpy()[0]
    sizes = 1 / np.maximum(dispersion(draws, design)[0], POISSON_BELOW) ** 2
    found = np.empty_like(fixed)
    log_weight = np.empty((design.participants, NODES.size))
    for draw in range(len(fixed)):
        log_weight[:] = -0.5 * NODES**2
        level = scale[draw] * NODES
        for wave in range(len(design.wave)):
            inside = np.flatnonzero(design.wave_of == wave)
            people = design.participant_of[inside]
            weight = np.exp(log_weight[people] - log_weight[people].max(1, keepdims=True))
            eta = fixed[draw, inside, None] + level
            # the largest exponent is taken out: a level of nine SDs may overflow
            most = eta.max(1, keepdims=True)
            found[draw, inside] = np.exp(most[:, 0]) * (weight * np.exp(eta - most)).sum(1) / weight.sum(1)
            count = design.outcome[inside, None]
            size = sizes[draw, inside, None]
            log_weight[people] += count * eta - (count + size) * np.logaddexp(np.log(size), eta)
    return found
