"""Would the method find the truth? Simulate, fit and compare, a thousand times; prints the folder with a page."""

from pathlib import Path
from typing import Annotated

import typer

from scripts import console, options, progress

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def calibrate(
    scenario: options.Scenario,
    model: options.Model = "effect",
    replications: options.Replications = 1000,
    kind: Annotated[
        list[str] | None,
        typer.Option(help="prior: truths from the prior (SBC); truth: the scenario's; null: no effect. Default: all."),
    ] = None,
    likelihood: options.Likelihood = None,
    priors: options.Priors = "weakly_informative",
    participants: options.Participants = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write or continue; default reports/build/calibration-SCENARIO-MODEL.")
    ] = None,
    draws: options.Draws = None,
    tune: options.Tune = None,
    chains: options.Chains = None,
    seed: options.StudySeed = 1,
    scheduler: options.Scheduler = None,
    workers: options.Workers = None,
    into: Annotated[Path | None, typer.Option(help="Run folder whose report is to show it, in section 10.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Forget what stands at --out.")] = False,
    debug: options.Debug = False,
) -> None:
    """Calibrate a model on SCENARIO; prints the folder, which holds report.html and calibration.csv.

    Can be stopped at any moment: the same command goes on where it was; nothing finished is lost or repeated.
    The numbers do not depend on how many processes or machines do the work.

    Exit codes: 0 finished, 2 wrong usage, 3 invalid input, 4 every fit failed, 7 a file cannot be written, 130
    interrupted.
    """
    with console.exits(debug):
        console.say("loading the libraries")
        from models.calibration import study
        from models.calibration.plan import KINDS
        from scripts import planned

        kinds = tuple(each for each in KINDS if each in (kind or KINDS))
        planned.known("--kind", kind or (), KINDS, several=True)
        settings = planned.Settings(model, likelihood, priors, draws, tune, chains, seed)
        plan = planned.plan(scenario, participants, settings)
        folder = out or console.BUILD / f"calibration-{Path(scenario).stem}-{model}"
        wish = study.Wish(plan, replications, kinds, console.command(), scheduler, workers)
        if into is not None:
            planned.fits_into(into, plan)
        planned.begin(folder, force, scheduler)
        console.say(f"{replications} replications of each kind: {', '.join(kinds)}")
        with progress.replications() as update:
            study.run(wish, folder, update)
        console.say("building the page")
        from reports import calibration

        calibration.build(folder)
        if into is not None:
            planned.into(into, folder, f"{plan.scenario.name}-{model}")
            console.report(into, show_anyway=False)
        typer.echo(folder)


if __name__ == "__main__":
    app()
