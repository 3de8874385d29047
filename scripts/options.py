"""Arguments and options that several scripts share, each written once."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

Study = Annotated[Path, typer.Argument(metavar="STUDY", help="Study folder, or its study.toml.")]
Priors = Annotated[str, typer.Option(help="Prior set: weakly_informative, sceptical, diffuse, or a .toml file.")]
Out = Annotated[Path | None, typer.Option(help="Run folder to write; default reports/build/STUDY.")]
Scenario = Annotated[
    str, typer.Argument(metavar="SCENARIO", help="Name in models/simulation/scenarios, or a scenario's .toml file.")
]
Model = Annotated[str, typer.Option(help="effect or mediation.")]
Likelihood = Annotated[
    str | None,
    typer.Option(
        help="integrated: traits integrated out (effect model alone, its default here); sampled: with the rest."
    ),
]
MainLikelihood = Annotated[
    str,
    typer.Option(
        "--likelihood",
        help="How the effect model is computed: sampled, or integrated (participants' traits drawn afterwards).",
    ),
]
Replications = Annotated[int, typer.Option(min=1, help="Simulated trials of each kind or grid point.")]
Participants = Annotated[int | None, typer.Option(min=4, help="Participants in both arms; default: as stated.")]
StudySeed = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Seed of the whole study.")]
Draws = Annotated[
    int | None,
    typer.Option(min=100, help="Draws a chain; default 2000 (500 or 750 where there are thousands of fits)."),
]
Tune = Annotated[int | None, typer.Option(min=100, help="Tuning steps a chain; default 1000 (200 or 400).")]
Chains = Annotated[int | None, typer.Option(min=2, help="Chains; default 4 (2).")]
Seed = Annotated[int | None, typer.Option(min=0, max=2**63 - 1, help="Seed; default: the study file's.")]
Force = Annotated[bool, typer.Option("--force", help="Replace the run at --out.")]
Json = Annotated[bool, typer.Option("--json", help="Print the estimates as JSON in place of the folder.")]
ShowAnyway = Annotated[bool, typer.Option("--show-anyway", help="Print estimates although the gate is red.")]
Scheduler = Annotated[
    str | None,
    typer.Option(help="Dask scheduler that shares out the work, tcp://host:port; default: this machine alone."),
]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes on this machine; default one a core.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]


@dataclass(frozen=True)
class Sampling:
    """Settings of the sampler of one run; None leaves one to the study file or the default."""

    draws: Draws = None
    tune: Tune = None
    chains: Chains = None
    seed: Seed = None


@dataclass(frozen=True)
class Output:
    """What becomes of a run."""

    out: Out = None
    force: Force = False
    json: Json = False
    debug: Debug = False


@dataclass(frozen=True)
class Fits:
    """What decides each of thousands of fits; None leaves a setting to the model."""

    model: Model = "effect"
    likelihood: Likelihood = None
    priors: Priors = "weakly_informative"
    draws: Draws = None
    tune: Tune = None
    chains: Chains = None
    seed: StudySeed = 1


@dataclass(frozen=True)
class Work:
    """Who does thousands of fits."""

    scheduler: Scheduler = None
    workers: Workers = None
    force: Annotated[bool, typer.Option("--force", help="Forget what stands at --out.")] = False
    debug: Debug = False


def grouped(function: Callable[..., None]) -> Callable[..., None]:
    """A command for typer, which knows no groups: each field of a dataclass among the parameters is an option."""
    own = inspect.signature(function, eval_str=True)
    groups: dict[str, Any] = {
        each.name: each.annotation for each in own.parameters.values() if is_dataclass(each.annotation)
    }
    options = [
        option.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for each in own.parameters.values()
        for option in (inspect.signature(groups[each.name]).parameters.values() if each.name in groups else [each])
    ]

    def command(**given: Any) -> None:
        made = {
            name: group(**{each.name: given.pop(each.name) for each in fields(group)}) for name, group in groups.items()
        }
        function(**given, **made)

    command.__name__, command.__doc__ = function.__name__, function.__doc__
    command.__annotations__ = {}
    command.__signature__ = own.replace(parameters=options)  # type: ignore[attr-defined]
    return command
