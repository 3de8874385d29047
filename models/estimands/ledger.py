"""The evidence ledger: what the design identifies, and what each number rests on.

The class belongs to the estimand in code, not to prose: an estimate cannot be constructed without a claim, and a claim
that is not identified cannot carry a number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import xarray as xr

from models.trial.study_file.study import Study


class Evidence(StrEnum):
    """How a number is identified, strongest first."""

    RANDOMISED = "randomised"
    RANDOMISED_MAR = "randomised + MAR"
    ASSUMPTION = "assumption-driven"
    NOT_IDENTIFIED = "not identified"


@dataclass(frozen=True)
class Claim:
    """An evidence class with its assumptions.

    Attributes
    ----------
    evidence : Evidence
        Class of the ledger.
    assumptions : tuple of str
        Each in one phrase; never empty.
    bias_parameters : tuple of str
        What would measure a failure of an assumption that the data cannot inform, and the value taken for it.
    """

    evidence: Evidence
    assumptions: tuple[str, ...]
    bias_parameters: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a claim without assumptions."""
        if not self.assumptions or not all(self.assumptions):
            raise ValueError("A claim names at least one assumption: no number is free of them.")


@dataclass(frozen=True)
class Estimate:
    """Draws of one estimand with the claim behind them.

    Attributes
    ----------
    estimand : str
        Name in the tables, e.g. "risk_difference".
    label, unit : str
        In words, and what the numbers are measured in.
    average, arm, wave : str
        Over whom, in which arm, when; empty where it does not apply.
    claim : Claim
        Evidence class and assumptions; there is no default.
    draws : DataArray or None
        dims (chain, draw); None if and only if the estimand is not identified.
    reason : str
        Why it is not identified.
    mediator : str
        Column of the mediator that it is of; empty where it is of none.
    prior : ndarray or None
        Draws of the same estimand before the data.
    integration_error : float
        Standard error of the average over participants by quasi-Monte-Carlo, root mean square over draws; 0 where it is
        exact.
    """

    estimand: str
    label: str
    unit: str
    average: str
    arm: str
    wave: str
    claim: Claim
    draws: xr.DataArray | None = None
    reason: str = ""
    mediator: str = ""
    prior: np.ndarray | None = None
    integration_error: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a number that is not identified, and an identified estimand without one."""
        if not isinstance(self.claim, Claim):
            raise TypeError(f"{self.estimand}: an estimate needs a Claim, with its evidence class")
        if (self.claim.evidence is Evidence.NOT_IDENTIFIED) != (self.draws is None):
            raise ValueError(f"{self.estimand}: draws belong to identified estimands, and only to them")
        if self.draws is None and not self.reason:
            raise ValueError(f"{self.estimand}: say why it is not identified")

    @property
    def key(self) -> tuple[str, ...]:
        """Identity, the same for prior and posterior."""
        return (self.estimand, self.average, self.arm, self.wave, self.mediator)

    @property
    def contraction(self) -> float:
        """Share of the prior's spread that the data took away, 1 − (posterior spread / prior spread)².

        The spread is the SD; of the logarithm for ratios, and the width of the 95% interval for mean counts: their
        prior variance is all tail, and would make any data look decisive.
        """
        if self.draws is None or self.prior is None:
            return float("nan")
        both = np.asarray(self.draws).ravel(), np.asarray(self.prior).ravel()
        if self.unit == "events":
            widths = [np.subtract(*np.quantile(values, [0.975, 0.025])) for values in both]
        else:
            widths = [np.std(np.log(values) if self.unit == "ratio" else values, ddof=1) for values in both]
        return float(1 - (widths[0] / widths[1]) ** 2) if widths[1] > 0 else float("nan")


def with_prior(posterior: list[Estimate], prior: list[Estimate]) -> list[Estimate]:
    """Estimates of a posterior, each with its own draws from the prior."""
    before = {each.key: np.asarray(each.draws).ravel() for each in prior if each.draws is not None}
    return [replace(each, prior=before.get(each.key)) for each in posterior]


RANDOMISATION = ("no interference between participants", "the same timing of visits in both arms")
MISSING_AT_RANDOM = "missing outcomes independent of their values given arm, covariates and observed outcomes (MAR)"
MEDIATORS_TOO = (
    "missing outcomes and mediators independent of their values given arm, covariates and what was observed (MAR)"
)
DELTA = "δ, log odds by which a missing outcome differs from an observed one, by arm: taken as 0"
NORMAL_TRAITS = "participants' traits normal on the link scale"
CHANGE = (
    "a description, not an effect: what both arms received, changes with calendar time, regression to the mean, "
    "repeated measurement and changes in how the outcome is recorded enter it only as their sum"
)


BETWEEN_GROUPS = "no interference between participants of different groups"
RECRUITED_ALIKE = "whoever joined a group after its randomisation did not differ by arm beyond what is adjusted for"
EQUAL_EXPOSURE = "rates that do not depend on how much there was for events to arise over"


@dataclass(frozen=True)
class Setting:
    """What of a study changes the assumptions behind every arm contrast.

    Attributes
    ----------
    exposed : bool
        Whether counts arose over unequal amounts.
    grouped : bool
        Whether groups were randomised.
    recruited_after : bool
        Whether participants joined them only then: what was randomised are groups, not who is in them.
    """

    exposed: bool = False
    grouped: bool = False
    recruited_after: bool = False

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Each in one phrase."""
        between = BETWEEN_GROUPS if self.grouped else RANDOMISATION[0]
        alike = [RECRUITED_ALIKE] if self.recruited_after else []
        return (between, *RANDOMISATION[1:], *alike, *([EQUAL_EXPOSURE] if self.exposed else []))

    @classmethod
    def of(cls, study: Study) -> Setting:
        """That of a study."""
        return cls(study.outcome.exposure is not None, study.randomised_in_groups is not None, study.recruited_after)


PLAIN = Setting()


def same_way(control: str) -> str:
    """Assumption behind a share of the remainder: it lies between none and all of it."""
    return f"assumes that {control} and all other causes push the same way"


UNOBSERVED = Claim(Evidence.NOT_IDENTIFIED, ("an outcome observed at this wave in each arm",))
"""Claim at a wave without data."""


def randomised(missing: bool, setting: Setting = PLAIN) -> Claim:
    """Claim of an arm contrast: by design, or by design and MAR where outcomes are missing."""
    mar, delta = ((MISSING_AT_RANDOM,), (DELTA,)) if missing else ((), ())
    return Claim(by_design(missing, setting), (*setting.assumptions, *mar), delta)


def by_design(missing: bool, setting: Setting) -> Evidence:
    """Class of what randomisation alone would compare: none of it is left where it did not decide who is in an arm."""
    if setting.recruited_after:
        return Evidence.ASSUMPTION
    return Evidence.RANDOMISED_MAR if missing else Evidence.RANDOMISED


def conditional(missing: bool, setting: Setting = PLAIN) -> Claim:
    """Claim of a contrast for a typical participant: the scale of the trait is the model's."""
    assumed = (*randomised(missing, setting).assumptions, NORMAL_TRAITS)
    return Claim(Evidence.ASSUMPTION, assumed, (DELTA,) if missing else ())


def change(missing: bool) -> Claim:
    """Claim of a change over time within an arm."""
    return Claim(Evidence.ASSUMPTION, (CHANGE, *([MISSING_AT_RANDOM] if missing else [])))
