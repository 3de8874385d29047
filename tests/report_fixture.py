"""A made-up run in the shape that `models.runs.folder.load` returns, so that the report is tested without a sampler.

All numbers come from a seeded generator and describe nobody: the study says `simulated = true`.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import xarray as xr

from models.checks.gate_limits import LIMITS, decided, limited
from models.checks.gate_table import Check, CheckName, Gate, Limit, Status
from models.runs.folder import FORMAT, Run
from models.trial.study_file.study import Study
from tests import report_draws as tables
from tests.report_asked import sensitivity
from tests.report_paths import mediation
from tests.report_recipe import Recipe, study

AMBER, GREEN, RED = Status.AMBER, Status.GREEN, Status.RED


_MADE: dict[str, Run] = {}


def make(folder: Path, recipe: Recipe | None = None) -> Run:
    """A complete run, saved nowhere, to be changed at will; the report writes into `folder`."""
    recipe = recipe or Recipe()
    if repr(recipe) not in _MADE:
        _MADE[repr(recipe)] = _made(folder, recipe)
    return _copied(_MADE[repr(recipe)], folder)


def _copied(run: Run, folder: Path) -> Run:
    return replace(
        run,
        folder=folder,
        manifest=copy.deepcopy(run.manifest),
        study=run.study.model_copy(deep=True),
        tree=run.tree.copy(deep=True),
        further={name: _copied(fit, folder / name) for name, fit in run.further.items()},
    )


def _made(folder: Path, recipe: Recipe) -> Run:
    plan = study(recipe)
    draws = tables.Draws(recipe, plan)
    tree = xr.DataTree.from_dict(
        {
            "posterior": draws.posterior,
            "estimands": draws.estimands,
            "sample_stats": draws.sample_stats,
            "trial": draws.trial,
            "summary": tables.as_rows(tables.summary(plan, draws, recipe)),
            "predictive_checks": tables.as_rows(tables.predictive(plan, draws)),
            "patterns": tables.as_rows(tables.patterns(plan, draws)),
            "power_scaling": tables.as_rows(tables.power(plan, draws)),
            "model_free": tables.as_rows(tables.model_free(plan, draws)),
            "loo": tables.loo(draws),
            "prior": draws.prior,
            "prior_estimands": draws.prior_estimands,
            **({} if recipe.asked == "none" else sensitivity(plan, recipe)),
        }
    )
    manifest = _manifest(plan, recipe)
    further = {}
    if recipe.mediators and recipe.mediation:
        further["mediation"] = mediation(folder, plan, draws, manifest, gate(recipe.mediation))
        own = {name: further["mediation"].manifest[name] for name in ("model", "gate", "notes", "sampler")}
        manifest["further"]["mediation"] = own
    return Run(
        folder=folder,
        manifest=manifest,
        study=plan,
        tree=tree,
        gate=gate(recipe.status),
        further=further,
    )


def gate(status: str) -> Gate:
    """A gate with one check at `status` and the rest green."""
    worst = {"variable": "risk_difference", "average": "population", "contrast": "6 months"}
    chains = {"chains": 4, "draws": 2000, "planned_chains": 4, "planned_draws": 2000}
    rhat = Check(CheckName.R_HAT, 1.003 if status == GREEN else 1.04, LIMITS[CheckName.R_HAT], (worst,), Status(status))
    return Gate(
        (
            decided(CheckName.COMPLETE, Status.GREEN, **chains),
            rhat,
            limited(CheckName.CORE_ESS, 2310, {"variable": "theta", "follow_up": "3 months"}),
            limited(CheckName.DIVERGENCES, 0.0, figures={"count": 0, "of": 8000}),
            limited(CheckName.PARETO_K, 0.0, figures={"count": 0, "of": 80}),
            limited(CheckName.CELLS, 0, figures={"of": 8}, limit=Limit(2, 3)),
        )
    )


def _manifest(plan: Study, recipe: Recipe) -> dict[str, Any]:
    rows = [
        {
            "parameter": "mu_0",
            "distribution": "normal (mean 0, sd 1.5)",
            "why": recipe.text("why", "Risk at the first wave from 5% to 95%."),
            "source": "made up",
        },
        {
            "parameter": "theta",
            "distribution": "exchangeable normal (mean 0, sd 0.7, correlation 0.5)",
            "why": "Odds ratios 0.25 to 3.9.",
            "source": "made up",
        },
        {
            "parameter": "tau",
            "distribution": "half normal (sd 1)",
            "why": "Spread between participants.",
            "source": "made up",
        },
        {
            "parameter": "residual_sd",
            "distribution": "half normal (sd 1)",
            "why": "Spread within a participant.",
            "source": "made up",
        },
    ]
    return {
        "format": FORMAT,
        "microsavings": "0.1.0",
        "model": "effect",
        "models": ["effect"],
        "likelihood": "sampled",
        "not_run": {},
        "failed": {},
        "further": {},
        "gate": recipe.status,
        "run_id": "0f3a9c1d77e2",
        "priors": {
            "name": "weakly_informative",
            "why": "Rules out effects that no trial has seen.",
            "informed": False,
            "path": "weakly_informative.toml",
            "sha256": "12" * 32,
            "rows": rows,
        },
        "study": {
            "title": plan.title,
            "simulated": plan.simulated,
            "data_file": "data.csv",
            "data_sha256": "ab" * 32,
            "study_sha256": "cd" * 32,
        },
        "sampler": {
            "name": "nutpie",
            "draws": tables.DRAWS,
            "tune": 1000,
            "chains": tables.CHAINS,
            "seed": 1,
            "target_accept": 0.9,
        },
        "versions": {"python": "3.13.1", "pymc": "6.3.0", "nutpie": "0.16.11", "numpy": "2.4.0"},
        "platform": "Linux x86_64, 2 cores",
        "command": recipe.text("command", "uv run scripts/analyse.py studies/undarga"),
        "files": {"run.nc": "11" * 32},
        "notes": [recipe.text("note", "The interval of the smallest arm × wave cell rests on few events.")],
        "code_sha256": "ef" * 32,
        "git": "9b811a2",
    }


__all__ = ["AMBER", "GREEN", "RED", "Recipe", "gate", "make", "study"]
