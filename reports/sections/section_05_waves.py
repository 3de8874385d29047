"""Section 5: how does the outcome change over the waves."""

from __future__ import annotations

from reports.figures import contrasts, trajectories
from reports.sections import group_spread
from reports.text import difference_by_wave, negative_control
from reports.text.estimate import ReportedEstimate
from reports.text.facts import DEFAULT_AVERAGE, Facts
from reports.text.numbers import INTERVAL, Number
from reports.text.parts import Cell, Column, Label, Piece, Section, Sentence, Table, joined, sentence
from reports.text.people import ARMS
from reports.text.privacy import HIDDEN, SUPPRESSED
from reports.text.words import agreeing, at, capital, listed, short

NUMBER, ESTIMATES = 5, True
QUESTION = "How does the outcome change over the waves?"
TABLES = ("waves", "contrasts", "averages", "icc")
FIGURES = ("trajectories", "contrasts")

AVERAGES = {
    "population": "all participants of this kind, their lasting differences averaged over",
    "sample": "the participants of this trial, each with what is known of them",
    "typical": "one participant in the middle of the lasting differences",
}
ALONE = {
    "population": "all participants of this kind",
    "sample": "the participants of this trial",
    "typical": "one participant whose baseline variables are at their means",
}
"""The same in a model without lasting differences."""
OF_GROUPS = {
    "these groups": "participants of this kind in the groups of this trial, each participant counted alike",
    "groups equally": "the same, each group counted alike however many its members",
}


def compose(facts: Facts) -> Section:
    """Levels by arm and wave, differences by wave with the model-free checks, the averages."""
    said = {"waves": _lead(facts), "flags": _flags(facts)}
    return Section(
        NUMBER,
        QUESTION,
        "section_05.html.j2",
        sentences=said,
        figures={"trajectories": trajectories.draw(facts), "contrasts": contrasts.draw(facts)},
        tables={
            "waves": _waves(facts),
            "contrasts": _contrasts(facts),
            "averages": _averages(facts),
            **({"icc": group_spread.spread(facts)} if facts.study.groupings else {}),
        },
        values={
            "note": facts.limit.note,
            "binary": facts.binary,
            "regression": facts.distribution.regression,
            "waves": len(facts.study.waves),
            "icc_reason": group_spread.reason(facts),
            "together": facts.study.randomised_in_groups is not None,
            "baseline": facts.shared_baseline,
            "negative_control": [facts.exposed(w) for w in facts.contrasts if facts.role(w) == "negative control"],
        },
    )


def _lead(facts: Facts) -> Sentence:
    points, parts = facts.scale.points, []
    for wave in sorted(facts.contrasts, key=lambda each: facts.role(each) == "negative control"):
        found = facts.estimate(facts.scale.difference, wave)
        if not found.identified:
            parts.append(sentence("{at} the difference is not identified.", at=Label(at(facts.wave(wave)))))
            continue
        numbers = _numbers(facts, wave)
        words: dict[str, Piece] = {
            "at": Label(at(facts.wave(wave))),
            "points": agreeing(numbers["rd"].text, points),
            **numbers,
        }
        if facts.role(wave) == "negative control":
            reported = (
                f"{{at}}, a negative control{negative_control.EXPOSED[facts.exposed(wave)]}, the contrast is {{rd}} "
                f"{{points}} ({{ci}} interval {{lo}} to {{hi}}; {found.evidence}): "
                f"{negative_control.WORDS[negative_control.found(facts, found)]}."
            )
        else:
            reported = (
                f"{{at}} the difference is {{rd}} {{points}} ({{ci}} interval {{lo}} to {{hi}}; {found.evidence})."
            )
        parts.append(sentence(reported, **words))
    return joined(*parts)


def _numbers(facts: Facts, wave: str) -> dict[str, Number]:
    found = facts.estimate(facts.scale.difference, wave)
    return {"ci": INTERVAL, "rd": found.number("median"), "lo": found.number("lower"), "hi": found.number("upper")}


def _flags(facts: Facts) -> Sentence:
    """Name the model-free checks that lie more than one posterior SD from the model."""
    rows = difference_by_wave.intervals(facts)
    if not any(row.drawn and row.method != "modelled" for row in rows):
        return sentence("No model-free check could be made or told.")
    flagged: dict[str, list[str]] = {}
    for row in (row for row in rows if row.flag):
        flagged.setdefault(row.method, []).append(facts.wave(row.wave))
    if not flagged:
        return sentence("No model-free check lies more than {one} posterior SD from the model.", one=Number(1, "1"))
    named = "; ".join(f"{method}: {listed(waves)}" for method, waves in flagged.items())
    reported = "More than {one} posterior SD from the model lie these model-free differences. {named}."
    return sentence(reported, one=Number(1, "1"), named=Label(capital(named)))


