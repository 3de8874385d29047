"""What is asked of a mediation fit about its assumptions once it has ended, as groups of `checks.nc`."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import xarray as xr

from models import fit
from models.confounding import confounding
from models.design import Design
from models.groups import as_group
from models.other_baseline import other_baseline
from models.study import Study
from priors.prior_set import PriorSet


def path_what_if(
    study: Study,
    trial: xr.Dataset,
    model: ModuleType,
    layout: Design,
    priors: PriorSet,
    sampler: fit.Sampler,
    core: xr.DataTree,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, xr.Dataset]:
    """Unmeasured causes of mediators and outcome, and mediators before the programme the other way round.

    Parameters
    ----------
    study, trial, model, layout, priors, sampler : Study, Dataset, module, Design, PriorSet, Sampler
        As analysed.
    core : DataTree
        Its draws and estimands.
    say : callable
        Told of each step.

    Returns
    -------
    dict
        Groups confounding and other_baseline, each with one dim `row` (`confounding.confounding`,
        `other_baseline.other_baseline`); none of a model without paths.
    """
    if "path_estimands" not in core.children:
        return {}
    posterior, order = core["posterior"].to_dataset(), [part.column for part in study.mediators]
    say("unmeasured causes of mediators and outcome")
    causes = confounding(posterior, layout, priors, study.primary_wave, order)
    say("the paths under the other assumption about the baseline")
    turned = other_baseline(study, trial, model, layout, priors, sampler)
    return {"confounding": as_group(causes), "other_baseline": as_group(turned)}
