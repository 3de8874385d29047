"""Prior draws of the effect on a posterior control arm, against quadrature that shares no code with the product."""

import numpy as np
import pytest
import xarray as xr

from models.equations.effect import Effect
from models.estimands import given_control
from models.estimands.response import response
from models.simulation import simulated_trial
from tests import pinned, trials

effect = Effect()


@pytest.fixture(scope="module", params=["binary", "count", "continuous"])
def case(request):
    study, _ = trials.simulated(simulated_trial.load("effect"), 1)
    kind = request.param
    study = study.model_copy(update={"outcome": study.outcome.model_copy(update={"kind": kind})})
    link = {"binary": "logit", "count": "negative binomial", "continuous": "normal"}[kind]
    layout = pinned.layout(link, covariates=1)
    study = study.model_copy(
        update={
            "waves": [
                wave.model_copy(update={"value": name, "role": role, "primary": name == "6 months"})
                for wave, name, role in zip(study.waves, pinned.WAVES, pinned.ROLES, strict=True)
            ]
        }
    )
    return study, layout


def test_the_priors_of_the_posterior_give_the_posterior_back(case):
    study, layout = case
    draws = pinned.posterior(layout).isel(chain=[0])
    found = given_control.differences(trials.fit_of(study, layout, draws), draws)
    assert found.sizes == {"chain": 1, "draw": 40, "contrast": 2}
    levels = response(effect, draws, layout, ("population",)).sel(average="population", drop=True)
    own = (levels.sel(arm="treated", drop=True) - levels.sel(arm="control", drop=True)).sel(
        wave=["3 months", "6 months"]
    )
    (name,) = found.data_vars
    assert found[name].to_numpy() == pytest.approx(own.to_numpy(), abs=1e-12)


def test_the_control_arm_stays_and_the_effect_is_the_priors(case):
    study, layout = case
    draws, prior = pinned.posterior(layout, draws=1), pinned.posterior(layout, draws=2, seed=77)
    found = given_control.differences(trials.fit_of(study, layout, draws), prior.isel(chain=[0]))
    (name,) = found.data_vars
    for draw in range(2):
        one, assumed = draws.isel(chain=draw, draw=0), prior["theta"].isel(chain=0, draw=draw).to_numpy()
        for place, wave in enumerate((2, 3)):
            level = float(one["mu_0"] + one["step"][:wave].sum() - one["theta"][place] / 2)
            scores = layout.covariates @ one["gamma"].to_numpy()
            control, treated = (
                np.mean(
                    [trials.marginal(level + shift + score, float(one["tau"]), layout.likelihood) for score in scores]
                )
                for shift in (0.0, assumed[place])
            )
            value = float(found[name].sel(contrast=layout.wave[wave])[0, draw])
            assert value == pytest.approx(treated - control, rel=1e-6, abs=1e-6)


def test_without_a_follow_up_there_is_nothing_to_say(case):
    study, layout = case
    fit = trials.fit_of(study, layout, pinned.posterior(layout))
    assert not given_control.differences(fit, xr.Dataset()).sizes
