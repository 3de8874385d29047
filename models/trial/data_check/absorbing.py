"""Outcomes that never come back: who once has the event has it at every later wave, as with death or a first event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import xarray as xr
from scipy.optimize import brentq
from scipy.special import expit

from models.trial.data_check.finding import Finding
from models.trial.study_file.study import Outcome, Study

KIND = "absorbing outcome"
CHANCE = 1e-3
"""That nobody comes back, at the shares observed and levels that differ between participants as much as `SPREAD`."""
SPREAD = 3.0
"""SD of participants' levels, log odds: beyond what trials show (violence: 1 to 2)."""
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(61)


def findings(study: Study, trial: xr.Dataset) -> Iterator[Finding]:
    """Binary outcomes in which one of the two values is never left again."""
    every = [trial["outcome"].to_numpy(), *trial["further_outcome"].to_numpy()]
    for part, values in zip(study.outcomes, every, strict=True):
        if not part.family.binary:
            continue
        for state in (1, 0):
            found = np.where(np.isnan(values), np.nan, values == state)
            if _stays(found) and _chance(found) < CHANCE:
                yield _finding(part, state)


def _finding(part: Outcome, state: int) -> Finding:
    return Finding(
        KIND,
        f"{part.label}: whoever once had {state} had {state} at every later wave, which chance does not explain. An "
        "outcome that never reverts (death, a first event, loss) violates the model: analyse one follow-up wave alone, "
        "or record at each wave what was new.",
        "amber",
    )


def _stays(values: np.ndarray) -> bool:
    """Whether nobody has 0 after 1, and somebody could have had."""
    before = np.fmax.accumulate(np.where(np.isnan(values), -np.inf, values), axis=1)[:, :-1] == 1
    later = values[:, 1:]
    return bool((before & (later == 1)).any()) and not (before & (later == 0)).any()


def _chance(values: np.ndarray) -> float:
    """Probability that nobody leaves the state, were the waves independent given a participant's level."""
    share = np.clip(np.nanmean(np.where(np.isnan(values).all(0), 0.5, values), axis=0), 0.002, 0.998)
    weight = _WEIGHTS / _WEIGHTS.sum()
    level = [brentq(lambda x, p=p: weight @ expit(x + SPREAD * _NODES) - p, -40, 40) for p in share]
    has = expit(np.array(level)[:, None] + SPREAD * _NODES)  # (wave, node)
    total = 0.0
    for seen, people in Counter(map(tuple, ~np.isnan(values))).items():
        total += people * np.log(weight @ _monotone(has[np.array(seen)]))
    return float(np.exp(total))


def _monotone(has: np.ndarray) -> np.ndarray:
    """Probability of 0 … 0 1 … 1 over the waves, (node,)."""
    not_yet, since = np.ones(has.shape[1]), np.zeros(has.shape[1])
    for probability in has:
        since = (since + not_yet) * probability
        not_yet = not_yet * (1 - probability)
    return not_yet + since
