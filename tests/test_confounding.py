"""Unmeasured causes of mediator and outcome: K5, and the closed forms of linear and probit models."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from models import confounding, paths, totals
from priors import prior_set
from tests import pinned_mediation as pinned

ALPHA, SLOPE, SIGMA, DIRECT, LEVEL = 0.8, -0.5, 1.3, -0.3, 0.2


def _single(likelihood: str):
    design = pinned.single_wave(likelihood)
    fixed = {"mediator_mu_0": 0.0, "mediator_theta": ALPHA, "mediator_residual_sd": SIGMA}
    return design, pinned.posterior(design, 1, mu_0=LEVEL, theta=DIRECT, slope=SLOPE, **fixed)


def _effects(design, draws, zeta: float, wanted: int = 2**15):
    values = np.zeros((2, draws.sizes["draw"], design.mediators.count))
    values[..., 0] = zeta
    biased = draws.assign(confounding=(("chain", "draw", "every_mediator"), values))
    return paths.effects_at(biased, design, design.wave[-1], totals.points_of(design, wanted=wanted))


@pytest.mark.parametrize("zeta", [-0.7, 0.4])
def test_linear_effects_are_those_of_the_slope_without_its_confounded_part(zeta):
    """b(ρ) = b − ρ s / (σ √(1 − ρ²)) and c(ρ) = c + ρ α s / (σ √(1 − ρ²)), with ζ = ρ s / √(1 − ρ²)."""
    design, draws = _single("normal")
    found = _effects(design, draws, zeta)
    assert float(found["natural_indirect"].mean()) == pytest.approx((SLOPE - zeta / SIGMA) * ALPHA, abs=1e-4)
    assert float(found["natural_direct"].mean()) == pytest.approx(DIRECT + zeta / SIGMA * ALPHA, abs=1e-4)


@pytest.mark.parametrize("rho", [-0.5, 0.3])
def test_probit_effects_are_the_closed_form(rho):
    """methods.md § 3: ψ(z, z′) = Φ((c·x_z + b α·x_z′) / √(1 + b² σ² + 2 ρ b σ))."""
    design, draws = _single("probit")
    q = np.sqrt(1 - rho**2)
    slope, level, direct = SLOPE * q - rho / SIGMA, LEVEL * q, DIRECT * q + rho * ALPHA / SIGMA
    scale = np.sqrt(1 + slope**2 * SIGMA**2 + 2 * rho * slope * SIGMA)

    def psi(z: float, other: float) -> float:
        return float(stats.norm.cdf((level + direct * z + slope * ALPHA * other) / scale))

    found = _effects(design, draws, rho / q)
    half = 0.5
    assert float(found["natural_direct"].mean()) == pytest.approx(psi(half, -half) - psi(-half, -half), abs=1e-4)
    assert float(found["natural_indirect"].mean()) == pytest.approx(psi(half, half) - psi(half, -half), abs=1e-4)


@pytest.mark.parametrize("likelihood", ["logit", "probit", "negative binomial", "normal"])
def test_k5_no_bias_is_the_main_result_and_the_total_never_moves(likelihood):
    design = pinned.four_waves(likelihood, interaction=False)
    draws = pinned.posterior(design)
    plain = paths.effects_at(draws, design, design.wave[-1], totals.points_of(design))
    none, some = _effects(design, draws, 0.0, 1024), _effects(design, draws, 0.8, 1024)
    for name, value in plain.items():
        np.testing.assert_array_equal(none[name], value, err_msg=name)
    np.testing.assert_array_equal(some["total"], plain["total"])
    assert np.abs(some["natural_indirect"] - plain["natural_indirect"]).max() > 1e-3


def test_the_table_has_what_a_reader_is_told(monkeypatch):
    design = pinned.four_waves("logit", ("normal", "share"), interaction=False)
    draws = pinned.posterior(design, 5)
    table = confounding.confounding(draws, design, prior_set.load(), design.wave[-1])
    tips = table[table["kind"] == "tipping"].iloc[0]
    slope = draws["slope"].isel(acting_mediator=0) * draws["mediator_residual_sd"].isel(continuous_mediator=0)
    assert tips["value"] == pytest.approx(float(slope.median()))
    left = table[table["kind"] == "not run"]
    assert list(left["mediator"]) == [design.mediators.name[1]], "a share has no residual SD"
    grid = table[(table["kind"] == "grid") & (table["value"] == 0)]
    plain = paths.effects_at(draws, design, design.wave[-1], totals.points_of(design, wanted=design.participants))
    via = plain["interventional_via"].sel(mediator=design.mediators.name[0]).mean("replicate")
    assert grid.set_index("effect")["median"]["interventional_via"] == pytest.approx(float(via.median()), abs=1e-12)


def test_an_interaction_or_an_unordered_wave_says_why_not():
    priors = prior_set.load()
    crossed = pinned.four_waves("logit", interaction=True)
    table = confounding.confounding(pinned.posterior(crossed), crossed, priors, crossed.wave[-1])
    assert "equal in both arms" in table["reason"].iloc[0]
    plain = pinned.four_waves("logit", interaction=False)
    early = confounding.confounding(pinned.posterior(plain), plain, priors, plain.wave[1])
    assert "ordered" in early["reason"].iloc[0]


def test_a_prior_file_without_the_row_says_so():
    design = pinned.four_waves("logit", ("normal",), interaction=False)
    own = prior_set.load()
    short = replace(own, priors={name: row for name, row in own.priors.items() if name != "confounding"})
    table = confounding.confounding(pinned.posterior(design, 3), design, short, design.wave[-1])
    assert "no row" in table[table["kind"] == "not run"]["reason"].iloc[0]
