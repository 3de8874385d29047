"""The causal graph of the mediation model, read from what was fitted: one wave's mediators and the outcome they act on.

A graph of all waves has dozens of arrows; this one has every kind of arrow once. The CSV lists them wave by wave.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from reports.figures.canvas import NARROW, WIDE, Canvas
from reports.figures.graph import Point, absent, node
from reports.text import mediated
from reports.text.facts import Facts
from reports.text.parts import Figure
from reports.text.words import count, lines

NAME = "paths_graph"
ARM, BASE, LASTING, OTHER = "randomised arm", "baseline variables", "lasting levels", "other common causes"
MISSING = "missing values"


class Fitted:
    """What the draws of a mediation fit say about its arrows; each list holds columns of mediators."""

    def __init__(self, facts: Facts) -> None:
        self.facts, self.posterior = facts, facts.group("posterior")
        self.mediators = mediated.mediators(facts)

    def _coordinate(self, parameter: str, dim: str) -> list[str]:
        return [str(name) for name in self.posterior[dim].to_numpy()] if parameter in self.posterior else []

    @cached_property
    def acting(self) -> list[str]:
        """Mediators that the outcome has a slope on."""
        return self._coordinate("slope", "acting_mediator")

    @cached_property
    def interacting(self) -> list[str]:
        """Those whose slope differs by arm."""
        return self._coordinate("interaction", "interacting_mediator")

    @cached_property
    def lasting(self) -> list[str]:
        """Those in which participants have a level of their own."""
        return self._coordinate("mediator_tau", "lasting_mediator")

    @property
    def adjusted(self) -> bool:
        """Whether baseline variables are adjusted for."""
        return "gamma" in self.posterior or "mediator_gamma" in self.posterior

    @property
    def outcome_lasts(self) -> bool:
        """Whether participants have a level of the outcome of their own."""
        return "tau" in self.posterior

    @property
    def correlated(self) -> bool:
        """Whether lasting levels are correlated."""
        return "partial_correlation" in self.posterior

    @property
    def missing(self) -> bool:
        """Whether an outcome or a mediator is missing for anybody."""
        return any("MAR" in row.evidence for row in mediated.rows(self.facts))

    def measured(self, mediator: str, wave: str) -> bool:
        """Whether the model has this mediator at this wave."""
        return self.facts.has("mediator_mean", wave, arm="control", mediator=mediator)


def draw(facts: Facts) -> Figure:
    """Arm, baseline variables and lasting levels, mediators at one wave, outcome at the wave that they act on."""
    fitted = Fitted(facts)
    edges = _edges(fitted)
    title = f"What the mediation model assumes to cause what: mediators {_when(facts)}, outcome at wave t"
    reported = "; ".join(f"{cause} to {effect}: {status}" for cause, effect, status in edges)
    description = f"Directed graph; over all waves {count(len(edges), 'arrow')}, present or assumed absent. {reported}."
    wide, narrow = (_drawn(fitted, width).svg(NAME, title, description, form) for width, form in FORMS)
    return Figure(NAME, title, description, wide, narrow, ("cause", "effect", "status"), tuple(edges))


FORMS = ((WIDE, "wide"), (NARROW, "narrow"))


def _when(facts: Facts) -> str:
    return "at wave t" if facts.study.lag == 0 else f"at wave t − {facts.study.lag}"


def _edges(fitted: Fitted) -> list[tuple[str, str, str]]:
    """Every arrow over all waves, and those that are assumed absent."""
    facts, found = fitted.facts, []
    for wave in facts.study.waves:
        for mediator in (name for name in fitted.mediators if fitted.measured(name, wave.value)):
            found += _into_mediator(fitted, mediator, wave.value)
        found += _into_outcome(fitted, wave.value)
    if len(fitted.mediators) > 1:
        found.append(("a mediator", "another mediator", "assumed absent"))
    found.append(("outcome", "a later mediator", "assumed absent"))
    return [*found, *_into_missing(fitted), *_of_others(fitted)]


def _of_others(fitted: Fitted) -> list[tuple[str, str, str]]:
    """Other common causes, of each mediator and the outcome."""
    names = [mediated.label(fitted.facts, name).text for name in fitted.mediators]
    return [(OTHER, name, "assumed absent") for name in [*names, "outcome"]]


def _into_missing(fitted: Fitted) -> list[tuple[str, str, str]]:
    """What the absence of a value may depend on (missing at random); none where nothing is missing."""
    if not fitted.missing:
        return []
    observed = "allowed where it was observed; assumed absent where it was not (missing at random)"
    causes = [(ARM, "allowed"), *([(BASE, "allowed")] if fitted.adjusted else [])]
    causes += [("mediators", observed), ("outcome", observed)]
    return [(cause, MISSING, reported) for cause, reported in causes]


def _into_mediator(fitted: Fitted, mediator: str, wave: str) -> list[tuple[str, str, str]]:
    facts = fitted.facts
    name = f"{mediated.label(facts, mediator).text}, {facts.wave(wave)}"
    causes = {
        "follow-up": [(ARM, name, "estimated as randomised")],
        "negative control": [(ARM, name, "estimated as a check, expected near 0")],
    }.get(facts.role(wave), [])
    if fitted.adjusted:
        causes.append((BASE, name, "modelled"))
    return causes + ([(LASTING, name, "modelled")] if mediator in fitted.lasting else [])


def _into_outcome(fitted: Fitted, wave: str) -> list[tuple[str, str, str]]:
    facts, name = fitted.facts, f"outcome, {fitted.facts.wave(wave)}"
    found, when = [], mediated.before(facts, wave)
    if facts.role(wave) != "baseline":
        found.append((ARM, name, "direct, estimated" if facts.role(wave) == "follow-up" else "estimated as a check"))
    if facts.study.acts_at_baseline or (when is not None and facts.role(wave) != "baseline"):
        for mediator in fitted.acting:
            slope = "modelled, the slope differs by arm" if mediator in fitted.interacting else "modelled"
            seen = when is not None and fitted.measured(mediator, when)
            moment = "before the first wave" if when is None else facts.wave(when)
            cause = f"{mediated.label(facts, mediator).text}, {moment}"
            found.append((cause, name, slope if seen else f"{slope}, the mediator was not observed then"))
    if fitted.adjusted:
        found.append((BASE, name, "modelled"))
    return found + ([(LASTING, name, "modelled")] if fitted.outcome_lasts else [])


@dataclass(frozen=True)
class Layout:
    """Where things stand: middle of each column, half the width of its boxes, height of a mediator's row."""

    columns: tuple[float, float, float]
    halves: tuple[float, float, float]
    step: float
    letters: int

    @classmethod
    def of(cls, width: float) -> Layout:
        """Three columns on a screen or a phone."""
        if width > 500:
            return cls((92, 390, 676), (86, 110, 80), 66, 24)
        return cls((58, 218, 376), (56, 70, 50), 78, 15)


