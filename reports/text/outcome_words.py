"""Words for each kind of outcome, in one table: a kind that the models learn has its row here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from models.trial.study_file.study import Exposure, Outcome
from reports.text.numbers import AMOUNT, EVENTS, POINTS, RISK, Unit
from reports.text.words import short


@dataclass(frozen=True)
class Scale:
    """Names of the estimands of one kind of outcome, in code and words, and the units of a level and a difference.

    Attributes
    ----------
    level, difference, ratio, odds : str
        Estimands; `ratio` and `odds` are empty where the outcome has none.
    level_unit, difference_unit : Unit
        How a level and a difference are shown.
    level_word, points, difference_name, ratio_name : str
        A level, the unit of a difference, a difference and a ratio in words.
    level_name : str
        Unit of a level in the main table.
    kind : str
        What a value is.
    delta, step : str
        What δ of a missing outcome means, and what δ = 1 does to it.
    groups : tuple of str
        What the outcome of the wave before can have been, less and more.
    shift, short_unit : str
        Unit of what the arm truly does in a simulated trial; of a difference, where there is little room.
    """

    level: str
    difference: str
    ratio: str
    odds: str
    level_unit: Unit
    difference_unit: Unit
    level_word: str
    points: str
    difference_name: str
    ratio_name: str
    level_name: str
    kind: str
    delta: str
    step: str
    groups: tuple[str, str]
    shift: str
    short_unit: str


BINARY = Scale(
    level="risk",
    difference="risk_difference",
    ratio="risk_ratio",
    odds="odds_ratio",
    level_unit=RISK,
    difference_unit=POINTS,
    level_word="risk",
    points="percentage points",
    difference_name="Risk difference",
    ratio_name="Risk ratio",
    level_name="% of participants",
    kind="yes or no",
    delta="a difference in log-odds, so that 1 multiplies the odds by 2.7",
    step="odds × 2.7",
    groups=("no", "yes"),
    shift="log-odds",
    short_unit="points",
)
COUNT = Scale(
    level="mean",
    difference="mean_difference",
    ratio="rate_ratio",
    odds="",
    level_unit=EVENTS,
    difference_unit=EVENTS,
    level_word="mean",
    points="events",
    difference_name="Mean difference",
    ratio_name="Rate ratio",
    level_name="events per participant",
    kind="a count",
    delta="a difference in log-means, so that 1 multiplies the mean by 2.7",
    step="mean × 2.7",
    groups=("none", "one or more"),
    shift="log-mean",
    short_unit="events",
)
CONTINUOUS = Scale(
    level="mean",
    difference="mean_difference",
    ratio="",
    odds="",
    level_unit=AMOUNT,
    difference_unit=AMOUNT,
    level_word="mean",
    points="units",
    difference_name="Mean difference",
    ratio_name="",
    level_name="units",
    kind="a number",
    delta="a difference in SDs of the outcome at the first wave",
    step="+1 SD",
    groups=("the median or less", "more"),
    shift="units",
    short_unit="units",
)
SCALES: Mapping[str, Scale] = {"binary": BINARY, "count": COUNT, "continuous": CONTINUOUS}
"""By the kind of outcome in a study file (`models.outcomes.KINDS`)."""


@dataclass(frozen=True)
class Distribution:
    """A likelihood in words and in the page's equations.

    Attributes
    ----------
    scale : str
        Of its parameters.
    symbol : str
        Of the distribution.
    level, link : str
        Symbol of its mean, and the function from there to the predictor; none where the predictor is the mean.
    regression : str
        Of the standardised difference, which needs no model of participants.
    spread, power : str
        Its second parameter, which may stand squared; none where the mean decides it.
    counts : str
        What is assumed of a count's variation, as a sentence without its full stop.
    """

    scale: str
    symbol: str
    level: str
    link: str
    regression: str
    spread: str = ""
    power: str = ""
    counts: str = ""


DISTRIBUTIONS: Mapping[str, Distribution] = {
    "logit": Distribution(scale="log-odds", symbol="Bernoulli", level="π", link="logit", regression="logistic"),
    "probit": Distribution(scale="probit", symbol="Bernoulli", level="π", link="probit", regression="logistic"),
    "negative binomial": Distribution(
        scale="log-mean",
        symbol="NegBinomial",
        level="λ",
        link="log",
        regression="Poisson",
        spread="α",
        counts="Counts vary as a negative binomial, without further zeros",
    ),
    "normal": Distribution(
        scale="SDs of the outcome at the first wave",
        symbol="N",
        level="η",
        link="",
        regression="least-squares",
        spread="σ",
        power="2",
    ),
}
"""By likelihood (`models.outcomes.FAMILIES`)."""


def has_proportion(outcome: Outcome) -> bool:
    """Whether it is a yes-or-no outcome of which more is better: it has a proportion rather than a risk."""
    return outcome.family.binary and outcome.better == "higher"


def per(own: Scale, exposure: Exposure) -> Scale:
    """Words of a count at an equal exposure: a rate, "per 12 months followed"."""
    events = f"events per {short(exposure.per, 40)}"
    unit = replace(own.level_unit, name=events)
    return replace(
        own,
        level_unit=unit,
        difference_unit=unit,
        level_word="rate",
        points=events,
        difference_name="Rate difference",
        level_name=events,
        short_unit=events,
    )


def favourable(own: Scale) -> Scale:
    """Words where more of a yes-or-no outcome is better: it has a proportion rather than a risk."""
    return replace(own, level_word="share", difference_name="Difference in shares", ratio_name="Ratio of shares")
