"""What the codes of a labelled file (Stata, SPSS) stand for: the text shown for each, in the order of the codes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from models.trial import cells
from models.trial.study_file.missing_values import MissingValues

_ATTRIBUTE = "value labels"


@dataclass(frozen=True)
class ValueLabels:
    """Value labels of one column.

    Attributes
    ----------
    code : dict of str to str
        The code behind each text of the column, in the order of the codes: numbers by size. Codes without a label
        stand for themselves; codes that no row has are listed where they have a label.
    shared : dict of str to list of str
        Labels of more than one code; each code is shown as a text of its own, `Clinic (1)` and `Clinic (2)`.
    """

    code: dict[str, str]
    shared: dict[str, list[str]]

    @property
    def order(self) -> list[str]:
        """The column's texts, in the order of their codes."""
        return list(self.code)


def name(
    labels: Mapping[str, str], present: Iterable[str], missing: MissingValues
) -> tuple[dict[str, str | None], ValueLabels]:
    """Text of each code, None where it means a missing value; two codes never get one text.

    Parameters
    ----------
    labels : mapping of str to str
        Label of each labelled code.
    present : iterable of str
        Codes that the column holds.
    missing : MissingValues
        What means a missing value: of a labelled code only what the study file itself lists, as a code or as a label. A
        label that is blank, or that means a missing value in other files (`NA`, `.`), names nothing: the code is kept.
    """
    here = set(present)
    texts: dict[str, str | None] = {}
    for code in sorted({*labels, *here}, key=_size):
        label = cells.label(labels.get(code, "").strip())
        listed = missing.lists(code) or missing.lists(label)
        texts[code] = None if listed else label if label and label not in missing else code
    codes = defaultdict(list)
    for code in (code for code in texts if code in here):
        codes[texts[code]].append(code)
    shared = {text: listed for text, listed in codes.items() if text is not None and len(listed) > 1}
    texts |= {code: f"{text} ({code})" for text, listed in shared.items() for code in listed}
    code_of = {text: code for code, text in texts.items() if text is not None and code not in here}
    code_of |= {text: code for code, text in texts.items() if text is not None and code in here}
    return texts, ValueLabels({text: code_of[text] for text in texts.values() if text in code_of}, shared)


def _size(code: str) -> tuple[bool, float, str]:
    number = cells.number(code)
    return (number != number, 0.0 if number != number else number, code)


def attach(table: pd.DataFrame, found: Mapping[str, ValueLabels]) -> pd.DataFrame:
    """Hand the value labels of a table's columns on with the table."""
    table.attrs[_ATTRIBUTE] = dict(found)
    return table


def of(table: pd.DataFrame) -> dict[str, ValueLabels]:
    """Value labels of a table's columns, by column; none of a column or of a kind of file without labels.

    `of(table)["arm"].order` is the order that the codes give to the arms; a text of it may be in no row.
    """
    return table.attrs.get(_ATTRIBUTE, {})
