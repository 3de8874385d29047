"""The verdict, by property: what swapping the arms does to it, each limit against its own Monte Carlo error."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.text import decision
from reports.text.numbers import NotANumber


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
    assert decision.verdict(lower, upper, 0.10, lower_is_better=True) == expected
    assert decision.verdict(lower, upper, 0.10, lower_is_better=False) == opposite.get(expected, expected)
    assert decision.verdict(-upper, -lower, 0.10, lower_is_better=True) == opposite.get(expected, expected)


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
        decision.verdict(*bad, lower_is_better=True)


limits = st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5)).map(sorted)
small = st.floats(0, 0.05)


@given(limits, st.floats(0.01, 0.4), st.tuples(small, small), st.booleans())
def test_swapping_the_arms_swaps_benefit_and_harm_and_nothing_else(
    ends: list[float], margin: float, errors: tuple[float, float], lower_is_better: bool
) -> None:
    swapped = {"benefit": "harm", "harm": "benefit"}
    one = decision.verdict(*ends, margin, lower_is_better, errors)
    other = decision.verdict(-ends[1], -ends[0], margin, lower_is_better, errors[::-1])
    assert other == swapped.get(one, one)
    assert decision.verdict(*ends, margin, not lower_is_better, errors) == swapped.get(one, one)


@given(limits, st.floats(0.01, 0.4), st.tuples(small, small), st.booleans())
def test_a_verdict_is_one_that_no_move_within_monte_carlo_error_changes(
    ends: list[float], margin: float, errors: tuple[float, float], lower_is_better: bool
) -> None:
    told = decision.verdict(*ends, margin, lower_is_better, errors)
    left = decision.possible(*ends, margin, lower_is_better, errors)
    assert left[0] == decision.settled(*ends, margin, lower_is_better)
    if told != decision.AT_THE_MARGIN:
        assert left == [told]


@pytest.mark.parametrize(
    ("lower", "upper", "errors", "told"),
    [
        (-0.102, 0.02, (0.003, 0.0), "at the margin"),
        (-0.102, 0.02, (0.001, 0.05), "undecided"),  # each limit by its own error
        (-0.098, 0.02, (0.003, 0.0), "at the margin"),
        (-0.20, 0.102, (0.0, 0.003), "at the margin"),
        (-0.10, 0.02, (0.001, 0.001), "at the margin"),
        (-0.10, 0.02, (0.0, 0.0), "undecided"),
        (-0.09, 0.10, (0.0, 0.0), "undecided"),
        (-0.30, -0.099, (0.0, 0.002), "at the margin"),
        (-0.15, 0.02, (0.003, 0.003), "undecided"),
    ],
)
def test_each_limit_is_compared_with_its_own_error(
    lower: float, upper: float, errors: tuple[float, float], told: str
) -> None:
    assert decision.verdict(lower, upper, 0.1, True, errors) == told


@pytest.mark.parametrize("error", [math.nan, -0.1])
def test_an_error_that_is_no_number_raises(error: float) -> None:
    with pytest.raises(ValueError, match="Monte-Carlo error"):
        decision.verdict(-0.2, 0.2, 0.1, True, (error, 0.0))
