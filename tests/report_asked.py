"""What was asked of a made-up fit, in the shape of a run's groups: plain arithmetic on one centre and one spread.

Everything is odd in the recipe's effect: the opposite effect gives the opposite numbers, arms exchanged.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from models.estimands.tables import as_group
from models.trial.study_file.study import Outcome, Study
from tests.report_recipe import Recipe

UNIT = {"binary": 0.0497312859, "count": 0.4973128591, "continuous": 0.4973128591}
"""SD of the posterior of a difference, by kind of outcome: with digits that nothing else in a file has."""
LEVEL = {"binary": 0.3123457, "count": 4.1234567, "continuous": 10.1234567}
WORDS = {
    "binary": ("risk", "risk_difference", "risk"),
    "count": ("mean", "mean_difference", "events"),
    "continuous": ("mean", "mean_difference", "units"),
}
DELTAS = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
SENSITIVITIES = (1.0, 0.9, 0.8, 0.7, 0.6)
ZETAS = (-1.0, 0.0, 1.0)
SETS = {
    "diffuse": (1.1, 3.0, "Every scale doubled."),
    "sceptical": (0.6, 1.0, "A reader who expects little."),
    "weakly_informative, SDs × 0.5": (0.7, 1.5, "Rules out effects that no trial has seen."),
}
"""SD of posterior and prior of the primary difference in units, and the reason, by set."""
NO_ROW = "the prior set has no row for it. A made-up reason."


def sensitivity(plan: Study, recipe: Recipe) -> dict[str, xr.Dataset]:
    """Refits, recovery, missing not at random and misreporting; with `recipe.asked` "little", most are not run."""
    little, centre = recipe.asked == "little", 2 * recipe.effect * UNIT[recipe.kind]
    tables = {
        "refits": _refits(plan, recipe, centre, little),
        "recovery": _recovery(recipe, centre),
        "missing_not_at_random": _not_run(NO_ROW) if little else _surface(recipe, centre, "missing"),
        "misreporting": _surface(recipe, centre, "misreported"),
    }
    if recipe.kind != "binary" or little:
        tables["misreporting"] = _not_run("sensitivity and specificity belong to yes-or-no outcomes.")
    return {name: as_group(table) for name, table in tables.items()}


def confounding(plan: Study, ordered: bool) -> xr.Dataset:
    """Group `confounding` of a mediation fit's checks."""
    if not ordered:
        return as_group(_not_run("no mediator is ordered before the outcome at the primary wave.").assign(mediator=""))
    unit, rows = UNIT[plan.outcome.kind], []
    for part in plan.mediators:
        own = {"mediator": part.column}
        if part.interaction:  # as with a prior file without the row
            rows.append(own | {"kind": "not run", "reason": "the prior set has no row for it."})
        for kind, value in (*(("grid", zeta) for zeta in ZETAS), ("prior", math.nan)):
            for effect, centre in (("natural_direct", -0.4), ("interventional_via", -0.2)):
                moved = centre * unit * (1 + (0.0 if math.isnan(value) else 0.1 * value))
                limits = {"median": moved, "lower": moved - 2 * unit, "upper": moved + 2 * unit}
                rows.append(own | {"kind": kind, "value": value, "effect": effect, **limits})
        rows.append(own | {"kind": "tipping", "value": -0.2641})
    return as_group(pd.DataFrame(rows))


def _not_run(reason: str) -> pd.DataFrame:
    return pd.DataFrame([{"kind": "not run", "reason": reason}])


def _refits(plan: Study, recipe: Recipe, centre: float, little: bool) -> pd.DataFrame:
    unit, found = UNIT[recipe.kind], []
    for place, (name, (spread, prior, why)) in enumerate(SETS.items()):
        what = {"kind": "priors", "name": recipe.text(f"set{place}", name), "why": recipe.text(f"set_why{place}", why)}
        found.append(_analysed(plan, plan.outcome, (centre, spread * unit, prior * 2 * unit), what))
    for kind, name in (("participants", "complete cases"), ("model", "random slopes")):
        what = {"kind": kind, "name": name, "why": ""}
        reason = "nobody lacks an outcome, so that it is the main analysis." if little else ""
        found.append(_analysed(plan, plan.outcome, (0.9 * centre, unit, 2 * unit), what, reason))
    for place, outcome in enumerate(plan.further_outcomes):
        what = {"kind": "outcome", "name": outcome.column, "why": ""}
        own = UNIT[outcome.kind]
        reason = "nobody has a value of it." if little or place == recipe.blank else ""
        found.append(_analysed(plan, outcome, (2 * recipe.effect * own, 0.7 * own, 2 * own), what, reason))
    return pd.concat(found, ignore_index=True)


