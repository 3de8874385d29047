"""Numbers and words that files use for missing values: what is likely to be a code, and no measurement."""

from __future__ import annotations

import math
import re

_NUMBERS = re.compile(r"-[1-9]|[789]|-?(9+[678]?|8{2,}|7{2,}|6{2,}|5{3,})(\.9+)?")
_WORDS = re.compile(
    r"miss|refus|declined? to|prefer not|(don.?t|do not|does not) know|^(dk|rf|n/?a|nr|nd|-+|\?+)$|unknown|inapplicable"
    r"|not (asked|applicable|answered|available|done|recorded|known|ascertained|stated|reported|assessed|measured)"
    r"|no (answer|response|data|reply)|skipped|invalid|illegible|wei(ss|ß) nicht|keine angabe|sans réponse|no sabe",
    re.IGNORECASE,
)


def for_missing(number: float) -> bool:
    """Whether a number is one that people choose as a missing code: -9, 77, 99, 998, 9999, 99.9."""
    return math.isfinite(number) and bool(_NUMBERS.fullmatch(f"{number:.10g}"))


def names_missing(text: str) -> bool:
    """Whether a label says that a value is missing: refused, don't know, not asked."""
    return bool(_WORDS.search(text))
