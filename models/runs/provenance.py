"""Which code and which packages compute: for a run's manifest, and so that machines that share work agree."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parents[2]
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


def versions() -> dict[str, str]:
    """Python's version and that of every package whose code reaches a number."""
    return {"python": platform.python_version()} | {name: version_of(name) for name in PACKAGES}


def version_of(package: str) -> str:
    """An installed package's version."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def code_hash() -> str:
    """SHA-256 of every Python file of `priors` and `models`, names included."""
    found = hashlib.sha256()
    for folder in ("priors", "models"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            found.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def commit() -> str:
    """The clone's commit; empty where git cannot say."""
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""  # the code's own hash identifies it; the commit is a convenience
    return done.stdout.strip() if done.returncode == 0 else ""