def _analysed(
    plan: Study, outcome: Outcome, numbers: tuple[float, float, float], what: dict[str, str], reason: str = ""
) -> pd.DataFrame:
    own: dict[str, Any] = what | {"column": outcome.column, "outcome": outcome.label, "participants": 107}
    own |= {"ships": "SDs ×" not in str(own["name"]), "informed": False}
    if reason:
        return pd.DataFrame([own | {"reason": reason, "estimand": ""}])
    centre, sd, prior = numbers
    level, difference, unit = WORDS[outcome.kind]
    rows = []
    for place, wave in enumerate(wave.value for wave in plan.waves if wave.role != "baseline"):
        middle, at = LEVEL[outcome.kind], centre * (1 + 0.1 * place)
        where = {"wave": wave, "unit": unit}
        for arm, sign in (("control", -0.5), ("treated", 0.5)):
            told = _summary(middle + sign * at, sd, middle, prior, outcome)
            rows.append(where | {"estimand": level, "label": level, "arm": arm, **told})
        told = _summary(at, sd, 0.0, prior, outcome)
        rows.append(where | {"estimand": difference, "label": "difference", "arm": "", **told})
    shared = {
        "average": "population",
        "mediator": "",
        "bias_parameters": [()] * len(rows),
        "evidence": "randomised + MAR",
    }
    identified = pd.DataFrame(rows).assign(assumptions=[("missing at random",)] * len(rows), **shared)
    return identified.assign(**own, divergences=0, reason="", primary=False)


def _summary(median: float, sd: float, before: float, prior: float, outcome: Outcome) -> dict[str, float]:
    below = 0.5 * math.erfc(median / sd / math.sqrt(2))
    return {
        **{"median": median, "mean": median, "sd": sd, "lower": median - 1.96 * sd, "upper": median + 1.96 * sd},
        **{"prior_median": before, "prior_mean": before, "prior_sd": prior},
        **{"integration_error": 0.0, "effect_contraction": math.nan},
        **{"p_benefit_beyond_margin": 0.3, "p_harm_beyond_margin": 0.1, "p_within_margin": 0.6},
        **{"prior_lower": before - 1.96 * prior, "prior_upper": before + 1.96 * prior},
        **{"contraction": 1 - (sd / prior) ** 2, "rhat": 1.0012, "ess_bulk": 1600.0, "ess_tail": 1500.0},
        **{"mcse_median": sd / 40, "mcse_lower": sd / 20, "mcse_upper": sd / 20},
        **{"p_below_zero": below, "p_benefit": below if outcome.better == "lower" else 1 - below},
    }


def _surface(recipe: Recipe, centre: float, what: str) -> pd.DataFrame:
    """Grid, prior and tipping rows; a value of a bias parameter moves the difference by so many units."""
    unit = UNIT[recipe.kind]
    step, none, levels = (unit, 0.0, DELTAS) if what == "missing" else (-9.7 * unit, 1.0, SENSITIVITIES)

    def row(kind: str, control: float, treated: float, spread: float = 1.0) -> dict[str, Any]:
        moved = centre + step * ((treated - none) - (control - none))
        lower, upper = moved - 1.96 * spread * unit, moved + 1.96 * spread * unit
        numbers = {"median": moved, "lower": lower, "upper": upper, "p_benefit": 0.5}
        excludes = float(lower > 0 or upper < 0)
        return {"kind": kind, "control": control, "treated": treated, **numbers, "excludes_zero": excludes}

    rows = [row("grid", control, treated) for control in levels for treated in levels]
    rows.append(row("prior", none, none, 1.2) | {"control": math.nan, "treated": math.nan})
    fine = np.arange(0, 3.01, 0.05) if what == "missing" else np.arange(0, 0.71, 0.01)
    lines = [[(none, none - x) for x in fine], [(none, none + x) for x in fine]]
    if what != "missing":
        lines[1] = [(none - x, none) for x in fine]
    for line in lines:
        found = [row("tipping", *place) for place in line]
        changed = [each for each in found if each["excludes_zero"] != found[0]["excludes_zero"]]
        never = {"kind": "tipping", "searched_from": none, "searched_to": max(line[-1], key=abs)}
        rows.append(changed[0] if changed else never)
        rows.append(found[-1] | {"kind": "tipping_margin"})
    return pd.DataFrame(rows)


def _recovery(recipe: Recipe, centre: float) -> pd.DataFrame:
    unit, rng = UNIT[recipe.kind], np.random.default_rng(recipe.seed + 3)
    sign = 1.0 if recipe.effect >= 0 else -1.0
    truth = centre + sign * unit * rng.standard_normal(10)
    mean = truth + sign * unit * rng.standard_normal(10)
    lower, upper = mean - 1.96 * unit, mean + 1.96 * unit
    covered = ((lower <= truth) & (truth <= upper)).astype(float)
    numbers = {"truth": truth, "median": mean, "mean": mean, "sd": np.full(10, unit), "lower": lower, "upper": upper}
    return pd.DataFrame(numbers | {"covered": covered, "divergences": 0})
