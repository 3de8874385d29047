"""Printing a number: digits by Monte Carlo error, signs, bounds."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.text.numbers import (
    EVENTS,
    LARGE,
    PLAIN,
    POINTS,
    RATIO,
    RISK,
    NotANumber,
    places,
    probability,
    score_decimals,
    show,
    supported,
)


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
    ("value", "printed"),
    [
        (0.0, "< 0.01"),
        (1.0, "> 0.99"),
        (0.991, "> 0.99"),
        (0.99, "0.99"),
        (0.01, "0.01"),
        (0.6321, "0.63"),
        (0.03, "0.03"),
    ],
)
def test_probabilities(value: float, printed: str) -> None:
    assert probability(value).text == printed


@pytest.mark.parametrize(
    ("sd", "decimals"), [(12, 1), (5, 1), (2, 2), (20, 1), (30, 0), (3000, 0), (0.5, 2), (0, 2), (math.nan, 2)]
)
def test_the_last_digit_of_a_score_is_at_most_a_thirtieth_of_its_sd(sd: float, decimals: int) -> None:
    assert score_decimals(sd) == decimals


@given(st.floats(1e-4, 1e6))
def test_no_digit_of_a_score_is_finer_than_it_need_be(sd: float) -> None:
    digits = score_decimals(sd)
    assert digits == 0 or 10.0**-digits <= sd / 30 * (1 + 1e-6)
    assert digits in (0, 6) or 10.0 ** (1 - digits) > sd / 30 * (1 - 1e-6)


@pytest.mark.parametrize(("mcse", "fine"), [(0.0004, True), (0.0005, True), (0.0006, False), (0.0, True)])
def test_a_digit_is_supported_by_an_error_of_half_of_it(mcse: float, fine: bool) -> None:
    assert supported(mcse, POINTS) is fine


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
