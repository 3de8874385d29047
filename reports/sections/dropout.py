"""Who left after which outcome: what "missing at random" must explain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reports.text.facts import Facts
from reports.text.numbers import fixed
from reports.text.parts import Cell, Column, Table
from reports.text.people import ARMS
from reports.text.words import capital

NAME = "dropout"
ALL = "all waves"


@dataclass(frozen=True)
class Loss:
    """Participants whose outcome was observed at a wave, and those of them without it at the next."""

    of: int
    lost: int

    def __add__(self, other: Loss) -> Loss:
        """Both together."""
        return Loss(self.of + other.of, self.lost + other.lost)


Line = tuple[str, str, tuple[Loss, Loss]]
"""A wave (or all), an arm, and the losses after either outcome of the wave before."""


@dataclass(frozen=True)
class Told:
    """What may be told: lines; where there is none, the reason."""

    lines: tuple[Line, ...] = ()
    reason: str = ""


def reported(facts: Facts) -> Told:
    """By wave and arm, and over all waves.

    All or nothing: how many had either outcome is what the denominators say, and a hidden one alone could be worked
    out from the sum over waves.
    """
    if len(facts.study.waves) < 2:
        return Told(reason="Not run: with one wave there is no outcome before.")
    later = list(enumerate(facts.study.waves))[1:]
    waves = [(wave.value, arm, _losses(facts, place, arm)) for place, wave in later for arm in ARMS]
    if any(facts.limit.small(loss.of) for _, _, pair in waves for loss in pair):
        return Told(reason="Not shown: its denominators would give small cells of the outcome away.")
    if not any(loss.lost for _, _, pair in waves for loss in pair):
        return Told(reason="Nobody whose outcome was observed at one wave lacked it at the next.")
    over = [(ALL, arm, _sum([losses for _, who, losses in waves if who == arm])) for arm in ARMS]
    return Told(tuple([*waves, *(over if len(facts.study.waves) > 2 else [])]))


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


def tables(facts: Facts) -> dict[str, Table]:
    """The table by its name, or nothing."""
    found = reported(facts)
    if not found.lines:
        return {}
    groups = facts.scale.groups
    columns = (
        Column("wave", "Wave"),
        Column("arm", "Arm"),
        *(
            Column(key, f"After “{group}”", "lost of those observed before", number=True)
            for key, group in zip(_KEYS, groups, strict=True)
        ),
    )
    caption = "Outcome missing at a wave, by arm and by the outcome of the wave before"
    return {NAME: Table(NAME, caption, columns, tuple(_row(facts, line) for line in found.lines), _MORE)}


_KEYS = ("after_lower", "after_higher")
_MORE = tuple(f"{key}_{what}" for key in _KEYS for what in ("lost", "of"))


def _row(facts: Facts, line: Line) -> dict[str, Cell]:
    wave, arm, pair = line
    return {
        "wave": Cell(capital(ALL if wave == ALL else facts.wave(wave)), wave),
        "arm": Cell(facts.arm(arm, 50).text, arm, arm),
        **{key: _cell(loss) for key, loss in zip(_KEYS, pair, strict=True)},
        **{
            f"{key}_{what}": Cell("", getattr(loss, what))
            for key, loss in zip(_KEYS, pair, strict=True)
            for what in ("lost", "of")
        },
    }


def _cell(loss: Loss) -> Cell:
    if not loss.of:
        return Cell("—")
    share = loss.lost / loss.of
    return Cell(f"{loss.lost} of {loss.of} ({fixed(100 * share)}%)", share)
