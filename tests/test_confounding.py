"""Unmeasured causes of mediator and outcome: exact at no bias, closed forms of linear and probit models."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import special, stats

from models.checks import confounding
from models.equations.mediation import Mediation
from models.estimands import path_effects, totals
from models.estimands.summary import LOWER, UPPER
from priors import prior_set
from tests import pinned_mediation as pinned
from tests import trials

ALPHA, SLOPE, SIGMA, DIRECT, LEVEL = 0.8, -0.5, 1.3, -0.3, 0.2


def _single(likelihood: str):
    design = pinned.single_wave(likelihood)
    fixed = {"mediator_mu_0": 0.0, "mediator_theta": ALPHA, "mediator_residual_sd": SIGMA}
    return design, pinned.posterior(design, 1, mu_0=LEVEL, theta=DIRECT, slope=SLOPE, **fixed)


def _effects(design, draws, zeta: float | None, wanted: int = 2**15, place: int = 0):
    """Effects at the last wave; None leaves the parameter out."""
    values = np.zeros((2, draws.sizes["draw"], design.mediators.count))
    if zeta is not None:
        values[..., place] = zeta
        draws = draws.assign(confounding=(("chain", "draw", "every_mediator"), values))
    places = list(range(design.mediators.count))
    worlds = path_effects.worlds_at(design, len(design.wave) - 1, places, own=False, interaction=False)
    found = path_effects.expected_outcomes(draws, design, worlds, totals.points_of(design, wanted=wanted))
    return path_effects.effects(found, design.mediators.name, interaction=False)


@pytest.mark.parametrize("zeta", [-0.7, 0.4])
def test_linear_effects_are_those_of_the_slope_without_its_confounded_part(zeta):
    """b(ρ) = b − ρ s / (σ √(1 − ρ²)) and c(ρ) = c + ρ α s / (σ √(1 − ρ²)), with ζ = ρ s / √(1 − ρ²)."""
    design, draws = _single("normal")
    found = _effects(design, draws, zeta)
    assert float(found["natural_indirect"].mean()) == pytest.approx((SLOPE - zeta / SIGMA) * ALPHA, abs=1e-4)
    assert float(found["natural_direct"].mean()) == pytest.approx(DIRECT + zeta / SIGMA * ALPHA, abs=1e-4)


@pytest.mark.parametrize("rho", [-0.5, 0.3])
def test_probit_effects_are_the_closed_form(rho):
    """ψ(z, z′) = Φ((c·x_z + b α·x_z′) / √(1 + b² σ² + 2 ρ b σ))."""
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
@pytest.mark.parametrize("place", [0, 1])
def test_no_bias_is_the_main_result_and_the_total_never_moves(likelihood, place):
    design = pinned.four_waves(likelihood, interaction=False)
    draws = pinned.posterior(design)
    plain, none, some = (_effects(design, draws, zeta, 1024, place) for zeta in (None, 0.0, 0.8))
    for name, value in plain.items():
        np.testing.assert_array_equal(none[name], value, err_msg=name)
    np.testing.assert_array_equal(some["total"], plain["total"])
    assert np.abs(some["natural_indirect"] - plain["natural_indirect"]).max() > 1e-3


def test_with_an_interaction_both_slopes_lose_the_same_part():
    """Linear: the direct effect gains ζ/σ α and the indirect one loses it, whatever the interaction."""
    design = pinned.single_wave("normal")
    design = replace(design, mediators=replace(design.mediators, interaction=(True,)))
    fixed = {"mediator_mu_0": 0.0, "mediator_theta": ALPHA, "mediator_residual_sd": SIGMA, "interaction": 0.4}
    draws = pinned.posterior(design, 1, mu_0=LEVEL, theta=DIRECT, slope=SLOPE, **fixed)
    plain, biased = _effects(design, draws, None), _effects(design, draws, 0.6)
    lost = 0.6 / SIGMA * ALPHA
    assert float((biased["natural_direct"] - plain["natural_direct"]).mean()) == pytest.approx(lost, abs=1e-9)
    assert float((biased["natural_indirect"] - plain["natural_indirect"]).mean()) == pytest.approx(-lost, abs=1e-9)


SCORE, WEIGHT = np.polynomial.hermite_e.hermegauss(60)
WEIGHT = WEIGHT / WEIGHT.sum()
"""An unmeasured cause U ~ N(0, 1), by quadrature: a trial of infinite size."""
LOADINGS, EFFECT, BOTH = (0.5, 0.6), -0.4, (-0.6, 0.6)
"""Of U on the mediator's and on the outcome's predictor; the arm's direct effect; the mediator's predictor by arm."""


def _truth(chance, slope: float, values: np.ndarray) -> dict[str, float]:
    """Natural effects of a structural model with U: `chance[z]` (value, U) are the mediator's probabilities."""

    def psi(z: int, other: int) -> float:
        outcome = special.expit(LEVEL + EFFECT * (z - 0.5) + slope * values[:, None] + LOADINGS[1] * SCORE)
        return float((chance[other] * outcome).sum(0) @ WEIGHT)

    return {"natural_direct": psi(1, 0) - psi(0, 0), "natural_indirect": psi(1, 1) - psi(1, 0)}


