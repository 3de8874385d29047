"""Everything that is asked of a finished fit about its assumptions, as groups of its run."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import xarray as xr

from models.checks import recovery, refits, tipping
from models.estimands.answers import Answers
from models.estimands.tables import as_group
from models.inference import nuts

MOST_OUTCOMES = 10_000
"""Observed outcomes up to which a fit is repeated a score of times: a minute or two in all."""
TOO_LARGE = f"with more than {MOST_OUTCOMES:,} outcomes each refit takes minutes."


def what_if(answers: Answers, say: nuts.Say = lambda _: None) -> dict[str, xr.Dataset]:
    """Refits, recovery and tipping points of one fit.

    Parameters
    ----------
    answers : Answers
        Of the fit: its levels are not computed again, so that no bias returns them exactly.
    say : callable
        Told of each step.

    Returns
    -------
    dict
        Groups refits, recovery, missing_not_at_random, misreporting, each with one dim `row`
        (`refits.run`, `recovery.recovery`, `tipping`).
    """
    fit, levels = answers.fit, answers.levels
    plan = refits.planned(fit)
    if fit.design.outcome.size > MOST_OUTCOMES:
        plan = [replace(one, reason=TOO_LARGE) for one in plan]
        simulated = pd.DataFrame([{"reason": TOO_LARGE}])
    else:
        simulated = recovery.recovery(fit, say)
    tables: dict[str, pd.DataFrame] = {
        "missing_not_at_random": tipping.not_missing_at_random(fit, levels),
        "misreporting": tipping.misreporting(levels, fit.study, fit.priors, fit.sampler.seed),
        "recovery": simulated,
        "refits": refits.run(plan, say),
    }
    return {name: as_group(table) for name, table in tables.items()}
