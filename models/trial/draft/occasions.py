"""What a wave's own label says of it: how many months after the start, and whether before the programme could act."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

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
ORDER = (
    {"first", "one"},
    {"second", "two"},
    {"third", "three"},
    {"fourth", "four"},
    {"mid", "midline", "interim"},
    {"post", "posttest", "after"},
    {"followup", "fu"},
    {"end", "endline", "final", "discharge", "last"},
)
"""Words for occasions after the start in their usual order; those of one place say the same."""
DATES = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y-%m", "%Y", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d%b%Y"),
    *("%b %d %Y", "%d %b %Y", "%b %Y", "%B %d, %Y", "%d %B %Y", "%B %Y"),
)
"""Ways to write a date."""
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


def months(labels: Sequence[str], column: str = "") -> dict[str, float] | None:
    """Months of all waves from their labels, no two alike: dates, or numbers and units; None without."""
    dates = {tuple(days) for days in ([_date(text, form) for text in labels] for form in DATES) if None not in days}
    if dates:  # days and months that could be each other tell nothing
        days = [day for day in dates.pop() if day is not None] if len(dates) == 1 else []
        found = [round((day - min(days)) / _DAYS, 2) for day in days]
    else:
        found = [each for each in (month(text, column) for text in labels) if each is not None]
    return dict(zip(labels, found, strict=True)) if len({*found}) == len(labels) else None


def ordered(labels: Sequence[str]) -> list[str]:
    """Labels that words set in their usual order, pre, first, mid, post, end; as they are where any does not."""
    places = {text: _place(text) for text in labels}
    return sorted(labels, key=places.__getitem__) if len({*places.values()} - {-1}) == len(labels) else [*labels]


def _date(text: str, form: str) -> float | None:
    try:
        return float(datetime.strptime(text.strip(), form).toordinal())
    except ValueError:
        return None


def _place(label: str) -> int:
    """Place of a word in the usual order of occasions; −1 of any other label."""
    if before(label):
        return 0
    words = {"followup" if each == "up" else each for each in _tokens(label)}
    found = [place for place, named in enumerate(ORDER, start=1) if named & words]
    return found[0] if len(found) == 1 else -1
