"""Elements of a run in words: the risk difference at "6 months" is "risk difference, 6 months after the programme"."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations

from models.checks.gate_table import Coords
from models.equations.forward import MISSING
from models.estimands.coordinates import VARIABLE
from models.trial.study_file.study import Study
from reports.text.mediator_words import WORDS
from reports.text.outcome_words import has_proportion
from reports.text.people import ARMS
from reports.text.words import clean, minus, short

NAMES = {
    "mu_0": "level at the first wave",
    "step": "change from a wave to the next",
    "theta": "effect",
    "theta_negative_control": "contrast at the negative control",
    "gamma": "slope of a baseline variable",
    "tau": "spread between participants",
    "dispersion": "extra variation of the counts",
    "residual_sd": "spread of the outcomes",
    "log_sd_ratio": "log ratio of the arms' spreads",
    "wave_partial_correlation": "correlation between waves",
    "trait": "lasting difference of one participant",
    "group_tau": "spread between groups",
    "group_wave_tau": "spread between groups at one wave",
    "group_level": "lasting difference of one group",
    "group_wave": "difference of one group at one wave",
}
"""Parameters in words; estimands are their own names without underscores."""
SHARES = {
    "risk": "share",
    "risk_difference": "difference in shares",
    "risk_ratio": "ratio of shares",
    "change": "change in share since baseline",
}
"""Estimands where more of the outcome is better: it has a proportion rather than a risk."""
AVERAGES = {
    "population": "",
    "sample": "averaged over the sample",
    "typical": "typical participant",
    "these groups": "averaged over these groups",
    "groups equally": "each group counted alike",
}
WAVES = ("wave", "contrast", "step_to", "follow_up", "negative_control")
MEDIATORS = (
    *("mediator", "acting_mediator", "interacting_mediator", "lasting_mediator", "continuous_mediator"),
    *("student_mediator", "share_mediator", "share_with_zero", "share_with_both", "share_with_one"),
)
"""Dimensions of waves and of mediators. One of participants is not known here, and so never printed."""


def every(where: Iterable[Coords], study: Study) -> str:
    """Words for several places, as in "control arm, 6 months; treated arm, 6 months"."""
    return "; ".join(worded(place, study) for place in where)


def worded(place: Coords, study: Study) -> str:
    """Words for a place in a run; a label that is not known is printed as it is, without underscores.

    Parameters
    ----------
    place : mapping of str to str or int
        A parameter or estimand with its coordinates, or coordinates alone, as the gate and power-scaling name them.
    study : Study
        Labels of waves, arms, mediators and covariates.
    """
    found = dict(place)
    parts = []
    if VARIABLE in found:
        words = _variable(str(found.pop(VARIABLE)), study)
        labels = _labels(study)
        if "{mediator}" in words:
            own = next((dim for dim in MEDIATORS if dim in found), None)
            words = words.format(mediator="a mediator" if own is None else _mediator(found.pop(own), labels))
        parts.append(words)
    parts += [_part(dim, label, study) for dim, label in found.items()]
    return ", ".join(part for part in parts if part)


def _labels(study: Study) -> dict[str, str]:
    return {part.column: short(part.label, 60) for part in study.mediators}


def _variable(name: str, study: Study) -> str:
    """A parameter or estimand; of what belongs to one participant nothing that points at anybody."""
    missing = {f"{MISSING}{column}": label for column, label in _labels(study).items()}
    if name in missing:
        return f"missing value of {missing[name]} of one participant"
    shares = SHARES if has_proportion(study.outcome) else {}
    return NAMES.get(name) or WORDS.get(name) or shares.get(name) or _plain(name)


def _part(dim: str, label: str | int, study: Study) -> str:
    """One coordinate; empty where it says nothing, or is of a dimension that nobody may be told of."""
    if dim in WAVES:
        waves = {wave.value: short(wave.label, 60) for wave in study.waves}
        return waves.get(str(label)) or _plain(label)
    if dim in MEDIATORS:
        return _mediator(label, _labels(study))
    if dim == "arm":
        return f"{short(getattr(study.arms, str(label)).label, 40)} arm" if label in ARMS else _plain(label)
    if dim == "average":
        return AVERAGES[str(label)]
    if dim == "covariate":
        return _covariates(study).get(str(label)) or _plain(label)
    if dim in ("grouping", "varying_grouping"):
        return {part.column: short(part.label, 40) for part in study.groupings}.get(str(label)) or _plain(label)
    if dim == "wave_pair":
        return " and ".join(_part("wave", value, study) for value in _pair_of_waves(str(label), study))
    if dim in ("pair", "equation_pair"):
        return _pairs(study).get(str(label)) or _plain(label)
    if dim == "chain":
        return f"chain {int(label) + 1}"
    return _plain(label) if dim in ("check", "finding", "split") else ""


def _pair_of_waves(label: str, study: Study) -> tuple[str, str]:
    """Two waves of the study, as `wave_covariance.coordinates` names them together."""
    waves = [wave.value for wave in study.waves]
    return next(((one, two) for one in waves for two in waves if label == f"{one} and {two}"), (label, ""))


def _mediator(label: str | int, labels: dict[str, str]) -> str:
    return labels.get(str(label)) or _plain(label)


def _covariates(study: Study) -> dict[str, str]:
    """Columns of the design in words: a number by its label, a level of a category after it."""
    found: dict[str, str] = {}
    for part in study.covariates:
        label = short(part.label, 60)
        found |= {part.column: label}
        found |= {f"{part.column}: {level}": f"{label} {clean(level)}" for level in part.levels or ()}
    return found


def _pairs(study: Study) -> dict[str, str]:
    """Pairs of equations, each named by a mediator's column or as the outcome's."""
    labels = {"outcome": "outcome", **_labels(study)}
    return {f"{one} and {two}": f"{labels[one]} and {labels[two]}" for one, two in permutations(labels, 2)}


def _plain(label: str | int) -> str:
    return minus(clean(label).replace("_", " "))
