"""What of a mediation model the study file decides, and a calibration must share with a run to speak for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol


class Mediator(Protocol):
    """A mediator of a study file or of a scenario."""

    @property
    def kind(self) -> str:
        """Continuous, share or binary."""

    @property
    def family(self) -> str:
        """Distribution of a continuous one."""

    @property
    def interaction(self) -> bool:
        """Whether its slope on the outcome may differ by arm."""


def analysed(mediators: Iterable[Mediator], lag: int = 1, acts_at_baseline: bool = True) -> dict[str, Any]:
    """Kinds of mediators, families of the continuous ones, interactions, lag and whether they act at baseline."""
    each = list(mediators)
    return {
        "kinds": sorted({part.kind for part in each}),
        "families": sorted({part.family for part in each if part.kind == "continuous"}),
        "interaction": any(part.interaction for part in each),
        "lag": lag,
        "acts_at_baseline": acts_at_baseline,
    }


def unlike(run: Mapping[str, Any], calibration: Mapping[str, Any]) -> str:
    """What a run's `analysed` has that the calibration's has not, in words; empty where there is nothing."""
    if lacking := set(run["kinds"]) - set(calibration["kinds"]):
        return f"The run has {' and '.join(sorted(lacking))} mediators, the calibration none."
    if lacking := set(run["families"]) - set(calibration["families"]):
        return f"The run has mediators of the family {' and '.join(sorted(lacking))}, the calibration none."
    if run["interaction"] != calibration["interaction"]:
        having, without = ("run", "calibration") if run["interaction"] else ("calibration", "run")
        return f"The {having} has arm × mediator interactions, the {without} none."
    if run["lag"] != calibration["lag"]:
        return f"Mediators act after {run['lag']} waves in the run, after {calibration['lag']} in the calibration."
    # the first edition's models had no such term, and its records no such key
    early = run["acts_at_baseline"], calibration.get("acts_at_baseline", False)
    if early[0] != early[1]:
        having, without = ("run", "calibration") if early[0] else ("calibration", "run")
        return f"Mediators act at baseline too in the {having}, not in the {without}."
    return ""
