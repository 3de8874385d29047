"""Which texts of a file mean a missing value: words as they stand, numbers as numbers."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from models.trial import cells
from models.trial.study_file.study_part import MISSING, Data

_NAME = re.compile(r"0[0-9]+")
"""Digits that are a name and no number, such as 099."""


@dataclass(frozen=True)
class MissingValues:
    """What stands for a missing value in one column.

    Attributes
    ----------
    usual : frozenset of str
        Words that do in any file.
    listed : frozenset of str
        Words that the study file lists.
    numbers : frozenset of float
        Numbers that it lists.
    decimal : str
        Decimal sign of the cells.
    """

    usual: frozenset[str]
    listed: frozenset[str]
    numbers: frozenset[float]
    decimal: str

    @classmethod
    def of(cls, data: Data, numbers: bool = True) -> MissingValues:
        """Those of a `[data]` table; `numbers` is false for a column in which a number is a name."""
        # the study file may write a number with a point whatever sign its data use
        found = {word: {_number(word, mark) for mark in (".", ",")} - {None} for word in data.missing}
        words = frozenset(word for word, values in found.items() if not values)
        values = frozenset(number for listed in found.values() for number in listed if number is not None)
        usual = frozenset() if data.missing_only else frozenset(MISSING)
        return cls(usual, words, values if numbers else frozenset(), data.decimal_mark)

    def lists(self, text: str) -> bool:
        """Whether the study file itself lists a text."""
        return text in self.listed or (bool(self.numbers) and _number(text, self.decimal) in self.numbers)

    def __contains__(self, text: str) -> bool:
        return text in self.usual or self.lists(text)


def _number(text: str, decimal: str) -> float | None:
    number = cells.number(text, decimal)
    return None if math.isnan(number) or _NAME.fullmatch(text) else number
