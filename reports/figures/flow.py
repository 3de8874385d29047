"""Who was randomised, seen and observed: the participants' flow, drawn from the data."""

from __future__ import annotations

from dataclasses import dataclass

from reports.figures.canvas import LINE, NARROW, WIDE, Canvas
from reports.text.facts import Facts
from reports.text.parts import Cell, Figure
from reports.text.people import ARMS
from reports.text.words import capital, count, lines, short

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
    """How many participants, and in how many groups where groups were randomised."""
    together = facts.study.randomised_in_groups
    if together is None:
        return _participants(facts, arm)
    groups = facts.groups[together.column][arm]
    return f"{count(groups.number, 'group')} ({short(together.label, 20)}), {_participants(facts, arm)}"


def _participants(facts: Facts, arm: str) -> str:
    people, reported = facts.people.size(arm), getattr(facts.study.arms, arm).randomised
    if reported is None:
        return f"{people} in the data"
    return f"{reported} randomised, {people} in the data" if reported != people else f"{people} randomised"


def _layout(facts: Facts, boxes: list[Stop], width: float) -> Canvas:
    wide = width > 500
    waves = list(dict.fromkeys(box.wave for box in boxes))
    box_width, gap = (280.0, 60.0) if wide else (204.0, 14.0)
    middles = (width / 2 - (box_width + gap) / 2, width / 2 + (box_width + gap) / 2)
    step, tall = (88, 68) if wide else (120, 100)
    sheet = Canvas(width, 150 + step * len(waves) + 66)
    reported = [getattr(facts.study.arms, arm).randomised or facts.people.size(arm) for arm in ARMS]
    _Box(width / 2, 4, 200, 34, (f"{_first_word(facts)} {sum(reported)}",)).draw(sheet)
    for middle, arm in zip(middles, ARMS, strict=True):
        sheet.path([(width / 2, 38), (width / 2, 52), (middle, 52), (middle, 60)], "flow")
        sheet.head((middle, 66), 1.5708, "flow-head")
        named = (*lines(capital(facts.arm(arm, 80).text), 36 if wide else 26, 2), _randomised(facts, arm))
        _Box(middle, 66, box_width, 62, named, arm=arm).draw(sheet)
        y = 128.0
        for box in (box for box in boxes if box.arm == arm):
            sheet.arrow(middle, y, middle, y + step - tall, "flow")
            y += step - tall
            words = (
                *_counts(box, wide),
                f"outcome observed {box.observed.text} of {box.people}",
            )
            name = lines(capital(facts.wave(box.wave)), 36 if wide else 25, 1 if wide else 2)
            _Box(middle, y, box_width, tall, (*name, *words), strong=len(name)).draw(sheet)
            y += tall
        sheet.arrow(middle, y, middle, y + step - tall, "flow")
        missing = f"{'outcome ' if wide else ''}missing at ≥ 1 wave: {facts.people.lost(arm).text}"
        analysed = (f"In the analysis: all {facts.people.size(arm)}", missing)
        _Box(middle, y + step - tall, box_width, 56, analysed).draw(sheet)
    return sheet


def _counts(box: Stop, wide: bool) -> tuple[str, ...]:
    """How many were seen and how many were not, on one line where there is room."""
    reported = (f"seen {box.seen.text}", f"not seen {box.absent.text}")
    return (" · ".join(reported),) if wide else reported


@dataclass(frozen=True)
class _Box:
    """A box of the diagram: middle of its upper edge, size, rows of words of which the first few are strong."""

    middle: float
    top: float
    width: float
    height: float
    rows: tuple[str, ...]
    strong: int = 1
    arm: str = ""

    def draw(self, sheet: Canvas) -> None:
        """With the mark of its arm at the left, where it has one."""
        left = self.middle - self.width / 2
        sheet.rect(left, self.top, self.width, self.height, "box", 3)
        if self.arm:
            sheet.rect(left, self.top, 5, self.height, f"{self.arm}-mark")
        first = self.top + self.height / 2 - (len(self.rows) - 1) * LINE / 2 + 4.5
        for place, row in enumerate(self.rows):
            style = "strong" if place < self.strong else ""
            sheet.text(self.middle, first + place * LINE, row, style, "middle")
