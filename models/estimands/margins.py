"""Where an interval lies beside the margin, as far as its Monte-Carlo error lets one tell."""

from __future__ import annotations


def near(lower: float, upper: float, margin: float, errors: tuple[float, float]) -> tuple[bool, bool]:
    """Whether each limit of an interval lies within its own Monte-Carlo error of the margin, on either side of 0.

    Parameters
    ----------
    lower, upper, margin : float
        In one unit.
    errors : tuple of float
        Monte-Carlo standard error of each limit.

    Raises
    ------
    ValueError
        If an error is negative or no number.
    """
    if not all(error >= 0 for error in errors):
        raise ValueError(f"a Monte-Carlo error is 0 or more, not {errors}")
    low, high = (
        error > 0 and abs(abs(limit) - margin) <= error for limit, error in zip((lower, upper), errors, strict=True)
    )
    return low, high
