"""Counts over unequal exposures: what is read, what is refused, both models, the answer at an equal exposure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from models.checks import zero_inflation
from models.design.layout import design
from models.equations.effect import Effect
from models.equations.histories import integrated_likelihood
from models.estimands import estimands, model_free
from models.estimands.response import response
from models.faults import InvalidInput
from models.inference import nuts
from models.inference.fitted import Specification
from models.runs.registry import INTEGRATED, MODELS
from models.simulation import simulated_trial, study_folder
from models.simulation.scenario import ScenarioError
from models.simulation.scenario_parts import Exposure
from models.simulation.true_values import truth
from models.trial import dataset
from models.trial.study_file import study as studies
from priors import prior_set
from tests.brute_force import brute_force

OVER = Exposure("months", "12 months followed", 12.0, least=(6.0, 1.0), most=(12.0, 6.0), none=0.05)
"""Treated participants are followed for about a third of the time."""


def scenario(**changes):
    """Counts over time followed, without the floor and the missing data of the shipped scenario."""
    base = simulated_trial.load("counts")
    outcome = replace(base.outcome, exposure=OVER, floor=(), **changes)
    return replace(base, outcomes=(outcome,), missingness=())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    study_folder.write(tmp_path, simulated_trial.simulate(scenario(), 1))
    return tmp_path


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    where = tmp_path_factory.mktemp("exposure")
    study_folder.write(where, simulated_trial.simulate(scenario(), 1))
    study, place = studies.read(where)
    trial = dataset.load(study, place)
    return study, trial, design(study, trial)


def spoiled(folder: Path, column: str, value: str, where=lambda row: True) -> InvalidInput:
    """The refusal of a file in which the first such row holds another value."""
    lines = [line.split(",") for line in (folder / "data.csv").read_text(encoding="utf-8").splitlines()]
    place = lines[0].index(column)
    row = next(row for row in lines[1:] if where(dict(zip(lines[0], row, strict=True))))
    row[place] = value
    (folder / "data.csv").write_text("\n".join(map(",".join, lines)), encoding="utf-8")
    with pytest.raises(InvalidInput) as error:
        dataset.load(*studies.read(folder))
    return error.value


def test_the_offset_is_what_each_count_arose_over_at_the_amount_compared(read):
    _, trial, layout = read
    amount = trial["amount"].sel(exposure="months").to_numpy()
    cell = amount[layout.participant_of, layout.wave_of]
    np.testing.assert_allclose(layout.offset, np.log(cell / 12.0))
    assert (cell > 0).all()
    nothing = int((amount == 0).sum())
    assert nothing > 0
    assert layout.outcome.size + nothing == amount.size
    assert any(str(nothing) in note for note in layout.notes)


def test_a_negative_exposure_is_refused(folder):
    assert "0 or more" in str(spoiled(folder, "months", "-3").faults[0])


def test_a_count_over_an_unknown_exposure_is_refused(folder):
    fault = spoiled(folder, "months", "").faults[0]
    assert fault.column == "months"
    assert "leave that count blank" in str(fault)


def test_events_over_nothing_are_refused(folder):
    column = scenario().outcome.column
    fault = spoiled(folder, "months", "0", lambda row: row[column] not in ("", "0")).faults[0]
    assert "more than 0" in str(fault)


def test_only_a_count_has_an_exposure(folder):
    text = (folder / "study.toml").read_text(encoding="utf-8").replace('kind = "count"', 'kind = "continuous"')
    (folder / "study.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput) as error:
        studies.read(folder)
    assert "only of a count" in str(error.value.faults[0])


@pytest.mark.parametrize(
    "changes", [{"at": 0.0}, {"none": 1.0}, {"least": (0.0, 1.0)}, {"least": (13.0, 1.0)}, {"most": (1.0,)}]
)
def test_an_impossible_exposure_cannot_be_simulated(changes):
    base = scenario()
    with pytest.raises(ScenarioError, match="exposure"):
        base.with_outcome(exposure=replace(OVER, **changes))


def test_a_wide_file_has_an_exposure_for_each_wave(folder):
    """The same trial in both layouts is one trial."""
    study, _ = studies.read(folder)
    long = dataset.load(study, folder)
    waves, count = [wave.value for wave in study.waves], study.outcome.column
    rows = ["id,arm," + ",".join(f"{name}_{k}" for name in ("n", "m") for k in range(len(waves)))]
    for person in long["participant"].to_numpy():
        one = long.sel(participant=person)
        values = [*one["outcome"].to_numpy(), *one["amount"].sel(exposure="months").to_numpy()]
        arm = (study.arms.control.value, study.arms.treated.value)[int(one["arm"])]
        rows.append(",".join([str(person), arm, *("" if np.isnan(v) else repr(float(v)) for v in values)]))
    (folder / "data.csv").write_text("\n".join(rows), encoding="utf-8")
    places = {
        name: tuple(f"{letter}_{k}" for k in range(len(waves))) for name, letter in ((count, "n"), ("months", "m"))
    }
    columns = study.columns.model_copy(update={"participant": "id", "wave": None, "arm": "arm"})
    wide = dataset.load(study.model_copy(update={"columns": columns, "wide": places, "covariates": ()}), folder)
    np.testing.assert_array_equal(wide["amount"], long["amount"])
    np.testing.assert_array_equal(wide["outcome"], long["outcome"])


def _draws(layout, priors, size=6):
    return Effect().prior(layout, priors, size, 3)


def test_the_integrated_likelihood_is_that_of_adaptive_quadrature(read):
    """Of the first participants, to 1e-9: they share no code but the probability of a cell."""
    _, _, layout = read
    draws = _draws(layout, prior_set.load())
    found = integrated_likelihood.log_likelihood(draws, layout)
    fixed = Effect().predictor(draws, layout, np.zeros((1, 6, layout.participants)))[0]
    for draw in range(3):
        for person in range(8):
            history = layout.histories.history_of[person]
            if history < 0:
                continue
            own = float(draws["tau"][0, draw]), np.full(layout.outcome.size, float(draws["dispersion"][0, draw]))
            assert found[draw, history] == pytest.approx(brute_force(layout, fixed[draw], *own, person), abs=1e-9)


def test_a_cell_is_a_negative_binomial_of_the_mean_times_its_exposure(read):
    _, _, layout = read
    draws = _draws(layout, prior_set.load())
    found = Effect().log_likelihood(draws, layout)[0]
    levels = layout.at(layout.participant_of, layout.wave_of)
    mean = np.exp(Effect().predictor(draws, levels)[0]) * np.exp(layout.offset)
    size = 1 / draws["dispersion"].to_numpy()[0][:, None] ** 2
    np.testing.assert_allclose(found, stats.nbinom.logpmf(layout.outcome, size, size / (size + mean)), atol=1e-10)


def test_equal_exposures_change_nothing(read):
    """Everybody over 24 months, compared at 24: the trial without exposure, to the last bit."""
    study, trial, _ = read
    exposure = study.outcome.exposure.model_copy(update={"at": 24.0})
    outcome = study.outcome.model_copy(update={"exposure": exposure})
    same = trial.assign(amount=trial["amount"] * 0 + 24.0)
    over = design(study.model_copy(update={"outcome": outcome}), same)
    plain = design(study.model_copy(update={"outcome": study.outcome.model_copy(update={"exposure": None})}), trial)
    assert not over.exposed
    draws = _draws(plain, prior_set.load())
    for layout in (over, plain):
        assert layout.outcome.size == trial["outcome"].notnull().sum()
    np.testing.assert_array_equal(*(integrated_likelihood.log_likelihood(draws, each) for each in (over, plain)))


def test_the_models_mean_is_at_the_amount_compared(read):
    _, _, layout = read
    draws = _draws(layout, prior_set.load())
    found = response(Effect(), draws, layout, (estimands.POPULATION,)).isel(wave=-1)
    nobody = design_without_exposure(layout)
    np.testing.assert_array_equal(found, response(Effect(), draws, nobody, (estimands.POPULATION,)).isel(wave=-1))


def design_without_exposure(layout):
    return replace(layout, offset=np.zeros(layout.outcome.size))


def test_model_free_rates_are_events_over_exposure(read):
    """The crude difference by hand; the standardised one by a Poisson regression with an offset."""
    study, trial, layout = read
    wave = study.primary_wave
    count = trial["outcome"].sel(wave=wave).to_numpy()
    amount = trial["amount"].sel(exposure="months", wave=wave).to_numpy() / 12.0
    arm = trial["arm"].to_numpy()
    seen = ~np.isnan(count) & (amount > 0)
    crude = model_free._crude(count, arm, amount, study, None)
    rate = [count[seen & (arm == z)].sum() / amount[seen & (arm == z)].sum() for z in (0, 1)]
    assert crude["estimate"] == pytest.approx(rate[1] - rate[0])
    adjusted = model_free.adjusted(wave, trial, layout, study)
    plain = replace(layout, covariates=np.zeros((layout.participants, 0)), role=("follow-up",) * len(layout.wave))
    alone = model_free.adjusted(wave, trial, plain, study)
    fit = sm.GLM(count[seen], sm.add_constant(arm[seen]), family=sm.families.Poisson(), exposure=amount[seen]).fit()
    np.testing.assert_allclose(alone.mean, np.exp([fit.params[0], fit.params.sum()]), rtol=1e-8)
    # the variance of a ratio of means, in each arm
    for z in (0, 1):
        mine = seen & (arm == z)
        rest = (count[mine] - rate[z] * amount[mine]) / amount[mine].mean()
        own = alone.influence[z][arm[seen] == z] * mine.sum() / seen.sum()
        np.testing.assert_allclose(own, rest, atol=1e-8)
    assert np.isfinite(adjusted.mean).all()


def test_zero_inflation_is_looked_for_at_each_counts_own_exposure():
    """Short follow-up makes zeros: without its exposure the same trial seems to have too many."""
    rng, n = np.random.default_rng(4), 300
    amount = np.where(rng.random(n) < 0.5, 0.02, 1.0)
    count = rng.poisson(6.0 * amount * rng.gamma(4, 1 / 4, n))
    layout = _one_wave(count, amount, rng)
    found, blind = (zero_inflation.ratio(each, 1).value for each in (layout, design_without_exposure(layout)))
    assert found < 5
    assert blind > 40


def _one_wave(count, amount, rng):
    from models.design.layout import Design

    n = count.size
    arm = np.where(rng.permutation(n) < n / 2, -0.5, 0.5)
    given = (np.arange(n), np.zeros(n, int), count)
    return Design("negative binomial", ("end",), ("follow-up",), arm, np.zeros((n, 0)), (), *given,
                  has_trait=False, offset=np.log(amount))  # fmt: skip


@pytest.mark.slow
def test_rates_are_compared_where_the_arms_are_followed_unequally(tmp_path):
    """500 participants without an effect, treated followed a third as long: within 4 SDs of 0, and blindly far off.

    A correct analysis of this seed falls outside with probability 6e-5; the blind one compares counts.
    """
    still = scenario(arm_effects=(0.0,) * len(scenario().waves))
    assert truth(still).value("mean_difference", still.primary_wave) == pytest.approx(0.0, abs=1e-9)
    study_folder.write(tmp_path, simulated_trial.simulate(still, 2, 500))
    study, where = studies.read(tmp_path)
    trial = dataset.load(study, where)
    blind = study.model_copy(update={"outcome": study.outcome.model_copy(update={"exposure": None})})
    assert abs(_in_sds(study, trial)) < 4
    assert abs(_in_sds(blind, trial)) > 4


def _in_sds(study, trial) -> float:
    """Mean of the difference at the primary wave, in posterior SDs."""
    sampler = nuts.Sampler(draws=250, tune=150, chains=2, seed=1, target_accept=0.8)
    asked = Specification.of(study, trial, MODELS["effect"][INTEGRATED], prior_set.load(), sampler)
    fit = asked.fit(nuts.sample(asked.ready(), sampler))
    levels = response(fit.model, fit.posterior, fit.design, (estimands.POPULATION,)).sel(wave=study.primary_wave)
    difference = levels.sel(arm="treated") - levels.sel(arm="control")
    return float(difference.mean() / difference.std(ddof=1))
