"""Would the fitted model produce data like these? Replicated trials of new participants, against what was observed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pandas as pd
import xarray as xr

from models.design.layout import Design
from models.equations.model import Model
from models.estimands.summary import LOWER, UPPER
from models.inference.fitted import as_one_chain

REPLICATES, FEWEST_REPLICATES = 2000, 200
MOST_CELLS = 40_000_000
"""Numbers in one array of (replicate, observation): 320 MB; fewer replicates beyond."""
MOST_PATTERNS = 32
BETWEEN, DEVIATION = "spread between participants", "standard deviation"
GROUPS = "spread between groups"


def part(design: Design, seed: int) -> tuple[Design, np.ndarray, str]:
    """The participants whose outcomes are replicated: all, or of a very large trial some at random.

    Returns
    -------
    some : Design
        Those participants.
    kept : ndarray, (observation,)
        Positions of their observations in `design`.
    note : str
        Says so where they are not all.
    """
    most = MOST_CELLS // FEWEST_REPLICATES
    if design.outcome.size <= most:
        return design, np.arange(design.outcome.size), ""
    size = int(design.participants * most / design.outcome.size)
    people = np.sort(np.random.default_rng([seed, 59]).choice(design.participants, size, replace=False))
    kept = np.flatnonzero(np.isin(design.participant_of, people))
    return design.of(people), kept, f"Predictive checks are of {size:,} participants taken at random."


def thinned(draws: xr.Dataset, design: Design, wanted: int = REPLICATES) -> xr.Dataset:
    """Evenly spaced draws, about `wanted` in all, dims (chain 1, draw, …); fewer for large trials.

    The coordinate `draw` is the position among all draws, chain after chain.
    """
    wanted = max(FEWEST_REPLICATES, min(wanted, MOST_CELLS // max(1, design.outcome.size)))
    total = draws.sizes["chain"] * draws.sizes["draw"]
    places = np.arange(0, total, max(1, total // wanted))
    return as_one_chain(draws, places).assign_coords(draw=places)


def replicate(model: Model, draws: xr.Dataset, design: Design, seed: int) -> np.ndarray:
    """Outcomes of new participants in the observed cells, in the outcome's own unit, shape (replicate, observation).

    Parameters
    ----------
    model : Model
        Whose draws they are.
    draws : Dataset
        Draws from which to replicate, one each.
    design : Design
        Which cells; arms and covariates stay as they were.
    seed : int
        Of the replicates.
    """
    rng = np.random.default_rng(np.random.SeedSequence([seed, 7]))
    return design.natural(model.outcomes_of_new(draws, design, rng)[0])


def compare(replicates: np.ndarray, design: Design) -> pd.DataFrame:
    """Observed statistics beside their 95% predictive intervals.

    Parameters
    ----------
    replicates : ndarray, (replicate, observation)
        From `replicate`.
    design : Design
        The trial as observed.

    Returns
    -------
    DataFrame
        check, arm, wave, n, observed, lower, median, upper, inside, tail: the two-sided predictive tail probability.
        Shares (or means) by arm and wave; never and always (counts: zeros, continuous outcomes: the standard deviation)
        and the spread between participants over all.
    """
    kind = "share in arm and wave" if design.family.binary else "mean in arm and wave"
    outcome, rows = design.natural(design.outcome), []
    for arm, wave, inside in cells(design):
        rows.append(_row(kind, arm, wave, int(inside.sum()), outcome[inside].mean(), replicates[:, inside].mean(1)))
    rows += [*_value_rows(outcome, replicates, design), *_between(outcome, replicates, design)]
    return pd.DataFrame([*rows, *_groups(outcome, replicates, design)])


def cells(design: Design) -> Iterator[tuple[str, str, np.ndarray]]:
    """Arm, wave and which observations, for every cell that has one."""
    for code, arm in ((-0.5, "control"), (0.5, "treated")):
        for place, wave in enumerate(design.wave):
            inside = (design.wave_of == place) & (design.arm[design.participant_of] == code)
            if inside.any():
                yield arm, wave, inside


def _value_rows(outcome: np.ndarray, replicates: np.ndarray, design: Design) -> list[dict[str, object]]:
    """What the kind of outcome asks for: never and always, zeros, or the standard deviation."""
    likelihood = design.family
    if likelihood.standardised:
        found = [_within(values, design) for values in (outcome[None], replicates)]
        return [_row(DEVIATION, "", "", outcome.size, found[0][0], found[1])]
    if not likelihood.binary:
        return [_row("zeros", "", "", outcome.size, (outcome == 0).mean(), (replicates == 0).mean(1))]
    full, rows = np.bincount(design.participant_of, minlength=design.participants) == len(design.wave), []
    for name, wanted in (("never", 0.0), ("always", 1.0)):
        if full.sum() and len(design.wave) > 1:
            observed = (_totals(outcome[None], design)[:, full] == wanted * len(design.wave)).mean()
            predicted = (_totals(replicates, design)[:, full] == wanted * len(design.wave)).mean(1)
            rows.append(_row(name, "", "", int(full.sum()), observed, predicted))
    return rows


def _within(outcome: np.ndarray, design: Design) -> np.ndarray:
    """SD of the outcome within arm and wave, pooled over the cells, shape (replicate,)."""
    squares, free = np.zeros(outcome.shape[0]), 0
    for _, _, inside in cells(design):
        size = int(inside.sum())
        squares += outcome[:, inside].var(1) * size
        free += size - 1
    return np.sqrt(squares / max(free, 1))


def _between(outcome: np.ndarray, replicates: np.ndarray, design: Design) -> list[dict[str, object]]:
    several = np.bincount(design.participant_of, minlength=design.participants) > 1
    if several.sum() < 2:
        return []
    observed, predicted = _spread(outcome[None], design, several), _spread(replicates, design, several)
    return [_row(BETWEEN, "", "", int(several.sum()), observed[0], predicted)]


def _groups(outcome: np.ndarray, replicates: np.ndarray, design: Design) -> Iterator[dict[str, object]]:
    """SD at each wave of the means of groups that were randomised, around their arm's."""
    place = design.groups.randomised
    for wave in range(len(design.wave)) if place is not None else ():
        inside = design.wave_of == wave
        people = design.participant_of[inside]
        group, arm = design.groups.member[place, people], design.arm[people]
        many = np.unique(group).size
        if many > 3:
            found = [_group_spread(values[:, inside], group, arm) for values in (outcome[None], replicates)]
            yield _row(GROUPS, "", design.wave[wave], many, found[0][0], found[1])


