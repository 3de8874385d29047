"""One job: from a study's path to a finished run folder, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import platform
import resource
import shutil
import time
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.checks import refits
from models.checks.gate_table import Status, worst
from models.checks.path_what_if import path_what_if
from models.checks.what_if import what_if
from models.faults import InvalidInput
from models.inference.fitted import Specification
from models.inference.nuts import Progress, Sampler, Say
from models.runs import folder as runs
from models.runs import provenance
from models.runs.analysis import Analysis, Verdict, analyse
from models.runs.background_fit import BackgroundFit
from models.runs.registry import MODELS, SAMPLED
from models.trial import data_check
from models.trial import dataset as trials
from models.trial.study_file import study as studies
from models.trial.study_file.study import Study
from priors import prior_set
from priors.prior_set import InvalidPriors, PriorSet

MOST_HELD = 800_000_000
"""Draws of traits beyond which a run is refused: 6.4 GB, and a run holds them more than once."""


@dataclass(frozen=True)
class Job:
    """What to run and where to put it.

    Attributes
    ----------
    study : Path
        Study folder or file.
    model, priors : str
        Name of a model, and name or path of a prior set.
    likelihood : str
        Of the first model: "sampled" traits, or "integrated".
    further : tuple of str
        Other models to fit to the same study, where it has what they need.
    out : Path
        Run folder to write.
    changes : dict
        Sampler settings that differ from the defaults; None leaves one as it is.
    command : str
        What the person typed, for the manifest.
    force : bool
        Whether a run that stands at `out` may be replaced.
    """

    study: Path
    model: str
    priors: str
    out: Path
    changes: dict[str, Any]
    command: str
    force: bool = False
    further: tuple[str, ...] = ()
    likelihood: str = SAMPLED


def execute(
    job: Job,
    say: Say = lambda _: None,
    progress: Progress | None = None,
    others: Mapping[str, BackgroundFit] | None = None,
) -> tuple[Path, bool]:
    """Do it.

    Parameters
    ----------
    job : Job
        What to do.
    say, progress : callable
        Told of each step, and of the sampler's progress.
    others : mapping of str to BackgroundFit, optional
        A waiting process for each of `job.further`; none is needed where there are no further models.

    Returns
    -------
    folder : Path
        The run folder.
    fresh : bool
        False where an identical finished run stood there already.

    Raises
    ------
    InvalidInput, SamplerFailed, OutputExists
        As their docstrings say; nothing is left half-written.
    """
    began = time.monotonic()
    log: list[str] = []

    def note(step: str) -> None:
        log.append(f"{time.monotonic() - began:8.2f} s  {step}")
        say(step)

    plan = _plan(job, note)
    if not job.force and _already_done(job.out, plan.manifest):
        return job.out, False
    with runs.written_whole(job.out, job.force) as partial:
        _fitted(plan, others or {}, partial, _Told(log, note, progress))
        note("done")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        (partial / "run.log").write_text("\n".join([*log, f"{peak:8.2f} GB peak memory"]) + "\n", encoding="utf-8")
    return job.out, True


@dataclass(frozen=True)
class _Plan:
    """A job of which everything is known that could refuse it."""

    job: Job
    asked: Specification
    further: tuple[str, ...]
    data: Path
    data_hash: str
    truth: list[Path]
    manifest: dict[str, Any]


@dataclass(frozen=True)
class _Told:
    """Whom a job tells what it does: its log, whoever asked for it, and the progress of the sampler."""

    log: list[str]
    note: Say
    progress: Progress | None = None


def _plan(job: Job, note: Say) -> _Plan:
    """Read everything, and refuse what cannot be fitted before an hour of sampling."""
    study, folder = studies.read(job.study)
    priors = _priors(job.priors)
    for name in (job.model, *job.further):
        if name not in MODELS:
            raise InvalidInput(
                f"There is no model {name!r}.", "--model names it.", f"Choose one of {', '.join(MODELS)}."
            )
    note("reading the data")
    trial = trials.load(study, folder)
    data_check.refuse(study, trial)
    data = folder / study.data.file
    data_hash = runs.digest(data)
    if job.likelihood not in MODELS[job.model]:
        raise InvalidInput(
            f"The {job.model} model has no {job.likelihood!r} likelihood.",
            "--likelihood names it.",
            f"Choose one of {', '.join(MODELS[job.model])}.",
        )
    model = MODELS[job.model][job.likelihood]
    asked = Specification.of(study, trial, model, priors, _sampler(study, job.changes))
    lacking = {name: MODELS[name][SAMPLED].lacking(asked.design) for name in (job.model, *job.further)}
    if lacking[job.model]:
        raise InvalidInput(
            f"The {job.model} model cannot be fitted to this study.",
            lacking[job.model],
            "Fit the effect model, or correct the study file.",
        )
    _refuse_too_large(asked, job.likelihood)
    truth = _truth(study, folder)
    manifest = _manifest(job, asked, data_hash, truth)
    manifest |= {"not_run": {name: lacking[name] for name in job.further if lacking[name]}, "failed": {}}
    further = tuple(name for name in job.further if not lacking[name])
    return _Plan(job, asked, further, data, data_hash, truth, manifest)


def _fitted(plan: _Plan, others: Mapping[str, BackgroundFit], partial: Path, told: _Told) -> None:
    """Fit the model, with the further ones in the background, and write everything to a folder."""
    job, asked = plan.job, plan.asked
    for name in plan.further:
        (partial / name).mkdir()
        others[name].begin(job.study, name, asked.priors, asked.sampler, plan.data_hash, partial / name)
    result = analyse(
        asked,
        say=_named(told.note, job.model) if plan.further else told.note,
        progress=told.progress,
        data_unchanged=lambda: runs.digest(plan.data) == plan.data_hash,
    )
    _written(plan, result, partial, told.note)
    plan.manifest["sampler"] = result.verdict.sampler.as_dict()
    beside = _others(plan.further, others, result.verdict, partial, plan.manifest, told)
    _save(partial, asked.study, job.model, {job.model: result.verdict} | beside, plan.manifest)


def _written(plan: _Plan, result: Analysis, partial: Path, note: Say) -> None:
    """Save the first model's fit, and what is asked of it about its assumptions."""
    asked = path_what_if(result.answers, note)
    if refits.richer(plan.asked.model):
        asked |= what_if(result.answers, note)
    note("saving the run")
    runs.write_tree(result.with_groups(asked).tree, partial / runs.TREE)
    _copied(plan.truth, partial)


