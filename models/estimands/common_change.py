"""The change that both arms share, in the control arm: how much moves with each mediator, and what remains.

What remains is training, secular trend, regression to the mean, repeated interviewing and changed reporting together.
The data cannot part them: d and w below come from the prior file alone and never meet the likelihood.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations
from math import comb

import numpy as np
import xarray as xr
from scipy import stats

from models.design.layout import Design
from models.estimands.counterfactuals import Source, World
from priors.prior import Prior

ONE_SIGN = 0.975
"""Probability of one sign above which a share of a quantity is told."""
SURE = 0.95
"""Probability at which a share of the remainder tips."""


def worlds_of_change(design: Design, wave: int, places: Sequence[int]) -> dict[Hashable, World]:
    """Control-arm worlds at a wave in which some mediators have moved and the others stand at their baseline level."""
    layout, before = design.mediators, wave - design.mediators.lag
    found: dict[Hashable, World] = {}
    for size in range(len(places) + 1):
        for moved in combinations(places, size):
            sources: list[Source] = [(0, before if place in moved else 0) for place in range(layout.count)]
            found[frozenset(places.index(place) for place in moved)] = World(0, wave, tuple(sources))
    return found


def parts_of_change(r: Mapping[Hashable, xr.DataArray], names: Sequence[str]) -> dict[str, xr.DataArray]:
    """Split of the change since baseline: a Shapley value for each mediator, and the remainder; they sum exactly.

    Parameters
    ----------
    r : mapping
        Control-arm outcomes by the set of mediators that have moved, and "baseline".
    names : sequence of str
        Columns of the mediators, in the order of the sets.
    """
    count = len(names)
    parts: list[xr.DataArray] = []
    for k in range(count):
        others = [place for place in range(count) if place != k]
        value = 0.0 * r["baseline"]
        for size in range(count):
            for moved in combinations(others, size):
                weight = 1 / (count * comb(count - 1, size))
                value = value + weight * (r[frozenset((*moved, k))] - r[frozenset(moved)])
        parts.append(value)
    return {
        "common_change": r[frozenset(range(count))] - r["baseline"],
        "change_via": xr.concat(parts, dim=xr.DataArray(list(names), dims="mediator", name="mediator")),
        "change_remainder": r[frozenset()] - r["baseline"],
    }


def untreated_change(prior: Prior, baseline: np.ndarray, design: Design, seed: int) -> np.ndarray:
    """Draws of d, the change that would have come without what both arms received: from its prior, no data.

    Parameters
    ----------
    prior : Prior
        Row `change_without_training`: in risk (binary), per baseline mean (count) or in baseline SDs (continuous).
    baseline : ndarray
        Outcome at baseline at each draw; d is truncated so that what it leads to is possible.
    design : Design
        Whose outcome.
    seed : int
        Of the draws.

    Returns
    -------
    ndarray
        In the outcome's own unit, shaped as `baseline`.
    """
    family = design.family
    unit = family.change_unit(baseline, design.scale)
    mean, sd = prior.arguments["mean"] * unit, prior.arguments["sd"] * unit
    low, high = family.least - baseline, family.most - baseline
    uniform = np.random.default_rng([seed, 17]).random(baseline.shape)
    return stats.truncnorm.ppf(uniform, (low - mean) / sd, (high - mean) / sd, loc=mean, scale=sd)


def one_sign(values: np.ndarray) -> bool:
    """Whether draws have one sign with probability above 0.975."""
    return bool(max((values < 0).mean(), (values > 0).mean()) > ONE_SIGN)


def tipping_share(remainder: np.ndarray, margin: float, lower_is_better: bool) -> float:
    """Smallest w with P(w · remainder is better than the margin) > 0.95; NaN where no share of it reaches that."""
    gain = -remainder if lower_is_better else remainder
    reached = np.quantile(gain, 1 - SURE)
    return float(margin / reached) if reached > margin else float("nan")
