"""The gate in words: what each check means, what it found and its limits, as pages print them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Any

from models.checks.gate_limits import AGREEMENT_ERRORS, AGREEMENT_SDS
from models.checks.gate_table import Check, CheckName, Kind, Status
from models.trial.study_file.study import Study
from reports.text import elements
from reports.text.numbers import MINUS, Number
from reports.text.outcome_words import SCALES
from reports.text.parts import Label, Sentence, sentence
from reports.text.words import short

SIGNS = {Kind.AT_MOST: "≤", Kind.BELOW: "<", Kind.AT_LEAST: "≥"}
NOT_APPLICABLE = "not applicable"
EXTRA_ZEROS = {"cells": "counts that are 0 whoever is asked", "participants": "participants who never have any"}
"""Kinds of zeros beyond the model (`zero_inflation.KINDS`)."""
POWERS = {"high": Number(1.25, "1.25"), "low": Number(0.8, "0.8")}


@dataclass(frozen=True)
class WordedCheck:
    """A check as printed.

    Attributes
    ----------
    check : Check
        As the run holds it.
    found, green : Sentence
        What was found, and what passes.
    element : str
        Where it is worst; empty where there is only one place. Names no code and no participant.
    amber : str
        What is to be looked at; whatever is beyond is red.
    text : str
        What the check means and what to do when it fails, or why there was nothing to check.
    """

    check: Check
    found: Sentence
    element: str
    green: Sentence
    amber: str
    text: str

    @property
    def record(self) -> dict[str, Any]:
        """For `report.json`: everything as printed."""
        named = {"name": self.check.name, "status": self.check.status, "value": self.found.text}
        return named | {"element": self.element, "green": self.green.text, "amber": self.amber, "text": self.text}

    def reported(self, name: str) -> str:
        """What was found, where it is worst and the limit, under a name: "R-hat: 1.04 (spread; pass: ≤ 1.01)"."""
        passes = self.green.text and f"pass: {self.green.text}"
        beside = "; ".join(part for part in (self.element, passes) if part)
        return f"{name}: {self.found.text}" + (f" ({beside})" if beside else "")


@dataclass(frozen=True)
class _Words:
    """How one check is told: what it means, its figure, the format and unit of its limits, limits that are words."""

    meaning: str
    found: Callable[[Check, Study], Sentence]
    limit: str = "g"
    unit: str = ""
    green: Callable[[Check], Sentence] | None = None
    amber: str | None = None


def worded(check: Check, study: Study) -> WordedCheck:
    """Words for a check of a run of that study."""
    words = WORDS[check.name]
    return WordedCheck(
        check,
        words.found(check, study) if check.applies else sentence(NOT_APPLICABLE),
        elements.every(check.where, study),
        words.green(check) if words.green else limit(check, good=True),
        words.amber if words.amber is not None else limit(check, good=False).text,
        _text(check, words.meaning),
    )


def _text(check: Check, meaning: str) -> str:
    """What it means, or in its place what was found in words: why nothing was checked, what the data check says."""
    if check.remarks and (check.limit is None or not check.applies):
        return " ".join(check.remarks)
    return meaning.format(checks=", ".join(check.figures))


def limit(check: Check, *, good: bool) -> Sentence:
    """What passes (`good`) or is to be looked at, in print; empty where no figure decides."""
    held, words = check.limit, WORDS[check.name]
    if held is None:
        return sentence("")
    if not good and held.never_amber:
        return sentence("never")
    value = held.good if good else held.fair
    if not isfinite(value):
        return sentence("below; never red" if held.kind is Kind.AT_LEAST else "above; never red")
    if value == 0:
        return sentence("{limit}", limit=Number(0.0, "0"))
    return sentence(f"{SIGNS[held.kind]} {{limit}}{words.unit}", limit=_number(value, words.limit))


def _number(value: float, form: str) -> Number | str:
    if not isfinite(value):
        return "not known"
    return Number(float(value), format(value, form).replace("-", MINUS))


def _shown(form: str, unit: str = "") -> Callable[[Check, Study], Sentence]:
    """The figure and its unit; that it is not known where it is not."""

    def reported(check: Check, _: Study) -> Sentence:
        if not isfinite(check.value):
            return sentence("not known")
        return sentence(f"{{value}}{unit}", value=_number(check.value, form))

    return reported


def _figures(check: Check, **forms: str) -> dict[str, Number | str]:
    return {name: _number(check.figures[name], form) for name, form in forms.items()}


def _counted(lacking: str) -> Callable[[Check, Study], Sentence]:
    """How many of how many, or what it means that nobody counted."""

    def reported(check: Check, _: Study) -> Sentence:
        if not check.figures:
            return sentence(lacking)
        return sentence("{count} of {of}", **_figures(check, count=".0f", of=".0f"))

    return reported


def _cells(check: Check, _: Study) -> Sentence:
    return sentence("{count} of {of}", count=_number(check.value, ".0f"), **_figures(check, of=".0f"))


def _complete(check: Check, _: Study) -> Sentence:
    return sentence("{chains} × {draws}", **_figures(check, chains=".0f", draws=".0f"))


def _planned(check: Check) -> Sentence:
    planned = _figures(check, planned_chains=".0f", planned_draws=".0f")
    return sentence("{planned_chains} × {planned_draws}, finite", **planned)


def _power(check: Check, study: Study) -> Sentence:
    scale = SCALES[study.outcome.kind]
    factor, unit = scale.difference_unit.factor, scale.short_unit
    shift = check.figures["shift"]
    # two digits with their sign, large numbers without an exponent
    moved = (
        Number(shift, f"{float(f'{factor * shift:.2g}'):+g}".replace("-", MINUS)) if isfinite(shift) else "not known"
    )
    reported = (
        f"{{value}}; priors that count {{high}} times in place of {{low}} times move the median by {{moved}} {unit}"
    )
    return sentence(reported, value=_number(check.value, ".2f"), moved=moved, **POWERS)


def _data(check: Check, _: Study) -> Sentence:
    return sentence("{count} found", count=_number(check.value, ".0f")) if check.value else sentence("nothing")


def _spreads(check: Check, _: Study) -> Sentence:
    figures = _figures(check, observed=".3g", lower=".3g", upper=".3g")
    reported = "{value}; observed {observed}, expected {lower} to {upper}"
    return sentence(reported, value=_number(check.value, ".2f"), **figures)


def _zeros(check: Check, _: Study) -> Sentence:
    if not check.value > 0:
        return sentence("{value}", value=Number(0.0, "0"))
    ((kind, share),) = check.figures.items()
    numbers = {"value": _number(check.value, ".1f"), "share": _number(share, ".0%")}
    return sentence(f"{{value}}; {{share}} {EXTRA_ZEROS[kind]}", **numbers)


def _means(check: Check, _: Study) -> Sentence:
    figures = _figures(check, expected=".3g", observed=".3g")
    return sentence("{value}; expected {expected}, observed {observed}", value=_number(check.value, ".1f"), **figures)


def _width(check: Check, _: Study) -> Sentence:
    side = "wider" if check.figures["ratio"] > 1 else "narrower"
    return sentence(f"{{value}} times {side}", value=_number(check.value, ".2f"))


def _groups(check: Check, study: Study) -> Sentence:
    slots: dict[str, Number | str | Label] = {}
    for name, number in _figures(check, control=".0f", treated=".0f").items():
        slots |= {f"n_{name}": number, name: Label(short(getattr(study.arms, name).label, 40))}
    return sentence("{n_control} in {control}, {n_treated} in {treated}", **slots)


def _agreement(_: Check) -> Sentence:
    numbers = {"sds": _number(AGREEMENT_SDS, "g"), "errors": _number(AGREEMENT_ERRORS, "d")}
    return sentence("≤ {sds} SD + {errors} Monte-Carlo errors", **numbers)


def _data_hash(check: Check, _: Study) -> Sentence:
    return sentence("equal" if check.status is Status.GREEN else "changed")


def _fixed(text: str) -> Callable[[Check], Sentence]:
    return lambda _: sentence(text)


_FEW = "Fewer effective draws mean larger Monte-Carlo error."
_ERROR = "Error of the simulation itself, against the smallest difference that matters; more draws shrink it."
_ROBUST = (
    "The standard error that the model claims, its prior taken out, beside that of the baseline-adjusted regression, "
    "which needs no model of spreads or correlations. Far apart, the model's interval is too narrow or too wide for "
    "these data."
)
WORDS = {
    CheckName.COMPLETE: _Words(
        "A run cut short, or a value that is not a number, cannot be trusted.", _complete, green=_planned
    ),
    CheckName.R_HAT: _Words(
        "Chains that agree have R-hat near 1; run longer, or look for a parameter that the data do not inform.",
        _shown(".2f"),
        ".2f",
    ),
    CheckName.CORE_ESS: _Words(_FEW, _shown(".0f"), ".0f"),
    CheckName.OTHER_ESS: _Words(_FEW, _shown(".0f"), ".0f"),
    CheckName.MEDIAN_ERROR: _Words(_ERROR, _shown(".1%", " of the margin"), ".0%", " of the margin"),
    CheckName.INTERVAL_ERROR: _Words(_ERROR, _shown(".1%", " of the margin"), ".0%", " of the margin"),
    CheckName.DIVERGENCES: _Words(
        "A divergence means that part of the posterior was not explored.",
        _counted("not recorded"),
        ".1%",
        " of draws",
    ),
    CheckName.TREE_DEPTH: _Words(
        "Trajectories cut short explore slowly.", _counted("not recorded"), ".0%", " of draws"
    ),
    CheckName.ENERGY: _Words("A low value means that heavy tails were explored slowly.", _shown(".2f"), ".1f"),
    CheckName.PARETO_K: _Words(
        "Of whoever is left out in turn, those on whom the fit leans so much that leaving them out is not known.",
        _counted("not run"),
        ".0%",
        " of those left out",
    ),
    CheckName.CELLS: _Words(
        "The model was fitted to these cells, so that fewer than 1 in 20 fall outside; more mean that it misses a "
        "wave or an arm.",
        _cells,
    ),
    CheckName.TAILS: _Words(
        "How unusual under the model what was observed is, the rarest of these: {checks}.", _shown(".3f")
    ),
    CheckName.POWER_SCALING: _Words(
        "Above the limit the median leans on the priors; below it they may still decide the verdict (§ 8).",
        _power,
        ".2f",
    ),
    CheckName.CONTRACTION: _Words(
        "By how much the variance of the effect on the link scale (log odds, log mean or mean; of all paths together) "
        "fell from its prior's; other follow-ups lend to it. Below a third the prior counts more than twice as much as "
        "the data.",
        _shown(".2f"),
    ),
    CheckName.SUMS: _Words(
        "Direct and indirect effects must add up to the total at every draw, parts of a change to the change.",
        _shown(".0e"),
        ".0e",
        amber="",
    ),
    CheckName.INTEGRATION: _Words(
        "Averages over participants are taken at finitely many points; the spread over sets of points measures it.",
        _shown(".1e", " of the posterior variance"),
        ".0%",
        " of the posterior variance",
    ),
    CheckName.DISTRIBUTIONS: _Words(
        "How often a mediator with the assumed distribution would look so unlike it (its values' leave-one-out "
        "probabilities, § 7). Below the limit it has another shape: declare it as a share or as yes or no, analyse its "
        "logarithm, or take the family with heavier tails.",
        _shown(".4f"),
    ),
    CheckName.GROUPS: _Words(
        "Groups, not participants, are what the comparison rests on. With few, the prior on their spread decides much "
        "of the interval (§ 8), and each of them counts.",
        _groups,
    ),
    CheckName.DATA: _Words(
        "What a trial's data say against its analysis, before any fit.",
        _data,
        green=_fixed("nothing"),
        amber="as found",
    ),
    CheckName.SPREADS: _Words(
        "The model gives each wave and arm a standard deviation of its own; the arms share that of a baseline. Beyond "
        "1 one lies outside the band that holds all of them in 99.5% of trials: intervals are then too narrow or too "
        "wide. Look for extreme values, or read the standardised result beside the model's.",
        _spreads,
        unit=" times the edge of the band",
    ),
    CheckName.ZEROS: _Words(
        "How much likelier the counts are if some zeros are of another kind (twice the log likelihood ratio). Above "
        "the limit the negative binomial is the wrong model: its means and intervals cannot be trusted. Analyse "
        "whether there was any event as a yes-or-no outcome, or use a model with zeros of their own.",
        _zeros,
        unit=" (likelihood ratio)",
    ),
    CheckName.MEANS: _Words(
        "The model's mean and the mean of the counts diverge: the model does not fit, and more draws would not help. "
        "Excess zeros, or a few very high counts, inflate the spread of participants' levels, whose mean grows "
        "with exp(SD²/2). Model the zeros separately (any event, yes or no), or use heavier-tailed levels.",
        _means,
        unit=" crude standard errors",
    ),
    CheckName.WIDTH: _Words(_ROBUST, _width, unit=" times narrower or wider"),
    CheckName.WIDTH_OF_COUNTS: _Words(_ROBUST, _width, unit=" times narrower or wider"),
    CheckName.PLACE: _Words(
        "What the data alone say by the model, beside the baseline-adjusted estimate. Far apart, the model does "
        "not describe the data.",
        _shown(".1f"),
        unit=" robust standard errors",
    ),
    CheckName.AGREEMENT: _Words(
        "Both models estimate the same total; where they part, one of them is misspecified or its priors pull.",
        _shown(".2f", " posterior SD"),
        green=_agreement,
        amber="above",
    ),
    CheckName.DATA_HASH: _Words(
        "The data file must not change while it is analysed; run again.",
        _data_hash,
        green=_fixed("equal"),
    ),
}
"""Of every check that a gate may hold."""
