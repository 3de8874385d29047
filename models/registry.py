"""Every model by name, and how its likelihood can be computed; all have the verbs of `models.effect`."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

from models import effect, effect_integrated, mediation

SAMPLED, INTEGRATED = "sampled", "integrated"
MODELS: Mapping[str, Mapping[str, ModuleType]] = {
    effect.NAME: {SAMPLED: effect, INTEGRATED: effect_integrated},
    mediation.NAME: {SAMPLED: mediation},
}
"""Modules by the model's name and by likelihood: traits sampled with the rest, or integrated out."""
