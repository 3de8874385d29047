"""The mediation fit of a made-up run: parts that sum to their total at every draw, describing nobody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from models.checks.gate_table import Gate
from models.estimands.ledger import same_way
from models.estimands.path_estimates import CROSS_WORLD, LABELS, NO_COMMON_CAUSE, NO_PATH, RHO
from models.runs.folder import Run
from models.trial.study_file.study import Study
from tests.report_asked import confounding
from tests.report_draws import CHAINS, DRAWS, Draws, _estimate, as_rows

Rows = dict[tuple[str, str, str, str], np.ndarray]
"""Draws by estimand, mediator, arm and wave."""
RANDOMISED = ("mediator_mean", "mediator_difference", "total")


def mediation(folder: Path, plan: Study, draws: Draws, manifest: dict[str, Any], gate: Gate) -> Run:
    """The further run that `models.runs.folder.load` would return."""
    made = Paths(plan, draws)
    tree = xr.DataTree.from_dict(
        {
            "posterior": made.posterior,
            "summary": as_rows(made.summary),
            "path_estimands": made.as_dataset(made.after),
            "trial": draws.trial.assign(held=("mediator", [48.8] * len(plan.mediators))),
            "prior": made.prior,
            "confounding": confounding(plan, made.ordered),
            "prior_estimands": xr.Dataset(),
            "prior_path_estimands": made.as_dataset(made.before),
            "path_power_scaling": _power(plan) if made.ordered else xr.Dataset(),
            "mediator_pit": _pit([part.column for part in plan.mediators], draws.recipe.outside),
        }
    )
    notes = [f"{plan.mediators[0].label}: a limitation of the mediation model."]
    own = manifest | {"model": "mediation", "gate": gate.status, "notes": [*manifest["notes"], *notes]}
    return Run(folder / "mediation", own, plan, tree, gate)


def _power(plan: Study) -> xr.Dataset:
    """Indices of the total and of each way at the primary wave; that of the first mediator is flagged."""
    ways = [("total", ""), *(("interventional_via", part.column) for part in plan.mediators)]
    where = [f"{name}[{', '.join(filter(None, (plan.primary_wave, mediator)))}]" for name, mediator in ways]
    names = {"estimand": [name for name, _ in ways], "mediator": [mediator for _, mediator in ways], "arm": ""}
    size = len(ways)
    numbers = {"prior": [0.031, 0.1731] + [0.04] * (size - 2), "likelihood": [0.05] * size, "shift": [-0.0123] * size}
    return as_rows(
        pd.DataFrame(
            {
                "element": where,
                **names,
                "wave": plan.primary_wave,
                **numbers,
                "flag": [place == 1 for place in range(size)],
            }
        )
    )


def _pit(names: list[str], outside: tuple[str, ...]) -> xr.Dataset:
    """Curves within a band of ±.07, and outside of it for the mediators named."""
    grid = np.arange(1, 100) / 100
    room = 0.28 * grid * (1 - grid) + 0.005
    far = np.array([[2.0 if name in outside else 0.3] for name in names])
    curves = {"ecdf": grid + far * room, "lower": grid - room + 0 * far, "upper": grid + room + 0 * far}
    chance = [1e-6 if name in outside else 0.4 for name in names]
    counts = {"values": [397] * len(names), "unreliable": [4] * len(names), "chance": chance}
    shaped = {name: (("mediator", "probability"), np.clip(curve, 0, 1)) for name, curve in curves.items()}
    shaped |= {name: (("mediator",), np.array(value)) for name, value in counts.items()}
    shaped["inside"] = (("mediator",), np.array([name not in outside for name in names]))
    return xr.Dataset(shaped, {"mediator": names, "probability": grid})


class Paths:
    """Posterior and prior draws of every path estimand at the primary wave, and of the mediators at all."""

    def __init__(self, plan: Study, draws: Draws) -> None:
        self.plan, self.draws, self.rng = plan, draws, np.random.default_rng(draws.recipe.seed + 11)
        self.names = [part.column for part in plan.mediators]
        self.ordered = len(draws.follow_ups) > 1 or plan.lag == 0
        self.after = dict(self._made(CHAINS * DRAWS, 0.4))
        self.before = dict(self._made(DRAWS, 1.0))
        self.posterior = self._posterior()
        self.summary = self._summary()

    def _normal(self, size: int, mean: float, sd: float) -> np.ndarray:
        return mean + sd * self.rng.standard_normal(size)

    def _made(self, size: int, spread: float) -> Iterator[tuple[tuple[str, str, str, str], np.ndarray]]:
        for place, name in enumerate(self.names):
            level, unit = (50.0, 10.0) if self.plan.mediators[place].kind == "continuous" else (0.6, 0.1)
            for wave in self.draws.waves:
                means = [level + unit * self._normal(size, 0.2 * code, spread) for code in (0, 1)]
                for arm, mean in zip(("control", "treated"), means, strict=True):
                    yield ("mediator_mean", name, arm, wave), mean
                if wave in self.draws.contrasts:
                    yield ("mediator_difference", name, "", wave), means[1] - means[0]
        if self.ordered:
            yield from self._effects(size, spread)
        if self.ordered and self.draws.recipe.baseline:
            yield from self._change(size, spread)

    def _effects(self, size: int, spread: float) -> Iterator[tuple[tuple[str, str, str, str], np.ndarray]]:
        wave, recipe = self.plan.primary_wave, self.draws.recipe
        direct = self._normal(size, -0.3 if recipe.one_sign else -0.02, 0.1 * spread)
        via = {name: self._normal(size, -0.01 * (place + 1), 0.03 * spread) for place, name in enumerate(self.names)}
        indirect = sum(via.values(), np.zeros(size))
        found = {
            "total": direct + indirect,
            "natural_direct": direct,
            "natural_indirect": indirect,
            "interventional_direct": direct,
            "dependence": np.zeros(size),
            "controlled_direct": direct + 0.01,
        }
        if recipe.interaction:
            mediated = self._normal(size, 0.005, 0.01 * spread)
            found |= {
                "natural_direct_total": direct + mediated,
                "natural_indirect_pure": indirect - mediated,
                "reference_interaction": np.full(size, -0.01) + 0 * mediated,
                "mediated_interaction": mediated,
            }
        if recipe.one_sign and spread < 1:
            found["proportion_mediated"] = indirect / found["total"]
        yield from (((name, "", "", wave), values) for name, values in found.items())
        for name, values in via.items():
            yield ("interventional_via", name, "", wave), values
            if recipe.interaction:
                yield ("interventional_via_reversed", name, "", wave), values * 1.1

    def _change(self, size: int, spread: float) -> Iterator[tuple[tuple[str, str, str, str], np.ndarray]]:
        wave = self.plan.primary_wave
        rest = self._normal(size, -0.25 if spread < 1 else 0.0, 0.1 * spread)
        via = {name: self._normal(size, -0.01, 0.02 * spread) for name in self.names}
        yield ("common_change", "", "control", wave), rest + sum(via.values(), np.zeros(size))
        for name, values in via.items():
            yield ("change_via", name, "control", wave), values
        yield ("change_remainder", "", "control", wave), rest
        yield ("change_training", "", "control", wave), rest - self._normal(size, 0.0, 0.1)
        yield ("change_training_share", "", "control", wave), rest * self.rng.random(size)

    def as_dataset(self, rows: Rows) -> xr.Dataset:
        """As the run holds them: (chain, draw, mediator, arm, contrast or wave); no draws of what needs d or w."""
        found: dict[str, xr.DataArray] = {}
        for (estimand, mediator, arm, wave), values in rows.items():
            if estimand.startswith("change_training") or estimand == "proportion_mediated":
                continue
            level = "wave" if estimand == "mediator_mean" else "contrast"
            arm = arm if estimand == "mediator_mean" else ""
            where = {name: [value] for name, value in ((level, wave), ("mediator", mediator), ("arm", arm)) if value}
            shape = (CHAINS, -1) if values.size == CHAINS * DRAWS else (1, -1)
            grid = values.reshape(shape)
            one = xr.DataArray(grid, dims=("chain", "draw")).expand_dims(where)
            found[estimand] = found[estimand].combine_first(one) if estimand in found else one
        return xr.Dataset(found)

    def _posterior(self) -> xr.Dataset:
        shares = [part.column for part in self.plan.mediators if part.kind == "share"]
        dims, shape = ("chain", "draw"), (CHAINS, DRAWS)
        several = {
            "slope": ("acting_mediator", self.names),
            "mediator_tau": ("lasting_mediator", self.names),
            "mediator_mu_0": ("mediator", self.names),
        }
        if scores := [part.column for part in self.plan.mediators if part.kind == "continuous"]:
            several["mediator_residual_sd"] = ("continuous_mediator", scores)
        if shares:
            several["mediator_precision"] = ("share_mediator", shares)
        if self.draws.recipe.interaction:
            several["interaction"] = ("interacting_mediator", self.names[:1])
        variables = {
            name: ((*dims, dim), self.rng.standard_normal((*shape, len(labels))))
            for name, (dim, labels) in several.items()
        }
        variables |= {"tau": (dims, np.ones(shape)), "partial_correlation": ((*dims, "pair"), np.zeros((*shape, 1)))}
        coords = dict(several.values()) | {"pair": ["x and y"]}
        if self.draws.recipe.covariates:
            variables["gamma"] = ((*dims, "covariate"), np.zeros((*shape, 1)))
        return xr.Dataset(variables, coords)

    @property
    def prior(self) -> xr.Dataset:
        """Prior draws of the slopes alone: the report reads no other parameter of this fit's prior."""
        drawn = np.random.default_rng(3).standard_normal((1, DRAWS, len(self.names)))
        coords = {"draw": np.arange(DRAWS), "acting_mediator": self.names}
        return xr.Dataset({"slope": (("chain", "draw", "acting_mediator"), drawn)}, coords)

    def _summary(self) -> pd.DataFrame:
        rows = [self._row(key, values) for key, values in self.after.items()]
        if ("change_training_share", "", "control", self.plan.primary_wave) in self.after:
            rows.append(
                self._identity("training_tipping_share", "", "control", self.plan.primary_wave) | {"median": 0.6}
            )
        ordered = [self.plan.primary_wave] if self.ordered else []
        for wave in self.draws.contrasts:
            if wave not in ordered:
                row = self._identity("paths", "", "", wave)
                rows.append(row | {"evidence": "not identified", "reason": "No ordered mediator: a made-up reason."})
        table = pd.DataFrame(rows)
        words = ("reason", "mediator")
        return table.assign(**{name: table[name].fillna("") for name in words})

    def _row(self, key: tuple[str, str, str, str], values: np.ndarray) -> dict[str, Any]:
        estimand, _, arm, wave = key
        prior = self.before.get(key, np.full(3, np.nan))
        where = {"average": "population", "arm": arm, "wave": wave}
        identity = self._identity(*key)
        # a constant has no contraction, and what has no prior none either
        with np.errstate(invalid="ignore", divide="ignore"):
            row = _estimate(
                self.plan,
                estimand,
                identity["unit"],
                where,
                xr.DataArray(values),
                xr.DataArray(prior),
                self.draws.recipe,
            )
        return row | identity | {"p_below_zero": float((values < 0).mean()), "integration_error": 1e-4}

    def _identity(self, estimand: str, mediator: str, arm: str, wave: str) -> dict[str, Any]:
        part = next((each for each in self.plan.mediators if each.column == mediator), None)
        unit = {"binary": "risk", "count": "events", "continuous": "units"}[self.plan.outcome.kind]
        if estimand.startswith("mediator_"):
            unit = "mediator units" if part is not None and part.kind == "continuous" else "share"
        if estimand in ("proportion_mediated", "training_tipping_share"):
            unit = "proportion"
        assumed = [
            NO_COMMON_CAUSE,
            NO_PATH,
            CROSS_WORLD,
            *([same_way(self.plan.arms.control.label)] if "share" in estimand else []),
        ]
        label = LABELS.get(estimand, estimand).format(
            mediator=part.label if part else "",
            held=", ".join(f"{part.label} 48.8" for part in self.plan.mediators),
            control=self.plan.arms.control.label,
        )
        return {
            "estimand": estimand,
            "label": label,
            "unit": unit,
            "average": "population",
            "arm": arm,
            "wave": wave,
            "mediator": mediator,
            "primary": False,
            "evidence": "randomised + MAR" if estimand in RANDOMISED else "assumption-driven",
            "assumptions": ("same timing",) if estimand in RANDOMISED else tuple(assumed),
            "bias_parameters": () if estimand in RANDOMISED else (RHO,),
            "reason": "",
        }
