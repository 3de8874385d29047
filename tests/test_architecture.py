"""The house rules that a linter cannot see: layers, sizes, what is committed, what the documents promise."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tomllib
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

import pytest

from models import study as studies
from priors import prior_set

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
LONGEST = 400
"""Lines that a file may have."""
WITHOUT_CEILING = {"distributed", "pyarrow", "xarray"}
"""Versions count releases or months: a new major number says nothing about compatibility."""
# written in two parts: the rule must not break itself
HOSTS = [
    a + b
    for a, b in (
        ("py", "pi.org"),
        ("python", "hosted.org"),
        ("npm", "js.org"),
        ("npm", "js.com"),
        ("conda", ".org"),
        ("anaconda", ".com"),
        ("deb.", "debian.org"),
        ("cran.", "r-project"),
        ("crates", ".io"),
        ("proxy.", "golang"),
    )
]


def _git(*words: str) -> list[str]:
    done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"not a git checkout: {done.stderr.strip()}")
    return done.stdout.split("\0")[:-1]


def _tracked() -> list[Path]:
    """Files that are committed, or would be: tracked and new ones, less those ignored or deleted."""
    names = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    return [ROOT / name for name in dict.fromkeys(names) if (ROOT / name).is_file()]


def _python() -> list[Path]:
    return [path for path in _tracked() if path.suffix == ".py"]


def test_layers_hold():
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    kept = re.search(r"Contracts: (\d+) kept, 0 broken", done.stdout)
    assert kept, done.stdout
    assert int(kept[1]) == len(PROJECT["tool"]["importlinter"]["contracts"])


def test_files_stay_small():
    sizes = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in _python()}
    print(f"{len(sizes)} files, median {statistics.median(sizes.values()):.0f} lines")  # noqa: T201 - shown by pytest -rP
    long = {str(path.relative_to(ROOT)): size for path, size in sizes.items() if size > LONGEST}
    assert not long, f"split by noun: {long}"


def test_no_file_is_a_drawer():
    drawers = {"utils", "util", "helpers", "misc", "common"}
    assert not [path for path in _python() if path.stem in drawers or path.parent.name in drawers]


def test_nothing_that_is_made_is_committed():
    # new files that are not yet ignored count as well
    made = [path for path in _tracked() if path.suffix in (".nc", ".html", ".pyc") or path.name == "uv.lock"]
    assert not made, [str(path.relative_to(ROOT)) for path in made]


def test_no_address_of_a_package_registry():
    found = []
    for path in _tracked():
        if path.suffix not in (".png", ".svg"):
            text = path.read_text(encoding="utf-8").lower()
            found += [f"{path.relative_to(ROOT)}: {host}" for host in HOSTS if host in text]
    assert not found


def test_the_lock_holds_no_address_and_a_hash_for_every_version():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert not re.findall(r"https?:|file:|--index|--find-links|--extra", text)
    entries = re.split(r"\n(?=[a-z0-9])", text[text.index("\n", text.rindex("#")) + 1 :])
    assert len(entries) > 50, "the lock was not read as one entry a package"
    for entry in entries:
        assert re.match(r"[a-z0-9][a-z0-9._-]*==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


def _required(group: str) -> dict[str, str]:
    listed = PROJECT["project"]["dependencies"] if group == "core" else PROJECT["dependency-groups"][group]
    return {re.split(r"[\[<>=! ]", line)[0]: line for line in listed}


def test_the_lock_satisfies_every_requirement():
    from packaging.requirements import Requirement

    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^\s;]+)", text, flags=re.MULTILINE))
    for line in [*_required("core").values(), *_required("dev").values()]:
        wanted = Requirement(line)
        assert wanted.name in locked, f"requirements.lock lacks {wanted.name}: make lock"
        assert locked[wanted.name] in wanted.specifier, f"{line}, but {locked[wanted.name]} is locked: make lock"


@pytest.mark.parametrize("name", sorted(_required("core")))
def test_every_dependency_is_bounded(name):
    line = _required("core")[name]
    assert ">=" in line, f"{line}: no lower bound"
    assert "<" in line or name in WITHOUT_CEILING, f"{line}: no upper bound"


def test_every_prior_set_has_the_same_rows():
    rows = {name: list(prior_set.load(name).priors) for name in prior_set.shipped()}
    assert len(rows) >= 3
    assert len({tuple(parameters) for parameters in rows.values()}) == 1, rows


def test_one_version_everywhere():
    version = PROJECT["project"]["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    newest = re.search(r"^## \[(.+?)\] - \d{4}-\d\d-\d\d", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest
    assert newest[1] == version


@pytest.mark.parametrize("command", ["uv run scripts/analyse.py studies/undarga", "uv run pytest"])
def test_the_readme_has_the_two_commands(command):
    assert f"\n{command}\n" in README
    assert f"\npip install uv && {command}\n" in README


def test_ci_calls_the_readmes_commands():
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert "\nuv run pytest\n" in script
    assert "uv run scripts/analyse.py studies/undarga" in script


def test_the_makefile_is_short():
    assert len((ROOT / "Makefile").read_text(encoding="utf-8").splitlines()) <= 30


def test_the_readme_links_to_what_exists():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
    shared = {
        "__init__.py",
        "benchmark_brms.py",
        "benchmark_fits.py",
        "console.py",
        "options.py",
        "planned.py",
        "progress.py",
    }
    scripts = {path.name for path in (ROOT / "scripts").glob("*.py")} - shared
    assert set(re.findall(r"scripts/(\w+\.py)", README)) == scripts


def test_the_readmes_study_file_is_valid():
    block = next(block for block in re.findall(r"```toml\n(.*?)```", README, re.DOTALL) if "primary_wave" in block)
    study = studies.parse(tomllib.loads(block))
    assert study.primary_wave in {wave.value for wave in study.waves}


def _keys(model: Any) -> set[str]:
    """Every key of a pydantic model, those of its tables included."""
    found = set()
    for name, entry in model.model_fields.items():
        found.add(name)
        for part in _parts(entry.annotation):
            found |= _keys(part)
    return found


def _parts(hint: Any) -> list[Any]:
    if hasattr(hint, "model_fields"):
        return [hint]
    if get_origin(hint) is not None or isinstance(hint, UnionType):
        return [part for inner in get_args(hint) for part in _parts(inner)]
    return []


def test_the_readme_names_every_key_of_a_study_file():
    keys = _keys(studies.Study)
    assert {"title", "randomised", "margin_reason", "offered", "minimum_cell"} <= keys, "the model was not walked"
    section = README[README.index("## Bring your own trial") :]
    missing = {key for key in keys if not re.search(rf"\b{key}\b", section)}
    assert not missing, f"README.md does not say what {sorted(missing)} mean"


def test_the_readme_names_every_exit_code():
    from scripts import console

    codes = {console.UNEXPECTED, console.INVALID, console.SAMPLER, console.RED, console.DISK, console.INTERRUPTED}
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    assert codes | {0, 2} <= listed


def test_simulated_studies_never_pass_as_real():
    for path in (ROOT / "studies").glob("*/study.toml"):
        study = tomllib.loads(path.read_text(encoding="utf-8"))
        made = (path.parent / "truth.json").exists()
        assert study["simulated"] is made, f"{path}: only a simulated trial has a truth"
        if made:
            json.loads((path.parent / "truth.json").read_text(encoding="utf-8"))
            assert "simulated" in study["title"].lower()
