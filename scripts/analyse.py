"""The main job: check a study, fit, derive, check again, report. The last line on stdout is the run folder."""

from dataclasses import asdict

import typer

from scripts import console, options

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
@options.grouped
def analyse(
    study: options.Study,
    priors: options.Priors = "weakly_informative",
    likelihood: options.MainLikelihood = "sampled",
    show_anyway: options.ShowAnyway = False,
    *,
    sampling: options.Sampling,
    output: options.Output,
) -> None:
    """Analyse STUDY and write its report; prints the run folder, which holds report.html.

    The effect model is fitted, and the mediation model where the study names mediators.

    A finished run of the same study, settings and code is not repeated, unless --force is given.

    Exit codes: 0 finished (gate green or amber), 2 wrong usage, 3 invalid input, 4 sampler failed, 5 gate red (the run
    is still written), 7 output exists or cannot be written, 130 interrupted.
    """
    with console.exits(output.debug, study):
        made = study, "effect", priors, output.out, asdict(sampling), output.force
        folder, gate = console.fit(*made, ("mediation",), likelihood)
        console.report(folder, show_anyway)
        typer.echo(console.estimates_json(folder) if output.json else folder)
        if gate == "red":
            raise typer.Exit(console.RED)


if __name__ == "__main__":
    app()
