"""Predictive checks: statistics by hand, calibrated on the model's own data, and blind to nobody's identity."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from models.checks import predictive
from models.equations.effect import Effect
from models.estimands.response import response
from tests import pinned

effect = Effect()

NOTHING = {"mu_0": 0.0, "step": 0.0, "theta": 0.0, "theta_negative_control": 0.0, "gamma": 0.0}


@pytest.fixture(scope="module")
def layout():
    return pinned.layout(control=30, treated=34)


def test_statistics_by_hand(layout):
    rows = predictive.compare(np.zeros((50, layout.outcome.size), int), layout).set_index(["check", "arm", "wave"])
    cell = (layout.wave_of == 3) & (layout.arm[layout.participant_of] > 0)
    found = rows.loc[("share in arm and wave", "treated", "6 months")]
    assert found.observed == pytest.approx(layout.outcome[cell].mean())
    assert found.n == cell.sum()
    assert not found.inside
    assert found["tail"] == 0
    totals = np.bincount(layout.participant_of, layout.outcome)
    full = np.bincount(layout.participant_of) == 4
    assert rows.loc[("never", "", "")].observed == pytest.approx((totals[full] == 0).mean())
    assert rows.loc[("always", "", "")].observed == pytest.approx((totals[full] == 4).mean())
    grid = np.full((layout.participants, 4), np.nan)
    grid[layout.participant_of, layout.wave_of] = layout.outcome
    expected = np.nanstd(np.nanmean(grid - np.nanmean(grid, axis=0), axis=1), ddof=1)
    assert rows.loc[("spread between participants", "", "")].observed == pytest.approx(expected)


def test_patterns_count_everybody_with_a_complete_history(layout):
    table = predictive.patterns(np.repeat(layout.outcome[None], 20, axis=0), layout)
    full = np.bincount(layout.participant_of) == 4
    assert table.observed.sum() == full.sum()
    assert (table.observed == table["median"]).all()
    assert list(table.pattern[:3]) == ["0000", "0001", "0010"]
    person = np.flatnonzero(full)[0]
    mine = "".join(str(int(y)) for y in layout.outcome[layout.participant_of == person])
    assert table.set_index("pattern").observed[mine] >= 1


def test_counts_have_no_patterns_but_zeros():
    layout = pinned.layout("negative binomial")
    replicates = np.repeat(layout.outcome[None], 20, axis=0)
    assert predictive.patterns(replicates, layout).empty
    assert "zeros" in set(predictive.compare(replicates, layout).check)


@pytest.mark.parametrize("link", ["logit", "probit", "negative binomial"])
def test_replicates_have_the_distribution_of_new_participants(link):
    layout = pinned.layout(link, control=40, treated=40, covariates=0)
    draws = pinned.posterior(
        layout, draws=2000, mu_0=0.2, step=-0.1, theta=0.5, theta_negative_control=0.0, tau=0.8, dispersion=0.5
    )
    thin = predictive.thinned(draws, layout)
    replicates = predictive.replicate(effect, thin, layout, 1)
    expected = response(effect, draws.isel(chain=[0], draw=[0]), layout).sel(average="population").squeeze()
    for arm, sign in (("control", -0.5), ("treated", 0.5)):
        cell = (layout.wave_of == 3) & (layout.arm[layout.participant_of] == sign)
        means = replicates[:, cell].mean(1)
        # five standard errors over 2,000 independent replicates
        error = means.std(ddof=1) / np.sqrt(means.size)
        assert abs(means.mean() - float(expected.sel(arm=arm, wave="6 months"))) < 5 * error


def test_tails_are_uniform_or_conservative_under_the_model(layout):
    # data from the predictive distribution itself: P(tail < .1) is at most about .1
    draws = pinned.posterior(
        layout, draws=400, mu_0=0.0, step=0.0, theta=0.0, theta_negative_control=0.0, tau=1.0, gamma=0.0
    )
    thin = predictive.thinned(draws, layout)
    replicates = predictive.replicate(effect, thin, layout, 2)
    tails = []
    for row in replicates[:200]:
        rows = predictive.compare(replicates[200:], replace(layout, outcome=row)).set_index("check")
        tails.append(rows["tail"]["spread between participants"])
    below = int((np.array(tails) < 0.1).sum())
    assert stats.binom.sf(below - 1, 200, 0.1) > 1e-4
    assert below > 2  # and the check can fire at all


def test_thinning_keeps_every_chain():
    layout = pinned.layout()
    draws = pinned.posterior(layout, draws=3000)
    thin = predictive.thinned(draws, layout, 600)
    assert thin.sizes["chain"] == 1
    assert thin.sizes["draw"] == 600
    firsts = draws["mu_0"].to_numpy()
    assert set(thin["mu_0"].to_numpy().ravel()) <= set(firsts.ravel())
    assert np.isin(thin["mu_0"].to_numpy().ravel(), firsts[1]).any()
