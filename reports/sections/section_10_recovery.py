"""Section 10: would the method find the truth."""

from __future__ import annotations

import math

import pandas as pd

from reports.sections import calibrated
from reports.text import sensitivities
from reports.text.facts import Facts
from reports.text.numbers import INTERVAL, Number, fixed, show
from reports.text.parts import Cell, Column, Section, Sentence, Table, sentence

NUMBER, QUESTION, ESTIMATES = 10, "Would the method find the truth?", True
TABLES = (calibrated.NAME, "recovery")
FIGURES: tuple[str, ...] = ()
ONE_IN = 100
"""One in so many correct methods would hold fewer truths than the number told."""


def compose(facts: Facts) -> Section:
    """What calibration of the run's models found, and how many intervals of simulated trials contained the truth."""
    more, table, reason = calibrated.parts(facts), facts.run.asked("recovery"), sensitivities.not_run(facts)
    if table is not None and "truth" not in table:
        reason = f"Not run: {table['reason'].iloc[0]}"
        table = None
    if table is None and not more["tables"]:
        return Section(NUMBER, QUESTION, "not_run.html.j2", "not run", reason)
    sentences, tables = dict(more["sentences"]), dict(more["tables"])
    if table is not None:
        sentences["recovery"], tables["recovery"] = _lead(facts, table), _table(facts, table)
    values = {**more["values"], "recovery_reason": reason}
    return Section(NUMBER, QUESTION, "section_10.html.j2", sentences=sentences, tables=tables, values=values)


def fewest(trials: int) -> int:
    """Least number of intervals that contain the truth, below which one correct method in a hundred would fall."""
    chance, held = 0.0, trials
    while held >= 0:
        lost = trials - held
        chance += math.comb(trials, lost) * 0.05**lost * 0.95**held
        if chance >= 1 - 1 / ONE_IN:
            return held
        held -= 1
    return 0


def _lead(facts: Facts, table: pd.DataFrame) -> Sentence:
    unit = facts.scale.difference_unit
    error = float((table["mean"] - table["truth"]).mean())
    spread = float((table["mean"] - table["truth"]).std(ddof=1) / math.sqrt(len(table)))
    width = float((table["upper"] - table["lower"]).mean())
    held, trials = int(table["covered"].sum()), len(table)
    reported = (
        "Of {trials} trials of this size simulated from this posterior and analysed in the same way, the {interval} "
        "interval contained the true difference in {held} (coverage); with correct intervals, at least "
        "{least} do in {sure} of {sets} such sets. The mean error (bias) was {error} {points} (standard error "
        "{spread}), the mean width of the interval {width}."
    )
    return sentence(
        reported,
        trials=Number(trials, str(trials)),
        interval=INTERVAL,
        held=Number(held, str(held)),
        least=Number(fewest(trials), str(fewest(trials))),
        sure=Number(ONE_IN - 1, str(ONE_IN - 1)),
        sets=Number(ONE_IN, str(ONE_IN)),
        error=show(error, unit),
        points=facts.scale.points,
        spread=show(spread, unit),
        width=show(width, unit),
    )


def _table(facts: Facts, table: pd.DataFrame) -> Table:
    unit = facts.scale.difference_unit
    columns = (
        Column("trial", "Simulated trial"),
        Column("truth", "True difference", number=True),
        Column("posterior", "Posterior", "median (95% interval)", number=True),
        Column("covered", "Truth inside"),
    )
    rows = []
    for place, row in enumerate(table.to_dict("records"), start=1):
        truth, median, lower, upper = (show(row[name], unit).text for name in ("truth", "median", "lower", "upper"))
        text = f"{median} ({lower} to {upper})"
        inside = row["covered"] == 1
        rows.append(
            {
                "trial": Cell(fixed(place), place),
                "truth": Cell(truth, row["truth"]),
                "posterior": Cell(text, text, "estimate"),
                "covered": Cell("✓ yes" if inside else "! no", bool(inside)),
                **{name: Cell("", row[name]) for name in ("median", "lower", "upper")},
            }
        )
    return Table(
        "recovery",
        f"Trials simulated from the posterior, analysed in the same way: difference, {facts.scale.points}",
        columns,
        tuple(rows),
        ("median", "lower", "upper"),
    )
