"""What if outcomes were not missing at random, or not reported truthfully: the answer at chosen values of each.

Nothing here meets the likelihood: each bias parameter is set, or drawn from its prior, after the fit. At no bias the
main result returns to the last digit. MODEL.md, "Bias parameters".
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import xarray as xr

from models.design.layout import Design
from models.estimands.summary import LOWER, UPPER
from models.inference.fitted import Fit
from models.trial.study_file.study import ARMS, Study
from priors.prior_set import PriorSet

DELTAS = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
"""Of a missing outcome against an observed one, in each arm."""
SENSITIVITIES = (1.0, 0.9, 0.8, 0.7, 0.6)
FINE = np.round(np.arange(0.0, 3.01, 0.05), 2)
"""Steps at which a tipping value is looked for."""
FINE_SENSITIVITY = np.round(np.arange(0.99, 0.299, -0.01), 2)
MOST_MISSING = 500
"""Of each arm, whose own means are formed: where a fifth is missing the shift is then known to a tenth of a point."""
Rule = Callable[[float, float], np.ndarray]
"""(value in the control arm, value in the treated arm) to the differences, (draw,)."""


def not_missing_at_random(fit: Fit, levels: xr.DataArray) -> pd.DataFrame:
    """The primary difference where missing outcomes differ from observed ones of the same kind by δ in each arm.

    A participant missing at the primary wave has, under MAR, the mean that the model gives them at each draw; it is
    shifted by δ on the link scale (log-odds for yes or no, log-means for counts, SDs for continuous outcomes), and the
    population's level in their arm by the average of the shifts.

    Parameters
    ----------
    fit : Fit
        Row `delta_difference` of its priors is the belief about δ₁ − δ₀.
    levels : DataArray
        The model's `response` on its posterior.

    Returns
    -------
    DataFrame
        As `_table`; the values are δ in each arm.
    """
    layout, study, priors = fit.design, fit.study, fit.priors
    wave = layout.wave.index(study.primary_wave)
    r = _levels(levels, study)
    seen = np.zeros(layout.participants, bool)
    seen[layout.participant_of[layout.wave_of == wave]] = True
    if seen.all():
        return _not_run("nobody lacks an outcome at the primary wave.")
    who = _asked(np.flatnonzero(~seen), layout, study.seed)
    means = _missing_means(fit, wave, who)
    arms = layout.arm[who] > 0

    def shift(delta: np.ndarray | float, arm: int) -> np.ndarray:
        mine = means[:, arms == bool(arm)]
        if not mine.shape[1]:
            return np.zeros(mine.shape[0])
        moved = layout.family.shifted(mine, np.reshape(delta, (-1, 1)))
        everybody = (layout.arm > 0) == bool(arm)
        return (moved - mine).mean(1) * (everybody & ~seen).sum() / everybody.sum()

    def rule(control: np.ndarray | float, treated: np.ndarray | float) -> np.ndarray:
        change = shift(treated, 1) - shift(control, 0)
        return r[1] - r[0] + change * layout.scale

    lacking = priors.lacking("delta_difference")
    if lacking:
        return _not_run(lacking)
    apart = priors["delta_difference"].sample(np.random.default_rng([0, 23]), (r.shape[1],))
    grid = [(low, high) for low in DELTAS for high in DELTAS]
    fine = [[(0.0, sign * value) for value in FINE] for sign in (-1, 1)]
    return _table(rule, grid, rule(-apart / 2, apart / 2), fine, study)


def _asked(missing: np.ndarray, layout: Design, seed: int) -> np.ndarray:
    """Those who lack the outcome; where they are very many, some of each arm at random stand for all."""
    rng, found = np.random.default_rng([seed, 61]), []
    for arm in (False, True):
        mine = missing[(layout.arm[missing] > 0) == arm]
        found.append(mine if mine.size <= MOST_MISSING else np.sort(rng.choice(mine, MOST_MISSING, replace=False)))
    return np.sort(np.concatenate(found))


def _missing_means(fit: Fit, wave: int, who: np.ndarray) -> np.ndarray:
    """Mean outcome at a wave of participants who lack it, each in the own arm with the own trait, (draw, person)."""
    part = fit.design.of(who)
    # traits that were too many to be formed for everybody are drawn for these
    draws = fit.model.completed(fit.posterior.isel(participant=who, missing_dims="ignore"), part, fit.study.seed)
    linear = fit.model.predictor(draws, part.at(np.arange(who.size), np.full(who.size, wave)))
    return fit.design.family.mean(linear.reshape(-1, who.size))


def misreporting(levels: xr.DataArray, study: Study, priors: PriorSet, seed: int) -> pd.DataFrame:
    """The primary risk difference where events are reported with less than certainty, differently in each arm.

    True risk = (reported risk − (1 − specificity)) / (sensitivity + specificity − 1), kept within 0 and 1; on the grid
    the specificity is 1.

    Parameters
    ----------
    levels : DataArray
        A model's `response` on the posterior.
    study : Study
        The outcome must be yes or no.
    priors : PriorSet
        Rows `sensitivity` and `specificity`, drawn for each arm on its own.
    seed : int
        Of those draws.

    Returns
    -------
    DataFrame
        As `_table`; the values are the sensitivity in each arm.
    """
    if not study.outcome.family.binary:
        return _not_run("sensitivity and specificity belong to yes-or-no outcomes.")
    r = _levels(levels, study)

    def corrected(reported: np.ndarray, sensitivity: np.ndarray | float, specificity: np.ndarray | float) -> np.ndarray:
        true = (reported - (1 - specificity)) / (sensitivity + specificity - 1)
        return np.clip(true, 0, 1)

    lacking = priors.lacking("sensitivity", "specificity")
    if lacking:
        return _not_run(lacking)
    rng = np.random.default_rng([seed, 29])
    given = [priors["sensitivity"].sample(rng, (r.shape[1],)) for _ in ARMS]
    exact = [priors["specificity"].sample(rng, (r.shape[1],)) for _ in ARMS]
    averaged = corrected(r[1], given[1], exact[1]) - corrected(r[0], given[0], exact[0])

    def rule(control: float, treated: float) -> np.ndarray:
        return corrected(r[1], treated, 1.0) - corrected(r[0], control, 1.0)

    grid = [(low, high) for low in SENSITIVITIES for high in SENSITIVITIES]
    fine = [[(1.0, value) for value in (1.0, *FINE_SENSITIVITY)], [(value, 1.0) for value in (1.0, *FINE_SENSITIVITY)]]
    return _table(rule, grid, averaged, fine, study)


def _levels(levels: xr.DataArray, study: Study) -> np.ndarray:
    """Population level in each arm at the primary wave, (arm, draw)."""
    found = levels.sel(average="population", wave=study.primary_wave)
    return found.transpose("arm", "chain", "draw").to_numpy().reshape(2, -1)


def _not_run(reason: str) -> pd.DataFrame:
    return pd.DataFrame([{"kind": "not run", "reason": reason}])


def _table(rule: Rule, grid: list, averaged: np.ndarray, fine: list, study: Study) -> pd.DataFrame:
    """Rows of kind "grid" (a value in each arm), "prior" (averaged over it), "tipping" and "tipping_margin".

    Columns: kind, control, treated (values of the bias parameter), median, lower, upper, p_benefit, excludes_zero,
    searched_from, searched_to; excludes_zero is 0 or 1. Of each line there is the first value at which the interval
    changes between excluding and including 0 ("tipping") and the first at which it comes to lie otherwise beside the
    margin ("tipping_margin"); where nothing changes along its line, a row with the values searched alone.
    """
    rows = [{"kind": "grid", "control": c, "treated": t} | _numbers(rule(c, t), study) for c, t in grid]
    rows.append({"kind": "prior"} | _numbers(averaged, study))
    for line in fine:
        found = [{"kind": "tipping", "control": c, "treated": t} | _numbers(rule(c, t), study) for c, t in line]
        (first, last) = (line[0][0], line[-1][0]) if line[0][0] != line[-1][0] else (line[0][1], line[-1][1])
        never = {"searched_from": abs(first), "searched_to": last}
        for kind, told in (("tipping", _beside_zero), ("tipping_margin", partial(_zone, margin=study.outcome.margin))):
            changed = next((row for row in found if told(row) != told(found[0])), never)
            rows.append(changed | {"kind": kind})
    return pd.DataFrame(rows)


def _beside_zero(row: dict) -> float:
    return row["excludes_zero"]


def _zone(row: dict, margin: float) -> int | None:
    """Zone of the whole interval: at or below −margin (−1), within (0), at or above margin (1); None: in two."""
    reached = (row["lower"] <= -margin, row["lower"] < margin and row["upper"] > -margin, row["upper"] >= margin)
    return reached.index(True) - 1 if sum(reached) == 1 else None


def _numbers(difference: np.ndarray, study: Study) -> dict[str, object]:
    lower, median, upper = np.quantile(difference, [LOWER, 0.5, UPPER])
    better = difference < 0 if study.outcome.better == "lower" else difference > 0
    found = {"median": median, "lower": lower, "upper": upper, "p_benefit": better.mean()}
    numbers: dict[str, object] = {name: float(number) for name, number in found.items()}
    return numbers | {"excludes_zero": float(lower > 0 or upper < 0)}
