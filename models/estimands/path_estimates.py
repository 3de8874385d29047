"""Path estimands as estimates: labels, units, and for each the class of evidence and what it rests on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import xarray as xr

from models.design.layout import Design
from models.estimands import common_change, estimands, ledger
from models.estimands.ledger import Claim, Estimate, Evidence
from models.estimands.path_draws import PathDraws
from models.estimands.path_effects import unordered
from models.inference.fitted import Specification
from models.trial.study_file.study import Study
from priors.prior import Prior
from priors.prior_set import PriorSet

NO_COMMON_CAUSE = (
    "no common cause of mediators and outcome beyond participants' lasting levels and the adjusted covariates"
)
NOT_INDUCED = "no common cause of a mediator and the outcome that the arm changes"
NO_PATH = "mediators do not act on one another"
LEVELS = "participants' lasting levels jointly normal on the link scales"
FORM = "mediators act on the outcome's link scale in straight lines"
SAME_SLOPES = "each mediator has the same slope on the outcome in both arms"
NO_RETURN = "no effect of an earlier outcome on a later mediator, and of mediators only the one `lag` waves before acts"
BEFORE = "mediators acted on the outcome before the programme as they do in it"
NOT_BEFORE = "mediators act on the outcome only once the programme has begun"
SAME_WAVE = "the mediator precedes the outcome of its own wave"
CROSS_WORLD = (
    "cross-world: the outcome under one arm independent of the mediators under the other, given lasting levels and "
    "covariates"
)
RHO = "ρ, residual correlation of a mediator and the outcome: taken as 0"

LABELS = {
    "total": "total effect, by the mediation model",
    "natural_direct": "natural direct effect",
    "natural_indirect": "natural indirect effect, through all mediators",
    "interventional_direct": "interventional direct effect",
    "interventional_via": "interventional effect via {mediator}",
    "interventional_via_reversed": "interventional effect via {mediator}, mediators switched in the other order",
    "dependence": "effect through the dependence between mediators",
    "controlled_direct": "controlled direct effect, mediators held at {held}",
    "natural_direct_total": "total natural direct effect",
    "natural_indirect_pure": "pure natural indirect effect",
    "reference_interaction": "reference interaction",
    "mediated_interaction": "mediated interaction",
    "proportion_mediated": "proportion mediated",
    "mediator_mean": "mean of {mediator}",
    "mediator_difference": "difference in {mediator}, treated minus control",
    "common_change": "change since baseline, control arm",
    "change_via": "part of the change that moves with {mediator}",
    "change_remainder": "remainder of the change",
    "change_training": "remainder less the change that would have come without {control}",
    "change_training_share": "share w of the remainder, by its prior",
    "training_tipping_share": "smallest share w of the remainder that would matter with probability 0.95",
}
CHANGES = ("common_change", "change_via", "change_remainder")
"""Of the control arm over time: descriptions, not effects."""
NATURAL = ("natural_direct", "natural_indirect", "natural_direct_total", "natural_indirect_pure", "proportion_mediated")


def estimates(found: PathDraws, study: Study, trial: xr.Dataset, design: Design) -> list[Estimate]:
    """Every path estimand as an `Estimate`; waves without an ordered mediator as not identified, with the reason.

    The primary wave comes first. The proportion mediated is there only where the total has one sign with probability
    above 0.975.
    """
    if not found.values:
        return []
    rows = [row for name in found.values for row in _rows(str(name), found, study, trial, design)]
    rows += list(_proportion(rows))
    rows.sort(key=lambda row: row.wave != study.primary_wave)  # stable: what belongs together stays so
    claim = Claim(Evidence.NOT_IDENTIFIED, ("a mediator measured after exposure began and before the outcome",))
    label = "direct and indirect effects"
    waves = [(design.wave[wave], reason) for wave, reason in unordered(design).items()]
    waves.sort(key=lambda each: each[0] != study.primary_wave)
    none = [Estimate("paths", label, "", "population", "", wave, claim, reason=reason) for wave, reason in waves]
    return [*rows, *none]


def _rows(name: str, found: PathDraws, study: Study, trial: xr.Dataset, design: Design) -> Iterable[Estimate]:
    array = found.values[name]
    cells = array.stack(cell=[dim for dim in array.dims if dim not in ("chain", "draw")])
    for place in range(cells.sizes["cell"]):
        cell = cells.isel(cell=place)
        where = {str(dim): str(cell[dim].item()) for dim in cells.indexes["cell"].names}
        values = cell.drop_vars([*where, "cell"]).transpose("chain", "draw")
        if not np.isfinite(values).any():
            continue  # a mediator that was not measured at this wave
        error = float(found.error[name].sel({dim: where[dim] for dim in where})) if name in found.error else 0.0
        mediator, arm = where.get("mediator", ""), where.get("arm", "control" if name in CHANGES else "")
        wave = where.get("contrast", where.get("wave", ""))
        label = LABELS[name].format(mediator=_label(study, mediator), held=_held(study, design))
        unit = _unit(name, mediator, study)
        identity = name, label, unit, "population", arm, wave
        if not mediator_alone(name) and (reason := estimands.unobserved(study, trial, wave)):
            yield Estimate(*identity, ledger.UNOBSERVED, reason=reason, mediator=mediator)
            continue
        claim = _claim(name, study, trial, design, wave, mediator)
        yield Estimate(*identity, claim, values, mediator=mediator, integration_error=error)


def _label(study: Study, mediator: str) -> str:
    return next((part.label for part in study.mediators if part.column == mediator), "")


def _held(study: Study, design: Design) -> str:
    layout = design.mediators
    parts = {name: value for name, value in zip(layout.name, layout.reference, strict=True)}
    return ", ".join(f"{part.label} {parts[part.column]:.3g}" for part in study.mediators if part.column in parts)


def _unit(name: str, mediator: str, study: Study) -> str:
    if mediator_alone(name):
        kind = next(part.kind for part in study.mediators if part.column == mediator)
        return "mediator units" if kind == "continuous" else "share"
    return estimands.names(study)["difference"][2]


def mediators_missing(study: Study, trial: xr.Dataset, design: Design) -> bool:
    """Whether a mediator is missing for anybody at a wave at which it was measured."""
    layout = design.mediators
    holes = np.isnan(layout.value) & layout.measured[:, None, :]
    return bool(holes.any()) or estimands.missing(study, trial)


def mediator_alone(name: str) -> bool:
    """Whether an estimand is of a mediator alone, whatever was observed of the outcome."""
    return name in ("mediator_mean", "mediator_difference")


def _claim(name: str, study: Study, trial: xr.Dataset, design: Design, wave: str, mediator: str) -> Claim:
    if mediator_alone(name):
        missing = bool(trial["mediator_value"].sel(mediator=mediator, wave=wave).isnull().any()) or estimands.lost(
            study, trial
        )
    elif name == "total":
        missing = estimands.missing(study, trial, wave)
    else:
        missing = mediators_missing(study, trial, design)
    mar = (ledger.MEDIATORS_TOO,) if missing else ()
    delta = (ledger.DELTA,) if missing else ()
    setting = ledger.Setting.of(study)
    design_gives = (replace(setting, exposed=False) if mediator_alone(name) else setting).assumptions
    if name == "total" or mediator_alone(name):
        return Claim(ledger.by_design(missing, setting), (*design_gives, *mar), delta)
    if name == "common_change":
        return Claim(Evidence.ASSUMPTION, (ledger.CHANGE, *mar), delta)
    several = (NO_PATH,) if design.mediators.count > 1 else ()
    timing = (
        (NO_RETURN.replace("`lag` waves", f"{study.lag} wave{'s'[: study.lag > 1]}"),) if study.lag else (SAME_WAVE,)
    )
    before = BEFORE if study.acts_at_baseline else NOT_BEFORE
    slopes = () if any(design.mediators.interaction) else (SAME_SLOPES,)
    shape = (*several, *timing, before, *slopes, LEVELS, FORM, *mar)
    if name in CHANGES:
        return Claim(Evidence.ASSUMPTION, (ledger.CHANGE, NO_COMMON_CAUSE, *shape), (RHO, *delta))
    cross = (CROSS_WORLD,) if name in NATURAL else ()
    assumed = (*design_gives, NO_COMMON_CAUSE, NOT_INDUCED, *cross, *shape)
    return Claim(Evidence.ASSUMPTION, assumed, (RHO, *delta))


def _proportion(rows: list[Estimate]) -> Iterable[Estimate]:
    total = {row.wave: row for row in rows if row.estimand == "total"}
    for row in [row for row in rows if row.estimand == "natural_indirect"]:
        whole = total[row.wave].draws
        if whole is not None and row.draws is not None and common_change.one_sign(whole.to_numpy()):
            share = row.draws / whole
            name = "proportion_mediated"
            yield Estimate(name, LABELS[name], "proportion", "population", "", row.wave, row.claim, share)


def training(
    rows: list[Estimate], levels: xr.DataArray, fitted: Specification, offered: set[str] | None = None
) -> list[Estimate]:
    """What of the remainder may be the common part's: remainder − d, and, if it has one sign, w of it.

    Parameters
    ----------
    rows : list of Estimate
        From `estimates`.
    levels : DataArray, (chain, draw, average, arm, wave)
        The model's `response`.
    fitted : Specification
        As analysed; d and w come from the rows `change_without_training` and `training_share` of its priors alone.
    offered : set of str, optional
        Waves at which w is offered whatever the sign: for the prior of what the posterior offers.
    """
    study, design, priors, seed = fitted.study, fitted.design, fitted.priors, fitted.sampler.seed
    found: list[Estimate] = []
    if not study.add_on:
        return found
    for row in rows:
        if row.estimand != "change_remainder" or row.draws is None:
            continue
        before = levels.sel(average="population", arm="control", wave=design.baseline[0]).to_numpy()
        untreated = _untreated(study, priors)
        d = common_change.untreated_change(untreated, before, design, seed)
        why = f"d, the change without it, has its prior alone: {untreated.describe()}"
        claim = Claim(row.claim.evidence, (*row.claim.assumptions, why), (*row.claim.bias_parameters, "d"))
        label = LABELS["change_training"].format(control=study.arms.control.label)
        found.append(Estimate("change_training", label, row.unit, row.average, row.arm, row.wave, claim, row.draws - d))
        if not (row.wave in offered if offered is not None else common_change.one_sign(row.draws.to_numpy())):
            continue
        rng = np.random.default_rng([seed, 19])
        w = row.draws.copy(data=priors["training_share"].sample(rng, row.draws.shape))
        same_way = ledger.same_way(study.arms.control.label)
        told = f"w has its prior alone: {priors['training_share'].describe()}"
        claim = Claim(row.claim.evidence, (*row.claim.assumptions, same_way, told), (*row.claim.bias_parameters, "w"))
        name = "change_training_share"
        found.append(Estimate(name, LABELS[name], row.unit, row.average, row.arm, row.wave, claim, w * row.draws))
    return found


def _untreated(study: Study, priors: PriorSet) -> Prior:
    """Prior of d: its file states it for an outcome that is better lower."""
    row = priors["change_without_training"]
    if study.outcome.better == "lower":
        return row
    return replace(row, arguments={**row.arguments, "mean": -row.arguments["mean"]})


def tipping(rows: list[Estimate], study: Study) -> dict[str, float]:
    """Tipping share w by wave, where w is offered: NaN where no share of the remainder reaches the margin."""
    offered = {row.wave for row in rows if row.estimand == "change_training_share"}
    return {
        row.wave: common_change.tipping_share(
            np.asarray(row.draws).ravel(), study.outcome.margin, study.outcome.better == "lower"
        )
        for row in rows
        if row.estimand == "change_remainder" and row.wave in offered
    }
