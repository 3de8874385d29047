"""Which columns of an unknown file say who, when and in which arm, and whether each wave has columns of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from models.faults import InvalidInput
from models.trial.draft import wide_names
from models.trial.draft.wide_names import Wide

NAMES = {
    "participant": r"participant|\bwho\b|subj|patient|person|record.?id|^p?id$|_?id$",
    "wave": r"wave|when|visit|^a?vis|time|month|week|round|period|event|occasion",
    "arm": r"arm|group|treat|trt|alloc|random|condition|intervention",
}
MOST_WAVES, MOST_ARMS = 30, 6
WAVE = "wave of a wide file"
ONCE = "once"
"""The one wave of a file in which nothing was measured twice."""
REPEATED = 1.1
"""Rows a participant up to which a file is none with a row for each wave: some are entered twice."""


def roles(table: pd.DataFrame, wanted: Iterable[str]) -> dict[str, str]:
    """The column whose name and content suit each role best; of two as good the one with the name.

    Parameters
    ----------
    table : DataFrame
        A row for each participant and wave.
    wanted : iterable of str
        Keys of `NAMES`; where there are none, `WAVE` says when.

    Raises
    ------
    InvalidInput
        Nothing looks like the arm.
    """
    found: dict[str, str] = {}
    for role in tuple(wanted) or ("participant", "arm"):
        left = [name for name in table.columns if name not in found.values() and name != WAVE]
        named = {name: bool(re.search(NAMES[role], name, re.IGNORECASE)) for name in left}
        score = {name: named[name] + _suits(table, role, name, found) for name in left}
        found[role] = max(left, key=lambda name: (score[name], named[name]))
        if role == "arm" and not score[found[role]]:
            raise InvalidInput(
                "No column of the file looks like the arm.",
                f"None has an arm's name, and none has 2 to {MOST_ARMS} values of which each participant has one.",
                "Add the column that says who was randomised to what, or write the study file by hand.",
            )
    return found


def _suits(table: pd.DataFrame, role: str, name: str, found: dict[str, str]) -> float:
    values, filled = table[name].nunique(), bool(table[name].notna().all())
    if role == "participant":
        return filled and values < len(table)
    if role == "wave":
        return filled and values <= MOST_WAVES and not table.duplicated([found["participant"], name]).any()
    constant = bool((table.groupby(found["participant"])[name].nunique() <= 1).all())
    return constant * (1.0 if values == 2 else 0.5 if 2 < values <= MOST_ARMS else 0.0)


def wide(table: pd.DataFrame) -> Wide | None:
    """How a wide file is laid out; None where participants have several rows.

    A file in which nobody has a second row and no names differ by a wave has one wave, `ONCE`.
    """
    filled = [name for name in table.columns if table[name].notna().all()]
    named = [name for name in filled if re.search(NAMES["participant"], name, re.IGNORECASE)]
    who = max(named or filled, key=lambda name: table[name].nunique(), default=None)
    if who is None or len(table) > REPEATED * table[who].nunique():
        return None
    found = wide_names.recognise(table.columns)
    if found and who not in {name for places in found.columns.values() for name in places}:
        return found
    return Wide([ONCE], {})


def long(table: pd.DataFrame, layout: Wide) -> pd.DataFrame:
    """The table with a row for each participant and wave, as the study file will have it read."""
    varying = {name for places in layout.columns.values() for name in places}
    fixed = [name for name in table.columns if name not in varying]
    pieces = []
    for place, wave in enumerate(layout.waves):
        columns = {stem: places[place] for stem, places in layout.columns.items()}
        values = {stem: table[name] if name else pd.NA for stem, name in columns.items()}
        pieces.append(table[fixed].assign(**values, **{WAVE: wave}))
    return pd.concat(pieces)
