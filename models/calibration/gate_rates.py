"""How often does the gate cry wolf, and how often does it see a defect? The product's own gate on simulated trials."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from models import (
    analysis,
    data_check,
    effect_integrated,
    fit,
    mediation,
    outcome_checks,
    path_checks,
    provenance,
    settling,
)
from models.calibration import gate_trials
from models.calibration.study import replaced, replicated
from models.design import design
from models.faults import InvalidInput, SamplerFailed
from models.fit import Compiled, Sampler
from models.gate_table import GREEN, RED, Gate
from models.replications import crew
from models.study import Study
from priors import prior_set

RATES, ABOUT = "gate.csv", "gate.json"
BY_PRIOR = ("power-scaling of the primary estimand", "contraction of the primary effect")
"""Checks that say how much the priors matter: of a correct trial they may be amber."""
OVERALL = "overall"
IN_FULL = Sampler()
"""Of a mediation model, whose gate is to be judged: the product's draws, and more where it would take more."""
ROOM = 32
"""For missing mediators in a compiled model: trials each miss other values."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What decides a record: the seed of its trials, and the sampler and priors of its fits.

    Half the product's draws: whatever asks for more draws is amber sooner, which counts against the gate. Mediation
    models are fitted in full (`IN_FULL`): with half, all are short of effective draws, and the product would go on.
    """

    seed: int = 1
    sampler: Sampler = field(default_factory=partial(Sampler, draws=1000, tune=500))
    priors: str = "weakly_informative"

    @cached_property
    def compiled(self) -> Compiled:
        """Models compiled so far in this process."""
        return Compiled()

    def __reduce__(self) -> tuple:
        """Another process compiles for itself."""
        return type(self), (self.seed, self.sampler, self.priors)

    def describe(self) -> dict[str, Any]:
        """Everything that decides a trial's result, JSON-able."""
        samplers = {"sampler": asdict(self.sampler), "mediation_sampler": asdict(IN_FULL)}
        return {"seed": self.seed, "priors": self.priors} | samplers


def number_of(kind: str, trial: int) -> int:
    """One number for each kind and trial, so that a record can be made longer."""
    return trial * len(gate_trials.KINDS) + gate_trials.KINDS.index(kind)


def judge(plan: Plan, number: int) -> dict[str, Any]:
    """Simulate, fit and judge one trial.

    Parameters
    ----------
    plan : Plan
        The record.
    number : int
        From `number_of`.

    Returns
    -------
    dict
        kind, trial, participants, waves, status, and `checks`: name to (status, figure as printed); or `failed`.
    """
    trial_number, place = divmod(number, len(gate_trials.KINDS))
    kind = gate_trials.KINDS[place]
    study, trial = gate_trials.trial_of(kind, trial_number, plan.seed)
    head = {"kind": kind, "trial": trial_number, "participants": trial.sizes["participant"], "waves": len(study.waves)}
    seen = _before(study, trial)
    if kind in gate_trials.BEFORE or seen["status"] != GREEN:
        return head | seen  # no fit takes it back
    try:
        return head | _fitted(plan, kind, study, trial)
    except SamplerFailed as error:
        return head | {"failed": str(error)}


def _fitted(plan: Plan, kind: str, study: Study, trial: xr.Dataset) -> dict[str, Any]:
    """The gate of a fit; of a mediator's own defect the check of its distribution alone, for which few draws do.

    A limit at the margin costs no more draws here: the gate does not ask on which side it lies.
    """
    priors, layout = prior_set.load(plan.priors), design(study, trial)
    mediated, whole = kind in gate_trials.MEDIATED, kind != "log-normal mediator"
    if mediated:
        layout = replace(layout, mediators=replace(layout.mediators, room=ROOM))
    model = mediation if mediated else effect_integrated
    ready = plan.compiled.model(model, layout, priors)
    if whole:
        if mediated:
            made = settling.until_settled(ready, model, layout, study, IN_FULL)
        else:
            made = settling.Sampled(fit.sample(ready, plan.sampler), plan.sampler)
        return _told(analysis.derive(study, trial, model, layout, priors, made.sampler, made.tree).gate)
    sampler = replace(plan.sampler, draws=250, tune=350, chains=1)
    tree = fit.sample(ready, sampler)
    draws = mediation.completed(tree["posterior"].to_dataset(), layout, sampler.seed)
    return _told(Gate((path_checks.distributions(mediation.mediator_pit(draws, layout, sampler.seed)),)))


