"""Fit a model to a study and save the run: draws, estimands, checks; the report is made from it by report.py."""

from dataclasses import asdict
from typing import Annotated

import typer

from scripts import console, options

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
@options.grouped
def fit(
    study: options.Study,
    model: Annotated[str, typer.Option(help="Model to fit: effect or mediation.")] = "effect",
    priors: options.Priors = "weakly_informative",
    likelihood: options.MainLikelihood = "sampled",
    *,
    sampling: options.Sampling,
    output: options.Output,
) -> None:
    """Sample the posterior of STUDY, derive its estimands, check, and save; prints the run folder.

    A finished run of the same study, settings and code is not repeated, unless --force is given.

    Exit codes: 0 finished (gate green or amber), 2 wrong usage, 3 invalid input, 4 sampler failed, 5 gate red (the run
    is still written), 7 output exists or cannot be written, 130 interrupted.
    """
    with console.exits(output.debug, study):
        made = study, model, priors, output.out, asdict(sampling), output.force
        folder, gate = console.fit(*made, likelihood=likelihood)
        typer.echo(console.estimates_json(folder) if output.json else folder)
        if gate == "red":
            raise typer.Exit(console.RED)


if __name__ == "__main__":
    app()
