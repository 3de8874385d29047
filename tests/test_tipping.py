"""Missing not at random and misreporting: exact at no bias, brute force, the repair of a trial of known truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy import special

from models.checks import tipping
from models.design.layout import design
from models.equations.effect import Effect
from models.equations.effect_integrated import Integrated
from models.estimands import estimands
from models.estimands.response import response
from models.inference import nuts
from models.simulation import simulated_trial
from models.simulation.true_values import truth
from models.trial.study_file import study as studies
from priors import prior_set
from reports.text.decision import verdict
from tests import pinned, trials
from tests.conftest import ROOT

effect = Effect()
effect_integrated = Effect(Integrated())

PRIMARY = pinned.WAVES[-1]
STUDY, _ = studies.read(ROOT / "studies" / "undarga")


def _pinned(likelihood: str = "logit"):
    """A design in which three people lack the last wave."""
    layout = pinned.layout(likelihood)
    kept = ~((layout.wave_of == 3) & np.isin(layout.participant_of, [0, 4, 9]))
    cut = replace(
        layout,
        participant_of=layout.participant_of[kept],
        wave_of=layout.wave_of[kept],
        outcome=layout.outcome[kept],
    )
    draws = pinned.posterior(cut, 5)
    return cut, draws, response(effect, draws, cut, ("population",))


def _study(kind: str = "binary"):
    outcome = STUDY.outcome.model_copy(update={"kind": kind})
    return STUDY.model_copy(update={"outcome": outcome})


def test_no_bias_returns_the_main_result_exactly():
    layout, draws, levels = _pinned()
    main = _main(levels)
    table = tipping.not_missing_at_random(trials.fit_of(_study(), layout, draws), levels)
    row = table[(table["kind"] == "grid") & (table["control"] == 0) & (table["treated"] == 0)].iloc[0]
    assert row["median"] == np.median(main)
    told = tipping.misreporting(levels, _study(), prior_set.load(), 1)
    row = told[(told["kind"] == "grid") & (told["control"] == 1) & (told["treated"] == 1)].iloc[0]
    assert (row["lower"], row["median"]) == (np.quantile(main, 0.025), np.median(main))


def _main(levels: xr.DataArray) -> np.ndarray:
    last = levels.sel(average="population", wave=PRIMARY)
    return (last.sel(arm="treated") - last.sel(arm="control")).to_numpy().ravel()


@pytest.mark.parametrize("likelihood", ["logit", "negative binomial", "normal"])
def test_delta_by_brute_force(likelihood):
    layout, draws, levels = _pinned(likelihood)
    kind = {"logit": "binary", "negative binomial": "count", "normal": "continuous"}[likelihood]
    table = tipping.not_missing_at_random(trials.fit_of(_study(kind), layout, draws), levels)
    row = table[(table["kind"] == "grid") & (table["control"] == -1) & (table["treated"] == 0.5)].iloc[0]
    shifted = _main(levels).reshape(2, 5).copy()
    seen = set(layout.participant_of[layout.wave_of == 3])
    for chain in range(2):
        for draw in range(5):
            one = draws.isel(chain=chain, draw=draw)
            level = float(one["mu_0"]) + float(one["step"].sum())
            for person in set(range(layout.participants)) - seen:
                arm = layout.arm[person]
                eta = level + arm * float(one["theta"][-1]) + float(layout.covariates[person] @ one["gamma"].to_numpy())
                eta += float(one["trait"][person])
                delta = 0.5 if arm > 0 else -1.0
                inverse = {"logit": special.expit, "negative binomial": np.exp, "normal": float}[likelihood]
                moved = inverse(eta + delta) - inverse(eta)
                shifted[chain, draw] += np.sign(arm) * moved / (layout.arm == arm).sum()
    assert row["median"] == pytest.approx(np.median(shifted), rel=1e-9, abs=1e-12)


def test_misreporting_by_brute_force_and_kept_within_possible_risks():
    _, _, levels = _pinned()
    table = tipping.misreporting(levels, _study(), prior_set.load(), 1)
    row = table[(table["kind"] == "grid") & (table["control"] == 0.6) & (table["treated"] == 0.9)].iloc[0]
    last = levels.sel(average="population", wave=PRIMARY)
    by_hand = np.minimum(last.sel(arm="treated") / 0.9, 1) - np.minimum(last.sel(arm="control") / 0.6, 1)
    assert row["median"] == pytest.approx(float(by_hand.median()), abs=1e-12)


def test_a_verdict_tips_where_it_must():
    """A difference of −0.2 ± 0.05 in every draw stops excluding 0 once the treated arm under-reports enough."""
    rng = np.random.default_rng(2)
    treated = 0.2 + 0.05 * rng.standard_normal((1, 4000))
    risks = np.stack([np.full((1, 4000), 0.4), treated], axis=-1)[:, :, None, :, None]
    levels = xr.DataArray(
        risks,
        {"average": ["population"], "arm": ["control", "treated"], "wave": [PRIMARY]},
        dims=("chain", "draw", "average", "arm", "wave"),
    )
    table = tipping.misreporting(levels, _study(), prior_set.load(), 1)
    tips = table[table["kind"] == "tipping"]
    # the upper limit of the treated risk is .2 + 1.96 × .05 = .298: it reaches .4 at a sensitivity of .745
    assert tips.iloc[0]["treated"] == pytest.approx(0.298 / 0.4, abs=0.011)
    assert np.isnan(tips.iloc[1]["control"]), "under-reporting by the control arm only widens the gap"
    # the interval, −0.298 to −0.102, lies wholly at or beyond a margin of 0.1 until .298 / sensitivity > .3
    margin = table[table["kind"] == "tipping_margin"]
    assert _study().outcome.margin == 0.1
    assert margin.iloc[0]["treated"] == pytest.approx(0.99, abs=0.011)
    assert margin.iloc[0]["upper"] > -0.1 >= margin.iloc[0]["lower"]
    assert np.isnan(margin.iloc[1]["control"])


@pytest.mark.parametrize(
    ("lower", "upper", "zone"),
    [(-0.3, -0.1, -1), (-0.3, -0.09, None), (-0.09, 0.09, 0), (-0.1, 0.05, None), (0.1, 0.2, 1), (-0.2, 0.2, None)],
)
def test_zones_beside_the_margin_are_those_of_the_sentence(lower, upper, zone):
    word = {-1: "benefit", 0: "equivalent", 1: "harm", None: "undecided"}[zone]
    assert tipping._zone({"lower": lower, "upper": upper}, 0.1) == zone
    assert verdict(lower, upper, 0.1, lower_is_better=True) == word


def test_what_cannot_be_asked_says_why():
    layout, draws, levels = _pinned()
    whole = layout.complete()
    told = tipping.not_missing_at_random(trials.fit_of(_study(), whole, draws), levels)
    assert "nobody lacks" in told["reason"].iloc[0]
    assert "yes-or-no" in tipping.misreporting(levels, _study("count"), prior_set.load(), 1)["reason"].iloc[0]
    own = prior_set.load()
    bare = replace(own, priors={k: v for k, v in own.priors.items() if k not in ("delta_difference", "sensitivity")})
    for table in (
        tipping.not_missing_at_random(trials.fit_of(_study(), layout, draws, priors=bare), levels),
        tipping.misreporting(levels, _study(), bare, 1),
    ):
        assert "no row" in table["reason"].iloc[0]


@pytest.mark.slow
def test_loss_not_at_random_biases_and_its_true_delta_repairs():
    """Scenario `mnar`: δ = (0, 1.5) at each follow-up, a fifth lost. n = 3,000, one trial.

    Lost in the treated arm with odds e^1.5 times as high given violence: by Bayes the risk among the seen is too low,
    and the difference is off by several posterior SDs. With the true δ what is left is that traits were estimated as
    if the other follow-up were missing at random; allowed: 3.5 SDs of the repaired difference (false alarm 5e-4).
    """
    scenario = simulated_trial.load("mnar").with_outcome(covariates={})
    scenario = replace(scenario, covariates=())  # few distinct histories
    known = truth(scenario).value("risk_difference", PRIMARY)
    study, data = trials.simulated(scenario, 1, 3000)
    layout = design(study, data)
    sampler = nuts.Sampler(draws=500, tune=500, chains=2, seed=1)
    draws = trials.fitted(study, data, sampler, model=effect_integrated)["posterior"].to_dataset()
    draws = effect_integrated.completed(draws, layout, sampler.seed)
    levels = response(effect, draws, layout, (estimands.POPULATION,))
    table = tipping.not_missing_at_random(trials.fit_of(study, layout, draws), levels)
    grid = table[(table["kind"] == "grid") & (table["control"] == 0)].set_index("treated")
    spread = _main(levels).std()
    assert abs(grid["median"][0.0] - known) > 3 * spread, "loss that depends on what was lost must show as bias"
    between = np.interp(1.5, [1.0, 2.0], [grid["median"][1.0], grid["median"][2.0]])
    assert abs(between - known) < 3.5 * spread
