"""What a cell that cannot be used was probably meant to be: a guess beside the fault, never a correction."""

from __future__ import annotations

import difflib
import math
import re

from models.trial import cells
from models.trial.readers import codes
from models.trial.readers.value_labels import ValueLabels


def of_label(text: str, allowed: list[str], labels: ValueLabels | None) -> str:
    """Guess of a text in place of one of the labels that the study file names; blank where there is none."""
    code = labels.code.get(text) if labels else None
    if labels and (shared := next((label for label in labels.shared if code in labels.shared[label]), None)):
        return f"codes {' and '.join(labels.shared[shared])} of the file have one label, {shared!r}"
    if code in allowed and text != code:
        return f"{text!r} is the file's label of code {code}: write the label in the study file"
    plain = {re.sub(r"\W", "", word).casefold(): word for word in allowed}
    near = difflib.get_close_matches(re.sub(r"\W", "", text).casefold(), plain, n=1)
    return f"did you mean {plain[near[0]]!r}?" if near else ""


def of_number(text: str, decimal: str, labels: ValueLabels | None) -> str:
    """Guess of a text in place of a number; blank where there is none."""
    code = labels.code.get(text) if labels else None
    label = f"{text!r} is the file's label of code {code}; " if code is not None and code != text else ""
    number, other = cells.number(text, decimal), "," if decimal == "." else "."
    if label and math.isnan(number):
        return f"{label}if it means a missing value, list it in [data] missing, else give its number in codes"
    if codes.for_missing(number):
        return "a missing code? Then list it in [data] missing"
    if math.isnan(number) and not math.isnan(cells.number(text, other)):
        mark = "comma" if other == "," else "point"
        if re.fullmatch(r"[-−]?[1-9]\d{0,2}[.,]\d{3}", text.strip()):
            return f"does the {mark} separate thousands? Then take it out; if it marks decimals, set decimal in [data]"
        return f"a decimal {mark}? Then set decimal in [data]"
    return "if it means a missing value, list it in [data] missing" if codes.names_missing(text) else ""
