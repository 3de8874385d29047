"""The total difference at a wave and what goes directly and through each mediator."""

from __future__ import annotations

from reports.figures import forest
from reports.text import mediated
from reports.text.facts import Facts
from reports.text.parts import Figure
from reports.text.words import agreeing, capital, short

NAME = "paths"


def draw(facts: Facts, wave: str) -> Figure:
    """Forest of the total and its parts; `facts` are those of the mediation fit."""
    parts = mediated.decomposition(facts, wave)
    total, *rest = parts
    median = total.estimate.number("median").text
    reported = [
        f"{_inside(part.name)} {part.estimate.number('median').text}" for part in rest if not part.estimate.constant
    ]
    title = (
        f"{capital(facts.wave(wave))}: total {median} {agreeing(median, facts.scale.points)} "
        f"({total.estimate.interval}); {', '.join(reported)}"
    )
    words = facts.directions
    what = f"Total difference, {facts.arm('treated', 40).text} minus {facts.arm('control', 40).text}, and its parts"
    return forest.figure(NAME, facts, parts, title, what, words)


def _inside(name: str) -> str:
    """A part's name inside a sentence."""
    return short(name[:1].lower() + name[1:], 60)
