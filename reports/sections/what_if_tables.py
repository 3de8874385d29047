"""Tables of section 9: changed analyses, tipping values, and the answer over each bias parameter."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd

from reports.text import known_truth, mediated, sensitivities
from reports.text.decision import EQUIVALENT, verdict
from reports.text.facts import Facts
from reports.text.mediated import Part
from reports.text.numbers import fixed, show
from reports.text.parts import Cell, Column, Table
from reports.text.words import agreeing, clean, minus

BIAS = {
    "missing_not_at_random": ("Primary difference by δ of the missing outcomes", "δ", 1),
    "misreporting": ("Primary difference by sensitivity of the reports", "sensitivity", 1),
}
NUMBERS = ("median", "lower", "upper")


def scenarios(facts: Facts, parts: list[Part]) -> Table:
    """One row a changed analysis."""
    columns = (
        Column("analysis", "Analysis"),
        Column("what", "What is changed"),
        Column("posterior", "Difference", "median (95% interval)", number=True),
        Column("says", "95% interval"),
        Column("evidence", "Evidence"),
    )
    rows = [
        {
            "analysis": Cell(part.name, part.name),
            "what": Cell(part.note, part.note),
            "posterior": _estimate(part),
            "says": Cell(_says(facts, part)),
            "evidence": Cell(part.estimate.evidence, part.estimate.evidence, "evidence"),
            **{name: Cell("", getattr(part.estimate, name)) for name in NUMBERS},
        }
        for part in parts
    ]
    caption = (
        f"Primary difference ({facts.scale.points}, {facts.wave(facts.primary)}) with one assumption changed at a time"
    )
    return Table("what_if", caption, columns, tuple(rows), NUMBERS, known_truth.reported(facts, parts[0].estimate))


def _says(facts: Facts, part: Part) -> str:
    inside = ", within margin" if sensitivities.within_margin(facts, part.estimate) else ""
    return sensitivities.side(facts, part.estimate.lower, part.estimate.upper) + inside


def _estimate(part: Part) -> Cell:
    text = part.estimate.reported
    return Cell(text, text, "estimate")


def tipping(facts: Facts) -> Table:
    """Where the answer would change, beside 0 and beside the margin, for every assumption that has a scale."""
    columns = (
        Column("assumption", "Assumption"),
        Column("parameter", "Bias parameter"),
        Column("against", "Judged by"),
        Column("main", "As analysed", number=True),
        Column("tips", "Tips at", number=True),
        Column("then", "What changes there"),
    )
    caption = f"Tipping values: where the answer changes beside 0, and beside the margin of {_margin(facts)}"
    rows = (*_verdicts(facts, "tipping"), *_verdicts(facts, "tipping_margin"), *_slopes(facts), *_training(facts))
    return Table("tipping", caption, columns, rows, note=f"Every row is {sensitivities.ASSUMED}.")


def _margin(facts: Facts) -> str:
    return f"±{facts.margin.text} {agreeing(facts.margin.text, facts.scale.points)}"


def _line(assumption: str, parameter: str, against: str, main: str, tips: Cell, then: str) -> dict[str, Cell]:
    words = {"assumption": assumption, "parameter": parameter, "against": against, "main": main, "then": then}
    return {name: Cell(text, text) for name, text in words.items()} | {"tips": tips}


LINES = {
    "missing_not_at_random": (
        "Missing at random",
        (("δ, treated arm, downwards", "treated"), ("δ, treated arm, upwards", "treated")),
        "0",
    ),
    "misreporting": (
        "Every event is reported",
        (("sensitivity, treated arm", "treated"), ("sensitivity, control arm", "control")),
        "1",
    ),
}
"""Assumption, bias parameters in the order of the run's rows each with the arm that moves, value as analysed."""


def _verdicts(facts: Facts, kind: str) -> list[dict[str, Cell]]:
    """Rows of one kind: "tipping", where the interval comes to hold 0 or to leave it out, or "tipping_margin"."""
    main = facts.estimate(facts.scale.difference, facts.primary)
    reported = partial(_beside_margin, facts) if kind == "tipping_margin" else partial(sensitivities.side, facts)
    against, what = ("0", "the 95% interval") if kind == "tipping" else (f"±{facts.margin.text}", "the verdict of § 1")
    rows = []
    for name, (assumption, parameters, none) in LINES.items():
        table = sensitivities.surface(facts, name)
        if isinstance(table, str):
            continue
        found = table[table["kind"] == kind].to_dict("records")
        for row, (parameter, arm) in zip(found, parameters, strict=bool(found)):
            value = float(row[arm])
            if math.isfinite(value):
                tips = Cell(fixed(value, 2), value)
                then = f"{what} {reported(float(row['lower']), float(row['upper']))}"
            else:
                words = minus(f"nowhere from {row['searched_from']:g} to {row['searched_to']:g}")
                tips, then = Cell(words, words), f"nothing: throughout, {what} {reported(main.lower, main.upper)}"
            rows.append(_line(assumption, parameter, against, none, tips, then))
    return rows


def _beside_margin(facts: Facts, lower: float, upper: float) -> str:
    return f"is {verdict(lower, upper, facts.study.outcome.margin, facts.lower_is_better)}"