def _drawn(fitted: Fitted, width: float) -> Canvas:
    place, number = Layout.of(width), len(fitted.mediators)
    rows = max(number, 3)
    top, middle = 64.0, 64 + place.step * (rows - 1) / 2
    low = top + place.step * (rows - 1) + 96
    sheet = Canvas(width, low + (90 if width > 500 else 146))
    left = [middle + (k - 1) * place.step * (rows - 1) / 2 for k in range(3)]
    heights = [middle + (k - (number - 1) / 2) * place.step for k in range(number)]
    outcome = (place.columns[2], middle)
    _arrows(fitted, sheet, place, left, heights, outcome)
    _others(sheet, place, heights, outcome, low)
    if fitted.missing:
        _absence(fitted, sheet, place, heights[-1], outcome, low)
    _causes(fitted, sheet, place, left)
    for mediator, y in zip(fitted.mediators, heights, strict=True):
        label = lines(mediated.label(fitted.facts, mediator).text, place.letters, 2)
        inside = (*label, _when(fitted.facts))
        node(sheet, (place.columns[1], y), (place.halves[1], 29), inside, strong=len(label))
    node(sheet, outcome, (place.halves[2], 24), ("Outcome", "at wave t"), "difference-hollow")
    _legend(sheet, low + 62)
    return sheet


def _arrows(
    fitted: Fitted, sheet: Canvas, place: Layout, left: list[float], heights: list[float], outcome: Point
) -> None:
    """From the left column to mediators and outcome, from the mediators to the outcome."""
    start, end = place.columns[0] + place.halves[0], place.columns[1] - place.halves[1]
    for mediator, y in zip(fitted.mediators, heights, strict=True):
        sheet.arrow(start, left[0], end, y - 14, "effect")
        if fitted.adjusted:
            sheet.arrow(start, left[1], end, y, "flow")
        if mediator in fitted.lasting:
            sheet.arrow(start, left[2], end, y + 14, "flow")
        if mediator in fitted.acting:
            x, tip = place.columns[1] + place.halves[1], (outcome[0] - place.halves[2], outcome[1])
            lean = (y - outcome[1]) * 0.12
            sheet.arrow(x, y, tip[0], tip[1] + lean, "effect")
    _around(fitted, sheet, place, left, heights, outcome)


