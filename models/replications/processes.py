"""Replications in processes of this machine: started on demand, replaced when they die, ended with the block."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import Any

from models import interruption
from models.faults import InvalidInput

Work = Callable[[Any, int], Any]
AHEAD = 2
"""Replications sent out for every process: enough that none waits."""
DEATHS = 3
"""How often a replication may be under way when a process dies, before it is given up."""
SINGLE = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")}
AGAIN = "Finished replications are kept: run the same command again to go on."


class Processes:
    """An executor of replications, for a `with` block.

    Parameters
    ----------
    work, given : callable, object
        As for `executor.run`.
    count : int
        Processes.
    """

    def __init__(self, work: Work, given: Any, count: int) -> None:
        self._packed, self._count = pickle.dumps((work, given)), count
        self._died: Counter[int] = Counter()
        self._others = set(multiprocessing.active_children())
        self._pool = self._started()

    def _started(self) -> ProcessPoolExecutor:
        # spawned: a fork copies the locks of the libraries' threads as they are
        return ProcessPoolExecutor(self._count, multiprocessing.get_context("spawn"), _begin)

    def __enter__(self) -> Processes:
        """Start of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes at once: whoever leaves early waits for no replication, which may take minutes."""
        for process in set(multiprocessing.active_children()) - self._others:
            process.kill()
        self._pool.shutdown(cancel_futures=True)

    def room(self) -> int:
        """How many replications may be under way."""
        return AHEAD * self._count

    def submit(self, number: int) -> Future[Any]:
        """Begin a replication."""
        with interruption.deferred():
            try:
                return self._pool.submit(replicate, self._packed, number)
            except BrokenProcessPool:
                self._pool.shutdown()
                self._pool = self._started()
                return self._pool.submit(replicate, self._packed, number)

    def failed(self, error: Exception, number: int) -> Exception | None:
        """What to raise for a replication that ended with an error; None where it is to be begun again."""
        if not isinstance(error, BrokenProcessPool):
            error.add_note(f"This was replication {number}.")
            return error
        self._died[number] += 1  # whose process it was is not known: all that were under way are counted
        if self._died[number] <= DEATHS:
            return None
        why = f"The process of replication {number}, or of one that was under way beside it, died {DEATHS + 1} times."
        return InvalidInput("The replications stopped.", why, f"Check whether the machine runs out of memory. {AGAIN}")


def replicate(packed: bytes, number: int) -> Any:
    """One replication, in a process that keeps what it was given."""
    work, given = _unpacked(packed)
    return work(given, number)


@lru_cache(maxsize=1)
def _unpacked(packed: bytes) -> tuple[Work, Any]:
    """The same objects for every replication of a run, so that `work` can keep what it makes of `given`."""
    found: tuple[Work, Any] = pickle.loads(packed)
    return found


def _begin() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    single_thread()


def _end_with_parent() -> None:
    """A killed parent cannot end its processes, and they would wait for work forever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGKILL)


def single_thread() -> ExitStack:
    """One thread for the numerical libraries of this process, those not yet loaded included.

    Sums that are split over threads end in other last digits.

    Returns
    -------
    ExitStack
        Undoes it when it is closed.
    """
    from threadpoolctl import threadpool_limits

    stack = ExitStack()
    stack.callback(_restore, {name: os.environ.get(name) for name in SINGLE})
    os.environ.update(SINGLE)
    stack.enter_context(threadpool_limits(1))
    return stack


def _restore(environment: dict[str, str | None]) -> None:
    for name, value in environment.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def cores(share: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Processors that this process may use, no more than the share that a container leaves it.

    Parameters
    ----------
    share : Path
        Where Linux keeps that share: microseconds of processor time in each period, "max" without a limit.
    """
    count = (os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count()) or 1
    try:
        quota, period = share.read_text(encoding="ascii").split()
    except OSError:  # another system, or an older kernel
        return count
    return count if quota == "max" else max(1, min(count, -(-int(quota) // int(period))))
