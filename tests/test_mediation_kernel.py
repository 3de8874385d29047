"""The compiled density of the mediation model against the generative model, and its gradient against differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pytensor
import pytest
from pytensor.graph.traversal import io_toposort
from scipy import special

from models.design.groupings import Groupings
from models.design.layout import Design
from models.design.mediation_cells import cells
from models.equations.groups import LEVEL, WAVE
from models.equations.kernels.special import log_gamma
from models.equations.mediation import Mediation
from models.equations.mediator_parameters import lasting
from models.equations.model import Model
from models.equations.random_variables import STANDARD
from models.inference import nuts
from priors import prior_set
from tests import pinned_mediation as pinned
from tests.c_density import Density, density_of

mediation = Mediation()
PRIORS = prior_set.load()
KINDS = (("normal", "share"), ("binary", "student"), ("share", "binary", "normal", "share"), ("student",))
LIKELIHOODS = ("logit", "probit", "negative binomial", "normal")
# rewritten, long sums become one operation, and numpy refuses one of more than 32 operands
AS_WRITTEN = pytensor.compile.mode.Mode(linker="py", optimizer=None)
COMPILED = pytensor.compile.mode.Mode(linker="vm", optimizer=None)
"""In Python, which compiles nothing; or, where the density itself holds an operation of so many operands, compiled."""
GROUPED = ("", "randomised", "site and delivery")
LEVELS = {"as listed": (-np.inf,) * 5, "all centred": (1.0, 1.0, 0.9, 0.95, 0.99), "turned": (0.1, 0.6, 0.9, 0.3, 0.7)}


def _design(
    likelihood: str = "logit",
    kinds: tuple[str, ...] = KINDS[0],
    lag: int = 1,
    missing: float = 0.3,
    levels: str = "turned",
    plain: bool = False,
    grouped: str = "",
) -> Design:
    """A small trial; `plain` has no covariates, no interaction, no traits of the first mediator and of the outcome.

    Counts arose over unequal exposures.
    """
    found = pinned.four_waves(likelihood, kinds, missing, interaction=not plain)
    known = LEVELS[levels]
    layout = replace(found.mediators, lag=lag, reliability=known[: len(kinds)])
    found = replace(found, mediators=layout, reliability=known[-1])
    if grouped:
        found = replace(found, groups=groups_of(found, grouped))
    if likelihood == "negative binomial":
        found = replace(found, offset=np.random.default_rng(8).normal(size=found.outcome.size))
    if plain:
        lasting = (False, *[True] * (len(kinds) - 1))
        layout = replace(layout, has_trait=lasting, reliability=(-np.inf, *layout.reliability[1:]))
        found = replace(found, mediators=layout, has_trait=False, reliability=-np.inf)
        found = replace(found, covariates=np.zeros((found.participants, 0)), covariate=())
    return found


def groups_of(design: Design, kinds: str) -> Groupings:
    """Three groups an arm that were randomised; two sites, and three groups of the treated arm from the second wave."""
    people, waves = design.participants, len(design.wave)
    treated, rng = design.arm > 0, np.random.default_rng(9)
    every = np.ones(waves, bool)
    if kinds == "randomised":
        member = rng.integers(3, size=people) + 3 * treated
        return Groupings(("council",), ("randomised",), (6,), member[None], every[None], (True,))
    member = np.stack([rng.integers(2, size=people), np.where(treated, rng.integers(3, size=people), -1)])
    active = np.stack([every, np.arange(waves) > 0])
    return Groupings(("site", "savings"), ("site", "delivery"), (2, 3), member, active, (False, False))


def _grid(count: int) -> list[tuple]:
    """Some cases, in an order of chance."""
    every = list(product(LIKELIHOODS, KINDS, (0, 1, 2), (0.0, 0.3), LEVELS, (False, True)))
    every = [(*case, GROUPED[k % len(GROUPED)]) for k, case in enumerate(every)]
    return [every[k] for k in np.random.default_rng(5).permutation(len(every))[:count]]


def _density(design: Design) -> Density:
    return density_of(mediation.ready(design, PRIORS))


def start(design: Design) -> np.ndarray:
    """Around which point chains begin."""
    return mediation.ready(design, PRIORS).middle


def _points(design: Design, scale: float = 0.5, count: int = 2) -> np.ndarray:
    middle = start(design)
    return middle + scale * np.random.default_rng(3).standard_normal((count, middle.size))


def _generative(design: Design, slope: bool = False):
    own = [f"trait {k + 1}" for k in range(len(lasting(design)) + design.has_trait)]
    latent = [f"missing {design.mediators.name[place]}" for place in cells(design).latent]
    found, size = generative(mediation, design, [*own, LEVEL, WAVE, *latent], slope)
    assert size == start(design).size
    return found


def generative(model: Model, design: Design, others: Sequence[str], slope: bool = True):
    """Log density of a generative model (and its gradient) by PyTensor's own operations, at a point in one vector.

    `others`, of which some may be absent, stand in it after the top-level parameters; returned with its size.
    """
    fitted = model.observed_model(design, PRIORS)
    free = {variable.name.removesuffix(STANDARD): variable for variable in fitted.free_RVs}
    order = [free.pop(name) for name in (*model.dimensions(design), *(name for name in others if name in free))]
    assert not free
    variables = [fitted.rvs_to_values[variable] for variable in order]
    outputs = [fitted.logp(), *(pytensor.gradient.grad(fitted.logp(), variables) if slope else [])]
    many = any(len(node.inputs) > 31 for node in io_toposort([], outputs))
    mode = COMPILED if many else AS_WRITTEN
    asked = pytensor.function(variables, outputs, mode=mode, on_unused_input="ignore")
    shapes = [tuple(variable.shape.eval(mode=AS_WRITTEN)) for variable in order]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])

    def found(point: np.ndarray) -> tuple[float, np.ndarray]:
        parts = [part.reshape(shape) for part, shape in zip(np.split(point, ends[:-1]), shapes, strict=True)]
        value, *rest = asked(*parts)
        return float(value), np.concatenate([np.ravel(one) for one in rest]) if rest else np.zeros(0)

    return found, int(ends[-1])


def differences(found, point: np.ndarray, step: float = 2e-3) -> np.ndarray:
    """Slopes by central differences of the sixth order: an error of step⁶ × a 7th derivative / 140, and rounding."""
    slopes = np.empty(point.size)
    for k in range(point.size):
        moved = np.zeros(point.size)
        moved[k] = step
        one, two, three = (found(point + n * moved)[0] - found(point - n * moved)[0] for n in (1, 2, 3))
        slopes[k] = (45 * one - 9 * two + three) / (60 * step)
    return slopes


def _check_value(case: tuple) -> None:
    design = _design(*case)
    mine, theirs = _density(design), _generative(design)
    for point in _points(design):
        assert mine(point)[0] == pytest.approx(theirs(point)[0], rel=1e-10), case


@pytest.mark.slow
@pytest.mark.parametrize("case", _grid(6), ids=str)
def test_the_density_is_the_generative_models(case):
    _check_value(case)


@pytest.mark.slow
def test_the_density_is_the_generative_models_in_more_cases():
    for case in _grid(12)[6:]:
        _check_value(case)


@pytest.mark.slow
@pytest.mark.parametrize("grouped", GROUPED[1:])
@pytest.mark.parametrize("levels", ["as listed", "all centred"])
def test_the_density_is_the_generative_models_with_groups(grouped, levels):
    _check_value(("logit", KINDS[1], 1, 0.3, levels, False, grouped))


@pytest.mark.slow
@pytest.mark.parametrize("kinds", KINDS[:2], ids=str)
def test_the_gradient_is_the_generative_models(kinds):
    """PyTensor differentiates what is written in `mediation.build`; one likelihood with each set of kinds."""
    likelihood = LIKELIHOODS[KINDS.index(kinds) + 1]
    design = _design(likelihood, kinds)
    mine, theirs = _density(design), _generative(design, slope=True)
    for point in _points(design):
        (_, one), (_, other) = mine(point), theirs(point)
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9 * np.abs(other).max())


@pytest.mark.parametrize("count", [24, pytest.param(96, marks=pytest.mark.slow)])
def test_the_gradient_is_that_of_differences(count):
    """Some of 576 cases; values near 1,000 are rounded to 1e-13, which a step of 2e-3 makes 1e-10."""
    for case in _grid(count):
        design = _design(*case)
        found = _density(design)
        for point in _points(design, 0.3, 1):
            slope = found(point)[1]
            np.testing.assert_allclose(slope, differences(found, point), rtol=1e-7, atol=1e-8 * np.abs(slope).max())


def test_far_from_everything_the_density_stays_a_number():
    """Predictors of ±2,000, means of a share at its ends, precisions of e²⁰: no NaN, no infinity."""
    for kinds, likelihood in product(KINDS, LIKELIHOODS):
        design = _design(likelihood, kinds)
        found, middle = _density(design), start(design)
        names = list(mediation.dimensions(design))
        first = _first(design)
        for name, far in (
            ("mu_0", 2000.0),
            ("mediator_mu_0", 2000.0),
            ("mediator_precision", 20.0),
            ("mediator_nu", 20.0),
        ):
            if name not in names:
                continue
            for sign in (1.0, -1.0):
                point = middle.copy()
                point[slice(*first[name])] += sign * far
                value, slope = found(point)
                assert np.isfinite(value), (name, sign, kinds, likelihood)
                assert np.isfinite(slope).all(), (name, sign, kinds, likelihood)


def _first(design: Design) -> dict[str, tuple[int, int]]:
    labels, place, found = mediation.coordinates(design), 0, {}
    for name, dims in mediation.dimensions(design).items():
        size = int(np.prod([len(labels[dim]) for dim in dims], dtype=int))
        found[name] = (place, place + size)
        place += size
    return found


@pytest.mark.parametrize("x", [1e-100, 1e-3, 0.3, 1.0, 2.0, 9.99, 10.0, 47.3, 1e8])
def test_the_gamma_function_and_its_slope(x):
    log, slope = log_gamma(x)
    assert log == pytest.approx(special.gammaln(x), rel=1e-14, abs=3e-15)
    assert slope == pytest.approx(special.digamma(x), rel=1e-13, abs=1e-14)


@pytest.mark.slow
@pytest.mark.parametrize(("plain", "grouped"), [(False, ""), (True, ""), (False, "randomised")])
def test_the_posterior_has_the_names_and_dimensions_of_the_generative_model(plain, grouped):
    design = _design(plain=plain, grouped=grouped)
    draws = nuts.sample(mediation.ready(design, PRIORS), nuts.Sampler(draws=5, tune=20, chains=1))
    posterior, model = draws["posterior"].to_dataset(), mediation.build(design, PRIORS)
    names = {variable.name for variable in model.free_RVs + model.deterministics}
    unseen = {name for name in names if name.endswith(STANDARD) or name.startswith("value of ") or name == "outcome"}
    assert set(posterior.data_vars) == names - unseen
    for name in posterior:
        dims = model.named_vars_to_dims.get(name)
        if dims is not None:
            assert posterior[name].dims[2:] == tuple(dims), name
            for dim in dims:
                assert list(posterior[dim].to_numpy()) == list(model.coords[dim])
