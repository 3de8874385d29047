"""Trials for the tests: simulated ones through the product's own reader, and a fit that compiles once a shape."""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import xarray as xr
from scipy import integrate, special, stats

from models import effect, fit
from models.calibration.trials import simulated
from models.design import Design, design
from models.study import Study
from priors import prior_set

__all__ = ["QUICK", "fitted", "marginal", "simulated"]
QUICK = fit.Sampler(draws=600, tune=400, chains=1, seed=1)
"""For replications, where each fit need only be right on average: bulk ESS is several hundred."""


def fitted(
    study: Study,
    data: xr.Dataset,
    sampler: fit.Sampler,
    priors: str = "weakly_informative",
    model: ModuleType = effect,
) -> xr.DataTree:
    """Posterior and sample_stats of a model; trials of one shape share one compilation."""
    layout = design(study, data)
    compiled = _compiled(_shape(layout, model), priors, model)
    return fit.sample(fit.with_trial(compiled, model.data(layout), model.observed(layout)), sampler)


_FIRST: dict[tuple, Design] = {}


def _shape(layout: Design, model: ModuleType) -> tuple:
    key: tuple = model.shape(layout)
    _FIRST.setdefault(key, layout)
    return key


@cache
def _compiled(key: tuple, priors: str, model: ModuleType = effect) -> Any:
    layout = _FIRST[key]
    return fit.compile_model(model.build(layout, prior_set.load(priors)), model.observed(layout))


def marginal(predictor: float, sd: float, link: str = "logit") -> float:
    """Mean outcome over a normal trait, by adaptive quadrature: shares no code with the product."""
    means = {"logit": special.expit, "probit": stats.norm.cdf, "negative binomial": np.exp, "normal": float}
    mean = means[link]
    if sd == 0:
        return float(mean(predictor))
    value, _ = integrate.quad(
        lambda z: mean(predictor + sd * z) * stats.norm.pdf(z),
        -12,
        12,
        epsabs=1e-13,
        epsrel=1e-12,
        limit=400,
        points=[-predictor / sd if abs(predictor / sd) < 12 else 0],
    )
    return float(value)
