"""Ctrl-C while processes start: nothing but the first process hears of it, and not before they have started."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from models import interruption
from models.replications.processes import Processes
from models.runs.background_fit import BackgroundFit


def test_an_interruption_waits_for_the_end_of_the_block_whichever_thread_the_system_gives_it_to() -> None:
    """A thread that does not block the signal gets it, and Python would interrupt the main one."""
    done, whole = threading.Event(), False
    beside = threading.Thread(target=done.wait)
    beside.start()
    try:
        with pytest.raises(KeyboardInterrupt), interruption.deferred():  # noqa: PT012 - what it is about
            os.kill(os.getpid(), signal.SIGINT)
            for _ in range(1000):
                beside.join(1e-6)
            whole = True
    finally:
        done.set()
        beside.join()
    assert whole
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_another_thread_may_start_processes_and_an_error_passes() -> None:
    caught: list[Exception] = []

    def work() -> None:
        try:
            with interruption.deferred():
                raise ValueError("as before")
        except ValueError as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert [str(error) for error in caught] == ["as before"]


def kept_from(pid: int) -> bool:
    """Whether a process blocks Ctrl-C, from its first instruction on."""
    blocked = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigBlk"))
    return bool(int(blocked.split()[1], 16) >> (signal.SIGINT - 1) & 1)


@pytest.mark.parametrize("start", [BackgroundFit, lambda: Processes(print, 0, 2)], ids=["background", "replications"])
def test_processes_never_get_what_the_terminal_sends_to_all(start: Callable[[], BackgroundFit | Processes]) -> None:
    others = set(multiprocessing.active_children())
    with start() as started:
        if isinstance(started, Processes):
            started.submit(0)
        begun = set(multiprocessing.active_children()) - others
        assert begun
        assert all(kept_from(process.pid or 0) for process in begun)
