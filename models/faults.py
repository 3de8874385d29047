"""What can be wrong with a user's input, said so that they can correct it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace


@dataclass(frozen=True)
class Fault:
    """One fault in a file.

    Attributes
    ----------
    row : int or None
        Row as a spreadsheet numbers it (the header is row 1); None where the fault is not in one row.
    column : str
        Column of the data, or key of the study file.
    value : str
        What stands there.
    allowed : str
        What may stand there.
    """

    row: int | None
    column: str
    value: str
    allowed: str

    def __str__(self) -> str:
        """One line for the terminal; long texts are cut, line breaks and other signs without a shape are shown."""
        where = f"row {self.row}, " if self.row is not None else ""
        column = _cut(self.column)
        shown = column if column.isprintable() else repr(column)
        return f"{where}{shown}: {_cut(self.value)!r} (allowed: {self.allowed})"


def _cut(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"


SHOWN = 10
"""Lines of faults in a message."""


def _alike(faults: Sequence[Fault]) -> list[list[Fault]]:
    """Faults in the order of the file, those that differ only by row together."""
    kinds: dict[tuple[str, str, str], list[Fault]] = {}
    for fault in faults:
        kinds.setdefault((fault.column, fault.value, fault.allowed), []).append(fault)
    return list(kinds.values())


def _line(alike: Sequence[Fault]) -> str:
    """One line for faults that differ only by row: `26 cells of arm: '2' (allowed: one of 0, 1), …`."""
    first = alike[0]
    if len(alike) == 1:
        return str(first)
    words = str(replace(first, row=None))
    return f"{len(alike)} cells of {words}" + (f", the first in row {first.row}" if first.row is not None else "")


class InvalidInput(Exception):  # noqa: N818 - reads as a sentence: raise InvalidInput(what, why, fix)
    """Input that is missing or cannot be analysed (exit code 3).

    Parameters
    ----------
    what, why, fix : str
        What failed, why, and what the user can do.
    faults : sequence of Fault
        Every fault found, in the order of the file.
    """

    def __init__(self, what: str, why: str, fix: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(what)
        self.what, self.why, self.fix, self.faults = what, why, fix, tuple(faults)

    def __reduce__(self) -> tuple:
        """Another process can hand it on: all four arguments make it again."""
        return type(self), (self.what, self.why, self.fix, self.faults)

    def __str__(self) -> str:
        """The message in three lines, and at most ten of faults: those that differ only by row are one."""
        kinds = _alike(self.faults)
        shown = [f"  - {_line(alike)}" for alike in kinds[:SHOWN]]
        if len(kinds) > SHOWN:
            shown.append(f"  … and {sum(map(len, kinds[SHOWN:]))} more")
        return "\n".join([f"What: {self.what}", f"Why:  {self.why}", *shown, f"Fix:  {self.fix}"])

    def as_json(self) -> str:
        """The message and every fault, for other programs."""
        faults = [asdict(fault) for fault in self.faults]
        content = {"valid": False, "what": self.what, "why": self.why, "fix": self.fix, "faults": faults}
        return json.dumps(content, ensure_ascii=False, indent=1)


class SamplerFailed(RuntimeError):  # noqa: N818 - named after what happened
    """The sampler stopped without a usable posterior (exit code 4)."""


class OutputExists(FileExistsError):  # noqa: N818 - named after what happened
    """Output would be overwritten without permission (exit code 7); `fix` is what the user can do."""

    fix = "Choose another --out, or add --force."


class OutputForeign(OutputExists):
    """The output path holds foreign files, which no option replaces."""

    fix = "Choose another --out, or move away what is there."