def _waves(facts: Facts) -> Table:
    columns = (
        Column("wave", "Wave"),
        Column("month", "Month", number=True),
        Column("arm", "Arm"),
        Column("observed", "Observed", "% of n" if facts.binary else _level(facts), number=True),
        Column("n", "n", "observed", number=True),
        *([Column("events", "Events", number=True), _over(facts)] if facts.study.outcome.exposure else []),
        Column("modelled", "Modelled", "median (95% interval)", number=True),
        Column("evidence", "Evidence", "of what is modelled"),
    )
    rows = []
    for wave in facts.study.waves:
        for arm in reversed(ARMS):
            place = (arm, wave.value)
            level = facts.estimate(facts.scale.level, wave.value, arm=arm)
            share, n = facts.people.mean_cell(place, facts.scale.level_unit), facts.people.observed[place]
            rows.append(
                {
                    "wave": Cell(capital(facts.wave(wave.value)), wave.value),
                    "month": Cell(f"{wave.month:g}", wave.month),
                    "arm": Cell(facts.arm(arm, 50).text, arm, arm),
                    "observed": share,
                    "n": n,
                    **_events(facts, place),
                    "modelled": Cell(level.reported, None, "estimate"),
                    "evidence": Cell(level.evidence, level.evidence, "evidence"),
                    **_fields(level),
                }
            )
    caption = f"{capital(facts.scale.level_word)} of the outcome by wave and arm, as observed and as modelled"
    return Table("waves", caption, columns, tuple(rows), ("median", "lower", "upper"))


def _level(facts: Facts) -> str:
    return facts.scale.level_name if facts.study.outcome.exposure else "mean"


def _over(facts: Facts) -> Column:
    over = facts.study.outcome.exposure
    return Column("exposure", "Over", f"{short(over.column, 30)}, total" if over else "", number=True)


def _events(facts: Facts, place: tuple[str, str]) -> dict[str, Cell]:
    """Events, and what they arose over, of a count with an exposure."""
    over, cell = facts.study.outcome.exposure, facts.people.counts[place]
    if not over:
        return {}
    if facts.people.hidden(place):
        return {name: Cell(HIDDEN, SUPPRESSED, SUPPRESSED) for name in ("events", "exposure")}
    total = over.at * cell.amount
    return {"events": Cell(f"{cell.total:.0f}", cell.total), "exposure": Cell(f"{total:.6g}", total)}


def _fields(estimate: ReportedEstimate) -> dict[str, Cell]:
    """Numbers for the CSV; none where the estimate is not identified."""
    names = ("median", "lower", "upper")
    return {name: Cell("", getattr(estimate, name) if estimate.identified else None) for name in names}


def _contrasts(facts: Facts) -> Table:
    columns = (
        Column("wave", "Wave"),
        Column("role", "Role"),
        Column("method", "Method"),
        Column("difference", "Difference", f"{facts.scale.points} (95% interval)", number=True),
        Column("evidence", "Evidence"),
        Column("flag", "Differs from the model"),
    )
    rows = []
    for row in difference_by_wave.intervals(facts):
        verdict = (
            "—" if row.method == "modelled" or not row.drawn else "! more than 1 posterior SD" if row.flag else "no"
        )
        rows.append(
            {
                "wave": Cell(capital(facts.wave(row.wave)), row.wave),
                "role": Cell(facts.role(row.wave), facts.role(row.wave)),
                "method": Cell(row.method, row.method),
                "difference": Cell(row.text, row.text, "estimate" if row.method == "modelled" else ""),
                "evidence": Cell(row.evidence, row.evidence, "evidence"),
                "flag": Cell(f"{verdict}{'; ' + row.note if row.note else ''}", row.flag),
                **{field: Cell("", getattr(row, field)) for field in ("median", "lower", "upper")},
            }
        )
    caption = (
        "Treated minus control at each wave: by the model, crude (Newcombe interval) and standardised over baseline "
        "variables"
    )
    if facts.study.randomised_in_groups:
        caption = "Treated minus control at each wave: by the model, and without it by sums over groups"
    elif not facts.binary:
        caption = "Treated minus control at each wave: by the model and without it"
    return Table("contrasts", caption, columns, tuple(rows), ("median", "lower", "upper"))


def _averages(facts: Facts) -> Table:
    columns = (
        Column("average", "Average"),
        Column("over", "Over whom"),
        Column("difference", "Difference", f"{facts.scale.points}, median (95% interval)", number=True),
        Column("evidence", "Evidence"),
    )
    rows = []
    over = (AVERAGES if facts.has_trait else ALONE) | OF_GROUPS
    for average, meaning in over.items():
        if facts.has(facts.scale.difference, facts.primary, average):
            found = facts.estimate(facts.scale.difference, facts.primary, average)
            name = f"{average}{' (default)' if average == DEFAULT_AVERAGE else ''}"
            rows.append(
                {
                    "average": Cell(capital(name), average),
                    "over": Cell(meaning, meaning),
                    "difference": Cell(found.reported, None, "estimate"),
                    "evidence": Cell(found.evidence, found.evidence, "evidence"),
                    **_fields(found),
                }
            )
    return Table(
        "averages",
        f"Averages of the same difference, {facts.wave(facts.primary)}",
        columns,
        tuple(rows),
        ("median", "lower", "upper"),
    )
