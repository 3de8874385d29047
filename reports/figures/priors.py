"""Prior and posterior side by side: what the data added, quantity by quantity."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from reports.facts import Facts
from reports.figures import panels as small
from reports.figures.axis import tick_text
from reports.figures.canvas import NARROW, WIDE, Canvas, Linear, density, measured, ticks
from reports.figures.ranks import SPREADS
from reports.numbers import PLAIN, Unit, show
from reports.parts import Figure

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
    contraction: float

    @property
    def learned(self) -> str:
        """Contraction as printed."""
        return show(self.contraction).text if math.isfinite(self.contraction) else "—"

    @property
    def label(self) -> str:
        """Quantity and wave in one line."""
        return ", ".join(part for part in (self.quantity, self.wave) if part)


def panels(facts: Facts) -> list[Panel]:
    """Levels and difference at the primary wave, the other differences, and the parameters that carry them."""
    scale, wave = facts.scale, facts.primary
    found = []
    floor, top = -math.inf if facts.continuous else 0.0, 1.0 if facts.binary else math.inf
    for arm in ("control", "treated"):
        where = {"average": "population", "arm": arm, "wave": wave}
        name = (f"{scale.level_word}, {facts.arm(arm).text}", facts.wave(wave))
        found.append(
            _panel(
                *name,
                scale.level_unit,
                facts.draws(scale.level, where),
                facts.draws(scale.level, where, prior=True),
                floor,
                top,
            )
        )
    known = [name for name in facts.contrasts if facts.estimate(scale.difference, name).identified]
    for other in [wave, *(name for name in known if name != wave)][:5]:
        where = {"average": "population", "contrast": other}
        name = (scale.difference_name.lower(), facts.wave(other))
        found.append(
            _panel(
                *name,
                scale.difference_unit,
                facts.draws(scale.difference, where),
                facts.draws(scale.difference, where, prior=True),
            )
        )
    for parameter, label in SPREADS.items():
        if parameter in facts.group("core", "posterior") and parameter in facts.group("checks", "prior"):
            found.append(
                _panel(
                    label,
                    "SDs of the first wave" if facts.continuous else "link scale",
                    PLAIN,
                    facts.parameter(parameter).ravel(),
                    facts.parameter(parameter, prior=True).ravel(),
                    0.0,
                )
            )
    return found


def _panel(
    quantity: str,
    wave: str,
    unit: Unit,
    posterior: np.ndarray,
    prior: np.ndarray,
    low: float = -math.inf,
    high: float = math.inf,
) -> Panel:
    grid = _grid(posterior, prior, low, high)
    # the prior of a mean count can overflow: then there is no variance to contract from
    with np.errstate(over="ignore", invalid="ignore"):
        before = float(prior.var(ddof=1))
    contraction = 1 - float(posterior.var(ddof=1)) / before if 0 < before < math.inf else math.nan
    return Panel(
        quantity, wave, unit, grid, density(posterior, grid, low, high), density(prior, grid, low, high), contraction
    )


def _grid(posterior: np.ndarray, prior: np.ndarray, low: float, high: float) -> np.ndarray:
    """All of the posterior, and of the prior as much as leaves the posterior wide enough to see."""
    ends, middle, wide = np.quantile(posterior, [0.0005, 0.9995]), float(np.median(posterior)), float(posterior.std())
    before = np.quantile(prior, [0.02, 0.98])
    start = max(low, min(ends[0], max(before[0], middle - 12 * wide)))
    stop = min(high, max(ends[1], min(before[1], middle + 12 * wide)))
    return np.linspace(start, max(stop, start + 1e-9), 121)


def draw(facts: Facts) -> Figure:
    """Small multiples; the prior dashed, the posterior filled."""
    found = panels(facts)
    known = sorted(panel.contraction for panel in found if math.isfinite(panel.contraction)) or [0.0]
    title = f"Prior (dashed) and posterior (filled): contraction from {show(known[0]).text} to {show(known[-1]).text}"
    told = "; ".join(f"{panel.label}: contraction {panel.learned}" for panel in found)
    description = (
        f"Density curves in {len(found)} panels, prior and posterior of the same quantity on one axis. {told}."
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
    sheet.text(left, base + 34, f"contraction {panel.learned}", "note")
