"""How often does the gate raise a false alarm or see a defect? Simulate, fit and judge; prints the folder."""

from pathlib import Path
from typing import Annotated

import typer

from scripts import console, options, planned, progress

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def gate_rates(
    kinds: Annotated[
        list[str] | None, typer.Option(help="Kind of trial, repeated for several; default: those without mediators.")
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="Trials of each defect; correct ones: twice that.")] = 100,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write or continue; default reports/build/gate-rates.")
    ] = None,
    seed: options.StudySeed = 1,
    workers: options.Workers = None,
    debug: options.Debug = False,
) -> None:
    """Judge simulated trials by the gate; prints the folder, which holds gate.csv and gate.json.

    Can be stopped at any moment: the same command continues where it stopped. A larger --trials makes
    the record longer.

    Exit codes: 0 finished, 2 wrong usage, 3 invalid input, 7 a file cannot be written, 130 interrupted.
    """
    with console.exits(debug):
        console.say("loading the libraries")
        from models.calibration import gate_frequencies as rates
        from models.calibration.gate_trials import KINDS, MEDIATED

        asked = kinds or [kind for kind in KINDS if kind not in MEDIATED]
        planned.known("--kinds", asked, KINDS, several=True)
        folder = out or console.BUILD / "gate-rates"
        console.say(f"kinds of trial: {', '.join(asked)}")
        with progress.replications() as update:
            rates.run(rates.Plan(seed), asked, trials, folder, update, workers)
        typer.echo(folder)


if __name__ == "__main__":
    app()
