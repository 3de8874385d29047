"""Elements of a run in words: `risk_difference[6 months]` is "risk difference, 6 months after the programme"."""

from __future__ import annotations

import re

from models.study import Study
from reports import mediator_words
from reports.words import clean, minus, short

NAMES = {
    "mu": "level",
    "mu_0": "level at the first wave",
    "step": "change from a wave to the next",
    "theta": "effect",
    "theta_negative_control": "contrast at the negative control",
    "gamma": "slope of a baseline variable",
    "tau": "spread between participants",
    "dispersion": "extra variation of the counts",
    "residual_sd": "spread around what is expected of a participant",
    "trait": "lasting difference of one participant",
    "trait_raw": "lasting difference of one participant",
    "trait_z": "lasting difference of one participant",
}
"""Parameters in words; estimands are their own names without underscores."""
SHARES = {
    "risk": "share",
    "risk_difference": "difference in shares",
    "risk_ratio": "ratio of shares",
    "change": "change in share since baseline",
}
"""Estimands where more of the outcome is better: nobody speaks of a risk of that."""
_ELEMENT = re.compile(r"(\w+)(?:\[([^\]]*)\])?")


def worded(element: str, study: Study) -> str:
    """Words for an element; what is not known is printed as it is, without underscores.

    Parameters
    ----------
    element : str
        A parameter or estimand with its coordinates, as the gate and power-scaling name it.
    study : Study
        Labels of waves, arms and covariates.
    """
    labels = {part.column: short(part.label, 60) for part in study.mediators}
    own = mediator_words.personal(element, labels)
    if own:
        return own
    found = _ELEMENT.fullmatch(element)
    if not found:
        return _located(element, study)
    name, inner = found.groups()
    if name.startswith("trait"):
        # never one that points at a person, not even by the number that a run gives
        return NAMES["trait"]
    shares = SHARES if study.outcome.better == "higher" else {}
    words = NAMES.get(name) or shares.get(name) or name.replace("_", " ")
    mediated = mediator_words.split(name, inner or "", labels)
    if mediated:
        words, inner = mediated
    parts = [_part(part.strip(), study) for part in inner.split(",")] if inner else []
    return ", ".join([words, *(part for part in parts if part)])


def _located(element: str, study: Study) -> str:
    """Cells of arm and wave, as in "control at 6 months; treated at 6 months"."""
    cells = [part.strip().partition(" at ") for part in element.split(";")]
    if not all(middle for _, middle, _ in cells):
        return minus(clean(re.sub(r"trait\w*\[[^\]]*\]", NAMES["trait"], element)).replace("_", " "))
    return "; ".join(f"{_part(arm, study)}, {_part(wave, study)}" for arm, _, wave in cells)


def _part(part: str, study: Study) -> str:
    """One coordinate: a wave, an arm, an average or a covariate with its level."""
    waves = {wave.value: short(wave.label, 60) for wave in study.waves}
    if part in waves:
        return waves[part]
    if part in ("control", "treated"):
        return f"{short(getattr(study.arms, part).label, 40)} arm"
    averages = {"population": "", "sample": "averaged over the sample", "typical": "typical participant"}
    if part in averages:
        return averages[part]
    column, _, level = part.partition(":")
    labels = {covariate.column: short(covariate.label, 60) for covariate in study.covariates}
    if column in labels:
        return labels[column] + (f" {clean(level)}" if level else "")
    return minus(clean(part).replace("_", " "))
