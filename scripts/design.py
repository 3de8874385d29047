"""What could the next trial find? Power, or assurance, by size, attrition and effect; prints the folder with a page."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from scripts import console, options, progress

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@dataclass(frozen=True)
class Points:
    """The grid beside its sizes."""

    attrition: Annotated[
        str,
        typer.Option(
            help="Shares lost by the last wave, by chance, e.g. 0,.15,.3; in place of the scenario's own missing data."
        ),
    ] = "0"
    effect: Annotated[
        str | None,
        typer.Option(
            help="Arm effects on the outcome at the primary wave, on its link's scale (log odds, log mean, units), "
            "beside what goes through mediators, e.g. -0.5,0; default: as stated. For none at all also --mediated 0."
        ),
    ] = None
    mediated: Annotated[
        str | None, typer.Option(help="Factors on the arm's effects on the mediators, e.g. 0,1,2; default 1.")
    ] = None
    effect_sd: Annotated[
        float, typer.Option(min=0.0, help="SD of a design prior around each effect: shares are assurance, not power.")
    ] = 0.0


@app.command()
@options.grouped
def design(
    scenario: options.Scenario,
    participants: Annotated[str, typer.Option(help="Sizes of both arms together, e.g. 60,107,200,400.")],
    replications: options.Replications = 200,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write or continue; default reports/build/design-SCENARIO-MODEL.")
    ] = None,
    *,
    points: Points,
    fits: options.Fits,
    work: options.Work,
) -> None:
    """Simulate and analyse trials like SCENARIO over a grid; prints the folder, which holds report.html and design.csv.

    Each point's share of trials that end with P(benefit) > 0.95, with P(harm) > 0.95, or with an interval narrower
    than the margin, with its Monte-Carlo error: power at one true effect, assurance over --effect-sd. The losses of
    --attrition, by chance alone, replace the scenario's own. Can be stopped and continued, like calibrate.py.

    Exit codes: 0 finished, 2 wrong usage, 3 invalid input, 4 every fit failed, 7 a file cannot be written, 130
    interrupted.
    """
    with console.exits(work.debug):
        console.say("loading the libraries")
        from models.calibration import design_study
        from models.calibration.grid import Grid
        from scripts import planned

        plan = planned.plan(scenario, None, fits)
        effects = planned.numbers("--effect", points.effect) if points.effect else [planned.effect_of(plan.scenario)]
        factors = planned.factors(plan.scenario, points.mediated)
        sizes = planned.sizes("--participants", participants)
        planned.few("--effect times --mediated", len(effects) * len(factors))
        losses = planned.numbers("--attrition", points.attrition, below=1.0)
        grid = Grid.over(plan, sizes, losses, effects, factors, points.effect_sd)
        if plan.scenario.missingness:
            console.say(
                "the scenario's own missing data are left out: losses are those of --attrition, by chance alone"
            )
        console.say(f"{len(grid.scenarios)} points, {replications} replications each")
        folder = out or console.BUILD / f"design-{Path(scenario).stem}-{fits.model}"
        wish = design_study.Wish(grid, replications, console.command(), work.scheduler, work.workers)
        planned.begin(folder, work.force, work.scheduler)
        with progress.replications() as update:
            design_study.run(wish, folder, update)
        console.say("building the page")
        from reports.simulations import design_page as page

        page.build(folder)
        typer.echo(folder)


if __name__ == "__main__":
    app()
