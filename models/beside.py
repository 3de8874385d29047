"""A fit beside another one, in a process of its own: while one model compiles, the other uses the second core."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from models import run as runs
from models import study as studies
from models import trial as trials
from models.analysis import MODELS, Analysis, analyse
from models.faults import SamplerFailed
from models.fit import Sampler
from priors.prior_set import PriorSet

Steps = list[tuple[float, str]]
"""What was done, each with the seconds since the fit began."""


class Beside:
    """A fit under way in another process.

    Parameters
    ----------
    study : Path
        Study folder or file; it is read again there.
    model : str
        Name of the model.
    priors, sampler, data_hash
        As for `analysis.analyse`; the hash is the data file's at the start.
    """

    def __init__(self, study: Path, model: str, priors: PriorSet, sampler: Sampler, data_hash: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._receive, send = context.Pipe(duplex=False)
        arguments = (send, study, model, priors, sampler, data_hash)
        self._process = context.Process(target=_fit, args=arguments, daemon=True)
        self._process.start()
        send.close()

    def result(self) -> tuple[Analysis, Steps]:
        """Wait for it; whatever went wrong there is raised here."""
        try:
            outcome = self._receive.recv()
        except EOFError:
            raise SamplerFailed("The second process ended without a result: out of memory, or stopped.") from None
        self._process.join()
        if isinstance(outcome, BaseException):
            raise outcome
        found: tuple[Analysis, Steps] = outcome
        return found

    def stop(self) -> None:
        """End it, done or not."""
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self._receive.close()


@contextmanager
def beside(study: Path, model: str, priors: PriorSet, sampler: Sampler, data_hash: str) -> Iterator[Beside]:
    """A fit in another process, which does not outlive the block."""
    other = Beside(study, model, priors, sampler, data_hash)
    try:
        yield other
    finally:
        other.stop()


def _fit(send: Connection, study: Path, model: str, priors: PriorSet, sampler: Sampler, data_hash: str) -> None:
    # an interruption is the first process's business, which ends this one
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    began, steps = time.monotonic(), []
    try:
        content, folder = studies.read(study)
        found = analyse(
            content,
            trials.load(content, folder),
            MODELS[model],
            priors,
            sampler,
            data_unchanged=lambda: runs.digest(folder / content.data.file) == data_hash,
            say=lambda step: steps.append((time.monotonic() - began, step)),
        )
        send.send((found, steps))
    except Exception as error:
        send.send(error)
