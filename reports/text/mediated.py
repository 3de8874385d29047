"""What a run holds on mediators: which there are, the waves at which something can go through them, the parts."""

from __future__ import annotations

from dataclasses import dataclass

from reports.text.estimate import ReportedEstimate
from reports.text.facts import Facts
from reports.text.parts import Label
from reports.text.words import short

TOTAL, DIRECT, VIA, DEPENDENCE = "total", "interventional_direct", "interventional_via", "dependence"
REVERSED = "interventional_via_reversed"
FOUR_WAY = ("controlled_direct", "reference_interaction", "mediated_interaction", "natural_indirect_pure")
CHANGE, CHANGE_VIA, REMAINDER = "common_change", "change_via", "change_remainder"
TRAINING, SHARE, TIPPING = "change_training", "change_training_share", "training_tipping_share"
ESTIMANDS = (
    "mediator_mean",
    "mediator_difference",
    TOTAL,
    DIRECT,
    VIA,
    REVERSED,
    DEPENDENCE,
    "natural_direct",
    "natural_indirect",
    "natural_direct_total",
    *FOUR_WAY,
    "proportion_mediated",
    CHANGE,
    CHANGE_VIA,
    REMAINDER,
    TRAINING,
    SHARE,
    TIPPING,
    "paths",
)
"""Estimands of the mediation model alone."""


def held(facts: Facts) -> str:
    """Where the mediators are held for a controlled direct effect, each with its label."""
    at = facts.group("trial")["held"].dropna("mediator").to_series()
    return ", ".join(f"{part.label} {at[part.column]:.3g}" for part in facts.study.mediators if part.column in at)


def not_run(facts: Facts) -> str:
    """Why a run has no direct and indirect effects; empty where it has."""
    if facts.paths is not None:
        return ""
    if not facts.study.mediators:
        return "Not run: the study file names no mediator."
    failed = facts.manifest["failed"].get("mediation", "")
    reason = (
        f"the fit of the mediation model failed ({failed})"
        if failed
        else facts.manifest["not_run"].get("mediation", "")
    )
    if reason:
        return f"Not run: {short(reason, 600)}"
    return "Not run: only the effect model was fitted."


def mediators(facts: Facts) -> list[str]:
    """Columns of the mediators that were modelled, in the order of the study file."""
    table = facts.run.estimates
    found = set(table["mediator"][table["estimand"].isin(ESTIMANDS)])
    return [part.column for part in facts.study.mediators if part.column in found]


def label(facts: Facts, mediator: str, length: int = 60) -> Label:
    """Printed label of a mediator."""
    return Label(next(short(part.label, length) for part in facts.study.mediators if part.column == mediator))


def rows(facts: Facts) -> list[ReportedEstimate]:
    """Rows of the summary that belong to the mediation model alone, in its order."""
    found = (ReportedEstimate.of(row) for row in facts.run.estimates.to_dict("records") if row["estimand"] in ESTIMANDS)
    return [facts.completed(row) for row in found]


def differences(facts: Facts, mediator: str) -> list[str]:
    """Waves after baseline at which a mediator was measured, in time order."""
    return [wave for wave in facts.after_baseline if facts.has("mediator_difference", wave, mediator=mediator)]


def ordered(facts: Facts) -> list[str]:
    """Waves with direct and indirect effects, the primary wave first."""
    return _waves(facts, TOTAL)


def unordered(facts: Facts) -> dict[str, str]:
    """Waves without, each with the reason."""
    return {row.wave: row.reason for row in rows(facts) if row.estimand == "paths"}


def changing(facts: Facts) -> list[str]:
    """Waves at which the control arm's change is split, the primary wave first."""
    return _waves(facts, CHANGE, arm="control")


def _waves(facts: Facts, estimand: str, arm: str = "") -> list[str]:
    found = [wave for wave in facts.after_baseline if facts.has(estimand, wave, arm=arm)]
    return sorted(found, key=lambda wave: wave != facts.primary)


def before(facts: Facts, wave: str) -> str | None:
    """Wave whose mediators act on the outcome of `wave`; None where it would lie before the first."""
    values = [each.value for each in facts.study.waves]
    place = values.index(wave) - facts.study.lag
    return values[place] if place >= 0 else None


@dataclass(frozen=True)
class Part:
    """One part of a difference or a change, in words: `name` with the label of a mediator in it, and what it is."""

    name: str
    note: str
    estimate: ReportedEstimate


def decomposition(facts: Facts, wave: str) -> list[Part]:
    """The total at a wave and its interventional parts, which sum to it."""
    names = {column: label(facts, column).text for column in mediators(facts)}
    total = Part("Total", "by the mediation model", facts.estimate(TOTAL, wave))
    direct = Part("Direct", "through no mediator", facts.estimate(DIRECT, wave))
    via = [Part(f"Via {name}", "", facts.estimate(VIA, wave, mediator=column)) for column, name in names.items()]
    dependence = Part("Dependence", "between the mediators", facts.estimate(DEPENDENCE, wave))
    return [total, direct, *via, *([dependence] if len(via) > 1 or not dependence.estimate.constant else [])]


def split(facts: Facts, wave: str) -> list[Part]:
    """The change in the control arm since baseline and its parts, which sum to it."""
    names = {column: label(facts, column).text for column in mediators(facts)}
    whole = Part("Change since baseline", "", facts.estimate(CHANGE, wave, arm="control"))
    via = [
        Part(f"With {name}", "", facts.estimate(CHANGE_VIA, wave, arm="control", mediator=column))
        for column, name in names.items()
    ]
    return [whole, *via, Part("Remainder", "all other causes together", facts.estimate(REMAINDER, wave, arm="control"))]
