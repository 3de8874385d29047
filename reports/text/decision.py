"""The rule that turns an interval into a verdict, and whether the verdict is the same under other priors."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from models.estimands.margins import near
from reports.text import sensitivities
from reports.text.estimate import ReportedEstimate
from reports.text.facts import Facts
from reports.text.numbers import NotANumber

BENEFIT, HARM, EQUIVALENT, UNDECIDED = "benefit", "harm", "equivalent", "undecided"
AT_THE_MARGIN = "at the margin"
FALL, SMALL, RISE = "fall", "small", "rise"
"""Zones of a difference, the better one first: where more of the outcome is better, a rise counts as the fall."""
_VERDICTS: dict[tuple[str, ...], str] = {(FALL,): BENEFIT, (SMALL,): EQUIVALENT, (RISE,): HARM}


def zones(lower: float, upper: float, margin: float, lower_is_better: bool) -> tuple[str, ...]:
    """Zones that an interval reaches into; a difference of the margin or more matters, a smaller one does not."""
    if not (lower <= upper and margin > 0):
        raise NotANumber(f"an interval needs lower ≤ upper and a margin above 0, not {lower}, {upper}, {margin}")
    low, high = (lower, upper) if lower_is_better else (-upper, -lower)
    reached = {FALL: low <= -margin, SMALL: low < margin and high > -margin, RISE: high >= margin}
    return tuple(zone for zone, inside in reached.items() if inside)


def settled(lower: float, upper: float, margin: float, lower_is_better: bool) -> str:
    """Verdict on an interval whose limits are known without error: an interval in two zones is undecided."""
    return _VERDICTS.get(zones(lower, upper, margin, lower_is_better), UNDECIDED)


def verdict(
    lower: float, upper: float, margin: float, lower_is_better: bool, errors: tuple[float, float] = (0.0, 0.0)
) -> str:
    """Where an interval lies, unless a limit lies within its own Monte Carlo error of the margin.

    Parameters
    ----------
    lower, upper, margin : float
        Limits of the 95% interval and the smallest difference that matters.
    lower_is_better : bool
        Direction of a benefit.
    errors : tuple of float
        Monte Carlo errors of the two limits, each compared with its own limit.
    """
    decided = settled(lower, upper, margin, lower_is_better)
    return AT_THE_MARGIN if any(near(lower, upper, margin, errors)) else decided


def possible(
    lower: float, upper: float, margin: float, lower_is_better: bool, errors: tuple[float, float]
) -> list[str]:
    """Verdicts that limits within their Monte Carlo errors would give, the printed limits' own first."""
    limits = zip((lower, upper), errors, strict=True)
    ends = product(*((limit, limit - error, limit + error) for limit, error in limits))
    found = (settled(low, high, margin, lower_is_better) for low, high in ends if low <= high)
    return list(dict.fromkeys(found))


def errors(estimate: ReportedEstimate) -> tuple[float, float]:
    """Monte Carlo errors of an estimate's limits."""
    return estimate.mcse_lower, estimate.mcse_upper


def moved(facts: Facts, estimate: ReportedEstimate, by: float) -> str:
    """Verdict on a difference of the primary outcome whose interval lies so far from where it is, without error."""
    return verdict(estimate.lower + by, estimate.upper + by, facts.study.outcome.margin, facts.lower_is_better)


def of(facts: Facts, estimate: ReportedEstimate) -> str:
    """Verdict on a difference of the primary outcome."""
    margin = facts.study.outcome.margin
    return verdict(estimate.lower, estimate.upper, margin, facts.lower_is_better, errors(estimate))


def by_prior(facts: Facts) -> dict[str, list[str]]:
    """Names of the shipped prior sets by the verdict under each, that of the analysis first."""
    found: dict[str, list[str]] = {}
    for name, estimate in _under_each(facts):
        found.setdefault(of(facts, estimate), []).append(name)
    return found


def depends_on_prior(facts: Facts) -> bool:
    """Whether a shipped prior set gives another verdict than the analysis."""
    return len(by_prior(facts)) > 1


def _under_each(facts: Facts) -> Iterator[tuple[str, ReportedEstimate]]:
    name = sensitivities.named(facts.manifest["priors"]["name"])
    yield f"{name} (as analysed)", facts.estimate(facts.scale.difference, facts.primary)
    for refit in sensitivities.refits(facts, "priors"):
        found = refit.find(facts.scale.difference, facts.primary)
        if found and refit.ships:
            yield sensitivities.named(refit.name), found
