"""What is compared with the truth: every top-level parameter and the estimands, one number a draw, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import xarray as xr

from models.design.layout import Design
from models.equations.model import Model
from models.equations.wave_covariance import PARTIAL
from models.estimands import estimands
from models.estimands.path_effects import paths
from models.estimands.response import response
from models.estimands.summary import DIFFERENCES, RATIOS
from models.outcomes import SPREADS, family_of
from models.simulation.scenario import Scenario
from models.simulation.true_values import Truth
from models.trial.study_file.study import Study

PATHS = (
    "total", "natural_direct", "natural_indirect", "interventional_direct", "interventional_via",
    "interventional_via_reversed", "dependence", "controlled_direct", "mediator_difference",
)  # fmt: skip
"""Path estimands that are compared, each where the model and the design have it."""
PARAMETERS = (
    "mu_0",
    "step",
    "theta",
    "theta_negative_control",
    "gamma",
    "tau",
    "group_tau",
    "group_wave_tau",
    *SPREADS,
    PARTIAL,
)
EFFECTS = ("theta", "theta_negative_control", "mediator_theta", "mediator_theta_negative_control")
"""Parameters that are 0 where the arms do not differ."""
WORDS = {
    "mu_0": "level at the first wave",
    "step": "change to the wave",
    "theta": "arm effect",
    "theta_negative_control": "arm effect before the programme",
    "gamma": "covariate",
    "tau": "SD of participants' own levels",
    "group_tau": "SD of groups' lasting levels",
    "group_wave_tau": "SD of groups' levels at one wave",
    "dispersion": "overdispersion",
    "residual_sd": "residual SD",
    "log_sd_ratio": "log ratio of the arms' SDs",
    PARTIAL: "partial correlation of the waves",
    "risk": "risk",
    "mean": "mean",
    "risk_difference": "risk difference",
    "mean_difference": "difference in mean",
    "risk_ratio": "risk ratio",
    "odds_ratio": "marginal odds ratio",
    "rate_ratio": "rate ratio",
    "change": "change since baseline",
    "total": "total effect",
    "natural_direct": "natural direct effect",
    "natural_indirect": "natural indirect effect, through all mediators",
    "interventional_direct": "interventional direct effect",
    "interventional_via": "interventional effect via {last}",
    "interventional_via_reversed": "interventional effect, switched in the other order, via {last}",
    "dependence": "part due to the mediators' dependence",
    "controlled_direct": "controlled direct effect",
    "mediator_difference": "difference in {first}",
}
OF_MEDIATORS = {
    "mediator_mu_0": "level of {first} at the first wave",
    "mediator_step": "change of {first} to the wave",
    "mediator_theta": "arm effect on {first}",
    "mediator_theta_negative_control": "arm effect on {first} before the programme",
    "mediator_gamma": "covariate of {first}",
    "mediator_tau": "SD of participants' own levels of {first}",
    "mediator_residual_sd": "residual SD of {first}",
    "mediator_nu": "degrees of freedom of {first}",
    "mediator_precision": "precision of {first}",
    "cutpoint_low": "lower cutpoint of {first}",
    "cutpoint_gap": "distance between the cutpoints of {first}",
    "cutpoint_high": "upper cutpoint of {first}",
    "slope": "slope of the outcome on {first}",
    "interaction": "difference between the arms in the slope on {first}",
    "partial_correlation": "partial correlation of participants' own levels",
    "mediator_group_tau": "SD of groups' lasting levels of {last}",
    "mediator_group_wave_tau": "SD of groups' levels of {last} at one wave",
    "group_partial_correlation": "partial correlation of groups' lasting levels",
}
"""Names of quantities in words, with the first or last label of their brackets; the others follow."""


@dataclass(frozen=True)
class Quantity:
    """One number of interest.

    Attributes
    ----------
    values : ndarray, (chain, draw)
        Its draws.
    estimand : bool
        Whether it is an answer rather than a parameter.
    contrast : bool
        Whether 0 (1 for a ratio) means no difference between the arms.
    ratio : bool
        Whether it is a ratio.
    labels : tuple of str
        What stands in its name's brackets.
    """

    values: np.ndarray
    estimand: bool
    contrast: bool
    ratio: bool = False
    labels: tuple[str, ...] = ()

    @property
    def null(self) -> float:
        """Its value where the arms do not differ; NaN where it is no contrast."""
        return (1.0 if self.ratio else 0.0) if self.contrast else np.nan


def quantities(draws: xr.Dataset, model: Model, layout: Design, study: Study) -> dict[str, Quantity]:
    """Every quantity at every draw.

    Parameters
    ----------
    draws : Dataset
        Completed draws of the posterior, or one draw of the prior; dims (chain, draw, …).
    model, layout, study : Model, Design, Study
        As analysed.
    """
    found = {}
    for name in model.dimensions(layout):
        contrast = name in EFFECTS
        for labels, values in _elements(draws[name]).items():
            found[_key(name, labels)] = Quantity(values, False, contrast, labels=labels)
    # the other averages need participants' own traits
    levels = response(model, draws, layout, (estimands.POPULATION,))
    for name, array in ((str(name), array) for name, array in estimands.contrasts(levels, study).items()):
        part = array.sel(average=estimands.POPULATION, drop=True) if "average" in array.dims else array
        contrast = name in (*DIFFERENCES, *RATIOS)
        for labels, values in _elements(part).items():
            found[_key(name, labels)] = Quantity(values, True, contrast, name in RATIOS, labels)
    through = paths(model, draws, layout, [part.column for part in study.mediators]).values
    for name in PATHS:
        if name in through:
            for labels, values in _elements(through[name]).items():
                found[_key(name, labels)] = Quantity(values, True, True, labels=labels)
    return found


def _key(name: str, labels: tuple[str, ...]) -> str:
    return f"{name}[{', '.join(labels)}]" if labels else name


def _elements(array: xr.DataArray) -> dict[tuple[str, ...], np.ndarray]:
    """Each element that is known, (chain, draw), by its labels."""
    dims = [dim for dim in array.dims if dim not in ("chain", "draw")]
    if not dims:
        return {(): array.transpose("chain", "draw").to_numpy()}
    # in NumPy: stacking in xarray takes a fifth of a whole replication
    values = array.transpose("chain", "draw", *dims).to_numpy()
    values = values.reshape(*values.shape[:2], -1)
    labels = [tuple(map(str, label)) for label in product(*(array[dim].to_numpy() for dim in dims))]
    return {label: values[..., k] for k, label in enumerate(labels) if not np.isnan(values[..., k]).all()}


def words(name: str) -> str:
    """A quantity's name in words."""
    base, _, inside = name.removesuffix("]").partition("[")
    told = (WORDS | OF_MEDIATORS).get(base, base.replace("_", " "))
    first, _, after = inside.partition(", ")
    before, _, last = inside.rpartition(", ")
    rest = after if "{first}" in told else before if "{last}" in told else inside
    told = told.format(first=first, last=last)
    return f"{told}, {rest}" if rest else told


