"""What a wave's own label says of it: how many months after the start, and whether before the programme could act."""

from __future__ import annotations

import re

_DAYS = 30.4375
UNITS = {
    "day": 1 / _DAYS, "days": 1 / _DAYS, "d": 1 / _DAYS,
    "week": 7 / _DAYS, "weeks": 7 / _DAYS, "wk": 7 / _DAYS, "wks": 7 / _DAYS, "w": 7 / _DAYS,
    "month": 1.0, "months": 1.0, "mo": 1.0, "mos": 1.0, "mth": 1.0, "mths": 1.0, "m": 1.0,
    "year": 12.0, "years": 12.0, "yr": 12.0, "yrs": 12.0, "y": 12.0,
}  # fmt: skip
"""Months in a unit of time, by its names."""
COUNTS = ("visit", "vis", "wave", "time", "round", "timepoint", "fu", "t", "v", "assessment")
"""Words before a number that counts occasions and is no time."""
BEFORE = (
    "baseline", "base", "bl", "pre", "pretest", "screening", "screen", "before", "enrolment", "enrollment", "intake",
    "start", "admission", "randomisation", "randomization",
)  # fmt: skip
AFTER = (
    "post",
    "posttest",
    "after",
    "followup",
    "fu",
    "end",
    "endline",
    "mid",
    "midline",
    "interim",
    "final",
    "discharge",
    "last",
)
"""Words that name an occasion without a number."""
_NOT_BEFORE = {*AFTER, "follow", "up", "since", "change"}


def _tokens(label: str) -> list[str]:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", label)
    return re.findall(r"[^\W\d_]+|[0-9]+(?:\.[0-9]+)?", spaced.lower())


def before(label: str) -> bool:
    """Whether a label says that the wave was before the programme could act: a word for it, or the number 0."""
    words = _tokens(label)
    if _NOT_BEFORE & set(words):
        return False
    numbers = [float(word) for word in words if word[0].isdigit()]
    named = any(word in BEFORE or word.startswith(("baseline", "screen", "enrol")) for word in words)
    return named or (bool(numbers) and not any(numbers))


def month(label: str, column: str = "") -> float | None:
    """Months after the start, by the number and its unit in a label, or the unit in its column's name; None without."""
    words = _tokens(label)
    numbers = [float(word) for word in words if word[0].isdigit()]
    if not numbers:
        return 0.0 if before(label) else None
    named = [UNITS[word] for word in (*words, *_tokens(column)) if word in UNITS]
    return round(numbers[0] * (named[0] if named else 1.0), 2)
