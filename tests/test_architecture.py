"""The house rules that a linter cannot see: layers, sizes, what is committed, what the documents promise."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from priors import prior_set

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
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


def test_no_file_name_stands_twice():
    """A name leads to one file: two of the same name are one noun in two rooms, or two nouns under one name."""
    names = Counter(path.name for path in _python() if path.name != "__init__.py")
    assert not [name for name, count in names.items() if count > 1]


def test_every_room_says_what_may_live_there():
    rooms = {path.parent for path in _python() if path.parts[len(ROOT.parts)] in {"models", "priors", "reports"}}
    for room in rooms:
        sentence = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8")))
        assert sentence, f"{room.relative_to(ROOT)}/__init__.py does not say what may live there"


def test_no_file_is_a_drawer():
    drawers = {"utils", "util", "helpers", "misc", "common"}
    assert not [path for path in _python() if path.stem in drawers or path.parent.name in drawers]


PRODUCT = ("models", "reports", "scripts")
MOST_PARAMETERS, MOST_LINES = 8, 60
TYPED = {"study", "trial", "design", "layout", "model", "priors", "sampler", "facts", "fit"}
"""Names that stand for a type of the project wherever they are an argument."""


@cache
def _functions() -> list[tuple[str, ast.FunctionDef]]:
    """Every function of the product with its place, but for those that Numba compiles: they can take no dataclass."""
    found = []
    for path in _python():
        place = path.relative_to(ROOT)
        if place.parts[0] in PRODUCT:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                kernel = isinstance(node, ast.FunctionDef) and any(
                    "njit" in ast.unparse(d) for d in node.decorator_list
                )
                if isinstance(node, ast.FunctionDef) and not kernel:
                    found.append((f"{place}:{node.lineno} {node.name}", node))
    return found


def _arguments(function: ast.FunctionDef) -> list[ast.arg]:
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs, *filter(None, (given.vararg, given.kwarg))]
    return [argument for argument in every if argument.arg not in ("self", "cls")]


def test_functions_are_short_and_take_few_arguments():
    found = _functions()
    assert len(found) > 1000, "the walk did not reach the functions"
    many = [place for place, function in found if len(_arguments(function)) > MOST_PARAMETERS]
    assert not many, f"more than {MOST_PARAMETERS} parameters: {many}"
    long = [place for place, each in found if (each.end_lineno or 0) - each.lineno + 1 > MOST_LINES]
    assert not long, f"more than {MOST_LINES} lines: {long}"


def test_a_model_is_no_module_and_what_has_a_type_is_not_any():
    for path in _python():
        if path.relative_to(ROOT).parts[0] in PRODUCT:
            assert "ModuleType" not in path.read_text(encoding="utf-8"), path
    untyped = [
        f"{place}({argument.arg})"
        for place, function in _functions()
        for argument in _arguments(function)
        if argument.arg in TYPED and argument.annotation and ast.unparse(argument.annotation) == "Any"
    ]
    assert not untyped


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


def test_the_makefile_is_short():
    assert len((ROOT / "Makefile").read_text(encoding="utf-8").splitlines()) <= 30


def test_simulated_studies_never_pass_as_real():
    for path in (ROOT / "studies").glob("*/study.toml"):
        study = tomllib.loads(path.read_text(encoding="utf-8"))
        made = (path.parent / "truth.json").exists()
        assert study["simulated"] is made, f"{path}: only a simulated trial has a truth"
        if made:
            json.loads((path.parent / "truth.json").read_text(encoding="utf-8"))
            assert "simulated" in study["title"].lower()


def test_no_document_outside_the_repository_is_named():
    """What a comment refers to must be there to be read: files by their name, known answers by what they are."""
    outside = re.compile(r"(?<![\"'/\w.-])[\w-]+\.md\b(?![\"'])")
    numbered = re.compile(r"\bK\d{1,2}\b|\bmethods §|\btest_k\d")
    names = {path.name for path in _tracked()}
    found = []
    for path in _tracked():
        if path.suffix in (".py", ".md", ".toml", ".j2", ".R") and path != Path(__file__):
            text = path.read_text(encoding="utf-8")
            words = [word for word in outside.findall(text) if word not in names] + numbered.findall(text)
            found += [f"{path.relative_to(ROOT)}: {word}" for word in words]
    assert not found
