"""The one table of the gate's limits, and how a figure is held against its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.gate_table import AMBER, GREEN, RED, Check


@dataclass(frozen=True)
class Limit:
    """Limits of one check: the last values that are green (`good`) and amber (`fair`); `low`: less is worse.

    A check that is never red has an infinite `fair`; one that is never amber has `fair` equal to `good`.
    """

    good: float
    fair: float
    low: bool = False
    form: str = "{:g}"

    @property
    def never_red(self) -> bool:
        """Whether the worst that it can say is “look”."""
        return np.isinf(self.fair)

    def status(self, value: float) -> str:
        """Status of a value; a value that is not finite is as bad as can be."""
        if not np.isfinite(value):
            return AMBER if self.never_red else RED
        sign = -1 if self.low else 1
        return GREEN if sign * value <= sign * self.good else AMBER if sign * value <= sign * self.fair else RED

    def words(self, value: float) -> str:
        """Limit in print."""
        if np.isinf(value):
            return f"{'below' if self.low else 'above'}; never red"
        if value == 0:
            return "0"
        return f"{'≥' if self.low else '≤'} {self.form.format(value)}"

    @property
    def green(self) -> str:
        """What passes, in print."""
        return self.words(self.good)

    @property
    def amber(self) -> str:
        """What is to be looked at, in print."""
        return "never" if self.fair == self.good else self.words(self.fair)


LIMITS = {
    "R-hat, largest": Limit(1.01, 1.05, form="{:.2f}"),
    "effective draws, estimands and fixed effects": Limit(1000, 400, low=True, form="{:.0f}"),
    "effective draws, spreads and participants": Limit(400, 200, low=True, form="{:.0f}"),
    "Monte-Carlo error of the primary median": Limit(0.05, 0.10, form="{:.0%} of the margin"),
    "Monte-Carlo error of its interval": Limit(0.10, 0.20, form="{:.0%} of the margin"),
    "divergences": Limit(0.0, 0.001, form="{:.1%} of draws"),
    "tree depth saturated": Limit(0.0, 0.01, form="{:.0%} of draws"),
    "E-BFMI, smallest": Limit(0.3, 0.2, low=True, form="{:.1f}"),
    "Pareto k above 0.7": Limit(0.0, 0.02, form="{:.0%} of those left out"),
    "predictive tails of response patterns": Limit(0.005, 0.0005, low=True, form="{:g}"),
    "standard deviations by arm and wave": Limit(1.0, 1.5, form="{:g} times the edge of the band"),
    "zeros beyond the model": Limit(7.5, float("inf"), form="{:g} (likelihood ratio)"),
    "modelled mean beside the crude one": Limit(2.5, 2.5, form="{:g} crude standard errors"),
    "interval beside the robust one": Limit(1.3, 2.0, form="{:g} times narrower or wider"),
    "interval beside the robust one, counts": Limit(1.8, 2.5, form="{:g} times narrower or wider"),
    "estimate beside the robust one": Limit(2.5, 4.0, form="{:g} robust standard errors"),
    "mediators' distributions": Limit(0.001, -float("inf"), low=True, form="{:g}"),
    "integration error of the averages": Limit(0.01, 0.05, form="{:.0%} of the posterior variance"),
    "power-scaling of the primary estimand": Limit(0.10, float("inf"), form="{:.2f}"),
    "contraction of the primary effect": Limit(0.33, -float("inf"), low=True, form="{:g}"),
}
"""The limits of every numeric check; the report prints them. How often each is passed: docs/calibration/gate.csv."""


def limited(name: str, value: float, element: str, text: str, shown: str = "") -> Check:
    """The check of that name, by its limits; `shown` is the figure in print where the limit's form does not fit it."""
    limit = LIMITS[name]
    printed = shown or limit.form.format(value)
    return Check(name, limit.status(value), printed.replace("-", "−"), element, limit.green, limit.amber, text)


def unneeded(name: str, why: str) -> Check:
    """The check of that name where there is nothing to check."""
    limit = LIMITS[name]
    return Check(name, GREEN, "not applicable", "", limit.green, limit.amber, why)
