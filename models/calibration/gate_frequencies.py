"""How often does the gate raise a false alarm or see a defect? The product's own gate on simulated trials."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from models.calibration import gate_trials
from models.calibration.calibration_study import replaced, replicated
from models.checks import mediator_checks, outcome_checks, path_checks, settling
from models.checks.gate_table import CheckName, Gate, Status
from models.design.layout import design
from models.equations.effect import Effect
from models.equations.effect_integrated import Integrated
from models.equations.mediation import Mediation
from models.equations.model import Model
from models.estimands.answers import Answers
from models.faults import InvalidInput, SamplerFailed
from models.inference import effort, nuts
from models.inference.fitted import Specification
from models.inference.nuts import Sampler
from models.replications import executor
from models.runs import analysis, provenance
from models.trial import data_check
from models.trial.study_file.study import Study
from priors import prior_set

RATES, ABOUT = "gate.csv", "gate.json"
BY_PRIOR = (CheckName.POWER_SCALING, CheckName.CONTRACTION)
"""Checks that say how much the priors matter: of a correct trial they may be amber."""
OVERALL = "overall"
BAD = (Status.AMBER, Status.RED)
IN_FULL = Sampler()
"""Of a mediation model, whose gate is to be judged: the product's draws, and more where it would take more."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What decides a record: the seed of its trials, and the sampler and priors of its fits.

    Half the product's draws: whatever asks for more draws is amber sooner, which counts against the gate. Mediation
    models are fitted in full (`IN_FULL`): with half, all are short of effective draws, and the product would go on.
    """

    seed: int = 1
    sampler: Sampler = field(default_factory=partial(Sampler, **effort.GATE))
    priors: str = "weakly_informative"

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
        kind, trial, participants, waves, status, and `checks`: name to (status, figure or None); or `failed`.
    """
    trial_number, place = divmod(number, len(gate_trials.KINDS))
    kind = gate_trials.KINDS[place]
    study, trial = gate_trials.trial_of(kind, trial_number, plan.seed)
    head = {"kind": kind, "trial": trial_number, "participants": trial.sizes["participant"], "waves": len(study.waves)}
    seen = _before(study, trial)
    if kind in gate_trials.BEFORE or seen["status"] in BAD:
        return head | seen  # no fit takes it back
    try:
        return head | _fitted(plan, kind, study, trial)
    except SamplerFailed as error:
        return head | {"failed": str(error)}


def _fitted(plan: Plan, kind: str, study: Study, trial: xr.Dataset) -> dict[str, Any]:
    """The gate of a fit; of a mediator's own defect the check of its distribution alone, for which few draws do.

    A limit at the margin costs no more draws here: the gate does not ask on which side it lies.
    """
    mediated, whole = kind in gate_trials.MEDIATED, kind != "log-normal mediator"
    model: Model = Mediation() if mediated else Effect(Integrated())
    asked = Specification.of(study, trial, model, prior_set.load(plan.priors), IN_FULL if mediated else plan.sampler)
    if not whole:
        asked = replace(asked, sampler=replace(plan.sampler, **effort.GATE_IN_PART))
    if mediated and whole:
        return _told(analysis.derive(settling.until_settled(asked).answers).gate)
    fit = asked.fit(nuts.sample(asked.ready(), asked.sampler))
    if whole:
        return _told(analysis.derive(Answers(fit)).gate)
    pit = mediator_checks.mediator_pit(model, fit.posterior, fit.design, fit.sampler.seed)
    return _told(Gate((path_checks.distributions(pit),)))


def _before(study: Study, trial: xr.Dataset) -> dict[str, Any]:
    """What needs no fit: the data check, of which a refusal is red, and the zeros of counts."""
    try:
        data_check.refuse(study, trial)
    except InvalidInput as error:
        return {"status": Status.RED, "refused": str(error), "checks": {CheckName.DATA: (Status.RED, None)}}
    checks = [outcome_checks.data(outcome_checks.before(study, trial))]
    if study.outcome.family.counted:
        checks.append(outcome_checks.zeros(design(study, trial), study.seed))
    return _told(Gate(tuple(checks)))


def _told(gate: Gate) -> dict[str, Any]:
    found = {each.name: (each.status, each.value if isfinite(each.value) else None) for each in gate.checks}
    return {"status": gate.status, "checks": found}


def run(
    plan: Plan, kinds: Sequence[str], trials: int, folder: Path, progress: executor.Progress, workers: int | None = None
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
            counts = {status: sum(each == status for each in found) for status in BAD}
            rows.append(
                {"kind": kind, "correct": kind in gate_trials.CORRECT, "check": name, "trials": len(found)}
                | counts
                | {"not_green": sum(counts.values()) / len(found)}
            )
    return pd.DataFrame(rows)


def _status(result: Mapping[str, Any], name: str) -> str:
    """Status of a trial or of one of its checks, "" of one that did not judge it; a fit that failed is red."""
    if "failed" in result:
        return Status.RED if name == OVERALL else ""
    return str(result["status"] if name == OVERALL else result["checks"].get(name, ("", ""))[0])


def correct(results: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Correct trials that came out green, amber by the priors' weight alone, and otherwise."""
    mine = [each for each in results if each["kind"] in gate_trials.CORRECT]
    alarms = [
        {"failed"} if "failed" in each else {name for name, (status, _) in each["checks"].items() if status in BAD}
        for each in mine
    ]
    green = sum(not each for each in alarms)
    by_prior = sum(bool(each) and each <= set(BY_PRIOR) for each in alarms)
    return {"trials": len(mine), "green": green, "amber_by_prior": by_prior, "other": len(mine) - green - by_prior}
