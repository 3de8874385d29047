"""Replications on their way through a Dask cluster: a bounded number at a time, results as they arrive."""

from __future__ import annotations

import os
import pickle
import queue
import socket
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from models import provenance
from models.faults import InvalidInput

if TYPE_CHECKING:
    from distributed import Client, Future

Work = Callable[[Any, int], Any]
AHEAD = 4
"""Replications sent out for every worker: enough that none waits, few enough that 100,000 need no memory."""
TICK = 1.0
"""Seconds between two looks at who works."""
PATIENCE = 120.0
"""Seconds without any worker until the run gives up."""
SINGLE = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")}
UNFIT = "A worker cannot take part."
SAME = "Start workers anew, from the same clone and environment as this script (README, On a cluster)."
AGAIN = "Finished replications are kept: run the same command again to go on."


def flight(client: Client, work: Work, given: Any, numbers: list[int]) -> Iterator[tuple[int, Any]]:
    """Numbers with their results, in the order of arrival.

    Parameters
    ----------
    client : Client
        Of a Dask scheduler.
    work, given, numbers : callable, object, list of int
        As for `crew.run`.

    Yields
    ------
    number : int
        Of a replication.
    result : object
        Of `work`.

    Raises
    ------
    InvalidInput
        No worker is left, the scheduler went away, or a worker has other code.
    Exception
        What `work` raised, after every other result that had arrived by then.
    """
    return iter(_Flight(client, work, given, numbers))


class Unfit(Exception):  # noqa: N818 - said of a worker
    """A worker would compute something else, or could not compute it safely; its arguments are why and fix."""


class _Order:
    """A replication that is done by whoever unpickles it.

    Dask is told to call `pickle.loads` on bytes, and so reads no name of ours: a worker or a scheduler that lacks one
    would end there and then, without a word to the sender.
    """

    def __init__(self, *arguments: Any) -> None:
        self._arguments = arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return task, self._arguments


def task(expected: dict[str, str], packed: bytes, number: int) -> Any:
    """One replication, on a worker that has shown that it has the sender's code and packages."""
    _check(tuple(expected.items()))
    work, given = _unpacked(packed)
    return work(given, number)


@lru_cache(maxsize=1)
def _unpacked(packed: bytes) -> tuple[Work, Any]:
    """The same objects for every replication of a run, so that `work` can keep what it makes of `given`."""
    from distributed.protocol.pickle import loads

    found: tuple[Work, Any] = loads(packed)
    return found


@cache
def _check(expected: tuple[tuple[str, str], ...]) -> None:
    from distributed import get_worker

    single_thread()
    here = fingerprint()
    differing = [name for name, value in expected if here.get(name) != value]
    if differing:
        listed = ", ".join(name if name == "code" else f"{name} {here.get(name)}" for name in differing)
        raise Unfit(
            f"The worker on {socket.gethostname()} has other versions than this process: {listed}.",
            SAME,
        )
    if (threads := get_worker().state.nthreads) != 1:
        raise Unfit(
            f"The worker on {socket.gethostname()} has {threads} threads, and models compile in one thread only.",
            "Start workers with --nthreads 1 and one --nworkers a core.",
        )


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


@cache
def fingerprint() -> dict[str, str]:
    """Code and versions on which results may depend, by name.

    Of the first call: a worker goes on with the code that it has loaded, whatever its clone holds by now.
    """
    return {"code": provenance.code_hash()} | provenance.versions()


class _Flight:
    """See `flight`."""

    def __init__(self, client: Client, work: Work, given: Any, numbers: list[int]) -> None:
        from distributed.protocol.pickle import dumps

        self._client = client
        self._packed = dumps((work, given))  # once, not with each replication
        self._left = deque(numbers)
        self._out: dict[Any, tuple[Future, int]] = {}
        self._arrived: queue.SimpleQueue[Future] = queue.SimpleQueue()
        self._name = f"replication-{uuid.uuid4().hex}"
        self._expected = fingerprint()
        self._slots, self._looked, self._seen = 0, float("-inf"), time.monotonic()

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        while self._left or self._out:
            self._look()
            self._send()
            # results first: what arrived together with an error is kept
            for future in sorted(self._batch(), key=lambda future: future.status == "error"):
                yield from self._taken(future)

    def _look(self) -> None:
        """See who works, once a tick; give up where nobody has worked for long."""
        if time.monotonic() - self._looked < TICK:
            return
        try:
            self._slots = sum(self._client.nthreads().values())
        except (OSError, RuntimeError):  # the connection is gone, or the client closed after it
            raise self._gone() from None
        self._looked = time.monotonic()
        if self._slots:
            self._seen = self._looked
        elif self._looked - self._seen > PATIENCE:
            why = f"The scheduler has had no worker for {PATIENCE:.0f} s."
            raise InvalidInput("The replications stopped.", why, f"Start workers. {AGAIN}")

    def _send(self) -> None:
        while self._left and len(self._out) < AHEAD * max(self._slots, 1):
            number = self._left.popleft()
            key = f"{self._name}-{number}"
            order = pickle.dumps(_Order(self._expected, self._packed, number))
            future = self._client.submit(pickle.loads, order, key=key, pure=False)
            self._out[key] = future, number
            future.add_done_callback(self._arrived.put)

    def _batch(self) -> list[Future]:
        """Whatever has arrived, after waiting a tick at most."""
        found = []
        try:
            found.append(self._arrived.get(timeout=TICK))
            while True:
                found.append(self._arrived.get_nowait())
        except queue.Empty:
            return found

    def _taken(self, future: Future) -> Iterator[tuple[int, Any]]:
        _, number = self._out[future.key]
        if future.status == "error":
            raise self._explained(future.exception(), number)
        if future.status == "cancelled":
            raise self._gone()
        try:
            result = future.result(timeout=10 * TICK)
        except TimeoutError:  # its worker died with it: another one is computing it
            future.add_done_callback(self._arrived.put)
            return
        del self._out[future.key]
        future.release()
        yield number, result

    def _explained(self, error: BaseException, number: int) -> BaseException:
        from distributed import KilledWorker

        if isinstance(error, Unfit):
            return InvalidInput(UNFIT, *error.args)
        if isinstance(error, ModuleNotFoundError):
            return InvalidInput(UNFIT, f"It lacks a module: {error}.", SAME)
        if isinstance(error, KilledWorker):
            times = error.allowed_failures + 1
            why = f"The process of replication {number}, or of one that waited beside it, died {times} times."
            return InvalidInput("The replications stopped.", why, f"See whether its machine lacks memory. {AGAIN}")
        error.add_note(f"This was replication {number}.")
        return error

    def _gone(self) -> InvalidInput:
        why = "The connection to the Dask scheduler was lost."
        return InvalidInput("The replications stopped.", why, f"Start the cluster again. {AGAIN}")
