"""A calibration study from its plan to its folder: run what is missing, then write tables that a page is built from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from models import provenance
from models.calibration import quantities, summary
from models.calibration.plan import KINDS, Plan, number_of
from models.calibration.replication import replicate
from models.replications import crew
from models.replications.journal import Journal

JOURNAL, STUDY, SUMMARY, REPLICATIONS = "journal.jsonl", "calibration.json", "calibration.csv", "replications.csv"
SCHEMA = "microsavings calibration 1"


@dataclass(frozen=True)
class Wish:
    """What is asked of a plan.

    Attributes
    ----------
    plan : Plan
        What to replicate.
    replications : int
        Of each kind.
    kinds : tuple of str
        Which of `plan.KINDS`.
    command : str
        What the person typed.
    scheduler, workers : str or None, int or None
        As for `crew.run`; they decide no number.
    """

    plan: Plan
    replications: int
    kinds: tuple[str, ...] = KINDS
    command: str = ""
    scheduler: str | None = None
    workers: int | None = None


def run(wish: Wish, folder: Path, progress: crew.Progress = lambda _done, _total: None) -> pd.DataFrame:
    """Do the replications that the folder lacks and write tables of all that it holds; returns the summary.

    Raises
    ------
    InvalidInput
        The folder holds another study, or the scheduler cannot be reached.
    OSError
        A file cannot be written. Finished replications are kept in every case.
    """
    numbers = [number_of(kind, k) for kind in wish.kinds for k in range(wish.replications)]
    journal = Journal(folder / JOURNAL, wish.plan.describe() | {"code": provenance.code_hash()})
    crew.run(replicate, wish.plan, numbers, journal, progress, wish.scheduler, wish.workers)
    results = [result for _, result in journal.results()]
    order = {kind: place for place, kind in enumerate(KINDS)}
    results.sort(key=lambda result: (order[result["kind"]], result["replication"]))
    return write(wish, results, folder)


def write(wish: Wish, results: list[Mapping[str, Any]], folder: Path) -> pd.DataFrame:
    """The folder's tables, from finished replications in order; equal results give equal bytes."""
    table = summary.table(results)
    found = summary.summarise(table) if len(table) else pd.DataFrame(columns=["kind", "quantity"])
    outcome = wish.plan.scenario.outcome
    found.insert(2, "label", [quantities.words(name) for name in found["quantity"]])
    found.insert(3, "unit", [quantities.unit(name, outcome) for name in found["quantity"]])
    described = describe(wish) | {
        "replications": {kind: count for kind in KINDS if (count := sum(each["kind"] == kind for each in results))},
        "failed": sum("failed" in each for each in results),
    }
    replaced(folder / REPLICATIONS, table.to_csv(index=False, lineterminator="\n", float_format="%.10g"))
    replaced(folder / SUMMARY, found.to_csv(index=False, lineterminator="\n", float_format="%.6g"))
    replaced(folder / STUDY, json.dumps(described, indent=1, ensure_ascii=False) + "\n")
    return found


def describe(wish: Wish) -> dict[str, Any]:
    """What a page says of the study beside its numbers."""
    plan = wish.plan
    scenario = plan.scenario
    return {
        "schema": SCHEMA,
        "scenario": scenario.name,
        "title": scenario.title,
        "participants": scenario.participants,
        "waves": len(scenario.waves),
        "primary_wave": scenario.primary_wave,
        "outcome": scenario.outcome.kind,
        "link": scenario.outcome.link if scenario.outcome.kind == "binary" else "",
        "model": plan.model,
        "likelihood": plan.likelihood,
        "priors": plan.priors.name,
        "command": wish.command,
        "seed": plan.sampler.seed,
        "interval": 0.95,
        "margin": scenario.outcome.margin,
        "sampler": asdict(plan.sampler),
        "versions": provenance.versions(),
        "code_sha256": provenance.code_hash(),
    }


def replaced(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(text, encoding="utf-8", newline="\n")
    partial.replace(path)
