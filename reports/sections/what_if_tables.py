"""Tables of section 9: changed analyses, tipping values, and the answer over each bias parameter."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from reports import asked, paths
from reports.facts import Facts
from reports.numbers import fixed, places, show
from reports.parts import Cell, Column, Table
from reports.paths import Part
from reports.words import capital, clean, minus

BIAS = {
    "missing_not_at_random": (
        "Missing outcomes that differ by δ from those of like participants who were seen",
        "δ, control",
        "δ, treated",
    ),
    "misreporting": ("Events reported with a sensitivity below 1", "Sensitivity, control", "Sensitivity, treated"),
}
NUMBERS = ("median", "lower", "upper")


def scenarios(facts: Facts, parts: list[Part]) -> Table:
    """One row a changed analysis."""
    columns = (
        Column("analysis", "Analysis"),
        Column("what", "What is changed"),
        Column("posterior", "Difference", f"{facts.scale.points}, median (95% interval)", number=True),
        Column("says", "95% interval"),
        Column("evidence", "Evidence"),
    )
    rows = [
        {
            "analysis": Cell(part.name, part.name),
            "what": Cell(part.note or "see below", part.note),
            "posterior": _estimate(part),
            "says": Cell("excludes 0" if asked.excludes_zero(part.estimate) else "includes 0"),
            "evidence": Cell(part.estimate.evidence, part.estimate.evidence, "evidence"),
            **{name: Cell("", getattr(part.estimate, name)) for name in NUMBERS},
        }
        for part in parts
    ]
    caption = f"Primary difference ({facts.wave(facts.primary)}) with one assumption changed at a time"
    return Table("what_if", caption, columns, tuple(rows), NUMBERS)


def _estimate(part: Part) -> Cell:
    text = f"{part.estimate.number('median').text} ({part.estimate.interval})"
    return Cell(text, text, "estimate")


def tipping(facts: Facts) -> Table:
    """Where the verdict of the interval would change, for every assumption that has a scale."""
    columns = (
        Column("assumption", "Assumption"),
        Column("parameter", "Bias parameter"),
        Column("tips", "Verdict changes at", number=True),
        Column("main", "As analysed", number=True),
    )
    rows = [*_verdicts(facts), *_slopes(facts), *_training(facts)]
    note = "The verdict is whether the 95% interval of the primary difference excludes 0."
    return Table("tipping", "Tipping values", columns, tuple(rows), note=note)


def _line(assumption: str, parameter: str, tips: str, main: str, value: float | str | None = None) -> dict[str, Cell]:
    return {
        "assumption": Cell(assumption, assumption),
        "parameter": Cell(parameter, parameter),
        "tips": Cell(tips, tips if value is None else value),
        "main": Cell(main, main),
    }


def _verdicts(facts: Facts) -> list[dict[str, Cell]]:
    rows = []
    lines = {
        "missing_not_at_random": (
            "Missing at random",
            (("δ of the treated arm, downwards", "treated"), ("δ of the treated arm, upwards", "treated")),
            "0",
        ),
        "misreporting": (
            "Truthful reports",
            (("sensitivity, treated arm", "treated"), ("sensitivity, control arm", "control")),
            "1",
        ),
    }
    for name, (assumption, parameters, main) in lines.items():
        table = facts.run.asked(name)
        if table is None or str(table["kind"].iloc[0]) == "not run":
            continue
        if name == "missing_not_at_random" and facts.people.concealed(facts.primary):
            continue
        found = table[table["kind"] == "tipping"].to_dict("records")
        for row, (parameter, arm) in zip(found, parameters, strict=True):
            value = float(row[arm])
            known = math.isfinite(value)
            tips = fixed(value, 2) if known else capital(minus(clean(row["reason"])))
            rows.append(_line(assumption, parameter, tips, main, value if known else None))
    return rows


def _slopes(facts: Facts) -> list[dict[str, Cell]]:
    """Strength of unmeasured causes that would explain a mediator's slope away."""
    fit = facts.paths
    if fit is None or fit.withheld or "confounding" not in fit.run.checks.children:
        return []
    group = fit.run.checks["confounding"].to_dataset()
    if "value" not in group:
        return []
    table = pd.DataFrame({str(name): group[name].to_numpy() for name in group.data_vars})
    rows = []
    for row in table[table["kind"] == "tipping"].to_dict("records"):
        label = paths.label(fit, str(row["mediator"]), 40).text
        value = float(row["value"])
        told = f"ζ at which the slope on {label} is nothing but confounding"
        rows.append(_line("No unmeasured causes of mediator and outcome", told, fixed(value, 2), "0", value))
    return rows


