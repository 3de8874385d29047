"""Sampling goes on while more draws would settle something: a limit at the margin, too few effective draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np
import xarray as xr

from models import estimands, fit, gate, margins, summary
from models.design import Design
from models.study import Study

LONGEST = 8
"""Times the draws asked for, up to which sampling goes on."""
MOST_TRAITS = 100_000_000
"""Draws of participants' traits up to which it does: 0.8 GB."""
MARGIN = "a limit of the primary interval lay within its Monte-Carlo error of the margin"
FEW = "a parameter had fewer effective draws, or a larger R-hat, than the gate asks for"
FEWEST = fit.Sampler.draws
"""Draws a chain from which sampling goes on where they are too few: who asks for less wants a quick look."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Sampled:
    """Draws, the settings that they were made with, and why more were made than was asked for."""

    tree: xr.DataTree
    sampler: fit.Sampler
    reasons: tuple[str, ...] = ()


def until_settled(
    ready: Any,
    model: ModuleType,
    layout: Design,
    study: Study,
    asked: fit.Sampler,
    say: Say = lambda _: None,
    progress: fit.Progress | None = None,
) -> Sampled:
    """Sample a compiled model, and go on with twice the draws while that would settle something.

    Parameters
    ----------
    ready : object
        From `fit.Compiled`.
    model, layout, study : module, Design, Study
        What it was compiled for.
    asked : Sampler
        Settings to begin with; at most `LONGEST` times their draws are made.
    say, progress : callable
        As for `analyse`.

    Raises
    ------
    SamplerFailed
        If there is no usable posterior.
    """
    sampler = asked
    reasons: dict[str, None] = {}
    tree = fit.sample(ready, sampler, progress)
    while _may_go_on(layout, asked, sampler) and (why := _unsettled(model, layout, study, tree, asked)):
        reasons[why] = None
        sampler = replace(sampler, draws=2 * sampler.draws)
        say(f"{why}: sampling {sampler.draws:,} draws a chain")
        tree = fit.sample(ready, sampler, progress)
    return Sampled(tree, sampler, tuple(reasons))


def _unsettled(model: ModuleType, layout: Design, study: Study, tree: xr.DataTree, asked: fit.Sampler) -> str:
    """Why more draws would settle something, empty where they would not."""
    if _at_the_margin(model, layout, study, tree):
        return MARGIN
    top = tree["posterior"].to_dataset()[list(model.dimensions(layout))]
    return FEW if asked.draws >= FEWEST and gate.short_of_draws(summary.convergence(top)) else ""


def _at_the_margin(model: ModuleType, layout: Design, study: Study, tree: xr.DataTree) -> bool:
    """Whether more draws could tell on which side of the margin a limit of the primary interval lies."""
    if not model.COUNTED:
        return False  # the answer beside the margin is the first model's
    levels = model.response(tree["posterior"].to_dataset(), layout, (estimands.POPULATION,))
    draws = estimands.primary_difference(levels, study)
    lower, upper = np.quantile(draws, [summary.LOWER, summary.UPPER])
    errors = summary.diagnostics(xr.Dataset({"value": draws}))["value"]
    own = float(errors.sel(diagnostic="mcse_lower")), float(errors.sel(diagnostic="mcse_upper"))
    return any(margins.near(float(lower), float(upper), study.outcome.margin, own))


def _may_go_on(layout: Design, asked: fit.Sampler, sampler: fit.Sampler) -> bool:
    held = layout.participants * sampler.chains * 2 * sampler.draws
    return sampler.draws < LONGEST * asked.draws and held <= MOST_TRAITS
