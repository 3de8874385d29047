"""The compiled densities of the effect model and of random slopes against PyMC's and NumPy's, and differences."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import xarray as xr

from models.design.layout import Design
from models.design.mediation_cells import cells
from models.equations import groups, integrated
from models.equations.effect import Effect
from models.equations.effect_integrated import Integrated
from models.equations.groups import LEVEL, WAVE
from models.equations.likelihoods import dispersion
from models.equations.mediation import Mediation
from models.equations.model import Model
from models.equations.random_slopes import RandomSlopes
from models.inference import nuts
from priors import prior_set
from tests import pinned
from tests.c_density import Density, density_of, values_of
from tests.test_mediation_kernel import GROUPED, LIKELIHOODS, differences, generative, groups_of
from tests.test_mediation_kernel import _design as mediation_design

PRIORS = prior_set.load()
EFFECT, INTEGRATED, SLOPES = Effect(), Effect(Integrated()), RandomSlopes()
CASES = list(product(LIKELIHOODS, GROUPED))


def _design(likelihood: str, grouped: str = "", covariates: int = 2) -> Design:
    found = replace(pinned.layout(likelihood, covariates=covariates), month=(0.0, 1.0, 9.0, 12.0))
    if grouped:
        found = replace(found, groups=groups_of(found, grouped))
    if likelihood == "negative binomial":
        # one exposure a participant and wave: a history is what it is over all of them
        found = replace(found, offset=np.random.default_rng(8).normal(size=found.outcome.size))
    return found


def _density(model: Model, design: Design) -> tuple[Density, int]:
    ready = model.ready(design, PRIORS)
    return density_of(ready), ready.middle.size


def _points(size: int) -> np.ndarray:
    return 0.4 * np.random.default_rng(3).standard_normal((2, size))


def _agree(mine: Density, theirs: Density, its_size: int, size: int) -> None:
    assert size == its_size
    for point in _points(size):
        (one, slope), (other, its_slope) = mine(point), theirs(point)
        assert one == pytest.approx(other, rel=1e-10)
        np.testing.assert_allclose(slope, its_slope, rtol=1e-9, atol=1e-9 * np.abs(its_slope).max())


@pytest.mark.slow
@pytest.mark.parametrize(("likelihood", "grouped"), CASES)
def test_the_density_and_its_gradient_are_the_generative_models(likelihood, grouped):
    design = _design(likelihood, grouped)
    mine, size = _density(EFFECT, design)
    _agree(mine, *generative(EFFECT, design, ("trait", LEVEL, WAVE)), size)


@pytest.mark.parametrize("model", [EFFECT, Mediation()], ids=["effect", "mediation"])
def test_arms_that_share_no_baseline_have_a_contrast_there(model):
    design = replace(mediation_design() if model.mediated else _design("logit", "randomised"), shared_baseline=False)
    ready, others = model.ready(design, PRIORS), ("trait", "trait 1", "trait 2", "trait 3", LEVEL, WAVE)
    latent = [f"missing {design.mediators.name[place]}" for place in cells(design).latent] if model.mediated else []
    assert model.coordinates(design)["negative_control"][0] == design.wave[0]
    _agree(density_of(ready), *generative(model, design, (*others, *latent)), ready.middle.size)


@pytest.mark.parametrize("grouped", GROUPED)
def test_centred_levels_have_the_density_of_the_generative_model(grouped):
    design = replace(_design("normal", grouped), reliability=1.0)
    mine, size = _density(EFFECT, design)
    _agree(mine, *generative(EFFECT, design, ("trait_level", LEVEL, WAVE)), size)


@pytest.mark.parametrize("covariates", [0, 2])
def test_without_a_trait_it_is_the_generative_model_too(covariates):
    design = replace(_design("logit", covariates=covariates), has_trait=False)
    mine, size = _density(EFFECT, design)
    _agree(mine, *generative(EFFECT, design, ()), size)


@pytest.mark.slow
@pytest.mark.parametrize(("likelihood", "grouped"), CASES)
def test_random_slopes_have_the_density_of_the_generative_model(likelihood, grouped):
    design = _design(likelihood, grouped)
    mine, size = _density(SLOPES, design)
    _agree(mine, *generative(SLOPES, design, (LEVEL, WAVE, "trait", "slope")), size)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("waves", [1, 4])
def test_integrated_without_covariates_or_traits_it_is_the_sampled_one(likelihood, waves):
    design = replace(_design(likelihood, covariates=0), has_trait=False)
    if waves == 1:
        first = design.wave_of == 2
        cells = {name: getattr(design, name)[first] for name in ("participant_of", "outcome", "offset")}
        alone = {"wave": ("6 months",), "role": ("follow-up",), "month": (12.0,), "wave_of": np.zeros(first.sum(), int)}
        design = replace(design, **cells, **alone)
    (mine, size), (theirs, its_size) = _density(INTEGRATED, design), _density(EFFECT, design)
    _agree(mine, theirs, its_size, size)


@pytest.mark.parametrize(("likelihood", "grouped"), CASES)
def test_integrated_it_is_the_likelihood_that_numpy_integrates(likelihood, grouped):
    """Less its value without data, that of the prior, which is what the sampled form has without data."""
    design = _design(likelihood, grouped)
    mine, size = _density(INTEGRATED, design)
    before, its_size = _density(INTEGRATED, design.unobserved())
    assert size == its_size
    whole, _ = _density(EFFECT, design.unobserved())
    ready = INTEGRATED.ready(design, PRIORS)
    entries = size - sum(many for many in (design.groups.grouping_of.size, design.groups.grouping_of_cell.size))
    for point in _points(size):
        expected = _by_numpy(values_of(ready, point), design)
        # each participant's integral to 1e-8
        assert mine(point)[0] - before(point)[0] == pytest.approx(expected, abs=1e-7)
        traits = np.concatenate([point[:entries], np.zeros(design.participants), point[entries:]])
        assert before(point)[0] == pytest.approx(
            whole(traits)[0] + design.participants * 0.5 * np.log(2 * np.pi), rel=1e-10
        )
        slope = mine(point)[1]
        np.testing.assert_allclose(slope, differences(mine, point), rtol=1e-6, atol=1e-7 * np.abs(slope).max())


def _by_numpy(values: dict[str, np.ndarray], design: Design) -> float:
    dims = EFFECT.dimensions(design) | {name: (f"{name}_dim_0",) for name in groups.OWN if name in values}
    draws = xr.Dataset(
        {name: (("chain", "draw", *dims[name]), np.asarray(value)[None, None]) for name, value in values.items()}
    )
    fixed = EFFECT.predictor(draws, design, np.zeros((1, 1, design.participants)))[0]
    given = integrated.Draws(fixed, draws["tau"].to_numpy()[0], dispersion(draws, design)[0])
    return float(integrated.log_likelihood(given, design).sum())


@pytest.mark.parametrize("model", [EFFECT, INTEGRATED, SLOPES], ids=["sampled", "integrated", "slopes"])
@pytest.mark.parametrize("grouped", GROUPED)
def test_the_posterior_has_the_names_and_dimensions_of_its_parameters(model, grouped):
    design = _design("logit", grouped)
    draws = nuts.sample(model.ready(design, PRIORS), nuts.Sampler(draws=5, tune=20, chains=1))
    posterior = draws["posterior"].to_dataset()
    own = {"trait"} if model is EFFECT else set()
    shared = {LEVEL: bool(grouped), WAVE: grouped == "randomised"}
    assert set(posterior) == {*model.dimensions(design), *own, *(name for name, there in shared.items() if there)}
    for name, dims in model.dimensions(design).items():
        assert posterior[name].dims[2:] == dims
        for dim in dims:
            assert list(posterior[dim].to_numpy()) == model.coordinates(design)[dim]
