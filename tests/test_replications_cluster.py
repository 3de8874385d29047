"""Crew on a real Dask cluster: scheduler, workers and drivers are processes of their own; some of them are killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from models.faults import InvalidInput
from models.replications import crew, flight
from models.replications.journal import Journal
from tests.replicated import NUMBERS, draw, expected, identity, threads, until

ROOT = Path(__file__).parents[1]
GIVEN = {"seed": 11}
SLOWLY = GIVEN | {"seconds": 0.05}


@contextmanager
def process(*words: str | Path, cwd: Path = ROOT, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A process that does not outlive the block."""
    command = [sys.executable, *map(str, words)]
    started = subprocess.Popen(command, cwd=cwd, stderr=subprocess.DEVNULL, **options)
    try:
        yield started
    finally:
        started.kill()
        started.wait()


class Cluster:
    """A scheduler on loopback, with as many workers as are asked for."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.file, self.folder, self.stack = folder / "scheduler.json", folder, stack
        self.scheduler = self.start("scheduler", "--port", "0")
        self.address = json.loads(until(self._written))["address"]

    def _written(self) -> str:
        return self.file.read_text() if self.file.exists() else ""

    def start(self, role: str, *more: str, cwd: Path = ROOT) -> subprocess.Popen[bytes]:
        shared = ("--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(self.file))
        return self.stack.enter_context(process("-m", "dask", role, *shared, *more, cwd=cwd))

    def worker(self, threads: int = 1, cwd: Path = ROOT) -> subprocess.Popen[bytes]:
        scratch = ("--local-directory", str(self.folder))
        return self.start("worker", "--no-nanny", "--nthreads", str(threads), *scratch, cwd=cwd)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with ExitStack() as stack:
        yield Cluster(tmp_path, stack)


def finished(journal: Path) -> int:
    return max(journal.read_bytes().count(b"\n") - 1, 0) if journal.exists() else 0


def after(count: int, action: Callable[[], object]) -> crew.Progress:
    """Progress that acts once, when so many are done."""
    waiting = [action]

    def told(done: int, _: int) -> None:
        if done >= count and waiting:
            waiting.pop()()

    return told


def test_a_worker_killed_on_the_way_changes_nothing(cluster: Cluster, tmp_path: Path) -> None:
    first, _ = cluster.worker(), cluster.worker()
    journal = Journal(tmp_path / "journal", GIVEN)
    crew.run(draw, SLOWLY, NUMBERS, journal, after(10, first.kill), scheduler=cluster.address)
    assert first.wait() == -signal.SIGKILL
    assert json.dumps(journal.results()) == expected(GIVEN)


@pytest.mark.slow
def test_without_any_worker_it_ends_and_goes_on_when_there_is_one(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = cluster.worker()
    journal = Journal(tmp_path / "journal", GIVEN)

    def left_alone() -> None:  # only now: a worker may need longer than that to start
        worker.kill()
        monkeypatch.setattr(flight, "PATIENCE", 2.0)

    with pytest.raises(InvalidInput, match="no worker for 2 s"):
        crew.run(draw, SLOWLY, NUMBERS, journal, after(10, left_alone), scheduler=cluster.address)
    assert 10 <= len(journal.finished()) < len(NUMBERS)
    monkeypatch.setattr(flight, "PATIENCE", 60.0)
    cluster.worker()  # it joins while the run waits
    crew.run(draw, GIVEN, NUMBERS, journal, scheduler=cluster.address)
    assert json.dumps(journal.results()) == expected(GIVEN)


@pytest.mark.slow
@pytest.mark.parametrize("tick", [1.0, 0.001])  # noticed by what does not arrive, and on looking who works
def test_a_scheduler_that_dies_is_told_and_finished_work_kept(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tick: float
) -> None:
    monkeypatch.setattr(flight, "TICK", tick)
    cluster.worker()
    journal = Journal(tmp_path / "journal", GIVEN)
    with pytest.raises(InvalidInput, match="connection to the Dask scheduler was lost"):
        crew.run(draw, SLOWLY, NUMBERS, journal, after(10, cluster.scheduler.kill), scheduler=cluster.address)
    assert 10 <= len(journal.finished()) < len(NUMBERS)


@pytest.mark.slow
def test_a_worker_with_other_code_takes_no_part_until_it_is_started_anew(cluster: Cluster, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    for name in ("models", "priors", "tests"):
        shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
    with (clone / "models" / "effect.py").open("a") as stream:
        stream.write("# another edition\n")
    worker = cluster.worker(cwd=clone)
    journal = Journal(tmp_path / "journal", GIVEN)
    for _ in range(2):
        with pytest.raises(InvalidInput, match="has other versions than this process: code"):
            crew.run(draw, GIVEN, NUMBERS, journal, scheduler=cluster.address)
        shutil.copy(ROOT / "models" / "effect.py", clone / "models")  # the worker has loaded the other one
    assert not journal.finished()
    worker.kill()
    cluster.worker(cwd=clone)
    crew.run(draw, GIVEN, NUMBERS, journal, scheduler=cluster.address)
    assert json.dumps(journal.results()) == expected(GIVEN)


@pytest.mark.slow
def test_a_worker_with_threads_takes_no_part(cluster: Cluster, tmp_path: Path) -> None:
    cluster.worker(threads=2)
    with pytest.raises(InvalidInput, match="has 2 threads"):
        crew.run(draw, GIVEN, NUMBERS, Journal(tmp_path / "journal", GIVEN), scheduler=cluster.address)


@pytest.mark.slow
def test_an_error_leaves_no_work_on_the_scheduler(cluster: Cluster, tmp_path: Path) -> None:
    from distributed import Client

    cluster.worker()
    journal = Journal(tmp_path / "journal", GIVEN)
    with pytest.raises(ArithmeticError, match="3 cannot be drawn"):
        crew.run(draw, SLOWLY | {"fails": 3}, NUMBERS, journal, scheduler=cluster.address)
    with Client(cluster.address) as client:
        until(lambda: not client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)))


@pytest.mark.slow
def test_two_runs_on_one_machine_do_not_meet(tmp_path: Path) -> None:
    with socket.socket() as taken, suppress(OSError):  # if it is taken already: so much the better
        taken.bind(("", 8787))  # where Dask would show a page
        taken.listen()
        journal = Journal(tmp_path / "journal", GIVEN)
        crew.run(draw, GIVEN, range(4), journal, workers=2)
    assert journal.finished() == set(range(4))


@pytest.mark.slow
def test_a_local_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    given = GIVEN | {"fatal_once": 20, "marker": str(tmp_path / "died")}
    journal = Journal(tmp_path / "journal", GIVEN)
    crew.run(draw, given, NUMBERS, journal, workers=2)
    assert (tmp_path / "died").exists()
    assert json.dumps(journal.results()) == expected(GIVEN)


@pytest.mark.slow
def test_a_replication_that_always_kills_its_worker_is_given_up(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", GIVEN)
    with pytest.raises(InvalidInput, match=r"process of replication \d+, .* died 4 times"):
        crew.run(draw, GIVEN | {"fatal": 20}, NUMBERS, journal, workers=2)
    assert journal.finished()


@pytest.mark.slow
def test_libraries_use_one_thread_in_a_worker_that_nobody_told(cluster: Cluster, tmp_path: Path) -> None:
    cluster.worker()
    journal = Journal(tmp_path / "journal", GIVEN)
    crew.run(threads, GIVEN, range(4), journal, scheduler=cluster.address)
    assert [set(each) for _, each in journal.results()] == [{1}] * 4


@pytest.mark.slow
def test_few_replications_are_on_their_way_at_a_time(cluster: Cluster, tmp_path: Path) -> None:
    from distributed import Client

    cluster.worker()
    seen: list[int] = []

    def look() -> None:
        with Client(cluster.address, set_as_default=False) as client:
            seen.append(client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)))

    journal = Journal(tmp_path / "journal", GIVEN)
    crew.run(draw, SLOWLY, NUMBERS, journal, after(10, look), scheduler=cluster.address)
    assert 0 < seen[0] <= flight.AHEAD


@pytest.mark.slow
def test_a_worker_stays_and_keeps_what_it_was_given(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", GIVEN)
    crew.run(identity, GIVEN, range(30), journal, workers=2)
    assert len({tuple(each) for _, each in journal.results()}) == 2


@pytest.mark.slow
def test_a_worker_without_this_code_takes_no_part(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / "models").mkdir(parents=True)
    (tmp_path / "elsewhere" / "models" / "__init__.py").touch()
    cluster.worker(cwd=tmp_path / "elsewhere")
    with pytest.raises(InvalidInput, match=r"lacks a module: No module named 'models\.replications'"):
        crew.run(draw, GIVEN, NUMBERS, Journal(tmp_path / "journal", GIVEN), scheduler=cluster.address)


def driving(folder: Path, given: dict[str, Any], count: int, workers: int) -> list[str | Path]:
    return ["-c", "from tests.replicated import driver; driver()", folder, json.dumps([given, count, workers, None])]


def alive(session: int) -> list[int]:
    """Processes of a session that still run."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it ended meanwhile
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(entry.parent.name))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_driver_leaves_a_journal_and_no_process(tmp_path: Path, sent: signal.Signals) -> None:
    given = GIVEN | {"seconds": 0.2}
    journal, scratch = tmp_path / "journal.jsonl", tmp_path / "scratch"
    scratch.mkdir()
    options = {"start_new_session": True, "env": os.environ | {"TMPDIR": str(scratch)}}
    with process(*driving(tmp_path, given, 200, 2), **options) as started:
        until(lambda: finished(journal) > 5)
        began = time.monotonic()
        if sent == signal.SIGINT:  # a terminal sends it to the workers as well
            os.killpg(started.pid, sent)
        else:
            started.kill()
        assert started.wait(15) != 0
        until(lambda: not alive(started.pid), 10)
        print(f"{sent.name}: gone after {time.monotonic() - began:.1f} s")  # noqa: T201 - shown by pytest -rP
    if sent == signal.SIGINT:
        assert not list(scratch.iterdir())
    before = finished(journal)
    crew.run(draw, GIVEN, range(200), Journal(journal, given), workers=1)
    again = Journal(journal, given)
    assert finished(journal) == 200 > before >= 5  # the sixth line may have been seen before its `add` returned
    assert json.dumps(again.results()) == expected(GIVEN, range(200))
