"""The run folder: everything a report needs, written whole or not at all, and read back without a sampler."""

from __future__ import annotations

import hashlib
import json
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import tomli_w
import xarray as xr

from models.checks import gate_table
from models.checks.gate_table import Gate, Status
from models.estimands.tables import as_table
from models.faults import InvalidInput, OutputExists
from models.runs import provenance
from models.trial.study_file.study import Study, parse

MANIFEST, GATE = "manifest.json", "gate.json"
FORMAT = 2
"""Of the run folder, in its manifest: 2 is one DataTree a fit; 1, without a number, had core.nc, checks.nc, …"""
TREE = "run.nc"
"""All groups of one fit, named as ArviZ names them where it has a name."""
FIT = (TREE, GATE)
"""Files of one fit; those of a further model lie in a folder of its name."""
LARGE = ("posterior_predictive", "log_likelihood")
"""Groups that stay in the file: no report needs them, and they are most of it."""
DIAGNOSTICS = "diagnostics"
"""Folder of pictures of the computation (`scripts/diagnose.py`), which `SHA256SUMS` does not list."""
RESOLVED = "study.resolved.toml"
TRUTH = "truth.json"
"""True values of a simulated trial, copied from beside its study file; other trials have none."""


@dataclass(frozen=True)
class Run:
    """A finished run, as saved; tables are read when asked for.

    Attributes
    ----------
    folder : Path
        Where it is.
    manifest : dict
        Seeds, versions, hashes, settings.
    study : Study
        The study file with every default filled in.
    tree : DataTree
        Draws, data, checks and sensitivity analyses, loaded into memory but for the groups of `LARGE`.
    gate : Gate
        The verdict on the computation.
    further : mapping of str to Run
        Fits of other models to the same study, by name, each with its own draws, checks and gate.
    truth : mapping or None
        True values of a simulated trial, as `scripts/simulate.py` wrote them.
    """

    folder: Path
    manifest: dict[str, Any]
    study: Study
    tree: xr.DataTree
    gate: Gate
    further: Mapping[str, Run] = field(default_factory=dict)
    truth: Mapping[str, Any] | None = None

    @property
    def paths(self) -> Run | None:
        """The fit that holds direct and indirect effects: this one or a further one; None where there is none."""
        fits = (self, *self.further.values())
        return next((fit for fit in fits if "path_estimands" in fit.tree.children), None)

    @property
    def status(self) -> Status:
        """Worst status of all its gates."""
        return gate_table.worst([self.gate, *(fit.gate for fit in self.further.values())])

    @cached_property
    def estimates(self) -> pd.DataFrame:
        """One row for each estimate, with its evidence class (`summary.summarise`)."""
        return self._table("summary")

    @cached_property
    def predictive_checks(self) -> pd.DataFrame:
        """Observed statistics beside their predictive intervals."""
        return self._table("predictive_checks")

    @cached_property
    def patterns(self) -> pd.DataFrame:
        """Response patterns, observed and predicted."""
        return self._table("patterns")

    @cached_property
    def power_scaling(self) -> pd.DataFrame:
        """Sensitivity of each difference to priors and likelihood."""
        return self._table("power_scaling")

    @cached_property
    def path_power_scaling(self) -> pd.DataFrame | None:
        """The same of direct and indirect effects; None where the fit has no paths."""
        return self.asked("path_power_scaling")

    @cached_property
    def confounding(self) -> pd.DataFrame | None:
        """Effects by the strength of unmeasured causes; None where the fit has no paths."""
        return self.asked("confounding")

    @cached_property
    def other_baseline(self) -> pd.DataFrame | None:
        """Path estimands where what mediators did before the programme is assumed the other way; None without paths."""
        return self.asked("other_baseline")

    @cached_property
    def model_free(self) -> pd.DataFrame:
        """Crude and standardised differences."""
        return self._table("model_free")

    def asked(self, group: str) -> pd.DataFrame | None:
        """A table that not every fit has (`models.checks.what_if`); None where it was not asked."""
        return self._table(group) if group in self.tree.children else None

    def _table(self, group: str) -> pd.DataFrame:
        return as_table(self.tree[group].to_dataset())


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def verified(folder: Path) -> dict[str, Any]:
    """Manifest of a finished run whose files are those that were written.

    Raises
    ------
    InvalidInput
        If the folder holds no manifest (the run was not finished), was written in another format, or has a file that
        no longer has the hash that the manifest lists.
    """
    if not (folder / MANIFEST).is_file():
        raise InvalidInput(
            f"{folder} holds no finished run.",
            "It has no manifest.json, which is written last.",
            "Run scripts/fit.py or scripts/analyse.py, and give the folder that it prints.",
        )
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        _refuse_other_format(folder, manifest.get("format", 1))
        changed = [name for name, value in manifest["files"].items() if digest(folder / name) != value]
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise InvalidInput(
            f"{folder} is damaged.", f"{type(error).__name__}: {error}.", "Run the analysis again."
        ) from None
    if changed:
        raise InvalidInput(
            f"{folder} has been changed since it was written.",
            f"Other content than the manifest lists: {', '.join(changed)}.",
            "Run the analysis again: a report must show what was computed.",
        )
    return dict(manifest)


