"""Posteriors pinned at chosen values, for tests that must hold exactly."""

from __future__ import annotations

import numpy as np
import xarray as xr

from models.design.layout import Design
from models.equations.effect import Effect

effect = Effect()

WAVES = ("baseline", "post-test", "3 months", "6 months")
ROLES = ("baseline", "negative control", "follow-up", "follow-up")


def layout(likelihood: str = "logit", control: int = 6, treated: int = 8, covariates: int = 2, seed: int = 5) -> Design:
    """A design with every cell but the last seen, random covariates and arms in random order."""
    rng = np.random.default_rng(seed)
    people = control + treated
    arm = rng.permutation(np.repeat([-0.5, 0.5], [control, treated]))
    person, wave = np.nonzero(np.arange(people * 4).reshape(people, 4) < people * 4 - 1)
    outcome = rng.integers(0, 2 if likelihood != "negative binomial" else 6, person.size)
    if likelihood == "normal":
        outcome = rng.standard_normal(person.size)
    columns = rng.standard_normal((people, covariates))
    names = tuple(f"c{k}" for k in range(covariates))
    return Design(likelihood, WAVES, ROLES, arm, columns, names, person, wave, outcome)


def posterior(design: Design, draws: int = 40, seed: int = 9, **fixed: object) -> xr.Dataset:
    """Random but reproducible draws of every parameter, two chains; `fixed` pins some of them."""
    rng = np.random.default_rng(seed)
    labels = effect.coordinates(design)
    found = {}
    for name, dims in effect.dimensions(design).items():
        shape = (2, draws, *(len(labels[dim]) for dim in dims))
        value = rng.standard_normal(shape)
        if name in ("tau", "dispersion", "residual_sd"):
            value = np.abs(value) + 0.05
        if name in fixed:
            value = np.broadcast_to(np.asarray(fixed[name], dtype=float), shape).copy()
        found[name] = (("chain", "draw", *dims), value)
    if design.has_trait:
        found["trait"] = (
            ("chain", "draw", "participant"),
            found["tau"][1][..., None] * rng.standard_normal((2, draws, design.participants)),
        )
    used = {dim: labels[dim] for dims in effect.dimensions(design).values() for dim in dims}
    return xr.Dataset(found, {**used, "chain": [0, 1], "draw": np.arange(draws)})
