"""Part of section 9: the paths if mediators acted before the programme too, or did not; no data tell which."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from reports.figures.forest import reported
from reports.text import mediated
from reports.text.estimate import ReportedEstimate
from reports.text.facts import Facts
from reports.text.parts import Cell, Column, Table
from reports.text.words import capital

NAME = "other_baseline"


def table(facts: Facts, refit: pd.DataFrame) -> Table:
    """Each part of the total and of the control arm's change, as analysed and under the other assumption."""
    fit = facts.paths
    assert fit is not None, "asked only where there is one"
    rows = []
    for part in _parts(fit):
        other = _same(refit, part.estimate)
        if other is not None:
            name = capital(part.name)
            rows.append(
                {
                    "quantity": Cell(name, name, unit=part.note),
                    "main": Cell(reported(part.estimate), None, "estimate"),
                    "other": Cell(reported(other), None, "estimate"),
                    "evidence": Cell(part.estimate.evidence, part.estimate.evidence, "evidence"),
                    "estimand": Cell("", part.estimate.estimand),
                    "mediator": Cell("", part.estimate.mediator),
                    **{f"{key}_main": Cell("", getattr(part.estimate, key)) for key in NUMBERS},
                    **{f"{key}_other": Cell("", getattr(other, key)) for key in NUMBERS},
                }
            )
    acts = bool(fit.study.acts_at_baseline)
    columns = (
        Column("quantity", "Part", facts.scale.points),
        Column("main", f"As analysed: {_words(acts)}", "median (95% interval)", number=True),
        Column("other", capital(_words(not acts)), "median (95% interval)", number=True),
        Column("evidence", "Evidence"),
    )
    hidden = ("estimand", "mediator", *(f"{key}_{which}" for which in ("main", "other") for key in NUMBERS))
    when = facts.wave(facts.primary)
    caption = f"Parts of the total and of the control arm’s change, {when}, by what is assumed of earlier times"
    note = "The data cannot tell which of the two holds: the correlation of lasting levels absorbs a wrong assumption."
    return Table(NAME, caption, columns, tuple(rows), hidden, note)


NUMBERS = ("median", "lower", "upper")


def _words(acts: bool) -> str:
    return "mediators acted before the programme too" if acts else "mediators did not act before the programme"


def _parts(fit: Facts) -> list[mediated.Part]:
    wave = fit.primary
    found = mediated.decomposition(fit, wave) if wave in mediated.ordered(fit) else []
    return found + (mediated.split(fit, wave) if wave in mediated.changing(fit) else [])


def _same(refit: pd.DataFrame, estimate: ReportedEstimate) -> ReportedEstimate | None:
    where = (refit["estimand"] == estimate.estimand) & (refit["wave"] == estimate.wave)
    where &= (refit["mediator"] == estimate.mediator) & (refit["arm"] == estimate.arm)
    if not where.any():
        return None
    row = refit[where].iloc[0]
    numbers: dict[str, Any] = {key: float(row[key]) for key in NUMBERS}
    return replace(estimate, **numbers)
