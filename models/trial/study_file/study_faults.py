"""Pydantic's findings about a study file, in words that a person can act on."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import get_args

from pydantic import BaseModel, ValidationError
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


def faults(error: ValidationError, study: type[BaseModel]) -> list[Fault]:
    """One fault for each finding, in the order of the rules.

    Parameters
    ----------
    error : ValidationError
        Raised by the study's model.
    study : type
        The study's model: an unknown key is compared with those of its table, and with those of the other tables.
    """
    tables = _tables(study)
    details = error.errors(include_url=False)
    # a list is also called too short when its entries are refused: those are what is wrong
    return [_fault(one, tables) for one in details if one["type"] != "too_short" or not _within(one["loc"], details)]


def _within(place: tuple[int | str, ...], details: Iterable[ErrorDetails]) -> bool:
    """Whether something else is wrong inside a place."""
    return any(len(one["loc"]) > len(place) and one["loc"][: len(place)] == place for one in details)


def _tables(model: type[BaseModel], name: str = "") -> dict[str, list[str]]:
    """Keys of each table of the study file, by the table's name."""
    found = {name: list(model.model_fields)}
    for key, field in model.model_fields.items():
        inner = next((kind for kind in _kinds(field.annotation) if issubclass(kind, BaseModel)), None)
        if inner:
            found |= _tables(inner, f"{name}.{key}" if name else key)
    return found


def _kinds(annotation: object) -> Iterable[type]:
    """The types in an annotation."""
    if isinstance(annotation, type):
        yield annotation
    for part in get_args(annotation):
        yield from _kinds(part)


def _unknown(place: tuple[int | str, ...], tables: Mapping[str, list[str]]) -> str:
    """What an unknown key may have been meant to be, and the keys of its table."""
    *steps, key = [str(step) for step in place if isinstance(step, str)]
    table = ".".join(steps)
    own = tables.get(table, [])
    near = difflib.get_close_matches(key, own, n=1, cutoff=0.7)
    others = [f"[{name}]" if name else "the top of the file" for name, keys in tables.items() if key in keys]
    allowed = f"a key of [{table}]" if table else "a key of the study file"
    if near:
        return f"{allowed}; did you mean {near[0]}?"
    if others:
        where = " and of ".join(others)
        return f"{allowed}; {key} is a key of {where}; those of {table or 'the top'}: {', '.join(own)}"
    few = "; only two arms are compared: leave out the rows of others" if table == "arms" else ""
    return f"{allowed}: {', '.join(own)}{few}"


def _fault(detail: ErrorDetails, tables: Mapping[str, list[str]]) -> Fault:
    place, value = _place(detail["loc"]), detail["input"]
    if detail["type"] == "missing":
        return Fault(None, place, "missing", "an entry: it has no default")
    if detail["type"] == "extra_forbidden":
        return Fault(None, place, "unknown", _unknown(detail["loc"], tables))
    if detail["type"] == "value_error":  # our own rules say which entry of the table it is: "entry: what is allowed"
        key, _, words = detail["msg"].removeprefix("Value error, ").partition(": ")
        return Fault(None, f"{place}.{key}", _shown(value.get(key, "missing")), words)
    words = _WORDS.get(detail["type"]) or detail["msg"].removeprefix("Input should be ")
    if detail["type"] == "too_short":
        words = f"at least {detail['ctx']['min_length']} of them"
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
