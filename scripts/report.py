"""Build the page, its tables and its figures from a saved run; nothing is sampled."""

from pathlib import Path
from typing import Annotated

import typer

from scripts import console

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def report(
    run: Annotated[Path | None, typer.Argument(metavar="RUN", help="Folder of a finished run.")] = None,
    show_anyway: Annotated[
        bool,
        typer.Option(
            "--show-anyway", help="Print estimates although the gate is red, beside the reason not to use them."
        ),
    ] = False,
    index: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write an index.html that lists the runs in FOLDER instead.")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Write report.html, report.json, checklist.csv, tables/ and figures/ into RUN; the page's path goes to stdout.

    Exit codes: 0 written, 2 wrong usage, 3 not a finished run, or no run in FOLDER, 7 disk full or no permission (an
    earlier report is still there), 130 interrupted.
    """
    if (run is None) == (index is None):
        raise typer.BadParameter(
            "Missing: a run, or --index and a folder." if run is None else "either a run or --index, not both.",
            param_hint="RUN",
        )
    with console.exits(debug):
        if index is not None:
            _index(index)
        if run is not None:
            _report(run, show_anyway)


def _index(folder: Path) -> None:
    from reports.page import index

    typer.echo(index.build(folder))


def _report(run: Path, show_anyway: bool) -> None:
    # imported here so that --help stays under half a second
    from models.runs import folder as runs
    from reports.page import build
    from reports.text import report_files

    with runs.of_this_code(run):
        loaded = runs.load(run)
        build.build(loaded, show_anyway)
    runs.write_sums(run)
    if loaded.status != "green":
        gates = [fit.gate for fit in (loaded, *loaded.further.values()) if fit.gate.status == loaded.status]
        named = "; ".join(check.name for gate in gates for check in gate.worst)
        typer.echo(f"gate {loaded.status}: {named}", err=True)
    typer.echo(run / report_files.PAGE)


if __name__ == "__main__":
    app()
