"""Made-up files of calibration and design studies: seeded, clearly not those of any model, no sampler."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from models.calibration import operating_characteristics

DRAWS = 199
"""Posterior draws that each truth is ranked among."""
QUANTITIES = (
    ("theta[6 months]", "effect of the arm, 6 months", False, "log-odds", 0.7),
    ("tau", "spread between participants, τ", False, "log-odds", 0.4),
    ("risk[control, 6 months]", "risk, control arm, 6 months", True, "points", 0.1),
    ("risk_difference[3 months]", "risk difference, 3 months", True, "points", 0.08),
    ("risk_difference[6 months]", "risk difference, 6 months", True, "points", 0.09),
    ("risk_ratio[6 months]", "risk ratio, 6 months", True, "ratio", 0.3),
)
SAMPLING = {"divergent": 0, "unmixed": 7, "few": 4, "limited": 0, "doubtful": 9}
PATHS = (
    ("natural_direct[6 months]", "natural direct effect, 6 months", True, "points", 0.06),
    ("natural_indirect[6 months]", "natural indirect effect, 6 months", True, "points", 0.03),
    ("interventional_via[6 months, social_support]", "via social support, 6 months", True, "points", 0.02),
)


@dataclass(frozen=True)
class Study:
    """What a made-up study is like: by `narrow`, posteriors of the named quantities are so many times too narrow."""

    model: str = "effect"
    scenario: str = "effect"
    replications: Mapping[str, int] = field(default_factory=lambda: {"prior": 200, "truth": 150, "null": 150})
    narrow: Mapping[str, float] = field(default_factory=dict)
    failed: int = 0
    participants: int = 107
    title: str = "Made-up calibration"
    labels: Mapping[str, str] = field(default_factory=dict)
    command: str = "uv run scripts/calibrate.py effect --model effect"
    seed: int = 1

    @property
    def quantities(self) -> tuple[tuple[str, str, bool, str, float], ...]:
        return QUANTITIES + (PATHS if self.model == "mediation" else ())


def make(folder: Path, study: Study | None = None, stem: str = "calibration") -> Path:
    """Write the three files of a study."""
    study = study or Study()
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(study.seed)
    listed = [
        {"kind": kind, "number": place, "quantity": key, **row, "estimand": estimand, "null": _null(key, unit)}
        for kind, count in study.replications.items()
        for key, _, estimand, unit, sd in study.quantities
        for place, row in enumerate(_simulated(rng, kind, key, unit, sd, count, study.narrow.get(key, 1.0)))
    ]
    table = pd.DataFrame(listed)
    found = operating_characteristics.summarise(table)
    known = {key: (study.labels.get(key, label), unit) for key, label, _, unit, _ in study.quantities}
    found["label"], found["unit"] = ([known[key][part] for key in found["quantity"]] for part in (0, 1))
    table.to_csv(folder / "replications.csv", index=False)
    found.to_csv(folder / f"{stem}.csv", index=False)
    (folder / f"{stem}.json").write_text(json.dumps(_about(study)), encoding="utf-8")
    return folder


def _simulated(
    rng: np.random.Generator, kind: str, key: str, unit: str, sd: float, count: int, narrow: float
) -> list[dict[str, Any]]:
    ratio, level = unit == "ratio", key.startswith(("risk[", "tau"))
    centre = 1.0 if ratio else 0.4 if level else 0.0 if kind == "null" else -sd if kind == "truth" else 0.0
    rows = []
    for _ in range(count):
        truth = centre + (rng.normal(0, sd) if kind == "prior" else 0.0)
        # conjugate: the posterior of a normal truth that was seen with an error of half its SD
        seen = truth + rng.normal(0, sd / 2)
        mean, spread = centre * 0.2 + 0.8 * seen, sd * np.sqrt(0.2) / narrow
        draws = rng.normal(mean, spread, DRAWS)
        lower, median, upper = np.quantile(draws, [0.025, 0.5, 0.975])
        row = {"truth": truth, "mean": draws.mean(), "sd": draws.std(ddof=1), "median": median, "lower": lower}
        row |= {"upper": upper, "rank": int((draws < truth).sum()), "ranks": DRAWS, "divergences": 0}
        rows.append(row)
    return rows


def _null(key: str, unit: str) -> float:
    """Value of a contrast where the arms do not differ; NaN of what is none."""
    return np.nan if key.startswith(("risk[", "tau")) else 1.0 if unit == "ratio" else 0.0


def _about(study: Study) -> dict[str, Any]:
    return {
        "schema": "microsavings calibration 1",
        "scenario": study.scenario,
        "title": study.title,
        "participants": study.participants,
        "waves": 4,
        "primary_wave": "6 months",
        "outcome": "binary",
        "model": study.model,
        "likelihood": "integrated",
        "priors": "weakly_informative",
        "command": study.command,
        "seed": study.seed,
        "interval": 0.95,
        "margin": 0.1,
        "replications": dict(study.replications),
        "failed": study.failed,
        "sampling": SAMPLING | {"fits": sum(study.replications.values()) - study.failed},
        "sampler": {"name": "nutpie", "draws": 250, "tune": 300, "chains": 4},
        "versions": {"python": "3.13.1", "pymc": "6.3.0"},
        "code_sha256": "ef" * 32,
    }
