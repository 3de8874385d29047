"""Would the method find the truth? Simulate, fit and compare, a thousand times; prints the folder with a page."""

from pathlib import Path
from typing import Annotated

import typer

from scripts import console, options, progress

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
@options.grouped
def calibrate(
    scenario: options.Scenario,
    replications: options.Replications = 1000,
    kind: Annotated[
        list[str] | None,
        typer.Option(help="prior: truths from the prior (SBC); truth: the scenario's; null: no effect. Default: all."),
    ] = None,
    participants: options.Participants = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write or continue; default reports/build/calibration-SCENARIO-MODEL.")
    ] = None,
    into: Annotated[Path | None, typer.Option(help="Run folder whose report is to show it, in section 10.")] = None,
    *,
    fits: options.Fits,
    work: options.Work,
) -> None:
    """Calibrate a model on SCENARIO; prints the folder, which holds report.html and calibration.csv.

    Can be stopped at any moment: the same command continues where it stopped; nothing finished is lost or repeated.
    The numbers do not depend on how many processes or machines do the work.

    Exit codes: 0 finished, 2 wrong usage, 3 invalid input, 4 every fit failed, 7 a file cannot be written, 130
    interrupted.
    """
    with console.exits(work.debug):
        console.say("loading the libraries")
        from models.calibration import calibration_study
        from models.calibration.plan import KINDS
        from scripts import planned

        kinds = tuple(each for each in KINDS if each in (kind or KINDS))
        planned.known("--kind", kind or (), KINDS, several=True)
        plan = planned.plan(scenario, participants, fits)
        folder = out or console.BUILD / f"calibration-{Path(scenario).stem}-{fits.model}"
        wish = calibration_study.Wish(plan, replications, kinds, console.command(), work.scheduler, work.workers)
        if into is not None:
            planned.fits_into(into, plan)
        planned.begin(folder, work.force, work.scheduler)
        console.say(f"{replications} replications of each kind: {', '.join(kinds)}")
        with progress.replications() as update:
            calibration_study.run(wish, folder, update)
        console.say("building the page")
        from reports.simulations import calibration_page

        calibration_page.build(folder)
        if into is not None:
            planned.into(into, folder, f"{plan.scenario.name}-{fits.model}")
            console.report(into, show_anyway=False)
        typer.echo(folder)


if __name__ == "__main__":
    app()
