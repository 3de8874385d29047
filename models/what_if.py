"""Everything that is asked of a finished fit about its assumptions, as the groups of `sensitivity.nc`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import pandas as pd
import xarray as xr

from models import estimands, fit, recovery, refits, tipping
from models.design import Design
from models.groups import as_group
from models.study import Study
from priors.prior_set import PriorSet

MOST_OUTCOMES = 10_000
"""Observed outcomes up to which a fit is repeated a score of times: a minute or two in all."""
TOO_LARGE = f"with more than {MOST_OUTCOMES:,} outcomes each refit takes minutes."


def what_if(
    study: Study,
    trial: xr.Dataset,
    model: ModuleType,
    layout: Design,
    priors: PriorSet,
    sampler: fit.Sampler,
    core: xr.DataTree,
    compiled: fit.Compiled,
    say: Callable[[str], None] = lambda _: None,
) -> xr.DataTree:
    """Refits, recovery and tipping points of one fit.

    Parameters
    ----------
    study, trial, model, layout, priors, sampler : Study, Dataset, module, Design, PriorSet, Sampler
        As analysed.
    core : DataTree
        Its draws and estimands, as analysed: the levels are not computed again, so that no bias returns them exactly.
    compiled : Compiled
        Compilations to share.
    say : callable
        Told of each step.

    Returns
    -------
    DataTree
        Groups refits, recovery, missing_not_at_random, misreporting, each with one dim `row`
        (`refits.run`, `recovery.recovery`, `tipping`).
    """
    posterior = core["posterior"].to_dataset()
    levels = core["estimands"].to_dataset()[estimands.names(study)["mean"][0]]
    plan = refits.planned(study, trial, model, priors)
    if layout.outcome.size > MOST_OUTCOMES:
        plan = [replace(one, reason=TOO_LARGE) for one in plan]
        simulated = pd.DataFrame([{"reason": TOO_LARGE}])
    else:
        simulated = recovery.recovery(posterior, model, layout, study, priors, sampler, compiled, say)
    tables: dict[str, pd.DataFrame] = {
        "missing_not_at_random": tipping.not_missing_at_random(levels, posterior, model, layout, study, priors),
        "misreporting": tipping.misreporting(levels, study, priors, sampler.seed),
        "recovery": simulated,
        "refits": refits.run(plan, sampler, compiled, say),
    }
    return xr.DataTree.from_dict({name: as_group(table) for name, table in tables.items()})
