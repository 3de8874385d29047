"""Draw ArviZ's standard diagnostics of a saved run: ranks, traces, effective draws, energy, predictions."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from scripts import console, options

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


class Format(StrEnum):
    """Kinds of file that a picture can be."""

    PNG = "png"
    PDF = "pdf"


@app.command()
def diagnose(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.")],
    to: Annotated[Format, typer.Option("--to", help="Kind of file.")] = Format.PNG,
    debug: options.Debug = False,
) -> None:
    """Draw the diagnostics of every fit into RUN/diagnostics/MODEL, in place of earlier ones; prints that folder.

    SHA256SUMS does not list them: they can be drawn again, or deleted, at any time.

    Exit codes: 0 drawn, 2 wrong usage, 3 not a finished run, 7 disk full or no permission (earlier pictures are still
    there), 130 interrupted.
    """
    with console.exits(debug):
        # imported here so that --help stays under half a second
        from models.runs import folder as runs

        manifest = runs.verified(run)
        with runs.of_this_code(run):
            _draw(run, manifest, to.value)
        typer.echo(run / runs.DIAGNOSTICS)


def _draw(run: Path, manifest: dict, suffix: str) -> None:
    console.say("loading ArviZ")
    import arviz

    from models.runs import folder as runs
    from reports.diagnostics import diagnostic_plots

    study = runs.read_study(run)
    places = {manifest["model"]: run} | {name: run / name for name in manifest["further"]}
    with runs.written_whole(run / runs.DIAGNOSTICS, force=True) as folder:
        for model, place in places.items():
            (folder / model).mkdir()
            with arviz.from_netcdf(place / runs.TREE, engine="h5netcdf") as tree:
                fit = diagnostic_plots.diagnosed(tree, study.outcome.values)
                shown = len(fit.names)
                console.say(f"{model}: the {shown} that mix worst of {fit.elements} elements of top-level parameters")
                heading = f"{'SIMULATED DATA · ' if study.simulated else ''}{model} model"
                for name, missing in diagnostic_plots.draw(fit, folder / model, suffix, heading):
                    console.say(f"{model}: {name} not drawn: {missing}" if missing else f"{model}: {name}.{suffix}")


if __name__ == "__main__":
    app()