def _others(
    names: Iterable[str],
    others: Mapping[str, BackgroundFit],
    first: Verdict,
    partial: Path,
    manifest: dict[str, Any],
    told: _Told,
) -> dict[str, Verdict]:
    """Verdicts of the other models; one whose fit failed costs nobody theirs: the manifest says so, the log where."""
    verdicts = {}
    for name in names:
        told.note(f"{name}: waiting for the second process")
        try:
            found, steps = others[name].result()
        except Exception as error:  # whatever it was: the run is red, and shows what else was fitted
            manifest["failed"] |= {name: f"{type(error).__name__}: {error}"}
            told.note(f"{name}: its fit failed, the rest is kept: {error}")
            told.log.extend(traceback.format_exception(error))
            shutil.rmtree(partial / name)
            continue
        verdicts[name] = found.agreeing(first)
        told.log.extend(f"{seconds:8.2f} s  {name}, in its own process: {step}" for seconds, step in steps)
    return verdicts


def _truth(study: Study, folder: Path) -> list[Path]:
    """The file of true values beside a simulated study; a file that cannot be read is told before any sampling."""
    path = folder / runs.TRUTH
    if not study.simulated or not path.is_file():
        return []
    runs.read_truth(folder)
    return [path]


def _copied(files: Sequence[Path], folder: Path) -> None:
    for path in files:
        shutil.copyfile(path, folder / path.name)


