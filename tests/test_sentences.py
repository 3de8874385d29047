"""The sentences that answer, by property: what flips when the arms are swapped, what must not move, what must raise."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports import sentences
from reports.estimate import Estimate
from reports.numbers import MINUS, NotANumber, Number
from reports.parts import Label
from reports.sentences import Answer

NUMBER = re.compile(r"(?:[<>] )?−?\d[\d\u202f]*(?:\.\d+)?%?")
FORBIDDEN = re.compile(r"significan|prove|no effect|trend|likely|clearly|strong", re.IGNORECASE)


def estimate(
    draws: np.ndarray, margin: float, lower_is_better: bool, estimand: str = "risk_difference", arm: str = ""
) -> Estimate:
    """A summary row computed from draws, as `models.summary` does."""
    lower, median, upper = np.quantile(draws, [0.025, 0.5, 0.975])
    harm = draws if lower_is_better else -draws
    return Estimate(
        estimand=estimand,
        label=estimand,
        unit="risk",
        average="population",
        arm=arm,
        wave="6 months",
        evidence="randomised",
        assumptions="",
        primary=True,
        median=median,
        mean=draws.mean(),
        sd=draws.std(),
        lower=lower,
        upper=upper,
        prior_median=0.0,
        prior_sd=0.1,
        prior_lower=-0.2,
        prior_upper=0.2,
        contraction=0.5,
        mcse_median=0.002,
        mcse_lower=0.003,
        mcse_upper=0.003,
        ess_bulk=4000.0,
        ess_tail=4000.0,
        rhat=1.0,
        p_below_zero=float((draws < 0).mean()),
        p_benefit=float((harm < 0).mean()),
        p_harm_beyond_margin=float((harm > margin).mean()),
        p_within_margin=float((np.abs(draws) < margin).mean()),
        p_benefit_beyond_margin=float((harm < -margin).mean()),
    )


def about(
    treated: np.ndarray,
    control: np.ndarray,
    margin: float,
    lower_is_better: bool = True,
    names: tuple[str, str] = ("savings", "training"),
) -> Answer:
    """An answer from draws of the two risks."""
    return Answer(
        estimate(treated - control, margin, lower_is_better),
        estimate(treated, margin, lower_is_better, "risk", "treated"),
        estimate(control, margin, lower_is_better, "risk", "control"),
        Label(names[0]),
        Label(names[1]),
        Label("violence"),
        "6 months",
        Number(margin, f"{100 * margin:.0f}"),
        lower_is_better,
        True,
        "percentage points",
    )


@st.composite
def risks(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Draws of two risks; an odd number, so that the median of the difference is itself a draw and never both signs."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    centre = [draw(st.floats(0.05, 0.95)) for _ in range(2)]
    spread = draw(st.sampled_from([5.0, 50.0, 500.0]))
    treated, control = (rng.beta(c * spread, (1 - c) * spread, 501) for c in centre)
    return treated, control


def negative(text: str) -> str:
    """The same number with the other sign, as printed."""
    return text if text == "0" else text.removeprefix(MINUS) if text.startswith(MINUS) else MINUS + text


@settings(max_examples=60, deadline=None)
@given(risks(), st.sampled_from([0.05, 0.1, 0.2]), st.booleans())
def test_swapping_the_arms_flips_every_sign_and_number(
    pair: tuple[np.ndarray, np.ndarray], margin: float, lower_is_better: bool
) -> None:
    one = about(*pair, margin, lower_is_better)
    other = about(*pair[::-1], margin, lower_is_better, ("training", "savings"))
    a, b = sentences.a1(one), sentences.a1(other)
    assert (a.numbers["r1"].text, a.numbers["r0"].text) == (b.numbers["r0"].text, b.numbers["r1"].text)
    assert a.numbers["rd"].text == negative(b.numbers["rd"].text)
    assert (a.numbers["lo"].text, a.numbers["hi"].text) == (
        negative(b.numbers["hi"].text),
        negative(b.numbers["lo"].text),
    )
    assert a.text.index("savings") < a.text.index("training")
    assert b.text.index("training") < b.text.index("savings")
    assert sentences.a2(one).numbers["p"].value == pytest.approx(1 - sentences.a2(other).numbers["p"].value)
    assert sentences.a2(one).numbers["ph"].value == other.difference.p_benefit_beyond_margin
    assert sentences.a2(one).numbers["pin"].text == sentences.a2(other).numbers["pin"].text
    flipped = {
        "Benefit": "Harm",
        "Harm": "Benefit",
        "fall": "rise",
        "rise": "fall",
        "lower": "higher",
        "higher": "lower",
        "savings": "training",
    }
    better = "For this outcome a rise is better."
    assert (better in sentences.a3(one).text) == (better in sentences.a3(other).text) != lower_is_better
    words = [flipped.get(word, word) for word in re.findall(r"\w+", sentences.a3(one).text.replace(better, ""))]
    assert sorted(words) == sorted(re.findall(r"\w+", sentences.a3(other).text.replace(better, "")))


@settings(max_examples=40, deadline=None)
@given(risks(), st.floats(0.01, 0.9), st.floats(0.01, 0.9))
def test_the_margin_never_changes_a1(pair: tuple[np.ndarray, np.ndarray], first: float, second: float) -> None:
    assert sentences.a1(about(*pair, first)) == sentences.a1(about(*pair, second))


@settings(max_examples=60, deadline=None)
@given(risks(), st.sampled_from([0.05, 0.1, 0.2]), st.booleans())
def test_every_number_in_the_prose_is_one_of_its_numbers(
    pair: tuple[np.ndarray, np.ndarray], margin: float, lower_is_better: bool
) -> None:
    one = about(*pair, margin, lower_is_better)
    for made in (sentences.a1(one), sentences.a2(one), sentences.a3(one)):
        printed = {number.text for number in made.numbers.values()} | {"6"}
        assert {found for found in NUMBER.findall(made.text)} <= printed
        assert not FORBIDDEN.search(made.text)


@pytest.mark.parametrize(
    ("lower", "upper", "expected"),
    [
        (-0.30, -0.11, "benefit"),
        (-0.30, -0.10, "benefit"),
        (0.10, 0.30, "harm"),
        (0.11, 0.30, "harm"),
        (-0.09, 0.09, "equivalent"),
        (-0.10, 0.09, "undecided"),
        (-0.09, 0.10, "undecided"),
        (-0.30, 0.0, "undecided"),
        (0.0, 0.30, "undecided"),
        (-0.30, 0.30, "undecided"),
        (-0.05, -0.02, "equivalent"),
        (0.10, 0.10, "harm"),
        (-0.10, -0.10, "benefit"),
    ],
)
def test_verdict_by_interval_and_margin(lower: float, upper: float, expected: str) -> None:
    opposite = {"benefit": "harm", "harm": "benefit"}
    assert sentences.verdict(lower, upper, 0.10, lower_is_better=True) == expected
    assert sentences.verdict(lower, upper, 0.10, lower_is_better=False) == opposite.get(expected, expected)
    assert sentences.verdict(-upper, -lower, 0.10, lower_is_better=True) == opposite.get(expected, expected)


@pytest.mark.parametrize(
    "bad",
    [
        (math.nan, 0.1, 0.1),
        (0.0, math.nan, 0.1),
        (0.0, 0.1, math.nan),
        (0.2, 0.1, 0.1),
        (0.0, 0.1, 0.0),
        (0.0, 0.1, -1.0),
    ],
)
def test_a_verdict_without_numbers_raises(bad: tuple[float, float, float]) -> None:
    with pytest.raises(NotANumber):
        sentences.verdict(*bad, lower_is_better=True)


@pytest.mark.parametrize(
    ("lower", "upper", "holds", "excludes"),
    [
        (-0.2, 0.05, "a fall of 10", "a rise of 10"),
        (-0.05, 0.2, "a rise of 10", "a fall of 10"),
        (-0.2, 0.2, "a rise of 10", None),
    ],
)
def test_an_undecided_answer_says_what_the_interval_holds_and_excludes(
    lower: float, upper: float, holds: str, excludes: str | None
) -> None:
    one = about(np.full(9, 0.4), np.full(9, 0.4), 0.1)
    text = sentences.a3(replace(one, difference=replace(one.difference, lower=lower, upper=upper))).text
    assert text.startswith("Undecided")
    assert "the data cannot say which" in text
    assert holds in text.split("lies outside")[0]
    if excludes:
        assert re.search(rf"{excludes} percentage points or more lies outside it\.$", text)
    else:
        assert "outside" not in text


def test_a_limit_within_monte_carlo_error_of_the_margin_is_told() -> None:
    one = about(np.full(9, 0.4), np.full(9, 0.4), 0.1)
    near = replace(one, difference=replace(one.difference, lower=-0.102, upper=0.02))
    far = replace(one, difference=replace(one.difference, lower=-0.15, upper=0.02))
    assert "a longer run could change this" in sentences.a3(near).text
    assert "longer run" not in sentences.a3(far).text


@pytest.mark.parametrize(("share", "printed"), [(0.0, "< 0.01"), (1.0, "> 0.99")])
def test_certain_probabilities_are_printed_as_bounds(share: float, printed: str) -> None:
    one = about(np.full(9, 0.4), np.full(9, 0.4), 0.1)
    sure = replace(one.difference, p_below_zero=share, p_benefit=share)
    assert (
        f"lowers the risk is {printed}, by 10 percentage points or more"
        in sentences.a2(replace(one, difference=sure)).text
    )


@pytest.mark.parametrize("field", ["median", "lower", "upper", "mcse_median"])
def test_a1_with_a_missing_number_raises(field: str) -> None:
    one = about(np.full(9, 0.4), np.full(9, 0.3), 0.1)
    with pytest.raises(NotANumber):
        sentences.a1(replace(one, difference=replace(one.difference, **{field: math.nan})))


@pytest.mark.parametrize("field", ["p_benefit", "p_below_zero", "p_harm_beyond_margin", "p_within_margin"])
def test_a2_with_a_missing_probability_raises(field: str) -> None:
    one = about(np.full(9, 0.4), np.full(9, 0.3), 0.1)
    with pytest.raises(NotANumber):
        sentences.a2(replace(one, difference=replace(one.difference, **{field: math.nan})))


def test_a_probability_that_contradicts_its_direction_raises() -> None:
    one = about(np.linspace(0.2, 0.3, 99), np.full(99, 0.4), 0.1)
    assert "lowers the risk is > 0.99" in sentences.a2(one).text
    with pytest.raises(NotANumber, match="contradict"):
        sentences.a2(replace(one, lower_is_better=False))


def test_a_benefit_raises_the_outcome_where_higher_is_better() -> None:
    one = about(np.full(99, 0.6), np.full(99, 0.3), 0.1, lower_is_better=False)
    assert "raises the share is > 0.99" in sentences.a2(one).text
    assert "lowers the share by 10 percentage points or more, < 0.01" in sentences.a2(one).text
    assert "have violence" in sentences.a1(one).text
    assert "For this outcome a rise is better." in sentences.a3(one).text
    assert sentences.a3(one).text.startswith(
        "Benefit: the whole interval lies at or beyond 10 percentage points, higher with savings"
    )


@pytest.mark.parametrize(("shift", "verb"), [(-0.3, "fell by 30"), (0.3, "rose by 30")])
def test_t1_tells_the_change_and_that_its_cause_is_not_identified(shift: float, verb: str) -> None:
    change = estimate(np.full(99, shift), 0.1, True, "change", "control")
    text = sentences.t1(change, Label("training"), Label("violence"), "before", "6 months", "percentage points").text
    assert text.startswith(f"By the model, violence {verb} percentage points in the training arm")
    assert "not identified" in text
    assert not FORBIDDEN.search(text)


@pytest.mark.parametrize(("middle", "told"), [(0.01, "changed by +1 percentage point "), (-0.02, "changed by −2 ")])
def test_a_change_whose_interval_holds_0_has_a_sign_and_no_direction(middle: float, told: str) -> None:
    change = estimate(middle + np.linspace(-0.1, 0.1, 99), 0.1, True, "change", "control")
    text = sentences.t1(change, Label("training"), Label("violence"), "before", "6 months", "percentage points").text
    assert told in text


def test_a2_tells_a_benefit_beyond_the_margin() -> None:
    one = about(np.linspace(0.1, 0.3, 99), np.full(99, 0.35), 0.1)
    said = sentences.a2(one)
    assert said.numbers["pb"].value == one.difference.p_benefit_beyond_margin
    assert f"by 10 percentage points or more {said.numbers['pb'].text};" in said.text


@pytest.mark.parametrize(
    ("model", "crude", "shift", "told"),
    [
        (0.10, 0.15, -0.01, "The prior pulls this difference towards 0"),
        (-0.10, -0.15, 0.01, "The prior pulls this difference towards 0"),
        (0.10, 0.15, 0.01, "The model pulls this difference towards 0"),
        (0.20, 0.15, -0.01, "The model puts this difference further from 0"),
        (-0.02, 0.15, 0.0, "The model turns this difference round"),
    ],
)
def test_what_pulls_the_difference_follows_from_the_numbers(
    model: float, crude: float, shift: float, told: str
) -> None:
    assert sentences._pull(model, crude, shift) == told


def test_a_ratio_limit_that_excludes_1_is_not_printed_as_1() -> None:
    one = replace(
        estimate(np.full(99, 0.8), 0.1, True, "risk_ratio"),
        unit="ratio",
        lower=0.6,
        median=0.8,
        upper=0.97,
        mcse_lower=0.01,
        mcse_median=0.01,
        mcse_upper=0.02,
    )
    assert one.number("upper").text == "0.97"
    # within Monte Carlo error of 1 it cannot be told from 1
    assert replace(one, mcse_upper=0.04).number("upper").text == "1.0"
