"""Groups that participants share: how many, how large, and how much of what differs lies between them."""

from __future__ import annotations

import math

import numpy as np

from models.trial.study_file.study import Grouping
from reports.text import mediated
from reports.text.facts import Facts
from reports.text.numbers import fixed
from reports.text.parts import Cell, Column, Table
from reports.text.people import ARMS
from reports.text.words import capital, short

KINDS = {
    "randomised": "randomised together",
    "site": "sites, in which the arms cross",
    "delivery": "treated together, at waves after the start",
}
SPREADS = ("spread between participants", "spread between groups")
"""Predictive checks whose figures are standard deviations."""
RESIDUAL = {"logit": math.pi**2 / 3, "probit": 1.0}
"""Variance of the latent scale within a participant, by link."""


def reason(facts: Facts) -> str:
    """Why there is no table of groups; empty where there is one."""
    return "" if facts.study.groupings else "The study file declares no groups."


def sizes(facts: Facts) -> Table:
    """Number of groups and of their members, by arm."""
    columns = (
        Column("grouping", "Groups"),
        Column("kind", "Relation to the arms"),
        Column("arm", "Arm"),
        Column("number", "Groups", number=True),
        Column("members", "Members", "fewest, median, most", number=True),
    )
    rows = []
    for part in facts.study.groupings:
        for arm in reversed(ARMS):
            found = facts.groups[part.column][arm]
            members = f"{found.least}, {found.middle:g}, {found.most}" if found.number else "—"
            rows.append(
                {
                    "grouping": Cell(capital(short(part.label, 40)), part.column),
                    "kind": Cell(KINDS[part.kind], part.kind),
                    "arm": Cell(facts.arm(arm, 50).text, arm, arm),
                    "number": Cell(str(found.number), found.number),
                    "members": Cell(members, members),
                }
            )
    return Table("groups", "Groups and their members, by arm", columns, tuple(rows))


def spread(facts: Facts) -> Table:
    """SD between groups, and the intraclass correlation at one wave, median and 95% interval."""
    columns = (
        Column("variable", "Variable"),
        Column("grouping", "Groups"),
        Column("sd", "SD between groups", number=True),
        Column("wave_sd", "SD at one wave alone", number=True),
        Column("icc", "Intraclass correlation", "of two members at one wave", number=True),
    )
    rows = []
    for part in facts.study.groupings:
        outcome = f"Outcome, in {facts.parameter_scale}" if facts.continuous else f"Outcome, {facts.parameter_scale}"
        rows.append(_row(facts, part, "", Cell(outcome, "outcome"), _within(facts)))
        for name in mediated.mediators(facts.paths) if facts.paths else ():
            assert facts.paths is not None
            form = next(each.kind for each in facts.study.mediators if each.column == name)
            unit = "SDs of the first wave" if form == "continuous" else "log-odds"
            variable = Cell(f"{capital(mediated.label(facts.paths, name).text)}, {unit}", name)
            rows.append(_row(facts.paths, part, name, variable, _within_mediator(facts.paths, name)))
    caption = "Spread between groups: medians and 95% intervals, on the scales of the model"
    return Table("icc", caption, columns, tuple(rows))


def _row(
    facts: Facts, part: Grouping, mediator: str, variable: Cell, rest: np.ndarray | float | None
) -> dict[str, Cell]:
    """One grouping's spread in one equation; `rest` is the variance between members."""

    def of(name: str, **where: str) -> np.ndarray:
        if mediator:
            return facts.parameter(f"mediator_{name}", False, mediator=mediator, **where)
        return facts.parameter(name, False, **where)

    lasting = of("group_tau", grouping=part.column)
    varying = np.zeros_like(lasting)
    if part.kind == "randomised" and len(facts.study.waves) > 1:
        varying = of("group_wave_tau", varying_grouping=part.column)
    between = lasting**2 + varying**2
    return {
        "variable": variable,
        "grouping": Cell(capital(short(part.label, 40)), part.column),
        "sd": _cell(lasting),
        "wave_sd": _cell(varying) if varying.any() else Cell("—"),
        "icc": Cell("—") if rest is None else _cell(between / (between + rest)),
    }


def _within_mediator(facts: Facts, name: str) -> np.ndarray | float | None:
    """The same of a mediator; None of a share, whose spread depends on its level."""
    part = next(part for part in facts.study.mediators if part.column == name)
    posterior = facts.group("posterior")
    lasts = "mediator_tau" in posterior and name in posterior["lasting_mediator"].to_numpy()
    own = facts.parameter("mediator_tau", lasting_mediator=name) ** 2 if lasts else 0.0
    if part.kind == "binary":
        return own + RESIDUAL["logit"]
    if part.kind == "continuous" and part.family == "normal":
        return own + facts.parameter("mediator_residual_sd", continuous_mediator=name) ** 2
    return None


def _within(facts: Facts) -> np.ndarray | float | None:
    """Variance between the members of a group on the latent scale; None of counts, whose scale has none."""
    own = facts.parameter("tau") ** 2 if facts.has_trait else 0.0
    if facts.continuous:
        return own + facts.spread("residual_sd")[0] ** 2
    residual = RESIDUAL.get(facts.study.outcome.family.name)
    return None if residual is None else own + residual


def _cell(values: np.ndarray) -> Cell:
    lower, median, upper = (float(value) for value in np.quantile(values, [0.025, 0.5, 0.975]))
    return Cell(f"{fixed(median, 2)} ({fixed(lower, 2)} to {fixed(upper, 2)})", median, "estimate")
