"""The study file: which column plays which role, what matters, and what an author must say (`study.toml`)."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, ValidationError, model_validator

from models.faults import Fault, InvalidInput
from models.outcomes import KINDS, Family, family_of
from models.trial.study_file import file_kinds, study_faults, undecided
from models.trial.study_file.file_kinds import ENDINGS
from models.trial.study_file.missing_values import MissingValues
from models.trial.study_file.study_part import Data, Flag, Label, Number, Part, Text, Whole

FILE = "study.toml"
"""Of a study folder."""
ARMS = ("control", "treated")
"""Names of the two arms wherever they are told apart by a label, in the order of their codes 0 and 1."""


class Columns(Part):
    """Names of the columns that make a row: who, when (None in a wide file), which arm."""

    participant: Text
    wave: Text | None = None
    arm: Text


class Arm(Part):
    """One arm: its value in the data, its printed label, how many were randomised to it."""

    value: Label
    label: Text
    randomised: Annotated[Whole, Field(ge=1)] | None = None


class Arms(Part):
    """The two arms; effects are treated minus control."""

    control: Arm
    treated: Arm


class Wave(Part):
    """One measurement occasion; `month` is counted from baseline.

    `exposed` says how much of the programme the treated arm had before a negative control: none, or part of it.
    """

    value: Label
    label: Text
    month: Number
    role: Literal["baseline", "negative control", "follow-up"]
    exposed: Literal["none", "partly"] | None = None

    @model_validator(mode="after")
    def _exposure_fits(self) -> Self:
        if self.exposed and self.role != "negative control":
            raise ValueError('exposed: only of a wave whose role is "negative control"')
        return self


Codes = dict[Label, Number]
"""The data's own words for values, such as `{ yes = 1, no = 0 }`."""


class Exposure(Part):
    """Over how much a count arose: months followed, paying partners, nights at work.

    Means are compared at an equal exposure, `at`, which `per` names: "12 months followed".
    """

    column: Text
    per: Text
    at: Annotated[Number, Field(gt=0)] = 1.0
    values: ClassVar = "amount"
    codes: ClassVar[Codes] = {}


class Outcome(Part):
    """An outcome, the direction that is better, the smallest difference that matters, whether it is pre-specified."""

    column: Text
    kind: Literal[KINDS]  # type: ignore[valid-type]
    label: Text
    better: Literal["lower", "higher"]
    link: Literal["logit", "probit", "identity"] = "logit"
    covariance: Literal["unstructured", "exchangeable"] = "unstructured"
    margin: Annotated[Number, Field(gt=0)]
    margin_reason: Text
    codes: Codes = Field(default_factory=dict)
    prespecified: Flag = True
    exposure: Exposure | None = None

    @property
    def family(self) -> Family:
        """Its distribution."""
        return family_of(self.kind, self.link)

    @property
    def likelihood(self) -> str:
        """Name of its distribution, a key of `models.outcomes.FAMILIES`."""
        return self.family.name

    @property
    def values(self) -> str:
        """What a cell may hold (`Family.values`)."""
        return self.family.values

    @model_validator(mode="after")
    def _margin_fits(self) -> Self:
        if self.family.binary and self.margin >= 1:
            raise ValueError("margin: a difference of risks lies between 0 and 1; 10 percentage points are 0.10")
        if self.link == "identity" and self.family.link != "identity":
            raise ValueError('link: "identity" is for other kinds of outcome')
        if self.covariance == "exchangeable" and not self.family.spread_ratio:
            raise ValueError('covariance: only of a continuous outcome; kind = "continuous"?')
        if self.exposure and not self.family.counted:
            raise ValueError('exposure: only of a count; kind = "count"?')
        _codes_fit(self.codes, self.values)
        return self


class Mediator(Part):
    """A variable on a possible path from arm to outcome.

    `family` is the distribution of a continuous one; `interaction` lets its slope on the outcome differ by arm;
    `reference` is the value at which it is held for the controlled direct effect (default: its mean at baseline; 0 of a
    yes-or-no one).
    """

    column: Text
    kind: Literal["continuous", "share", "binary"]
    label: Text
    codes: Codes = Field(default_factory=dict)
    family: Literal["normal", "student"] = "normal"
    interaction: Flag = False
    reference: Number | None = None

    @property
    def values(self) -> str:
        """What a cell may hold: "binary" (0 or 1), "share" (from 0 to 1) or "number"."""
        return "number" if self.kind == "continuous" else self.kind

    @model_validator(mode="after")
    def _mediator_fits(self) -> Self:
        _codes_fit(self.codes, self.values)
        if self.family == "student" and self.kind != "continuous":
            raise ValueError("family: only of a continuous mediator")
        if self.reference is not None and self.kind == "share" and not 0 <= self.reference <= 1:
            raise ValueError("reference: a share lies between 0 and 1")
        if self.reference is not None and self.kind == "binary" and self.reference not in (0, 1):
            raise ValueError("reference: a yes-or-no mediator can be held at 0 or at 1")
        return self


