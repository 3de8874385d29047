"""What a draft of a study file leaves open: `?` stands where the data do not say, and is refused until decided."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from models.faults import Fault

OPEN = "?"
WORDS = {
    "role": '"baseline" if it was measured before the programme could act (the first wave only), "negative control" if '
    'after that and still before it could act, else "follow-up"',
    "month": "months since baseline, a number",
    "value": "a value as it stands in the data",
    "primary_wave": "the value of the follow-up wave that answers the question",
    "column": "the name of a column of the data",
    "participant": "the name of the column that says who",
    "arm": "the name of the column that says in which arm",
    "label": "words to print",
}
"""What to write, by key; other keys may hold a question mark."""
CODE = "1 if this value is the event, 0 if it is none"


def faults(content: dict[str, Any]) -> list[Fault]:
    """A fault for each entry of a study file that is still open."""
    return list(_open(content, ""))


def _open(content: Any, place: str) -> Iterator[Fault]:
    items = content.items() if isinstance(content, dict) else enumerate(content, start=1)
    for key, value in items:
        where = f"{place} (no. {key})" if isinstance(key, int) else f"{place}.{key}" if place else str(key)
        if isinstance(value, dict | list):
            yield from _open(value, where)
        elif value == OPEN and (key in WORDS or place.endswith("codes")):
            yield Fault(None, where, OPEN, f"still to be decided: {WORDS.get(str(key), CODE)}")
