"""The effect model in brms, on the data and priors of `benchmark_fits.efficiency`; where R has no brms, why not."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from models.design.layout import Design
from priors.prior_set import PriorSet

SCRIPT = Path(__file__).with_suffix(".R")


def columns(layout: Design, priors: PriorSet) -> tuple[pd.DataFrame, np.ndarray]:
    """Data whose coefficients all have the prior N(0, 1), and the weights that make the last arm effect of them.

    A column times its prior's SD, and correlated arm effects times the root of their covariance, leave the model as it
    is.
    """
    person, wave = layout.participant_of, layout.wave_of
    arm = layout.arm[person]
    follow = [place for place, role in enumerate(layout.role) if role == "follow-up"]
    early = [place for place, role in enumerate(layout.role) if role == "negative control"]
    root = np.linalg.cholesky(priors["theta"].covariance(len(follow)))
    sd = {name: priors[name].arguments["sd"] for name in ("mu_0", "step", "theta_negative_control", "gamma")}
    parts = [
        np.full((person.size, 1), sd["mu_0"]),
        *(sd["step"] * (wave >= place)[:, None] for place in range(1, len(layout.wave))),
        *(sd["theta_negative_control"] * (arm * (wave == place))[:, None] for place in early),
        sd["gamma"] * layout.covariates[person],
        np.stack([arm * (wave == place) for place in follow], axis=1) @ root,
    ]
    whole = np.hstack(parts)
    weight = np.zeros(whole.shape[1])
    weight[-len(follow) :] = root[-1]
    named = pd.DataFrame(whole, columns=[f"x{k}" for k in range(whole.shape[1])])
    return named.assign(outcome=layout.outcome, participant=person), weight


def brms(layout: Design, priors: PriorSet) -> dict[str, Any]:
    """Effective draws a second of the last arm effect, its mean and SD; or why they were not measured."""
    if shutil.which("Rscript") is None:
        return {"not measured": "R is not installed"}
    data, weight = columns(layout, priors)
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("data.csv", "weight.csv")]
        data.to_csv(files[0], index=False)
        pd.DataFrame({"weight": weight}).to_csv(files[1], index=False)
        done = subprocess.run(["Rscript", SCRIPT, *files], capture_output=True, text=True, check=False)
    if done.returncode:
        return {"not measured": done.stderr.strip()[-300:]}
    found = json.loads(done.stdout.splitlines()[-1])
    rates = {unit: round(found["ess"] / found[f"{unit} seconds"]) for unit in ("wall", "cpu")}
    return found | {"a wall second": rates["wall"], "a cpu second": rates["cpu"]}
