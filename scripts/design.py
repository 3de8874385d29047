"""What could the next trial find? Power, or assurance, by size, attrition and effect; prints the folder with a page."""

from pathlib import Path
from typing import Annotated

import typer

from scripts import console, options, progress

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def design(
    scenario: options.Scenario,
    participants: Annotated[str, typer.Option(help="Sizes of both arms together, e.g. 60,107,200,400.")],
    attrition: Annotated[
        str,
        typer.Option(
            help="Shares lost by the last wave, by chance, e.g. 0,.15,.3; in place of the scenario's own missing data."
        ),
    ] = "0",
    effect: Annotated[
        str | None,
        typer.Option(
            help="Arm effects on the outcome at the primary wave, on its link's scale (log odds, log mean, units), "
            "beside what goes through mediators, e.g. -0.5,0; default: as stated. For none at all also --mediated 0."
        ),
    ] = None,
    mediated: Annotated[
        str | None, typer.Option(help="Factors on the arm's effects on the mediators, e.g. 0,1,2; default 1.")
    ] = None,
    effect_sd: Annotated[
        float, typer.Option(min=0.0, help="SD of a design prior around each effect: shares are assurance, not power.")
    ] = 0.0,
    model: options.Model = "effect",
    replications: options.Replications = 200,
    likelihood: options.Likelihood = None,
    priors: options.Priors = "weakly_informative",
    out: Annotated[
        Path | None, typer.Option(help="Folder to write or continue; default reports/build/design-SCENARIO-MODEL.")
    ] = None,
    draws: options.Draws = None,
    tune: options.Tune = None,
    chains: options.Chains = None,
    seed: options.StudySeed = 1,
    scheduler: options.Scheduler = None,
    workers: options.Workers = None,
    force: Annotated[bool, typer.Option("--force", help="Forget what stands at --out.")] = False,
    debug: options.Debug = False,
) -> None:
    """Simulate and analyse trials like SCENARIO over a grid; prints the folder, which holds report.html and design.csv.

    Each point's share of trials that end with P(benefit) > 0.95, with P(harm) > 0.95, or with an interval narrower
    than the margin, with its Monte-Carlo error: power at one true effect, assurance over --effect-sd. The losses of
    --attrition, by chance alone, replace the scenario's own. Can be stopped and gone on with, as calibrate.py.

    Exit codes: 0 finished, 2 wrong usage, 3 invalid input, 4 every fit failed, 7 a file cannot be written, 130
    interrupted.
    """
    with console.exits(debug):
        console.say("loading the libraries")
        from models.calibration import design_study
        from models.calibration.grid import Grid
        from scripts import planned

        plan = planned.plan(scenario, None, planned.Settings(model, likelihood, priors, draws, tune, chains, seed))
        effects = planned.numbers("--effect", effect) if effect else [planned.effect_of(plan.scenario)]
        factors = planned.factors(plan.scenario, mediated)
        sizes = planned.sizes("--participants", participants)
        planned.few("--effect times --mediated", len(effects) * len(factors))
        losses = planned.numbers("--attrition", attrition, below=1.0)
        grid = Grid.over(plan, sizes, losses, effects, factors, effect_sd)
        if plan.scenario.missingness:
            console.say(
                "the scenario's own missing data are left out: losses are those of --attrition, by chance alone"
            )
        console.say(f"{len(grid.scenarios)} points, {replications} replications each")
        folder = out or console.BUILD / f"design-{Path(scenario).stem}-{model}"
        wish = design_study.Wish(grid, replications, console.command(), scheduler, workers)
        planned.begin(folder, force, scheduler)
        with progress.replications() as update:
            design_study.run(wish, folder, update)
        console.say("building the page")
        from reports import design as page

        page.build(folder)
        typer.echo(folder)


if __name__ == "__main__":
    app()