def unit(name: str, scenario: Scenario) -> str:
    """A quantity's unit: points (a proportion), events, units, ratio, the link's, score, or nothing."""
    base, _, inside = name.partition("[")
    outcome = scenario.outcome
    if base in ("dispersion", "log_sd_ratio", PARTIAL):
        return ""
    if base in PARAMETERS:
        return family_of(outcome.kind, outcome.link).effect_scale
    if base not in WORDS:
        return ""
    if base in RATIOS:
        return "ratio"
    if base == "mediator_difference":
        scores = any(each.kind == "continuous" and inside.startswith(f"{each.column}, ") for each in scenario.mediators)
        return "score" if scores else "points"
    return family_of(outcome.kind, outcome.link).unit


def known(truth: Truth, names: Mapping[str, Quantity]) -> dict[str, float]:
    """The simulator's true value of each quantity that it knows, by name."""
    found = {}
    for name, quantity in names.items():
        base = name.partition("[")[0]
        base = {"total": "interventional_total"}.get(base, base)
        # effects via one mediator are of (wave, mediator) here and of (mediator, wave) there
        for order in (quantity.labels, quantity.labels[::-1]):
            try:
                found[name] = truth.value(base, *order)
                break
            except (KeyError, TypeError):
                continue  # the simulator knows no parameter, and not every estimand
    return found