def _refuse_other_format(folder: Path, found: int) -> None:
    if found != FORMAT:
        raise InvalidInput(
            f"{folder} is a run in another format.",
            f"Its files are laid out in format {found}; this edition reads format {FORMAT}.",
            "Check out the commit that its manifest.json names, or run the analysis again with --force.",
        )


def load(folder: Path) -> Run:
    """Read a finished run; `InvalidInput` as `verified` raises it."""
    manifest = verified(folder)
    study = read_study(folder)
    truth = read_truth(folder) if TRUTH in manifest["files"] else None
    further = {
        name: Run(folder / name, manifest | own, study, *_read_fit(folder / name), truth=truth)
        for name, own in manifest["further"].items()
    }
    return Run(folder, manifest, study, *_read_fit(folder), further, truth)


@contextmanager
def of_this_code(*folders: Path) -> Iterator[None]:
    """Say so where a run cannot be shown because other code wrote it; the same fault of this code's runs is a bug.

    Raises
    ------
    InvalidInput
        If what was read lacks something and a manifest names other code than this.
    """
    try:
        yield
    except (LookupError, AttributeError, RuntimeError) as error:
        other = [folder for folder in folders if verified(folder).get("code_sha256") != provenance.code_hash()]
        if not other:
            raise
        raise InvalidInput(
            f"{', '.join(map(str, other))} cannot be shown by this version of the code.",
            f"Another version wrote it, without all that this one shows ({type(error).__name__}: {error}).",
            "Check out the commit that its manifest.json names, or run the analysis again.",
        ) from error


def read_study(folder: Path) -> Study:
    """The study file of a run, with every default filled in."""
    return parse(tomllib.loads((folder / RESOLVED).read_text(encoding="utf-8")), RESOLVED)


def read_truth(folder: Path) -> dict[str, Any]:
    """True values of a simulated trial, from beside its study file or from its run.

    Raises
    ------
    InvalidInput
        If the file is no table in JSON.
    """
    try:
        found = json.loads((folder / TRUTH).read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise InvalidInput(
            f"{folder / TRUTH} cannot be read.", f"{error}.", "Simulate the study again, or remove the file."
        ) from None
    if not isinstance(found, dict):
        raise InvalidInput(
            f"{folder / TRUTH} holds no true values.",
            "It is no table.",
            "Simulate the study again, or remove the file.",
        )
    return found


def _read_fit(folder: Path) -> tuple[xr.DataTree, Gate]:
    with xr.open_datatree(folder / TREE, engine="h5netcdf") as tree:
        kept = tree.filter(lambda group: group.name not in LARGE).load()
    return kept, gate_table.read(folder / GATE)


def resolved(study: Study) -> str:
    """The study file in full, as TOML: what was assumed where the user was silent."""
    return tomli_w.dumps(study.model_dump(mode="json", exclude_none=True))


def write_tree(tree: xr.DataTree, path: Path) -> None:
    """Save draws compressed; the same draws give the same bytes."""
    encoding = {
        group.path: {
            name: {"zlib": True, "complevel": 1, "shuffle": True}
            for name, value in group.data_vars.items()
            if value.dtype.kind in "fiub" and value.ndim
        }
        for group in tree.subtree
        if group.data_vars
    }
    tree.to_netcdf(path, engine="h5netcdf", encoding=encoding)


@contextmanager
def written_whole(folder: Path, force: bool) -> Iterator[Path]:
    """A new folder that takes its name only when all of it is written; an interruption leaves what was there before.

    Raises
    ------
    OutputExists
        If `folder` exists and `force` is not given.
    """
    if folder.exists() and not force:
        raise OutputExists(f"{folder} exists. Give another --out, or --force to replace it.")
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    if folder.exists():
        old = folder.with_name(folder.name + ".old")
        shutil.rmtree(old, ignore_errors=True)
        folder.rename(old)
        partial.rename(folder)
        shutil.rmtree(old)
    else:
        partial.rename(folder)


def write_manifest(manifest: dict[str, Any], folder: Path) -> None:
    """The manifest, written after every file that it lists: its presence means that the run is complete."""
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_sums(folder: Path) -> None:
    """`SHA256SUMS` of every file but itself, the log, which holds the timings, and what `DIAGNOSTICS` holds."""
    names = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    others = {"SHA256SUMS", "run.log", DIAGNOSTICS}
    lines = [f"{digest(folder / name)}  {name.as_posix()}" for name in names if name.parts[0] not in others]
    (folder / "SHA256SUMS").write_text("\n".join(lines) + "\n", encoding="utf-8")
