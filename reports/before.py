"""What was believed of the difference before the data, given what the control arm is now known to be like.

A prior of the effect's own parameter θ says little of a risk difference until the control arm's risk is given: spread
over every risk that the prior of the levels allows, it makes the data look as if they had taught more than they did.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from reports.facts import Facts
from reports.numbers import Number, probability

EFFECT = "theta"


@dataclass(frozen=True)
class Chances:
    """Probabilities of a benefit, of one and of a harm beyond the margin, and of a difference within it."""

    benefit: Number
    benefit_beyond_margin: Number
    harm_beyond_margin: Number
    within_margin: Number


def contraction(facts: Facts, wave: str) -> float | None:
    """1 − Var(posterior)/Var(prior) of the effect's own parameter at a wave; None where the run has no draws of it."""
    prior, posterior = _effects(facts, wave, prior=True), _effects(facts, wave)
    if prior is None or posterior is None:
        return None
    return float(1 - posterior.var(ddof=1) / prior.var(ddof=1))


def chances(facts: Facts, wave: str) -> Chances | None:
    """Prior probabilities of the difference at a wave; None where the run has no draws of its parameter."""
    found = differences(facts, wave)
    if found is None:
        return None
    gain, margin = (-found if facts.lower_is_better else found), facts.study.outcome.margin
    shares = ((gain > 0), (gain > margin), (gain < -margin), (np.abs(gain) < margin))
    return Chances(*(probability(float(share.mean())) for share in shares))


def differences(facts: Facts, wave: str) -> np.ndarray | None:
    """Prior draws of θ, applied to posterior draws of the control arm's level.

    θ compares participants alike in all else; averaged over participants the same θ moves a risk by less. How much
    less is read off the posterior: the slope, through the origin, of the arms' difference on the link scale on θ.
    """
    prior, posterior = _effects(facts, wave, prior=True), _effects(facts, wave)
    if prior is None or posterior is None:
        return None
    levels = [
        facts.draws(facts.scale.level, {"average": "population", "arm": arm, "wave": wave})
        for arm in ("control", "treated")
    ]
    link, inverse = _link(facts)
    control, treated = (link(level) for level in levels)
    slope = float(posterior @ (treated - control) / (posterior @ posterior))
    start = control[np.linspace(0, control.size - 1, prior.size).astype(int)]
    found: np.ndarray = inverse(start + slope * prior) - inverse(start)
    return found


def _link(facts: Facts) -> tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray]]:
    """Link of the outcome, and its inverse."""
    if not facts.binary:
        return (np.copy, np.copy) if facts.continuous else (np.log, np.exp)
    link, inverse = (
        (special.ndtri, special.ndtr) if facts.study.outcome.link == "probit" else (special.logit, special.expit)
    )
    # a risk that no double tells from 0 or 1 has no finite log odds
    return lambda risk: link(np.clip(risk, 1e-12, 1 - 1e-12)), inverse


def _effects(facts: Facts, wave: str, *, prior: bool = False) -> np.ndarray | None:
    group = facts.group("checks", "prior") if prior else facts.group("core", "posterior")
    if EFFECT not in group or wave not in group[EFFECT]["follow_up"].to_numpy():
        return None
    return facts.parameter(EFFECT, prior=prior, follow_up=wave).ravel()
