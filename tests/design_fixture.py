"""Made-up files of a design study: power from a formula and seeded noise, no model and no sampler."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import numpy as np
from scipy import stats

from reports.text.design_file import COLUMNS, GRID

QUANTITIES = {"risk_difference[6 months]": "risk difference, 6 months"}
PATHS = {"natural_indirect[6 months]": "natural indirect effect, 6 months"}


@dataclass(frozen=True)
class Grid:
    """What the grid is like; `empty` measures are left out."""

    participants: tuple[int, ...] = (60, 107, 200, 400)
    attrition: tuple[float, ...] = (0.0, 0.15, 0.3)
    effect: tuple[float, ...] = (-0.8, -0.5, 0.0)
    mediated: tuple[float, ...] = (1.0,)
    model: str = "effect"
    replications: int = 300
    failed: int = 0
    title: str = "Made-up design"
    labels: Mapping[str, str] = field(default_factory=dict)
    empty: tuple[str, ...] = ()
    command: str = "uv run scripts/design.py effect --participants 60,107,200,400"
    seed: int = 1


def make(folder: Path, grid: Grid | None = None) -> Path:
    """Write the two files of a study."""
    grid = grid or Grid()
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(grid.seed)
    quantities = QUANTITIES | (PATHS if grid.model == "mediation" else {})
    with (folder / "design.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        for key, label in quantities.items():
            for point in product(*(getattr(grid, axis) for axis in GRID)):
                row = dict(zip(GRID, point, strict=True))
                direct, size = row["effect"] * 0.19, row["participants"] * (1 - row["attrition"])
                # a made-up path of two points beside the direct effect
                path = -0.02 * row["mediated"] if grid.model == "mediation" else 0.0
                numbers = _numbers(rng, size, path if key in PATHS else direct + path, grid)
                writer.writerow(row | {"quantity": key, "label": grid.labels.get(key, label)} | numbers)
    about = {
        "schema": "microsavings design 1",
        "scenario": "effect",
        "title": grid.title,
        "participants": 107,
        "waves": 4,
        "model": grid.model,
        "likelihood": "integrated",
        "priors": "weakly_informative",
        "command": grid.command,
        "seed": grid.seed,
        "interval": 0.95,
        "margin": 0.1,
        "replications": grid.replications,
        "failed": grid.failed,
        "sampling": {"fits": 100, "divergent": 1, "unmixed": 2, "few": 3, "limited": 0, "doubtful": 4},
        "grid": {name: list(getattr(grid, name)) for name in GRID},
        "sampler": {"name": "nutpie", "draws": 250, "tune": 300, "chains": 4},
        "versions": {"python": "3.13.1", "pymc": "6.3.0"},
        "code_sha256": "ef" * 32,
    }
    (folder / "design.json").write_text(json.dumps(about), encoding="utf-8")
    return folder


def _numbers(rng: np.random.Generator, size: float, truth: float, grid: Grid) -> dict[str, float | str]:
    error = 0.9 / np.sqrt(size)
    width = 3.92 * error
    chances = {
        "assurance": stats.norm.cdf(-1.645 - truth / error),
        "narrow": stats.norm.cdf((0.2 - width) / 0.02),
        "harm": stats.norm.cdf(-1.645 + truth / error),
        "coverage": 0.955,
    }
    found: dict[str, float | str] = {"truth": truth, "replications": grid.replications}
    for name, chance in chances.items():
        share = rng.binomial(grid.replications, chance) / grid.replications
        found |= {name: share, f"{name}_mcse": np.sqrt(share * (1 - share) / grid.replications)}
    found |= {"width": width * (1 + rng.normal(0, 0.01)), "width_mcse": 0.002}
    return found | {part: "" for name in grid.empty for part in (name, f"{name}_mcse")}
