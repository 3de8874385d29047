"""The sentences that answer, by property: what flips when the arms are swapped, what must not move, what must raise."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.text import decision, sentences
from reports.text.before import Chances
from reports.text.estimate import ReportedEstimate as Estimate
from reports.text.numbers import MINUS, NotANumber, Number, score_decimals
from reports.text.parts import Label
from reports.text.sentences import Answer

NUMBER = re.compile(r"(?:[<>] )?−?\d[\d\u202f]*(?:\.\d+)?%?")
FORBIDDEN = re.compile(r"significan|prove|no effect|trend|likely|clearly|strong", re.IGNORECASE)


def estimate(
    draws: np.ndarray, margin: float, lower_is_better: bool, estimand: str = "risk_difference", arm: str = ""
) -> Estimate:
    """A summary row computed from draws, as `models.estimands.summary` does."""
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
        assumptions=(),
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


def settled(one: Answer) -> Answer:
    """The same without Monte Carlo error at the limits."""
    return replace(one, difference=replace(one.difference, mcse_lower=0.0, mcse_upper=0.0))


def negative(text: str) -> str:
    """The same number with the other sign, as printed."""
    return text if text == "0.0" else text.removeprefix(MINUS) if text.startswith(MINUS) else MINUS + text


@settings(max_examples=60, deadline=None)
@given(risks(), st.sampled_from([0.05, 0.1, 0.2]), st.booleans())
def test_swapping_the_arms_flips_every_sign_and_number(
    pair: tuple[np.ndarray, np.ndarray], margin: float, lower_is_better: bool
) -> None:
    one = settled(about(*pair, margin, lower_is_better))
    other = settled(about(*pair[::-1], margin, lower_is_better, ("training", "savings")))
    a, b = sentences.a1(one), sentences.a1(other)
    assert (a.numbers["r1"].text, a.numbers["r0"].text) == (b.numbers["r0"].text, b.numbers["r1"].text)
    assert a.numbers["rd"].text == b.numbers["rd"].text
    assert a.numbers["rd"].value == pytest.approx(-b.numbers["rd"].value)
    assert ("lower by" in a.text, "higher by" in a.text) == ("higher by" in b.text, "lower by" in b.text)
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
    for said in (sentences.c1(one), sentences.c1(other)):
        assert said.text.index("savings") < said.text.index("training") or said.text.startswith(said.numbers["r1"].text)
    plain = {"benefit": "harm", "harm": "benefit"}
    ends = [sentences.c1(made).text.partition(": ")[2] for made in (one, other)]
    assert sorted(plain.get(word, word) for word in re.findall(r"\w+", ends[0])) == sorted(re.findall(r"\w+", ends[1]))
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
    for made in (sentences.c1(one), sentences.a1(one), sentences.a2(one), sentences.a3(one)):
        printed = {number.text for number in made.numbers.values()} | {"6"}
        assert {found for found in NUMBER.findall(made.text)} <= printed
        assert not FORBIDDEN.search(made.text)


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


def test_at_the_margin_names_the_limit_and_what_it_leaves_open() -> None:
    one = about(np.full(9, 0.4), np.full(9, 0.4), 0.1)
    near = replace(one, difference=replace(one.difference, lower=-0.102, upper=0.02))
    told = sentences.a3(near).text
    assert told.startswith("At the margin: the lower limit of the interval lies within Monte Carlo error of 10 ")
    assert "more draws would make it undecided or equivalent" in told
    assert "too close to call" in sentences.c1(near).text
    wide = replace(one, difference=replace(one.difference, lower=-0.102, upper=0.2))
    assert "it is undecided either way" in sentences.a3(wide).text
    far = replace(one, difference=replace(one.difference, lower=-0.15, upper=0.02))
    assert sentences.a3(far).text.startswith("Undecided")


@pytest.mark.parametrize(
    ("lower", "upper", "told"),
    [
        (-0.3, -0.12, "a benefit big enough to matter"),
        (-0.2, -0.02, "a benefit; whether it is big enough to matter, these data cannot say"),
        (-0.2, 0.05, "no harm big enough to matter; whether there is such a benefit, these data cannot say"),
        (-0.05, 0.05, "no difference big enough to matter"),
        (-0.05, -0.02, "no difference big enough to matter"),
        (-0.2, 0.2, "whether there is a benefit or a harm big enough to matter, these data cannot say"),
    ],
)
def test_the_answer_in_plain_words(lower: float, upper: float, told: str) -> None:
    one = about(np.full(9, 0.4), np.full(9, 0.4), 0.1)
    found = replace(one.difference, lower=lower, upper=upper, mcse_lower=0.0, mcse_upper=0.0)
    said = sentences.c1(replace(one, difference=found)).text
    assert said == f"40.0% with savings and 40.0% with training experience violence: {told}."
    turned = sentences.c1(replace(one, difference=replace(found, lower=-upper, upper=-lower))).text
    swap = {"benefit": "harm", "harm": "benefit"}
    flip = re.sub("benefit or a harm|benefit|harm", lambda word: swap.get(word[0], word[0]), told)
    assert turned.endswith(f": {flip}.")


def test_the_rule_names_every_verdict() -> None:
    for word in (decision.BENEFIT, decision.HARM, decision.EQUIVALENT, decision.UNDECIDED):
        assert word in sentences.RULE.text


def test_a_prior_probability_stands_beside_each_probability() -> None:
    one = replace(
        about(np.linspace(0.1, 0.3, 99), np.full(99, 0.35), 0.1),
        prior=Chances(*(Number(value, f"{value}") for value in (0.51, 0.21, 0.11, 0.68))),
    )
    said = sentences.a2(one)
    shown = {name: said.numbers[f"{name}_prior"].text for name in ("p", "pb", "ph", "pin")}
    assert shown == {"p": "0.51", "pb": "0.21", "ph": "0.11", "pin": "0.68"}
    for name, prior in shown.items():
        assert re.search(rf"{said.numbers[name].text} \(.*?{prior}\)", said.text)
    assert "before the data" not in sentences.a2(replace(one, prior=None)).text


@pytest.mark.parametrize(("share", "printed"), [(0.0, "< 0.01"), (1.0, "> 0.99")])
def test_certain_probabilities_are_printed_as_bounds(share: float, printed: str) -> None:
    one = about(np.full(9, 0.4), np.full(9, 0.4), 0.1)
    sure = replace(one.difference, p_below_zero=share, p_benefit=share)
    assert (
        f"lowers the risk is {printed}, by 10 percentage points or more"
        in sentences.a2(replace(one, difference=sure)).text
    )


@pytest.mark.parametrize("field", ["median", "lower", "upper"])
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


@pytest.mark.parametrize(("shift", "verb"), [(-0.3, "fell by 30.0"), (0.3, "rose by 30.0")])
def test_t1_tells_the_change_and_that_its_cause_is_not_identified(shift: float, verb: str) -> None:
    change = estimate(np.full(99, shift), 0.1, True, "change", "control")
    text = sentences.t1(change, Label("training"), Label("violence"), "before", "6 months", "percentage points").text
    assert text.startswith(f"By the model, violence {verb} percentage points in the training arm")
    assert "not identified" in text
    assert not FORBIDDEN.search(text)


@pytest.mark.parametrize(
    ("middle", "told"), [(0.01, "changed by +1.0 percentage points "), (-0.02, "changed by −2.0 ")]
)
def test_a_change_whose_interval_holds_0_has_a_sign_and_no_direction(middle: float, told: str) -> None:
    change = estimate(middle + np.linspace(-0.1, 0.1, 99), 0.1, True, "change", "control")
    text = sentences.t1(change, Label("training"), Label("violence"), "before", "6 months", "percentage points").text
    assert told in text


def test_a2_tells_a_benefit_beyond_the_margin() -> None:
    one = about(np.linspace(0.1, 0.3, 99), np.full(99, 0.35), 0.1)
    said = sentences.a2(one)
    assert said.numbers["pb"].value == one.difference.p_benefit_beyond_margin
    assert f"by 10 percentage points or more {said.numbers['pb'].text};" in said.text


def refit(median: float, prior_sd: float) -> Estimate:
    """The primary difference under another prior; its Monte Carlo error is 0.002."""
    return replace(estimate(np.full(9, median), 0.1, True), median=median, prior_sd=prior_sd)


@pytest.mark.parametrize(
    ("model", "crude", "others", "told"),
    [
        (0.10, 0.15, [(0.06, 0.05), (0.13, 0.2)], "The prior pulls this difference towards 0"),
        (-0.10, -0.15, [(-0.06, 0.05)], "The prior pulls this difference towards 0"),
        (0.10, 0.15, [(0.06, 0.05), (0.06, 0.2)], "The model pulls this difference towards 0"),
        (0.10, 0.15, [(0.13, 0.05)], "The model pulls this difference towards 0"),
        (0.10, 0.15, [(0.097, 0.05)], "The model pulls this difference towards 0"),  # within 2 × 0.002 × √2
        (0.10, 0.15, [], "The model pulls this difference towards 0"),
        (0.20, 0.15, [(0.06, 0.05)], "The model puts this difference further from 0"),
        (-0.02, 0.15, [], "The model reverses the sign of this difference"),
    ],
)
def test_that_the_prior_pulls_is_said_only_where_refits_bear_it_out(
    model: float, crude: float, others: list[tuple[float, float]], told: str
) -> None:
    assert sentences._pull(refit(model, 0.1), crude, [refit(*other) for other in others]) == told


@pytest.mark.parametrize(
    ("unit", "sd", "printed"),
    [
        ("risk", 1, "12.3"),
        ("ratio", 1, "0.12"),
        ("events", 12, "0.1"),
        ("units", 2, "0.12"),
        ("units", 40, "0"),
    ],
)
def test_decimals_belong_to_the_quantity_whatever_the_monte_carlo_error(unit: str, sd: float, printed: str) -> None:
    for error in (1e-9, 0.2):
        one = replace(estimate(np.full(9, 0.123), 0.1, True), unit=unit, mcse_median=error, digits=score_decimals(sd))
        one = one if unit in ("events", "units") else replace(one, digits=None)
        assert one.number("median").text == printed


def test_the_line_of_conclusion_says_where_another_prior_gives_another_verdict():
    made = about(np.full(9, 0.4), np.full(9, 0.4), 0.1)
    assert sentences.c1(made, ["the prior"]).text.endswith(", but that depends on the prior.")
    assert "depends" not in sentences.c1(made).text
