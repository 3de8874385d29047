"""Effects through and beside the mediators: which worlds each needs, and the differences between them, draw by draw."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import singledispatch

import numpy as np
import xarray as xr

from models.design.layout import Design
from models.equations.averages import labelled
from models.equations.mediation import Mediation
from models.equations.mediator_parameters import interacting
from models.equations.model import Model
from models.estimands.common_change import parts_of_change, worlds_of_change
from models.estimands.counterfactuals import Averages, Source, World, expected, expected_mediators
from models.estimands.path_draws import PathDraws
from models.estimands.points import Points
from models.estimands.totals import in_arm, points_of
from models.trial.study_file.study import ARMS

Key = Hashable
"""Name of a world, such as ("J", 1, 0)."""


def ordered(design: Design) -> list[int]:
    """Waves whose lagged mediators were measured after exposure began: both waves are follow-ups, and all act."""
    layout, role = design.mediators, design.role
    if not layout.count:
        return []
    return [
        wave
        for wave in range(layout.lag, len(role))
        if role[wave] == role[wave - layout.lag] == "follow-up" and layout.followed[:, wave].all()
    ]


def unordered(design: Design) -> dict[int, str]:
    """Why each other wave after baseline has no direct and indirect effects."""
    layout, found = design.mediators, {}
    for wave, role in enumerate(design.role):
        if role == "baseline" or wave in ordered(design):
            continue
        before = wave - layout.lag
        if role == "negative control":
            why = "a negative control is taken as before the programme could act"
        elif before < 0:
            why = f"no wave was measured {layout.lag} before it"
        elif design.role[before] != "follow-up":
            why = "the mediators that it could follow are taken as before the programme could act"
        else:
            why = "not every mediator was measured at the wave that it follows"
        found[wave] = f"No ordered mediator: {why}."
    return found


@singledispatch
def paths(model: Model, draws: xr.Dataset, design: Design, order: Sequence[str]) -> PathDraws:  # noqa: ARG001 - by class
    """What goes through and beside the mediators at every draw; nothing of a model without them.

    Parameters
    ----------
    model : Model
        Whose draws they are.
    draws, design, order : Dataset, Design, sequence of str
        As for `path_draws`.
    """
    return PathDraws()


@paths.register
def _of_mediation(
    _: Mediation,
    draws: xr.Dataset,
    design: Design,
    order: Sequence[str],
) -> PathDraws:
    return path_draws(draws, design, order)


def path_draws(draws: xr.Dataset, design: Design, order: Sequence[str], points: Points | None = None) -> PathDraws:
    """Every path estimand at every draw.

    Parameters
    ----------
    draws : Dataset
        Posterior, prior or pinned draws of the mediation model, dims (chain, draw, …). `mediator_path` (mediator,
        source), which no fitted model has, lets earlier mediators move later ones in a pinned example.
    design : Design
        Whose waves, mediators and participants.
    order : sequence of str
        Columns of the mediators in the order in which they are switched from control to treated.
    points : Points, optional
        Over whom to average; default those of `totals.points_of`.
    """
    if not design.mediators.count:
        return PathDraws()
    copies = 1 + design.mediators.count if "mediator_path" in draws else 1
    points = points or points_of(design, copies)
    places = [design.mediators.name.index(name) for name in order if name in design.mediators.name]
    interaction, own = bool(interacting(design)), "mediator_path" in draws
    asked = {("effects", wave): worlds_at(design, wave, places, own, interaction) for wave in ordered(design)}
    asked |= {
        ("change", wave): worlds_of_change(design, wave, places) | {"baseline": in_arm(design, 0, 0)}
        for wave in _changing(design)
    }
    # all worlds at once: what they share is computed once
    answers = expected_outcomes(
        draws, design, {(part, key): w for part, worlds in asked.items() for key, w in worlds.items()}, points
    )
    values: dict[str, list[xr.DataArray]] = {}
    errors: dict[str, xr.DataArray] = {}
    for name, array in _mediators(draws, design, places, points).items():
        values[name] = [array]
    names = [design.mediators.name[place] for place in places]
    for part, worlds in asked.items():
        r = {key: answers[part, key] for key in worlds}
        found = effects(r, names, interaction) if part[0] == "effects" else parts_of_change(r, names)
        for name, array in found.items():
            values.setdefault(name, []).append(array.expand_dims(contrast=[design.wave[part[1]]]))
    merged = {
        name: arrays[0] if len(arrays) == 1 else xr.concat(arrays, dim="contrast") for name, arrays in values.items()
    }
    for name, array in merged.items():
        if array.sizes["replicate"] > 1:
            error = array.std("replicate", ddof=1) / np.sqrt(array.sizes["replicate"])
            errors[name] = np.sqrt((error**2).mean(("chain", "draw")))
    return PathDraws(xr.Dataset({n: a.mean("replicate") for n, a in merged.items()}), xr.Dataset(errors))


def _mediators(draws: xr.Dataset, design: Design, places: Sequence[int], points: Points) -> dict[str, xr.DataArray]:
    """Mean of each mediator in each arm and wave where it was measured; differences after baseline."""
    layout = design.mediators
    measured = [(place, wave) for place in places for wave in range(len(design.wave)) if layout.measured[place, wave]]
    cells = [(place, arm, wave) for place, wave in measured for arm in (0, 1)]
    found = expected_mediators(draws, design, cells, points).replicate
    grid = np.full((len(found), len(places), 2, len(design.wave), points.replicates), np.nan)
    for (place, arm, wave), average in zip(cells, np.moveaxis(found, 1, 0), strict=True):
        grid[:, places.index(place), arm, wave] = layout.natural(place, average)
    names = [layout.name[place] for place in places]
    means = labelled(draws, grid, {"mediator": names, "arm": ARMS, "wave": design.wave, "replicate": None})
    means = means.transpose("mediator", "arm", "wave", ...)
    later = [wave for wave, role in zip(design.wave, design.role, strict=True) if role != "baseline"]
    after = means.sel(wave=later).rename(wave="contrast")
    return {
        "mediator_mean": means,
        "mediator_difference": after.sel(arm="treated", drop=True) - after.sel(arm="control", drop=True),
    }


def _index(name: str, labels: Sequence[str]) -> xr.DataArray:
    return xr.DataArray(list(labels), dims=name, name=name)


def worlds_at(design: Design, wave: int, places: Sequence[int], own: bool, interaction: bool) -> dict[Key, World]:
    """Worlds of the direct and indirect effects at one wave.

    Keys: ("J", z, z′): mediators drawn jointly in arm z′; ("I", z, (z₁, …)): each from an independent world of its own
    arm, in the order of `places`; ("held", z): mediators held at their reference. What only an interaction asks for is
    left out without one.
    """
    layout, before = design.mediators, wave - design.mediators.lag
    count = len(places)

    def sources(arms: Sequence[int]) -> tuple[Source, ...]:
        found: list[Source] = [0.0] * layout.count
        for place, arm in zip(places, arms, strict=True):
            found[place] = (arm, before)
        return tuple(found)

    arms = {("J", z, m): sources((m,) * count) for z, m in ((0, 0), (1, 0), (1, 1), *([(0, 1)] if interaction else []))}
    switched = [tuple(int(k < done) for k in range(count)) for done in range(count + 1)]
    found: dict[Key, World] = {key: World(key[1], wave, source) for key, source in arms.items()}
    for step in (*switched, *(step[::-1] for step in switched if interaction)):
        found["I", 1, step] = World(1, wave, sources(step), own)
    held = tuple(float(value) for value in layout.reference)
    return found | {("held", z): World(z, wave, held) for z in (0, 1)}


def expected_outcomes(
    draws: xr.Dataset, design: Design, worlds: Mapping[Key, World], points: Points
) -> dict[Key, xr.DataArray]:
    """Expected outcome of each named world, (chain, draw, replicate); equal worlds are computed once."""
    if not worlds:
        return {}
    distinct = list(dict.fromkeys(worlds.values()))
    averages: Averages = expected(draws, design, distinct, points)
    return {
        key: design.location
        + design.scale * labelled(draws, averages.replicate[:, distinct.index(world)], {"replicate": None})
        for key, world in worlds.items()
    }


def effects(r: Mapping[Key, xr.DataArray], names: Sequence[str], interaction: bool) -> dict[str, xr.DataArray]:
    """Differences between worlds, by the name of the estimand (MODEL.md, "Direct and indirect effects")."""
    count = len(names)
    switched = [tuple(int(k < done) for k in range(count)) for done in range(count + 1)]
    index = _index("mediator", names)
    forward = [r["I", 1, switched[k + 1]] - r["I", 1, switched[k]] for k in range(count)]
    found = {
        "total": r["J", 1, 1] - r["J", 0, 0],
        "natural_direct": r["J", 1, 0] - r["J", 0, 0],
        "natural_indirect": r["J", 1, 1] - r["J", 1, 0],
        "interventional_direct": r["J", 1, 0] - r["J", 0, 0],
        "interventional_via": xr.concat(forward, dim=index),
        "dependence": r["J", 1, 1] - r["J", 1, 0] - (r["I", 1, switched[-1]] - r["I", 1, switched[0]]),
        "controlled_direct": r["held", 1] - r["held", 0],
    }
    if not interaction:
        return found
    # the last mediator first: step k of the reversed order switches mediator count − 1 − k
    back = [step[::-1] for step in switched]
    reverse = [r["I", 1, back[count - k]] - r["I", 1, back[count - k - 1]] for k in range(count)]
    return found | {
        "interventional_via_reversed": xr.concat(reverse, dim=index),
        "natural_direct_total": r["J", 1, 1] - r["J", 0, 1],
        "natural_indirect_pure": r["J", 0, 1] - r["J", 0, 0],
        "reference_interaction": r["J", 1, 0] - r["J", 0, 0] - found["controlled_direct"],
        "mediated_interaction": r["J", 1, 1] - r["J", 1, 0] - (r["J", 0, 1] - r["J", 0, 0]),
    }


def _changing(design: Design) -> list[int]:
    """Follow-ups whose change since baseline can be split: every mediator acts there and was measured at baseline."""
    layout = design.mediators
    if not design.baseline or not layout.measured[:, 0].all():
        return []
    return [
        wave
        for wave, role in enumerate(design.role)
        if role == "follow-up" and wave - layout.lag > 0 and layout.followed[:, wave].all()
    ]
