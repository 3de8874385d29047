"""Prior files: every parameter has a row with its reason, densities are right, and risks come out sane."""

import math
from pathlib import Path

import numpy as np
import pytest
import tomli_w
from scipy import stats

from models.design.layout import design
from models.equations import top_level
from models.equations.effect import Effect
from models.estimands.response import response
from models.simulation import simulated_trial
from priors import prior_set
from priors.prior import Prior
from priors.prior_set import InvalidPriors
from tests import trials

effect = Effect()

SETS = prior_set.shipped()


@pytest.fixture(scope="module")
def layout():
    return design(*trials.simulated(simulated_trial.load("effect"), 1))


def test_default_set_comes_first():
    assert SETS == ["weakly_informative", "diffuse", "sceptical"]


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("scenario", ["effect", "counts"])
def test_every_model_parameter_has_a_row_with_a_reason(name, scenario):
    layout = design(*trials.simulated(simulated_trial.load(scenario), 1))
    priors = prior_set.load(name)
    for parameter in effect.dimensions(layout):
        assert len(priors[parameter].why) > 20
        assert priors[parameter].source


def _formula(prior, v):
    """Log densities as textbooks have them."""
    n, half = prior.arguments, 0.5 * math.log(2 * math.pi)
    match prior.distribution:
        case "gamma":
            constant = n["shape"] * math.log(n["rate"]) - math.lgamma(n["shape"])
            return constant + (n["shape"] - 1) * np.log(v) - n["rate"] * v
        case "beta":
            constant = math.lgamma(n["a"] + n["b"]) - math.lgamma(n["a"]) - math.lgamma(n["b"])
            return constant + (n["a"] - 1) * np.log(v) + (n["b"] - 1) * np.log1p(-v)
        case "lkj":  # up to a constant: checked against the density of the matrix in test_lkj
            return (n["shape"] - 1) * np.log(1 - v**2).sum()
        case "half_normal":
            return math.log(2) - half - math.log(n["sd"]) - 0.5 * (v / n["sd"]) ** 2
        case "student_t":
            df, z = n["df"], (v - n["mean"]) / n["scale"]
            constant = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - 0.5 * math.log(df * math.pi)
            return constant - math.log(n["scale"]) - (df + 1) / 2 * np.log1p(z**2 / df)
        case "normal":
            return -half - math.log(n["sd"]) - 0.5 * ((v - n["mean"]) / n["sd"]) ** 2
    covariance, off = prior.covariance(v.size), v - n["mean"]
    quadratic = off @ np.linalg.inv(covariance) @ off
    return -v.size * half - 0.5 * math.log(np.linalg.det(covariance)) - 0.5 * quadratic


@pytest.mark.parametrize("name", SETS)
def test_densities_are_those_of_their_formulas(name):
    for parameter, prior in prior_set.load(name).priors.items():
        values = np.array([0.01, 0.4, 0.9 if prior.distribution in ("beta", "lkj") else 2.5])
        found = top_level.log_density(prior, values)
        np.testing.assert_allclose(found, _formula(prior, values), rtol=1e-12, err_msg=parameter)


def test_a_joint_density_keeps_the_shape_of_its_draws():
    prior = next(each for each in prior_set.load().priors.values() if each.distribution == "exchangeable_normal")
    values = np.random.default_rng(1).standard_normal((1, 5, 1, 3))
    found = top_level.log_density(prior, values)
    assert found.shape == (1, 5, 1)
    assert found[0, 4, 0] == pytest.approx(_formula(prior, values[0, 4, 0]), rel=1e-12)


def test_half_normal_has_no_density_below_zero():
    assert top_level.log_density(prior_set.load()["tau"], np.array([-0.1]))[0] == -np.inf


def test_samples_have_the_declared_moments():
    # 200,000 draws: the SE of a correlation near .5 is .0017, of an SD 0.16%; five SE make a false alarm below 1e-6
    prior = prior_set.load()["theta"]
    draws = prior.sample(np.random.default_rng(1), (200_000, 3))
    np.testing.assert_allclose(draws.std(0), 0.7, rtol=0.008)
    np.testing.assert_allclose(np.corrcoef(draws.T)[np.triu_indices(3, 1)], 0.5, atol=0.0085)
    half = prior_set.load()["tau"].sample(np.random.default_rng(2), (200_000,))
    assert half.min() >= 0
    np.testing.assert_allclose(half.mean(), np.sqrt(2 / np.pi), rtol=0.01)


