"""Slopes of the outcome on each mediator, as the mediation model has them: a table in the details of section 6."""

from __future__ import annotations

import numpy as np

from reports.text import mediated
from reports.text.facts import Facts
from reports.text.numbers import PLAIN, interval, show
from reports.text.parts import Cell, Column, Table
from reports.text.words import capital

NAME, SLOPE, DIM = "mediator_slopes", "slope", "acting_mediator"
EVIDENCE = "assumption-driven"
LIMITS = {"lower": 0.025, "median": 0.5, "upper": 0.975}
NUMBERS = (*LIMITS, *(f"prior_{name}" for name in LIMITS))


def table(facts: Facts) -> Table | None:
    """One row a mediator that precedes an outcome; None where the fit holds no slope."""
    posterior = facts.group("posterior")
    if SLOPE not in posterior or not posterior[SLOPE].sizes[DIM]:
        return None
    columns = (
        Column("mediator", "Mediator"),
        Column("posterior", "Slope", "median (95% interval)", number=True),
        Column("prior", "Prior", "median (95% interval)", number=True),
        Column("contraction", "Contraction", "1: data, 0: prior", number=True),
        Column("evidence", "Evidence"),
    )
    rows = tuple(_row(facts, str(name)) for name in posterior[DIM].to_numpy())
    note = (
        "A parameter, not an effect: it compares participants with the same arm, baseline variables and lasting "
        "differences. What goes through a mediator stands in the tables above."
    )
    if any(part.interaction for part in facts.study.mediators):
        note += " Where a mediator’s slope differs by arm, this is the mean of the two."
    caption = f"Slopes of the outcome on each mediator, conditional ({facts.parameter_scale} per SD of the mediator)"
    return Table(NAME, caption, columns, rows, NUMBERS, note)


def _row(facts: Facts, mediator: str) -> dict[str, Cell]:
    draws = facts.parameter(SLOPE, acting_mediator=mediator).ravel()
    before = facts.parameter(SLOPE, prior=True, acting_mediator=mediator).ravel()
    learned = 1 - draws.var(ddof=1) / before.var(ddof=1)
    return {
        "mediator": Cell(capital(mediated.label(facts, mediator).text), mediator),
        "posterior": _reported(draws, "estimate"),
        "prior": _reported(before, ""),
        "contraction": Cell(show(learned, PLAIN, 2).text, float(learned)),
        "evidence": Cell(EVIDENCE, EVIDENCE, "evidence"),
        **_numbers(draws, ""),
        **_numbers(before, "prior_"),
    }


def _reported(draws: np.ndarray, kind: str) -> Cell:
    lower, median, upper = (show(float(np.quantile(draws, level)), PLAIN) for level in LIMITS.values())
    return Cell(f"{median.text} ({interval(lower, upper)})", None, kind)


def _numbers(draws: np.ndarray, before: str) -> dict[str, Cell]:
    return {f"{before}{name}": Cell("", float(np.quantile(draws, level))) for name, level in LIMITS.items()}
