"""Which parameters a mediation design has, and which belong to which mediator; for PyTensor and NumPy values alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.design.layout import Design
from models.equations import groups
from models.equations.mediator_kinds import ABSENT
from models.equations.terms import spread_dimensions, wave_coordinates, wave_dimensions

MEDIATOR = "mediator_"
"""Beginning of the names of the parameters of the mediators' equations."""


def dimensions(design: Design) -> dict[str, tuple[str, ...]]:
    """Top-level parameters of the model and their dimensions (none for a scalar), in order."""
    labels = coordinates(design)
    found = wave_dimensions(design) | ({"tau": ()} if design.has_trait else {}) | spread_dimensions(design)
    if design.mediators.count:
        found |= wave_dimensions(design, MEDIATOR, ("mediator",))
    several = {
        "slope": "acting_mediator",
        "interaction": "interacting_mediator",
        "mediator_tau": "lasting_mediator",
        "mediator_residual_sd": "continuous_mediator",
        "mediator_nu": "student_mediator",
        "mediator_precision": "share_mediator",
        "cutpoint_low": "share_with_zero",
        "cutpoint_gap": "share_with_both",
        "cutpoint_high": "share_with_one",
        "partial_correlation": "pair",
    }
    own = {name: (dim,) for name, dim in several.items() if labels[dim]}
    return found | own | groups.dimensions(design) | groups.mediator_dimensions(design)


def coordinates(design: Design) -> dict[str, list[str]]:
    """Labels of every dimension of a parameter."""
    layout = design.mediators
    named = {
        "mediator": list(range(layout.count)),
        "acting_mediator": acting(design),
        "interacting_mediator": interacting(design),
        "lasting_mediator": lasting(design),
        "continuous_mediator": layout.of_kind("normal", "student"),
        "student_mediator": layout.of_kind("student"),
        "share_mediator": layout.of_kind("share"),
        **_shares(design),
    }
    found = {dim: [layout.name[place] for place in places] for dim, places in named.items()}
    equations = [*found["lasting_mediator"], *(["outcome"] if design.has_trait else [])]
    pairs = [f"{equations[j]} and {equations[k]}" for j in range(len(equations)) for k in range(j)]
    shared = groups.coordinates(design) | {"equation_pair": groups.equation_pairs(design)}
    return wave_coordinates(design) | found | {"pair": pairs} | (shared if design.groups else {})


def acting(design: Design) -> list[int]:
    """Places of the mediators that act on some wave's outcome."""
    return [place for place in range(design.mediators.count) if design.mediators.acts[place].any()]


def interacting(design: Design) -> list[int]:
    """Places of those whose slope differs by arm: at follow-ups, since no earlier arm difference is an effect."""
    layout = design.mediators
    later = design.follows > 0
    return [place for place in acting(design) if layout.interaction[place] and (layout.followed[place] & later).any()]


def lasting(design: Design) -> list[int]:
    """Places of the mediators in which participants have a level of their own."""
    return [place for place, lasts in enumerate(design.mediators.has_trait) if lasts]


def trait_form(design: Design) -> tuple[np.ndarray, np.ndarray]:
    """In which order traits are sampled, best known levels first, and, in that order, which are centred, both (trait,).

    A level about which the data say little must not come before one that they know: to change their correlation the
    sampler would have to move every participant's value of the unknown one (MODEL.md, "Order and form").
    """
    layout, lasts = design.mediators, lasting(design)
    known = [layout.reliability[place] for place in lasts] + [design.reliability] * design.has_trait
    centred = [layout.centred[place] for place in lasts] + [design.centred] * design.has_trait
    order = np.argsort([-each for each in known], kind="stable").astype(int)
    return order, np.array(centred, bool)[order]


def _shares(design: Design) -> dict[str, list[int]]:
    layout = design.mediators
    ends = {place: layout.ends(place) for place in layout.of_kind("share")}
    return {
        "share_with_zero": [place for place, (zero, _) in ends.items() if zero],
        "share_with_both": [place for place, both in ends.items() if all(both)],
        "share_with_one": [place for place, (zero, one) in ends.items() if one and not zero],
    }


def spread_of(place: int, values: Mapping[str, Any], design: Design) -> dict[str, Any]:
    """Parameters of one mediator's distribution beside its predictor; an absent cutpoint lies far outside.

    Parameters
    ----------
    place : int
        Of the mediator in the design.
    values : mapping of str to array
        Parameters by name; their own dimension last.
    """
    layout = design.mediators

    def own(name: str, places: list[int]) -> Any:
        return values[name][..., places.index(place)]

    if layout.kind[place] == "binary":
        return {}
    if layout.kind[place] in ("normal", "student"):
        found = {"residual_sd": own("mediator_residual_sd", layout.of_kind("normal", "student"))}
        return found | (
            {"nu": own("mediator_nu", layout.of_kind("student"))} if layout.kind[place] == "student" else {}
        )
    zero, one = layout.ends(place)
    which = _shares(design)
    low = own("cutpoint_low", which["share_with_zero"]) if zero else -ABSENT
    high: Any = ABSENT
    if one and zero:
        high = low + own("cutpoint_gap", which["share_with_both"])
    elif one:
        high = own("cutpoint_high", which["share_with_one"])
    return {"low": low, "high": high, "precision": own("mediator_precision", layout.of_kind("share"))}