def _observed(chance, slope: float, values: np.ndarray) -> np.ndarray:
    """Logistic regression of the outcome on arm and mediator when U is left out, of infinitely many: by Newton."""
    rows, risk, weight = [], [], []
    for z in (0, 1):
        joint = chance[z] * WEIGHT
        outcome = special.expit(LEVEL + EFFECT * (z - 0.5) + slope * values[:, None] + LOADINGS[1] * SCORE)
        rows += [(1.0, z - 0.5, value) for value in values]
        risk.append((joint * outcome).sum(1) / joint.sum(1))
        weight.append(joint.sum(1))
    x, y, w = np.array(rows), np.concatenate(risk), np.concatenate(weight)
    found = np.zeros(3)
    for _ in range(30):
        p = special.expit(x @ found)
        found += np.linalg.solve((x * (w * p * (1 - p))[:, None]).T @ x, x.T @ (w * (y - p)))
    return found


def test_a_binary_mediator_with_a_simulated_cause_of_both_is_repaired():
    """λ_M λ_Y = 0.3 of the slope is U's: with ζ = .3 at least 85% of each effect's bias is gone."""
    one = [special.expit(level + LOADINGS[0] * SCORE) for level in BOTH]
    chance = [np.stack([1 - p, p]) for p in one]
    values = np.array([0.0, 1.0])
    level, direct, slope = _observed(chance, -0.8, values)
    design = pinned.single_wave("logit", ("binary",))
    # the fitted mediator equation sees P(M = 1 | arm), U averaged out
    seen = [special.logit(float(p @ WEIGHT)) for p in one]
    fixed = {"mediator_mu_0": sum(seen) / 2, "mediator_theta": seen[1] - seen[0]}
    draws = pinned.posterior(design, 1, mu_0=level, theta=direct, slope=slope, **fixed)
    _repaired(design, draws, _truth(chance, -0.8, values), LOADINGS[0] * LOADINGS[1], 0.15)


