"""The causal graph that the model assumes, drawn from the study's waves."""

from __future__ import annotations

import math

from reports.figures.canvas import LINE, NARROW, WIDE, Canvas
from reports.text.facts import Facts
from reports.text.parts import Figure
from reports.text.words import lines

NAME = "graph"
ARM, BASE, LASTING = "randomised arm", "baseline variables", "lasting differences between participants"
Point = tuple[float, float]


def draw(facts: Facts) -> Figure:
    """Arm, baseline variables, trait, outcomes and their absence; the arrow that must not exist is drawn as absent."""
    title = "What the model assumes to cause what: an arrow means “may change”, a missing arrow is an assumption"
    edges = _edges(facts)
    reported = "; ".join(f"{cause} to {effect}: {status}" for cause, effect, status in edges)
    description = f"Directed graph with {len(edges)} arrows. {reported}. Nothing causes the randomised arm."
    wide = _across(facts).svg(NAME, title, description, "wide")
    narrow = _down(facts).svg(NAME, title, description, "narrow")
    return Figure(NAME, title, description, wide, narrow, ("cause", "effect", "status"), tuple(edges))


def _edges(facts: Facts) -> list[tuple[str, str, str]]:
    """Every arrow, for the description and the CSV; none that the fitted model lacks."""
    found, missing, adjusted = [], "missing outcome", _adjusted(facts)
    for wave in facts.study.waves:
        node = f"outcome, {facts.wave(wave.value)}"
        if wave.role == "follow-up":
            found.append((ARM, node, "the effect that is estimated"))
        elif wave.role == "negative control":
            found.append((ARM, node, "estimated as a check, expected near 0"))
        if facts.lasting:
            found.append((LASTING, node, "modelled"))
        if adjusted:
            found.append((BASE, node, "modelled"))
        if facts.people.incomplete:
            reported = "allowed where the outcome was observed; assumed absent where it was not (missing at random)"
            found.append((node, missing, reported))
    if not facts.people.incomplete:
        return found
    found.append((ARM, missing, "allowed"))
    if adjusted:
        found.append((BASE, missing, "allowed"))
    if facts.lasting:
        found.append((LASTING, missing, "assumed absent but by way of outcomes that were observed"))
    return found


def _adjusted(facts: Facts) -> bool:
    """Whether baseline variables are in the model: those that are described only have no arrow."""
    return "gamma" in facts.group("posterior")


def _style(role: str) -> str:
    return {"follow-up": "effect", "negative control": "tested"}.get(role, "")


def _across(facts: Facts) -> Canvas:
    """Time from left to right: causes above, outcomes in the middle, trait and missingness below."""
    waves, width = facts.study.waves, float(WIDE)
    sheet = Canvas(width, 404)
    step = (width - 40) / len(waves)
    places = [20 + step * (k + 0.5) for k in range(len(waves))]
    half = min(step / 2 - 10, 78.0)
    base, arm, trait, missing = (width * 0.24, 24.0), (width * 0.62, 24.0), (width * 0.27, 300.0), (width * 0.76, 300.0)
    for place, wave in zip(places, waves, strict=True):
        if _adjusted(facts):
            _from(sheet, (base[0], base[1] + 20), (place - 12, 121), "flow")
        if _style(wave.role):
            _from(sheet, (arm[0], arm[1] + 20), (place + 12, 121), _style(wave.role))
        if facts.lasting:
            _from(sheet, (trait[0], trait[1] - 22), (place - 12, 189), "flow")
    if facts.people.incomplete:
        for place in places[:-1]:
            _from(sheet, (place + 12, 186), (missing[0] - 20, missing[1] - 24), "flow", spread=0)
        absent(sheet, (places[-1] + 12, 186), (missing[0] + 40, missing[1] - 24))
        _allowed(facts, sheet, base, arm, missing)
    for place, wave in zip(places, waves, strict=True):
        words = lines(facts.wave(wave.value), max(int(half / 3.3), 8), 2)
        node(sheet, (place, 154), (half, 32), ("Outcome", *words))
    _causes(facts, sheet, base, arm, trait, 84)
    if facts.people.incomplete:
        node(sheet, missing, (150, 24), ("Outcome missing",))
    _legend(facts, sheet, 358, 2)
    return sheet


def _allowed(facts: Facts, sheet: Canvas, base: Point, arm: Point, missing: Point) -> None:
    """From arm and baseline variables round the outcomes to their absence, on a screen."""
    edge = sheet.width - 6
    _round(sheet, (arm[0] + 84, arm[1]), edge, (missing[0] + 150, missing[1] + 8))
    if _adjusted(facts):
        _round(sheet, (base[0] - 84, base[1]), 6, (missing[0] - 150, missing[1] + 14))


def _round(sheet: Canvas, start: Point, edge: float, end: Point) -> None:
    """Line that leaves sideways, runs down the edge of the sheet and comes back."""
    inward = 1 if edge < end[0] else -1
    low = end[1] if inward < 0 else end[1] + 22
    sheet.line(*start, edge, start[1], "flow")
    sheet.line(edge, start[1], edge, low, "flow")
    if low != end[1]:
        sheet.line(edge, low, end[0] + 30, low, "flow")
        sheet.arrow(end[0] + 30, low, end[0] + 30, end[1] + 12, "flow")
    else:
        sheet.arrow(edge, low, end[0], low, "flow")


