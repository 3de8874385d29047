"""The study file: which column plays which role, what matters, and what an author must say (`study.toml`)."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from models.faults import Fault, InvalidInput

Text = Annotated[str, Field(min_length=1)]


def _as_text(value: Any) -> Any:
    """Labels in the data may be written as numbers in the study file: 1 stands for "1"."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Label = Annotated[Text, BeforeValidator(_as_text)]


class Part(BaseModel):
    """A table of the study file; an unknown key is a fault, so that a misspelt one cannot pass unseen."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Data(Part):
    """Where the data are and how to read them (separator to missing: CSV only)."""

    file: Text
    separator: Annotated[str, Field(min_length=1, max_length=1)] = ","
    decimal: Literal[".", ","] = "."
    encoding: Text = "utf-8-sig"
    missing: tuple[str, ...] = ("", "NA", "NaN", "nan", ".")

    @model_validator(mode="after")
    def _encoding_exists(self) -> Self:
        try:
            b"".decode(self.encoding)
        except LookupError as error:
            raise ValueError(f"encoding: {error}") from None
        return self


class Columns(Part):
    """Names of the three columns that make a row: who, when, which arm."""

    participant: Text
    wave: Text
    arm: Text


class Arm(Part):
    """One arm: its value in the data, its printed label, how many were randomised to it."""

    value: Label
    label: Text
    randomised: Annotated[int, Field(ge=1)] | None = None


class Arms(Part):
    """The two arms; effects are treated minus control."""

    control: Arm
    treated: Arm


class Wave(Part):
    """One measurement occasion; `month` is counted from baseline."""

    value: Label
    label: Text
    month: float = Field(allow_inf_nan=False)
    role: Literal["baseline", "negative control", "follow-up"]


class Outcome(Part):
    """An outcome, the direction that is better, and the smallest difference that matters."""

    column: Text
    kind: Literal["binary", "count"]
    label: Text
    better: Literal["lower", "higher"]
    link: Literal["logit", "probit"] = "logit"
    margin: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    margin_reason: Text
    codes: dict[str, float] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _margin_fits(self) -> Self:
        if self.kind == "binary" and self.margin >= 1:
            raise ValueError("margin: a difference of risks lies between 0 and 1; 10 percentage points are 0.10")
        return self


class Mediator(Part):
    """A variable on a possible path from arm to outcome."""

    column: Text
    kind: Literal["continuous", "share", "binary"]
    label: Text
    codes: dict[str, float] = Field(default_factory=dict)


class Attendance(Part):
    """Sessions attended, of those offered in each arm."""

    column: Text
    offered: dict[Literal["control", "treated"], Annotated[int, Field(ge=1)]]


class Covariate(Part):
    """A baseline variable; adjusted for unless `adjust` is false."""

    column: Text
    kind: Literal["continuous", "categorical"]
    label: Text
    adjust: bool = True
    levels: tuple[Label, ...] = ()


class Privacy(Part):
    """Cells of tables smaller than `minimum_cell` are not printed."""

    minimum_cell: Annotated[int, Field(ge=0)] = 0


class Study(Part):
    """A whole study file; see README.md, "Bring your own trial", for every key."""

    title: Text
    simulated: bool
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    primary_wave: Label
    question: str = ""
    description: str = ""
    data: Data
    columns: Columns
    arms: Arms
    waves: Annotated[tuple[Wave, ...], Field(min_length=1)]
    outcome: Outcome
    further_outcomes: tuple[Outcome, ...] = ()
    mediators: tuple[Mediator, ...] = ()
    attendance: Attendance | None = None
    covariates: tuple[Covariate, ...] = ()
    privacy: Privacy = Privacy()
    author: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = [*_wave_problems(self.waves, self.primary_wave), *_name_problems(self)]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """The primary outcome, then the further ones."""
        return (self.outcome, *self.further_outcomes)

    @property
    def role_columns(self) -> list[str]:
        """Name of the column behind each role, in the order of the file."""
        named = self.columns
        return [
            named.participant,
            named.wave,
            named.arm,
            *(outcome.column for outcome in self.outcomes),
            *(mediator.column for mediator in self.mediators),
            *(covariate.column for covariate in self.covariates),
            *([self.attendance.column] if self.attendance else []),
        ]


def _wave_problems(waves: tuple[Wave, ...], primary: str) -> list[str]:
    problems = []
    if [wave.month for wave in waves] != sorted({wave.month for wave in waves}):
        problems.append("waves: list them in time order, each with its own month")
    if any(wave.role == "baseline" for wave in waves[1:]):
        problems.append('waves: only the first can have the role "baseline"')
    if primary not in [wave.value for wave in waves if wave.role == "follow-up"]:
        problems.append('primary_wave: must be the value of a wave whose role is "follow-up"')
    return problems


def _name_problems(study: Study) -> list[str]:
    problems = []
    if study.arms.control.value == study.arms.treated.value:
        problems.append("arms: control and treated have the same value")
    for value, times in Counter(wave.value for wave in study.waves).items():
        if times > 1:
            problems.append(f"waves: the value {value!r} stands {times} times")
    for column, times in Counter(study.role_columns).items():
        if times > 1:
            problems.append(f"column {column!r} plays {times} roles; each column can play one")
    return problems


def read(path: Path) -> tuple[Study, Path]:
    """Read a study file.

    Parameters
    ----------
    path : Path
        A `study.toml`, or the folder that holds one.

    Returns
    -------
    study : Study
        Its content, complete with defaults.
    folder : Path
        The folder from which `data.file` is counted.

    Raises
    ------
    InvalidInput
        If the file is missing, is not TOML, or breaks the rules above; all faults at once.
    """
    file = path / "study.toml" if path.is_dir() else path
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InvalidInput(
            f"There is no study file {file}.",
            "A study is a folder with a study.toml, or that file itself.",
            "Give its path; README.md, “Bring your own trial”, shows one to copy.",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"{file} cannot be read.",
            f"It is not TOML in UTF-8: {error}.",
            "Mend the line named; text stands in quotes, a list in square brackets.",
        ) from None
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read.", str(error), "Check the path and its permissions.") from None
    return parse(content, str(file)), file.parent


def parse(content: dict[str, Any], name: str = "study.toml") -> Study:
    """Validate the content of a study file; all faults at once, as `InvalidInput`."""
    try:
        return Study.model_validate(content)
    except ValidationError as error:
        faults = [
            Fault(
                None, ".".join(str(step) for step in fault["loc"]) or "study file", _shown(fault["input"]), fault["msg"]
            )
            for fault in error.errors()
        ]
        raise InvalidInput(
            f"{name} is not a valid study file.",
            f"{len(faults)} entr{'y' if len(faults) == 1 else 'ies'} cannot be used:",
            "Mend the entries named; README.md, “Bring your own trial”, lists every key.",
            faults,
        ) from None


def _shown(value: object) -> str:
    return "…" if isinstance(value, dict | list | tuple) else str(value)
