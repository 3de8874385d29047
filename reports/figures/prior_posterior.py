"""Prior and posterior side by side: what the data added, quantity by quantity."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from reports.figures import panels as small
from reports.figures.canvas import NARROW, WIDE, Canvas, Linear, density, measured, ticks
from reports.figures.ranks import SPREADS
from reports.text import before
from reports.text.facts import Facts
from reports.text.numbers import PLAIN, Unit, show, tick_text
from reports.text.parts import Figure
from reports.text.people import ARMS

NAME = "priors"
BODY = 150
"""Height of a panel below its heading."""


@dataclass(frozen=True)
class Panel:
    """Two densities of one quantity on one grid."""

    quantity: str
    wave: str
    unit: Unit
    grid: np.ndarray
    posterior: np.ndarray
    prior: np.ndarray
    contraction: float | None
    """Of a parameter; none of a level or difference, whose prior is spread over what the data know at once."""

    @property
    def learned(self) -> str:
        """Contraction as printed."""
        return "" if self.contraction is None else f"contraction {show(self.contraction).text}"

    @property
    def label(self) -> str:
        """Quantity and wave in one line."""
        return ", ".join(part for part in (self.quantity, self.wave) if part)


def panels(facts: Facts) -> list[Panel]:
    """Levels and difference at the primary wave, the effect's own parameter at each, and participants' spread."""
    scale, wave = facts.scale, facts.primary
    found = []
    floor, top = -math.inf if facts.continuous else 0.0, 1.0 if facts.binary else math.inf
    for arm in ARMS:
        where = {"average": "population", "arm": arm, "wave": wave}
        posterior, prior = (facts.draws(scale.level, where, prior=is_prior) for is_prior in (False, True))
        name = f"{scale.level_word}, {facts.arm(arm).text}"
        found.append(_panel(name, facts.wave(wave), scale.level_unit, posterior, prior, floor, top))
    where = {"average": "population", "contrast": wave}
    given = before.differences(facts, wave)
    prior = facts.draws(scale.difference, where, prior=True) if given is None else given
    name = scale.difference_name.lower()
    found.append(_panel(name, facts.wave(wave), scale.difference_unit, facts.draws(scale.difference, where), prior))
    known = [name for name in facts.contrasts if facts.estimate(scale.difference, name).identified]
    for other in [wave, *(name for name in known if name != wave)][:5]:
        share = before.contraction(facts, other)
        if share is not None:
            posterior, prior = (
                facts.parameter(before.EFFECT, prior=is_prior, follow_up=other).ravel() for is_prior in (False, True)
            )
            name = f"effect of arm ({facts.parameter_scale})"
            found.append(_panel(name, facts.wave(other), PLAIN, posterior, prior, learned=share))
    for parameter, label in SPREADS.items():
        if parameter in facts.group("posterior") and parameter in facts.group("prior"):
            posterior, prior = (facts.spread(parameter, prior=is_prior)[0].ravel() for is_prior in (False, True))
            unit = "SDs of the first wave" if facts.continuous else "link scale"
            share = 1 - float(posterior.var(ddof=1) / prior.var(ddof=1))
            found.append(_panel(label, unit, PLAIN, posterior, prior, 0.0, learned=share))
    return found


def _panel(
    quantity: str,
    wave: str,
    unit: Unit,
    posterior: np.ndarray,
    prior: np.ndarray,
    low: float = -math.inf,
    high: float = math.inf,
    learned: float | None = None,
) -> Panel:
    grid = _grid(posterior, prior, low, high)
    after, ahead = (density(draws, grid, low, high) for draws in (posterior, prior))
    return Panel(quantity, wave, unit, grid, after, ahead, learned)


def _grid(posterior: np.ndarray, prior: np.ndarray, low: float, high: float) -> np.ndarray:
    """All of the posterior, and of the prior as much as leaves the posterior wide enough to see."""
    ends, middle, wide = np.quantile(posterior, [0.0005, 0.9995]), float(np.median(posterior)), float(posterior.std())
    most = np.quantile(prior, [0.02, 0.98])
    start = max(low, min(ends[0], max(most[0], middle - 12 * wide)))
    stop = min(high, max(ends[1], min(most[1], middle + 12 * wide)))
    return np.linspace(start, max(stop, start + 1e-9), 121)


def draw(facts: Facts) -> Figure:
    """Small multiples; the prior dashed, the posterior filled."""
    found = panels(facts)
    known = sorted(panel.contraction for panel in found if panel.contraction is not None)
    title = "Prior (dashed) and posterior (filled)"
    if known:
        title += f": contraction of parameters from {show(known[0]).text} to {show(known[-1]).text}"
    reported = "; ".join(f"{panel.label}: {panel.learned}" if panel.learned else panel.label for panel in found)
    description = (
        f"Density curves in {len(found)} panels, prior and posterior of the same quantity on one axis. {reported}."
    )

    def layout(width: float, form: str) -> str:
        return _layout(found, width).svg(NAME, title, description, form)

    rows = tuple(
        (panel.label, float(x), float(prior), float(posterior))
        for panel in found
        for x, prior, posterior in zip(panel.grid, panel.prior, panel.posterior, strict=True)
    )
    columns = ("quantity", "value", "prior_density", "posterior_density")
    return Figure(NAME, title, description, layout(WIDE, "wide"), layout(NARROW, "narrow"), columns, rows)


def _layout(found: list[Panel], width: float) -> Canvas:
    columns, gap = (3, 28) if width > 500 else (2, 22)
    places, height = small.grid([(one.quantity, one.wave) for one in found], width, columns, gap, BODY)
    sheet = Canvas(width, height)
    for panel, place in zip(found, places, strict=True):
        place.name(sheet)
        _draw(sheet, panel, place.left, place.top, place.width)
    return sheet


def _draw(sheet: Canvas, panel: Panel, left: float, top: float, width: float) -> None:
    base = top + 96
    x = Linear(panel.grid[0], panel.grid[-1], left, left + width)
    y = Linear(0, max(panel.posterior.max(), panel.prior.max()), base, top + 4)
    for values, style in ((panel.posterior, "difference"), (panel.prior, "prior")):
        sheet.hill(list(zip(x.many(panel.grid), y.many(values), strict=True)), base, style)
    sheet.line(left, base, left + width, base, "axis")
    for value in ticks(x.low, x.high, 3):
        words = tick_text(value, panel.unit)
        room = max(12.0, measured(words, 12) / 2)
        anchor = "start" if x(value) < left + room else "end" if x(value) > left + width - room else "middle"
        sheet.line(x(value), base, x(value), base + 4, "axis")
        sheet.text(x(value), base + 17, words, "tick", anchor)
    sheet.text(left, base + 34, panel.learned, "note")
