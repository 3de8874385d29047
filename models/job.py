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

from models import data_check, provenance, refits
from models import run as runs
from models import study as studies
from models import trial as trials
from models.analysis import Say, Verdict, analyse
from models.beside import Beside
from models.design import Design, design
from models.faults import InvalidInput
from models.fit import Compiled, Progress, Sampler
from models.gate_table import RED, worst
from models.path_what_if import path_what_if
from models.registry import MODELS, SAMPLED
from models.study import Study
from models.what_if import what_if
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
    others: Mapping[str, Beside] | None = None,
) -> tuple[Path, bool]:
    """Do it.

    Parameters
    ----------
    job : Job
        What to do.
    say, progress : callable
        Told of each step, and of the sampler's progress.
    others : mapping of str to Beside, optional
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
    others = others or {}
    log: list[str] = []

    def note(step: str) -> None:
        log.append(f"{time.monotonic() - began:8.2f} s  {step}")
        say(step)

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
    data_hash = runs.digest(folder / study.data.file)
    layout = design(study, trial)
    if job.likelihood not in MODELS[job.model]:
        raise InvalidInput(
            f"The {job.model} model has no {job.likelihood!r} likelihood.",
            "--likelihood names it.",
            f"Choose one of {', '.join(MODELS[job.model])}.",
        )
    model = MODELS[job.model][job.likelihood]
    lacking = {name: MODELS[name][SAMPLED].lacking(layout) for name in (job.model, *job.further)}
    if lacking[job.model]:
        raise InvalidInput(
            f"The {job.model} model cannot be fitted to this study.",
            lacking[job.model],
            "Fit the effect model, or mend the study file.",
        )
    further = tuple(name for name in job.further if not lacking[name])
    sampler = _sampler(study, job.changes)
    _refuse_too_large(layout, sampler, job.likelihood)
    truth = _truth(study, folder)
    manifest = _manifest(job, study, priors, sampler, data_hash, truth)
    manifest |= {"not_run": {name: lacking[name] for name in job.further if lacking[name]}, "failed": {}}
    if not job.force and _already_done(job.out, manifest):
        return job.out, False
    with runs.written_whole(job.out, job.force) as partial:
        for name in further:
            (partial / name).mkdir()
            others[name].begin(job.study, name, priors, sampler, data_hash, partial / name)
        compiled = Compiled() if job.model in refits.VARIANTS else None
        result = analyse(
            study,
            trial,
            model,
            priors,
            sampler,
            say=_named(note, job.model) if further else note,
            progress=progress,
            data_unchanged=lambda: runs.digest(folder / study.data.file) == data_hash,
            compiled=compiled,
        )
        asked = path_what_if(study, trial, model, layout, priors, result.verdict.sampler, result.core, note)
        note("saving the run")
        runs.write_fit(result.core, result.with_checks(asked).checks, partial)
        _copied(truth, partial)
        if compiled is not None:
            answers = what_if(study, trial, model, layout, priors, sampler, result.core, compiled, note)
            runs.write_tree(answers, partial / runs.SENSITIVITY)
        manifest["sampler"] = result.verdict.sampler.as_dict()
        verdicts = {job.model: result.verdict} | _others(further, others, result.verdict, partial, manifest, log, note)
        _save(partial, study, job.model, verdicts, manifest)
        note("done")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        (partial / "run.log").write_text("\n".join([*log, f"{peak:8.2f} GB peak memory"]) + "\n", encoding="utf-8")
    return job.out, True


def _others(
    names: Iterable[str],
    others: Mapping[str, Beside],
    first: Verdict,
    partial: Path,
    manifest: dict[str, Any],
    log: list[str],
    note: Say,
) -> dict[str, Verdict]:
    """Verdicts of the other models; one whose fit failed costs nobody theirs: the manifest says so, the log where."""
    verdicts = {}
    for name in names:
        note(f"{name}: waiting for the second process")
        try:
            found, steps = others[name].result()
        except Exception as error:  # whatever it was: the run is red, and shows what else was fitted
            manifest["failed"] |= {name: f"{type(error).__name__}: {error}"}
            note(f"{name}: its fit failed, the rest is kept: {error}")
            log.extend(traceback.format_exception(error))
            shutil.rmtree(partial / name)
            continue
        verdicts[name] = found.agreeing(first)
        log.extend(f"{seconds:8.2f} s  {name}, in its own process: {step}" for seconds, step in steps)
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


def _refuse_too_large(layout: Design, sampler: Sampler, likelihood: str) -> None:
    """Refuse a run whose draws would not fit in memory, before an hour of sampling."""
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
            "The priors cannot be used.", str(error), "Mend the file, or name a set that ships."
        ) from None


def _sampler(study: Study, changes: dict[str, Any]) -> Sampler:
    chosen = {"seed": study.seed} | {name: value for name, value in changes.items() if value is not None}
    return Sampler(**chosen)


def _save(folder: Path, study: Study, model: str, results: Mapping[str, Verdict], manifest: dict[str, Any]) -> None:
    hashed = [runs.RESOLVED]
    for name, result in results.items():
        place = folder if name == model else folder / name
        result.gate.write(place / "gate.json")
        hashed += [(place / file).relative_to(folder).as_posix() for file in runs.FIT]
    hashed += [name for name in (runs.SENSITIVITY, runs.TRUTH) if (folder / name).is_file()]
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
        "gate": RED if manifest["failed"] else worst(result.gate for result in results.values()),
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


def _manifest(
    job: Job, study: Study, priors: PriorSet, sampler: Sampler, data_hash: str, truth: Sequence[Path]
) -> dict[str, Any]:
    text = runs.resolved(study)
    content = {
        "microsavings": provenance.version_of("microsavings"),
        "model": job.model,
        "models": [job.model, *job.further],
        "likelihood": job.likelihood,
        "priors": {
            "name": priors.name,
            "why": priors.why,
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
