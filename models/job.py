"""One job: from a study's path to a finished run folder, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import platform
import resource
import subprocess
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from models import run as runs
from models import study as studies
from models import trial as trials
from models.analysis import MODELS, Analysis, Say, analyse
from models.faults import InvalidInput
from models.fit import Progress, Sampler
from models.study import Study
from priors import prior_set
from priors.prior_set import InvalidPriors, PriorSet

ROOT = Path(__file__).parents[1]
PACKAGES = (
    "pymc",
    "nutpie",
    "pytensor",
    "numba",
    "arviz",
    "arviz-stats",
    "numpy",
    "scipy",
    "pandas",
    "xarray",
    "statsmodels",
)


@dataclass(frozen=True)
class Job:
    """What to run and where to put it.

    Attributes
    ----------
    study : Path
        Study folder or file.
    model, priors : str
        Name of a model, and name or path of a prior set.
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


def execute(job: Job, say: Say = lambda _: None, progress: Progress | None = None) -> tuple[Path, bool]:
    """Do it.

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

    study, folder = studies.read(job.study)
    priors = _priors(job.priors)
    if job.model not in MODELS:
        raise InvalidInput(
            f"There is no model {job.model!r}.", "--model names it.", f"Choose one of {', '.join(MODELS)}."
        )
    note("reading the data")
    trial = trials.load(study, folder)
    data_hash = runs.digest(folder / study.data.file)
    sampler = _sampler(study, job.changes)
    manifest = _manifest(job, study, priors, sampler, data_hash)
    if not job.force and _already_done(job.out, manifest):
        return job.out, False
    with runs.written_whole(job.out, job.force) as partial:
        result = analyse(
            study,
            trial,
            MODELS[job.model],
            priors,
            sampler,
            say=note,
            progress=progress,
            data_unchanged=lambda: runs.digest(folder / study.data.file) == data_hash,
        )
        note("saving the run")
        _save(partial, study, result, manifest)
        note("done")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        (partial / "run.log").write_text("\n".join([*log, f"{peak:8.2f} GB peak memory"]) + "\n", encoding="utf-8")
    return job.out, True


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


def _save(folder: Path, study: Study, result: Analysis, manifest: dict[str, Any]) -> None:
    runs.write_tree(result.core, folder / "core.nc")
    runs.write_tree(result.checks, folder / "checks.nc")
    result.gate.write(folder / "gate.json")
    (folder / "study.resolved.toml").write_text(runs.resolved(study), encoding="utf-8")
    hashes = {name: runs.digest(folder / name) for name in runs.HASHED}
    complete = manifest | {"gate": result.gate.status, "notes": list(result.notes), "files": hashes}
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


def _manifest(job: Job, study: Study, priors: PriorSet, sampler: Sampler, data_hash: str) -> dict[str, Any]:
    text = runs.resolved(study)
    content = {
        "microsavings": _version("microsavings"),
        "model": job.model,
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
        },
        "sampler": sampler.as_dict(),
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
        "platform": f"{platform.system()} {platform.machine()}",
        "code_sha256": _code_hash(),
    }
    run_id = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return content | {"run_id": run_id, "command": job.command, "git": _commit()}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _code_hash() -> str:
    found = hashlib.sha256()
    for folder in ("priors", "models"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            found.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def _commit() -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""  # the code's own hash identifies it; the commit is a convenience
    return done.stdout.strip() if done.returncode == 0 else ""
