"""Cheap work for the tests of `models.replications`; a module of its own, because workers import it by name."""

from __future__ import annotations

import math
import os
import random
import time
from typing import Any


def draw(given: dict[str, Any], number: int) -> dict[str, Any]:
    """A few numbers that depend on the arguments alone."""
    time.sleep(given.get("seconds", 0))
    if number == given.get("fails"):
        raise ArithmeticError(f"{number} cannot be drawn")
    if number == given.get("fatal"):
        os._exit(1)
    found = random.Random(given["seed"] * 1_000_003 + number)
    return {"z": found.gauss(), "tiny": found.random() * 1e-300, "lacking": math.nan, "far": -math.inf}
