"""True values of a simulated trial, as the file beside its data has them (`truth.json`, copied into the run)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reports.text.numbers import show
from reports.text.parts import Cell, Column
from reports.text.words import agreeing

if TYPE_CHECKING:
    from reports.text.estimate import ReportedEstimate
    from reports.text.facts import Facts

COLUMN = Column("truth", "Truth", "simulated", number=True)
UNKNOWN = "—"


def known(facts: Facts) -> bool:
    """Whether the data are simulated and the run holds the true values of this outcome."""
    return facts.study.simulated and bool(_values(facts))


def columns(facts: Facts) -> tuple[Column, ...]:
    """The column of true values; none where none are known."""
    return (COLUMN,) if known(facts) else ()


def cells(facts: Facts, estimate: ReportedEstimate) -> dict[str, Cell]:
    """The true value of an estimate, printed in its unit; a dash where the simulation does not tell it."""
    if not known(facts):
        return {}
    value = true_value(facts, estimate)
    return {COLUMN.key: Cell(UNKNOWN) if value is None else Cell(show(value, estimate.shown).text, value)}


def reported(facts: Facts, estimate: ReportedEstimate) -> str:
    """The true value in a sentence, for a note beneath a table; empty where it is not known."""
    value = true_value(facts, estimate)
    if value is None:
        return ""
    text = show(value, estimate.shown).text
    return f"The data are simulated: the true value is {text} {agreeing(text, facts.scale.points)}."


def true_value(facts: Facts, estimate: ReportedEstimate) -> float | None:
    """The population's true value of an estimand, as stored (risks 0 to 1); None where it is not known."""
    if not known(facts) or estimate.average not in ("population", ""):
        return None
    level, difference = facts.scale.level, facts.scale.difference
    if estimate.estimand == "total":
        return _find(facts, difference, estimate.wave)
    if estimate.estimand == "common_change" and facts.baseline is not None:
        now, before = (_find(facts, level, estimate.arm, wave) for wave in (estimate.wave, facts.baseline))
        return None if now is None or before is None else now - before
    where = (part for part in (estimate.mediator, estimate.arm, estimate.wave) if part)
    return _find(facts, estimate.estimand, *where)


def _values(facts: Facts) -> Mapping[str, Any]:
    """Estimands of the analysed outcome, nested as `models.simulation.true_values.Truth.estimands`."""
    truth, column = facts.run.truth or {}, facts.study.outcome.column
    found = truth if truth.get("outcome") == column else truth.get("further_outcomes", {}).get(column, {})
    return {name: value for name, value in found.items() if isinstance(value, Mapping)} if found else {}


def _find(facts: Facts, *keys: str) -> float | None:
    found: Any = _values(facts)
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return float(found) if isinstance(found, int | float) and math.isfinite(found) else None
