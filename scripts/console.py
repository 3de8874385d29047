"""How a script speaks: results on stdout, the rest on stderr, faults as what / why / fix with an exit code."""

from __future__ import annotations

import csv
import json
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from scripts import progress

if TYPE_CHECKING:
    from models.faults import InvalidInput
    from reports.text.parts import Table

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "reports" / "build"
UNEXPECTED, INVALID, SAMPLER, RED, DISK, INTERRUPTED = 1, 3, 4, 5, 7, 130
SHOWN = 10
"""Faults that a message lists; where there are more, all go to a file."""
HEAD = "row,column,value,allowed"
"""First line of that file."""


@contextmanager
def exits(debug: bool = False, study: Path | None = None) -> Iterator[None]:
    """Turn every fault into its message and exit code; `debug` shows the traceback as well, `study` has the faults."""
    try:
        yield
    except (typer.Exit, BrokenPipeError):  # the reader of a pipe may leave when it has seen enough
        raise
    except KeyboardInterrupt:
        stop(INTERRUPTED, "Interrupted; nothing was left half-written.")
    except Exception as error:
        if debug:
            traceback.print_exc()
        code, words = _explained(error, study)
        stop(code, "\n".join([words, *getattr(error, "__notes__", ())]))


def _explained(error: Exception, study: Path | None) -> tuple[int, str]:
    # imported here so that --help stays under half a second
    from models.faults import InvalidInput, OutputExists, SamplerFailed
    from models.simulation.scenario import ScenarioError
    from priors.prior_set import InvalidPriors

    if isinstance(error, InvalidInput):
        return INVALID, f"{error}{_fault_file(error, study)}"
    if isinstance(error, InvalidPriors):
        return INVALID, _three("The priors cannot be used.", str(error), "Correct the file, or name a set that ships.")
    if isinstance(error, ScenarioError):
        return INVALID, _three(
            "Nothing was simulated.",
            str(error),
            "Correct what is named; docs/scenarios.md has every key of a scenario.",
        )
    if isinstance(error, SamplerFailed):
        return SAMPLER, _three(
            "The sampler failed.", str(error), "Check the data for separation, or run with more --tune."
        )
    if isinstance(error, OutputExists):
        return DISK, _three("Nothing was written.", str(error), error.fix)
    if isinstance(error, OSError):
        why = error.strerror or str(error)
        where = f" ({error.filename})" if error.filename else ""
        return DISK, _three(
            "A file cannot be written or read.",
            f"{why}{where}.",
            "Free disk space or change permissions, then run again.",
        )
    why = f"{type(error).__name__}: {error}"
    return UNEXPECTED, _three(
        "Something unexpected happened.", why, "Run again with --debug and report what it prints."
    )


def _three(what: str, why: str, fix: str) -> str:
    return f"What: {what}\nWhy:  {why}\nFix:  {fix}"


def _fault_file(error: InvalidInput, study: Path | None) -> str:
    """Write all faults to a file beside the study where there are more than the message shows; say where."""
    if len(error.faults) <= SHOWN or study is None:
        return ""
    from reports.text.report_files import inert

    path = (study if os.path.isdir(study) else study.parent) / "faults.csv"
    try:
        if path.exists() and not path.read_bytes().startswith(HEAD.encode()):
            return f"\n      (the full list was not written: {path} is another file)"
        with path.open("w", newline="", encoding="utf-8") as stream:
            stream.write(f"{HEAD}\r\n")
            writer = csv.writer(stream)
            for fault in error.faults:
                writer.writerow([fault.row or "", *map(inert, (fault.column, fault.value, fault.allowed))])
    except OSError as problem:
        return f"\n      (the full list could not be written to {path}: {problem.strerror})"
    return f"\n      All {len(error.faults)} faults: {path}"


def stop(code: int, words: str) -> NoReturn:
    """Say why on stderr and leave with `code`."""
    typer.echo(words, err=True)
    raise typer.Exit(code)


def say(step: str) -> None:
    """Tell what is being done, on stderr."""
    typer.echo(f"· {step}", err=True)


