"""A fit beside another one, in a process of its own: each has a core of its own.

The libraries take seconds to load: a process can be started before they are needed, and loads them while it waits.
"""

from __future__ import annotations

import multiprocessing
import time
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from models import interruption

if TYPE_CHECKING:
    from models.inference.nuts import Sampler
    from models.runs.analysis import Verdict
    from priors.prior_set import PriorSet

Steps = list[tuple[float, str]]
"""What was done, each with the seconds since the fit began."""


class BackgroundFit:
    """A process that waits for one fit; use it in a `with` block, which it does not outlive."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, there = context.Pipe()
        self._process = context.Process(target=_serve, args=(there,), daemon=True)
        with interruption.deferred():
            self._process.start()
        there.close()

    def __enter__(self) -> BackgroundFit:
        """Start of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process, done or not."""
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self._pipe.close()

    def begin(self, study: Path, model: str, priors: PriorSet, sampler: Sampler, data_hash: str, folder: Path) -> None:
        """Fit a model there and save its draws and checks in `folder`.

        Parameters
        ----------
        study : Path
            Study folder or file; it is read again there.
        model : str
            Name of the model.
        priors, sampler : PriorSet, Sampler
            As for `analysis.analyse`.
        data_hash : str
            The data file's at the start.
        folder : Path
            An existing folder.
        """
        self._pipe.send((study.resolve(), model, priors, sampler, data_hash, folder.resolve()))

    def result(self) -> tuple[Verdict, Steps]:
        """Wait for it; whatever went wrong there is raised here."""
        from models.faults import SamplerFailed

        try:
            outcome = self._pipe.recv()
        except EOFError:
            raise SamplerFailed("The second process ended without a result: out of memory, or stopped.") from None
        if isinstance(outcome, BaseException):
            raise outcome
        found: tuple[Verdict, Steps] = outcome
        return found


def _serve(pipe: Connection) -> None:
    from models.checks.path_what_if import path_what_if
    from models.inference.fitted import Specification
    from models.runs.analysis import analyse
    from models.runs.registry import MODELS, SAMPLED

    try:
        study, model, priors, sampler, data_hash, folder = pipe.recv()
    except EOFError:
        return
    from models.runs import folder as runs
    from models.trial import dataset as trials
    from models.trial.study_file import study as studies

    began = time.monotonic()
    steps: Steps = []
    try:
        content, where = studies.read(study)
        asked = Specification.of(content, trials.load(content, where), MODELS[model][SAMPLED], priors, sampler)

        def say(step: str) -> None:
            steps.append((time.monotonic() - began, step))

        found = analyse(asked, data_unchanged=lambda: runs.digest(where / content.data.file) == data_hash, say=say)
        further = path_what_if(found.answers, say)
        runs.write_tree(found.with_groups(further).tree, folder / runs.TREE)
        pipe.send((found.verdict, steps))
    except Exception as error:
        error.add_note(traceback.format_exc())  # which does not cross by itself
        pipe.send(error)
