"""Rank plots, which show whether the chains visit the same values equally often."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from reports.figures import panels
from reports.figures.canvas import NARROW, WIDE, Canvas
from reports.text.facts import Facts
from reports.text.numbers import fixed
from reports.text.parts import Figure
from reports.text.people import ARMS

NAME = "ranks"
BINS, THIN = 16, 10
SPREADS = {
    "tau": "spread between participants, τ",
    "dispersion": "dispersion of the counts",
    "residual_sd": "spread of the outcomes, σ",
}
"""Parameters of spread in words; those that a run has are drawn."""


@dataclass(frozen=True)
class Ranked:
    """Rank counts of one quantity, shape (chain, bin)."""

    quantity: str
    wave: str
    counts: np.ndarray

    @property
    def label(self) -> str:
        """Quantity and wave in one line."""
        return ", ".join(part for part in (self.quantity, self.wave) if part)


def quantities(facts: Facts) -> list[Ranked]:
    """Key estimands and parameters, at most six."""
    scale, wave = facts.scale, facts.primary
    where = {"average": "population", "contrast": wave}
    found = [Ranked(scale.difference_name.lower(), facts.wave(wave), _counted(facts.chains(scale.difference, **where)))]
    for arm in ARMS:
        draws = facts.chains(scale.level, average="population", arm=arm, wave=wave)
        found.append(Ranked(f"{scale.level_word}, {facts.arm(arm).text}", facts.wave(wave), _counted(draws)))
    posterior = facts.group("posterior")
    for name, label in SPREADS.items():
        if name in posterior:
            draws, at = facts.spread(name)
            found.append(Ranked(label, at, _counted(draws)))
    for other in [wave for wave in facts.contrasts if wave != facts.primary][: 6 - len(found)]:
        draws = facts.chains(scale.difference, average="population", contrast=other)
        found.append(Ranked(scale.difference_name.lower(), facts.wave(other), _counted(draws)))
    return found


def _counted(draws: np.ndarray) -> np.ndarray:
    """Ranks of every tenth draw among all chains' draws, counted in bins."""
    thinned = draws[:, :: max(1, min(THIN, draws.shape[1] // (4 * BINS)))]
    order = thinned.ravel().argsort(kind="stable").argsort(kind="stable").reshape(thinned.shape)
    edges = np.linspace(0, thinned.size, BINS + 1)
    return np.array([np.histogram(chain, bins=edges)[0] for chain in order])


def draw(facts: Facts) -> Figure:
    """Small multiples; each strip is a chain, its bars the counts against an even spread."""
    ranked = quantities(facts)
    worst = max(float(np.abs(one.counts / one.counts.mean() - 1).max()) for one in ranked)
    bins = sum(one.counts.size for one in ranked)
    inside = sum(int((np.abs(one.counts - one.counts.mean()) <= _spread(one.counts)).sum()) for one in ranked)
    title = f"Ranks of the draws by chain: {fixed(100 * inside / bins)}% of bins lie within the range expected of 95%"
    description = (
        f"Rank histograms in {BINS} bins for {len(ranked)} quantities and {ranked[0].counts.shape[0]} chains: "
        f"{'; '.join(one.label for one in ranked)}. Even bars mean that chains agree. Largest departure of a bar "
        f"from even: {100 * worst:.0f} percent."
    )

    def layout(width: float, form: str) -> str:
        return _layout(ranked, width).svg(NAME, title, description, form)

    rows = tuple(
        (one.label, chain + 1, place + 1, int(count))
        for one in ranked
        for chain, counts in enumerate(one.counts)
        for place, count in enumerate(counts)
    )
    return Figure(
        NAME,
        title,
        description,
        layout(WIDE, "wide"),
        layout(NARROW, "narrow"),
        ("quantity", "chain", "bin", "draws"),
        rows,
    )


def _layout(ranked: list[Ranked], width: float) -> Canvas:
    chains, strip = ranked[0].counts.shape[0], 30
    names = [(one.quantity, one.wave) for one in ranked]
    places, height = panels.grid(names, width, 3 if width > 500 else 2, 26, chains * strip + 26)
    sheet = Canvas(width, height + 8)
    for one, place in zip(ranked, places, strict=True):
        place.name(sheet)
        for chain, counts in enumerate(one.counts):
            base = place.top + (chain + 1) * strip
            _strip(sheet, place.left, base, place.width, strip - 7, counts, one.counts.mean())
            sheet.text(place.left, base - 4, str(chain + 1), "tick")
    return sheet


def _spread(counts: np.ndarray) -> float:
    """Half-width of the range that 95% of bins keep to when every rank is as likely."""
    return 1.96 * math.sqrt(float(counts.mean()) * (1 - 1 / counts.shape[-1]))


def _strip(sheet: Canvas, x: float, base: float, width: float, height: float, counts: np.ndarray, even: float) -> None:
    """Bars of one chain, with the range that 95% of bars would keep to if ranks were even."""
    start, step = x + 14, (width - 14) / counts.size
    spread = _spread(counts)
    unit = height / (even + 2 * spread)
    top, bottom = base - unit * (even + spread), base - unit * (even - spread)
    sheet.rect(start, top, width - 14, bottom - top, "band")
    bars = []
    for place, count in enumerate(counts):
        level = max(base - unit * float(count), base - height - 3)
        bars += [(start + place * step, level), (start + (place + 1) * step, level)]
    sheet.path(bars, "difference-line thin")
    sheet.line(start, base, x + width, base, "grid")
