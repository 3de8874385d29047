"""The gate's verdict as data: which checks were made, how each came out, and the worst of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

GREEN, AMBER, RED = "green", "amber", "red"
ORDER = (GREEN, AMBER, RED)


@dataclass(frozen=True)
class Check:
    """One row of the gate.

    Attributes
    ----------
    name : str
        What was checked.
    status : str
        "green", "amber" or "red".
    value : str
        The figure found, as printed.
    element : str
        The parameter, estimand or cell that came out worst; empty where there is only one.
    green, amber : str
        The limits, as printed; whatever is beyond amber is red.
    text : str
        What the check means and what to do when it fails.
    """

    name: str
    status: str
    value: str
    element: str
    green: str
    amber: str
    text: str


@dataclass(frozen=True)
class Gate:
    """All checks of a run; `status` is that of the worst."""

    checks: tuple[Check, ...]

    @property
    def status(self) -> str:
        """Worst status of all checks; red where nothing was checked."""
        return max((check.status for check in self.checks), key=ORDER.index, default=RED)

    @property
    def worst(self) -> tuple[Check, ...]:
        """The checks that made the gate amber or red; empty when it is green."""
        return tuple(check for check in self.checks if check.status == self.status != GREEN)

    def write(self, path: Path) -> None:
        """Save as JSON."""
        content = {"status": self.status, "checks": [asdict(check) for check in self.checks]}
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def worst(gates: Iterable[Gate]) -> str:
    """Worst status of several gates."""
    return max((gate.status for gate in gates), key=ORDER.index, default=RED)


def read(path: Path) -> Gate:
    """Read what `Gate.write` saved; the status is derived again, never trusted."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return Gate(tuple(Check(**check) for check in content["checks"]))
