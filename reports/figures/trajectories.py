"""The outcome over the waves: observed and modelled, by arm, spaced by real months."""

from __future__ import annotations

from reports.figures.axis import left
from reports.figures.canvas import LINE, NARROW, WIDE, Canvas, Linear, measured, ticks
from reports.text.estimate import ReportedEstimate
from reports.text.facts import Facts
from reports.text.numbers import tick_text
from reports.text.parts import Figure
from reports.text.people import ARMS
from reports.text.words import capital, lines

NAME = "trajectories"
FELL, ROSE = "fell in both arms", "rose in both arms"
SHAPES = {"control": "circle", "treated": "square"}


def draw(facts: Facts) -> Figure:
    """Lines and bands are the model's, hollow marks the observed shares (or means)."""
    waves = facts.level_waves
    places = [(arm, wave) for arm in ARMS for wave in waves]
    found = {(arm, wave): facts.estimate(facts.scale.level, wave, arm=arm) for arm, wave in places}
    levels = {place: level for place, level in found.items() if level.identified}
    title = _title(facts, levels)
    described = "; ".join(
        f"{facts.arm(arm).text}, {facts.wave(wave)} (month {facts.month(wave):g}): modelled "
        f"{levels[arm, wave].number('median').text} "
        f"({levels[arm, wave].interval}), observed {observed_text(facts, arm, wave)}"
        for arm, wave in levels
    )
    description = f"Line chart over months. {described}."

    def layout(width: float, form: str) -> str:
        return _layout(facts, waves, levels, width).svg(NAME, title, description, form)

    columns = ("arm", "wave", "month", "observed", "n", "median", "lower", "upper")
    return Figure(
        NAME, title, description, layout(WIDE, "wide"), layout(NARROW, "narrow"), columns, tuple(_rows(facts, levels))
    )


def _title(facts: Facts, levels: dict[tuple[str, str], ReportedEstimate]) -> str:
    """From where to where in each arm; the direction in words where the arms share it."""
    ends = dict.fromkeys((facts.level_waves[0], facts.primary))
    verb = _verb(facts, facts.primary)
    reported = "; ".join(
        f"{facts.arm(arm, 40).text} "
        f"{' to '.join(levels[arm, wave].number('median').text for wave in ends if (arm, wave) in levels)}"
        for arm in ARMS
    )
    cause = " (why is not identified)" if verb in (FELL, ROSE) else ""
    return f"{capital(facts.scale.level_word)} {verb}{cause}: {reported}"


def _verb(facts: Facts, wave: str) -> str:
    """Fell or rose only where the interval of the change since baseline says so in both arms."""
    if not all(facts.has("change", wave, arm=arm) for arm in ARMS):
        return "by arm"
    changes = [facts.estimate("change", wave, arm=arm) for arm in ARMS]
    if max(change.upper for change in changes) < 0:
        return FELL
    return ROSE if min(change.lower for change in changes) > 0 else "by arm"


def observed_text(facts: Facts, arm: str, wave: str) -> str:
    """Observed share or mean with its n, or that it is suppressed."""
    share = facts.people.mean_cell((arm, wave), facts.scale.level_unit)
    if share.value is None:
        return "none"
    return "suppressed" if share.kind else f"{share.text} (n {facts.people.observed[arm, wave].text})"


def _rows(facts: Facts, levels: dict[tuple[str, str], ReportedEstimate]) -> list[tuple]:
    rows = []
    for (arm, wave), level in levels.items():
        share = facts.people.mean_cell((arm, wave), facts.scale.level_unit)
        n = facts.people.observed[arm, wave].value
        rows.append((arm, wave, facts.month(wave), share.value, n, level.median, level.lower, level.upper))
    return rows


def _layout(facts: Facts, waves: list[str], levels: dict[tuple[str, str], ReportedEstimate], width: float) -> Canvas:
    low, high = _range(facts, levels)
    edge = max(52.0, *(measured(tick_text(mark, facts.scale.level_unit), 12) + 14 for mark in ticks(low, high, 5)))
    names = _wave_names(facts, waves, width, edge)
    top = 22 + max(row for row, _ in names.values()) * 1.0
    top += 20  # room for the unit of the upright axis
    base, sheet = top + 250, Canvas(width, top + 250 + 108)
    months = [facts.month(wave) for wave in waves]
    reach = (months[-1] - months[0]) or 1.0
    x = Linear(months[0] - 0.04 * reach, months[-1] + 0.04 * reach, edge, width - 18)
    y = Linear(low, high, base, top)
    left(sheet, y, edge, facts.scale.level_unit, width - 18)
    words = f"{axis_name(facts, 'participants')}; n: outcome observed"
    sheet.text(0, 12, words, "note")
    for wave, (row, rows) in names.items():
        row += 20
        sheet.line(x(facts.month(wave)), row + 4, x(facts.month(wave)), base, "grid")
        sheet.block(
            x(facts.month(wave)), row - (len(rows) - 1) * LINE, rows, "note", _anchor(x(facts.month(wave)), width)
        )
    for arm in ARMS:
        _arm(facts, sheet, x, y, arm, [levels[arm, wave] for wave in waves if (arm, wave) in levels])
    _foot(facts, sheet, x, waves, base)
    return sheet


