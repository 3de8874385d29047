"""Power-scaling against an analytic derivative, and what it is blind to."""

import numpy as np
import pytest
import xarray as xr
from scipy import integrate, optimize, stats

from models.checks.sensitivity import POWERS, path_scaling, power_scaling
from models.estimands.path_draws import PathDraws

PRIOR, EVENTS, WITHOUT = (3.0, 5.0), 12, 18


def _conjugate(seed: int = 1, draws: int = 20_000):
    posterior = stats.beta(PRIOR[0] + EVENTS, PRIOR[1] + WITHOUT)
    # stratified draws: the quantiles themselves, shuffled, so that the Monte-Carlo error is far below the tolerance
    values = posterior.ppf((np.arange(4 * draws) + 0.5) / (4 * draws))
    values = np.random.default_rng(seed).permutation(values).reshape(4, draws)
    risk = xr.DataArray(values, dims=("chain", "draw"), coords={"chain": np.arange(4), "draw": np.arange(draws)})
    prior = xr.DataArray(stats.beta(*PRIOR).logpdf(values), coords=risk.coords)
    likelihood = xr.DataArray(stats.binom(EVENTS + WITHOUT, values).logpmf(EVENTS), coords=risk.coords)
    return xr.Dataset({"risk": risk}), xr.Dataset({"risk": prior}), likelihood


def _scaled(prior_power: float, likelihood_power: float = 1.0):
    a = 1 + prior_power * (PRIOR[0] - 1) + likelihood_power * EVENTS
    b = 1 + prior_power * (PRIOR[1] - 1) + likelihood_power * WITHOUT
    return stats.beta(a, b)


def _index(power: str, draws: int = 80_000) -> float:
    """Kallioinen's index from distribution functions: the cumulative Jensen-Shannon distance per doubling of the power.

    The larger of the distance and its mirror image, over the range that the draws span, averaged over the powers 0.99
    and 1.01.
    """
    base = _scaled(1.0)
    x = np.linspace(*base.ppf([0.5 / draws, 1 - 0.5 / draws]), 200_001)

    def one_way(p, q):
        inside = np.where(p > 0, p * np.log2(p / (0.5 * (p + q))), 0.0)
        return integrate.trapezoid(inside, x) + 0.5 / np.log(2) * integrate.trapezoid(q - p, x)

    def distance(p, q):
        return np.sqrt((one_way(p, q) + one_way(q, p)) / integrate.trapezoid(p + q, x))

    found = []
    for value in (0.99, 1.01):
        other = _scaled(value) if power == "prior" else _scaled(1.0, value)
        largest = max(distance(base.cdf(x), other.cdf(x)), distance(base.sf(x), other.sf(x)))
        found.append(largest / abs(np.log2(value)))
    return float(np.mean(found))


def test_the_shift_matches_the_conjugate_answer():
    found = power_scaling(*_conjugate()).iloc[0]
    expected = _scaled(POWERS[1]).median() - _scaled(POWERS[0]).median()
    # importance weights reproduce a median to about 1e-4 of its SD with 80,000 stratified draws
    assert found["shift"] == pytest.approx(expected, abs=2e-4)
    assert expected < -0.002  # the prior mean is below the data's share: more prior pulls down


def test_a_stronger_prior_is_more_sensitive():
    risk, prior, likelihood = _conjugate()
    weak, strong = (power_scaling(risk, prior * factor, likelihood).iloc[0].prior for factor in (1, 4))
    assert strong > 3 * weak


@pytest.mark.slow
@pytest.mark.parametrize("power", ["prior", "likelihood"])
def test_the_index_matches_the_analytic_distance(power):
    # arviz smooths the tails of its weights (PSIS): measured 1% here; 3% leaves room for another draw of the shuffle
    assert power_scaling(*_conjugate()).iloc[0][power] == pytest.approx(_index(power), rel=0.03)


def test_a_nearly_flat_prior_has_no_sensitivity():
    risk, prior, likelihood = _conjugate()
    found = power_scaling(risk, prior * 1e-4, likelihood).iloc[0]
    assert found.prior < 1e-3
    assert abs(found["shift"]) < 1e-5
    assert not found.flag


def test_elements_of_an_array_are_named():
    risk, prior, likelihood = _conjugate(draws=500)
    both = xr.Dataset(
        {"risk_difference": xr.concat([risk["risk"], -risk["risk"]], dim=xr.Variable("contrast", ["a", "b"]))}
    )
    table = power_scaling(both, prior, likelihood)
    assert list(table.element) == ["risk_difference[a]", "risk_difference[b]"]
    assert table["shift"].iloc[0] == pytest.approx(-table["shift"].iloc[1])


def test_paths_at_one_wave_are_scaled_like_the_rest_and_constants_have_no_index():
    risk, prior, likelihood = _conjugate(draws=500)
    values, nothing = risk["risk"], xr.zeros_like(risk["risk"])
    waves, ways = xr.Variable("contrast", ["3 months", "6 months"]), xr.Variable("mediator", ["support", "income"])
    via = xr.concat([xr.concat([values, nothing], dim=ways), xr.concat([values * 2, nothing], dim=ways)], dim=waves)
    total = xr.concat([values * np.nan, values], dim=waves)
    table = path_scaling(
        PathDraws(xr.Dataset({"interventional_via": via, "total": total})), "6 months", prior, likelihood
    )
    assert set(table.element) == {"interventional_via[6 months, support]", "total[6 months]"}
    shifts, (own,) = table.set_index("element")["shift"], power_scaling(risk, prior, likelihood)["shift"]
    assert shifts["total[6 months]"] == pytest.approx(own)
    assert shifts["interventional_via[6 months, support]"] == pytest.approx(2 * own)
    assert path_scaling(PathDraws(), "6 months", prior, likelihood) is None


def test_the_root_of_the_test_itself():
    # the conjugate update used above, by brute force: posterior mean as a ratio of two integrals
    def density(x):
        return stats.beta(*PRIOR).pdf(x) * stats.binom(EVENTS + WITHOUT, x).pmf(EVENTS)

    top, bottom = (integrate.quad(lambda x, k=k: x**k * density(x), 0, 1)[0] for k in (1, 0))
    assert top / bottom == pytest.approx(_scaled(1.0).mean(), rel=1e-9)
    assert optimize.brentq(lambda x: _scaled(1.0).cdf(x) - 0.5, 0, 1) == pytest.approx(_scaled(1.0).median())
