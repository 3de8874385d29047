"""What the text of one cell stands for: a label or a number. The study file's own labels go through the same rule."""

from __future__ import annotations

import math
import re

_WHOLE = re.compile(r"(-?[0-9]+)\.0+")
_NUMBER = {
    mark: re.compile(rf"[+-]?([0-9]+({re.escape(mark)}[0-9]*)?|{re.escape(mark)}[0-9]+)([eE][+-]?[0-9]+)?")
    for mark in (".", ",")
}


def label(text: str) -> str:
    """A label without the decimals of a whole number: tools write 1 as `1` or as `1.0`; `007` stays as it is."""
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text


def number(text: str, decimal: str = ".") -> float:
    """The number that a text stands for, in double precision; NaN where it is none.

    The decimal sign is the only sign understood: 1,000 is no number where it is the point, so that a separator of
    thousands can never be read as one of decimals. Infinity is not a number here; one too large becomes infinite.
    """
    if not _NUMBER[decimal].fullmatch(text):
        return math.nan
    return float(text.replace(decimal, "."))
