"""Every model by name, and how its likelihood can be computed."""

from __future__ import annotations

from collections.abc import Mapping

from models.equations.effect import Effect
from models.equations.effect_integrated import Integrated
from models.equations.mediation import Mediation
from models.equations.model import Model

SAMPLED, INTEGRATED = "sampled", "integrated"
MODELS: Mapping[str, Mapping[str, Model]] = {
    Effect.name: {SAMPLED: Effect(), INTEGRATED: Effect(Integrated())},
    Mediation.name: {SAMPLED: Mediation()},
}
"""Models by name and by likelihood: traits sampled with the rest, or integrated out."""
