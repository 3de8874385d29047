"""Build the page, its tables and its figures from a saved run; nothing is sampled."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
INVALID, DISK = 3, 7


@app.command()
def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.")],
    show_anyway: Annotated[
        bool,
        typer.Option(
            "--show-anyway", help="Print estimates although the gate is red, beside the reason not to use them."
        ),
    ] = False,
) -> None:
    """Write report.html, report.json, tables/ and figures/ into RUN; the page's path goes to stdout.

    Exit codes: 0 written, 3 not a finished run, 7 disk full or no permission.
    """
    # imported here so that --help stays under half a second
    from models import run as runs
    from models.faults import InvalidInput
    from reports import page

    try:
        loaded = runs.load(run)
        page.build(loaded, show_anyway)
    except InvalidInput as fault:
        _stop(INVALID, str(fault))
    except OSError as error:
        place = error.filename or run
        _stop(
            DISK,
            f"What: The report could not be written to {run}.\nWhy:  {error.strerror or error} ({place}).\nFix:  "
            "Free space or mend permissions, then run this again; an earlier report is still there.",
        )
    if loaded.gate.status != "green":
        typer.echo(f"gate {loaded.gate.status}: {'; '.join(check.name for check in loaded.gate.worst)}", err=True)
    typer.echo(run / "report.html")


def _stop(code: int, words: str) -> None:
    typer.echo(words, err=True)
    sys.exit(code)


if __name__ == "__main__":
    app()
