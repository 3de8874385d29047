"""Colours, one meaning each, in light and in dark; the page, the figures and the contrast test all read them here."""

from __future__ import annotations

LIGHT = {
    "paper": "#ffffff",
    "panel": "#f6f5f1",
    "ink": "#1b1f24",
    "muted": "#56606a",
    "rule": "#d8dbdf",
    "band": "#e9ecef",
    "treated": "#0b64a8",
    "control": "#a8500a",
    "difference": "#53409c",
    "prior": "#626b77",
    "pass": "#1a7336",
    "look": "#855600",
    "stop": "#b3261e",
    "link": "#0b5cad",
    "banner": "#ffe9a8",
    "banner-ink": "#4d3800",
}
DARK = {
    "paper": "#14171a",
    "panel": "#1d2125",
    "ink": "#e9e7e2",
    "muted": "#a9b1ba",
    "rule": "#3a4149",
    "band": "#2a3037",
    "treated": "#6db3f2",
    "control": "#f0a35e",
    "difference": "#b9abf5",
    "prior": "#98a2ad",
    "pass": "#6cc988",
    "look": "#e6b450",
    "stop": "#ff8f86",
    "link": "#7dbbff",
    "banner": "#4a3a08",
    "banner-ink": "#ffe9a8",
}
"""Tokens: surfaces (paper, panel, band, banner), text (ink, muted, link, banner-ink), marks, the gate's verdicts."""

_WORDS = ("ink", "muted", "link", "treated", "control", "difference", "prior", "pass", "look", "stop")
_MARKS = ("treated", "control", "difference", "prior", "pass", "look", "stop")

TEXT_ON = (
    *((text, surface) for surface in ("paper", "panel") for text in _WORDS),
    ("ink", "band"),
    ("muted", "band"),
    ("banner-ink", "banner"),
)
"""Pairs that carry words: at least 4.5:1."""

MARKS_ON = (
    *((mark, "paper") for mark in _MARKS),
    *((mark, "band") for mark in ("treated", "control", "difference", "prior")),
)
"""Pairs that carry data marks: at least 3:1."""


def variables(tokens: dict[str, str]) -> str:
    """CSS custom properties of one theme."""
    return "".join(f"--{name}:{value};" for name, value in tokens.items())


def stylesheet(scope: str = ":root") -> str:
    """Both themes: light by default and on paper, dark where the reader prefers it on screen."""
    dark = f"@media screen and (prefers-color-scheme:dark){{{scope}{{{variables(DARK)}}}}}"
    return f"{scope}{{{variables(LIGHT)}}}{dark}"
