"""What a page is made of: sentences, tables, figures and sections, each carrying its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Formatter
from typing import Any

from reports.text.numbers import Number


@dataclass(frozen=True)
class Label:
    """Words that came from the study file; set apart on the page so that their direction cannot spread."""

    text: str


@dataclass(frozen=True)
class Strong:
    """A word to be seen first, such as the verdict."""

    text: str


Piece = str | Label | Strong | Number
"""What a sentence is made of."""


@dataclass(frozen=True)
class Sentence:
    """Prose whose every number came from the run.

    Attributes
    ----------
    pieces : tuple of str, Label, Strong or Number
        In reading order.
    numbers : mapping of str to Number
        The numbers by name, as `report.json` holds them.
    """

    pieces: tuple[Piece, ...]
    numbers: Mapping[str, Number] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The sentence as plain text."""
        return "".join(piece if isinstance(piece, str) else piece.text for piece in self.pieces)


def sentence(template: str, **slots: Piece) -> Sentence:
    """Fill `{name}` slots with words, labels or numbers; a slot without content raises KeyError."""
    pieces: list[Piece] = []
    for literal, name, _, _ in Formatter().parse(template):
        if literal:
            pieces.append(literal)
        if name is not None:
            pieces.append(slots[name])
    used = {name: slot for name, slot in slots.items() if isinstance(slot, Number)}
    return Sentence(tuple(pieces), used)


def joined(*sentences: Sentence) -> Sentence:
    """Sentences one after the other, numbers and all; a name that stands twice gets a number."""
    pieces: list[Piece] = []
    numbers: dict[str, Number] = {}
    for one in sentences:
        pieces += [" ", *one.pieces] if pieces else [*one.pieces]
        for name, number in one.numbers.items():
            numbers[name if name not in numbers else f"{name}_{len(numbers)}"] = number
    return Sentence(tuple(pieces), numbers)


@dataclass(frozen=True)
class Cell:
    """One cell: the text on the page and the value in the CSV (None where nothing may be told)."""

    text: str
    value: float | int | str | bool | None = None
    kind: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Marked(Cell):
    """A cell that a mark precedes, set in a style of the page."""

    mark: str = ""
    style: str = ""


@dataclass(frozen=True)
class Linked(Cell):
    """A cell whose `places`, words within its text, lead to ids on the page."""

    places: tuple[tuple[str, str], ...] = ()

    @property
    def runs(self) -> list[tuple[str, str]]:
        """The text in reading order, each run with the id that it leads to, or ""."""
        found, rest = [], self.text
        for words, target in self.places:
            before, there, rest = rest.partition(words)
            found += [(before, ""), (there, target)]
        return [run for run in [*found, (rest, "")] if run[0]]


@dataclass(frozen=True)
class Column:
    """One column: key in the CSV, head on the page, unit under the head, numbers set right."""

    key: str
    head: str
    unit: str = ""
    number: bool = False


@dataclass(frozen=True)
class Table:
    """A table; the first column heads its rows. Rows map column keys to cells; extra keys go to the CSV only."""

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Mapping[str, Cell], ...]
    extra: tuple[str, ...] = ()
    note: str = ""

    @property
    def header(self) -> tuple[str, ...]:
        """Column names of the CSV."""
        return (*(column.key for column in self.columns), *self.extra)


@dataclass(frozen=True)
class Figure:
    """A figure in two widths, with its data.

    Attributes
    ----------
    title : str
        The message, as set above the figure.
    description : str
        What a reader who cannot see it must know, numbers included.
    wide, narrow : str
        SVG elements, for a screen and for a phone.
    columns, rows
        The data behind it, as `figures/<name>.csv` holds them.
    """

    name: str
    title: str
    description: str
    wide: str
    narrow: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Section:
    """One question of the page and what answers it; `reason` says why it is not run or withheld."""

    number: int
    question: str
    template: str
    status: str = "shown"
    reason: str = ""
    sentences: Mapping[str, Sentence] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    figures: Mapping[str, Figure] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
