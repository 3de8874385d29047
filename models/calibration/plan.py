"""What a calibration study does: which scenario, model, priors and sampler; everything that decides its numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from models.equations.model import Model
from models.inference.nuts import Sampler
from models.runs.registry import MODELS
from models.simulation.scenario import Scenario
from priors.prior_set import PriorSet

KINDS = ("prior", "truth", "null")
"""Truths drawn from the prior (simulation-based calibration); the scenario's own; the scenario without any effect."""


@dataclass(frozen=True, eq=False)
class Plan:
    """One study. Two are never equal: a process keeps what it made for the plan that it holds.

    Attributes
    ----------
    scenario : Scenario
        Its layout serves the kind "prior"; its own truth the others.
    model, likelihood : str
        Keys of `registry.MODELS`.
    priors : PriorSet
        Of the fits, and of the truths of the kind "prior".
    sampler : Sampler
        Of every fit; its seed is the study's.
    """

    scenario: Scenario
    model: str
    likelihood: str
    priors: PriorSet
    sampler: Sampler

    @property
    def fitted(self) -> Model:
        """The model that is fitted."""
        return MODELS[self.model][self.likelihood]

    def describe(self) -> dict[str, Any]:
        """Everything that decides a replication's numbers, JSON-able; how many there are does not."""
        return {
            "scenario": repr(self.scenario),
            "model": self.model,
            "likelihood": self.likelihood,
            "priors": {"name": self.priors.name, "rows": self.priors.rows()},
            "sampler": asdict(self.sampler),
        }


def number_of(kind: str, replication: int) -> int:
    """One number for each kind and replication, so that a study can be made longer."""
    return replication * len(KINDS) + KINDS.index(kind)


def kind_of(number: int) -> tuple[str, int]:
    """Kind and replication of a number."""
    return KINDS[number % len(KINDS)], number // len(KINDS)