def _refuse_too_large(asked: Specification, likelihood: str) -> None:
    """Refuse a run whose draws would not fit in memory."""
    layout, sampler = asked.design, asked.sampler
    held = layout.participants * sampler.chains * sampler.draws
    if likelihood == SAMPLED and held > MOST_HELD:
        raise InvalidInput(
            "The trial is too large to sample every participant's level.",
            f"{layout.participants:,} participants at {sampler.chains * sampler.draws:,} draws are {held:.1e} numbers.",
            "Add --likelihood integrated, which fits the same effect model without them, or ask for fewer --draws.",
        )


def _named(say: Say, model: str) -> Say:
    return lambda step: say(f"{model}: {step}")


def _priors(name: str) -> PriorSet:
    try:
        return prior_set.load(name)
    except InvalidPriors as error:
        raise InvalidInput(
            "The priors cannot be used.", str(error), "Correct the file, or name a set that ships."
        ) from None


def _sampler(study: Study, changes: dict[str, Any]) -> Sampler:
    chosen = {"seed": study.seed} | {name: value for name, value in changes.items() if value is not None}
    return Sampler(**chosen)


def _save(folder: Path, study: Study, model: str, results: Mapping[str, Verdict], manifest: dict[str, Any]) -> None:
    hashed = [runs.RESOLVED]
    for name, result in results.items():
        place = folder if name == model else folder / name
        result.gate.write(place / runs.GATE)
        hashed += [(place / file).relative_to(folder).as_posix() for file in runs.FIT]
    hashed += [runs.TRUTH] if (folder / runs.TRUTH).is_file() else []
    (folder / runs.RESOLVED).write_text(runs.resolved(study), encoding="utf-8")
    further = {
        name: {
            "model": name,
            "gate": result.gate.status,
            "notes": list(result.notes),
            "sampler": result.sampler.as_dict(),
        }
        for name, result in results.items()
        if name != model
    }
    complete = manifest | {
        "gate": Status.RED if manifest["failed"] else worst(result.gate for result in results.values()),
        "notes": list(results[model].notes),
        "further": further,
        "files": {name: runs.digest(folder / name) for name in hashed},
    }
    runs.write_manifest(complete, folder)
    runs.write_sums(folder)


def _already_done(folder: Path, manifest: dict[str, Any]) -> bool:
    path = folder / runs.MANIFEST
    if not path.is_file():
        return False
    try:
        return bool(json.loads(path.read_text(encoding="utf-8"))["run_id"] == manifest["run_id"])
    except (ValueError, KeyError):
        return False


def _manifest(job: Job, asked: Specification, data_hash: str, truth: Sequence[Path]) -> dict[str, Any]:
    study, priors, sampler = asked.study, asked.priors, asked.sampler
    text = runs.resolved(study)
    content = {
        "format": runs.FORMAT,
        "microsavings": provenance.version_of("microsavings"),
        "model": job.model,
        "models": [job.model, *job.further],
        "likelihood": job.likelihood,
        "priors": {
            "name": priors.name,
            "why": priors.why,
            "informed": priors.informed,
            "path": priors.path.name,
            "sha256": runs.digest(priors.path),
            "rows": priors.rows(),
        },
        "study": {
            "title": study.title,
            "simulated": study.simulated,
            "data_file": study.data.file,
            "data_sha256": data_hash,
            "study_sha256": hashlib.sha256(text.encode()).hexdigest(),
            **({"truth_sha256": runs.digest(truth[0])} if truth else {}),
        },
        "sampler": sampler.as_dict(),
        "versions": provenance.versions(),
        "platform": f"{platform.system()} {platform.machine()}",
        "code_sha256": provenance.code_hash(),
    }
    run_id = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return content | {"run_id": run_id, "command": job.command, "git": provenance.commit()}
