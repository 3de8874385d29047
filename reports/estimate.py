"""One row of a run's summary, and how its numbers are printed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from reports.numbers import (
    PLAIN,
    POINTS,
    RATIO,
    Number,
    Unit,
    interval,
    places,
    probability,
    rounded,
    show,
    unit,
)

RISKS = ("risk", "mediator_mean")
"""Estimands printed in percent where they are shares; every other one of that unit is a difference, in points."""
NO_INTERVAL = ("number_needed_to_treat", "training_tipping_share")
"""Estimands of which only the median is defined, and the second not always."""


@dataclass(frozen=True)
class Estimate:
    """An estimand with posterior, prior, error and evidence class; fields as in `Run.estimates` (95% equal-tailed).

    `prior_mcse_…` are the Monte Carlo errors of the prior's median and limits; 0 where there are no prior draws.
    `mediator` is a column of the data, empty where the estimand is of none.
    """

    estimand: str
    label: str
    unit: str
    average: str
    arm: str
    wave: str
    evidence: str
    assumptions: str
    primary: bool
    median: float
    mean: float
    sd: float
    lower: float
    upper: float
    prior_median: float
    prior_sd: float
    prior_lower: float
    prior_upper: float
    contraction: float
    mcse_median: float
    mcse_lower: float
    mcse_upper: float
    ess_bulk: float
    ess_tail: float
    rhat: float
    p_below_zero: float = math.nan
    p_benefit: float = math.nan
    p_harm_beyond_margin: float = math.nan
    p_within_margin: float = math.nan
    p_benefit_beyond_margin: float = math.nan
    reason: str = ""
    mediator: str = ""
    bias_parameters: str = ""
    integration_error: float = math.nan
    prior_mcse_median: float = 0.0
    prior_mcse_lower: float = 0.0
    prior_mcse_upper: float = 0.0

    @classmethod
    def of(cls, row: dict[str, Any]) -> Estimate:
        """From a row of `Run.estimates`; columns that the report does not use are left aside."""
        return cls(**{name: row[name] for name in cls.__dataclass_fields__ if name in row})

    @property
    def identified(self) -> bool:
        """False for what is printed as "Not identified: reason"."""
        return self.evidence != "not identified"

    @property
    def printed(self) -> bool:
        """Whether it has a median and an interval to print."""
        return self.identified and self.estimand not in NO_INTERVAL

    @property
    def shown(self) -> Unit:
        """The unit it is printed in."""
        if self.unit in ("risk", "risk points", "share") and self.estimand not in RISKS:
            # a difference of risks in percent would read as a relative change
            return POINTS
        return unit(self.unit)

    @property
    def has_prior(self) -> bool:
        """Whether the run holds what it was before the data."""
        return math.isfinite(self.prior_median)

    @property
    def constant(self) -> bool:
        """Whether it has one value at every draw, by construction of the model."""
        return self.printed and self.lower == self.upper

    @property
    def decimals(self) -> int:
        """Decimals that the largest error of the posterior's median and limits allows."""
        return places(max(self.mcse_median, self.mcse_lower, self.mcse_upper), self.shown)

    def number(self, field: str) -> Number:
        """Median or limit of the posterior or of the prior (`prior_…`), as printed.

        Median and limits share their digits, those of the largest error. Of a ratio each has its own: the error grows
        with the size, and the upper limit's would leave the median without any decimal.
        """
        before = "prior_" if field.startswith("prior_") else ""
        errors = {name: getattr(self, f"{before}mcse_{name}") for name in ("median", "lower", "upper")}
        digits = {name: places(error, self.shown) for name, error in errors.items()}
        value, name = getattr(self, field), field.removeprefix(before)
        if self.shown != RATIO:
            return show(value, self.shown, min(digits.values()))
        own = digits[name]
        # a limit that excludes 1 must not be printed as 1
        while own < RATIO.decimals and errors[name] < abs(value - 1) and rounded(value, own) == 1:
            own += 1
        return show(value, self.shown, own)

    @property
    def interval(self) -> str:
        """The posterior interval as printed."""
        return interval(self.number("lower"), self.number("upper"))

    @property
    def told(self) -> str:
        """Median and interval of the posterior as printed: "−1 (−9 to 10)"."""
        return f"{self.number('median').text} ({self.interval})"

    @property
    def prior_told(self) -> str:
        """Median and interval of the prior as printed."""
        return f"{self.number('prior_median').text} ({self.prior_interval})"

    @property
    def prior_interval(self) -> str:
        """The prior interval as printed."""
        return interval(self.number("prior_lower"), self.number("prior_upper"))

    def chance(self, field: str) -> Number:
        """One of the probabilities, as printed."""
        return probability(float(getattr(self, field)), self.ess_bulk)

    @property
    def learned(self) -> Number:
        """Contraction 1 − Var(posterior)/Var(prior), as printed."""
        if not math.isfinite(self.contraction):
            # a prior without a finite variance: nothing to contract from
            return Number(math.nan, "—")
        return show(self.contraction, PLAIN, 2)