def table(found: Table) -> None:
    """Print a table on stdout: drawn on a terminal, else in plain columns that nothing cuts off."""
    texts = [[column.head for column in found.columns]]
    texts += [[row[column.key].text for column in found.columns] for row in found.rows]
    if not sys.stdout.isatty():
        widths = [max(map(len, cells)) for cells in zip(*texts, strict=True)]
        right = [column.number for column in found.columns]
        typer.echo(found.caption)
        for line in texts:
            padded = (f"{cell:>{w}}" if r else f"{cell:<{w}}" for cell, w, r in zip(line, widths, right, strict=True))
            typer.echo("  " + "  ".join(padded).rstrip())
        return
    import rich.console
    import rich.table
    import rich.text

    drawn = rich.table.Table(title=rich.text.Text(found.caption), title_justify="left")
    for column in found.columns:
        drawn.add_column(rich.text.Text(column.head), justify="right" if column.number else "left")
    for line in texts[1:]:
        drawn.add_row(*map(rich.text.Text, line))  # as text: what stands in a label is no markup
    rich.console.Console().print(drawn)


def fit(
    study: Path,
    model: str,
    priors: str,
    out: Path | None,
    changes: dict[str, int | None],
    force: bool,
    further: tuple[str, ...] = (),
    likelihood: str = "sampled",
) -> tuple[Path, str]:
    """Run a fit, and those of further models that the study allows, with progress on stderr; folder, gate's status."""
    name = study.resolve().name if os.path.isdir(study) else study.resolve().parent.name
    # each model and each prior set has a run of its own
    usual = ("effect", "weakly_informative", "sampled")
    suffix = "".join(f"-{part}" for part in (model, Path(priors).stem, likelihood) if part not in usual)
    out = out or BUILD / f"{name or 'study'}{suffix}"
    _refuse_other_than_run(out, force)
    from models.trial.study_file import study as studies

    content, _ = studies.read(study)  # a fault in it is told before the libraries are loaded, which takes seconds
    say("loading the libraries")
    from models.runs.background_fit import BackgroundFit

    wanted = further if content.mediators else ()
    with ExitStack() as processes, progress.draws() as update:
        # a second process loads the libraries while this one does
        others = {name: processes.enter_context(BackgroundFit()) for name in wanted}
        from models.runs import job as jobs

        order = jobs.Job(study, model, priors, out, changes, command(), force, wanted, likelihood)
        folder, fresh = jobs.execute(order, say, update, others)
    if not fresh:
        say(f"already done: {folder} holds this very run")
    return folder, _gate(folder)


def _refuse_other_than_run(out: Path, force: bool) -> None:
    """Never let --force delete what is no run: a study's folder, a home folder."""
    run = (out / "manifest.json").is_file() or (out.is_dir() and not any(out.iterdir()))
    if force and out.exists() and not run:
        from models.faults import OutputForeign

        why = f"{out} holds something other than a run, and --force replaces only runs."
        raise OutputForeign(why)


def command() -> str:
    """What the person typed, as it would be typed at the root of the repository."""
    return " ".join(["uv run", *(_relative(word) for word in sys.argv)])


def _relative(word: str) -> str:
    """Paths as a person at the root of the repository would type them."""
    path = Path(word)
    return path.relative_to(ROOT).as_posix() if path.is_absolute() and path.is_relative_to(ROOT) else word


def _gate(folder: Path) -> str:
    from models.checks.gate_table import Status, read, worst
    from models.runs import folder as runs
    from reports.text import check_words

    failed = json.loads((folder / runs.MANIFEST).read_text(encoding="utf-8")).get("failed", {})
    gates = [read(path) for path in sorted(folder.glob(f"**/{runs.GATE}"))]
    status = Status.RED if failed else worst(gates)
    study = runs.read_study(folder)
    worded = [check_words.worded(check, study) for gate in gates for check in gate.worst if check.status is status]
    found = [f"{each.check.name}: {each.found.text}{f' ({each.element})' if each.element else ''}" for each in worded]
    told = [f"the fit of the {name} model failed: {why}" for name, why in failed.items()]
    say("; ".join([f"gate {status}", *told, *found]))
    return status


def report(folder: Path, show_anyway: bool) -> None:
    """Build the page of a saved run."""
    say("building the report")
    from models.runs import folder as runs
    from reports.page import build

    build.build(runs.load(folder), show_anyway)
    runs.write_sums(folder)


def estimates_json(folder: Path) -> str:
    """The estimates of a saved run, every fit's with the name of its model, as JSON records; NaN is null."""
    import pandas as pd

    from models.runs import folder as runs

    run = runs.load(folder)
    tables = [fit.estimates.assign(model=fit.manifest["model"]) for fit in (run, *run.further.values())]
    return pd.concat(tables, ignore_index=True).to_json(orient="records", force_ascii=False)
