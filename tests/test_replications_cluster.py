"""Executor on a real Dask cluster: scheduler, workers and drivers are processes of their own; some of them are killed.

Starting one takes seconds: a cluster serves several tests, and each test leaves it with a worker that can take part.
"""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from distributed import Client, KilledWorker

from models.faults import InvalidInput
from models.replications import cluster as clusters
from models.replications import executor
from models.replications.journal import Journal
from tests.replicated import NUMBERS, draw, expected, threads, until

ROOT = Path(__file__).parents[1]
GIVEN = {"seed": 11}
SLOWLY = GIVEN | {"seconds": 0.05}


@contextmanager
def process(*words: str | Path, cwd: Path = ROOT) -> Iterator[subprocess.Popen[bytes]]:
    """A process that does not outlive the block."""
    command = [sys.executable, *map(str, words)]
    started = subprocess.Popen(command, cwd=cwd, stderr=subprocess.DEVNULL)
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

    def worker(self, cwd: Path = ROOT) -> subprocess.Popen[bytes]:
        scratch = ("--local-directory", str(self.folder))
        return self.start("worker", "--no-nanny", "--nthreads", "1", *scratch, cwd=cwd)

    @contextmanager
    def another_worker(self, cwd: Path = ROOT) -> Iterator[subprocess.Popen[bytes]]:
        """A second worker, which has joined and is gone after the block."""
        started = self.worker(cwd)
        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(2)
            yield started
            started.kill()
            until(lambda: len(client.nthreads()) == 1)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with ExitStack() as stack:
        started = Cluster(tmp_path_factory.mktemp("cluster"), stack)
        started.worker()
        yield started


def after(count: int, action: Callable[[], object]) -> executor.Progress:
    """Progress that acts once, when so many are done."""
    waiting = [action]

    def told(done: int, _: int) -> None:
        if done >= count and waiting:
            waiting.pop()()

    return told


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal", GIVEN)


def text(journal: Journal) -> str:
    return json.dumps(journal.results())


def tasks(cluster: Cluster) -> int:
    """How many the scheduler holds."""
    with Client(cluster.address, set_as_default=False) as client:
        found: int = client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks))
    return found


def test_results_are_those_of_one_process_and_few_are_under_way_at_a_time(cluster: Cluster, journal: Journal) -> None:
    seen: list[int] = []
    look = after(10, lambda: seen.append(tasks(cluster)))
    executor.run(draw, SLOWLY, NUMBERS, journal, look, scheduler=cluster.address)
    assert text(journal) == expected(GIVEN)
    assert 0 < seen[0] <= clusters.AHEAD


def test_an_error_is_told_and_leaves_no_work_on_the_scheduler(cluster: Cluster, journal: Journal) -> None:
    with pytest.raises(ArithmeticError, match="3 cannot be drawn") as failed:
        executor.run(draw, SLOWLY | {"fails": 3}, NUMBERS, journal, scheduler=cluster.address)
    assert failed.value.__notes__ == ["This was replication 3."]
    assert journal.finished() == {0, 1, 2}
    until(lambda: not tasks(cluster))


def test_libraries_use_one_thread_in_a_worker_that_nobody_told(cluster: Cluster, journal: Journal) -> None:
    executor.run(threads, GIVEN, range(2), journal, scheduler=cluster.address)
    assert [set(each) for _, each in journal.results()] == [{1}] * 2


def test_a_worker_killed_on_the_way_changes_nothing(cluster: Cluster, journal: Journal) -> None:
    with cluster.another_worker() as worker:
        executor.run(draw, SLOWLY, NUMBERS, journal, after(10, worker.kill), scheduler=cluster.address)
        assert worker.wait() == -signal.SIGKILL
    assert text(journal) == expected(GIVEN)


def test_a_worker_with_other_code_takes_no_part(cluster: Cluster, journal: Journal, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    for name in ("models", "priors", "tests"):
        shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
    file = clone / "models" / "faults.py"
    file.write_text(f"{file.read_text(encoding='utf-8')}# another edition\n", encoding="utf-8")
    with cluster.another_worker(clone):
        for _ in range(2):
            with pytest.raises(InvalidInput, match="has other versions than this process: code"):
                executor.run(draw, SLOWLY, NUMBERS, journal, scheduler=cluster.address)
            shutil.copy(ROOT / "models" / "faults.py", file)  # the worker has loaded the other one
    assert len(journal.finished()) < len(NUMBERS)


def test_a_worker_without_this_code_takes_no_part(cluster: Cluster, journal: Journal, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").touch()
    with (
        cluster.another_worker(tmp_path),
        pytest.raises(InvalidInput, match=r"lacks a module: No module named 'models\.replications'"),
    ):
        executor.run(draw, SLOWLY, NUMBERS, journal, scheduler=cluster.address)


def test_a_worker_with_threads_takes_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = SimpleNamespace(state=SimpleNamespace(nthreads=2))
    monkeypatch.setattr(clusters, "get_worker", lambda: worker)
    with pytest.raises(clusters.Unfit, match="has 2 threads"):
        clusters.task(clusters.fingerprint(), b"", 0)


def test_a_replication_that_always_kills_its_worker_is_given_up() -> None:
    error = KilledWorker("loads-1", None, 3)
    told = clusters.Cluster(draw, GIVEN, "tcp://127.0.0.1:1").failed(error, 20)
    assert "process of replication 20, or of one that waited beside it, died 4 times" in str(told)


def test_without_any_worker_it_ends_and_it_goes_on_until_the_scheduler_dies(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        cluster = Cluster(tmp_path, stack)
        monkeypatch.setattr(clusters, "PATIENCE", 0.5)
        with pytest.raises(InvalidInput, match="no worker for 0 s"):
            executor.run(draw, SLOWLY, NUMBERS, journal, scheduler=cluster.address)
        monkeypatch.setattr(clusters, "PATIENCE", 60.0)
        cluster.worker()  # it joins while the run waits
        with pytest.raises(InvalidInput, match="connection to the Dask scheduler was lost"):
            executor.run(draw, SLOWLY, NUMBERS, journal, after(10, cluster.scheduler.kill), scheduler=cluster.address)
    assert 10 <= len(journal.finished()) < len(NUMBERS)
    executor.run(draw, GIVEN, NUMBERS, journal, workers=1)
    assert text(journal) == expected(GIVEN)


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:9", "127.0.0.1", "nonsense://x:1", "tcp://no.such.host.invalid:1"]
)
def test_a_dead_address_is_told(journal: Journal, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "CONNECT", 0.3)
    with pytest.raises(InvalidInput, match="no Dask scheduler at") as told:
        executor.run(draw, GIVEN, NUMBERS, journal, scheduler=address)
    assert address in told.value.what


def test_whoever_listens_without_a_word_is_told(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "CONNECT", 0.3)
    began = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(InvalidInput, match="no Dask scheduler at"):
            executor.run(draw, GIVEN, NUMBERS, journal, scheduler=address)
    assert time.monotonic() - began < 20


def test_without_dask_a_scheduler_is_refused_and_what_to_install_is_said(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "models.replications.cluster")
    monkeypatch.delattr("models.replications.cluster")
    with pytest.raises(InvalidInput, match="--scheduler cannot be used") as told:
        executor.run(draw, GIVEN, NUMBERS, journal, scheduler="tcp://127.0.0.1:8786")
    assert "distributed" in told.value.fix
    executor.run(draw, GIVEN, NUMBERS, journal, workers=2)
    assert text(journal) == expected(GIVEN)
