"""Which code made each record: `python -m tests.records.made_with RECORD …` writes it down when they have been made.

A record holds what is too long to compute in the tests; it speaks of the code that made it alone. The code is the
syntax of every module that a record's own modules import, without comments and docstrings.
"""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILE = Path(__file__).with_suffix(".json")
RECORDS: Mapping[str, Sequence[str]] = {
    "tests/records/mediation_recovery.csv": ("models.equations.mediation", "models.calibration.simulated_trials"),
    "tests/records/mediation_pymc.csv": ("models.equations.mediation", "models.calibration.simulated_trials"),
    "tests/records/packages.csv": ("models.equations.mediation",),
    "tests/records/null_groups.csv": ("models.equations.effect_integrated", "models.estimands.response"),
    "tests/records/unequal_sds.csv": ("models.equations.effect_integrated", "models.estimands.response"),
    "tests/records/undarga_seed.csv": ("models.simulation.simulated_trial",),
    "docs/calibration/effect-effect.csv": ("models.equations.effect_integrated", "models.calibration.replication"),
    "docs/calibration/gate.csv": (
        "models.equations.effect_integrated",
        "models.equations.mediation",
        "models.calibration.gate_frequencies",
    ),
    "docs/calibration/mediation_clean-mediation.csv": ("models.equations.mediation", "models.calibration.replication"),
}
"""By record, the modules on which its numbers depend."""


def code(modules: Sequence[str]) -> str:
    """SHA-256 of what some modules and all that they import say."""
    found = hashlib.sha256()
    for name, text in sorted(_imported(modules).items()):
        found.update(f"{name}\0{text}\0".encode())
    return found.hexdigest()


def outdated(record: str) -> bool:
    """Whether a record was made with other code than this, or it is not known with which."""
    known = json.loads(FILE.read_text(encoding="utf-8"))
    return bool(known.get(record) != code(RECORDS[record]))


def _imported(modules: Sequence[str]) -> dict[str, str]:
    texts: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        path = _file(name)
        if path is None or name in texts:
            continue
        texts[name], imports = _parsed(path.read_text(encoding="utf-8"))
        waiting += imports
    return texts


@cache
def _parsed(source: str) -> tuple[str, tuple[str, ...]]:
    """What a module says, and which modules it imports."""
    tree = _bare(ast.parse(source))
    return ast.unparse(tree), tuple(_imports(tree))


def _file(module: str) -> Path | None:
    if module.split(".")[0] not in ("models", "priors"):
        return None
    place = ROOT.joinpath(*module.split("."))
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _bare(tree: ast.Module) -> ast.Module:
    """Without docstrings; comments are not in the tree."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [each for each in body if not _is_text(each)] or [ast.Pass()]  # type: ignore[attr-defined]
    return tree


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


if __name__ == "__main__":
    made = json.loads(FILE.read_text(encoding="utf-8")) | {record: code(RECORDS[record]) for record in sys.argv[1:]}
    FILE.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
