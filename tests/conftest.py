"""Guards that hold for every test."""

from __future__ import annotations

import importlib
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session", autouse=True)
def _packages_are_this_checkout() -> None:
    """An installed package called `models` must not stand in for this one."""
    for name in ("models", "priors", "reports", "scripts"):
        found = Path(importlib.import_module(name).__file__ or "").parent
        assert found == ROOT / name, f"{name} resolves to {found}, not to {ROOT / name}"


@pytest.fixture(scope="session", autouse=True)
def _interruptions_arrive() -> None:
    """Started in the background, tests ignore SIGINT, and so would every script that they start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
def short_refits() -> Iterator[None]:
    """A run's refits and its trials of recovery with few draws, for tests of everything else in a run."""
    from models.checks import recovery
    from models.inference import effort

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recovery, "TRIALS", 2)
        for name in ("RECOVERY", "REFIT"):
            patch.setattr(effort, name, {"tune": 100, "draws": 100, "chains": 2})
        yield
