"""Write the study folder of a simulated trial: data, study file and the truth that no real trial knows."""

from pathlib import Path
from typing import Annotated

import typer

from scripts import console

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def simulate(
    scenario: Annotated[str, typer.Argument(help="Name in models/simulation/scenarios, or a scenario's .toml file.")],
    seed: Annotated[int, typer.Option(min=0, help="Seed; equal seeds give files equal to the byte.")],
    out: Annotated[Path, typer.Option(help="Study folder to write: data.csv, study.toml, truth.json.")],
    participants: Annotated[
        int | None, typer.Option(min=2, help="Participants in both arms; default: as stated.")
    ] = None,
    population: Annotated[int, typer.Option(min=2, help="Participants over whom the truth is averaged.")] = 200_000,
    force: Annotated[bool, typer.Option("--force", help="Replace these three files where they exist.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Simulate a trial and write it as a study folder, marked as simulated; prints the folder.

    Takes a few seconds, nearly all of them for the truth.

    Exit codes: 0 written, 2 wrong usage, 3 scenario missing or impossible, 7 output exists or cannot be written, 130
    interrupted.
    """
    with console.exits(debug):
        from models.faults import OutputExists

        if out.exists() and not force:
            raise OutputExists(f"{out} exists, and nothing is overwritten without --force.")
        _write(scenario, seed, out, participants, population)
        _warn(out, scenario)
        typer.echo(out)


def _write(scenario: str, seed: int, out: Path, participants: int | None, population: int) -> None:
    from models.simulation.scenario_file import load
    from models.simulation.simulated_trial import simulate as simulate_trial
    from models.simulation.study_folder import FILES, write
    from models.simulation.true_values import truths

    chosen = load(scenario)
    trial = simulate_trial(chosen, seed, participants)
    # The truth belongs to the scenario, not to one trial of it: the same population for every seed.
    values = truths(chosen, seed=0, population=population)
    partial = out.with_name(f"{out.name}.partial")
    partial.mkdir(parents=True, exist_ok=True)
    if strange := sorted(path.name for path in partial.iterdir() if path.name not in FILES):
        raise FileExistsError(f"{partial} holds other files ({', '.join(strange)}); move it away")
    write(partial, trial, values)
    if not out.exists():
        partial.rename(out)
        return
    for name in FILES:
        (partial / name).replace(out / name)
    partial.rmdir()


def _warn(out: Path, scenario: str) -> None:
    """Say at once what `check.py` would refuse: its place is in the scenario, not in the study file made from it."""
    from models.faults import InvalidInput
    from models.trial.study_file import study

    try:
        study.read(out)
    except InvalidInput as error:
        fix = f"To analyse such a trial, correct the scenario {scenario}."
        console.say(f"not yet a study:\n{InvalidInput(f'check.py would refuse {out}.', error.why, fix, error.faults)}")


if __name__ == "__main__":
    app()
