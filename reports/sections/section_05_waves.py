"""Section 5: how does the outcome change over the waves."""

from __future__ import annotations

from reports.facts import ARMS, DEFAULT_AVERAGE, Facts
from reports.figures import contrasts, trajectories
from reports.numbers import INTERVAL, Number
from reports.parts import Cell, Column, Section, Sentence, Table, joined, sentence
from reports.words import at, capital

NUMBER, ESTIMATES = 5, True
QUESTION = "How does the outcome change over the waves?"
TABLES = ("waves", "contrasts", "averages")
FIGURES = ("trajectories", "contrasts")

AVERAGES = {
    "population": "all participants of this kind, their lasting differences averaged over (the default)",
    "sample": "the participants of this trial, each with what is known of them",
    "typical": "one participant in the middle of the lasting differences",
}


def compose(facts: Facts) -> Section:
    """Levels by arm and wave, differences by wave with the model-free checks, the three averages."""
    said = {"waves": _lead(facts), "flags": _flags(facts)}
    return Section(
        NUMBER,
        QUESTION,
        "section_05.html.j2",
        sentences=said,
        figures={"trajectories": trajectories.draw(facts), "contrasts": contrasts.draw(facts)},
        tables={"waves": _waves(facts), "contrasts": _contrasts(facts), "averages": _averages(facts)},
        values={
            "note": facts.limit.note,
            "negative_control": [wave for wave in facts.contrasts if facts.role(wave) == "negative control"],
        },
    )


def _lead(facts: Facts) -> Sentence:
    scale, parts = facts.scale, []
    controls = [wave for wave in facts.contrasts if facts.role(wave) == "negative control"]
    for wave in controls:
        found = facts.estimate(scale.difference, wave)
        inside = "contains" if found.lower <= 0 <= found.upper else "does not contain"
        parts.append(
            sentence(
                "{at}, before the arms could differ, the contrast is {rd} {points} ({ci} interval {lo} to {hi}), "
                "which {inside} 0.",
                at=at(facts.wave(wave)),
                points=scale.points,
                inside=inside,
                **_numbers(facts, wave),
            )
        )
    for wave in [wave for wave in facts.contrasts if wave not in controls]:
        parts.append(
            sentence("{at} it is {rd} ({ci} interval {lo} to {hi}).", at=at(facts.wave(wave)), **_numbers(facts, wave))
        )
    if not controls:
        parts[0] = sentence(
            "{at} the difference is {rd} {points} ({ci} interval {lo} to {hi}).",
            at=at(facts.wave(facts.contrasts[0])),
            points=scale.points,
            **_numbers(facts, facts.contrasts[0]),
        )
    return joined(*parts)


def _numbers(facts: Facts, wave: str) -> dict[str, Number]:
    found = facts.estimate(facts.scale.difference, wave)
    return {"ci": INTERVAL, "rd": found.number("median"), "lo": found.number("lower"), "hi": found.number("upper")}


def _flags(facts: Facts) -> Sentence:
    """Name the model-free checks that lie more than one posterior SD from the model."""
    rows = contrasts.intervals(facts)
    flagged = [f"{row.method}, {facts.wave(row.wave)}" for row in rows if row.flag]
    if not any(row.drawn and row.method != "modelled" for row in rows):
        return sentence("No model-free check could be made or told.")
    if not flagged:
        return sentence("No model-free check lies more than {one} posterior SD from the model.", one=Number(1, "1"))
    return sentence(
        "Model-free checks more than {one} posterior SD from the model: {named}.",
        one=Number(1, "1"),
        named="; ".join(flagged),
    )


def _waves(facts: Facts) -> Table:
    columns = (
        Column("wave", "Wave"),
        Column("month", "Month", number=True),
        Column("arm", "Arm"),
        Column("observed", "Observed", "share" if facts.binary else "mean", number=True),
        Column("n", "Observed", "n", number=True),
        Column("modelled", "Modelled", "median (95% interval)", number=True),
    )
    rows = []
    for wave in facts.study.waves:
        for arm in reversed(ARMS):
            cell, level = facts.counts[arm, wave.value], facts.estimate(facts.scale.level, wave.value, arm=arm)
            n = facts.limit.count(cell.observed, cell.people)
            gone = facts.hidden(arm, wave.value) or not cell.observed
            unit = facts.scale.level_unit
            share = (
                Cell("…" if cell.observed else "—", "suppressed" if cell.observed else None)
                if gone
                else Cell(f"{cell.mean * unit.factor:.{0 if facts.binary else 2}f}{unit.sign}", cell.mean)
            )
            rows.append(
                {
                    "wave": Cell(capital(facts.wave(wave.value)), wave.value),
                    "month": Cell(f"{wave.month:g}", wave.month),
                    "arm": Cell(facts.arm(arm, 50).text, arm, arm),
                    "observed": share,
                    "n": n,
                    "modelled": Cell(f"{level.number('median').text} ({level.interval})", None, "estimate"),
                    **{field: Cell("", getattr(level, field)) for field in ("median", "lower", "upper")},
                }
            )
    caption = f"{capital(facts.scale.level_word)} of the outcome by wave and arm, as observed and as modelled"
    return Table("waves", caption, columns, tuple(rows), ("median", "lower", "upper"))


def _contrasts(facts: Facts) -> Table:
    columns = (
        Column("wave", "Wave"),
        Column("role", "Role"),
        Column("method", "Method"),
        Column("difference", f"Difference, {facts.scale.points}", "(95% interval)", number=True),
        Column("flag", "Differs from the model"),
    )
    rows = []
    for row in contrasts.intervals(facts):
        verdict = (
            "—" if row.method == "modelled" or not row.drawn else "! more than 1 posterior SD" if row.flag else "no"
        )
        rows.append(
            {
                "wave": Cell(capital(facts.wave(row.wave)), row.wave),
                "role": Cell(facts.role(row.wave), facts.role(row.wave)),
                "method": Cell(row.method, row.method),
                "difference": Cell(row.text, row.text, "estimate" if row.method == "modelled" else ""),
                "flag": Cell(f"{verdict}{'; ' + row.note if row.note else ''}", row.flag),
                **{field: Cell("", getattr(row, field)) for field in ("median", "lower", "upper")},
            }
        )
    caption = (
        "Treated minus control at each wave: by the model, crude (Newcombe interval) and standardised over baseline "
        "variables"
    )
    if not facts.binary:
        caption = "Treated minus control at each wave: by the model and without it"
    return Table("contrasts", caption, columns, tuple(rows), ("median", "lower", "upper"))


def _averages(facts: Facts) -> Table:
    columns = (
        Column("average", "Average"),
        Column("over", "Over whom"),
        Column("difference", f"Difference, {facts.scale.points}", "median (95% interval)", number=True),
    )
    rows = []
    for average, meaning in AVERAGES.items():
        if facts.has(facts.scale.difference, facts.primary, average):
            found = facts.estimate(facts.scale.difference, facts.primary, average)
            name = f"{average}{' (default)' if average == DEFAULT_AVERAGE else ''}"
            rows.append(
                {
                    "average": Cell(capital(name), average),
                    "over": Cell(meaning, meaning),
                    "difference": Cell(f"{found.number('median').text} ({found.interval})", None, "estimate"),
                    **{field: Cell("", getattr(found, field)) for field in ("median", "lower", "upper")},
                }
            )
    return Table(
        "averages",
        f"Three averages of the same difference, {facts.wave(facts.primary)}",
        columns,
        tuple(rows),
        ("median", "lower", "upper"),
    )
