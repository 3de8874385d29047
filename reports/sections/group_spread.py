"""Groups that participants share: how many, how large, and how much of what differs lies between them."""

from __future__ import annotations

import math

import numpy as np

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
        Column("grouping", "Groups"),
        Column("sd", "SD between groups", facts.parameter_scale, number=True),
        Column("wave_sd", "SD at one wave alone", facts.parameter_scale, number=True),
        Column("icc", "Intraclass correlation", "of two members at one wave", number=True),
    )
    rows = []
    for part in facts.study.groupings:
        lasting = facts.parameter("group_tau", grouping=part.column)
        varying = np.zeros_like(lasting)
        if part.kind == "randomised" and len(facts.study.waves) > 1:
            varying = facts.parameter("group_wave_tau", varying_grouping=part.column)
        rest = _within(facts)
        between = lasting**2 + varying**2
        icc = None if rest is None else between / (between + rest)
        rows.append(
            {
                "grouping": Cell(capital(short(part.label, 40)), part.column),
                "sd": _cell(lasting),
                "wave_sd": _cell(varying) if varying.any() else Cell("—"),
                "icc": Cell("—") if icc is None else _cell(icc),
            }
        )
    caption = "Spread between groups: medians and 95% intervals, on the scale of the parameters"
    return Table("icc", caption, columns, tuple(rows))


def _within(facts: Facts) -> np.ndarray | float | None:
    """Variance between the members of a group on the latent scale; None of counts, whose scale has none."""
    own = facts.parameter("tau") ** 2 if facts.has_trait else 0.0
    if facts.continuous:
        return own + facts.parameter("residual_sd") ** 2
    residual = RESIDUAL.get(facts.study.outcome.family.name)
    return None if residual is None else own + residual


def _cell(values: np.ndarray) -> Cell:
    lower, median, upper = (float(value) for value in np.quantile(values, [0.025, 0.5, 0.975]))
    return Cell(f"{fixed(median, 2)} ({fixed(lower, 2)} to {fixed(upper, 2)})", median, "estimate")
