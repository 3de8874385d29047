"""The paths again under the other assumption about the time before the programme: whether mediators acted then.

No diagnostic shows which of the two holds, because the correlation of traits makes up for what is assumed wrongly
(MODEL.md, "Mediation model"): a reader is shown both answers.
"""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pandas as pd
import xarray as xr

from models import fit, ledger, path_estimates, summary
from models.design import Design, design
from models.faults import SamplerFailed
from models.study import Study
from priors.prior_set import PriorSet

TUNE, DRAWS, CHAINS = 500, 1000, 2
"""Enough for medians and limits to a few hundredths of a posterior SD."""
PRIOR_DRAWS = 1000


def other_baseline(
    study: Study, trial: xr.Dataset, model: ModuleType, layout: Design, priors: PriorSet, sampler: fit.Sampler
) -> pd.DataFrame:
    """Refit a mediation model with `acts_at_baseline` turned round.

    Parameters
    ----------
    study, trial, model, layout, priors, sampler : Study, Dataset, module, Design, PriorSet, Sampler
        As analysed.

    Returns
    -------
    DataFrame
        Rows of `summary.summarise` for the path estimands at the primary wave, with acts_at_baseline (of the refit),
        divergences and reason: why it was not run, then the only row.
    """
    other = study.model_copy(update={"acts_at_baseline": not study.acts_at_baseline})
    changed = design(other, trial)
    told = {"acts_at_baseline": other.acts_at_baseline}
    if (changed.mediators.acts == layout.mediators.acts).all():
        return pd.DataFrame([told | {"reason": "no wave of the trial depends on it."}])
    order = [part.column for part in study.mediators]
    try:
        ready = fit.Compiled().refit(model, changed, priors)
        tree = fit.sample(ready, replace(sampler, draws=DRAWS, tune=TUNE, chains=CHAINS), cores=1)
    except SamplerFailed as error:
        return pd.DataFrame([told | {"reason": f"its fit failed: {error}"}])
    posterior = model.completed(tree["posterior"].to_dataset(), changed, sampler.seed)
    found, before = (
        path_estimates.estimates(model.path_draws(draws, changed, order), other, trial, changed)
        for draws in (posterior, model.prior(changed, priors, PRIOR_DRAWS, sampler.seed))
    )
    table = summary.summarise(ledger.with_prior(found, before), other)
    here = table[(table["wave"] == study.primary_wave) & table["median"].notna()]
    return here.assign(**told, divergences=int(tree["sample_stats"]["diverging"].sum()))
