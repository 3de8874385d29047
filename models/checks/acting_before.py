"""The paths again under the other assumption about the time before the programme: whether mediators acted then.

No diagnostic shows which of the two holds, because the correlation of traits makes up for what is assumed wrongly
(MODEL.md, "Mediation model"): a reader is shown both answers.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from models.design.layout import design
from models.estimands import ledger, path_estimates, summary
from models.estimands.path_effects import paths
from models.faults import SamplerFailed
from models.inference import effort
from models.inference.fitted import Specification


def other_baseline(fitted: Specification) -> pd.DataFrame:
    """Refit a mediation model with `acts_at_baseline` turned round.

    Parameters
    ----------
    fitted : Specification
        As analysed.

    Returns
    -------
    DataFrame
        Rows of `summary.summarise` for the path estimands at the primary wave, with acts_at_baseline (of the refit),
        divergences and reason: why it was not run, then the only row.
    """
    study = fitted.study
    other = study.model_copy(update={"acts_at_baseline": not study.acts_at_baseline})
    changed = replace(fitted, study=other, design=design(other, fitted.trial))
    told = {"acts_at_baseline": other.acts_at_baseline}
    if (changed.design.mediators.acts == fitted.design.mediators.acts).all():
        return pd.DataFrame([told | {"reason": "no wave of the trial depends on it."}])
    try:
        fit = changed.refitted(replace(fitted.sampler, **effort.REFIT))
    except SamplerFailed as error:
        return pd.DataFrame([told | {"reason": f"its fit failed: {error}"}])
    prior = fit.model.prior(fit.design, fit.priors, effort.PATH_PRIOR, fit.sampler.seed)
    found, before = (
        path_estimates.estimates(paths(fit.model, draws, fit.design, fit.order), other, fit.trial, fit.design)
        for draws in (fit.posterior, prior)
    )
    table = summary.summarise(ledger.with_prior(found, before), other)
    here = table[(table["wave"] == study.primary_wave) & table["median"].notna()]
    return here.assign(**told, divergences=fit.divergences)
