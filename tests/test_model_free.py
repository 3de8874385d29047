"""The model-free checks: Newcombe by hand, standardisation against algebra, and every way they can fail to exist."""

import numpy as np
import pandas as pd
import pytest

from models.design.layout import design
from models.estimands import model_free
from models.simulation import simulated_trial
from tests import trials


def _newcombe(x1, n1, x0, n0, z=1.959963984540054):
    """Hybrid score interval, Newcombe 1998, method 10."""

    def wilson(x, n):
        centre, half = (x + z**2 / 2) / (n + z**2), z / (n + z**2) * np.sqrt(x * (n - x) / n + z**2 / 4)
        return centre - half, centre + half

    (l1, u1), (l0, u0), d = wilson(x1, n1), wilson(x0, n0), x1 / n1 - x0 / n0
    return d - np.hypot(x1 / n1 - l1, u0 - x0 / n0), d + np.hypot(u1 - x1 / n1, x0 / n0 - l0)


@pytest.fixture(scope="module")
def trial():
    study, data = trials.simulated(simulated_trial.load("effect"), 5)
    return study, data, design(study, data)


def _model(study, median, sd=0.05):
    waves = [wave.value for wave in study.waves if wave.role != "baseline"]
    name = "risk_difference" if study.outcome.kind == "binary" else "mean_difference"
    rows = [{"estimand": name, "average": "population", "wave": w, "median": median, "sd": sd} for w in waves]
    return pd.DataFrame(rows)


def _rows(study, data, layout, method, model):
    """The rows of one method, by wave."""
    found = model_free.compare(study, data, layout, model)
    return found[found.method == method].set_index("wave")


def test_newcombes_published_example():
    # Newcombe 1998, table II: 56/70 against 48/80 gives 0.0524 to 0.3339
    assert _newcombe(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_crude_difference_and_interval(trial):
    study, data, layout = trial
    rows = _rows(study, data, layout, "crude", _model(study, 0.0))
    y, arm = data["outcome"].sel(wave="6 months").to_numpy(), data["arm"].to_numpy()
    x1, n1, x0, n0 = y[arm == 1].sum(), (arm == 1).sum(), y[arm == 0].sum(), (arm == 0).sum()
    found = rows.loc["6 months"]
    assert found.estimate == pytest.approx(x1 / n1 - x0 / n0)
    assert (found.lower, found.upper) == pytest.approx(_newcombe(x1, n1, x0, n0), abs=1e-9)
    assert "baseline" not in rows.index


def test_standardisation_over_a_saturated_regression_is_stratification(trial):
    # with the binary baseline outcome alone, interacted or not, at equal stratum effects; here: by hand from the fit
    study, data, _ = trial
    plain = design(study.model_copy(update={"covariates": ()}), data)
    rows = _rows(study, data, plain, "standardised", _model(study, 0.0))
    y, arm = data["outcome"].sel(wave="6 months").to_numpy(), data["arm"].to_numpy()
    before = data["outcome"].sel(wave="baseline").to_numpy()
    matrix = np.column_stack([np.ones_like(y), arm, before])
    beta = np.zeros(3)
    for _ in range(50):  # Newton's method, by hand
        p = 1 / (1 + np.exp(-matrix @ beta))
        beta += np.linalg.solve(matrix.T @ (matrix * (p * (1 - p))[:, None]), matrix.T @ (y - p))
    risks = [(1 / (1 + np.exp(-(beta[0] + beta[1] * z + beta[2] * before)))).mean() for z in (0, 1)]
    assert rows.loc["6 months"].estimate == pytest.approx(risks[1] - risks[0], abs=1e-8)
    half = (rows.loc["6 months"].upper - rows.loc["6 months"].lower) / 2
    # adjusting cannot widen much beyond the crude standard error of a difference of two shares
    crude = 1.96 * np.sqrt(sum(y[arm == z].var() / (arm == z).sum() for z in (0, 1)))
    assert 0.5 * crude < half < 1.1 * crude


def test_a_disagreement_beyond_one_posterior_sd_is_flagged(trial):
    study, data, layout = trial
    crude = _rows(study, data, layout, "crude", _model(study, 0.0)).loc["6 months"]
    near = _model(study, crude.estimate + 0.049)
    far = _model(study, crude.estimate + 0.051)
    for model, flagged in ((near, False), (far, True)):
        assert bool(_rows(study, data, layout, "crude", model).loc["6 months"].flag) is flagged


def _changed(data, wave, values):
    changed = data.copy(deep=True)
    changed["outcome"].loc[{"wave": wave}] = values
    return changed


def test_what_cannot_be_had_says_why(trial):
    study, data, layout = trial
    arm = data["arm"].to_numpy()

    def note(values, method):
        rows = model_free.compare(study, _changed(data, "6 months", values), layout, _model(study, 0.0))
        row = rows[(rows.wave == "6 months") & (rows.method == method)].iloc[0]
        assert np.isnan(row.estimate) == bool(row.note)
        assert not (np.isnan(row.estimate) and row.flag)
        return row.note

    assert "one arm" in note(np.where(arm == 1, np.nan, 1.0), "crude")
    assert "too few" in note(np.where(np.cumsum(arm == 1) > 3, np.nan, 1.0), "standardised")
    assert "does not vary" in note(np.zeros(arm.size), "standardised")
    assert "no finite solution" in note(arm.astype(float), "standardised")
    assert note(np.zeros(arm.size), "crude") == ""  # no event in either arm still has Newcombe's interval


def test_no_events_have_an_interval(trial):
    study, data, layout = trial
    none = _changed(data, "6 months", np.zeros(data.sizes["participant"]))
    row = _rows(study, none, layout, "crude", _model(study, 0.0)).loc["6 months"]

    assert row.estimate == 0
    assert row.lower < 0 < row.upper


def test_counts_compare_means_by_welch():
    from scipy import stats

    study, data = trials.simulated(simulated_trial.load("counts"), 2)
    rows = (
        model_free.compare(study, data, design(study, data), _model(study, 0.0))
        .query("method == 'crude'")
        .set_index("wave")
    )
    wave = study.primary_wave
    y, arm = data["outcome"].sel(wave=wave).to_numpy(), data["arm"].to_numpy()
    seen = ~np.isnan(y)
    expected = stats.ttest_ind(y[seen & (arm == 1)], y[seen & (arm == 0)], equal_var=False).confidence_interval()
    assert (rows.loc[wave].lower, rows.loc[wave].upper) == pytest.approx((expected.low, expected.high))
