"""The control arm's change since baseline: what moves with each mediator, and what remains."""

from __future__ import annotations

from reports.figures import forest
from reports.text import mediated
from reports.text.facts import Facts
from reports.text.parts import Figure
from reports.text.words import agreeing

NAME = "common_change"


def draw(facts: Facts, wave: str) -> Figure:
    """Forest of the change and its parts; `facts` are those of the mediation fit."""
    parts = mediated.split(facts, wave)
    whole, *via, rest = (part.estimate.number("median").text for part in parts)
    named = ", ".join(
        f"{text} moves with {mediated.label(facts, name).text}"
        for text, name in zip(via, mediated.mediators(facts), strict=True)
    )
    title = (
        f"Change in the {facts.arm('control', 40).text} arm, {facts.wave(wave)}: {whole} "
        f"{agreeing(whole, facts.scale.points)}; {named}, {rest} remains"
    )
    what = f"Change since baseline in the {facts.arm('control', 40).text} arm and its parts; not an effect"
    return forest.figure(NAME, facts, parts, title, what, ("fell", "rose"), "since baseline", margin=False)
