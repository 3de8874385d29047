"""Replications by the workers of a Dask cluster, which carries tasks and gives those of dead workers to others.

Importing it raises `InvalidInput` where Dask, an optional extra, is not installed.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
import socket
import time
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack
from functools import cache
from typing import Any

from models.faults import InvalidInput
from models.replications.processes import AGAIN, Work, replicate, single_thread
from models.runs import provenance

try:
    from distributed import Client, KilledWorker, get_worker
    from distributed.comm import connect
    from distributed.utils import silence_logging_cmgr
except ModuleNotFoundError as error:
    raise InvalidInput(
        "--scheduler cannot be used.",
        f"It needs Dask, an optional extra, which is not installed: {error}.",
        "Run make setup, or uv pip install --constraint requirements.lock distributed; or leave --scheduler out.",
    ) from error

AHEAD = 4
"""Replications sent out for every worker: enough that none waits, few enough that 100,000 need no memory."""
TICK = 1.0
"""Seconds between two counts of the workers."""
PATIENCE = 120.0
"""Seconds without any worker until the run gives up."""
CONNECT = 10.0
"""Seconds until a scheduler that does not answer is given up."""
UNFIT = "A worker cannot take part."
SAME = "Start workers anew, from the same clone and environment as this script (docs/clusters.md)."


class Unfit(Exception):  # noqa: N818 - said of a worker
    """A worker would compute something else, or could not compute it safely; its arguments are why and fix."""


class Cluster:
    """A connection to a scheduler, for a `with` block.

    Parameters
    ----------
    work, given : callable, object
        As for `executor.run`.
    scheduler : str
        Address.
    """

    def __init__(self, work: Work, given: Any, scheduler: str) -> None:
        self._packed = pickle.dumps((work, given))  # once, not with each replication
        self._scheduler, self._expected, self._stack = scheduler, fingerprint(), ExitStack()
        self._slots, self._counted, self._seen = 0, float("-inf"), time.monotonic()

    def __enter__(self) -> Cluster:
        """Connect; `InvalidInput` where there is no scheduler."""
        knock(self._scheduler)
        with ExitStack() as stack:
            stack.enter_context(silence_logging_cmgr(logging.CRITICAL))
            try:
                self._client = stack.enter_context(Client(self._scheduler, timeout=CONNECT, set_as_default=False))
            except (OSError, ValueError) as error:
                raise _nobody(self._scheduler, error) from None
            self._executor = stack.enter_context(self._client.get_executor(pure=False))
            stack.callback(self._executor.shutdown, wait=False)  # the rest is for nobody
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Cancel what is under way, and disconnect."""
        self._stack.close()

    def room(self) -> int:
        """How many replications may be under way, counting workers once a tick; gives up after long without any."""
        if time.monotonic() - self._counted >= TICK:
            try:
                self._slots = sum(self._client.nthreads().values())
            except (OSError, RuntimeError):  # the connection is gone, or the client closed after it
                raise _gone() from None
            self._counted = time.monotonic()
            if self._slots:
                self._seen = self._counted
            elif self._counted - self._seen > PATIENCE:
                why = f"The scheduler has had no worker for {PATIENCE:.0f} s."
                raise InvalidInput("The replications stopped.", why, f"Start workers. {AGAIN}")
        return AHEAD * max(self._slots, 1)

    def submit(self, number: int) -> Future[Any]:
        """Begin a replication."""
        order = pickle.dumps(_Order(self._expected, self._packed, number))
        future: Future[Any] = self._executor.submit(pickle.loads, order)
        return future

    def failed(self, error: Exception, number: int) -> Exception:
        """What to raise for a replication that ended with an error."""
        if isinstance(error, Unfit):
            return InvalidInput(UNFIT, *error.args)
        if isinstance(error, ModuleNotFoundError):
            return InvalidInput(UNFIT, f"It lacks a module: {error}.", SAME)
        if isinstance(error, CancelledError):
            return _gone()
        if isinstance(error, KilledWorker):
            times = error.allowed_failures + 1
            why = f"The process of replication {number}, or of one that waited beside it, died {times} times."
            return InvalidInput("The replications stopped.", why, f"Check whether a machine lacks memory. {AGAIN}")
        error.add_note(f"This was replication {number}.")
        return error


def knock(scheduler: str) -> None:
    """Check that a scheduler answers; `InvalidInput` where none does.

    A client would wait forever where somebody listens but never speaks: the near end of a tunnel, another service.
    """

    async def reach() -> None:
        comm = await asyncio.wait_for(connect(scheduler, timeout=CONNECT), CONNECT + 1)
        comm.abort()

    try:
        asyncio.run(reach())
    except (OSError, ValueError) as error:
        raise _nobody(scheduler, error) from None


def _nobody(scheduler: str, error: Exception) -> InvalidInput:
    return InvalidInput(
        f"There is no Dask scheduler at {scheduler}.",
        f"{type(error).__name__}: {str(error) or f'no answer in {CONNECT:.0f} s'}",
        "Start one (docs/clusters.md) and give the address that it prints, or leave --scheduler out.",
    )


def _gone() -> InvalidInput:
    why = "The connection to the Dask scheduler was lost."
    return InvalidInput("The replications stopped.", why, f"Start the cluster again. {AGAIN}")


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
    return replicate(packed, number)


@cache
def _check(expected: tuple[tuple[str, str], ...]) -> None:
    single_thread()
    here = fingerprint()
    differing = [name for name, value in expected if here.get(name) != value]
    if differing:
        listed = ", ".join(name if name == "code" else f"{name} {here.get(name)}" for name in differing)
        why = f"The worker on {socket.gethostname()} has other versions than this process: {listed}."
        raise Unfit(why, SAME)
    if (threads := get_worker().state.nthreads) != 1:
        raise Unfit(
            f"The worker on {socket.gethostname()} has {threads} threads, and sums over threads end in other digits.",
            "Start workers with --nthreads 1 and one --nworkers a core.",
        )


@cache
def fingerprint() -> dict[str, str]:
    """Code and versions on which results may depend, by name.

    Of the first call: a worker goes on with the code that it has loaded, whatever its clone holds by now.
    """
    return {"code": provenance.code_hash()} | provenance.versions()
