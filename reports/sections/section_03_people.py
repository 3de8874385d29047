"""Section 3: who was analysed."""

from __future__ import annotations

import json

import numpy as np

from reports.figures import flow
from reports.sections import dropout, group_spread, missing_mediators
from reports.text.facts import Facts
from reports.text.numbers import RISK, Number, Unit, fixed, rounded
from reports.text.parts import Cell, Column, Label, Section, Sentence, Table, joined, sentence
from reports.text.people import ARMS, People, Place
from reports.text.privacy import SUPPRESSED, Limit
from reports.text.words import capital, clean, short

NUMBER, QUESTION, ESTIMATES = 3, "Who was analysed?", False
TABLES = ("groups", "baseline", "missing", "missing_mediators", "dropout")
FIGURES = ("flow",)
_INDENT = "\u2003"


def compose(facts: Facts) -> Section:
    """Flow, baseline by arm (no p values: randomised arms differ by chance alone), who is missing, and after what."""
    return Section(
        NUMBER,
        QUESTION,
        "section_03.html.j2",
        sentences={"people": _lead(facts)},
        figures={"flow": flow.draw(facts)},
        tables={
            **({"groups": group_spread.sizes(facts)} if facts.study.groupings else {}),
            "baseline": _baseline(facts),
            "missing": _missing(facts),
            **missing_mediators.tables(facts),
            **dropout.tables(facts),
        },
        values={
            "note": Limit.of(facts.study).note,
            "recruited_after": facts.study.recruited_after,
            "groups_reason": group_spread.reason(facts),
            "missing_mediators_reason": missing_mediators.reason(facts),
            "dropout_reason": dropout.reported(facts).reason,
        },
    )


def _lead(facts: Facts) -> Sentence:
    numbers = [facts.people.size(arm) for arm in ARMS]
    everybody, counts = sum(numbers), facts.people.counts.values()
    share = rounded(sum(cell.observed for cell in counts) / sum(cell.people for cell in counts), 2)
    found = sentence(
        "{all} participants, {n0} in the {control} arm and {n1} in the {treated} arm, are analysed in the arm to "
        "which {they} were randomised; nobody is dropped for a missing outcome.",
        they=Label(facts.who_was_randomised),
        all=Number(everybody, str(everybody)),
        n0=Number(numbers[0], str(numbers[0])),
        n1=Number(numbers[1], str(numbers[1])),
        control=facts.arm("control"),
        treated=facts.arm("treated"),
    )
    reported = "The outcome was observed in {share} of planned visits."
    return joined(found, sentence(reported, share=Number(share, f"{fixed(100 * share)}%")))


def _columns(facts: Facts, first: str) -> tuple[Column, ...]:
    return (
        Column("variable", first),
        *(Column(arm, facts.arm(arm, 50).text, f"n = {facts.people.size(arm)}", number=True) for arm in ARMS),
    )


def _baseline(facts: Facts) -> Table:
    group = facts.group("trial")
    rows: list[dict[str, Cell]] = []
    if facts.study.covariates:
        values = group["covariate_value"].transpose("participant", "covariate").to_numpy()
        levels = json.loads(group.attrs["levels"])
        columns = {str(label): values[:, place] for place, label in enumerate(group["covariate"].to_numpy())}
        for covariate in facts.study.covariates:
            rows += _covariate(
                facts,
                Limit.of(facts.study, covariate.column),
                short(covariate.label),
                columns[covariate.column],
                levels.get(covariate.column),
            )
    rows += _outcome(facts)
    rows += [
        row
        for label, kind, people in missing_mediators.measured(facts)
        for row in _measured(facts, label, kind, people)
    ]
    caption = (
        "Participants at baseline, by arm: mean (SD) or n (%)"
        if rows
        else "No baseline variables were named in the study file"
    )
    return Table("baseline", caption, _columns(facts, "Variable"), tuple(rows), note=_use(facts) if rows else "")


def _use(facts: Facts) -> str:
    """Which variables the model adjusts for, and which stand in the table alone."""
    found = []
    for adjust, words in ((True, "adjusted for"), (False, "in this table only")):
        named = [short(one.label, 60) for one in facts.study.covariates if one.adjust == adjust]
        if named:
            # labels may hold commas themselves
            found.append(capital(f"{words}: {'; '.join(named)}."))
    return " ".join(found)


