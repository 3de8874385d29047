"""Cheap work for the tests of `models.replications`; a module of its own, because workers import it by name."""

from __future__ import annotations

import json
import math
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from models.replications import executor
from models.replications.journal import Journal

NUMBERS = range(60)


def draw(given: dict[str, Any], number: int) -> dict[str, Any]:
    """A few numbers that depend on the seed and the number alone; the other keys of `given` make trouble."""
    if number >= given.get("short", 0):
        time.sleep(given.get("seconds", 0))
    if number == given.get("fails"):
        raise ArithmeticError(f"{number} cannot be drawn")
    if number == given.get("fatal"):
        os.kill(os.getpid(), signal.SIGKILL)
    if number == given.get("interrupted"):
        os.kill(os.getpid(), signal.SIGINT)
    if number == given.get("fatal_once"):
        marker = Path(given["marker"])
        if not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    found = random.Random(given["seed"] * 1_000_003 + number)
    return {"z": found.gauss(), "tiny": found.random() * 1e-300, "lacking": math.nan, "far": -math.inf}


def threads(_: object, number: int) -> list[int]:
    """How many threads numerical libraries use, two of them loaded just now."""
    import scipy.linalg  # noqa: F401 - its own BLAS, beside numpy's
    from threadpoolctl import threadpool_info

    return [pool["num_threads"] for pool in threadpool_info()]


def identity(given: object, number: int) -> list[int]:
    """Which process, and which object `given` is there."""
    time.sleep(0.05)
    return [os.getpid(), id(given)]


def expected(given: dict[str, Any], numbers: range = NUMBERS) -> str:
    """Results without any machinery."""
    return json.dumps([(number, draw({"seed": given["seed"]}, number)) for number in numbers])


def until[T](condition: Callable[[], T], seconds: float = 30) -> T:
    """Wait until it is true of something."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
    return found


def driver() -> None:
    """A process of its own: arguments are a folder and, as JSON, given, how many, workers and the scheduler."""
    folder = Path(sys.argv[1])
    given, count, workers, scheduler = json.loads(sys.argv[2])
    journal = Journal(folder / "journal.jsonl", given)
    executor.run(draw, given, range(count), journal, scheduler=scheduler, workers=workers)
    (folder / "results.json").write_text(json.dumps(journal.results()))