def _slopes(facts: Facts) -> list[dict[str, Cell]]:
    """Strength of unmeasured causes that would explain a mediator's slope away."""
    fit = facts.paths
    table = None if fit is None or fit.withheld else fit.run.confounding
    if fit is None or table is None or "value" not in table:
        return []
    rows = []
    for row in table[table["kind"] == "tipping"].to_dict("records"):
        value = float(row["value"])
        then = f"nothing is left of the median slope on {mediated.label(fit, str(row['mediator']), 40).text}"
        assumption = "No unmeasured causes of mediator and outcome"
        rows.append(_line(assumption, "ζ", "slope of 0", "0", Cell(fixed(value, 2), value), then))
    return rows


def _training(facts: Facts) -> list[dict[str, Cell]]:
    """Tipping share of the remainder of the common change, where section 6 has one."""
    fit = facts.paths
    if fit is None or fit.withheld or not fit.has(mediated.TIPPING, facts.primary, arm="control"):
        return []
    found = fit.estimate(mediated.TIPPING, facts.primary, arm="control").median
    known = math.isfinite(found)
    tips = Cell(fixed(found, 2), found) if known else Cell("none up to 1")
    words = f"w, share of the remainder due to {facts.arm('control', 40).text} (§ 6)"
    then = "its part is better than the margin with probability 0.95"
    return [_line("The common change has other causes", words, facts.margin.text, "not identified", tips, then)]


def surface(facts: Facts, name: str, table: pd.DataFrame) -> Table:
    """The primary difference over a bias parameter in each arm."""
    caption, symbol, decimals = BIAS[name]
    grid = table[table["kind"] == "grid"]
    levels = sorted(set(grid["treated"]))
    unit = facts.scale.difference_unit
    digits = facts.estimate(facts.scale.difference, facts.primary).decimals
    columns = (
        Column("control", "control ↓ treated →"),
        *(Column(f"treated_{level:g}", fixed(level, decimals), number=True) for level in levels),
    )
    rows = []
    for value in sorted(set(grid["control"])):
        row = {"control": Cell(fixed(value, decimals), float(value))}
        for level in levels:
            found = grid[(grid["control"] == value) & (grid["treated"] == level)].iloc[0]
            mark = " *" if found["excludes_zero"] == 1 else ""
            inside = verdict(found["lower"], found["upper"], facts.study.outcome.margin, facts.lower_is_better)
            mark += " °" if inside == EQUIVALENT else ""
            row[f"treated_{level:g}"] = Cell(show(found["median"], unit, digits).text + mark, float(found["median"]))
        rows.append(row)
    note = (
        f"Medians, {facts.scale.points}; a row for each {symbol} of the control arm, a column for each of the treated "
        f"arm. * marks a 95% interval that excludes 0, ° one that lies within {_margin(facts)}. "
        f"Every cell is {sensitivities.ASSUMED}; at no bias it is the result of § 1."
    )
    return Table(name, caption, columns, tuple(rows), note=note)


def confounding(facts: Facts, table: pd.DataFrame) -> Table:
    """Direct effect and effect via a mediator, by the strength of unmeasured causes."""
    fit = facts.paths
    assert fit is not None, "asked only where there is one"
    columns = (
        Column("mediator", "Mediator"),
        Column("zeta", "ζ", number=True),
        Column("direct", "Natural direct effect", "median (95% interval)", number=True),
        Column("via", "Via the mediator", "median (95% interval)", number=True),
    )
    rows = []
    for mediator, some in table[table["kind"].isin(["grid", "prior"])].groupby("mediator", sort=False):
        label = mediated.label(fit, str(mediator), 60).text
        for (_, zeta), pair in some.groupby(["kind", "value"], sort=False, dropna=False):
            by = {str(row["effect"]): row for row in pair.to_dict("records")}
            reported = {key: _interval(fit, by[effect], str(mediator)) for key, effect in _EFFECTS.items()}
            row = {"mediator": Cell(label, str(mediator)), "zeta": _zeta(float(zeta))}
            rows.append(row | {key: Cell(text, text, "estimate") for key, text in reported.items()})
    caption = f"Effects ({facts.scale.points}) where unmeasured causes are behind part of a mediator’s slope"
    note = (
        "ζ is on the link scale, per residual SD of a continuous mediator, per SD at the first wave of another. Every "
        f"row is {sensitivities.ASSUMED}; at ζ = 0 they are the effects of § 6."
    )
    return Table("confounding", caption, columns, tuple(rows), note=note)


def left_out(facts: Facts, table: pd.DataFrame) -> list[str]:
    """Mediators whose unmeasured causes were not looked at, each with the reason."""
    assert facts.paths is not None, "asked only where there is one"
    return [
        f"Unmeasured causes of {mediated.label(facts.paths, str(row['mediator']), 60).text} and the outcome. "
        f"Not run: {clean(row['reason'])}"
        for row in table[table["kind"] == "not run"].to_dict("records")
    ]


_EFFECTS = {"direct": "natural_direct", "via": "interventional_via"}


def _zeta(value: float) -> Cell:
    return Cell(fixed(value, 2), value) if math.isfinite(value) else Cell("averaged over its prior")


def _interval(fit: Facts, row: dict[str, Any], mediator: str) -> str:
    """As section 6 prints the same effect."""
    via = row["effect"] == _EFFECTS["via"]
    main = fit.estimate(str(row["effect"]), fit.primary, mediator=mediator if via else "")
    lower, median, upper = (float(row[name]) for name in ("lower", "median", "upper"))
    return replace(main, lower=lower, median=median, upper=upper).reported
