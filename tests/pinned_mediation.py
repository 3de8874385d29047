"""Mediation designs and posteriors pinned at chosen values, for tests that must hold exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from models.design.layout import Design
from models.design.mediators import Mediators
from models.equations import forward
from models.equations.mediation import Mediation
from tests import pinned

mediation = Mediation()

POSITIVE = ("tau", "dispersion", "residual_sd", "mediator_tau", "mediator_residual_sd", "cutpoint_gap")


def single_wave(likelihood: str, kinds: Sequence[str] = ("normal",), people: int = 8, **changes: object) -> Design:
    """One follow-up wave, lag 0, mediators in their own units (centre 0, SD 1), no covariates."""
    arm = np.resize([-0.5, 0.5], people)
    person = np.arange(people)
    layout = mediators(kinds, np.full((len(kinds), people, 1), 0.5), lag=0)
    outcome = np.zeros(people, dtype=float if likelihood == "normal" else int)
    base = Design(
        likelihood,
        ("end",),
        ("follow-up",),
        arm,
        np.zeros((people, 0)),
        (),
        person,
        np.zeros(people, int),
        outcome,
        has_trait=False,
        mediators=layout,
    )
    return replace(base, **changes)


def mediators(
    kinds: Sequence[str],
    value: np.ndarray,
    lag: int = 1,
    interaction: Sequence[bool] | None = None,
    lasting: bool = False,
    **changes: object,
) -> Mediators:
    """A layout without standardisation."""
    count, waves = len(kinds), value.shape[2]
    seen = ~np.isnan(value).all(axis=1)
    base = Mediators(
        name=tuple(f"m{k}" for k in range(count)),
        kind=tuple(kinds),
        interaction=tuple(interaction or [False] * count),
        lag=lag,
        centre=np.zeros(count),
        scale=np.ones(count),
        reference=np.zeros(count),
        value=value,
        acts=np.ones((count, waves), bool),
        measured=seen,
        seen=seen,
        has_trait=(lasting,) * count,
        reliability=(-np.inf,) * count,
    )
    return replace(base, **changes)


def four_waves(
    likelihood: str = "logit",
    kinds: Sequence[str] = ("normal", "share"),
    missing: float = 0.0,
    interaction: bool = True,
    seed: int = 4,
    at_baseline: bool = True,
) -> Design:
    """A design of 14 people over four waves with the mediators' values drawn at random, some missing.

    They act at the first wave or not.
    """
    rng = np.random.default_rng(seed)
    base = pinned.layout(likelihood, seed=seed)
    shape = (base.participants, 4)
    values = {
        "normal": rng.standard_normal(shape),
        "student": rng.standard_t(4, shape),
        "binary": rng.integers(0, 2, shape).astype(float),
        "share": np.where((u := rng.random(shape)) < 0.15, 0.0, np.where(u > 0.8, 1.0, rng.beta(3, 2, shape))),
    }
    value = np.stack([values[kind] for kind in kinds])
    value[rng.random(value.shape) < missing] = np.nan
    layout = mediators(kinds, value, interaction=[interaction, *[False] * (len(kinds) - 1)], lasting=True)
    layout = replace(
        layout,
        centre=rng.uniform(0, 0.5, len(kinds)),
        scale=rng.uniform(0.5, 1.5, len(kinds)),
        reference=rng.uniform(0.2, 0.8, len(kinds)),
    )
    layout.acts[:, 0] = at_baseline
    return replace(base, mediators=layout)


def posterior(design: Design, draws: int = 6, seed: int = 9, **fixed: object) -> xr.Dataset:
    """Random but reproducible draws of every parameter and trait, two chains; `fixed` pins some parameters."""
    rng = np.random.default_rng(seed)
    labels = mediation.coordinates(design)
    found = {}
    for name, dims in mediation.dimensions(design).items():
        shape = (2, draws, *(len(labels[dim]) for dim in dims))
        value = 0.7 * rng.standard_normal(shape)
        if name in POSITIVE:
            value = np.abs(value) + 0.1
        elif name == "partial_correlation":
            value = np.tanh(value)
        elif name == "mediator_precision":
            value = np.exp(value) * 6
        elif name == "mediator_nu":
            value = np.exp(value) * 4
        elif name == "cutpoint_low":
            value = value - 2
        if name in fixed:
            value = np.broadcast_to(np.asarray(fixed[name], dtype=float), shape).copy()
        found[name] = (("chain", "draw", *dims), value)
    used = {dim: labels[dim] for dims in mediation.dimensions(design).values() for dim in dims}
    top = xr.Dataset(found, {**used, "chain": [0, 1], "draw": np.arange(draws)})
    return top.assign(forward.traits_of_new(top, design, rng))
