"""Parts of a drafted study file: arms, waves, outcome and covariates as the data suggest them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

import pandas as pd

from models.trial import cells
from models.trial.draft import occasions
from models.trial.readers import codes
from models.trial.study_file.study import ARMS
from models.trial.study_file.undecided import OPEN
from models.trial.trial_schema import TRUE_FALSE, labels

CONTROL = r"control|placebo|usual|standard|wait|sham|\bonly\b|\balone\b|\bpbo\b|\bctrl\b|\btau\b|\buc\b|^no\b"
YES = r"yes|^y|true|good|event|positive"
NOT = r"\b(no|not|non|never|without|free)\b"
MOST_LEVELS = 8


def ordered(column: pd.Series, order: list[str]) -> list[str]:
    """Labels of a column in the order of their codes; without codes numbers by size, then words by the alphabet."""
    present = list(labels(column).dropna().unique())
    if order:
        return [text for text in order if text in present]
    number = {text: cells.number(text) for text in present}
    return sorted(present, key=lambda text: (math.inf if math.isnan(number[text]) else number[text], text))


def covariate(column: pd.Series, order: list[str]) -> dict[str, Any]:
    """A baseline variable; the levels of a labelled one in the order of their codes."""
    kind = "continuous" if column.nunique() > MOST_LEVELS else "categorical"
    part = {"column": column.name, "kind": kind, "label": column.name, "adjust": False}
    return part | ({"levels": ordered(column, order)} if order and kind == "categorical" else {})


def arms(values: list[str], coded: bool) -> dict[str, dict[str, str]]:
    """The two arms, the control first; what nothing says is left open.

    A control is called so, is contained in the other ("training" in "training plus savings"), or has the lower code.
    """
    control = _control(values)
    two = [*control, *(text for text in values if text not in control)]
    if len(values) > 2 or not (control or coded):
        two = [*control, OPEN, OPEN]
    return {arm: {"value": text, "label": text} for arm, text in zip(ARMS, two, strict=False)}


def by_code(values: list[str]) -> bool:
    """Whether names say nothing of which of two arms is the control, nor do the numbers 0 and 1."""
    return not _control(values) and not {*values} <= {"0", "1", *TRUE_FALSE}


def _control(values: list[str]) -> list[str]:
    """The one arm that its name makes the control, or none."""
    called = [text for text in values if re.search(CONTROL, text, re.IGNORECASE)]
    words = {text: set(re.findall(r"\w+", text.casefold())) for text in values}
    within = [text for text in values if all(words[text] < words[other] for other in values if other != text)]
    return next((found for found in (called, within) if len(found) == 1 < len(values)), [])


def waves(values: Iterable[str], column: str, order: list[str]) -> list[dict[str, Any]]:
    """Waves in time order; the role of the first is open unless its label says that it was before the programme."""
    found = sorted(values, key=lambda text: (order.index(text) if text in order else 0, not occasions.before(text)))
    known = occasions.months(found, column)
    months = known or {text: float(place) for place, text in enumerate(occasions.ordered(found))}
    found.sort(key=lambda text: months[text] or 0.0)
    return [
        {"value": text, "label": text, "month": months[text], "role": _role(place, text, len(found))}
        for place, text in enumerate(found)
    ]


def _role(place: int, label: str, count: int) -> str:
    if occasions.before(label) and count > 1:
        return "negative control" if place else "baseline"
    return OPEN if not place and count > 1 else "follow-up"


def outcome(column: pd.Series, decimal: str) -> dict[str, Any]:
    """The outcome, with what its values say of its kind; why its margin matters is for its author to say."""
    every = ordered(column, [])
    shown = [text for text in every if not _missing(text, decimal)]
    values = sorted(shown if _yes_or_no(shown, decimal) else every, key=lambda text: not _event(text))
    binary = len(values) == 2
    found = [number for number in (cells.number(value, decimal) for value in values) if math.isfinite(number)]
    # no count is negative or has decimals
    kind = "binary" if binary else "continuous" if any(number < 0 or number % 1 for number in found) else "count"
    part = {"column": column.name, "kind": kind, "label": column.name, "better": "lower"}
    part |= {"margin": 0.1 if binary else 1.0, "margin_reason": ""}
    coded = binary and not {*values} <= {"0", "1", *TRUE_FALSE}
    known = binary and _event(values[0]) and not _event(values[1])
    return part | ({"codes": {values[0]: 1 if known else OPEN, values[1]: 0 if known else OPEN}} if coded else {})


def _yes_or_no(values: list[str], decimal: str) -> bool:
    """Whether two values are words, or numbers by which yes and no are coded: others are a measurement."""
    numbers = [cells.number(text, decimal) for text in values]
    return len(values) == 2 and (any(map(math.isnan, numbers)) or sorted(numbers) in ([0, 1], [1, 2]))


def _missing(text: str, decimal: str) -> bool:
    return codes.for_missing(cells.number(text, decimal)) or codes.names_missing(text)


def _event(text: str) -> bool:
    return bool(re.search(YES, text, re.IGNORECASE)) and not re.search(NOT, text, re.IGNORECASE)