def _codes_fit(codes: Mapping[str, float], allowed: str) -> None:
    values = list(codes.values())
    if allowed == "binary" and codes and set(values) != {0, 1}:
        raise ValueError("codes: say which words mean 1 and which mean 0, both, and nothing else")
    if allowed == "share" and any(not 0 <= value <= 1 for value in values):
        raise ValueError("codes: a share lies between 0 and 1")
    if allowed == "count" and any(value < 0 or value % 1 for value in values):
        raise ValueError("codes: a count is a whole number, 0 or more")


class Attendance(Part):
    """Sessions attended, of those offered in each arm."""

    column: Text
    offered: Annotated[dict[Literal["control", "treated"], Annotated[Whole, Field(ge=1)]], Field(min_length=2)]


class Grouping(Part):
    """Groups that participants share: randomised together, recruited at a site, or treated together (delivery).

    Whoever joined a group after it had been randomised may have joined because of its arm.
    """

    column: Text
    kind: Literal["randomised", "site", "delivery"]
    label: Text
    recruited: Literal["before", "after"] = "before"


class Covariate(Part):
    """A baseline variable; adjusted for unless `adjust` is false."""

    column: Text
    kind: Literal["continuous", "categorical"]
    label: Text
    adjust: Flag = True
    levels: tuple[Label, ...] = ()
    codes: Codes = Field(default_factory=dict)

    @property
    def values(self) -> str:
        """What a cell may hold: "number" or "label"."""
        return "number" if self.kind == "continuous" else "label"

    @model_validator(mode="after")
    def _levels_fit(self) -> Self:
        if self.levels and self.kind == "continuous":
            raise ValueError('levels: a continuous covariate has none; kind = "categorical"?')
        if self.codes and self.kind == "categorical":
            raise ValueError('codes: only of a continuous covariate; kind = "continuous"?')
        if len(set(self.levels)) < len(self.levels):
            raise ValueError("levels: each level once")
        return self


class Privacy(Part):
    """Cells of sensitive variables that count somebody, but fewer than `minimum_cell`, are not printed.

    `sensitive` lists their columns; without it every variable is but the primary outcome, whose events by arm and wave
    are the trial's result and are sensitive only where `hide_outcome_counts` says so.
    """

    minimum_cell: Annotated[Whole, Field(ge=0)] = 0
    sensitive: tuple[Text, ...] | None = None
    hide_outcome_counts: Flag = False

    @model_validator(mode="after")
    def _something_is_small(self) -> Self:
        if (self.hide_outcome_counts or self.sensitive) and not self.minimum_cell:
            raise ValueError("minimum_cell: 1 or more where something is sensitive; 5 is usual")
        return self


