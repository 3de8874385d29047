"""How a number is printed: its unit, and the decimals that belong to the quantity, wherever it stands on a page."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

MINUS = "\u2212"
LARGE = 1e5
"""Printed as "> 100 000" from here on: only wide priors of counts reach it."""


class NotANumber(ValueError):  # noqa: N818 - named after what happened
    """A number that must be printed is NaN or infinite: the report stops instead of printing it."""


@dataclass(frozen=True)
class Unit:
    """How a quantity is shown.

    Attributes
    ----------
    factor : float
        Multiplies the stored value: 100 turns a risk of 0 to 1 into percent.
    decimals : int
        Decimals, the same on the whole page: parts that sum to a total also do as printed, up to the last digit.
    sign : str
        What follows the number closely, e.g. "%".
    name : str
        The unit in words, as an axis or a column has it.
    largest : float
        From here on a number is printed as "> " this one.
    """

    factor: float
    decimals: int
    sign: str
    name: str
    largest: float = LARGE


RISK = Unit(100, 1, "%", "percent of participants")
POINTS = Unit(100, 1, "", "percentage points")
RATIO = Unit(1, 2, "", "ratio")
EVENTS = Unit(1, 2, "", "events per participant")
AMOUNT = Unit(1, 2, "", "units", 1e15)
"""A continuous outcome's own unit, which the study file does not name; an income may well exceed a hundred thousand."""
SHARE = Unit(100, 1, "%", "percent")
"""A mediator that is a share, or the share of participants who have it."""
PROBABILITY = Unit(1, 2, "", "probability")
PLAIN = Unit(1, 2, "", "")

UNITS = {
    "risk": RISK,
    "ratio": RATIO,
    "events": EVENTS,
    "units": AMOUNT,
    "mediator units": AMOUNT,
    "share": SHARE,
    "probability": PROBABILITY,
}
"""By the word in the `unit` column of a run's summary; any other word is printed as it is, unscaled."""


@dataclass(frozen=True)
class Number:
    """A value and the way it is printed.

    Attributes
    ----------
    value : float
        As stored, in the units of the run.
    text : str
        As printed.
    """

    value: float
    text: str


INTERVAL = Number(0.95, "95%")
"""Probability of every interval of the run: equal-tailed, 2.5% below and 2.5% above."""


def unit(word: str) -> Unit:
    """Look up the unit of a summary row."""
    return UNITS.get(word, Unit(1, 2, "", word))


def score_decimals(sd: float) -> int:
    """Decimals of a score or a mean count: its last digit is at most a thirtieth of its SD between participants."""
    if not (math.isfinite(sd) and sd > 0):
        return AMOUNT.decimals
    # the guard against 1 being 1.0000…1: a tolerance far below any digit that is printed
    return min(6, max(0, math.ceil(math.log10(30 / sd) - 1e-9)))


def supported(mcse: float, shown: Unit) -> bool:
    """Whether a Monte Carlo error is at most half of the last digit printed."""
    _finite(mcse)
    return abs(mcse) * shown.factor <= 0.5 * 10.0**-shown.decimals * (1 + 1e-9)


def places(mcse: float, shown: Unit) -> int:
    """Decimals that a Monte Carlo error allows, on pages whose every number is one of many simulated trials.

    The last digit printed is at least twice the error, but whole units are always printed: tens would hide more than
    they spare.

    Parameters
    ----------
    mcse : float
        Largest Monte Carlo standard error of the numbers printed together, as stored (before `shown.factor`).
    """
    _finite(mcse)
    error = abs(mcse) * shown.factor
    if error == 0:
        return shown.decimals
    # the guard against 0.5 being 0.49999…: a tolerance far below any digit that is printed
    return max(0, min(shown.decimals, -math.ceil(math.log10(2 * error) - 1e-9)))


def show(value: float, shown: Unit = PLAIN, decimals: int | None = None) -> Number:
    """Print a number: true minus sign, no negative zero, the unit's sign and its decimals unless others are given."""
    _finite(value)
    if abs(value * shown.factor) >= shown.largest:
        bound = f"{shown.largest:,.0f}".replace(",", "\u202f")
        return Number(float(value), f"< {MINUS}{bound}" if value < 0 else f"> {bound}")
    digits = shown.decimals if decimals is None else decimals
    return Number(float(value), fixed(value * shown.factor, digits) + shown.sign)


def unsigned(value: float, shown: Unit, decimals: int | None = None) -> Number:
    """A number as printed under a head that names its unit, without a sign of percent."""
    return show(value, replace(shown, sign=""), decimals)


def rounded(value: float, digits: int = 0) -> float:
    """Round half away from zero, as readers do: 12.5 is 13, and −12.5 is −13; never a negative zero."""
    _finite(value)
    # nine digits beyond the last absorb what binary fractions do to a half: 57.49999999999999 stands for 57.5
    near = Decimal(f"{value:.{digits + 9}f}")
    return float(near.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)) + 0.0


def fixed(value: float, digits: int = 0) -> str:
    """Set a number with so many decimals, by `rounded`, with a true minus sign and thousands set apart."""
    return f"{rounded(value, digits):,.{digits}f}".replace("-", MINUS).replace(",", "\u202f")


def probability(value: float) -> Number:
    """Probability: > 0.99 and < 0.01 at the ends, else two decimals."""
    _finite(value)
    if not 0 <= value <= 1:
        raise NotANumber(f"a probability must lie between 0 and 1, not {value}")
    if value > 0.99 or value < 0.01:
        return Number(value, "> 0.99" if value > 0.99 else "< 0.01")
    return show(value, PROBABILITY)


def interval(lower: Number, upper: Number) -> str:
    """Two limits, as journals print them: "−15 to 9"."""
    return f"{lower.text} to {upper.text}"


def _finite(value: float) -> None:
    if not math.isfinite(value):
        raise NotANumber(f"a number that must be printed is {value}")


def tick_text(value: float, shown: Unit, signed: bool = False) -> str:
    """Tick as printed: the unit's factor and sign, a true minus, a plus where the sign matters."""
    scaled = round(value * shown.factor, 8) + 0.0
    text = f"{scaled:.10g}".replace("-", MINUS)  # ten digits: a continuous outcome may be large
    return ("+" if signed and scaled > 0 else "") + text + shown.sign
