"""Share replications out to processes or machines; who computes one, and when, never decides its result.

Dask carries tasks, notices dead workers and gives their tasks to others; a replication whose result has arrived is in
the journal at once. Libraries are imported where they are needed: `--help` and a run in this process go without Dask.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from models.faults import InvalidInput
from models.replications.flight import flight, single_thread
from models.replications.journal import Journal

if TYPE_CHECKING:
    from distributed import Client

Work = Callable[[Any, int], Any]
Progress = Callable[[int, int], None]
ALLOCATION = {
    f"distributed.nanny.pre-spawn-environ.MALLOC_{name}_THRESHOLD_": str(size)
    for name, size in (("TRIM", 2**30), ("MMAP", 2**25))
}
"""Dask has its workers give every large block back to the system at once; arrays then cost as much to get as to use
(measured: 300 mediation fits took 36 minutes in two processes, 20 of 66 CPU minutes of them in the system)."""
CONNECT = 10.0
"""Seconds until a scheduler that does not answer is given up."""


def run(
    work: Work,
    given: Any,
    numbers: Iterable[int],
    journal: Journal,
    progress: Progress = lambda _done, _total: None,
    scheduler: str | None = None,
    workers: int | None = None,
) -> None:
    """Do `work(given, number)` for every number that the journal lacks, and write each down as it finishes.

    Parameters
    ----------
    work : callable
        A function of a module below `models`: it is sent by its name, and workers show that they have the same code
        there. Its result is JSON-able and depends on its arguments alone. A process does many replications: what is
        dear to make (a compiled model) may be kept in a `functools.lru_cache` of the module, by `given`.
    given : object
        What every replication needs, picklable; each process unpacks it once and gives `work` the same object always.
    numbers : iterable of int
        Of the replications.
    journal : Journal
        Where results are, and go.
    progress : callable
        Told how many of how many are done, those that stood in the journal included.
    scheduler : str, optional
        Address of a Dask scheduler, `tcp://host:port`; without it, processes of this machine do the work.
    workers : int, optional
        Processes on this machine; default one a core, and 1 works in this very process. A scheduler has its own.

    Raises
    ------
    InvalidInput
        The scheduler cannot be reached, its workers have other code or settings, or none is left.
    OSError
        The journal cannot be written.
    Exception
        Whatever `work` raised, with a note that says in which replication. Finished work is kept in every case.
    """
    with closing(journal):
        journal.begin()
        wanted = set(numbers)
        missing = sorted(wanted - journal.finished())
        done = len(wanted) - len(missing)
        progress(done, len(wanted))
        if not missing:
            return
        # closed here, not whenever the traceback of an error is forgotten: it holds processes
        with closing(_results(work, given, missing, scheduler, workers)) as results:
            for number, result in results:
                journal.add(number, result)
                done += 1
                progress(done, len(wanted))


def _results(
    work: Work, given: Any, numbers: list[int], scheduler: str | None, workers: int | None
) -> Generator[tuple[int, Any]]:
    """Numbers with their results, as they come."""
    if scheduler is None:
        processes = min(workers or _cores(), len(numbers))
        if processes == 1:
            yield from _here(work, given, numbers)
            return
    with _client(scheduler, processes if scheduler is None else 0) as client:
        yield from flight(client, work, given, numbers)


def _cores() -> int:
    from dask.system import CPU_COUNT  # heeds a container's share of the processors

    return int(CPU_COUNT)


def _here(work: Work, given: Any, numbers: list[int]) -> Iterator[tuple[int, Any]]:
    with single_thread():  # as in a worker
        for number in numbers:
            try:
                result = work(given, number)
            except Exception as error:
                error.add_note(f"This was replication {number}.")
                raise
            yield number, result


@contextmanager
def _client(scheduler: str | None, processes: int) -> Iterator[Client]:
    """A client of the scheduler, or of one in this process; both are gone after the block."""
    from distributed.utils import silence_logging_cmgr

    connected = _local(processes) if scheduler is None else _remote(scheduler)
    with silence_logging_cmgr(logging.CRITICAL), connected as client:
        yield client


@contextmanager
def _remote(scheduler: str) -> Iterator[Client]:
    from distributed import Client

    knock(scheduler)
    try:
        client = Client(scheduler, timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise _nobody(scheduler, error) from None
    with client:
        yield client


def knock(scheduler: str) -> None:
    """See whether there is a scheduler; `InvalidInput` where there is none."""
    try:
        asyncio.run(_knock(scheduler))
    except (OSError, ValueError) as error:
        raise _nobody(scheduler, error) from None


def _nobody(scheduler: str, error: Exception) -> InvalidInput:
    return InvalidInput(
        f"There is no Dask scheduler at {scheduler}.",
        f"{type(error).__name__}: {str(error) or f'nothing was said in {CONNECT:.0f} s'}",
        "Start one (README, On a cluster) and give the address that it prints, or leave --scheduler out.",
    )


async def _knock(scheduler: str) -> None:
    """A client waits for ever where somebody listens but never speaks: the near end of a tunnel, another service."""
    from distributed.comm import connect

    comm = await asyncio.wait_for(connect(scheduler, timeout=CONNECT), CONNECT + 1)
    comm.abort()


@contextmanager
def _local(processes: int) -> Iterator[Client]:
    import dask
    from distributed import Client, LocalCluster

    with (
        tempfile.TemporaryDirectory(prefix="replications-", ignore_cleanup_errors=True) as scratch,
        dask.config.set({"temporary-directory": scratch, **ALLOCATION}),
        LocalCluster(
            n_workers=processes,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # else 8787 on every interface, with a warning when it is taken
            worker_dashboard_address=None,
            memory_limit=0,  # a worker is never ended because another program needs memory
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster, timeout=CONNECT, set_as_default=False) as client,
    ):
        yield client
