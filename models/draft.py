"""A first study file for a data file that has none: guessed from names and contents, for a person to correct."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import tomli_w

from models import cells, dialect
from models.dialect import numbers
from models.trial_schema import TRUE_FALSE, labels

NAMES = {
    "participant": r"participant|\bwho\b|subject|patient|person|record.?id|^p?id$|_id$",
    "wave": r"wave|when|visit|time|month|week|round|period|event|occasion",
    "arm": r"arm|group|treat|trt|alloc|random|condition|intervention",
}
BEFORE = r"base|^pre|screen|before|^0$"
MOST_WAVES, MOST_LEVELS = 30, 8


def draft(path: Path) -> str:
    """Text of a study file for a data file, with comments that say what to decide.

    Raises
    ------
    InvalidInput
        If the file cannot be read as a table of four columns or more, in the usual encodings and separators.
    """
    data, table = dialect.guess(path)
    roles = _roles(table)
    varies = table.groupby(roles["participant"]).nunique().max() > 1
    rest = [name for name in table.columns if name not in roles.values()]
    values = {name: table[name].nunique() for name in rest}
    numeric = {name: numbers(table[name], data.decimal) == values[name] for name in rest}
    best = min(rest, key=lambda name: (not varies[name], values[name] != 2, not numeric[name]))
    fixed = [name for name in rest if name != best and not varies[name] and values[name] > 1]
    used = [name for name in fixed if numeric[name] or values[name] <= MOST_LEVELS]
    kind = {name: "continuous" if values[name] > MOST_LEVELS else "categorical" for name in used}
    covariates = [{"column": name, "kind": kind[name], "label": name, "adjust": False} for name in used]
    left = ", ".join(name for name in rest if name not in (best, *used))
    waves = _waves(table[roles["wave"]])
    top = {"title": path.stem, "simulated": False, "seed": 1, "primary_wave": waves[-1]["value"] if waves else "?"}
    parts: dict[str, Mapping[str, Any]] = {
        "Drafted from the columns of the data file: correct every line, then check again.": top,
        "How the file is written.": {"data": data.model_dump(exclude_defaults=True)},
        "Who, when, in which arm.": {"columns": roles},
        "Which arm is the control? Effects are treated minus control.": {"arms": _arms(table[roles["arm"]])},
        "In time order, months counted from baseline; role: baseline, negative control or follow-up.": {"waves": waves},
        "Outcome: kind, better lower or higher, the margin that matters; margin_reason is yours to write.": {
            "outcome": _outcome(table[best], data.decimal)
        },
        "Set adjust for those to adjust for, chosen before any outcome was seen.": {"covariates": covariates},
    }
    body = "\n".join(f"# {comment}\n{_toml(part)}" for comment, part in parts.items() if any(part.values()))
    wide = (
        ""
        if varies.any()
        else "# No participant has a second row: lay waves out as rows, not side by side as columns.\n"
    )
    return f"{body}\n{wide}# Without a role so far (further_outcomes, mediators, attendance): {left or 'none'}\n"


def _toml(part: Mapping[str, Any]) -> str:
    # a list of tables each under its own head: as one line it would belong to the table above it
    lists = {name: value for name, value in part.items() if isinstance(value, list)}
    items = [f"[[{name}]]\n{tomli_w.dumps(item)}" for name, value in lists.items() for item in value]
    return "\n".join(items) or tomli_w.dumps(part)


def _roles(table: pd.DataFrame) -> dict[str, str]:
    """The column whose name and content suit each role best; of two as good the one with the name."""
    roles: dict[str, str] = {}
    for role, pattern in NAMES.items():
        left = [name for name in table.columns if name not in roles.values()]
        named = {name: bool(re.search(pattern, name, re.IGNORECASE)) for name in left}
        roles[role] = max(left, key=lambda name: (named[name] + _suits(table, role, name, roles), named[name]))
    return roles


def _suits(table: pd.DataFrame, role: str, name: str, roles: dict[str, str]) -> bool:
    values, filled = table[name].nunique(), bool(table[name].notna().all())
    if role == "participant":
        return filled and values < len(table)
    if role == "wave":
        return filled and values <= MOST_WAVES and not table.duplicated([roles["participant"], name]).any()
    return values == 2 and bool((table.groupby(roles["participant"])[name].nunique() <= 1).all())


def _ordered(column: pd.Series, first: str) -> list[str]:
    """Labels as they appear, those that match a pattern before the others."""
    return sorted(labels(column).dropna().unique(), key=lambda text: not re.search(first, text, re.IGNORECASE))


def _arms(column: pd.Series) -> dict[str, dict[str, str]]:
    pairs = zip(("control", "treated"), _ordered(column, r"control|placebo|usual|^0$|^no"), strict=False)
    return {arm: {"value": value, "label": value} for arm, value in pairs}


def _waves(column: pd.Series) -> list[dict[str, Any]]:
    values = _ordered(column, BEFORE)
    number = [float((re.findall(r"[0-9]+", value) or ["nan"])[0]) for value in values]
    if values and re.search(BEFORE, values[0], re.IGNORECASE):
        number[0] = 0.0
    month = dict(zip(values, number, strict=True))
    if len(set(number)) < len(number) or any(map(math.isnan, number)):
        month = {value: float(place) for place, value in enumerate(values)}
    values.sort(key=lambda value: month[value])
    roles = ["follow-up" if place or len(values) == 1 else "baseline" for place in range(len(values))]
    return [{"value": v, "label": v, "month": month[v], "role": role} for v, role in zip(values, roles, strict=True)]


def _outcome(column: pd.Series, decimal: str) -> dict[str, Any]:
    values = _ordered(column, r"yes|^y|true|good|event|positive")
    binary = len(values) == 2
    found = [number for number in (cells.number(value, decimal) for value in values) if math.isfinite(number)]
    # no count is negative or has decimals
    kind = "binary" if binary else "continuous" if any(number < 0 or number % 1 for number in found) else "count"
    part = {"column": column.name, "kind": kind, "label": column.name, "better": "lower"}
    part |= {"margin": 0.1 if binary else 1.0, "margin_reason": ""}  # only its author can say why
    coded = binary and not {*values} <= {"0", "1", *TRUE_FALSE}
    return part | ({"codes": {values[0]: 1, values[1]: 0}} if coded else {})
