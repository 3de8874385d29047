"""Draws, data and tables of a made-up run: seeded, in the shapes that a saved run has, describing nobody."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from models.estimands.tables import as_group
from models.trial.study_file.study import Study
from tests.report_recipe import Recipe

CHAINS, DRAWS = 4, 500
AVERAGES = ("population", "sample", "typical")
ARMS = ("control", "treated")
RANDOMISED, NOT_IDENTIFIED = "randomised + MAR", "not identified"


class Draws:
    """Draws of parameters and of the estimands that follow from them."""

    def __init__(self, recipe: Recipe, plan: Study) -> None:
        self.rng = np.random.default_rng(recipe.seed)
        self.recipe, self.plan = recipe, plan
        self.waves = [wave.value for wave in plan.waves]
        self.follow_ups = [wave.value for wave in plan.waves if wave.role == "follow-up"]
        self.contrasts = [wave.value for wave in plan.waves if wave.role != "baseline"]
        level = {"baseline": -0.2, "post-test": -1.1, "3 months": -1.6, "6 months": -1.9}
        after = self._parameters(CHAINS, {wave: level[wave] for wave in self.waves}, 0.25, recipe.effect, 0.3)
        before = self._parameters(1, dict.fromkeys(self.waves, 0.0), 1.5, 0.0, 0.7)
        self.level = after["level"]
        self.estimands, self.prior_estimands = self._estimands(after), self._estimands(before)
        self.posterior, self.prior = _as_sampled(after), _as_sampled(before)
        self.sample_stats = xr.Dataset({"diverging": (("chain", "draw"), np.zeros((CHAINS, DRAWS), bool))})
        self.trial = self._data()

    def _parameters(
        self, chains: int, level: dict[str, float], spread: float, effect: float, effect_sd: float
    ) -> xr.Dataset:
        rng, draws = self.rng, DRAWS if chains > 1 else 2000

        def normal(mean: Any, sd: float, *size: int) -> np.ndarray:
            return np.asarray(mean) + sd * rng.standard_normal((chains, draws, *size))

        dims = ("chain", "draw")
        variables = {
            "level": ((*dims, "wave"), normal(list(level.values()), spread, len(level))),
            "theta": ((*dims, "follow_up"), normal(effect, effect_sd, len(self.follow_ups))),
        }
        continuous = self.recipe.kind == "continuous"
        spread_around = (1.0, 0.3) if chains > 1 else (0.0, 1.0)
        if continuous:
            variables["residual_sd"] = ((*dims, "wave"), np.abs(normal(*spread_around, len(self.waves))))
            variables["log_sd_ratio"] = ((*dims, "follow_up"), normal(0.0, 0.1, len(self.follow_ups)))
        if continuous and self.recipe.several_waves:
            pairs = [f"{one} and {two}" for k, one in enumerate(self.waves) for two in self.waves[:k]]
            variables["wave_partial_correlation"] = ((*dims, "wave_pair"), np.tanh(normal(0.5, 0.1, len(pairs))))
        elif self.recipe.several_waves:
            variables["tau"] = (dims, np.abs(normal(*spread_around)))
        coords = {"chain": range(chains), "draw": range(draws), "wave": self.waves, "follow_up": self.follow_ups}
        if "wave_partial_correlation" in variables:
            coords["wave_pair"] = pairs
        if self.recipe.negative_control:
            variables["theta_negative_control"] = ((*dims, "negative_control"), normal(0.0, effect_sd, 1))
            coords["negative_control"] = ["post-test"]
        if self.recipe.covariates:
            variables["gamma"] = ((*dims, "covariate"), normal(0.1, 0.2 if chains > 1 else 0.5, 2))
            coords["covariate"] = ["age", "education"]
        return xr.Dataset(variables, coords)

    def _estimands(self, parameters: xr.Dataset) -> xr.Dataset:
        effect = xr.zeros_like(parameters["level"])
        for wave in self.follow_ups:
            effect.loc[{"wave": wave}] = parameters["theta"].sel(follow_up=wave)
        if self.recipe.negative_control:
            effect.loc[{"wave": "post-test"}] = parameters["theta_negative_control"].sel(negative_control="post-test")
        sign = xr.DataArray([-0.5, 0.5], coords={"arm": list(ARMS)}, dims="arm")
        eta = parameters["level"] + sign * effect
        if self.recipe.kind == "count":
            level = xr.concat([np.exp(eta + shift) for shift in (0.1, 0.1, 0.0)], pd.Index(AVERAGES, name="average"))
        elif self.recipe.kind == "continuous":
            level = xr.concat([2 * eta + shift for shift in (0.0, 0.01, 0.0)], pd.Index(AVERAGES, name="average"))
        else:
            shrink = 1 / np.sqrt(1 + 0.35 * parameters["tau"] ** 2) if "tau" in parameters else 1.0
            level = xr.concat(
                [1 / (1 + np.exp(-eta * s)) for s in (shrink, shrink * 1.02, 1.0)], pd.Index(AVERAGES, name="average")
            )
        return self._contrasts(level)

    def _contrasts(self, level: xr.DataArray) -> xr.Dataset:
        after = level.sel(wave=self.contrasts).rename(wave="contrast")
        treated, control = after.sel(arm="treated", drop=True), after.sel(arm="control", drop=True)
        binary = self.recipe.kind == "binary"
        names = ("risk", "risk_difference", "risk_ratio") if binary else ("mean", "mean_difference", "rate_ratio")
        found = {names[0]: level, names[1]: treated - control}
        if self.recipe.kind != "continuous":
            found[names[2]] = treated / control
        if self.recipe.kind == "binary":
            found["odds_ratio"] = treated / (1 - treated) / (control / (1 - control))
        if self.recipe.baseline:
            found["change"] = (after - level.sel(wave="baseline", drop=True)).sel(average="population", drop=True)
        order = ("chain", "draw", "average", "arm", "wave", "contrast")
        return xr.Dataset(
            {name: value.transpose(*[dim for dim in order if dim in value.dims]) for name, value in found.items()}
        )

    def _data(self) -> xr.Dataset:
        rng, people = np.random.default_rng(self.recipe.seed + 5), 107
        arm = np.repeat([0, 1], [50, 57])
        trait = rng.standard_normal((people, 1))
        eta = self.level.mean(("chain", "draw")).to_numpy() + trait
        seen = rng.random((people, len(self.waves))) > np.linspace(0, 0.16, len(self.waves))
        drawn = {
            "binary": lambda: rng.random(eta.shape) < 1 / (1 + np.exp(-eta)),
            "count": lambda: rng.poisson(np.exp(eta)),
            "continuous": lambda: 2 * eta + rng.standard_normal(eta.shape),
        }[self.recipe.kind]()
        outcome = np.where(seen, drawn.astype(float), np.nan)
        known = {"arm": ("participant", arm), "seen": (("participant", "wave"), seen)}
        known["outcome"] = (("participant", "wave"), outcome)
        coords: dict[str, Any] = {"wave": self.waves}
        coords["month"] = ("wave", [float(wave.month) for wave in self.plan.waves])
        coords["role"] = ("wave", [wave.role for wave in self.plan.waves])
        if self.recipe.covariates:
            table = np.column_stack(
                [rng.normal(36.0, 9.0, people).round(1), rng.choice(3, people, p=[0.06, 0.74, 0.2])]
            )
            known["covariate_value"] = (("participant", "covariate"), table)
            coords["covariate"] = ["age", "education"]
        levels = json.dumps({"education": ["primary or none", "secondary", "more"]})
        return xr.Dataset(known, coords, attrs={"levels": levels, "groups": "[]", "notes": "[]"})


def _as_sampled(parameters: xr.Dataset) -> xr.Dataset:
    """Levels of the waves as the models have them: the first, and the steps from a wave to the next."""
    level = parameters["level"]
    steps = level.diff("wave").rename(wave="step_to")
    found = parameters.drop_vars("level").assign(mu_0=level.isel(wave=0, drop=True))
    found = found if "residual_sd" in found else found.drop_vars("wave")
    return found.assign(step=steps) if steps.size else found


def as_rows(table: pd.DataFrame) -> xr.Dataset:
    return as_group(table)


def summary(plan: Study, draws: Draws, recipe: Recipe) -> pd.DataFrame:
    units = {
        "risk": "risk",
        "risk_difference": "risk",
        "risk_ratio": "ratio",
        "odds_ratio": "ratio",
        "mean": "events",
        "mean_difference": "events",
        "rate_ratio": "ratio",
    }
    if recipe.kind == "continuous":
        units |= {"mean": "units", "mean_difference": "units"}
    units["change"] = {"binary": "risk", "count": "events", "continuous": "units"}[recipe.kind]
    rows = []
    for estimand, values in draws.estimands.data_vars.items():
        prior = draws.prior_estimands[estimand]
        others = [dim for dim in values.dims if dim not in ("chain", "draw")]
        for point in values.stack(cell=others)["cell"].to_numpy():
            where = dict(zip(others, point, strict=True))
            rows.append(_estimate(plan, estimand, units[estimand], where, values.sel(where), prior.sel(where), recipe))
    rows.append(
        {
            "estimand": "effect_in_selected",
            "label": "effect among participants selected by what happened after randomisation",
            "unit": "",
            "average": "population",
            "arm": "",
            "wave": "",
            "evidence": NOT_IDENTIFIED,
            "assumptions": (),
            "mediator": "",
            "bias_parameters": (),
            "primary": False,
            "reason": "Who is selected may differ between the arms.",
        }
    )
    return pd.DataFrame(rows).assign(reason=lambda table: table["reason"].fillna("")).reset_index(drop=True)


def _estimate(
    plan: Study, estimand: str, unit: str, where: dict, values: xr.DataArray, prior: xr.DataArray, recipe: Recipe
) -> dict[str, Any]:
    draws, before = values.to_numpy().ravel(), prior.to_numpy().ravel()
    wave = where.get("wave", where.get("contrast", ""))
    low, high = np.quantile(draws, [0.025, 0.975])
    spread = draws.std(ddof=1)
    row = {
        "estimand": estimand,
        "label": estimand.replace("_", " ").capitalize(),
        "unit": unit,
        "average": where.get("average", "population"),
        "arm": where.get("arm", ""),
        "wave": wave,
        "evidence": RANDOMISED,
        "assumptions": ("no interference", "same timing in both arms", "missing at random"),
        "primary": estimand.endswith("difference")
        and wave == plan.primary_wave
        and where.get("average") == "population",
        "median": np.median(draws),
        "mean": draws.mean(),
        "sd": spread,
        "lower": low,
        "upper": high,
        "mediator": "",
        "bias_parameters": (),
        "integration_error": 0.0,
        "effect_contraction": np.nan,
        "prior_median": np.median(before),
        "prior_mean": before.mean(),
        "prior_sd": before.std(ddof=1),
        "prior_lower": np.quantile(before, 0.025),
        "prior_upper": np.quantile(before, 0.975),
        "contraction": 1 - spread**2 / before.var(ddof=1),
        "mcse_median": spread * 0.02,
        "mcse_lower": spread * 0.04,
        "mcse_upper": spread * 0.04,
        "ess_bulk": 4100.0,
        "ess_tail": 3800.0,
        "rhat": 1.001,
        "reason": "",
    }
    if estimand.endswith("difference"):
        gain = draws if recipe.better == "higher" else -draws
        margin = plan.outcome.margin
        row |= {
            "p_below_zero": (draws < 0).mean(),
            "p_benefit": (gain > 0).mean(),
            "p_harm_beyond_margin": (gain < -margin).mean(),
            "p_within_margin": (np.abs(gain) < margin).mean(),
            "p_benefit_beyond_margin": (gain > margin).mean(),
        }
    return row


def _shares(plan: Study, draws: Draws) -> list[tuple[str, str, np.ndarray]]:
    arm = draws.trial["arm"].to_numpy()
    outcome = draws.trial["outcome"]
    found = []
    for code, name in enumerate(ARMS):
        for wave in draws.waves:
            values = outcome.sel(wave=wave).to_numpy()[arm == code]
            found.append((name, wave, values[~np.isnan(values)]))
    return found


def predictive(plan: Study, draws: Draws) -> pd.DataFrame:
    kind, rows = plan.outcome.kind, []
    binary, continuous = kind == "binary", kind == "continuous"
    for arm, wave, values in _shares(plan, draws):
        half = 1.9 * values.std() / np.sqrt(values.size) * 1.3
        rows.append(
            {
                "check": "share in arm and wave" if binary else "mean in arm and wave",
                "arm": arm,
                "wave": wave,
                "n": values.size,
                "observed": values.mean(),
                "lower": values.mean() - half + 0.02 if continuous else max(values.mean() - half + 0.02, 0),
                "median": values.mean() + 0.02,
                "upper": values.mean() + half + 0.02,
                "inside": True,
                "tail": 0.5,
            }
        )
    extra = {
        "binary": [("never", 0.31), ("always", 0.02)],
        "count": [("zeros", 0.4)],
        "continuous": [("standard deviation", 2.2), ("spread between participants", 1.9)],
    }[kind]
    if len(plan.waves) == 1:
        extra = []
    for check, observed in extra:
        rows.append(
            {
                "check": check,
                "arm": "",
                "wave": "",
                "n": 80,
                "observed": observed,
                "lower": observed * 0.7,
                "median": observed,
                "upper": observed * 1.4,
                "inside": True,
                "tail": 0.5,
            }
        )
    return pd.DataFrame(rows)


def patterns(plan: Study, draws: Draws) -> pd.DataFrame:
    if plan.outcome.kind != "binary" or len(plan.waves) == 1:
        return pd.DataFrame({name: [] for name in ("pattern", "observed", "lower", "median", "upper")})
    outcome = draws.trial["outcome"].to_numpy()
    complete = outcome[~np.isnan(outcome).any(axis=1)].astype(int)
    words = ["".join(map(str, row)) for row in complete]
    every = [format(code, f"0{outcome.shape[1]}b") for code in range(2 ** outcome.shape[1])]
    observed = np.array([words.count(word) for word in every])
    return pd.DataFrame(
        {
            "pattern": every,
            "observed": observed,
            "lower": np.maximum(observed - 5.0, 0),
            "median": np.maximum(observed - 1.0, 0),
            "upper": observed + 5.0,
        }
    )


def power(plan: Study, draws: Draws) -> pd.DataFrame:
    estimand = "risk_difference" if plan.outcome.kind == "binary" else "mean_difference"
    return pd.DataFrame(
        [
            {
                "element": f"{estimand}[{wave}]",
                "estimand": estimand,
                "mediator": "",
                "arm": "",
                "wave": wave,
                "prior": 0.041,
                "likelihood": 0.11,
                "shift": 0.004,
                "flag": False,
            }
            for wave in draws.contrasts
        ]
    )


def model_free(plan: Study, draws: Draws) -> pd.DataFrame:
    cells = {(arm, wave): values for arm, wave, values in _shares(plan, draws)}
    rows = []
    for wave in draws.contrasts:
        treated, control = cells["treated", wave], cells["control", wave]
        gap, half = (
            treated.mean() - control.mean(),
            1.96 * np.sqrt(treated.var() / treated.size + control.var() / control.size),
        )
        for method in ("crude", "standardised"):
            rows.append(
                {
                    "wave": wave,
                    "method": method,
                    "estimate": gap,
                    "lower": gap - half,
                    "upper": gap + half,
                    "n": treated.size + control.size,
                    "flag": wave == "3 months" and method == "crude",
                    "note": "",
                }
            )
    return pd.DataFrame(rows)


def loo(draws: Draws) -> xr.Dataset:
    size = draws.trial.sizes["participant"]
    found = {"pareto_k": ("participant", np.linspace(-0.1, 0.55, size)), "elpd": -201.4, "se": 9.2}
    return xr.Dataset(found | {"high": 0, "refitted": 0, "unweighed": 0, "shift_lower": -0.011, "shift_upper": 0.009})
