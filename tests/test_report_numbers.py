"""Printing a number: digits by Monte Carlo error, signs, bounds."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.numbers import EVENTS, LARGE, PLAIN, POINTS, RATIO, RISK, NotANumber, places, probability, show


@given(st.floats(1e-6, 1.0), st.sampled_from([RISK, RATIO, EVENTS]))
def test_the_last_digit_is_at_least_twice_the_error(mcse: float, unit) -> None:
    digits = places(mcse, unit)
    # 1e-6 is the guard against rounding in log10; it is far below any digit
    if digits > 0:  # whole units are always printed
        assert mcse * unit.factor <= 0.5 * 10.0**-digits * (1 + 1e-6)
    assert digits >= 0
    if digits < unit.decimals:  # and no digit is withheld without need
        assert mcse * unit.factor > 0.5 * 10.0 ** -(digits + 1) * (1 - 1e-6)


@pytest.mark.parametrize(
    ("value", "unit", "mcse", "printed"),
    [
        (0.1234, RISK, 0.004, "12%"),
        (0.1234, RISK, 0.0004, "12.3%"),
        (0.1234, RISK, 0.00001, "12.3%"),
        (0.1234, RISK, 0.03, "12%"),
        (0.125, RISK, 0.004, "13%"),
        (-0.125, POINTS, 0.004, "−13"),
        (0.575, RISK, 0.004, "58%"),
        (0.006, RISK, 0.3, "1%"),
        (0.994, RISK, 0.3, "99%"),
        (-0.034, POINTS, 0.004, "−3"),
        (-0.0004, POINTS, 0.004, "0"),
        (0.0, POINTS, 0.0, "0.0"),
        (0.837, RATIO, 0.006, "0.8"),
        (0.837, RATIO, 0.004, "0.84"),
    ],
)
def test_printed(value: float, unit, mcse: float, printed: str) -> None:
    assert show(value, unit, places(mcse, unit)).text == printed


@pytest.mark.parametrize(
    ("value", "ess", "printed"),
    [
        (0.0, 4000, "< 0.01"),
        (1.0, 4000, "> 0.99"),
        (0.991, 4000, "> 0.99"),
        (0.99, 1e9, "0.99"),
        (0.01, 1e9, "0.01"),
        (0.6321, 4000, "0.6"),
        (0.6321, 20_000, "0.63"),
        (0.03, 4000, "0.03"),
    ],
)
def test_probabilities(value: float, ess: float, printed: str) -> None:
    # the error at p = 0.63 and 4000 independent draws is 0.0076, more than half of 0.01: one decimal
    assert probability(value, ess).text == printed


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.1, 1.1])
def test_what_is_no_probability_raises(value: float) -> None:
    with pytest.raises(NotANumber):
        probability(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_raises(value: float) -> None:
    with pytest.raises(NotANumber):
        show(value)


def test_absurd_numbers_are_bounded_and_thousands_are_set_apart() -> None:
    assert show(2 * LARGE).text == "> 100\u202f000"
    assert show(-2 * LARGE).text == "< −100\u202f000"
    assert show(12345.0, PLAIN, 0).text == "12\u202f345"
