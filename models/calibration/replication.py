"""One replication: simulate a trial, fit it, and compare every quantity with its truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import arviz_stats
import numpy as np
import xarray as xr

from models.calibration import quantities, simulated_trials
from models.calibration.plan import Plan, kind_of
from models.design.layout import Design, design
from models.estimands.summary import LOWER, UPPER
from models.faults import SamplerFailed
from models.inference import nuts
from models.simulation.true_values import Truth, truth
from models.trial.study_file.study import Study

MOST = 1000
"""Draws from which quantities are computed; of more, evenly spaced ones."""
RANKS = 99
"""Draws against which a truth is ranked: so far apart that they are nearly independent."""


@lru_cache(maxsize=4)
def _layout(plan: Plan) -> tuple[Study, Design]:
    """The layout on which trials of the kind "prior" are simulated: the scenario's first trial."""
    study, data = simulated_trials.simulated(plan.scenario, plan.sampler.seed)
    return study, plan.fitted.seen(design(study, data))


@lru_cache(maxsize=8)
def _truth(plan: Plan, kind: str) -> Truth:
    return truth(simulated_trials.without_effect(plan.scenario) if kind == "null" else plan.scenario)


def replicate(plan: Plan, number: int) -> dict[str, Any]:
    """Do one replication; the result depends on the arguments alone.

    Parameters
    ----------
    plan : Plan
        The study.
    number : int
        From `plan.number_of`.

    Returns
    -------
    dict
        kind, replication, what `Fitted.diagnostics` holds, and `rows`, one for each quantity that varies: truth,
        mean, sd, median, lower, upper, rank, ranks, null, estimand; or `failed`, why there is no posterior.
    """
    kind, place = kind_of(number)
    seeds = np.random.SeedSequence([plan.sampler.seed, *map(ord, kind), place])
    rng, fitted_by, ranked = (np.random.default_rng(seed) for seed in seeds.spawn(3))
    if kind == "prior":
        study, first = _layout(plan)
        drawn = plan.fitted.prior(first, plan.priors, 1, int(rng.integers(2**31)))
        layout = plan.fitted.simulated(drawn, first, rng)
        true = {name: float(each.values[0, 0]) for name, each in _quantities(plan, drawn, first, study).items()}
    else:
        scenario = simulated_trials.without_effect(plan.scenario) if kind == "null" else plan.scenario
        study, data = simulated_trials.simulated(scenario, int(rng.integers(2**31)))
        layout, true = plan.fitted.seen(design(study, data)), None
    head: dict[str, Any] = {"kind": kind, "replication": place}
    try:
        fitted = fit_to(plan, layout, int(fitted_by.integers(2**31)))
    except SamplerFailed as error:
        return head | {"failed": str(error)}
    found = _quantities(plan, fitted.draws, layout, study)
    if true is None:
        true = quantities.known(_truth(plan, kind), found)
    # what the model holds at one value (dependence of mediators without paths between them) is not estimated
    varies = {name: each for name, each in found.items() if (each.values != each.values.flat[0]).any()}
    rows = {name: _row(each, true[name], ranked) for name, each in varies.items() if name in true}
    return head | fitted.diagnostics | {"rows": rows}


@dataclass(frozen=True)
class Fitted:
    """One replication's posterior.

    Attributes
    ----------
    draws : Dataset
        Completed as far as estimands need it.
    diagnostics : dict
        divergences; rhat, the largest, and ess, the least of bulk and tails, over top-level parameters; limitations,
        of the computation of integrals (`computed` of the model).
    """

    draws: xr.Dataset
    diagnostics: dict[str, float]


def fit_to(plan: Plan, layout: Design, seed: int) -> Fitted:
    """Fit a plan's model as the product does.

    Raises
    ------
    SamplerFailed
        If there is no usable posterior, or the model has nothing to be fitted to.
    """
    if reason := plan.fitted.lacking(layout):
        raise SamplerFailed(reason)
    tree = nuts.sample(plan.fitted.ready(layout, plan.priors), replace(plan.sampler, seed=seed), cores=1)
    posterior = tree["posterior"].to_dataset()
    thin = posterior.isel(draw=slice(None, None, -(-plan.sampler.chains * plan.sampler.draws // MOST)))
    top = posterior[list(plan.fitted.dimensions(layout))]
    diagnostics = {
        "divergences": int(tree["sample_stats"]["diverging"].sum()),
        "rhat": float(max(value.max() for value in arviz_stats.rhat(top).values())),
        "limitations": len(plan.fitted.computed(thin, layout)),
        "ess": float(min(v.min() for how in ("bulk", "tail") for v in arviz_stats.ess(top, method=how).values())),
    }
    # averages over the population need no participant's own trait, but every mediator's value
    return Fitted(plan.fitted.completed(thin, layout, seed) if plan.fitted.mediated else thin, diagnostics)


def _quantities(plan: Plan, draws: xr.Dataset, layout: Design, study: Study) -> dict[str, quantities.Quantity]:
    return quantities.quantities(draws, plan.fitted, layout, study)


def _row(quantity: quantities.Quantity, true: float, rng: np.random.Generator) -> dict[str, Any]:
    values = quantity.values.ravel()
    thin = values[np.linspace(0, values.size - 1, RANKS).round().astype(int)]
    # where draws equal the truth (a mass at 0), the rank is drawn among the places that they leave
    rank = int((thin < true).sum()) + int(rng.integers((thin == true).sum() + 1))
    lower, median, upper = np.quantile(values, [LOWER, 0.5, UPPER])
    return {
        "truth": true,
        "mean": float(values.mean()),
        "sd": float(values.std(ddof=1)),
        "median": float(median),
        "lower": float(lower),
        "upper": float(upper),
        "rank": rank,
        "ranks": RANKS,
        "null": quantity.null,
        "estimand": quantity.estimand,
    }