def _down(facts: Facts) -> Canvas:
    """Time from top to bottom, for a phone."""
    waves, width, step = facts.study.waves, float(NARROW), 62.0
    last = 118 + step * (len(waves) - 1)
    sheet = Canvas(width, last + 250)
    base, arm, trait, missing = (72.0, 24.0), (width - 72, 24.0), (96.0, last + 92), (width - 96, last + 92)
    half = 74.0
    for place, wave in enumerate(waves):
        y = 118 + step * place
        if _adjusted(facts):
            _bent(sheet, (base[0] - 16, 44), (width / 2 - half - 2, y - 8), "flow")
        if _style(wave.role):
            _bent(sheet, (arm[0] + 16, 44), (width / 2 + half + 2, y - 8), _style(wave.role))
        if facts.lasting:
            _bent(sheet, (trait[0] - 74, trait[1] - 24), (width / 2 - half - 2, y + 8), "flow")
        if wave != waves[-1] and facts.people.incomplete:
            sheet.curve(
                (width / 2 + half, y + 10), (missing[0] + 80, y + 10), (missing[0] + 60, missing[1] - 26), "flow"
            )
    if facts.people.incomplete:
        sheet.head((missing[0] + 60, missing[1] - 24), math.pi / 2 + 0.1, "flow-head")
        absent(sheet, (width / 2 + 24, last + 24), (missing[0] - 10, missing[1] - 24))
    for place, wave in enumerate(waves):
        node(sheet, (width / 2, 118 + step * place), (half, 23), ("Outcome", *lines(facts.wave(wave.value), 23, 1)))
    _causes(facts, sheet, base, arm, trait, 66)
    if facts.people.incomplete:
        more = "also by arm, baseline" if _adjusted(facts) else "also by arm"
        node(sheet, missing, (88, 24), ("Outcome missing", more))
    _legend(facts, sheet, last + 150, 1)
    return sheet


def _causes(facts: Facts, sheet: Canvas, base: Point, arm: Point, trait: Point, half: float) -> None:
    if _adjusted(facts):
        node(sheet, base, (half, 20), ("Baseline variables",))
    node(sheet, arm, (half, 20), ("Randomised arm",), "treated-hollow")
    if facts.lasting:
        node(sheet, trait, (half + 22, 22), ("Lasting differences", "between participants"), "latent")


def _from(sheet: Canvas, start: Point, end: Point, style: str, spread: float = 0.12) -> None:
    """Straight arrow; its start leans towards its end, so that arrows leave a box side by side."""
    sheet.arrow(start[0] + (end[0] - start[0]) * spread, start[1], end[0], end[1], style)


def _bent(sheet: Canvas, start: Point, end: Point, style: str) -> None:
    sheet.curve(start, (start[0], end[1]), end, style)
    sheet.head(end, 0.0 if end[0] > start[0] else math.pi, f"{style}-head")


def absent(sheet: Canvas, start: Point, end: Point) -> None:
    """Arrow that the analysis assumes not to exist, crossed out."""
    sheet.arrow(*start, *end, "absent")
    x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    sheet.line(x - 6, y - 6, x + 6, y + 6, "stop-mark")
    sheet.line(x - 6, y + 6, x + 6, y - 6, "stop-mark")


def node(sheet: Canvas, middle: Point, half: Point, rows: tuple[str, ...], style: str = "box", strong: int = 1) -> None:
    """Box with lines of text, the first `strong` of them in bold."""
    sheet.rect(
        middle[0] - half[0], middle[1] - half[1], 2 * half[0], 2 * half[1], style, 16 if style == "latent" else 3
    )
    first = middle[1] - (len(rows) - 1) * LINE / 2 + 4.5
    for place, row in enumerate(rows):
        sheet.text(middle[0], first + LINE * place, row, "strong" if place < strong else "note", "middle")


def _legend(facts: Facts, sheet: Canvas, y: float, columns: int) -> None:
    entries = (
        ("effect", "effect to estimate"),
        ("flow", "modelled or allowed cause"),
        ("tested", "negative control: near 0 expected"),
        ("absent", "assumed absent: a value that causes its own absence"),
        ("latent", "not observed: estimated with the rest"),
    )
    roles = {_style(wave.role) for wave in facts.study.waves}
    drawn = {"tested": "tested" in roles, "absent": facts.people.incomplete, "latent": facts.lasting}
    unused = {style for style, used in drawn.items() if not used}
    shown = [entry for entry in entries if entry[0] not in unused]
    for place, (style, words) in enumerate(shown):
        x, row = 10 + (place % columns) * sheet.width / 2, y + (place // columns) * 18
        if style == "latent":
            sheet.rect(x, row - 7, 34, 14, "latent", 7)
        else:
            sheet.arrow(x, row, x + 34, row, style)
        sheet.text(x + 42, row + 4, words, "note")
