"""Path estimands on pinned posteriors: known answers, identities and nulls, by the product's own code."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from models.checks import path_checks
from models.checks.gate_limits import LIMITS
from models.checks.gate_table import CheckName
from models.estimands import points, totals
from models.estimands.path_effects import ordered, path_draws, unordered
from tests import pinned_mediation as pinned


def _paths(design, draws, wanted=2**16, copies=1) -> xr.Dataset:
    people = totals.points_of(design, copies, wanted)
    return path_draws(draws, design, design.mediators.name, people).values


def _first(values: xr.Dataset, name: str, **where: str) -> float:
    found = values[name].isel(chain=0, draw=0)
    if "contrast" in found.dims:
        found = found.isel(contrast=-1)
    return float(found.sel(where).squeeze())


def test_linear_with_interaction():
    """VanderWeele's algebra: arms 0/1 are written as ±½, so that levels and slopes move by half an effect."""
    b, t, c = (0.2, 0.7, 0.3), (0.1, -0.4, 0.5, 0.25, 0.2), 0.6
    design = pinned.single_wave("normal", covariates=np.full((8, 1), c), covariate=("c",))
    design = replace(design, mediators=replace(design.mediators, interaction=(True,)))
    draws = pinned.posterior(
        design,
        mediator_mu_0=b[0] + b[1] / 2,
        mediator_theta=b[1],
        mediator_gamma=b[2],
        mediator_residual_sd=1.0,
        mu_0=t[0] + t[1] / 2,
        theta=t[1],
        slope=t[2] + t[3] / 2,
        interaction=t[3],
        gamma=t[4],
    )
    found = _paths(design, draws)
    expected = {
        "natural_direct": -0.305,
        "natural_indirect": 0.525,
        "total": 0.220,
        "natural_direct_total": -0.130,
        "natural_indirect_pure": 0.350,
        "controlled_direct": -0.400,
        "reference_interaction": 0.095,
        "mediated_interaction": 0.175,
    }
    # the mean of 65,536 scrambled Sobol normals is 0 to about 1e-6
    for name, value in expected.items():
        assert _first(found, name) == pytest.approx(value, abs=2e-5), name


@pytest.mark.parametrize(
    ("rho", "p00", "direct", "indirect", "total", "ratio"),
    [
        (-0.6, 0.56542, -0.06542, -0.08693, -0.15235, 0.73056),
        (0.0, 0.57099, -0.07099, -0.09426, -0.16524, 0.71060),
        (0.6, 0.57826, -0.07826, -0.10383, -0.18209, 0.68511),
    ],
)
def test_probit_with_correlated_traits(rho, p00, direct, indirect, total, ratio):
    design, draws = _two_traits("probit", rho, tau=1.2)
    found = _paths(design, draws, 2**18)
    # printed to five digits: half a unit of the last, and about 3e-6 of integration error
    assert _first(found, "natural_direct") == pytest.approx(direct, abs=1e-5)
    assert _first(found, "natural_indirect") == pytest.approx(indirect, abs=1e-5)
    assert _first(found, "total") == pytest.approx(total, abs=1e-5)
    levels = totals.response(draws, design).isel(chain=0, draw=0, wave=-1)
    level = levels.sel(average="population")
    # 1,024 points, four scrambles: errors of a few 1e-4
    assert float(level.sel(arm="control")) == pytest.approx(p00, abs=2e-3)
    assert float(level.sel(arm="treated") / level.sel(arm="control")) == pytest.approx(ratio, abs=4e-3)
    typical = levels.sel(average="typical")
    assert float(typical.sel(arm="treated") - typical.sel(arm="control")) == pytest.approx(-0.24552, abs=2e-3)


def _two_traits(likelihood: str, rho: float, tau: float):
    """Probit and logit examples: α = (0, .8), β = (.3, −.3, −.5), σ_M = 1, τ_M = .7."""
    design = pinned.single_wave(likelihood, has_trait=tau > 0)
    design = replace(design, mediators=replace(design.mediators, has_trait=(True,)))
    return design, pinned.posterior(
        design,
        mediator_mu_0=0.4,
        mediator_theta=0.8,
        mediator_residual_sd=1.0,
        mediator_tau=0.7,
        partial_correlation=rho,
        tau=tau,
        mu_0=0.3 - 0.15,
        theta=-0.3,
        slope=-0.5,
    )


@pytest.mark.parametrize(
    ("tau", "direct", "indirect", "total", "log_odds"),
    [
        (0, -0.0686, -0.0911, -0.1598, -0.369),
        (1, -0.0586, -0.0778, -0.1364, -0.314),
        (2, -0.0441, -0.0587, -0.1028, -0.236),
        (3, -0.0339, -0.0451, -0.0790, -0.181),
    ],
)
def test_the_product_of_coefficients_is_not_the_indirect_effect(tau, direct, indirect, total, log_odds):
    design, draws = _two_traits("logit", 0.0, tau)
    found = _paths(design, draws)
    # printed to four digits: half a unit of the last, and integration error below 2e-5
    assert _first(found, "natural_direct") == pytest.approx(direct, abs=7e-5)
    assert _first(found, "natural_indirect") == pytest.approx(indirect, abs=7e-5)
    assert _first(found, "total") == pytest.approx(total, abs=7e-5)
    level = totals.response(draws, design).isel(chain=0, draw=0, wave=-1).sel(average="population", arm="treated")
    crossed = float(level) - _first(found, "natural_indirect")
    logit = [np.log(p / (1 - p)) for p in (float(level), crossed)]
    assert logit[0] - logit[1] == pytest.approx(log_odds, abs=2e-3)
    assert abs(log_odds) < 0.4, "the product rule says −.400 at every spread"