def _before(study: Study, trial: xr.Dataset) -> dict[str, Any]:
    """What needs no fit: the data check, of which a refusal is red, and the zeros of counts."""
    try:
        data_check.refuse(study, trial)
    except InvalidInput as error:
        return {"status": RED, "checks": {"data check": (RED, str(error))}}
    checks = [outcome_checks.data(outcome_checks.before(study, trial))]
    if study.outcome.kind == "count":
        checks.append(outcome_checks.zeros(design(study, trial), study.seed))
    return _told(Gate(tuple(checks)))


def _told(gate: Gate) -> dict[str, Any]:
    return {"status": gate.status, "checks": {each.name: (each.status, each.value) for each in gate.checks}}


def run(
    plan: Plan, kinds: Sequence[str], trials: int, folder: Path, progress: crew.Progress, workers: int | None = None
) -> pd.DataFrame:
    """Judge the trials that the folder lacks, then write its table and what made it; returns the table.

    There are `trials` of each defect, and of correct kinds the share that `gate_trials.OF_A_HUNDRED` gives them.
    """
    many = {kind: -(-trials * gate_trials.OF_A_HUNDRED.get(kind, 100) // 100) for kind in kinds}
    numbers = [number_of(kind, trial) for kind in kinds for trial in range(many[kind])]
    results = replicated(judge, plan, numbers, folder, progress, None, workers)
    return write(plan, results, folder)


def write(plan: Plan, results: Sequence[Mapping[str, Any]], folder: Path) -> pd.DataFrame:
    """`gate.csv` and `gate.json` of finished trials."""
    table = rates(results)
    about = plan.describe() | {
        "trials": {kind: sum(each["kind"] == kind for each in results) for kind in gate_trials.KINDS},
        "failed": sum("failed" in each for each in results),
        "correct": correct(results),
        "versions": provenance.versions(),
        "code_sha256": provenance.code_hash(),
    }
    replaced(folder / RATES, table.to_csv(index=False, lineterminator="\n", float_format="%.4g"))
    replaced(folder / ABOUT, json.dumps(about, indent=1, ensure_ascii=False) + "\n")
    return table


def rates(results: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row for each kind of trial and check: trials that it judged, how many amber and red, the share not green."""
    rows = []
    for kind in gate_trials.KINDS:
        mine = [each for each in results if each["kind"] == kind]
        names = dict.fromkeys(name for each in mine for name in each.get("checks", {}))
        for name in (OVERALL, *names) if mine else ():
            found = [status for each in mine if (status := _status(each, name))]
            counts = {status: sum(each == status for each in found) for status in ("amber", "red")}
            rows.append(
                {"kind": kind, "correct": kind in gate_trials.CORRECT, "check": name, "trials": len(found)}
                | counts
                | {"not_green": sum(counts.values()) / len(found)}
            )
    return pd.DataFrame(rows)


def _status(result: Mapping[str, Any], name: str) -> str:
    """Status of a trial or of one of its checks, "" of one that did not judge it; a fit that failed is red."""
    if "failed" in result:
        return RED if name == OVERALL else ""
    return str(result["status"] if name == OVERALL else result["checks"].get(name, ("", ""))[0])


def correct(results: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Correct trials that came out green, amber by the priors' weight alone, and otherwise."""
    mine = [each for each in results if each["kind"] in gate_trials.CORRECT]
    alarms = [
        {"failed"} if "failed" in each else {name for name, (status, _) in each["checks"].items() if status != GREEN}
        for each in mine
    ]
    green = sum(not each for each in alarms)
    by_prior = sum(bool(each) and each <= set(BY_PRIOR) for each in alarms)
    return {"trials": len(mine), "green": green, "amber_by_prior": by_prior, "other": len(mine) - green - by_prior}
