"""Sampling goes on while more draws would settle something: a limit at the margin, too few effective draws."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from models.checks import gate
from models.equations.model import MOST_TRAITS
from models.estimands import estimands, margins, summary
from models.estimands.answers import Answers
from models.inference import nuts
from models.inference.fitted import Fit, Specification

LONGEST = 8
"""Times the draws asked for, up to which sampling goes on."""
MARGIN = "a limit of the primary interval lay within its Monte-Carlo error of the margin"
FEW = "a parameter had fewer effective draws, or a larger R-hat, than the gate asks for"
FEWEST = nuts.Sampler.draws
"""Draws a chain from which sampling goes on where they are too few: who asks for less wants a quick look."""


@dataclass(frozen=True)
class Settled:
    """A fit's answers, and why more draws were made than was asked for."""

    answers: Answers
    reasons: tuple[str, ...] = ()


def until_settled(
    asked: Specification, say: nuts.Say = lambda _: None, progress: nuts.Progress | None = None
) -> Settled:
    """Sample a model, and go on with twice the draws while that would settle something.

    Parameters
    ----------
    asked : Specification
        What is fitted, and the settings to begin with; at most `LONGEST` times their draws are made.
    say, progress : callable
        Told of each step, and of the sampler's progress.

    Raises
    ------
    SamplerFailed
        If there is no usable posterior.
    """
    reasons: dict[str, None] = {}
    say("preparing the model")
    ready = asked.ready()
    say("sampling")
    answers = Answers(asked.fit(nuts.sample(ready, asked.sampler, progress)))
    while _may_go_on(answers.fit, asked) and (why := _unsettled(answers, asked)):
        reasons[why] = None
        sampler = replace(asked.sampler, draws=2 * answers.fit.sampler.draws)
        say(f"{why}: sampling {sampler.draws:,} draws a chain")
        answers = Answers(replace(asked, sampler=sampler).fit(nuts.sample(ready, sampler, progress)))
    return Settled(answers, tuple(reasons))


def _unsettled(answers: Answers, asked: Specification) -> str:
    """Why more draws would settle something, empty where they would not."""
    if _at_the_margin(answers):
        return MARGIN
    fit = answers.fit
    top = fit.posterior[list(fit.model.dimensions(fit.design))]
    return FEW if asked.sampler.draws >= FEWEST and gate.short_of_draws(summary.convergence(top)) else ""


def _at_the_margin(answers: Answers) -> bool:
    """Whether more draws could tell on which side of the margin a limit of the primary interval lies."""
    fit = answers.fit
    if fit.model.mediated:
        return False  # the answer beside the margin is the first model's
    draws = estimands.primary_difference(answers.levels, fit.study)
    lower, upper = np.quantile(draws, [summary.LOWER, summary.UPPER])
    errors = summary.diagnostics(xr.Dataset({"value": draws}))["value"]
    own = float(errors.sel(diagnostic="mcse_lower")), float(errors.sel(diagnostic="mcse_upper"))
    return any(margins.near(float(lower), float(upper), fit.study.outcome.margin, own))


def _may_go_on(fit: Fit, asked: Specification) -> bool:
    sampler = fit.sampler
    held = fit.design.participants * sampler.chains * 2 * sampler.draws
    return sampler.draws < LONGEST * asked.sampler.draws and held <= MOST_TRAITS
