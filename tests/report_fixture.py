"""A made-up run in the shape that `models.run.load` returns, so that the report is tested without a sampler.

All numbers come from a seeded generator and describe nobody: the study says `simulated = true`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import xarray as xr

from models.gate_table import AMBER, GREEN, RED, Check, Gate
from models.run import Run
from models.study import Study
from tests import report_draws as tables
from tests.report_asked import sensitivity
from tests.report_paths import mediation
from tests.report_recipe import Recipe, study


def make(folder: Path, recipe: Recipe | None = None) -> Run:
    """A complete run, saved nowhere; the report writes into `folder`."""
    recipe = recipe or Recipe()
    plan = study(recipe)
    draws = tables.Draws(recipe, plan)
    core = xr.DataTree.from_dict(
        {
            "posterior": draws.posterior,
            "estimands": draws.estimands,
            "sample_stats": draws.sample_stats,
            "observed_data": draws.observed_data,
            "constant_data": draws.constant_data,
            "summary": tables.as_rows(tables.summary(plan, draws, recipe)),
        }
    )
    checks = xr.DataTree.from_dict(
        {
            "predictive_checks": tables.as_rows(tables.predictive(plan, draws)),
            "patterns": tables.as_rows(tables.patterns(plan, draws)),
            "power_scaling": tables.as_rows(tables.power(plan, draws)),
            "model_free": tables.as_rows(tables.model_free(plan, draws)),
            "loo": tables.loo(draws),
            "prior": draws.prior,
            "prior_estimands": draws.prior_estimands,
        }
    )
    manifest = _manifest(plan, recipe)
    further = {}
    if recipe.mediators and recipe.mediation:
        further["mediation"] = mediation(folder, plan, draws, manifest, gate(recipe.mediation))
    return Run(
        folder=folder,
        manifest=manifest,
        study=plan,
        core=core,
        checks=checks,
        gate=gate(recipe.status),
        further=further,
        sensitivity=None if recipe.asked == "none" else sensitivity(plan, recipe),
    )


def gate(status: str) -> Gate:
    """A gate with one check at `status` and the rest green."""
    rows = [
        (
            "chains and draws",
            GREEN,
            "4 × 2000",
            "",
            "as planned, finite",
            "—",
            "Every chain ran to its end and holds only finite numbers.",
        ),
        (
            "R̂ max",
            status,
            "1.003" if status == GREEN else "1.04",
            "risk_difference[population, 6 months]",
            "≤ 1.01",
            "≤ 1.05",
            "The chains agree on every parameter and estimand. If not: more draws, then look for a second mode.",
        ),
        (
            "ESS, estimands and fixed effects",
            GREEN,
            "2310",
            "theta[3 months]",
            "≥ 1000",
            "≥ 400",
            "Enough independent draws for the digits printed.",
        ),
        ("divergences", GREEN, "0", "", "0", "≤ 0.1%", "The sampler followed the posterior's shape everywhere."),
        ("Pareto k > 0.7", GREEN, "0", "", "0 rows", "≤ 2% of rows", "No single row dominates the fit."),
        (
            "cells outside predictive intervals",
            GREEN,
            "0 of 8",
            "",
            "≤ 2",
            "≤ 4",
            "The model reproduces the observed shares.",
        ),
    ]
    return Gate(tuple(Check(*row) for row in rows))


def _manifest(plan: Study, recipe: Recipe) -> dict[str, Any]:
    rows = [
        {
            "parameter": "mu",
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
        "microsavings": "0.1.0",
        "model": "effect",
        "gate": recipe.status,
        "run_id": "0f3a9c1d77e2",
        "priors": {
            "name": "weakly_informative",
            "why": "Rules out effects that no trial has seen.",
            "path": "priors/weakly_informative.toml",
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
        "files": {"core.nc": "11" * 32, "checks.nc": "22" * 32},
        "notes": [recipe.text("note", "The interval of the smallest arm × wave cell rests on few events.")],
        "code_sha256": "ef" * 32,
        "git": "9b811a2",
    }


__all__ = ["AMBER", "GREEN", "RED", "Recipe", "gate", "make", "study"]