def _training(facts: Facts) -> list[dict[str, Cell]]:
    """Tipping share of the remainder of the common change, where section 6 has one."""
    fit = facts.paths
    if fit is None or fit.withheld or not fit.has(paths.TIPPING, facts.primary, arm="control"):
        return []
    found = fit.estimate(paths.TIPPING, facts.primary, arm="control").median
    known = math.isfinite(found)
    told = fixed(found, 2) if known else "none up to 1"
    words = f"w, share of the remainder that {facts.arm('control', 40).text} would have to carry (§ 6)"
    return [
        _line(
            "The common change has other causes", words, told, "not identified", found if math.isfinite(found) else None
        )
    ]


def surface(facts: Facts, name: str, table: pd.DataFrame) -> Table:
    """The primary difference over a bias parameter in each arm."""
    caption, control, treated = BIAS[name]
    grid = table[table["kind"] == "grid"]
    levels = sorted(set(grid["treated"]))
    unit = facts.scale.difference_unit
    main = facts.estimate(facts.scale.difference, facts.primary)
    digits = places(main.mcse_median, unit)
    columns = (
        Column("control", control, number=True),
        *(Column(f"treated_{level:g}", f"{treated}: {fixed(level, 1)}", number=True) for level in levels),
    )
    rows = []
    for value in sorted(set(grid["control"])):
        row = {"control": Cell(fixed(value, 1), float(value))}
        for level in levels:
            found = grid[(grid["control"] == value) & (grid["treated"] == level)].iloc[0]
            mark = " *" if found["excludes_zero"] == 1 else ""
            row[f"treated_{level:g}"] = Cell(show(found["median"], unit, digits).text + mark, float(found["median"]))
        rows.append(row)
    note = f"Median of the primary difference, {facts.scale.points}. * marks a 95% interval that excludes 0."
    return Table(name, f"{caption}: primary difference", columns, tuple(rows), note=note)


def confounding(facts: Facts, table: pd.DataFrame) -> Table:
    """Direct effect and effect via a mediator, by the strength of unmeasured causes."""
    fit = facts.paths
    assert fit is not None, "asked only where there is one"
    columns = (
        Column("mediator", "Mediator"),
        Column("zeta", "ζ", "on the link scale, per residual SD", number=True),
        Column("direct", "Natural direct effect", f"{facts.scale.points}, median (95% interval)", number=True),
        Column("via", "Via the mediator", f"{facts.scale.points}, median (95% interval)", number=True),
    )
    rows = []
    for mediator, some in table[table["kind"].isin(["grid", "prior"])].groupby("mediator", sort=False):
        label = paths.label(fit, str(mediator), 60).text
        for (_, zeta), pair in some.groupby(["kind", "value"], sort=False, dropna=False):
            by = {str(row["effect"]): row for row in pair.to_dict("records")}
            told = {key: _interval(facts, by[effect]) for key, effect in _EFFECTS.items()}
            row = {"mediator": Cell(label, str(mediator)), "zeta": _zeta(float(zeta))}
            rows.append(row | {key: Cell(text, text, "estimate") for key, text in told.items()})
    left = [
        f"{paths.label(fit, str(row['mediator']), 60).text}: not run: {clean(row['reason'])}"
        for row in table[table["kind"] == "not run"].to_dict("records")
    ]
    caption = "Unmeasured causes of a mediator and the outcome"
    return Table("confounding", caption, columns, tuple(rows), note=" ".join(left))


_EFFECTS = {"direct": "natural_direct", "via": "interventional_via"}


def _zeta(value: float) -> Cell:
    return Cell(fixed(value, 2), value) if math.isfinite(value) else Cell("averaged over its prior")


def _interval(facts: Facts, row: dict[str, Any]) -> str:
    unit = facts.scale.difference_unit
    numbers = [show(float(row[name]), unit, 1 if unit.factor == 100 else 2).text for name in NUMBERS]
    return f"{numbers[0]} ({numbers[1]} to {numbers[2]})"
