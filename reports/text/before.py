"""What was believed of the difference before the data, given what the control arm is now known to be like.

A prior of the effect's own parameter θ says little of a risk difference until the control arm's risk is given: spread
over every risk that the prior of the levels allows, it makes the data look as if they had taught more than they did.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reports.text.facts import Facts
from reports.text.numbers import Number, probability

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
    """Prior probabilities of the difference at a wave; None where the run has no draws of it."""
    found = differences(facts, wave)
    if found is None:
        return None
    gain, margin = (-found if facts.lower_is_better else found), facts.study.outcome.margin
    shares = ((gain > 0), (gain > margin), (gain < -margin), (np.abs(gain) < margin))
    return Chances(*(probability(float(share.mean())) for share in shares))


def differences(facts: Facts, wave: str) -> np.ndarray | None:
    """Prior draws of the difference, the control arm being as estimated; None where the run has none."""
    if "prior_given_control" not in facts.run.tree.children:
        return None
    found = facts.group("prior_given_control")
    if facts.scale.difference not in found or wave not in found["contrast"].to_numpy():
        return None
    return found[facts.scale.difference].sel(contrast=wave).to_numpy().ravel()


def _effects(facts: Facts, wave: str, *, prior: bool = False) -> np.ndarray | None:
    group = facts.group("prior" if prior else "posterior")
    if EFFECT not in group or wave not in group[EFFECT]["follow_up"].to_numpy():
        return None
    return facts.parameter(EFFECT, prior=prior, follow_up=wave).ravel()
