"""Progress on stderr: a bar on a terminal, else a line every 10 s."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

EVERY = 10.0
"""Seconds between two lines of progress where there is no terminal."""
Show = Callable[[int, int, str], None]
"""Told done, total and what is counted."""


@contextmanager
def draws() -> Iterator[Callable[[int, int, int], None]]:
    """Progress of the sampler: told draws, of how many, divergences."""
    with _shown() as show:
        yield lambda done, total, divergences: show(done, total, f"draws, {divergences} divergent")


@contextmanager
def replications() -> Iterator[Callable[[int, int], None]]:
    """Progress of many replications, with how many a minute and the time left: told done and total."""
    with _shown(told=True) as show:
        pace = _Pace()
        yield lambda done, total: show(done, total, f"replications{pace(done, total)}")


class _Pace:
    """How fast and how long still, from what was done since the first call: an earlier run did the rest."""

    def __init__(self) -> None:
        self.first: tuple[float, int] | None = None

    def __call__(self, done: int, total: int) -> str:
        now = time.monotonic()
        began, before = self.first = self.first or (now, done)
        if done == before:
            return ""
        each = (now - began) / (done - before)
        return f", {60 / max(each, 1e-9):,.0f} a minute, {_clock(each * (total - done))} left"


def _clock(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min {rest % 60} s" if rest > 99 else f"{rest} s"


@contextmanager
def _shown(told: bool = False) -> Iterator[Show]:
    """`told`: the words say how long it still takes."""
    if not sys.stderr.isatty() or os.environ.get("NO_COLOR"):
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn

    columns: list[ProgressColumn] = [BarColumn(), TextColumn("{task.completed}/{task.total} {task.description}")]
    columns += [] if told else [TimeRemainingColumn()]
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total, words: bar.update(task, completed=done, total=total, description=words)


class _Lines:
    """Progress as lines, at most one every 10 s."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def __call__(self, done: int, total: int, words: str) -> None:
        if time.monotonic() - self.last >= EVERY:
            self.last = time.monotonic()
            typer.echo(f"  {done} of {total} {words}", err=True)
