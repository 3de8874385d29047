"""The difference at every wave after baseline: the model's, and the two checks that need no model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from models.estimands.ledger import Evidence, Setting, by_design
from reports.text.facts import Facts
from reports.text.numbers import interval, show
from reports.text.people import ARMS
from reports.text.words import clean


@dataclass(frozen=True)
class Row:
    """One interval: wave, method, its numbers as stored (NaN where there are none) and as printed."""

    wave: str
    method: str
    median: float
    lower: float
    upper: float
    text: str
    evidence: Evidence
    flag: bool = False
    note: str = ""

    @property
    def drawn(self) -> bool:
        """Whether there is something to draw."""
        return math.isfinite(self.median)


def intervals(facts: Facts) -> list[Row]:
    """Modelled and model-free differences by wave; those that may not be told or do not exist say why."""
    found = []
    for wave in facts.contrasts:
        estimate = facts.estimate(facts.scale.difference, wave)
        limits = (estimate.median, estimate.lower, estimate.upper) if estimate.identified else (math.nan,) * 3
        found.append(Row(wave, "modelled", *limits, estimate.reported, estimate.evidence))
        for row in facts.run.model_free.to_dict("records"):
            if str(row["wave"]) == wave:
                found.append(_model_free(facts, wave, row))
    return found


def _evidence(facts: Facts, wave: str, method: str) -> Evidence:
    """Class of a model-free difference: the crude one takes those observed to be like those missing."""
    counts = [facts.people.counts[arm, wave] for arm in ARMS]
    if not all(cell.observed for cell in counts):
        return Evidence.NOT_IDENTIFIED
    missing = any(cell.observed < cell.people for cell in counts)
    if missing and method != "standardised":
        return Evidence.ASSUMPTION
    return by_design(missing, Setting.of(facts.study))


def _model_free(facts: Facts, wave: str, row: dict[str, Any]) -> Row:
    method, note = str(row["method"]), clean(row.get("note") or "")
    evidence = _evidence(facts, wave, method)
    values = [float(row[key]) for key in ("estimate", "lower", "upper")]
    nothing = (math.nan, math.nan, math.nan)
    if facts.people.concealed(wave):
        return Row(wave, method, *nothing, "suppressed", evidence, note="it would give a small cell away")
    if not all(math.isfinite(value) for value in values):
        return Row(wave, method, *nothing, "not available", evidence, note=note)
    numbers = [show(value, facts.scale.difference_unit) for value in values]
    text = f"{numbers[0].text} ({interval(numbers[1], numbers[2])})"
    return Row(wave, method, values[0], values[1], values[2], text, evidence, bool(row["flag"]), note)
