"""Scripts run in this process, for the tests of the command line."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner, Result

from scripts import analyse, calibrate, check, compare, design, diagnose, fit, report, simulate

ROOT = Path(__file__).parents[1]
MODULES = (analyse, calibrate, check, compare, design, diagnose, fit, report, simulate)
APPS = {module.__name__.split(".")[1]: module.app for module in MODULES}
TINY = ("--draws", "100", "--tune", "100", "--chains", "2")
"""Too few draws for any purpose but this: the gate is red."""


def run(script: str, *arguments: str | Path) -> Result:
    """A script in this process."""
    return CliRunner().invoke(APPS[script], [str(argument) for argument in arguments])


def messages(text: str) -> list[str]:
    """First words of the lines of a refusal."""
    return [line.split(":")[0] for line in text.splitlines() if not line.startswith((" ", "·"))]


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
