"""Compute independent replications, each written down as it finishes; who computes one, and when, decides no result."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import closing
from typing import TYPE_CHECKING, Any

from models.replications.journal import Journal
from models.replications.processes import Processes, Work, cores, single_thread

if TYPE_CHECKING:
    from models.replications.cluster import Cluster

Progress = Callable[[int, int], None]
TICK = 1.0
"""Seconds between two looks at the workers where no result arrives."""


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
        A function of a module, sent by its name. Its result is JSON-able and depends on its arguments alone. A process
        does many replications: what is dear to make (a table of truths) may be kept in a `functools.lru_cache` of the
        module, by `given`.
    given : object
        What every replication needs, picklable; each process unpacks it once and gives `work` the same object always.
    numbers : iterable of int
        Of the replications.
    journal : Journal
        Where results are, and go.
    progress : callable
        Told how many of how many are done, those already in the journal included.
    scheduler : str, optional
        Address of a Dask scheduler, `tcp://host:port`; without it, processes of this machine do the work.
    workers : int, optional
        Processes on this machine; default one a core, and 1 works in this very process. A scheduler has its own.

    Raises
    ------
    InvalidInput
        The scheduler cannot be reached, its workers have other code or settings, or none is left; or processes die.
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
    if scheduler is not None:
        from models.replications.cluster import Cluster  # Dask is an optional extra

        with Cluster(work, given, scheduler) as cluster:
            yield from _completed(cluster, numbers)
    elif (count := min(workers or cores(), len(numbers))) > 1:
        with Processes(work, given, count) as processes:
            yield from _completed(processes, numbers)
    else:
        yield from _here(work, given, numbers)


def _completed(workers: Processes | Cluster, numbers: list[int]) -> Iterator[tuple[int, Any]]:
    left, pending = deque(numbers), dict[Future[Any], int]()
    while left or pending:
        room = workers.room()
        while left and len(pending) < room:
            number = left.popleft()
            pending[workers.submit(number)] = number
        done, _ = wait(pending, TICK, FIRST_COMPLETED)
        # results first: what arrived together with an error is kept
        for future in sorted(done, key=_unsuccessful):
            number = pending.pop(future)
            try:
                result = future.result()
            except Exception as error:
                if failure := workers.failed(error, number):
                    raise failure from failure.__cause__
                left.appendleft(number)
            else:
                yield number, result


def _unsuccessful(future: Future[Any]) -> bool:
    return future.cancelled() or future.exception() is not None


def _here(work: Work, given: Any, numbers: list[int]) -> Iterator[tuple[int, Any]]:
    with single_thread():  # as in a process of its own
        for number in numbers:
            try:
                result = work(given, number)
            except Exception as error:
                error.add_note(f"This was replication {number}.")
                raise
            yield number, result
