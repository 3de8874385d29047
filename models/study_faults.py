"""Pydantic's findings about a study file, in words that a person can act on."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from models.faults import Fault

_WORDS = {
    "string_type": "a text in quotes",
    "string_too_short": "a text that is not empty",
    "string_unicode": "a text of valid characters",
    "float_type": "a number",
    "finite_number": "a finite number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "model_type": "a table",
    "dict_type": "a table",
    "tuple_type": "a list in square brackets",
}


def faults(error: ValidationError, keys: Iterable[str]) -> list[Fault]:
    """One fault for each finding, in the order of the rules.

    Parameters
    ----------
    error : ValidationError
        Raised by the study's model.
    keys : iterable of str
        Every key that a study file can have: an unknown one is compared with them.
    """
    known = sorted(set(keys))
    details = error.errors(include_url=False, include_context=False)
    # a list is also called too short when its entries are refused: those are what is wrong
    return [_fault(one, known) for one in details if one["type"] != "too_short" or not _within(one["loc"], details)]


def _within(place: tuple[int | str, ...], details: Iterable[ErrorDetails]) -> bool:
    """Whether something else is wrong inside a place."""
    return any(len(one["loc"]) > len(place) and one["loc"][: len(place)] == place for one in details)


def _fault(detail: ErrorDetails, known: list[str]) -> Fault:
    place, value = _place(detail["loc"]), detail["input"]
    if detail["type"] == "missing":
        return Fault(None, place, "missing", "an entry: it has no default")
    if detail["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(detail["loc"][-1]), known, n=1)
        return Fault(None, place, "unknown", "a key of the study file" + (f"; did you mean {near[0]}?" if near else ""))
    if detail["type"] == "value_error":  # our own rules say which entry of the table it is: "entry: what is allowed"
        key, _, words = detail["msg"].removeprefix("Value error, ").partition(": ")
        return Fault(None, f"{place}.{key}", _shown(value.get(key, "missing")), words)
    words = _WORDS.get(detail["type"]) or detail["msg"].removeprefix("Input should be ")
    if detail["type"] == "too_short" and (least := re.search(r"at least \d+", detail["msg"])):
        words = f"{least.group()} of them"
    return Fault(None, place, _shown(value), words)


def _place(steps: tuple[int | str, ...]) -> str:
    """Where it is: `waves (no. 2).month`."""
    words = ""
    for step in steps:
        words += f" (no. {step + 1})" if isinstance(step, int) else f".{step}" if words else step
    return words or "study file"


def _shown(value: object) -> str:
    if isinstance(value, dict | list | tuple):
        return "…"
    if isinstance(value, bool):
        return str(value).lower()
    try:
        return str(value)
    except ValueError:  # Python refuses to write out an integer of thousands of digits
        return "a number of thousands of digits"
