"""Who of a fit can be left out in turn, and what a fit without them says: each model's own, chosen by its class."""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatch

import numpy as np
import xarray as xr

from models.checks.leave_one_out import Refitted, Units, leave_one_out, thinned
from models.design.layout import Design
from models.equations import forward, integrated
from models.equations.effect import Effect
from models.equations.effect_integrated import Integrated
from models.equations.histories import integrated_likelihood
from models.equations.likelihoods import dispersion
from models.equations.mediation import Mediation
from models.equations.model import Model
from models.equations.random_slopes import RandomSlopes
from models.estimands.response import primary_draws
from models.inference import effort, nuts
from models.inference.fitted import Fit


@singledispatch
def units(model: Model, draws: xr.Dataset, design: Design) -> Units:  # noqa: ARG001 - chosen by the model's class
    """Log probability of each that can be left out, at each draw.

    Parameters
    ----------
    model : Model
        Whose draws they are.
    draws : Dataset
        Of the posterior.
    design : Design
        Whose outcomes.
    """
    raise TypeError(f"no rule says who can be left out of the {model.name} model")


@units.register
def _of_slopes(model: RandomSlopes, draws: xr.Dataset, design: Design) -> Units:
    # not the effect model's: its histories know no slope
    return units.dispatch(Model)(model, draws, design)


@units.register
def _of_effect(_: Effect, draws: xr.Dataset, design: Design) -> Units:
    """Of each distinct history, for leaving participants out (trait integrated out)."""
    count = design.histories.count.astype(int)
    return Units("participant", integrated_likelihood.log_likelihood(draws, design), count)


@units.register
def _of_mediation(_: Mediation, draws: xr.Dataset, design: Design) -> Units:
    """Of each observed outcome given the same participant's others, for leaving single ones out."""
    values = forward.values_of(draws)
    # where the outcome's trait is at its mean given the mediators' traits, and the SD left around it
    mean, sd = forward.conditional_trait(values, design)
    fixed = forward.outcome_predictor(values, design, forward.mediators_read(values, design), mean)
    scale = np.broadcast_to(sd, values["mu_0"].shape)
    flat = fixed.reshape(scale.size, -1)
    given = integrated.Draws(flat, scale.ravel(), dispersion(draws, design).reshape(flat.shape))
    return Units("observation", integrated.log_predictive(given, design), np.ones(flat.shape[1], int))


@singledispatch
def refitted_as(model: Model) -> Model | None:  # noqa: ARG001 - chosen by its class
    """The model that is fitted without somebody; None where leaving out by weights must do."""
    return None


@refitted_as.register
def _quickly(model: Effect) -> Model | None:
    return replace(model, computation=Integrated())


def run(fit: Fit) -> tuple[xr.Dataset | None, str]:
    """How well whoever is left out is predicted, and whether anybody moves the answer; or why that is not told.

    Parameters
    ----------
    fit : Fit
        Whose participants or observations.
    """
    faster = refitted_as(fit.model)

    def without(gone: np.ndarray) -> Refitted:
        rest = fit.design.without(gone)
        settings = replace(fit.sampler, **effort.REFIT)
        assert faster is not None  # or nobody would be left out so
        draws = nuts.sample(faster.ready(rest, fit.priors), settings)["posterior"].to_dataset()
        few = thinned(draws, columns)
        assert few is not None  # as of the fit itself
        return Refitted(units(fit.model, few, fit.design), float(primary_draws(fit, draws).mean()))

    try:
        columns = units(fit.model, fit.posterior.isel(draw=[0]), fit.design).count.size
        thin = thinned(fit.posterior, columns)
        if thin is None:
            return None, "Leave-one-out was not run: too many distinct histories for importance sampling in memory."
        every = units(fit.model, thin, fit.design)
        return leave_one_out(every, primary_draws(fit, thin), without if faster else None), ""
    except integrated.NodesExhausted as error:
        return None, f"Leave-one-out was not run: {error}"
