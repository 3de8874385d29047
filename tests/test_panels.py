"""Small multiples: headings are written in full, and the panels of a row stand at one height."""

from __future__ import annotations

import pytest

from reports.figures import panels

NAMES = [
    ("risk, training plus microsavings", "6 months after the savings programme"),
    ("spread between participants, τ", ""),
    ("risk difference", "after the training"),
]


@pytest.mark.parametrize(("width", "columns"), [(430, 2), (760, 3)])
def test_headings_are_whole_and_rows_level(width: float, columns: int) -> None:
    places, height = panels.grid(NAMES, width, columns, 26, 100)
    for place, (quantity, wave) in zip(places, NAMES, strict=True):
        told = " ".join(words for words, _ in place.heading)
        assert told.casefold() == f"{quantity} {wave}".strip().casefold()
        assert place.top >= place.above + panels.LINE * len(place.heading)
        assert place.left + place.width <= width + 1e-9
    rows = [places[first : first + columns] for first in range(0, len(places), columns)]
    assert all(len({place.top for place in row}) == 1 for row in rows)
    assert height == rows[-1][0].top + 100
    assert [row[0].above for row in rows] == [0, *(row[0].top + 100 for row in rows[:-1])]
