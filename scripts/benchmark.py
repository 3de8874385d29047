"""Measure the main job, cold and warm: seconds, where they go, peak memory. docs/benchmark.md is the record."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import typer

from scripts import console

RECORD = console.ROOT / "docs" / "benchmark.md"
RESULT = console.BUILD / "benchmark.json"
REPEATS = 3
FITS = console.BUILD / "benchmark-fits.json"
PLAIN = "PyMC, defaults"
AIMS = {
    "efficiency": "effective draws of the arm effect a second at n = 107, at least 5 times plain PyMC and brms",
    "calibration": "at most 0.48 CPU seconds a fit, for 1,000 in 4 minutes on two cores",
    "million": "a million participants, one binary covariate, under 60 s and 4 GB",
    "hundred_thousand": "100,000 participants, a continuous covariate, under 10 minutes",
}
"""What is measured with `--fits`, and what it should reach."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@dataclass(frozen=True)
class Timing:
    """One process.

    Attributes
    ----------
    seconds : float
        From start to end, as a person waits.
    cpu_seconds : float
        Of all cores together; hardly moved by what else the machine does.
    steps : dict of str to float
        Seconds of each step that it names on stderr.
    peak_gb : float
        Largest resident memory, in GB (2³⁰ bytes).
    """

    seconds: float
    cpu_seconds: float
    steps: dict[str, float]
    peak_gb: float


@app.command()
def benchmark(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="Study to analyse.")] = Path("studies/undarga"),
    against: Annotated[
        Path | None, typer.Option(help="Earlier JSON to compare with; default: the last one, else the record's.")
    ] = None,
    fits: Annotated[
        bool, typer.Option("--fits", help="Measure fits with the integrated likelihood instead: about ten minutes.")
    ] = False,
) -> None:
    """Analyse STUDY with an empty compile cache, then a full one; print seconds, and ratios to an earlier benchmark.

    Takes about two minutes; let nothing else run. Writes reports/build/benchmark.json; nothing is asserted.
    """
    with console.exits():
        if fits:
            _fits()
            return
        before = _earlier(against)
        after = _measured(study)
        RESULT.parent.mkdir(parents=True, exist_ok=True)
        RESULT.write_text(json.dumps(after, indent=1) + "\n", encoding="utf-8")
        _print(after, before)
        console.say(f"written to {RESULT}")


def _measured(study: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = os.environ | {"NUMBA_CACHE_DIR": str(folder / "compiled")}
        analyse = ["scripts/analyse.py", str(study), "--out", str(folder / "run"), "--force"]
        runs = {}
        for kind in ("cold", "warm"):
            console.say(f"{kind} run")
            runs[kind] = asdict(_timed(analyse, environment))
        console.say("help and imports")
        quick = {
            "help": ["scripts/analyse.py", "--help"],
            "imports": ["-c", "import models.runs.job, reports.page.build"],
            "report": ["scripts/report.py", str(folder / "run")],
        }
        best = {
            f"{kind}_seconds": min(_timed(words, environment).seconds for _ in range(REPEATS))
            for kind, words in quick.items()
        }
    machine = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}"
    return {"machine": machine, "study": study.as_posix(), **runs, **best}


def _fits() -> None:
    """Measure each of `benchmark_fits` in a process of its own and print it beside its aim; writes `FITS`."""
    found = {}
    for name, aim in AIMS.items():
        console.say(f"{name}: {aim}")
        began = time.monotonic()
        with tempfile.TemporaryFile() as errors:
            words = [sys.executable, "scripts/benchmark_fits.py", name]
            process = subprocess.Popen(words, cwd=console.ROOT, stdout=subprocess.PIPE, stderr=errors, text=True)
            assert process.stdout is not None
            told = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            if os.waitstatus_to_exitcode(status):
                errors.seek(0)
                raise RuntimeError(f"{name} failed: {errors.read()[-600:].decode()}")
        found[name] = json.loads(told) | {
            "whole process, seconds": round(time.monotonic() - began, 1),
            "cpu seconds": round(usage.ru_utime + usage.ru_stime, 1),
            "peak GB": round(usage.ru_maxrss / 1024**2, 2),
        }
        typer.echo(f"{name}: {json.dumps(found[name])}")
    _compared(found["efficiency"])
    FITS.parent.mkdir(parents=True, exist_ok=True)
    FITS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    console.say(f"written to {FITS}")


def _compared(rates: dict[str, dict[str, Any]]) -> None:
    """Print how many times the other engines' effective draws a second each way of ours makes."""
    engines = (PLAIN, "brms")
    for own, other in product([name for name in rates if name not in engines], engines):
        if "ess" in rates[other]:
            ratios = [rates[own][unit] / rates[other][unit] for unit in ("a wall second", "a cpu second")]
            typer.echo(f"{own}: × {ratios[0]:.1f} of {other} a wall second, × {ratios[1]:.1f} a CPU second")


def _timed(words: list[str], environment: dict[str, str]) -> Timing:
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *words],
        cwd=console.ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    stamps, told = [("starting", began)], []
    for line in process.stderr:
        told.append(line)
        if line.startswith("· "):
            stamps.append((line[2:].split(";")[0].strip(), time.monotonic()))
    # wait4 gives this process's own peak memory, where getrusage gives the largest of all children
    _, status, usage = os.wait4(process.pid, 0)
    ended = time.monotonic()
    if code := os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"{' '.join(words)} left with {code}: {''.join(told)[-600:]}")
    ends = [when for _, when in stamps[1:]] + [ended]
    steps: dict[str, float] = {}
    for (step, start), end in zip(stamps, ends, strict=True):
        steps[step] = round(steps.get(step, 0.0) + end - start, 2)
    cpu = usage.ru_utime + usage.ru_stime
    return Timing(round(ended - began, 2), round(cpu, 2), steps, round(usage.ru_maxrss / 1024**2, 2))


def _earlier(path: Path | None) -> dict[str, Any]:
    if path is None and not RESULT.is_file():
        block = re.search(r"```json\n(.*?)```", RECORD.read_text(encoding="utf-8"), re.DOTALL)
        return json.loads(block[1]) if block else {}
    return json.loads((path or RESULT).read_text(encoding="utf-8"))


def _flat(found: dict[str, Any], prefix: str = "") -> dict[str, float]:
    flat: dict[str, float] = {}
    for name, value in found.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name} ")
        elif isinstance(value, int | float):
            flat[f"{prefix}{name}"] = float(value)
    return flat


def _print(after: dict[str, Any], before: dict[str, Any]) -> None:
    old = _flat(before)
    typer.echo(f"{after['study']} on {after['machine']}; compared with {before.get('machine', 'nothing')}")
    for name, value in _flat(after).items():
        ratio = f"  × {value / old[name]:.2f}" if old.get(name) else ""
        typer.echo(f"{name:<40}{value:8.2f}{ratio}")


if __name__ == "__main__":
    app()
