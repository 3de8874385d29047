"""The product's own job on a recipe, with few draws: the one place where tests of reports make a run."""

from __future__ import annotations

import signal
import tomllib
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import tomli_w

from models.checks import count_means, leave_one_out, mediator_checks, recovery
from models.inference import effort
from models.runs import background_fit, job
from models.runs.registry import INTEGRATED
from priors import prior_set
from tests.report_recipe import Recipe, content, study
from tests.report_trial import data_text

SAMPLER = {"draws": 80, "tune": 200, "chains": 4, "seed": 1}
FEWER = {
    count_means: {"DRAWS": 100},
    leave_one_out: {"DRAWS": 400},
    mediator_checks: {"DRAWS": 400},
    recovery: {"TRIALS": 3},
    effort: {
        "PRIOR": 1000,
        "PATH_PRIOR": 100,
        "REFIT_PRIOR": 400,
        "REFIT": {"tune": 200, "draws": 200, "chains": 2},
        "RECOVERY": {"tune": 150, "draws": 150, "chains": 2},
    },
}
"""Numbers of draws, small enough for a test and large enough for every table to be filled."""


def execute(recipe: Recipe, work: Path) -> None:
    """Write study, data and priors of a recipe into `work`, and its run into `work`/run."""
    plan = study(recipe)
    (work / "study").mkdir()
    (work / "study" / "study.toml").write_text(tomli_w.dumps(content(recipe)), encoding="utf-8")
    (work / "study" / "data.csv").write_text(data_text(recipe, plan), encoding="utf-8")
    further = ("mediation",) if recipe.mediators and recipe.mediation else ()
    task = job.Job(
        study=work / "study",
        model="effect",
        likelihood=INTEGRATED,
        priors=_priors(recipe, work),
        out=work / "run",
        changes=SAMPLER,
        command="uv run scripts/analyse.py study",
        further=further,
    )
    with ExitStack() as stack:
        for module, numbers in FEWER.items():
            stack.enter_context(mock.patch.multiple(module, **numbers))
        job.execute(task, others={name: _Here() for name in further})


def _priors(recipe: Recipe, work: Path) -> str:
    """The default set, or without the row that random slopes need."""
    if recipe.slopes:
        return prior_set.DEFAULT
    table = tomllib.loads((prior_set.FOLDER / f"{prior_set.DEFAULT}.toml").read_text(encoding="utf-8"))
    del table["parameters"]["tau_slope"]
    path = work / "own.toml"
    path.write_text(tomli_w.dumps(table | {"name": "own"}), encoding="utf-8")
    return str(path)


class _Here(background_fit.BackgroundFit):
    """The process of a further fit, in this one."""

    def __init__(self) -> None:
        self._pipe = self  # type: ignore[assignment]

    def send(self, message: Any) -> None:
        """To the process its task; from the process its answer."""
        self.message = message

    def recv(self) -> Any:
        """The answer, once the task is done."""
        task, handler = self.message, signal.getsignal(signal.SIGINT)
        background_fit._serve(_Line(task, self))  # type: ignore[arg-type]
        signal.signal(signal.SIGINT, handler)
        return self.message


class _Line:
    def __init__(self, task: Any, other: _Here) -> None:
        self.recv, self.send = lambda: task, other.send
