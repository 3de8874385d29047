"""One row of a run's summary, and how its numbers are printed."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from models.estimands.ledger import Evidence
from reports.text.numbers import (
    PLAIN,
    POINTS,
    Number,
    Unit,
    interval,
    probability,
    show,
    supported,
    unit,
)

RISKS = ("risk", "mediator_mean")
"""Estimands printed in percent where they are shares; every other one of that unit is a difference, in points."""
NO_INTERVAL = ("number_needed_to_treat", "training_tipping_share")
"""Estimands of which only the median is defined, and the second not always."""


@dataclass(frozen=True)
class ReportedEstimate:
    """An estimand with posterior, prior, error and evidence class; fields as in `Run.estimates` (95% equal-tailed).

    `assumptions` and `bias_parameters` are phrases. `mediator` is a column of the data, empty where the estimand is of
    none. `digits` are the decimals of a score or a mean count, which follow from its SD; other units have their own.
    """

    estimand: str
    label: str
    unit: str
    average: str
    arm: str
    wave: str
    evidence: Evidence
    assumptions: tuple[str, ...]
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
    bias_parameters: tuple[str, ...] = ()
    integration_error: float = math.nan
    digits: int | None = None

    @classmethod
    def of(cls, row: dict[str, Any]) -> ReportedEstimate:
        """From a row of `Run.estimates`; columns that the report does not use are left aside."""
        known = {name: row[name] for name in cls.__dataclass_fields__ if name in row}
        return cls(**known | {"evidence": Evidence(row["evidence"])})

    @property
    def identified(self) -> bool:
        """False for what is printed as "Not identified: reason"."""
        return self.evidence is not Evidence.NOT_IDENTIFIED

    @property
    def printed(self) -> bool:
        """Whether it has a median and an interval to print."""
        return self.identified and self.estimand not in NO_INTERVAL

    @property
    def shown(self) -> Unit:
        """The unit it is printed in."""
        if self.unit in ("risk", "share") and self.estimand not in RISKS:
            # a difference of risks in percent would read as a relative change
            return POINTS
        own = unit(self.unit)
        return own if self.digits is None else replace(own, decimals=self.digits)

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
        """Decimals of its unit."""
        return self.shown.decimals

    @property
    def supported(self) -> bool:
        """Whether the Monte Carlo errors of median and limits are at most half of the last digit printed."""
        return supported(max(self.mcse_median, self.mcse_lower, self.mcse_upper), self.shown)

    def text(self, field: str) -> str | float | bool:
        """A field as a table for readers has it: phrases in one line, the rest as it is."""
        value: str | float | bool | tuple[str, ...] = getattr(self, field)
        return "; ".join(value) if isinstance(value, tuple) else value

    def number(self, field: str) -> Number:
        """Median or limit of the posterior or of the prior (`prior_…`), as printed."""
        return show(getattr(self, field), self.shown)

    @property
    def interval(self) -> str:
        """The posterior interval as printed."""
        return interval(self.number("lower"), self.number("upper"))

    @property
    def reported(self) -> str:
        """Median and interval of the posterior as printed: "−0.7 (−9.1 to 10.2)"; no number where not identified."""
        if not self.identified:
            return "not identified"
        return f"{self.number('median').text} ({self.interval})"

    @property
    def prior_reported(self) -> str:
        """Median and interval of the prior as printed."""
        return f"{self.number('prior_median').text} ({self.prior_interval})"

    @property
    def prior_interval(self) -> str:
        """The prior interval as printed."""
        return interval(self.number("prior_lower"), self.number("prior_upper"))

    def chance(self, field: str) -> Number:
        """One of the probabilities, as printed."""
        return probability(float(getattr(self, field)))

    @property
    def learned(self) -> Number:
        """Contraction 1 − Var(posterior)/Var(prior), as printed."""
        if not math.isfinite(self.contraction):
            # a prior without a finite variance: nothing to contract from
            return Number(math.nan, "—")
        return show(self.contraction, PLAIN, 2)
