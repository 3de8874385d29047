"""Sentences on simulated trials, made from the rows of a calibration study by rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.calibration.operating_characteristics import FEW, UNMIXED
from reports.text.calibration_file import LEVEL, SHARE, Row, expected, most_excluding
from reports.text.numbers import INTERVAL, Number, fixed, show, unsigned
from reports.text.parts import Label, Sentence, joined, sentence
from reports.text.words import agreeing


def whole(number: int) -> Number:
    """A count as printed, thousands set apart."""
    return Number(number, fixed(number))


def points(share: float) -> Number:
    """An error of a share, in percentage points."""
    return unsigned(share, SHARE)


def sampled(about: Mapping[str, Any]) -> Sentence:
    """How many fits failed, and how many a single analysis would have questioned."""
    failed, found = int(about["failed"]), about.get("sampling")
    first = sentence(f"No fit of the {about['model']} model failed.")
    if failed:
        lost = f"{{failed}} fits of the {about['model']} model failed; they are in no number here."
        first = sentence(lost, failed=whole(failed))
    if not isinstance(found, Mapping):
        return first
    coarse = ", and {limited} an integral that should be finer" if found.get("limited") else ""
    reported = sentence(
        "Of {fits} fits, {unmixed} had an R-hat above {limit}, {few} fewer than {least} effective draws of some "
        f"parameter, {'' if coarse else 'and '}{{divergent}} a divergent transition{coarse}: {{doubtful}} had one of "
        "these, and they are counted in every number here.",
        limit=Number(UNMIXED, f"{UNMIXED:g}"),
        least=whole(FEW),
        **{name: whole(int(found[name])) for name in ("fits", "unmixed", "few", "divergent", "doubtful")},
        **({"limited": whole(int(found["limited"]))} if coarse else {}),
    )
    return joined(first, reported)


def held(row: Row) -> Sentence:
    """Coverage with truths from the prior beside what is expected of intervals that are right."""
    low, high = expected(row.replications)
    return sentence(
        "For {quantity}, the {interval} interval contained the true value in {share} of {trials} trials with true "
        "values drawn from the prior (Monte Carlo standard error {error} points). Correct intervals contain it in "
        "{low} to {high} of trials in {sure} of {sets} such studies.",
        quantity=Label(row.label),
        interval=INTERVAL,
        share=row.number("coverage"),
        trials=whole(row.replications),
        error=points(row["coverage_mcse"]),
        low=show(low, SHARE),
        high=show(high, SHARE),
        sure=whole(19),
        sets=whole(20),
    )


def held_in_short(row: Row) -> Sentence:
    """The same for a reader who is at another question, as what follows a colon."""
    low, high = expected(row.replications)
    return sentence(
        "coverage, the share of {interval} intervals of {quantity} that contain the truth, was {share} over {trials} "
        "trials with true values drawn from the prior (correct intervals: {low} to {high}).",
        interval=INTERVAL,
        quantity=Label(row.label),
        share=row.number("coverage"),
        trials=whole(row.replications),
        low=show(low, SHARE),
        high=show(high, SHARE),
    )


def left_out_in_short(row: Row) -> Sentence:
    """Type I error alone."""
    return sentence(
        "Type I error, the share of trials whose interval excludes 0 although the arms do not differ, was {share} "
        "over {trials} trials.",
        share=row.number("excludes_0"),
        trials=whole(row.replications),
    )


def inside(held: int, of: int) -> Sentence:
    """How many quantities have uniform ranks."""
    return sentence(
        "{held} of {of} quantities have ranks inside their simultaneous band; if everything is correct, all do in at "
        "least {sure} of {sets} such studies.",
        held=whole(held),
        of=whole(of),
        sure=whole(19),
        sets=whole(20),
    )


def at_the_truth(row: Row) -> Sentence:
    """Bias, coverage and power at the scenario's own truth."""
    exact = row.has("bias_mcse")  # of a single trial it is not known
    known = {"error": show(row["bias_mcse"], row.shown, row.digits)} if exact else {}
    about = " (Monte Carlo standard error {error})" if exact else ""
    first = sentence(
        "At one fixed truth, {truth} {unit}, bias, the mean error of the posterior mean, was {bias}"
        f"{about}; the interval contained the truth in {{share}} of "
        "{trials} trials",
        truth=row.number("truth"),
        unit=agreeing(row.number("truth").text, row.shown.name),
        bias=row.number("bias"),
        **known,
        share=row.number("coverage"),
        trials=whole(row.replications),
    )
    rest = sentence(".")
    if row.has("excludes_0") and row.has("sign_error"):
        words = ", excluded 0 in {power}, and lay on the wrong side of 0 in {wrong}."
        rest = sentence(words, power=row.number("excludes_0"), wrong=row.number("sign_error"))
    return Sentence((*first.pieces, *rest.pieces), {**first.numbers, **rest.numbers})


def under_no_effect(row: Row) -> Sentence:
    """How often 0 is left out although it is true, that less than 5% is expected, and what chance would allow."""
    by_shrinkage = "; about {shrunk} if prior and likelihood were normal" if row.has("expected_coverage") else ""
    return sentence(
        "Where the arms do not differ the interval excluded 0 in {share} of {trials} trials (Monte Carlo standard "
        "error {error} points). Less than {nominal} is expected: the prior draws estimates towards 0, so that "
        f"intervals contain 0 in more than {{interval}} of trials without an effect{by_shrinkage}. At a rate of "
        "{rate}, up to {most} would occur in {sure} of {sets} such studies.",
        share=row.number("excludes_0"),
        trials=whole(row.replications),
        error=points(row["excludes_0_mcse"]),
        nominal=show(1 - LEVEL, SHARE, 0),
        interval=INTERVAL,
        rate=show(1 - LEVEL, SHARE, 0),
        most=show(most_excluding(row.replications), SHARE),
        sure=whole(39),
        sets=whole(40),
        **({"shrunk": row.number("expected_coverage")} if by_shrinkage else {}),
    )
