"""The evidence ledger: what the design identifies, and what each number rests on.

The class belongs to the estimand in code, not to prose: an estimate cannot be constructed without a claim, and a claim
that is not identified cannot carry a number.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import xarray as xr


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
    """

    evidence: Evidence
    assumptions: tuple[str, ...]

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

    def __post_init__(self) -> None:
        """Refuse a number that is not identified, and an identified estimand without one."""
        if not isinstance(self.claim, Claim):
            raise TypeError(f"{self.estimand}: an estimate needs a Claim, with its evidence class")
        if (self.claim.evidence is Evidence.NOT_IDENTIFIED) != (self.draws is None):
            raise ValueError(f"{self.estimand}: draws belong to identified estimands, and only to them")
        if self.draws is None and not self.reason:
            raise ValueError(f"{self.estimand}: say why it is not identified")


RANDOMISATION = ("no interference between participants", "the same timing of visits in both arms")
MISSING_AT_RANDOM = "missing outcomes independent of their values given arm, covariates and observed outcomes (MAR)"
NORMAL_TRAITS = "participants' traits normal on the link scale"
CHANGE = (
    "a description, not an effect: what both arms received, changes with calendar time, regression to the mean, "
    "repeated measurement and changes in how the outcome is recorded enter it only as their sum"
)


def randomised(missing: bool) -> Claim:
    """Claim of an arm contrast: by design, or by design and MAR where outcomes are missing."""
    if missing:
        return Claim(Evidence.RANDOMISED_MAR, (*RANDOMISATION, MISSING_AT_RANDOM))
    return Claim(Evidence.RANDOMISED, RANDOMISATION)


def conditional(missing: bool) -> Claim:
    """Claim of a contrast for a typical participant: the scale of the trait is the model's."""
    return Claim(Evidence.ASSUMPTION, (*randomised(missing).assumptions, NORMAL_TRAITS))


def change(missing: bool) -> Claim:
    """Claim of a change over time within an arm."""
    return Claim(Evidence.ASSUMPTION, (CHANGE, *([MISSING_AT_RANDOM] if missing else [])))
