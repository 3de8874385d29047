"""What a simulated trial is made of: the frozen description that `simulate` and `truth` obey.

The module belongs to the independent oracle: numpy and the standard library only, no other part of the project.
"""

from dataclasses import dataclass, replace
from typing import Any

from models.simulation.scenario_parts import Description
from models.simulation.scenario_rules import problems


class ScenarioError(ValueError):
    """A scenario that cannot be simulated; the message lists every reason, each as what, why and fix."""


@dataclass(frozen=True)
class Scenario(Description):
    """Everything that a simulated trial needs; `outcomes[0]` is the primary outcome.

    Mediators move the outcome `lag` waves later. What they were before the first wave moves the outcomes of the first
    `lag` waves alike, unless not `acts_at_baseline`: then neither these nor a baseline feel them.

    Raises
    ------
    ScenarioError
        A ValueError that lists every impossible value at once: what is wrong, why, and how to correct it.
    """

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        found = problems(self)
        if found:
            raise ScenarioError(f"scenario {self.name!r} cannot be simulated:\n" + "\n".join(f"- {p}" for p in found))

    def with_outcome(self, **changes: Any) -> "Scenario":
        """Return the scenario with fields of its primary outcome replaced."""
        return replace(self, outcomes=(replace(self.outcome, **changes), *self.outcomes[1:]))

    def with_mediator(self, column: str, /, **changes: Any) -> "Scenario":
        """Return the scenario with fields of one mediator replaced; KeyError if there is none of that name."""
        if column not in {m.column for m in self.mediators}:
            raise KeyError(f"no mediator {column!r} in scenario {self.name!r}")
        mediators = tuple(replace(m, **changes) if m.column == column else m for m in self.mediators)
        return replace(self, mediators=mediators)

    def with_participants(self, control: int, treated: int) -> "Scenario":
        """Return the scenario with other numbers of women."""
        return replace(
            self,
            control=replace(self.control, participants=control),
            treated=replace(self.treated, participants=treated),
        )
