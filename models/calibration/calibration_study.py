"""A calibration study from its plan to its folder: run what is missing, then write tables that a page is built from."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from models.calibration import operating_characteristics, quantities
from models.calibration.analysed import analysed
from models.calibration.plan import KINDS, Plan, number_of
from models.calibration.replication import replicate
from models.estimands.summary import INTERVAL
from models.faults import SamplerFailed
from models.outcomes import family_of
from models.replications import executor
from models.replications.journal import Journal
from models.runs import provenance
from models.runs.folder import digest
from priors import prior_set

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
        As for `executor.run`; they decide no number.
    """

    plan: Plan
    replications: int
    kinds: tuple[str, ...] = KINDS
    command: str = ""
    scheduler: str | None = None
    workers: int | None = None


def run(wish: Wish, folder: Path, progress: executor.Progress = lambda _done, _total: None) -> pd.DataFrame:
    """Do the replications that the folder lacks and write tables of those asked; returns the summary.

    Raises
    ------
    InvalidInput
        The folder holds another study, or the scheduler cannot be reached.
    SamplerFailed
        No fit has a posterior.
    OSError
        A file cannot be written. Finished replications are kept in every case.
    """
    numbers = [number_of(kind, k) for kind in wish.kinds for k in range(wish.replications)]
    results = replicated(replicate, wish.plan, numbers, folder, progress, wish.scheduler, wish.workers)
    order = {kind: place for place, kind in enumerate(KINDS)}
    results.sort(key=lambda result: (order[result["kind"]], result["replication"]))
    return write(wish, results, folder)


def replicated(
    work: executor.Work,
    given: Any,
    numbers: Collection[int],
    folder: Path,
    progress: executor.Progress,
    scheduler: str | None,
    workers: int | None,
) -> list[Any]:
    """Do what the folder's journal lacks; results of the numbers asked, whatever else it holds. As `executor.run`."""
    journal = Journal(
        folder / JOURNAL, given.describe() | {"code": provenance.code_hash(), "versions": provenance.versions()}
    )
    executor.run(work, given, numbers, journal, progress, scheduler, workers)
    asked = set(numbers)
    return [result for number, result in journal.results() if number in asked]


def write(wish: Wish, results: list[Mapping[str, Any]], folder: Path) -> pd.DataFrame:
    """The folder's tables, from finished replications in order; equal results give equal bytes."""
    some_succeeded(results)
    table = operating_characteristics.table(results)
    found = operating_characteristics.summarise(table)
    found.insert(2, "label", [quantities.words(name) for name in found["quantity"]])
    found.insert(3, "unit", [quantities.unit(name, wish.plan.scenario) for name in found["quantity"]])
    described = describe(wish.plan, wish.command) | {
        "schema": SCHEMA,
        "replications": {kind: count for kind in KINDS if (count := sum(each["kind"] == kind for each in results))},
        "failed": sum("failed" in each for each in results),
        "sampling": operating_characteristics.sampling(results),
    }
    replaced(folder / REPLICATIONS, table.to_csv(index=False, lineterminator="\n", float_format="%.10g"))
    replaced(folder / SUMMARY, found.to_csv(index=False, lineterminator="\n", float_format="%.6g"))
    replaced(folder / STUDY, json.dumps(described, indent=1, ensure_ascii=False) + "\n")
    return found


def some_succeeded(results: Iterable[Mapping[str, Any]]) -> None:
    """`SamplerFailed`, with the first reason, where no fit of a study has a posterior."""
    reasons = [result["failed"] for result in results if "failed" in result]
    if reasons and all("failed" in result for result in results):
        raise SamplerFailed(f"All {len(reasons)} fits failed. The first: {reasons[0]}")


def describe(plan: Plan, command: str) -> dict[str, Any]:
    """What a page says of a study beside its numbers."""
    scenario = plan.scenario
    return {
        "schema": "",  # first, and each study's own
        "scenario": scenario.name,
        "title": scenario.title,
        "participants": scenario.participants,
        "waves": len(scenario.waves),
        "primary_wave": scenario.primary_wave,
        "outcome": scenario.outcome.kind,
        "better": scenario.outcome.better,
        "link": family_of(scenario.outcome.kind, scenario.outcome.link).link,
        "model": plan.model,
        "likelihood": plan.likelihood,
        "priors": plan.priors.name,
        "priors_sha256": digest(plan.priors.path),
        "priors_rows": prior_set.of_fits(plan.priors.rows()),
        "command": command,
        "seed": plan.sampler.seed,
        "interval": INTERVAL,
        "margin": scenario.outcome.margin,
        "groupings": sorted(grouping.kind for grouping in scenario.groupings),
        "arm_moves_mediators": scenario.arm_moves_mediators,
        "analysed": analysed(scenario.mediators, scenario.lag, scenario.acts_at_baseline)
        if plan.model == "mediation"
        else None,
        "sampler": asdict(plan.sampler),
        "versions": provenance.versions(),
        "code_sha256": provenance.code_hash(),
    }


def replaced(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(text, encoding="utf-8", newline="\n")
    partial.replace(path)
