"""A design study from its grid to its folder."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd

from models.calibration import calibration_study, grid, operating_characteristics
from models.replications import executor

STUDY, TABLE = "design.json", "design.csv"
SCHEMA = "microsavings design 1"


@dataclass(frozen=True)
class Wish:
    """What is asked of a grid.

    Attributes
    ----------
    grid : Grid
        Its points.
    replications : int
        At each point.
    command : str
        What the person typed.
    scheduler, workers : str or None, int or None
        As for `executor.run`.
    """

    grid: grid.Grid
    replications: int
    command: str = ""
    scheduler: str | None = None
    workers: int | None = None


def run(wish: Wish, folder: Path, progress: executor.Progress = lambda _done, _total: None) -> pd.DataFrame:
    """Do the replications that the folder lacks and write its tables; raises as `calibration_study.run`."""
    points = wish.grid.points
    numbers = range(wish.replications * len(points))
    results = calibration_study.replicated(
        grid.replicate, wish.grid, numbers, folder, progress, wish.scheduler, wish.workers
    )
    results.sort(key=lambda result: (result["point"], result["replication"]))
    calibration_study.some_succeeded(results)
    table = grid.summarise(wish.grid, results)
    described = calibration_study.describe(wish.grid.plan, wish.command)
    del described["participants"]  # the scenario's own; the grid has sizes of its own
    described |= {
        "schema": SCHEMA,
        "replications": wish.replications,
        "failed": sum("failed" in each for each in results),
        "grid": {each.name: sorted({getattr(point, each.name) for point in points}) for each in fields(grid.Point)},
        "effect_sd": wish.grid.spread,
        "missingness_left_out": bool(wish.grid.plan.scenario.missingness),
        "sampling": operating_characteristics.sampling(results),
    }
    calibration_study.replaced(folder / TABLE, table.to_csv(index=False, lineterminator="\n", float_format="%.6g"))
    calibration_study.replaced(folder / STUDY, json.dumps(described, indent=1, ensure_ascii=False) + "\n")
    return table
