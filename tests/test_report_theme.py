"""Colours: contrast of every pair that carries words or marks, in light and in dark (WCAG 2.2)."""

from __future__ import annotations

import re

import pytest

from reports.page.build import TEMPLATES
from reports.text import theme


def luminance(colour: str) -> float:
    """Relative luminance by WCAG."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    """Contrast ratio by WCAG."""
    bright, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_the_formula() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)  # the grey that WCAG names as just enough


@pytest.mark.parametrize("tokens", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("pairs", "least"), [(theme.TEXT_ON, 4.5), (theme.MARKS_ON, 3.0)], ids=["text", "marks"])
def test_contrast(tokens: dict[str, str], pairs, least: float) -> None:
    low = {
        pair: round(contrast(tokens[pair[0]], tokens[pair[1]]), 2)
        for pair in pairs
        if contrast(tokens[pair[0]], tokens[pair[1]]) < least
    }
    assert not low


def test_every_colour_is_a_token() -> None:
    css = (TEMPLATES / "style.css").read_text() + (TEMPLATES / "figure.css").read_text()
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(", css)
    used = set(re.findall(r"var\(--([\w-]+)", css)) - {"serif", "sans", "mono"}
    assert used <= set(theme.LIGHT)
    assert set(theme.LIGHT) == set(theme.DARK)


def test_every_pair_that_the_stylesheets_use_is_tested() -> None:
    """Each token that colours words or marks stands in the pairs above, on page and panel or on its own surface."""
    css = (TEMPLATES / "style.css").read_text() + (TEMPLATES / "figure.css").read_text()
    words = set(re.findall(r"(?<![-\w])color:var\(--([\w-]+)\)", css))
    words |= set(re.findall(r"text[\w.-]*\{fill:var\(--([\w-]+)\)", css)) | {"muted"}
    marks = set(re.findall(r"(?:fill|stroke):var\(--([\w-]+)\)", css))
    surfaces = {"paper", "panel", "band", "banner", "rule"}  # grid and rules carry no meaning: decoration
    tested = set(theme.TEXT_ON)
    for word in words:
        pairs = {("banner-ink", "banner")} if word == "banner-ink" else {(word, "paper"), (word, "panel")}
        assert pairs <= tested, word
    assert marks - surfaces <= {mark for mark, _ in (*theme.MARKS_ON, *theme.TEXT_ON)}
    grounds = set(re.findall(r"background:var\(--([\w-]+)\)", css))
    assert grounds <= {surface for _, surface in theme.TEXT_ON}