KINDS = [("normal",), ("binary", "normal"), ("normal", "share"), ("normal", "share", "student"), ("share", "binary")]


@pytest.mark.slow
@pytest.mark.parametrize("likelihood", ["logit", "probit", "negative binomial", "normal"])
@pytest.mark.parametrize("kinds", KINDS, ids="-".join)
def test_parts_sum_to_the_total_at_every_draw(kinds, likelihood):
    design = pinned.four_waves(likelihood, kinds)
    values = _paths(design, pinned.posterior(design), 64)
    found = path_checks.gaps(values)
    assert set(found) == {
        "interventional effects",
        "natural effects",
        "interventional effects, other order",
        "four-way decomposition",
        "change since baseline",
    }
    scale = max(1.0, float(np.abs(values["total"]).max()))
    assert max(found.values()) < 1e-12 * scale
    assert float(np.abs(values["dependence"]).max()) == 0, "no path, no dependence: exactly, by construction"


def test_a_split_that_does_not_sum_is_seen():
    design = pinned.four_waves()
    values = _paths(design, pinned.posterior(design), 64)
    values["interventional_direct"] = values["interventional_direct"] + 1e-6
    assert path_checks.gaps(values)["interventional effects"] > LIMITS[CheckName.SUMS].good


@pytest.mark.slow
@pytest.mark.parametrize("kinds", KINDS, ids="-".join)
@pytest.mark.parametrize("absent", ["mediator_theta", "slope"])
def test_null_pathways_are_exactly_zero(kinds, absent):
    design = pinned.four_waves(kinds=kinds, interaction=False)
    found = _paths(design, pinned.posterior(design, **{absent: 0.0}), 64)
    for name in ("natural_indirect", "interventional_via", "dependence"):
        assert float(np.abs(found[name]).max()) == 0, name
    moved = _paths(design, pinned.posterior(design), 64)
    assert float(np.abs(moved["natural_indirect"]).min()) > 0, "a pathway that exists is not 0"


@pytest.mark.parametrize("likelihood", ["logit", "normal"])
def test_swapping_the_arms_flips_every_sign(likelihood):
    design = pinned.four_waves(likelihood)
    draws = pinned.posterior(design)
    swapped = draws.copy()
    for name in draws:
        if "theta" in str(name) or name == "interaction":
            swapped[name] = -draws[name]
    one, other = _paths(design, draws, 64), _paths(design, swapped, 64)
    for name in ("total", "controlled_direct", "mediator_difference"):
        np.testing.assert_allclose(other[name], -one[name], atol=1e-13)
    # what is pure seen from one arm is total seen from the other
    for name, mirror in (
        ("natural_direct", "natural_direct_total"),
        ("natural_indirect_pure", "natural_indirect"),
    ):
        np.testing.assert_allclose(other[name], -one[mirror], atol=1e-13)


def test_a_path_between_mediators_gives_a_dependence_term():
    """Pinned: with S → I the joint world is not that of independent worlds; no fitted model has it."""
    design = pinned.four_waves(kinds=("normal", "share"), interaction=False)
    draws = pinned.posterior(design, slope=[[[-1.5, 3.0]]], mediator_theta=1.5, mediator_residual_sd=1.0, tau=0.3)
    path = np.zeros((2, 6, 2, 2))
    path[..., 1, 0] = -3.0
    with_path = draws.assign(mediator_path=(("chain", "draw", "mediator", "source"), path))
    points = totals.points_of(design, copies=3, wanted=2**14)
    found = path_draws(with_path, design, design.mediators.name, points)
    apart = np.abs(found.values["dependence"])
    error = float(found.error["dependence"].max())
    assert float(apart.max()) > 10 * error, "the dependence is not noise of integration"
    assert max(path_checks.gaps(found.values).values()) < 1e-12
    assert "mediator_path" not in draws, "no fitted model has it"


def test_the_waves_that_have_an_order():
    design = pinned.four_waves()
    assert [design.wave[wave] for wave in ordered(design)] == ["6 months"]
    reasons = {design.wave[wave]: why for wave, why in unordered(design).items()}
    assert reasons == {
        "post-test": "No ordered mediator: a negative control is taken as before the programme could act.",
        "3 months": "No ordered mediator: the mediators that it could follow are taken as before the programme could "
        "act.",
    }
    same = replace(design, mediators=replace(design.mediators, lag=0, acts=np.array([[False, True, True, True]] * 2)))
    assert [design.wave[wave] for wave in ordered(same)] == ["3 months", "6 months"]


def test_integration_error_covers_the_distance_to_many_points():
    design = pinned.four_waves()
    draws = pinned.posterior(design)
    few, many = (
        path_draws(draws, design, design.mediators.name, totals.points_of(design, 1, n)) for n in (1024, 2**16)
    )
    for name in ("total", "natural_indirect", "interventional_via"):
        apart = np.sqrt(((few.values[name] - many.values[name]) ** 2).mean(("chain", "draw")))
        # four scrambles: the error is itself known within a factor of about three
        error = few.error[name].dropna("contrast", how="all")
        assert (apart.dropna("contrast", how="all") < 4 * error).all(), name
        assert float(error.max()) < 0.01


@pytest.mark.parametrize("participants", [1, 50, 100, 107, 108, 2000, 5000])
def test_every_replicate_holds_everybody_equally_often(participants):
    """Between-participant differences must not pass for integration error."""
    found = points.population(2, 2, participants)
    assert found.person.size >= points.WANTED
    blocks = found.person.reshape(points.REPLICATES, -1)
    for block in blocks:
        _, times = np.unique(block, return_counts=True)
        assert len(times) == min(participants, points.MOST)
        assert len(set(times)) == 1
    assert found.normal.shape == (2, found.person.size)
