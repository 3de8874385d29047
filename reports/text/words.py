"""Text that users wrote, made safe to set: no control or direction characters, a length that a layout can hold."""

from __future__ import annotations

import re
import unicodedata

_PREPOSITIONS = ("after", "before", "at", "in", "on", "during", "by", "within", "from", "through")


def clean(text: object) -> str:
    """One line of plain text, without the characters that reorder, hide or end it (Unicode Cc, Cf, Cs, Zl, Zp)."""
    spaced = re.sub(r"\s+", " ", str(text))
    if spaced.isprintable():  # as nearly every text is: none of those characters
        return spaced.strip()
    kept = (
        sign
        for sign in spaced
        if unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") or sign == "\u200d"
    )
    return "".join(kept).strip()


def short(text: object, length: int = 80) -> str:
    """At most `length` characters, cut at a word where there is one near, with an ellipsis."""
    whole = clean(text)
    if len(whole) <= length:
        return whole
    cut = whole[: length - 1]
    word = cut.rfind(" ")
    return (cut[:word] if word > length * 0.6 else cut).rstrip(" ,;:") + "…"


def capital(text: str) -> str:
    """First letter as a sentence begins."""
    return text[:1].upper() + text[1:]


def minus(text: str) -> str:
    """Text with a true minus sign before its negative numbers; exponents and ranges stay as they are."""
    return re.sub(r"(?<![\w.-])-(?=\d)", "\u2212", text)


def lines(text: object, length: int, most: int = 3) -> tuple[str, ...]:
    """Break into at most `most` lines of about `length` characters, for figures; a word longer than a line is cut."""
    found: list[str] = [""]
    for word in clean(text).split():
        word = short(word, length)
        if found[-1] and len(found[-1]) + 1 + len(word) > length:
            found.append("")
        found[-1] = f"{found[-1]} {word}".strip()
    if len(found) <= most:
        return tuple(found)
    return (*found[: most - 1], short(" ".join(found[most - 1 :]), length))


def at(wave_label: str) -> str:
    """Wave's label as the start of a sentence: "At 6 months", "After the training"."""
    first = wave_label.split(" ", 1)[0].casefold()
    return capital(wave_label) if first in _PREPOSITIONS else f"At {wave_label}"


def agreeing(number: str, plural: str) -> str:
    """Set a unit to agree with the number before it: "1 percentage point", "1 event"."""
    noun, per, rest = plural.partition(" per ")
    return f"{noun.removesuffix('s')}{per}{rest}" if number.lstrip("\u2212") == "1" else plural


def listed(parts: tuple[str, ...] | list[str]) -> str:
    """Words joined as in prose: "a", "a and b", "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def count(number: int, noun: str, plural: str = "") -> str:
    """Set a noun with its number: "1 check", "3 checks"."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
