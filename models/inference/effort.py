"""How many draws each purpose takes, in one place; the main fit's are the defaults of `nuts.Sampler`."""

from __future__ import annotations

from typing import TypedDict


class Iterations(TypedDict):
    """Of one fit, by the names of `nuts.Sampler`: discarded and kept iterations a chain, and chains."""

    tune: int
    draws: int
    chains: int


REFIT: Iterations = {"tune": 500, "draws": 1000, "chains": 2}
"""Another prior, other participants, somebody left out: medians and limits to a few hundredths of a posterior SD."""
RECOVERY: Iterations = {"tune": 300, "draws": 400, "chains": 2}
"""A simulated trial fitted again, of which an interval and whether it covers are asked."""
REPLICATION: dict[str, Iterations] = {
    "effect": {"tune": 200, "draws": 500, "chains": 2},
    "mediation": {"tune": 400, "draws": 750, "chains": 2},
}
"""One fit among thousands, by model: the least effective sample size is a few hundred."""
GATE: Iterations = {"tune": 500, "draws": 1000, "chains": 4}
"""Half the main fit's draws, where the gate's frequencies are told: short draws are amber sooner, which counts against
the gate."""
GATE_IN_PART: Iterations = {"tune": 350, "draws": 250, "chains": 1}
"""Where only a mediator's equation is judged."""
PRIOR, PATH_PRIOR, REFIT_PRIOR = 8000, 1000, 2000
"""Draws of the prior: for every estimand; for paths, which cost more (an interval is known to about 4% of its width);
beside a refit."""
