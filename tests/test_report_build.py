"""Building from a saved run: equal bytes in separate processes, without a sampler or a clock."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from models.runs import folder as runs
from models.runs.folder import Run
from tests.report_fixture import Recipe, make
from tests.test_report_script import ROOT, saved

pytestmark = pytest.mark.slow

HEAVY = ("pymc", "pytensor", "nutpie", "numba", "arviz", "arviz_stats", "matplotlib")
CODE = """
import sys
from pathlib import Path
from scripts import report
for arguments in ({arguments}):
    report.app(arguments, standalone_mode=False)
print(sorted(set({heavy}) & {{name.split(".")[0] for name in sys.modules}}))
"""


def mediated(folder: Path) -> Path:
    """A saved run with a further fit, as `scripts/analyse.py` leaves it."""
    recipe = Recipe(mediators=("continuous", "share"), minimum_cell=5)
    saved(folder, recipe)
    further: Run = make(folder, recipe).further["mediation"]
    (folder / "mediation").mkdir()
    runs.write_tree(further.tree, folder / "mediation" / runs.TREE)
    further.gate.write(folder / "mediation/gate.json")
    manifest = json.loads((folder / runs.MANIFEST).read_text(encoding="utf-8"))
    names = [f"mediation/{name}" for name in runs.FIT]
    manifest["files"] |= {name: runs.digest(folder / name) for name in names}
    runs.write_manifest(manifest, folder)
    return folder


def built(folder: Path, seed: str, zone: str) -> str:
    """Page and index of the run in `folder`, built in another process; its last line."""
    arguments = f"[{str(folder)!r}], ['--index', {str(folder.parent)!r}]"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CODE.format(arguments=arguments, heavy=HEAVY)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C.UTF-8"},
    )
    return done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], list[str]]:
    """The same run built in two places by two processes that order sets and tell the time differently."""
    first, second = (tmp_path_factory.mktemp(name) for name in ("first", "second"))
    mediated(first / "run")
    shutil.copytree(first / "run", second / "run")
    return [first, second], [built(first / "run", "1", "UTC"), built(second / "run", "2", "Asia/Ulaanbaatar")]


def sums(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_every_file_of_two_builds_has_the_same_hash(twice: tuple[list[Path], list[str]]) -> None:
    one, two = map(sums, twice[0])
    assert one == two
    kinds = {name.rsplit(".", 1)[-1] for name in one}
    assert {"html", "json", "csv", "svg", "nc", "toml"} <= kinds
    assert {"index.html", "run/report.html", "run/report.json", "run/SHA256SUMS"} <= set(one)
    assert len(one) > 50
    assert (twice[0][0] / "run/report.html").stat().st_size <= 2**20


def test_the_page_needs_no_sampler(twice: tuple[list[Path], list[str]]) -> None:
    for line in twice[1]:
        assert line == "[]"


def test_nothing_in_reports_reads_the_clock() -> None:
    words = ("time", "datetime", "random", "secrets", "uuid", "getpass", "socket")
    for path in (ROOT / "reports").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for word in words:
            assert f"import {word}\n" not in text, path
            assert f"from {word} import" not in text, path
