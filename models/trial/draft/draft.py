"""A first study file for a data file that has none: guessed from names and contents, for a person to correct."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from models.trial import cells
from models.trial.draft import draft_parts, draft_roles, occasions
from models.trial.draft.wide_names import Wide
from models.trial.readers import dialect, value_labels
from models.trial.readers.dialect import numbers
from models.trial.study_file.undecided import OPEN
from models.trial.trial_schema import TRUE_FALSE, labels

ATTENDED = r"session|attend|adheren|complian"
"""Names of what is counted after the start: no baseline variable."""


@dataclass(frozen=True)
class Draft:
    """A study file to begin with.

    Attributes
    ----------
    text : str
        TOML, with comments that say what to decide; `?` stands where the data do not say.
    remarks : tuple of str
        What its author must know before anything else.
    """

    text: str
    remarks: tuple[str, ...]


def draft(path: Path) -> Draft:
    """Draft a study file for a data file.

    Raises
    ------
    InvalidInput
        If the file cannot be read as a table of four columns or more, in the usual encodings and separators.
    """
    data, table = dialect.guess(path)
    order = {name: found.order for name, found in value_labels.of(table).items()}
    wide = draft_roles.wide(table)
    long = draft_roles.long(table, wide) if wide else table
    roles = draft_roles.roles(long, ("participant", "arm") if wide else draft_roles.NAMES)
    varies = long.groupby(roles["participant"]).nunique().max() > 1
    rest = [name for name in long.columns if name not in (*roles.values(), draft_roles.WAVE)]
    values = {name: long[name].nunique() for name in rest}
    numeric = {name: numbers(long[name], data.decimal) == values[name] for name in rest}
    best = min(rest, key=lambda name: (not varies[name], values[name] != 2, not numeric[name]))
    used = [
        name
        for name in rest
        if name != best
        and not varies[name]
        and values[name] > 1
        and (numeric[name] or values[name] <= draft_parts.MOST_LEVELS)
        and not re.search(ATTENDED, name, re.IGNORECASE)
    ]
    when = wide.waves if wide else list(labels(table[roles["wave"]]).dropna().unique())
    waves = draft_parts.waves(when, roles.get("wave", ""), order.get(roles.get("wave", ""), []))
    arms = draft_parts.ordered(long[roles["arm"]], order.get(roles["arm"], []))
    coded = (
        bool(order.get(roles["arm"])) or {*arms} <= {*TRUE_FALSE} or all(map(math.isfinite, map(cells.number, arms)))
    )
    two, outcome = draft_parts.arms(arms, coded), draft_parts.outcome(long[best], data.decimal)
    left = [name for name in rest if name not in (best, *used)]
    parts: dict[str, Mapping[str, Any]] = {
        "Drafted from the columns of the data file: correct every line, then check again.": {
            "title": path.stem,
            "simulated": False,
            "seed": 1,
            "primary_wave": waves[-1]["value"] if waves else OPEN,
        },
        "How the file is written.": {"data": data.model_dump(exclude_defaults=True)},
        "Who, when, in which arm.": {"columns": roles},
        'Columns that hold a variable, one for each wave in the order of [[waves]]; "" where it was not measured.': {
            "wide": (wide.columns or {best: [best]}) if wide else {}
        },
        "Which arm is the control? Effects are treated minus control.": {"arms": two},
        "In time order, months counted from baseline; role: baseline, negative control or follow-up.": {"waves": waves},
        "Outcome: kind, better lower or higher, the margin that matters; margin_reason is for you to write.": {
            "outcome": outcome
        },
        "Set adjust for those to adjust for, chosen before any outcome was seen.": {
            "covariates": [draft_parts.covariate(long[name], order.get(name, [])) for name in used]
        },
    }
    remarks = (*_of_roles(roles, arms, two, outcome), *_of_waves(wide, waves))
    return Draft(_text(parts, remarks, left), remarks)


def _of_roles(
    roles: Mapping[str, str], arms: list[str], two: Mapping[str, Any], outcome: Mapping[str, Any]
) -> Iterator[str]:
    """What of arms and outcome the data do not say."""
    if len(arms) > 2:
        yield (
            f"{roles['arm']} holds {len(arms)} arms: {', '.join(arms)}. Only two can be compared: name them in [arms], "
            "and list the values of the others in [data] leave_out."
        )
    elif two["control"]["value"] == OPEN:
        yield f"Nothing says which of {' and '.join(map(repr, arms))} is the control: [arms] is for you to write."
    elif draft_parts.by_code(arms):
        yield f"Only the order of the codes says that {two['control']['value']!r} is the control: check [arms]."
    if OPEN in outcome.get("codes", {}).values():
        yield f"Nothing says which value of {outcome['column']} is the event: its codes are for you to write."


def _of_waves(wide: Wide | None, waves: list[dict[str, Any]]) -> Iterator[str]:
    """What of layout and waves the data do not say."""
    if wide and wide.columns:
        shown = "; ".join(", ".join(filter(None, places)) for places in wide.columns.values())
        yield f"The file is wide, one row a participant: [wide] says which columns are of which wave ({shown}). Check."
    elif wide:
        yield "No participant has a second row: [wide] says that the outcome was measured once."
    if len(waves) > 1 and not occasions.months([wave["value"] for wave in waves]):
        yield "No label says in which months the waves were: 0, 1, 2 are their places, for you to correct."
    yield from (
        f"Nothing says whether the wave {wave['value']!r} was measured before the programme could act: its role is "
        "for you to write."
        for wave in waves
        if wave["role"] == OPEN
    )


def _text(parts: Mapping[str, Mapping[str, Any]], remarks: tuple[str, ...], left: list[str]) -> str:
    body = "\n".join(f"# {comment}\n{_toml(part)}" for comment, part in parts.items() if any(part.values()))
    warnings = "".join(f"# {_one_line(remark)}\n" for remark in remarks)
    names = _one_line(", ".join(left))
    return f"{warnings}{body}\n# Without a role so far (further_outcomes, mediators, attendance): {names or 'none'}\n"


def _one_line(words: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in words)


def _toml(part: Mapping[str, Any]) -> str:
    # a list of tables each under its own head: as one line it would belong to the table above it
    lists = {name: value for name, value in part.items() if isinstance(value, list)}
    items = [f"[[{name}]]\n{tomli_w.dumps(item)}" for name, value in lists.items() for item in value]
    text = "\n".join(items) or tomli_w.dumps(part)
    return re.sub(r"\[\n((?: {4}.*,\n)+)\]", lambda found: f"[{', '.join(_entries(found[1]))}]", text)


def _entries(lines: str) -> list[str]:
    return [line.strip().removesuffix(",") for line in lines.splitlines()]
