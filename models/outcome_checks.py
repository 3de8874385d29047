"""Checks of the gate on what the model makes of the outcome: spreads, zeros, means, and the size of the answer."""

from __future__ import annotations

import numpy as np
import xarray as xr

from models import count_means, data_check, effect, missing_codes, proportion, spread_checks, zero_inflation
from models.data_check import Finding
from models.design import Design
from models.gate_limits import limited, unneeded
from models.gate_table import GREEN, ORDER, Check
from models.study import Study

SPREADS, ZEROS, MEANS = (
    "standard deviations by arm and wave", "zeros beyond the model", "modelled mean beside the crude one"
)  # fmt: skip
INTERVAL, ESTIMATE = "interval beside the robust one", "estimate beside the robust one"
COUNTED_INTERVAL = "interval beside the robust one, counts"
CONTINUOUS, COUNTED = "A check of continuous outcomes.", "A check of counts."
EXTRA = {"cells": "counts that are 0 whoever is asked", "participants": "participants who never have any"}


def before(study: Study, trial: xr.Dataset) -> tuple[Finding, ...]:
    """What the data say before any fit: findings, and extremes that are asked about, which leave no page green."""
    asked = (Finding("repeated extremes", each, "amber") for each in missing_codes.questions(study, trial))
    return (*data_check.findings(study, trial), *asked)


def data(found: tuple[Finding, ...]) -> Check:
    """What the data check found before any fit; notes are told elsewhere."""
    serious = [each for each in found if each.status != "note"]
    worst = max((each.status for each in serious), key=ORDER.index, default=GREEN)
    kinds = "; ".join(dict.fromkeys(each.kind for each in serious))
    text = " ".join(each.message for each in serious) or "What a trial's data say against its analysis, before any fit."
    return Check(
        "data check", worst, f"{len(serious)} found" if serious else "nothing", kinds, "nothing", "as found", text
    )


def spreads(replicates: np.ndarray, design: Design) -> Check:
    """Standard deviations of a continuous outcome."""
    if design.likelihood != "normal" or design.outcome.size < spread_checks.FEWEST:
        return unneeded(SPREADS, CONTINUOUS)
    found = spread_checks.widest(replicates, design)
    if found is None:
        return unneeded(SPREADS, "No arm has enough values at any wave.")
    shown = f"{found.fold:.2f}; observed {found.observed:.3g}, expected {found.lower:.3g} to {found.upper:.3g}"
    text = (
        "The model gives every wave and both arms the same standard deviation. Beyond 1 one lies outside the band that "
        "holds all of them in 99.5% of trials: intervals are then too narrow where outcomes spread more. Analyse the "
        "change of scale, or read the standardised result beside the model's."
    )
    return limited(SPREADS, found.fold, f"{found.arm} at {found.wave}", text, shown)


def zeros(design: Design, seed: int) -> Check:
    """Zeros of a count, beside those of a zero-inflated model."""
    if design.likelihood != "negative binomial" or not (design.outcome == 0).any():
        return unneeded(ZEROS, COUNTED)
    found = zero_inflation.ratio(design, seed)
    text = (
        "How much likelier the counts are if some zeros are of another kind (twice the log likelihood ratio). Above "
        "the limit the negative binomial is the wrong model: its means and intervals cannot be trusted. Analyse "
        "whether there was any event as a yes-or-no outcome, or use a model with zeros of their own."
    )
    shown = f"{found.value:.1f}; {found.share:.0%} {EXTRA[found.kind]}" if found.value > 0 else "0"
    return limited(ZEROS, found.value, "", text, shown)


def means(posterior: xr.Dataset, design: Design) -> Check:
    """Modelled mean counts beside the crude ones; of the effect model, whose equation stands alone."""
    if design.likelihood != "negative binomial":
        return unneeded(MEANS, COUNTED)
    table = count_means.compare(effect.predictor, posterior, design)
    worst = table.loc[table["errors"].abs().idxmax()]
    shown = f"{abs(worst.errors):.1f}; expected {worst.expected:.3g}, observed {worst.observed:.3g}"
    text = (
        "The model's mean and the mean of the counts part: the model does not fit, and more draws would not mend it. "
        "Zeros of another kind, or a few very high counts, stretch the normal levels of participants, whose mean grows "
        "with exp(SD²/2). Model the zeros apart (any event, yes or no), or use heavier-tailed levels."
    )
    return limited(MEANS, abs(float(worst.errors)), f"{worst.arm or 'both arms'} at {worst.wave}", text, shown)


def in_proportion(
    posterior: xr.DataArray, prior: xr.DataArray, study: Study, trial: xr.Dataset, design: Design
) -> tuple[Check, Check]:
    """Width and place of the primary effect beside a robust estimate; for the effect model, whose `theta` is it all."""
    found = proportion.compare(posterior, prior, study, trial, design)
    interval = COUNTED_INTERVAL if design.likelihood == "negative binomial" else INTERVAL
    if isinstance(found, str):
        why = f"There is no robust estimate to compare with: {found}."
        return unneeded(interval, why), unneeded(ESTIMATE, why)
    factor, wide = max(found.ratio, 1 / found.ratio), "wider" if found.ratio > 1 else "narrower"
    element = f"theta[{study.primary_wave}]"
    return (
        limited(
            interval,
            factor,
            element,
            "The standard error that the model claims, its prior taken out, beside that of the baseline-adjusted "
            "regression, which needs no model of spreads or correlations. Far apart, the model's interval is too "
            "narrow or too wide for these data.",
            f"{factor:.2f} times {wide}",
        ),
        limited(
            ESTIMATE,
            abs(found.apart),
            element,
            "What the data alone say by the model, beside the baseline-adjusted estimate: far apart, the model answers "
            "something else than the data do.",
            f"{abs(found.apart):.1f}",
        ),
    )