class Study(Part):
    """A whole study file; docs/study_file.md has every key."""

    title: Text
    simulated: Flag
    seed: Annotated[Whole, Field(ge=0, lt=2**63)]
    primary_wave: Label
    add_on: bool = False
    """Whether the treated arm received all that the control arm did, and more."""
    lag: Annotated[Whole, Field(ge=0)] = 1
    """By how many waves a mediator comes before the outcome that it acts on."""
    acts_at_baseline: Flag = True
    """Whether mediators moved the outcome before the trial as they do in it; false: their paths begin with it."""
    question: str = ""
    description: str = ""
    data: Data
    columns: Columns
    wide: dict[Text, tuple[str, ...]] = Field(default_factory=dict)
    """Of a wide file: by outcome's, mediator's or exposure's column, those that hold it by wave ("": not measured)."""
    arms: Arms
    waves: Annotated[tuple[Wave, ...], Field(min_length=1)]
    outcome: Outcome
    further_outcomes: tuple[Outcome, ...] = ()
    mediators: Annotated[tuple[Mediator, ...], Field(max_length=6)] = ()
    attendance: Attendance | None = None
    groupings: Annotated[tuple[Grouping, ...], Field(max_length=4)] = ()
    covariates: tuple[Covariate, ...] = ()
    privacy: Privacy = Privacy()
    author: dict[str, str] = Field(default_factory=dict)
    """Texts for the report's checklist, by the keys of `author.KEYS`; other keys may stand beside them."""

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """The primary outcome, then the further ones."""
        return (self.outcome, *self.further_outcomes)

    @property
    def varying(self) -> tuple[Outcome | Mediator, ...]:
        """What has a value at each wave."""
        return (*self.outcomes, *self.mediators)

    @property
    def exposures(self) -> tuple[Exposure, ...]:
        """What counts arose over, each column once: several counts may share one."""
        named = {each.exposure.column: each.exposure for each in self.outcomes if each.exposure}
        return tuple(named.values())

    @property
    def randomised_in_groups(self) -> Grouping | None:
        """The grouping that was randomised; None where participants were, one by one."""
        return next((each for each in self.groupings if each.kind == "randomised"), None)

    @property
    def recruited_after(self) -> bool:
        """Whether participants joined groups that had been randomised: the arms may differ from the start."""
        return self.randomised_in_groups is not None and self.randomised_in_groups.recruited == "after"

    @property
    def read_by_wave(self) -> tuple[Outcome | Mediator | Exposure, ...]:
        """What the file holds for each wave."""
        return (*self.varying, *self.exposures)

    @property
    def variables(self) -> list[Outcome | Mediator | Covariate]:
        """What is measured on participants."""
        return [*self.varying, *self.covariates]

    @property
    def fixed_columns(self) -> list[str]:
        """Columns of the file that have one value a participant."""
        named = [self.columns.participant, self.columns.arm, *(covariate.column for covariate in self.covariates)]
        named += [grouping.column for grouping in self.groupings]
        return [*named, self.attendance.column] if self.attendance else named

    def file_columns(self, part: Outcome | Mediator | Exposure | Covariate) -> list[str]:
        """Columns of the file that hold a variable: several where each wave has its own."""
        if not self.wide or isinstance(part, Covariate):
            return [part.column]
        return [column for column in self.wide.get(part.column, ()) if column]

    @property
    def role_columns(self) -> list[str]:
        """Every column of the file that plays a role: who, when and which arm, then in the order of the study file."""
        who, arm, *described = self.fixed_columns
        when = [] if self.columns.wave is None else [self.columns.wave]
        return [who, *when, arm, *(name for part in self.read_by_wave for name in self.file_columns(part)), *described]


def _contradictions(study: Study) -> list[Fault]:
    """Entries that are possible each alone, and not together."""
    return [
        *_wave_faults(study),
        *_name_faults(study),
        *_missing_faults(study),
        *_privacy_faults(study),
        *_grouping_faults(study),
        *_wide_faults(study),
    ]


