"""Say what changed between two runs: data, study file, priors, sampler, versions, gate and every number."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scripts import console, options

if TYPE_CHECKING:
    from reports.text.comparison import Comparison

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
Run = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.")]


@app.command()
def compare(
    first: Run,
    second: Run,
    json: Annotated[bool, typer.Option("--json", help="Print everything compared, as JSON.")] = False,
    show_anyway: Annotated[bool, typer.Option("--show-anyway", help="Compare numbers although a gate is red.")] = False,
    debug: options.Debug = False,
) -> None:
    """Print what differs between two runs; shifts are second minus first.

    Exit codes: 0 compared, whatever differs, 2 wrong usage, 3 not a finished run, 130 interrupted.
    """
    with console.exits(debug):
        # imported here so that --help stays under half a second
        from models.runs import folder as runs
        from reports.text import comparison

        with runs.of_this_code(first, second):
            found = comparison.compare(runs.load(first), runs.load(second), show_anyway)
        if json:
            for warning in found.warnings:
                typer.echo(f"! {warning}", err=True)
            typer.echo(found.as_json())
        else:
            _print(found)


def _print(found: Comparison) -> None:
    """In words and tables."""
    from reports.text import comparison_tables

    if not found.identical:
        for warning in found.warnings:
            typer.echo(f"! {warning}")
    typer.echo(comparison_tables.headline(found))
    if found.identical:
        return
    for table in comparison_tables.tables(found):
        typer.echo()
        console.table(table)


if __name__ == "__main__":
    app()
