"""What the scripts that replicate trials share: from options to a plan, and a folder in which to continue."""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from models.calibration import calibration_study, simulated_trials
from models.calibration.plan import Plan
from models.faults import InvalidInput, OutputForeign
from models.inference import effort
from models.inference.nuts import Sampler
from models.replications.journal import Journal
from models.runs import folder as runs
from models.runs.registry import INTEGRATED, MODELS
from models.simulation import simulated_trial
from models.simulation.scenario import Scenario
from priors import prior_set
from reports.text import calibrations
from scripts.options import Fits

MOST_SHIFTS = 24
"""Effects times factors on mediators in one design study."""
FEWEST = 4
"""Participants of a trial at least: two in each arm."""


def plan(scenario: str, participants: int | None, settings: Fits) -> Plan:
    """The plan; `InvalidInput`, `ScenarioError` or `InvalidPriors` where there can be none."""
    known("--model", [settings.model], MODELS)
    offered = MODELS[settings.model]
    likelihood = settings.likelihood or (INTEGRATED if INTEGRATED in offered else next(iter(offered)))
    known("--likelihood", [likelihood], offered)
    chosen = simulated_trial.load(scenario)
    if participants is not None:
        chosen = simulated_trial.resized(chosen, participants)
    if settings.model == "mediation" and not chosen.mediators:
        raise InvalidInput(
            f"The mediation model cannot be calibrated on {chosen.name!r}.",
            "The scenario has no mediator.",
            "Choose another scenario, or --model effect.",
        )
    _analysable(chosen, settings.seed)
    usual = effort.REPLICATION[settings.model]
    iterations: effort.Iterations = {
        "draws": settings.draws or usual["draws"],
        "tune": settings.tune or usual["tune"],
        "chains": settings.chains or usual["chains"],
    }
    # without participants' traits there is no funnel that would ask for small steps
    accept = 0.8 if likelihood == INTEGRATED else 0.9
    sampler = Sampler(**iterations, seed=settings.seed, target_accept=accept)
    return Plan(chosen, settings.model, likelihood, prior_set.load(settings.priors), sampler)


def _analysable(scenario: Scenario, seed: int) -> None:
    """Refuse a scenario whose trials' study file or data would be refused, before any work."""
    try:
        simulated_trials.simulated(scenario, seed)
    except InvalidInput as error:
        raise InvalidInput(
            f"Trials of the scenario {scenario.name!r} cannot be analysed.",
            f"One was simulated, and its study folder was refused: {error.why}",
            "Correct the scenario's file; docs/scenarios.md has its keys.",
            error.faults,
        ) from error


def known(option: str, given: Iterable[str], names: Iterable[str], several: bool = False) -> None:
    """Refuse a name that is not among the known ones."""
    wrong = [name for name in given if name not in set(names)]
    if wrong:
        why = f"{wrong[0]!r} is none of {', '.join(names)}."
        fix = f"Write one of them; for several, repeat {option} for each." if several else "Write one of them."
        raise InvalidInput(f"{option} cannot be {wrong[0]}.", why, fix)


def begin(folder: Path, force: bool, scheduler: str | None) -> None:
    """Refuse a folder that holds something other than a study; discard what is there if `force`.

    The last step before the work: whatever can be refused has been, so that nothing is forgotten for nothing.
    """
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not Journal.is_at(folder / calibration_study.JOURNAL):
        raise OutputForeign(f"{folder} holds something other than a study of replications.")
    if force:
        if scheduler is not None:
            from models.replications import cluster  # Dask is an optional extra

            cluster.knock(scheduler)
        with Journal.locked(folder / calibration_study.JOURNAL):
            shutil.rmtree(folder)


def fits_into(run: Path, plan: Plan) -> None:
    """Refuse a folder that is no run, or a run of which the calibration would say nothing: before the work."""
    manifest = runs.verified(run)
    models, about = [manifest["model"], *manifest["further"]], calibration_study.describe(plan, "")
    if reason := calibrations.unlike(models, manifest["priors"], runs.read_study(run), about):
        raise InvalidInput(
            f"{run} would not show this calibration.", reason, "Calibrate as the run was made, or leave out --into."
        )


def into(run: Path, folder: Path, name: str) -> None:
    """Copy a calibration's summary into a run folder, where section 10 of its report reads it."""
    name = re.sub(r"[^\w.-]", "_", name)
    target = run / "calibration"
    target.mkdir(exist_ok=True)
    for source in (calibration_study.SUMMARY, calibration_study.STUDY):
        shutil.copyfile(folder / source, target / f"{name}{Path(source).suffix}")


def numbers(option: str, given: str, below: float = math.inf) -> list[float]:
    """Numbers of a list with commas; `InvalidInput` for one that is none, or out of range for an option from 0 up."""
    found = []
    for part in given.split(","):
        try:
            found.append(float(part))
        except ValueError:
            found.append(math.nan)
        limited = not math.isinf(below)
        if not math.isfinite(found[-1]) or (limited and not 0 <= found[-1] < below):
            allowed = f"numbers from 0 to below {below:g}" if limited else "numbers"
            raise InvalidInput(
                f"{option} cannot be {given}.", f"{part.strip() or 'Nothing'} is not among {allowed}.",
                "Give numbers with commas and no spaces, such as 0,.15,.3.",
            )  # fmt: skip
    return list(dict.fromkeys(found))


def sizes(option: str, given: str) -> list[int]:
    """Whole numbers of participants from a list with commas."""
    found = numbers(option, given)
    if odd := [size for size in found if size != int(size) or size < FEWEST]:
        why = f"{odd[0]:g} participants cannot be divided between two arms and observed."
        raise InvalidInput(
            f"{option} cannot be {given}.", why, f"Give whole numbers from {FEWEST}, such as 60,107,200."
        )
    return [int(size) for size in found]


def factors(scenario: Scenario, given: str | None) -> list[float]:
    """Factors on the arm's effects on the mediators; `InvalidInput` where there is no such effect to multiply."""
    if given is not None and not scenario.arm_moves_mediators:
        why = f"The scenario {scenario.name!r} has no mediator that the arm moves."
        raise InvalidInput(f"--mediated cannot be {given}.", why, "Leave it out, or choose another scenario.")
    return numbers("--mediated", given) if given is not None else [1.0]


def few(option: str, count: int) -> None:
    """Refuse more true shifts than a page can show."""
    if count > MOST_SHIFTS:
        raise InvalidInput(
            f"{option} makes {count} true shifts.",
            f"A page has room for {MOST_SHIFTS}.",
            "Divide them between studies.",
        )


def effect_of(scenario: Scenario) -> float:
    """The scenario's own arm effect at its primary wave."""
    place = [wave.value for wave in scenario.waves].index(scenario.primary_wave)
    found = {each.arm_effects[place] if each.arm_effects else 0.0 for each in scenario.parts}
    if len(found) > 1:
        raise InvalidInput(
            f"The scenario {scenario.name!r} has no single arm effect.",
            f"{scenario.outcome.column} follows from outcomes that the arm moves differently.",
            "Give the effect on all of them with --effect.",
        )
    return float(found.pop())