def axis_name(facts: Facts, of: str) -> str:
    """Unit of an axis of levels, and of whom it is a share."""
    return f"% of {of}" if facts.binary else f"mean, {facts.scale.level_name}"


def _range(facts: Facts, levels: dict[tuple[str, str], ReportedEstimate]) -> tuple[float, float]:
    """Ends of the upright axis, on round numbers; a share or a count begins at 0, any other number need not."""
    observed = [value for value in (facts.people.mean(place) for place in levels) if value is not None]
    highest = max([*(level.upper for level in levels.values()), *observed])
    if not facts.continuous:
        roof = _rounded_out(0.0, highest)[1]
        return 0.0, min(roof, 1.0) if facts.binary else roof
    lowest = min([*(level.lower for level in levels.values()), *observed])
    # a second time: the wider range can have wider steps
    return _rounded_out(*_rounded_out(lowest, highest))


def _rounded_out(low: float, high: float) -> tuple[float, float]:
    """Nearest ticks at or beyond the two ends."""
    marks = ticks(low, high, 5)
    step = marks[1] - marks[0]
    return (
        marks[0] if marks[0] <= low else marks[0] - step,
        marks[-1] if marks[-1] >= high else marks[-1] + step,
    )


def _anchor(x: float, width: float) -> str:
    return "start" if x < 90 else "end" if x > width - 90 else "middle"


def _wave_names(facts: Facts, waves: list[str], width: float, edge: float) -> dict[str, tuple[float, tuple[str, ...]]]:
    """Height and lines of each wave's name; neighbours too close together stand on different rows."""
    months = [facts.month(wave) for wave in waves]
    reach = (months[-1] - months[0]) or 1.0
    found: dict[str, tuple[int, tuple[str, ...]]] = {}
    ends: list[float] = []
    for wave, month in zip(waves, months, strict=True):
        place = edge + (month - months[0] + 0.04 * reach) / (1.08 * reach) * (width - 18 - edge)
        rows = lines(facts.wave(wave), 20 if width > 500 else 14, 2)
        wide = max(measured(row, 12) for row in rows)
        anchor = _anchor(place, width)
        start = place - {"start": 0.0, "middle": wide / 2, "end": wide}[anchor]
        level = next((k for k, end in enumerate(ends) if start > end + 10), len(ends))
        ends[level : level + 1] = [start + wide]
        found[wave] = (level, rows)
    height = {
        level: max(len(rows) for row, rows in found.values() if row == level) * LINE + 4 for level in range(len(ends))
    }
    return {
        wave: (12.0 + sum(height[k] for k in range(level + 1)) - LINE - 2, rows)
        for wave, (level, rows) in found.items()
    }


def _arm(facts: Facts, sheet: Canvas, x: Linear, y: Linear, arm: str, levels: list[ReportedEstimate]) -> None:
    aside = -4 if arm == "control" else 4
    places = [x(facts.month(level.wave)) + aside for level in levels]
    if len(levels) > 1:
        sheet.path([(px, y(level.median)) for px, level in zip(places, levels, strict=True)], f"{arm}-line")
    for px, level in zip(places, levels, strict=True):
        sheet.line(px, y(level.lower), px, y(level.upper), f"{arm}-range")
        sheet.marker(SHAPES[arm], px, y(level.median), 9, f"{arm}-mark")
        observed = facts.people.mean((arm, level.wave))
        if observed is not None:
            sheet.marker(SHAPES[arm], px + 3 * aside, y.held(observed), 8, f"{arm}-hollow")


def _foot(facts: Facts, sheet: Canvas, x: Linear, waves: list[str], base: float) -> None:
    """Months, then the number observed in each arm, then the key."""
    free = -1e9
    for wave in waves:
        place = x(facts.month(wave))
        sheet.line(place, base, place, base + 4, "axis")
        if place - free > 22:
            sheet.text(place, base + 18, f"{facts.month(wave):g}", "tick", "middle")
            free = place
    sheet.text(0, base + 18, "month", "note")
    for row, arm in enumerate(ARMS):
        height = base + 40 + row * LINE
        sheet.text(0, height, "n", f"note {arm}-text")
        sheet.marker(SHAPES[arm], 16, height - 4, 7, f"{arm}-mark")
        for wave in waves:
            n = facts.people.observed[arm, wave].text
            sheet.text(x(facts.month(wave)), height, n if sheet.width > 500 else n.replace(" ", ""), "tick", "middle")
    _key(facts, sheet, base + 40 + 2 * LINE + 12)


def _key(facts: Facts, sheet: Canvas, y: float) -> None:
    length = 34 if sheet.width > 500 else 15
    place = 8.0
    for arm in ARMS:
        label = facts.arm(arm, length).text
        sheet.marker(SHAPES[arm], place + 6, y - 4, 8, f"{arm}-mark")
        sheet.text(place + 18, y, label, f"end {arm}-text")
        place += 18 + measured(label) + 18
    sheet.marker("circle", place + 6, y - 4, 8, "prior-hollow")
    sheet.text(place + 18, y, "observed (filled: modelled)" if sheet.width > 500 else "observed", "note")
