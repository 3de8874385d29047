"""Who left after which outcome: what "missing at random" must explain, told only as far as nobody can be worked out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reports.facts import Facts
from reports.numbers import fixed
from reports.parts import Cell, Column, Table
from reports.people import ARMS
from reports.privacy import SUPPRESSED
from reports.words import capital

NAME = "dropout"
ALL, BOTH = "all waves", "both arms"
COARSE = 0.05
"""Shares beside suppressed numbers are told in steps of five points: finer ones would give those numbers away."""
GROUPS = {"binary": ("no", "yes"), "count": ("none", "one or more"), "continuous": ("the median or less", "more")}
"""What the outcome of the wave before can have been, by its kind."""


@dataclass(frozen=True)
class Loss:
    """Participants whose outcome was observed at a wave, and those of them without it at the next."""

    of: int
    lost: int

    def __add__(self, other: Loss) -> Loss:
        """Both together."""
        return Loss(self.of + other.of, self.lost + other.lost)


Line = tuple[str, str, tuple[Loss, Loss]]
"""A wave (or all), an arm (or both), and the losses after either outcome of the wave before."""


@dataclass(frozen=True)
class Told:
    """What may be told: lines, as counts or (coarse) as rounded shares; where there is none, the reason."""

    lines: tuple[Line, ...] = ()
    coarse: bool = False
    reason: str = ""


def told(facts: Facts) -> Told:
    """By wave and arm where every cell may be told, else over all waves, else as rounded shares, else a reason.

    All or nothing at each of these steps: a cell left out alone could be worked out from the numbers missing by wave
    and arm, from response patterns, or from the other arm.
    """
    if len(facts.study.waves) < 2:
        return Told(reason="Not run: with one wave there is no outcome before.")
    later = list(enumerate(facts.study.waves))[1:]
    waves = [(wave.value, arm, _losses(facts, place, arm)) for place, wave in later for arm in ARMS]
    over = [(ALL, arm, _sum([losses for _, who, losses in waves if who == arm])) for arm in ARMS]
    both = [(ALL, BOTH, _sum([losses for _, _, losses in over]))]
    if not facts.limit.minimum:
        some = any(loss.lost for _, _, pair in both for loss in pair)
        reason = "Nobody whose outcome was observed at one wave lacked it at the next."
        return Told(tuple([*waves, *(over if len(facts.study.waves) > 2 else [])])) if some else Told(reason=reason)
    hidden = any(cell.kind == SUPPRESSED for cell in facts.people.observed.values())
    for lines, coarse in ((waves, False), (over, False), (over, True), (both, True)):
        if coarse == hidden and not any(_small(facts, loss) for _, _, pair in lines for loss in pair):
            return Told(tuple(lines), coarse)
    return Told(reason="Not shown: too few participants were lost to tell them apart without giving small cells away.")


def _losses(facts: Facts, place: int, arm: str) -> tuple[Loss, Loss]:
    """Losses at a wave after the lower and the higher outcome of the wave before."""
    people = facts.people
    before, now = people.outcome[:, place - 1], people.outcome[:, place]
    seen = ~np.isnan(before)
    # the split of a continuous outcome is that of both arms together
    split = np.median(before[seen]) if facts.continuous and seen.any() else 0.0
    inside = seen & (people.arm == ARMS.index(arm))
    groups = (inside & (before <= split), inside & (before > split))
    low, high = (Loss(int(group.sum()), int((group & np.isnan(now)).sum())) for group in groups)
    return low, high


def _sum(pairs: list[tuple[Loss, Loss]]) -> tuple[Loss, Loss]:
    low, high = Loss(0, 0), Loss(0, 0)
    for pair in pairs:
        low, high = low + pair[0], high + pair[1]
    return low, high


def _small(facts: Facts, loss: Loss) -> bool:
    return facts.limit.small(loss.lost, loss.of)


def tables(facts: Facts) -> dict[str, Table]:
    """The table by its name, or nothing."""
    found = told(facts)
    if not found.lines:
        return {}
    groups = GROUPS[facts.study.outcome.kind]
    unit = "% lost, to 5 points" if found.coarse else "lost of those observed before"
    columns = (
        Column("wave", "Wave"),
        Column("arm", "Arm"),
        *(Column(key, f"After “{group}”", unit, number=True) for key, group in zip(_KEYS, groups, strict=True)),
    )
    caption = "Outcome missing at a wave, by arm and by the outcome of the wave before"
    return {NAME: Table(NAME, caption, columns, tuple(_row(facts, line, found.coarse) for line in found.lines), _MORE)}


_KEYS = ("after_lower", "after_higher")
_MORE = tuple(f"{key}_{what}" for key in _KEYS for what in ("lost", "of"))


def _row(facts: Facts, line: Line, coarse: bool) -> dict[str, Cell]:
    wave, arm, pair = line
    return {
        "wave": Cell(capital(ALL if wave == ALL else facts.wave(wave)), wave),
        "arm": Cell(BOTH) if arm == BOTH else Cell(facts.arm(arm, 50).text, arm, arm),
        **{key: _cell(loss, coarse) for key, loss in zip(_KEYS, pair, strict=True)},
        **{
            f"{key}_{what}": Cell("", SUPPRESSED, SUPPRESSED) if coarse else Cell("", getattr(loss, what))
            for key, loss in zip(_KEYS, pair, strict=True)
            for what in ("lost", "of")
        },
    }


def _cell(loss: Loss, coarse: bool) -> Cell:
    if not loss.of:
        return Cell("—")
    share = loss.lost / loss.of
    if coarse:
        near = round(share / COARSE) * COARSE
        return Cell(f"about {fixed(100 * near)}%" if near else "under 3%", round(near, 2))
    return Cell(f"{loss.lost} of {loss.of} ({fixed(100 * share)}%)", share)