def test_a_share_with_a_simulated_cause_of_both_is_repaired():
    """A share in two hundred steps, beta of precision 12 without ends; its slope's part is the line that fits best."""
    values, precision = (np.arange(200) + 0.5) / 200, 12.0
    chance = []
    for level in BOTH:
        mean = special.expit(level + LOADINGS[0] * SCORE)
        density = stats.beta.pdf(values[:, None], mean * precision, (1 - mean) * precision)
        chance.append(density / density.sum(0))
    level, direct, slope = _observed(chance, -2.0, values)
    joint = [each * WEIGHT for each in chance]
    mean = [float(values @ each.sum(1)) for each in joint]
    spread = [float((values - m) ** 2 @ each.sum(1)) for m, each in zip(mean, joint, strict=True)]
    told = [float((values @ each) @ SCORE) for each in joint]  # covariance of the share and U in each arm
    part = LOADINGS[1] * sum(told) / sum(spread)
    design = pinned.single_wave("logit", ("share",))
    total = [m * (1 - m) / v - 1 for m, v in zip(mean, spread, strict=True)]
    fixed = {
        "mediator_mu_0": sum(special.logit(mean)) / 2,
        "mediator_theta": special.logit(mean[1]) - special.logit(mean[0]),
        "mediator_precision": sum(total) / 2,
    }
    draws = pinned.posterior(design, 1, mu_0=level, theta=direct, slope=slope, **fixed)
    _repaired(design, draws, _truth(chance, -2.0, values), part, 0.15)


def _repaired(design, draws, truth: dict[str, float], zeta: float, left: float) -> None:
    naive, mended = _effects(design, draws, None), _effects(design, draws, zeta)
    for name, true in truth.items():
        bias = float(naive[name].mean()) - true
        assert abs(bias) > 0.01, "without the parameter the bias must show"
        assert abs(float(mended[name].mean()) - true) < left * abs(bias), name


def _fit(design, draws, wave=None, order=None, **given):
    """A fit of these draws; the study says no more than which wave is primary and how the mediators are ordered."""
    columns = [SimpleNamespace(column=name) for name in order or design.mediators.name]
    study = SimpleNamespace(primary_wave=wave or design.wave[-1], mediators=columns)
    return trials.fit_of(study, design, draws, Mediation(), **given)


@pytest.mark.parametrize("interaction", [False, True])
def test_the_table_returns_the_main_result_at_no_bias_for_every_kind_of_mediator(interaction):
    """All draws, the same points, the study's order: equal to the last bit."""
    design = pinned.four_waves("logit", ("normal", "binary", "share"), interaction=interaction)
    draws, order = pinned.posterior(design, 3), design.mediators.name[::-1]
    table = confounding.confounding(_fit(design, draws, order=order))
    main = path_effects.path_draws(draws, design, order).values.sel(contrast=design.wave[-1])
    grid = table[(table["kind"] == "grid") & (table["value"] == 0)]
    assert list(dict.fromkeys(grid["mediator"])) == list(design.mediators.name)
    for row in grid.to_dict("records"):
        part = main[row["effect"]]
        part = part.sel(mediator=row["mediator"]) if "mediator" in part.dims else part
        wanted = np.quantile(part, [LOWER, 0.5, UPPER])
        np.testing.assert_array_equal([row["lower"], row["median"], row["upper"]], wanted)


def test_the_tipping_value_is_the_slope_in_the_unit_of_zeta():
    design = pinned.four_waves("logit", ("normal", "share"), interaction=False)
    draws = pinned.posterior(design, 5)
    table = confounding.confounding(_fit(design, draws))
    tips = table[table["kind"] == "tipping"]["value"].to_list()
    slopes = [draws["slope"].isel(acting_mediator=place) for place in (0, 1)]
    slopes[0] = slopes[0] * draws["mediator_residual_sd"].isel(continuous_mediator=0)
    assert tips == pytest.approx([float(slope.median()) for slope in slopes])


def test_an_unordered_wave_says_why_not():
    plain = pinned.four_waves("logit", interaction=False)
    early = confounding.confounding(_fit(plain, pinned.posterior(plain), plain.wave[1]))
    assert "ordered" in early["reason"].iloc[0]


def test_a_prior_file_without_the_row_says_so():
    design = pinned.four_waves("logit", ("normal",), interaction=False)
    own = prior_set.load()
    short = replace(own, priors={name: row for name, row in own.priors.items() if name != "confounding"})
    table = confounding.confounding(_fit(design, pinned.posterior(design, 3), priors=short))
    assert "no row" in table[table["kind"] == "not run"]["reason"].iloc[0]
