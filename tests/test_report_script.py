"""`scripts/report.py`: the page from a saved run, its exit codes, and what it says where."""

from __future__ import annotations

import atexit
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from models.runs import folder as runs
from models.runs import provenance
from tests.report_fixture import RED, Recipe, make

ROOT = Path(__file__).parents[1]


def saved(folder: Path, recipe: Recipe | None = None) -> Path:
    """Save a made-up run as `scripts/fit.py` does: written once a recipe, then copied."""
    if repr(recipe) not in _SAVED:
        _SAVED[repr(recipe)] = _written(Path(tempfile.mkdtemp(prefix="saved-")), recipe)
    return Path(shutil.copytree(_SAVED[repr(recipe)], folder))


_SAVED: dict[str, Path] = {}


def _written(folder: Path, recipe: Recipe | None) -> Path:
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    run = make(folder, recipe)
    runs.write_tree(run.tree, folder / runs.TREE)
    run.gate.write(folder / "gate.json")
    (folder / "study.resolved.toml").write_text(runs.resolved(run.study), encoding="utf-8")
    files = {name: runs.digest(folder / name) for name in (runs.RESOLVED, *runs.FIT)}
    (folder / runs.MANIFEST).write_text(json.dumps({**run.manifest, "files": files}), encoding="utf-8")
    return folder


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script as a person does."""
    return subprocess.run(
        [sys.executable, "scripts/report.py", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=False,
    )


@pytest.mark.slow
def test_the_page_goes_to_the_run_and_its_path_to_stdout(tmp_path: Path) -> None:
    folder = saved(tmp_path / "run")
    done = call(str(folder))
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, str(folder / "report.html"), "")
    assert "SIMULATED DATA" in (folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_red_gate_is_told_on_stderr_and_hidden_on_the_page(tmp_path: Path) -> None:
    folder = saved(tmp_path / "run", Recipe(status=RED))
    assert "gate red: R-hat, largest" in call(str(folder)).stderr
    assert "an estimated" not in (folder / "report.html").read_text(encoding="utf-8")
    call(str(folder), "--show-anyway")
    assert "an estimated" in (folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("harm", ["no folder", "no manifest", "changed", "cut short"])
def test_what_is_no_finished_run_exits_3_and_says_what_why_fix(tmp_path: Path, harm: str) -> None:
    folder = tmp_path / "run"
    if harm != "no folder":
        saved(folder)
    if harm == "no manifest":
        (folder / "manifest.json").unlink()
    if harm == "changed":
        (folder / "gate.json").write_text("{}", encoding="utf-8")
    if harm == "cut short":
        (folder / "manifest.json").write_text('{"files": {', encoding="utf-8")
    done = call(str(folder))
    assert done.returncode == 3
    assert done.stdout == ""
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["What", "Why", "Fix"]
    assert not (folder / "report.html").exists()


@pytest.mark.slow
@pytest.mark.parametrize(("other", "code"), [(True, 3), (False, 1)])
def test_a_run_that_other_code_wrote_without_what_the_page_shows_says_so(
    tmp_path: Path, other: bool, code: int
) -> None:
    folder = saved(tmp_path / "run")
    tree = make(tmp_path).tree
    runs.write_tree(tree.filter(lambda group: group.name != "patterns"), folder / runs.TREE)
    manifest = json.loads((folder / runs.MANIFEST).read_text(encoding="utf-8"))
    manifest["files"][runs.TREE] = runs.digest(folder / runs.TREE)
    manifest["code_sha256"] = "ef" * 32 if other else provenance.code_hash()
    (folder / runs.MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    done = call(str(folder))
    assert done.returncode == code
    assert ("Another version wrote it" in done.stderr) == other
    assert not (folder / "report.html").exists()


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_exits_7(tmp_path: Path) -> None:
    folder = saved(tmp_path / "run")
    (folder / ".report.partial").write_text("in the way", encoding="utf-8")
    done = call(str(folder))
    assert done.returncode == 7
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["What", "Why", "Fix"]


def test_help_needs_nothing_heavy() -> None:
    code = "import sys, scripts.report; print(sorted({'numpy', 'pandas', 'xarray', 'jinja2'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
    assert "RUN" in call("--help").stdout


def test_a_saved_run_gives_the_page_of_the_run_itself(tmp_path: Path) -> None:
    folder = saved(tmp_path / "run")
    loaded = runs.load(folder)
    assert loaded.study == make(folder).study
    loaded.gate.write(tmp_path / "again.json")  # a figure that is not known is no number, and equals nothing
    assert (tmp_path / "again.json").read_text("utf-8") == (folder / "gate.json").read_text("utf-8")
