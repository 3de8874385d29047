"""Fit a model to a study and save the run: draws, estimands, checks; the report is made from it by report.py."""

from pathlib import Path
from typing import Annotated

import typer

from scripts import console

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def fit(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="Study folder, or its study.toml.")],
    model: Annotated[str, typer.Option(help="Model to fit: effect.")] = "effect",
    priors: Annotated[
        str, typer.Option(help="Prior set: weakly_informative, sceptical, diffuse, or a .toml file.")
    ] = "weakly_informative",
    out: Annotated[Path | None, typer.Option(help="Run folder to write; default reports/build/STUDY.")] = None,
    draws: Annotated[int | None, typer.Option(min=100, help="Draws a chain; default 2000.")] = None,
    tune: Annotated[int | None, typer.Option(min=100, help="Tuning steps a chain; default 1000.")] = None,
    chains: Annotated[int | None, typer.Option(min=2, help="Chains; default 4.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**63 - 1, help="Seed; default: the study file's.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the run at --out.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the estimates as JSON in place of the folder.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Sample the posterior of STUDY, derive its estimands, check, and save; prints the run folder.

    A finished run of the same study, settings and code is not repeated, unless --force is given.

    Exit codes: 0 finished (gate green or amber), 2 wrong usage, 3 invalid input, 4 sampler failed, 5 gate red (the run
    is still written), 7 output exists or cannot be written, 130 interrupted.
    """
    with console.exits(debug):
        folder, gate = console.fit(
            study, model, priors, out, dict(draws=draws, tune=tune, chains=chains, seed=seed), force
        )
        typer.echo(console.estimates_json(folder) if json else folder)
        if gate == "red":
            raise typer.Exit(console.RED)


if __name__ == "__main__":
    app()