def _group_spread(outcome: np.ndarray, group: np.ndarray, arm: np.ndarray) -> np.ndarray:
    total, free = np.zeros(outcome.shape[0]), 0
    for code in np.unique(arm):
        names, place = np.unique(group[arm == code], return_inverse=True)
        sums = np.zeros((outcome.shape[0], names.size))
        np.add.at(sums.T, place, outcome[:, arm == code].T.astype(float))
        means = sums / np.bincount(place)
        total = total + ((means - means.mean(1, keepdims=True)) ** 2).sum(1)
        free += names.size - 1
    return np.sqrt(total / max(1, free))


def _totals(outcome: np.ndarray, design: Design) -> np.ndarray:
    """Sum over waves for each participant, shape (replicate, participant)."""
    totals = np.zeros((outcome.shape[0], design.participants))
    for place in range(len(design.wave)):
        inside = design.wave_of == place
        totals[:, design.participant_of[inside]] += outcome[:, inside]
    return totals


def _spread(outcome: np.ndarray, design: Design, several: np.ndarray) -> np.ndarray:
    # SD of participants' mean departure from their wave's mean: what shared traits, and nothing else, widen
    outcome = outcome.astype(float)
    for place in range(len(design.wave)):
        inside = design.wave_of == place
        if inside.any():
            outcome[:, inside] -= outcome[:, inside].mean(1, keepdims=True)
    seen = np.maximum(np.bincount(design.participant_of, minlength=design.participants), 1)
    return (_totals(outcome, design) / seen)[:, several].std(1, ddof=1)


def _row(check: str, arm: str, wave: str, n: int, observed: float, predicted: np.ndarray) -> dict[str, object]:
    lower, median, upper = np.quantile(predicted, [LOWER, 0.5, UPPER])
    below, above = (predicted <= observed).mean(), (predicted >= observed).mean()
    return {
        "check": check,
        "arm": arm,
        "wave": wave,
        "n": int(n),
        "observed": float(observed),
        "lower": float(lower),
        "median": float(median),
        "upper": float(upper),
        "inside": bool(lower <= observed <= upper),
        "tail": float(min(1.0, 2 * min(below, above))),
    }


def patterns(replicates: np.ndarray, design: Design) -> pd.DataFrame:
    """How many participants show each response pattern, observed and predicted; complete histories only.

    Returns
    -------
    DataFrame
        pattern ("0110", one digit a wave), observed, lower, median, upper; empty where the outcome is not binary, for
        one wave and for many.
    """
    columns = ["pattern", "observed", "lower", "median", "upper"]
    waves = len(design.wave)
    full = np.bincount(design.participant_of, minlength=design.participants) == waves
    if not design.family.binary or not 1 < waves <= np.log2(MOST_PATTERNS) or not full.any():
        return pd.DataFrame(columns=columns)
    observed, predicted = (
        _pattern_counts(design.outcome[None], design, full)[0],
        _pattern_counts(replicates, design, full),
    )
    lower, median, upper = np.quantile(predicted, [LOWER, 0.5, UPPER], axis=0)
    labels = ["".join(map(str, digits)) for digits in product((0, 1), repeat=waves)]
    return pd.DataFrame(dict(zip(columns, (labels, observed, lower, median, upper), strict=True)))


def _pattern_counts(outcome: np.ndarray, design: Design, full: np.ndarray) -> np.ndarray:
    code = np.zeros((outcome.shape[0], design.participants), dtype=int)
    for place in range(len(design.wave)):
        inside = design.wave_of == place
        code[:, design.participant_of[inside]] += outcome[:, inside].astype(int) << (len(design.wave) - 1 - place)
    return np.array([np.bincount(row, minlength=2 ** len(design.wave)) for row in code[:, full]])
