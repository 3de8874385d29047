"""Ctrl-C is for the process that a person started: it ends the processes that it has started itself."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker


@contextmanager
def deferred() -> Iterator[None]:
    """Put off Ctrl-C until the block has ended; processes started in it never get it.

    Between a new process and what it is to be sent, an interruption would leave that process without its work, and its
    complaint on the terminal.
    """
    resource_tracker.ensure_running()  # which unblocks the signal where it starts, with the first process if not before
    arrived: list[object] = []
    handler = signal.getsignal(signal.SIGINT)
    # only the main thread is interrupted: its mask, which new processes inherit, keeps no signal from its other threads
    handled = callable(handler) and threading.current_thread() is threading.main_thread()
    if handled:
        signal.signal(signal.SIGINT, lambda _number, frame: arrived.append(frame))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if handled:
            signal.signal(signal.SIGINT, handler)
        if arrived:
            signal.raise_signal(signal.SIGINT)