def _wide_faults(study: Study) -> Iterable[Fault]:
    """What contradicts itself in the layout that a study file describes."""
    wave = study.columns.wave
    if not study.wide:
        if wave is None:
            allowed = "the column that says which wave a row is of; or a table [wide], if each wave has its own columns"
            yield Fault(None, "columns.wave", "missing", allowed)
        return
    if wave is not None:
        yield Fault(None, "columns.wave", wave, "no entry beside [wide], which says which columns are of which wave")
    fixed = study.fixed_columns
    for part in study.read_by_wave:
        if part.column in fixed:
            yield Fault(None, "wide", part.column, "a name that no other role's column has")
        if part.column not in study.wide:
            near = difflib.get_close_matches(part.column, study.wide, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            yield Fault(None, f"wide.{part.column}", "missing", f"a list of its columns, one for each wave{hint}")
    for name, places in study.wide.items():
        if len(places) != len(study.waves):
            allowed = f'{len(study.waves)} columns, in the order of [[waves]]; "" where it was not measured'
            yield Fault(None, f"wide.{name}", f"{len(places)} columns", allowed)
        elif not any(places):
            yield Fault(None, f"wide.{name}", "no column", "a column of the file for one wave at least")


def _wave_faults(study: Study) -> Iterable[Fault]:
    months = [wave.month for wave in study.waves]
    if months != sorted(set(months)):
        yield Fault(
            None, "waves.month", ", ".join(f"{month:g}" for month in months), "waves in time order, a month each"
        )
    for place, wave in enumerate(study.waves[1:], start=2):
        if wave.role == "baseline":
            yield Fault(None, f"waves (no. {place}).role", wave.role, "only the first wave can be the baseline")
    follow_up = [wave.value for wave in study.waves if wave.role == "follow-up"]
    if study.primary_wave not in follow_up:
        allowed = f"the value of a wave whose role is follow-up: {', '.join(follow_up) or 'there is none'}"
        yield Fault(None, "primary_wave", study.primary_wave, allowed)
    for place, mediator in enumerate(study.mediators, start=1):
        if mediator.family == "student" and not study.outcome.family.heavy_tails:
            allowed = "normal, where the outcome is a count: the mean of exp(slope × t) is infinite"
            yield Fault(None, f"mediators (no. {place}).family", mediator.family, allowed)
    if study.mediators and study.lag >= len(study.waves):
        allowed = (
            f"less than {len(study.waves)}, the number of waves; 0: a mediator acts on the outcome of its own wave"
        )
        yield Fault(None, "lag", str(study.lag), allowed)


def _name_faults(study: Study) -> Iterable[Fault]:
    arms = (study.arms.control, study.arms.treated)
    named = {
        "arms.value": [arm.value for arm in arms],
        "arms.label": [arm.label for arm in arms],
        "waves.value": [wave.value for wave in study.waves],
        "waves.label": [wave.label for wave in study.waves],
    }
    for place, names in named.items():
        for name, times in Counter(names).items():
            if times > 1:
                yield Fault(None, place, name, f"each once; this one occurs {times} times")
    for value in {arm.value for arm in arms} & {*study.data.leave_out}:
        yield Fault(None, "data.leave_out", value, "arms other than the two that are compared")
    for column, times in Counter(study.role_columns).items():
        if times > 1:
            yield Fault(None, "columns", column, f"one role for each column; this one has {times}")


def _grouping_faults(study: Study) -> Iterable[Fault]:
    several = [each.column for each in study.groupings if each.kind == "randomised"][1:]
    for column in several:
        yield Fault(None, "groupings", column, 'one grouping whose kind is "randomised"; others are sites')
    for place, each in enumerate(study.groupings, start=1):
        if each.recruited == "after" and each.kind != "randomised":
            allowed = 'left out: it says when members joined groups that were randomised (kind = "randomised")'
            yield Fault(None, f"groupings (no. {place}).recruited", each.recruited, allowed)


def _missing_faults(study: Study) -> Iterable[Fault]:
    missing, named = MissingValues.of(study.data), MissingValues.of(study.data, numbers=False)
    words = {
        "arms.value": [study.arms.control.value, study.arms.treated.value],
        "waves.value": [wave.value for wave in study.waves],
        "covariates.levels": [level for covariate in study.covariates for level in covariate.levels],
        "codes": [word for variable in study.variables for word in variable.codes],
    }
    for place, values in words.items():
        for value in values:
            # a month may be a number that means a missing value elsewhere
            if value in (named if place == "waves.value" else missing):
                yield Fault(None, place, value, "a word that [data] missing does not list as a missing value")


def _privacy_faults(study: Study) -> Iterable[Fault]:
    measured = [part.column for part in (*study.variables, *filter(None, [study.attendance]))]
    known = [column for column in measured if column != study.outcome.column]
    for column in study.privacy.sensitive or ():
        if column == study.outcome.column:
            yield Fault(None, "privacy.sensitive", column, "hide_outcome_counts = true for the primary outcome")
        elif column not in known:
            yield Fault(None, "privacy.sensitive", column, f"a column that has a role: {', '.join(known)}")


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
    file = path / FILE if os.path.isdir(path) else path  # Path.is_dir raises where a name is too long
    if file.suffix.lower() in ENDINGS:
        raise InvalidInput(
            f"{file} is a data file, not a study file.",
            "A study file says which column plays which role.",
            f"`uv run scripts/check.py {file}` drafts one; docs/study_file.md explains it.",
        )
    if file_kinds.other(file):
        raise file_kinds.unreadable(file)
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InvalidInput(
            f"There is no study file {file}.",
            "A study is a folder with a study.toml, or that file itself.",
            "Give its path; `uv run scripts/check.py DATA.csv` drafts one for a data file.",
        ) from None
    except (ValueError, RecursionError) as error:  # encoding, syntax, numbers or nesting beyond Python's limits
        raise InvalidInput(
            f"{file} cannot be read.",
            f"It is not TOML in UTF-8: {error}.",
            "Correct the line named; text stands in quotes, a list in square brackets.",
        ) from None
    except OSError as error:
        raise InvalidInput(
            f"{file} cannot be read.", f"{error.strerror or error}.", "Check the path and its permissions."
        ) from None
    return parse(content, str(file)), file.parent


def parse(content: dict[str, Any], name: str = FILE) -> Study:
    """Validate the content of a study file; all faults at once, as `InvalidInput`."""
    faults = undecided.faults(content)
    still_open = {fault.column for fault in faults}
    try:
        study = Study.model_validate(content)
        faults += [] if faults else _contradictions(study)
    except ValidationError as error:
        faults += [fault for fault in study_faults.faults(error, Study) if fault.column not in still_open]
    if faults:
        raise InvalidInput(
            f"{name} is not a valid study file.",
            f"{len(faults)} entr{'y' if len(faults) == 1 else 'ies'} cannot be used:",
            "Correct the entries named; docs/study_file.md lists every key.",
            faults,
        )
    return study
