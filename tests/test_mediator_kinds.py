"""Mediators' distributions: integrals, limits, PyTensor against NumPy, inverse distribution functions, two points."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, special, stats

from models.equations.mediator_kinds import ABSENT, MEDIATOR_KINDS, student_quantile, two_points

SPREAD = {"low": -2.0, "high": 2.5, "precision": 6.0, "residual_sd": 0.7, "nu": 3.0}


def _inside(predictor: float, spread: dict) -> float:
    rule = MEDIATOR_KINDS["share"].log_probability
    found, _ = integrate.quad(
        lambda y: np.exp(rule(np.array(y), np.array(predictor), spread)), 0, 1, epsabs=1e-12, limit=400
    )
    return found


@pytest.mark.parametrize("predictor", [-4.0, -0.5, 0.3, 3.0])
@pytest.mark.parametrize("precision", [3.0, 20.0])
def test_the_ordered_beta_integrates_to_one(predictor, precision):
    spread = SPREAD | {"precision": precision}
    rule = MEDIATOR_KINDS["share"].log_probability
    ends = np.exp(rule(np.array([0.0, 1.0]), np.array(predictor), spread)).sum()
    # a density that is infinite at an end limits the quadrature
    assert _inside(predictor, spread) + ends == pytest.approx(1, abs=1e-6)


def test_without_cutpoints_it_is_the_beta():
    spread = SPREAD | {"low": -ABSENT, "high": ABSENT}
    y, eta = np.array([0.1, 0.5, 0.93]), np.array([-1.0, 0.2, 2.0])
    mean = special.expit(eta)
    expected = stats.beta.logpdf(y, mean * 6, (1 - mean) * 6)
    np.testing.assert_allclose(MEDIATOR_KINDS["share"].log_probability(y, eta, spread), expected, rtol=1e-12)


@pytest.mark.parametrize("kind", sorted(MEDIATOR_KINDS))
def test_the_mean_is_that_of_the_values(kind):
    """Over equally spaced uniforms the values have the stated mean: the inverse distribution function is right."""
    uniform, rule = (np.arange(200_000) + 0.5) / 200_000, MEDIATOR_KINDS[kind]
    for eta in (-1.5, 0.4):
        spread = {name: np.array([[value]]) for name, value in SPREAD.items()}
        value = rule.value(uniform, np.full((1, uniform.size), eta), spread)
        assert (np.diff(value[0]) >= 0).all(), "rises with the uniform"
        # the heavy tails of t with 3 degrees of freedom, cut at half a step, lose about 1e-4
        assert value.mean() == pytest.approx(float(rule.mean(np.array(eta), SPREAD)), abs=3e-4)


def test_two_points_have_the_moments_of_the_beta():
    mean, precision = np.array([0.03, 0.3, 0.9]), np.array([3.0, 6.0, 40.0])
    low, high, weight = two_points(mean, precision)
    beta = stats.beta(mean * precision, (1 - mean) * precision)
    for order in (1, 2, 3):
        raw = weight * low**order + (1 - weight) * high**order
        np.testing.assert_allclose(raw, beta.moment(order), rtol=1e-10)
    assert ((low > 0) & (high < 1)).all()


@pytest.mark.parametrize(("slope", "worst"), [(1.0, 2e-5), (3.0, 1.1e-3)])
def test_two_points_average_a_risk_as_the_beta_does(slope, worst):
    """Error of the fourth derivative: slope⁴ / 24 × 0.125 × the square norm of the second orthogonal polynomial."""
    apart = []
    for mean in (0.1, 0.4, 0.7, 0.95):
        for shift in (-3.0, -1.0, 1.0):
            a, b = mean * 6, (1 - mean) * 6
            exact, _ = integrate.quad(
                lambda y, a=a, b=b, shift=shift: special.expit(shift + slope * y) * stats.beta.pdf(y, a, b), 0, 1
            )
            low, high, weight = two_points(np.array(mean), np.array(6.0))
            risk = special.expit(shift + slope * np.array([low, high]))
            apart.append(abs(weight * risk[0] + (1 - weight) * risk[1] - exact))
    assert max(apart) < worst


def test_quantiles_of_t_between_knots():
    uniform = np.linspace(0.001, 0.999, 101)
    nu = np.geomspace(2, 60, 400)[:, None]
    found, exact = student_quantile(uniform, nu), stats.t.ppf(uniform, nu)
    assert np.abs(found - exact)[:, 5:-5].max() < 1e-3
    np.testing.assert_allclose(
        student_quantile(uniform, np.full((3, 1), 5.0)), np.tile(stats.t.ppf(uniform, 5), (3, 1))
    )


def test_pymc_and_numpy_have_the_same_ordered_beta():
    import pytensor.tensor as pt

    from models.equations.mediator_variables import ordered_beta_logp

    y = np.array([0.0, 1.0, 0.2, 0.9, 0.5])
    eta = np.array([-2.0, 3.0, 0.1, 1.0, -30.0])
    for low, high in ((-2.0, 2.5), (-ABSENT, 1.0), (-3.0, ABSENT)):
        possible = ~((y == 0) & (low == -ABSENT)) & ~((y == 1) & (high == ABSENT))
        known, own = y[possible], eta[possible]
        found = ordered_beta_logp(pt.as_tensor(known), pt.as_tensor(own), *map(np.float64, (low, high, 6.0))).eval()
        spread = {"low": low, "high": high, "precision": 6.0}
        np.testing.assert_allclose(found, MEDIATOR_KINDS["share"].log_probability(known, own, spread), rtol=1e-9)