def test_prior_predictive_is_sane_on_the_risk_scale(layout):
    # what a trial statistician would accept before the data: risks spread over most of (0, 1) at baseline without
    # piling up at the ends, and risk differences that allow ±20 points but seldom ±35
    draws = effect.prior(layout, prior_set.load(), 20_000, seed=1)
    risk = response(effect, draws, layout).sel(average="population")
    baseline = risk.sel(wave="baseline", arm="control").to_numpy().ravel()
    assert np.quantile(baseline, 0.025) < 0.12
    assert np.quantile(baseline, 0.975) > 0.88
    assert ((baseline < 0.02) | (baseline > 0.98)).mean() < 0.01
    difference = (risk.sel(arm="treated") - risk.sel(arm="control")).sel(wave="6 months").to_numpy().ravel()
    assert 0.15 < np.quantile(np.abs(difference), 0.95) < 0.25
    assert (np.abs(difference) > 0.35).mean() < 0.005


@pytest.mark.slow
def test_prior_treats_the_arms_alike(layout):
    draws = effect.prior(layout, prior_set.load(), 40_000, seed=3)
    risk = response(effect, draws, layout).sel(average="population", wave="6 months")
    # equal distributions: Kolmogorov-Smirnov on dependent pairs is conservative; p < 1e-4 would be an alarm
    p = stats.ks_2samp(risk.sel(arm="control").to_numpy().ravel(), risk.sel(arm="treated").to_numpy().ravel()).pvalue
    assert p > 1e-4


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


ROW = '[parameters.tau]\ndistribution = "half_normal"\nsd = 1.0\nwhy = "a reason"\n'


def test_a_users_own_file_works(tmp_path):
    assert prior_set.load(_file(tmp_path, ROW))["tau"] == Prior("tau", "half_normal", {"sd": 1.0}, "a reason")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ROW.replace("1.0", "-1.0"), "above 0"),
        (ROW.replace("1.0", "nan"), "finite"),
        (ROW.replace("1.0", '"wide"'), "finite"),
        (ROW.replace("1.0", "true"), "finite"),
        (ROW.replace('why = "a reason"', 'why = " "'), "say why"),
        (ROW.replace("half_normal", "cauchy"), "not one of"),
        (ROW + "scale = 2\n", "'scale' is not a number of half_normal"),
        (ROW.replace("half_normal", "exchangeable_normal") + "mean = 0\ncorrelation = 1.0\n", "[0, 1)"),
        ('informed = "yes"\n' + ROW, "true or false"),
        ("parameters = 3\n", "no [parameters"),
        ("[parameters]\ntau = 3\n", "must be a table"),
        ("not toml", "TOML"),
    ],
)
def test_a_bad_file_is_named_with_its_faults(tmp_path, text, said):
    with pytest.raises(InvalidPriors, match=r"mine\.toml") as caught:
        prior_set.load(_file(tmp_path, text))
    assert said in str(caught.value)


def test_a_changed_set_cannot_pass_for_the_one_that_ships(tmp_path):
    shipped = (prior_set.FOLDER / "sceptical.toml").read_text(encoding="utf-8")
    with pytest.raises(InvalidPriors, match="its own name"):
        prior_set.load(_file(tmp_path, shipped.replace("sd = 0.35", "sd = 0.1")))
    assert prior_set.load(_file(tmp_path, shipped.replace('name = "sceptical"', 'name = "mine"'))).name == "mine"


def test_an_unknown_set_lists_those_that_ship():
    with pytest.raises(InvalidPriors, match="weakly_informative, diffuse, sceptical"):
        prior_set.load("flat")


def test_a_missing_row_says_where_to_copy_it_from(tmp_path):
    with pytest.raises(InvalidPriors, match=r"no row \[parameters.gamma\]. Copy it from"):
        prior_set.load(_file(tmp_path, ROW))["gamma"]


@pytest.mark.parametrize(
    ("parameter", "row"),
    [
        ("tau", {"distribution": "normal", "mean": 0.0, "sd": 1.0}),
        ("mu_0", {"distribution": "beta", "a": 1.0, "b": 1.0}),
        ("theta", {"distribution": "lkj", "shape": 2.0}),
        ("partial_correlation", {"distribution": "normal", "mean": 0.0, "sd": 1.0}),
    ],
)
def test_a_distribution_with_values_that_a_parameter_cannot_have_is_refused(tmp_path, parameter, row):
    path = tmp_path / "own.toml"
    path.write_text(
        tomli_w.dumps({"name": "own", "parameters": {parameter: row | {"why": "a test"}}}), encoding="utf-8"
    )
    with pytest.raises(
        prior_set.InvalidPriors, match=f"{parameter}: distribution '{row['distribution']}' is not one that it may have"
    ):
        prior_set.load(path)


def test_a_positive_parameter_may_have_another_positive_distribution(tmp_path):
    row = {"distribution": "gamma", "shape": 2.0, "rate": 2.0, "why": "a test"}
    path = tmp_path / "own.toml"
    path.write_text(tomli_w.dumps({"name": "own", "parameters": {"tau": row}}), encoding="utf-8")
    assert prior_set.load(path)["tau"].distribution == "gamma"
