"""Which columns of a file are one variable at several waves, by their names: `y_0` and `y_3`, `t1_y` and `t2_y`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from models.trial.draft import occasions

_SIGN = r"[_.\- ]"
_UNIT = "|".join(sorted((*occasions.UNITS, *occasions.COUNTS), key=len, reverse=True))
_WORD = "|".join(sorted((*occasions.BEFORE, *occasions.AFTER), key=len, reverse=True))
_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_WHEN = rf"(?P<when>{_WORD}|(?:{_UNIT}){_SIGN}?{_NUMBER}|{_NUMBER}(?:{_UNIT})?)"
_CAPITALS = r"(?P<when>(?:T|M|W|V|D|FU|Month|Week|Visit|Wave|Time|Day|Year)[0-9]+|{})".format(
    "|".join(word.capitalize() for word in (*occasions.BEFORE, *occasions.AFTER))
)
_FORMS = (
    re.compile(rf"(?P<stem>.*[^_.\- ])(?P<sign>{_SIGN}){_WHEN}", re.IGNORECASE),
    re.compile(rf"(?P<stem>.*[a-z0-9])(?P<sign>){_CAPITALS}"),
    re.compile(rf"{_WHEN}(?P<sign>{_SIGN})(?P<stem>.*[^\W\d_].*)", re.IGNORECASE),
    re.compile(r"(?P<stem>.*[^\W\d])(?P<sign>)(?P<when>[0-9]+)"),
)
"""Before or after a sign, after a capital, or as digits at the end: the first form that a name has is its own."""


@dataclass(frozen=True)
class Wide:
    """Columns of a wide file.

    Attributes
    ----------
    waves : list of str
        What the names say of each wave, in time order.
    columns : dict of str to list of str
        By variable, its column at each wave; empty where it has none.
    """

    waves: list[str]
    columns: dict[str, list[str]]


def recognise(names: Iterable[str]) -> Wide | None:
    """Variables with a column for each of several waves; None where no two columns differ by their wave alone."""
    families: dict[tuple[int, str, str], dict[str, str]] = defaultdict(dict)
    for name in names:
        for form, pattern in enumerate(_FORMS):
            if found := pattern.fullmatch(name):
                families[form, found["sign"], found["stem"]].setdefault(found["when"].lower(), name)
                break
    several = [(form, set(places)) for (form, *_), places in families.items() if len(places) > 1]
    if not several:
        return None

    def evidence(which: tuple[int, set[str]]) -> tuple:
        form, waves = which
        told = any(map(occasions.before, waves)), any(not wave.isdigit() for wave in waves), form != len(_FORMS) - 1
        return (*told, sum(other <= waves for _, other in several), len(waves))

    waves = _in_time_order(max(several, key=evidence)[1], [wave for places in families.values() for wave in places])
    columns: dict[str, list[str]] = {}
    for (_, _, stem), places in families.items():
        # what has one column alone, at the first wave, is a baseline variable
        if set(places) <= set(waves) and (len(places) > 1 or waves[0] not in places) and stem not in columns:
            columns[stem] = [places.get(wave, "") for wave in waves]
    return Wide(waves, columns)


def _in_time_order(waves: set[str], as_they_stand: list[str]) -> list[str]:
    months = {wave: occasions.month(wave) for wave in waves}
    early = [wave for wave in waves if occasions.before(wave)]
    last = max((month for month in months.values() if month is not None), default=0.0)
    # a word for before is first, one for after is last; words of one kind as they stand in the file
    return sorted(
        waves,
        key=lambda wave: (
            wave not in early,
            months[wave] if months[wave] is not None else last + 1,
            as_they_stand.index(wave),
        ),
    )
