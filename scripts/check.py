"""Check a study and its data: who was randomised, observed and missing, or every fault, so that it can be corrected."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scripts import console

if TYPE_CHECKING:
    from reports.text.overview import Overview

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def check(
    study: Annotated[
        Path, typer.Argument(metavar="STUDY", help="Study folder, its study.toml, or a data file to draft one for.")
    ],
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Validate STUDY and sum up its data; nothing is fitted.

    More than ten faults are written to a faults.csv beside the study.

    Given a data file in its place, print a draft of the study file that it needs.

    Exit codes: 0 valid, or drafted; 2 wrong usage, 3 invalid: the faults are named.
    """
    with console.exits(debug, study):
        from models.faults import InvalidInput
        from models.trial import dataset as trials
        from models.trial.study_file import study as studies
        from reports.text import overview as overviews

        try:
            if study.suffix.lower() in studies.ENDINGS:
                _draft(study, json)
            content, folder = studies.read(study)
            found = overviews.overview(content, trials.load(content, folder))
        except InvalidInput as error:
            if json:
                typer.echo(error.as_json())
            raise
        typer.echo(found.as_json()) if json else _print(found)


def _draft(file: Path, json: bool) -> None:
    """Print a study file to begin with, and on stderr what its author must decide."""
    import json as formats

    from models.faults import InvalidInput
    from models.trial.draft.draft import draft

    if not os.path.isfile(file):
        raise InvalidInput(f"There is no file {file}.", "STUDY names it.", "Give a study folder, or a data file.")
    found = draft(file)
    if json:
        typer.echo(formats.dumps({"draft": found.text, "remarks": found.remarks}, ensure_ascii=False, indent=1))
    else:
        typer.echo(found.text, nl=False)
    for remark in found.remarks:
        console.say(remark)
    console.say(f"save the draft as {file.with_name('study.toml')}, correct it line by line, and check that")
    raise typer.Exit


def _print(found: Overview) -> None:
    """In words and tables."""
    study = found.study
    typer.echo(f"{study.title}" + (" · SIMULATED DATA" if study.simulated else ""))
    if study.question:
        typer.echo(study.question)
    typer.echo(f"{study.data.file}: {found.participants} participants; the primary wave is {study.primary_wave!r}.")
    for table in found.tables:
        if table.rows:
            typer.echo()
            console.table(table)
    typer.echo()
    for note in found.notes:
        typer.echo(f"Note: {note}")
    typer.echo("Valid: this study can be analysed.")


if __name__ == "__main__":
    app()
