"""What the data alone say against an analysis, before anything is fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One thing that a reader must know of a trial's data.

    Attributes
    ----------
    kind : str
        Which check found it, in a few words that do not change: "baseline difference".
    message : str
        What was found, and what to do about it, in sentences.
    status : str
        "note": to be told; "amber": the page must not be green; "red": its numbers must not be read.
    """

    kind: str
    message: str
    status: Literal["note", "amber", "red"]