def _around(
    fitted: Fitted, sheet: Canvas, place: Layout, left: list[float], heights: list[float], outcome: Point
) -> None:
    """Direct arrows to the outcome, above and below the mediators."""
    start, middle = place.columns[0] + place.halves[0], place.columns[1] + 40
    over, under = min(heights[0] - 29, left[0]) - 36, max(heights[-1] + 29, left[2]) + 34
    _bow(sheet, (start, left[0] - 10), (middle, over), (outcome[0], outcome[1] - 26), "effect")
    if fitted.outcome_lasts:
        _bow(sheet, (start, left[2] + 10), (middle, under + 16), (outcome[0] + 12, outcome[1] + 26), "flow")
    if fitted.adjusted:
        _bow(sheet, (start, left[1] + 8), (middle, under - 14), (outcome[0] - 12, outcome[1] + 26), "flow")


def _bow(sheet: Canvas, start: Point, bend: Point, end: Point, style: str) -> None:
    """Curve that leaves sideways, passes near `bend` and arrives from there."""
    control = (2 * bend[0] - (start[0] + end[0]) / 2, 2 * bend[1] - (start[1] + end[1]) / 2)
    sheet.curve(start, control, end, style)
    sheet.head(end, math.atan2(end[1] - control[1], end[0] - control[0]), f"{style}-head")


def _others(sheet: Canvas, place: Layout, heights: list[float], outcome: Point, low: float) -> None:
    """Causes of each mediator and the outcome that the model takes not to exist."""
    at = ((place.columns[1] + place.columns[2]) / 2 + 20, low)
    for number, y in enumerate(reversed(heights)):
        absent(sheet, (at[0] - 30 + 12 * number, at[1] - 20), (place.columns[1] + place.halves[1] + 2, y + 18))
    absent(sheet, (at[0] + 30, at[1] - 20), (outcome[0] + 30, outcome[1] + 26))
    node(sheet, at, (64, 22), ("Other common", "causes"), "latent", strong=2)


def _absence(fitted: Fitted, sheet: Canvas, place: Layout, last: float, outcome: Point, low: float) -> None:
    """Missing values: by what was observed, from the last mediator down and from the outcome round the edge."""
    half = 100 if sheet.width > 500 else 74
    at, edge, floor = (half + 8.0, low + 8), sheet.width - 3, low + 34
    sheet.arrow(place.columns[1] - place.halves[1] * 0.7, last + 29, at[0] + half * 0.7, at[1] - 24, "flow")
    sheet.line(outcome[0] + place.halves[2], outcome[1], edge, outcome[1], "flow")
    sheet.line(edge, outcome[1], edge, floor, "flow")
    sheet.line(edge, floor, at[0] + half + 14, floor, "flow")
    sheet.arrow(at[0] + half + 14, floor, at[0] + half, at[1] + 10, "flow")
    more = "also by arm, baseline" if fitted.adjusted else "also by arm"
    node(sheet, at, (half, 22), ("Missing values", more))


def _causes(fitted: Fitted, sheet: Canvas, place: Layout, left: list[float]) -> None:
    x, half, wide = place.columns[0], place.halves[0], sheet.width > 500
    node(sheet, (x, left[0]), (half, 22), ("Randomised arm",) if wide else ("Randomised", "arm"), "treated-hollow", 2)
    if fitted.adjusted:
        node(sheet, (x, left[1]), (half, 22), ("Baseline variables",) if wide else ("Baseline", "variables"), strong=2)
    if fitted.lasting or fitted.outcome_lasts:
        words = ("Lasting levels", "correlated" if fitted.correlated else "of participants")
        node(sheet, (x, left[2]), (half, 24), words, "latent")


def _legend(sheet: Canvas, y: float) -> None:
    entries = [
        ("effect", "part of the effect: direct or through a mediator"),
        ("flow", "modelled or allowed cause"),
        ("absent", "assumed absent"),
        ("latent", "not observed"),
    ]
    columns = 2 if sheet.width > 500 else 1
    for place, (style, words) in enumerate(entries):
        x, row = 10 + (place % columns) * sheet.width * 0.58, y + (place // columns) * 18
        if style == "latent":
            sheet.rect(x, row - 7, 34, 14, "latent", 7)
        else:
            sheet.arrow(x, row, x + 34, row, style)
        sheet.text(x + 42, row + 4, words, "note")
