"""Trials for the tests: simulated ones through the product's own reader, and fits."""

from __future__ import annotations

import math
from typing import Any

import xarray as xr
from scipy import integrate, special

from models.calibration.simulated_trials import simulated
from models.design.layout import Design, design
from models.equations.effect import Effect
from models.equations.model import Model
from models.inference import nuts
from models.inference.fitted import Fit
from models.trial.study_file.study import Study
from priors import prior_set

effect = Effect()

__all__ = ["QUICK", "fit_of", "fitted", "marginal", "simulated"]
QUICK = nuts.Sampler(draws=600, tune=400, chains=1, seed=1)
"""For replications, where each fit need only be right on average: bulk ESS is several hundred."""


def fitted(
    study: Study,
    data: xr.Dataset,
    sampler: nuts.Sampler,
    priors: str = "weakly_informative",
    model: Model = effect,
) -> xr.DataTree:
    """Posterior and sample_stats of a model."""
    return nuts.sample(model.ready(design(study, data), prior_set.load(priors)), sampler)


def fit_of(study: Study, layout: Design, draws: xr.Dataset, model: Model = effect, **given: Any) -> Fit:
    """A fit of these very draws: default priors, sampler and trial unless they are given."""
    rest = {"trial": xr.Dataset(), "priors": prior_set.load(), "sampler": nuts.Sampler(), "sample_stats": xr.Dataset()}
    return Fit(study=study, design=layout, model=model, posterior=draws, **(rest | given))


def marginal(predictor: float, sd: float, link: str = "logit") -> float:
    """Mean outcome over a normal trait, by adaptive quadrature: shares no code with the product."""
    means = {"logit": special.expit, "probit": special.ndtr, "negative binomial": math.exp, "normal": float}
    mean = means[link]
    if sd == 0:
        return float(mean(predictor))
    value, _ = integrate.quad(
        lambda z: mean(predictor + sd * z) * math.exp(-z * z / 2) / math.sqrt(2 * math.pi),
        -12,
        12,
        epsabs=1e-13,
        epsrel=1e-12,
        limit=400,
        points=[-predictor / sd if abs(predictor / sd) < 12 else 0],
    )
    return float(value)
