"""What is asked of a mediation fit about its assumptions once it has ended, as groups of its run."""

from __future__ import annotations

import xarray as xr

from models.checks.acting_before import other_baseline
from models.checks.confounding import confounding
from models.estimands.answers import Answers
from models.estimands.tables import as_group
from models.inference import nuts


def path_what_if(answers: Answers, say: nuts.Say = lambda _: None) -> dict[str, xr.Dataset]:
    """Unmeasured causes of mediators and outcome, and mediators before the programme the other way round.

    Parameters
    ----------
    answers : Answers
        Of the fit.
    say : callable
        Told of each step.

    Returns
    -------
    dict
        Groups confounding and other_baseline, each with one dim `row` (`confounding.confounding`,
        `acting_before.other_baseline`); none of a model without paths.
    """
    if not answers.paths.values:
        return {}
    say("unmeasured causes of mediators and outcome")
    causes = confounding(answers.fit)
    say("the paths under the other assumption about the baseline")
    turned = other_baseline(answers.fit)
    return {"confounding": as_group(causes), "other_baseline": as_group(turned)}
