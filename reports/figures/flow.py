"""Who was randomised, seen and observed: the participants' flow, drawn from the data."""

from __future__ import annotations

from dataclasses import dataclass

from reports.facts import Facts
from reports.figures.canvas import LINE, NARROW, WIDE, Canvas
from reports.parts import Cell, Figure
from reports.people import ARMS
from reports.words import capital, lines

NAME = "flow"


@dataclass(frozen=True)
class Stop:
    """One box of an arm's column: where, how many seen, how many not, how many with an outcome."""

    arm: str
    wave: str
    people: int
    seen: Cell
    absent: Cell
    observed: Cell


def stops(facts: Facts) -> list[Stop]:
    """Boxes by arm and wave, small cells suppressed."""
    people = facts.people
    return [
        Stop(
            arm,
            wave,
            cell.people,
            people.rows[arm, wave],
            people.missing((arm, wave), "seen"),
            people.observed[arm, wave],
        )
        for (arm, wave), cell in people.counts.items()
    ]


def draw(facts: Facts) -> Figure:
    """Two columns under one box, a box a wave."""
    boxes = stops(facts)
    last = [box for arm in ARMS for box in boxes if (box.arm, box.wave) == (arm, facts.primary)]
    seen = " and ".join(f"{box.observed.text} of {box.people} ({facts.arm(box.arm, 40).text})" for box in last)
    title = f"The outcome was observed at the primary wave in {seen}"
    parts = [f"{facts.arm(arm).text}: {_randomised(facts, arm)}" for arm in ARMS]
    parts += [
        f"{facts.arm(box.arm, 40).text}, {facts.wave(box.wave)}: seen {box.seen.text}, not seen {box.absent.text}, "
        f"outcome observed {box.observed.text} of {box.people}"
        for box in boxes
    ]
    parts += [
        f"{facts.arm(arm, 40).text}: outcome missing at one wave or more {facts.people.lost(arm).text}" for arm in ARMS
    ]
    description = f"Flow diagram. {'; '.join(parts)}."

    def layout(width: float, form: str) -> str:
        return _layout(facts, boxes, width).svg(NAME, title, description, form)

    rows = tuple((box.arm, box.wave, box.people, box.seen.value, box.absent.value, box.observed.value) for box in boxes)
    return Figure(
        NAME,
        title,
        description,
        layout(WIDE, "wide"),
        layout(NARROW, "narrow"),
        ("arm", "wave", "in_data", "seen", "not_seen", "outcome_observed"),
        rows,
    )


def _first_word(facts: Facts) -> str:
    """Head of the flow: nothing is called randomised that the study file does not state."""
    stated = all(getattr(facts.study.arms, arm).randomised for arm in ARMS)
    return "Randomised" if stated else "In the data"


def _randomised(facts: Facts, arm: str) -> str:
    people, told = facts.people.size(arm), getattr(facts.study.arms, arm).randomised
    if told is None:
        return f"{people} in the data"
    return f"{told} randomised, {people} in the data" if told != people else f"{people} randomised"


def _layout(facts: Facts, boxes: list[Stop], width: float) -> Canvas:
    wide = width > 500
    waves = list(dict.fromkeys(box.wave for box in boxes))
    box_width, gap = (280.0, 60.0) if wide else (204.0, 14.0)
    middles = (width / 2 - (box_width + gap) / 2, width / 2 + (box_width + gap) / 2)
    step, tall = (88, 68) if wide else (120, 100)
    sheet = Canvas(width, 150 + step * len(waves) + 66)
    told = [getattr(facts.study.arms, arm).randomised or facts.people.size(arm) for arm in ARMS]
    _box(sheet, width / 2, 4, 200, 34, (_first_word(facts), f"{sum(told)}"), one_line=True)
    for middle, arm in zip(middles, ARMS, strict=True):
        sheet.path([(width / 2, 38), (width / 2, 52), (middle, 52), (middle, 60)], "flow")
        sheet.head((middle, 66), 1.5708, "flow-head")
        _box(
            sheet,
            middle,
            66,
            box_width,
            62,
            (*lines(capital(facts.arm(arm, 80).text), 36 if wide else 26, 2), _randomised(facts, arm)),
            style=arm,
        )
        y = 128.0
        for box in (box for box in boxes if box.arm == arm):
            sheet.arrow(middle, y, middle, y + step - tall, "flow")
            y += step - tall
            words = (
                *_counts(box, wide),
                f"outcome observed {box.observed.text} of {box.people}",
            )
            name = lines(capital(facts.wave(box.wave)), 36 if wide else 25, 1 if wide else 2)
            _box(sheet, middle, y, box_width, tall, (*name, *words), strong=len(name))
            y += tall
        sheet.arrow(middle, y, middle, y + step - tall, "flow")
        _box(
            sheet,
            middle,
            y + step - tall,
            box_width,
            56,
            (
                "In the analysis: all " + str(facts.people.size(arm)),
                f"{'outcome ' if wide else ''}missing at ≥ 1 wave: {facts.people.lost(arm).text}",
            ),
        )
    return sheet


def _counts(box: Stop, wide: bool) -> tuple[str, ...]:
    """How many were seen and how many were not, on one line where there is room."""
    told = (f"seen {box.seen.text}", f"not seen {box.absent.text}")
    return (" · ".join(told),) if wide else told


def _box(
    sheet: Canvas,
    middle: float,
    top: float,
    width: float,
    height: float,
    rows: tuple[str, ...],
    *,
    style: str = "",
    one_line: bool = False,
    strong: int = 1,
) -> None:
    sheet.rect(middle - width / 2, top, width, height, "box", 3)
    if style:
        sheet.rect(middle - width / 2, top, 5, height, f"{style}-mark")
    if one_line:
        rows = (" ".join(rows),)
    first = top + height / 2 - (len(rows) - 1) * LINE / 2 + 4.5
    for place, row in enumerate(rows):
        sheet.text(middle, first + place * LINE, row, "strong" if place < strong else "", "middle")
