"""Each mediator's transforms against uniform numbers: the curves that section 7 draws and section 4 judges by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from reports.text import mediated
from reports.text.facts import Facts
from reports.text.numbers import fixed
from reports.text.parts import Cell
from reports.text.privacy import Limit

GROUP = "mediator_pit"
"""Group of a run that holds them."""
FEW, SEVERAL = 40, 200
"""Of a sensitive mediator, values below which no curve is drawn; below which it is told to 0.05, else to 0.01."""


@dataclass(frozen=True)
class Curve:
    """One mediator.

    Attributes
    ----------
    mediator, label : str
        Column, and label as printed.
    probability, difference, lower, upper : ndarray, (probability,)
        Share of transforms at most so large minus the probability itself, and its band; empty where it is not told.
    inside : bool
        Whether the curve stays within the band.
    values, unreliable : Cell
        Number of values, and share of them whose leave-one-out weights are not reliable.
    """

    mediator: str
    label: str
    probability: np.ndarray
    difference: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    inside: bool
    values: Cell
    unreliable: Cell

    @property
    def furthest(self) -> int:
        """Place where the curve is furthest from 0."""
        return int(np.abs(self.difference).argmax())


def curves(facts: Facts) -> list[Curve]:
    """Curves of the mediators in the order of the study file; `facts` are those of the mediation fit."""
    group = facts.group(GROUP)
    return [_curve(facts, mediator, group.sel(mediator=mediator)) for mediator in mediated.mediators(facts)]


def _curve(facts: Facts, mediator: str, row: xr.Dataset) -> Curve:
    count, bad = int(row["values"]), int(row["unreliable"])
    probability, ecdf, lower, upper = (row[name].to_numpy() for name in ("probability", "ecdf", "lower", "upper"))
    share = f"{fixed(100 * bad / count)}%"
    coarse = Limit.of(facts.study, mediator).minimum > 0
    if coarse:  # a curve of few values would tell single ones
        step = 0.01 if count >= SEVERAL else 0.05
        ecdf, lower, upper = (
            rule(part / step + nudge) * step
            for part, rule, nudge in ((ecdf, np.round, 0.0), (lower, np.floor, 1e-9), (upper, np.ceil, -1e-9))
        )
        if count < FEW:
            probability = ecdf = lower = upper = np.zeros(0)
    return Curve(
        mediator,
        mediated.label(facts, mediator).text,
        probability,
        ecdf - probability,
        lower - probability,
        upper - probability,
        bool(row["inside"]),
        Cell(str(count), count),
        Cell(share, round(bad / count, 2) if coarse else bad / count),
    )
