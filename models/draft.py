"""A first study file for a data file that has none: guessed from names and contents, for a person to correct."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import tomli_w

from models import dialect
from models.dialect import numbers
from models.trial_schema import TRUE_FALSE, labels

NAMES = {
    "participant": r"participant|subject|patient|person|record.?id|^p?id$|_id$",
    "wave": r"wave|visit|time|month|week|round|period|event|occasion",
    "arm": r"arm|group|treat|trt|alloc|random|condition|intervention",
}
MOST = {"participant": math.inf, "wave": 30, "arm": 2}
BEFORE = r"base|^pre|screen|before|^0$"
FEW = 8
"""Most levels of a variable that is taken for a categorical one."""


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
    outcome = min(rest, key=lambda name: (not varies[name], table[name].nunique() != 2, -numbers(table[name])))
    covariates = [_covariate(table[name]) for name in rest if name != outcome and not varies[name]]
    covariates = [part for part in covariates if part]
    left = ", ".join(name for name in rest if name not in (outcome, *(part["column"] for part in covariates)))
    waves = _waves(table[roles["wave"]])
    top = {"title": path.stem, "simulated": False, "seed": 1, "primary_wave": waves[-1]["value"]}
    parts: dict[str, Mapping[str, Any]] = {
        "Drafted from the columns of the data file: correct every line, then check again.": top,
        "How the file is written.": {"data": data.model_dump(exclude_defaults=True)},
        "Who, when, in which arm.": {"columns": roles},
        "Which arm is the control? Effects are treated minus control.": {"arms": _arms(table[roles["arm"]])},
        "In time order, months counted from baseline; role: baseline, negative control or follow-up.": {"waves": waves},
        "kind: binary or count; better: lower or higher; margin: smallest difference that matters.": {
            "outcome": _outcome(table[outcome])
        },
        "Set adjust for those to adjust for, chosen before any outcome was seen.": {"covariates": covariates},
    }
    body = "\n".join(f"# {comment}\n{_toml(part)}" for comment, part in parts.items() if any(part.values()))
    return f"{body}\n# Without a role so far (further_outcomes, mediators, attendance): {left or 'none'}\n"


def _toml(part: Mapping[str, Any]) -> str:
    # a list of tables each under its own head: as one line it would belong to the table above it
    lists = {name: value for name, value in part.items() if isinstance(value, list)}
    items = [f"[[{name}]]\n{tomli_w.dumps(item)}" for name, value in lists.items() for item in value]
    return "\n".join(items) or tomli_w.dumps(part)


def _roles(table: pd.DataFrame) -> dict[str, str]:
    """Columns by their names, with no more values than the role can have; failing that the first that is left."""
    roles: dict[str, str] = {}
    for role, pattern in NAMES.items():
        left = [name for name in table.columns if name not in roles.values()]
        fit = [name for name in left if 0 < table[name].nunique() <= MOST[role]] or left
        roles[role] = next((name for name in fit if re.search(pattern, name, re.IGNORECASE)), fit[0])
    return roles


def _ordered(column: pd.Series, first: str) -> list[str]:
    """Labels as they appear, those that match a pattern before the others."""
    return sorted(labels(column).dropna().unique(), key=lambda text: not re.search(first, text, re.IGNORECASE))


def _arms(column: pd.Series) -> dict[str, dict[str, str]]:
    pairs = zip(("control", "treated"), _ordered(column, r"control|placebo|usual|^0$|^no"), strict=False)
    return {arm: {"value": value, "label": value} for arm, value in pairs}


def _waves(column: pd.Series) -> list[dict[str, Any]]:
    values = _ordered(column, BEFORE)
    number = [
        0.0 if re.search(BEFORE, value, re.I) else float((re.findall(r"\d+", value) or ["nan"])[0]) for value in values
    ]
    month = dict(zip(values, number, strict=True))
    if len(set(number)) < len(number) or any(map(math.isnan, number)):
        month = {value: float(place) for place, value in enumerate(values)}
    values.sort(key=lambda value: month[value])
    roles = ["follow-up" if place or len(values) == 1 else "baseline" for place in range(len(values))]
    return [{"value": v, "label": v, "month": month[v], "role": role} for v, role in zip(values, roles, strict=True)]


def _outcome(column: pd.Series) -> dict[str, Any]:
    values = _ordered(column, r"yes|^y|true|good|event|positive")
    binary = len(values) == 2
    part = {"column": column.name, "kind": "binary" if binary else "count", "label": column.name, "better": "lower"}
    part |= {"margin": 0.1 if binary else 1.0, "margin_reason": "State why a smaller difference would not matter."}
    coded = binary and not {*values} <= {"0", "1", *TRUE_FALSE}
    return part | ({"codes": {values[0]: 1, values[1]: 0}} if coded else {})


def _covariate(column: pd.Series) -> dict[str, Any]:
    levels = column.nunique()
    numeric = numbers(column) == levels
    if levels < 2 or (levels > FEW and not numeric):
        return {}
    kind = "continuous" if levels > FEW else "categorical"
    return {"column": column.name, "kind": kind, "label": column.name, "adjust": False}
