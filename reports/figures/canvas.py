"""A sheet to draw on: SVG elements whose colours are classes, so that one drawing serves light, dark and paper.

Text stays text (selectable, in the page's own typeface), and every coordinate is rounded: equal data give equal bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from reports.text.words import clean

WIDE, NARROW = 760, 430
LINE = 16
"""Widths in pixels of the two layouts, and the height of a line of text."""


class Canvas:
    """Collects elements in painting order.

    Parameters
    ----------
    width, height : float
        Size of the drawing in pixels.
    """

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._elements: list[str] = []

    def line(self, x1: float, y1: float, x2: float, y2: float, style: str) -> None:
        """Straight line."""
        self._elements.append(f'<line class="{style}" x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"/>')

    def rect(self, x: float, y: float, width: float, height: float, style: str, radius: float = 0) -> None:
        """Rectangle; a negative width or height is taken as none."""
        round_ = f' rx="{_n(radius)}"' if radius else ""
        self._elements.append(
            f'<rect class="{style}" x="{_n(x)}" y="{_n(y)}" '
            f'width="{_n(max(width, 0))}" height="{_n(max(height, 0))}"{round_}/>'
        )

    def path(self, points: Iterable[tuple[float, float]], style: str, closed: bool = False) -> None:
        """Line through points, or the area that they bound."""
        steps = "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
        self._elements.append(f'<path class="{style}" d="M{steps}{"Z" if closed else ""}"/>')

    def hill(self, points: Sequence[tuple[float, float]], base: float, style: str) -> None:
        """Area between a line through points and the height `base`, and the line itself: `style`-area, `style`-line."""
        self.path([(points[0][0], base), *points, (points[-1][0], base)], f"{style}-area", closed=True)
        self.path(points, f"{style}-line")

    def curve(
        self, start: tuple[float, float], bend: tuple[float, float], end: tuple[float, float], style: str
    ) -> None:
        """Quadratic curve."""
        a, b, c, d, e, f = (_n(value) for value in (*start, *bend, *end))
        self._elements.append(f'<path class="{style}" d="M{a} {b}Q{c} {d} {e} {f}"/>')

    def head(self, tip: tuple[float, float], toward: float, style: str, size: float = 7) -> None:
        """Head of an arrow at `tip`, pointing along the angle `toward` (radians)."""
        sides = [
            (tip[0] - size * math.cos(toward + turn), tip[1] - size * math.sin(toward + turn)) for turn in (0.4, -0.4)
        ]
        self.path([tip, *sides], style, closed=True)

    def arrow(self, x1: float, y1: float, x2: float, y2: float, style: str) -> None:
        """Line that ends in a head; `style` applies to the line, `style`-head to the head."""
        self.line(x1, y1, x2, y2, style)
        self.head((x2, y2), math.atan2(y2 - y1, x2 - x1), f"{style}-head")

    def circle(self, x: float, y: float, radius: float, style: str) -> None:
        """Circle."""
        self._elements.append(f'<circle class="{style}" cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}"/>')

    def half(self, x: float, y: float, radius: float, style: str) -> None:
        """Left half of a disc."""
        a, b, c, r = (_n(value) for value in (x, y - radius, y + radius, radius))
        self._elements.append(f'<path class="{style}" d="M{a} {b}A{r} {r} 0 0 0 {a} {c}Z"/>')

    def marker(self, shape: str, x: float, y: float, size: float, style: str) -> None:
        """One data mark: "circle", "square", "diamond" or "triangle", about `size` pixels across."""
        half = size / 2
        if shape == "circle":
            return self.circle(x, y, half, style)
        corners = {
            "square": [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
            "diamond": [(0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0)],
            "triangle": [(0, -1.1), (1.05, 0.8), (-1.05, 0.8)],
        }[shape]
        return self.path([(x + half * dx, y + half * dy) for dx, dy in corners], style, closed=True)

    def text(self, x: float, y: float, words: str, style: str = "", anchor: str = "start") -> None:
        """Line of text on the baseline `y`; anchor start, middle or end; what would leave the sheet is cut."""
        room = {"start": self.width - x, "middle": 2 * min(x, self.width - x), "end": x}[anchor]
        size = 12 if {"note", "tick"} & set(style.split()) else 13
        words = fitted(clean(words), room, size)
        where = "" if anchor == "start" else f' text-anchor="{anchor}"'
        name = f' class="{style}"' if style else ""
        self._elements.append(f'<text{name} x="{_n(x)}" y="{_n(y)}"{where}>{escape(words)}</text>')

    def block(self, x: float, y: float, rows: Sequence[str], style: str = "", anchor: str = "start") -> None:
        """Lines of text under each other, the first on the baseline `y`."""
        for place, row in enumerate(rows):
            self.text(x, y + place * LINE, row, style, anchor)

    def svg(self, name: str, title: str, description: str, form: str) -> str:
        """Drawing as an SVG element that names and describes itself; `form` is "wide" or "narrow"."""
        ident = f"figure-{name}-{form}"
        return (
            f'<svg class="chart {form}" xmlns="http://www.w3.org/2000/svg" '
            f'viewBox="0 0 {_n(self.width)} {_n(self.height)}" role="img" '
            f'aria-labelledby="{ident}-title {ident}-desc"><title id="{ident}-title">{escape(title)}</title>'
            f'<desc id="{ident}-desc">{escape(description)}</desc>{"".join(self._elements)}</svg>'
        )


class Linear:
    """A linear scale from data to pixels."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.high, self.start, self.end = low, high, start, end

    def __call__(self, value: float) -> float:
        """Pixel of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def many(self, values: np.ndarray) -> list[float]:
        """Pixels of many values."""
        return [self(float(value)) for value in values]

    def held(self, value: float) -> float:
        """Pixel of a value, kept inside the scale."""
        return self(min(max(value, self.low), self.high))


def ticks(low: float, high: float, about: int = 6) -> list[float]:
    """Round numbers (1, 2, 2.5 or 5 times a power of ten) inside [low, high]."""
    raw = (high - low) / max(about, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * unit for unit in (1, 2, 2.5, 5, 10) if power * unit >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(place * step, 10) + 0.0 for place in range(first, math.floor(high / step + 1e-9) + 1)]


def density(draws: np.ndarray, grid: np.ndarray, low: float = -math.inf, high: float = math.inf) -> np.ndarray:
    """Gaussian kernel density of draws on an even grid (Silverman's width), reflected at the bounds of the quantity.

    Parameters
    ----------
    draws : ndarray
        One row of draws.
    grid : ndarray
        Evenly spaced points.
    low, high : float
        Bounds that the quantity cannot pass.

    Returns
    -------
    ndarray
        Density per unit of the draws, shape of `grid`.
    """
    quartiles = np.quantile(draws, [0.25, 0.75])
    # the SD of a heavy prior can overflow; the quartiles cannot
    with np.errstate(over="ignore", invalid="ignore"):
        deviation = float(draws.std())
    spread = min(deviation if deviation > 0 else math.inf, (quartiles[1] - quartiles[0]) / 1.349)
    spread = spread if 0 < spread < math.inf else 1e-12
    width = 0.9 * spread * draws.size**-0.2
    near = draws[(draws > grid[0] - 4 * width) & (draws < grid[-1] + 4 * width)]
    counts, edges = np.histogram(near, bins=512)
    middles = (edges[:-1] + edges[1:]) / 2
    total = np.zeros_like(grid)
    for image in (middles, 2 * low - middles, 2 * high - middles):
        if np.isfinite(image).all():
            total += np.exp(-0.5 * ((grid[:, None] - image[None, :]) / width) ** 2) @ counts
    return np.where((grid >= low) & (grid <= high), total / (draws.size * width * math.sqrt(2 * math.pi)), 0.0)


def measured(text: str, size: float = 13) -> float:
    """Rough width of a text in pixels, on the generous side: enough to keep labels apart and inside."""
    return size * sum(_breadth(sign) for sign in text)


def _breadth(sign: str) -> float:
    """Width of a letter, its height being 1, in a bold sans serif such as Liberation Sans or Arial."""
    if sign in "iljtfrI.,:;'|!()[] -·":
        return 0.33
    if sign in "WM@%mw…":
        return 0.95
    if sign.isupper():
        return 0.7
    if ord(sign) < 0x250 or sign in "−≥≤±μτ–“”’":
        return 0.58
    return 0.7 if sign.isalpha() and ord(sign) < 0x1000 else 1.05


def fitted(text: str, room: float, size: float = 13) -> str:
    """The text, cut with an ellipsis where it would not fit into `room` pixels."""
    cut = len(text)
    while cut > 1 and measured(text[:cut], size) + (size if cut < len(text) else 0) > room:
        cut -= 1
    return text if cut == len(text) else text[:cut].rstrip() + "…"


def _n(value: float) -> str:
    """Coordinate with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0") if math.isfinite(value) else _refuse(value)


def _refuse(value: float) -> str:
    raise ValueError(f"a coordinate of a figure is {value}")