def _covariate(
    facts: Facts, limit: Limit, label: str, values: np.ndarray, levels: list[str] | None
) -> list[dict[str, Cell]]:
    by_arm = [values[facts.people.arm == code] for code in range(2)]
    if levels is None:
        rows = [
            {
                "variable": Cell(f"{capital(label)}, mean (SD)", label),
                **_each(_mean_sd(part, limit) for part in by_arm),
            }
        ]
    else:
        split = [limit.split([int((part == code).sum()) for code in range(len(levels))]) for part in by_arm]
        rows = [{"variable": Cell(f"{capital(label)}, n (%)", label, "group"), **_each([Cell("", ""), Cell("", "")])}]
        for code, level in enumerate(levels):
            cells = [_percent(split[arm][code], int((~np.isnan(by_arm[arm])).sum())) for arm in range(2)]
            rows.append({"variable": Cell(_INDENT + short(level, 60), f"{label}: {clean(level)}"), **_each(cells)})
    if any(np.isnan(part).any() for part in by_arm):
        absent = [int(np.isnan(part).sum()) for part in by_arm]
        cells = [Cell(str(count), count) for count in absent]
        rows.append({"variable": Cell(_INDENT + "not recorded, n", f"{label}: not recorded"), **_each(cells)})
    return rows


def _each(cells) -> dict[str, Cell]:  # type: ignore[no-untyped-def]
    return dict(zip(ARMS, cells, strict=True))


def _mean_sd(values: np.ndarray, limit: Limit) -> Cell:
    values = values[~np.isnan(values)]
    if limit.small(values.size) or values.size < 2:
        return Cell("—", SUPPRESSED, SUPPRESSED)
    text = f"{fixed(values.mean(), 1)} ({fixed(values.std(ddof=1), 1)})"
    return Cell(text, text)


def _percent(cell: Cell, total: int) -> Cell:
    if cell.kind == SUPPRESSED or not total:
        return cell
    text = f"{cell.value} ({fixed(100 * float(cell.value or 0) / total)}%)"
    return Cell(text, text)


def _outcome(facts: Facts) -> list[dict[str, Cell]]:
    """Outcome at baseline, where it was measured."""
    return _measured(facts, capital(facts.outcome.text), facts.study.outcome.kind, facts.people)


def _measured(facts: Facts, label: str, kind: str, people: People) -> list[dict[str, Cell]]:
    """Something measured at every wave, as it was at baseline, and how many lack it."""
    if facts.baseline is None or ("control", facts.baseline) not in people.counts:
        return []
    form = "n (% of those observed)" if kind == "binary" else "mean (SD), %" if kind == "share" else "mean (SD)"
    factor, unit = (100, RISK) if kind in ("binary", "share") else (1, facts.scale.level_unit)
    cells = [_measured_cell(people, (arm, facts.baseline), kind, unit, factor) for arm in ARMS]
    rows = [{"variable": Cell(f"{label}, {form}", label), **_each(cells)}]
    if any(people.counts[arm, facts.baseline].observed < people.size(arm) for arm in ARMS):
        lacking = [people.missing((arm, facts.baseline), "observed") for arm in ARMS]
        rows.append({"variable": Cell(_INDENT + "missing, n (%)", f"{label}: missing"), **_each(lacking)})
    return rows


def _measured_cell(people: People, place: Place, kind: str, unit: Unit, factor: float) -> Cell:
    cell, share = people.counts[place], people.mean_cell(place, unit)
    if share.kind or share.value is None:
        return share
    if kind != "binary":
        text = f"{fixed(factor * cell.mean, 1)} ({fixed(factor * cell.sd, 1)})"
    else:
        text = f"{cell.total:.0f} ({share.text})"
    return Cell(text, text)


def _missing(facts: Facts) -> Table:
    columns = (
        Column("wave", "Wave"),
        *(
            Column(f"{arm}_{what}", facts.arm(arm, 50).text, what, number=True)
            for arm in ARMS
            for what in ("not seen", "outcome missing")
        ),
    )
    rows = []
    for wave in facts.study.waves:
        row = {"wave": Cell(capital(facts.wave(wave.value)), wave.value)}
        for arm in ARMS:
            place = (arm, wave.value)
            row[f"{arm}_not seen"] = facts.people.missing(place, "seen")
            row[f"{arm}_outcome missing"] = facts.people.missing(place, "observed")
        rows.append(row)
    return Table("missing", "Missing data by wave and arm, n (% of the arm)", columns, tuple(rows))
