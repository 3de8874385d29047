"""The page on a design study: what trials of several sizes would find; sentences, curves and tables from its files."""

from __future__ import annotations

from itertools import product
from pathlib import Path

from reports.figures import assurance
from reports.figures.assurance import loss
from reports.simulations import simulation_page
from reports.simulations.design_sentences import SHARE, main, reached, requested
from reports.simulations.simulation_page import built
from reports.text import design_file
from reports.text.design_file import MEASURES, SHARES, WANTED, DesignStudy, Point, Shift
from reports.text.numbers import PLAIN, fixed, places, tick_text, unsigned
from reports.text.parts import Cell, Column, Label, Section, Sentence, Table, sentence
from reports.text.simulation_sentences import whole
from reports.text.words import capital, count

SETTINGS, TABLE = "design.json", "design.csv"
HEADS = {
    "assurance": Column("assurance", "P(benefit) > 0.95", "% (MCSE)", number=True),
    "narrow": Column("narrow", "Interval < margin", "% (MCSE)", number=True),
    "harm": Column("harm", "P(harm) > 0.95", "% (MCSE)", number=True),
    "coverage": Column("coverage", "Contains the truth", "% (MCSE)", number=True),
    "width": Column("width", "Width of the interval", "mean (MCSE)", number=True),
}
NONE = "—"
MOST_MARKS, MOST_ROWS = 900, 300
"""Marks in curves and rows in tables that a page has room for (1 MiB); `design.csv` beside it always holds all."""
MOST_TOLD = 6
"""True shifts up to which each has its sentence; of more, the lowest and the highest have."""
READ_CURVES = (
    "Each point: so many trials of that size were simulated with that true effect and that share of participants "
    "lost by chance alone, and each was analysed by the product’s own model and priors, with fewer draws. Upper "
    "panels: share of trials that end with a posterior probability of benefit (the better side of 0) above 0.95: at "
    "one true effect the power, over a spread of true effects the assurance, and where the true value is 0 the rate "
    "of false alarms. Then the share whose 95% interval is narrower than the margin, and the share that end with "
    "a probability of harm (the worse side of 0) above 0.95: where the truth is benefit or 0, false alarms of harm. "
    "Bars: 1.96 Monte Carlo standard errors; points of one size stand side by side. Lines join the "
    "sizes tried; between them nothing was simulated.",
)
READ_SMALLEST = (
    f"The first size tried from which on every larger size tried reaches {fixed(100 * WANTED)}% as well, by the "
    "share found, which Monte Carlo error may put on either side. “None tried” means that the largest size"
    " did not.",
)
READ_GRID = (
    "In brackets the Monte Carlo standard error: by how much a number would differ if other trials were simulated.",
)


def build(folder: Path) -> Path:
    """Write `report.html`, `tables/*.csv`, `figures/*.csv` and `figures/*.svg` into a design study's folder.

    Parameters
    ----------
    folder : Path
        Holds `design.json` and `design.csv`; equal files give equal bytes.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    InvalidInput
        If a file is missing or holds what it may not.
    reports.page.build.FigureFailed
        If a part of the page cannot be made.
    OSError
        If the folder cannot be written; an earlier page stays as it was.
    """
    study = design_file.read(folder / SETTINGS, folder / TABLE)
    sections = [
        built("the answer", lambda: _answer(study)),
        built("the curves", lambda: _curves(study)),
        built("the table", lambda: _grid(study)),
        built("the settings", lambda: simulation_page.again(study.about)),
    ]
    standfirst = f"What would trials of {_range(study)} find by the {study.text('model')} model?"
    numbered = simulation_page.numbered(sections)
    return simulation_page.write(folder, "Design study", study.text("title", 400), standfirst, numbered, study.about)


def _range(study: DesignStudy) -> str:
    sizes = study.sizes
    first = f"{fixed(sizes[0])} to " if len(sizes) > 1 else ""
    return first + count(sizes[-1], "participant")


def _answer(study: DesignStudy) -> Section:
    key = main(study)
    shifts = study.shifts if len(study.shifts) <= MOST_TOLD else [study.shifts[0], study.shifts[-1]]
    reported = {f"shift_{place}": reached(study, key, shift) for place, shift in enumerate(shifts)}
    table = smallest(study)
    return Section(
        0,
        "How large a trial is needed?",
        "",
        sentences=reported | {"asked": requested(study)},
        tables={table.name: table},
        values={"answer": True, "reading": READ_SMALLEST},
    )


def smallest(study: DesignStudy) -> Table:
    """First size that reaches the wanted share, by quantity, effect and end of the trial; one column an attrition."""
    columns = (
        Column("quantity", "Quantity"),
        Column("end", "Ends with"),
        *_shift_columns(study),
        *(Column(f"attrition_{place}", f"Attrition {loss(value)}", "participants", number=True)
          for place, value in enumerate(study.losses)),
    )  # fmt: skip
    rows = []
    for quantity, label in study.quantities.items():
        for certain, shift in product((True, False), study.shifts):
            measure = study.end(quantity, shift) if certain else "narrow"
            if (certain and study.nothing(quantity, shift)) or not _analysed(study, quantity, measure):
                continue
            cells = {"quantity": Cell(capital(label), label), "end": Cell(assurance.MEASURES[measure], measure)}
            cells |= _shift_cells(shift)
            for place, value in enumerate(study.losses):
                point = study.smallest(quantity, shift, value, measure)
                cells[f"attrition_{place}"] = (
                    Cell(fixed(point.participants), point.participants) if point else Cell("none tried", "none tried")
                )
            rows.append(cells)
    return Table(
        "smallest_sizes",
        f"First size tried from which on {fixed(100 * WANTED)}% of trials end so",
        columns,
        tuple(rows),
    )


def _shift_columns(study: DesignStudy) -> list[Column]:
    own = Column("effect", capital(study.shift_name), study.shift_unit, number=True)
    return [own, Column("mediated", "Mediators", "× as stated", number=True)] if study.moved else [own]


def _shift_cells(shift: Shift) -> dict[str, Cell]:
    factor = tick_text(shift.mediated, PLAIN)
    return {"effect": Cell(Shift(shift.effect).text, shift.effect), "mediated": Cell(factor, shift.mediated)}


def _analysed(study: DesignStudy, quantity: str, measure: str) -> bool:
    return any(point.has(measure) for point in study.points if point.quantity == quantity)


def _curves(study: DesignStudy) -> Section:
    shown = _room(study, len(assurance.MEASURES), MOST_MARKS)
    drawn = [assurance.draw(study, key, place) for place, key in enumerate(shown, start=1)]
    return Section(
        0,
        "What would trials of each size find?",
        "",
        sentences=_rest(study, shown),
        figures={figure.name: figure for figure in drawn},
        values={"reading": READ_CURVES},
    )


def _grid(study: DesignStudy) -> Section:
    shown = _room(study, 1, MOST_ROWS)
    made = {f"grid_{place}": _points(study, key, place) for place, key in enumerate(shown, start=1)}
    return Section(
        0,
        "What are the numbers?",
        "",
        sentences=_rest(study, shown),
        tables=made,
        values={"reading": READ_GRID},
    )


def _room(study: DesignStudy, each: int, most: int) -> list[str]:
    """Quantities that there is room for, the main one first: `each` marks or rows a point of the grid."""
    ordered = sorted(study.quantities, key=lambda key: key != main(study))
    points = len(study.points) // len(ordered)
    return ordered[: max(1, most // (each * points))]


def _rest(study: DesignStudy, shown: list[str]) -> dict[str, Sentence]:
    """Where to find those for which there is no room; nothing where there is room for all."""
    left = len(study.quantities) - len(shown)
    if not left:
        return {}
    reported = "This page has no room for {left} of {all} quantities: {file} beside it has their numbers."
    return {"rest": sentence(reported, left=whole(left), all=whole(len(study.quantities)), file=Label(TABLE))}


def _points(study: DesignStudy, quantity: str, place: int) -> Table:
    found = [point for point in study.points if point.quantity == quantity]
    shown = [name for name in MEASURES if any(point.has(name) for point in found)]
    columns = (
        Column("participants", "Participants", number=True),
        Column("attrition", "Attrition", number=True),
        *_shift_columns(study),
        Column("truth", "True value" + ", centre" * bool(study.spread), found[0].shown.name, number=True),
        *(HEADS[name] for name in shown),
    )
    extra = ("quantity", "replications", *(f"{name}_mcse" for name in shown))
    unit = found[0].shown.name
    caption = f"{capital(study.quantities[quantity])}: what trials ended with" + (f"; width in {unit}" if unit else "")
    ordered = sorted(found, key=lambda point: (point.shift, point.participants, point.attrition))
    return Table(f"grid_{place}", caption, columns, tuple(_row(point, shown) for point in ordered), extra)


def _row(point: Point, shown: list[str]) -> dict[str, Cell]:
    true = point.true_value
    cells = {
        "participants": Cell(fixed(point.participants), point.participants),
        "attrition": Cell(loss(point.attrition), point.attrition),
        **_shift_cells(point.shift),
        "truth": Cell(true.text if true else NONE, point.truth),
        "quantity": Cell("", point.quantity),
        "replications": Cell("", point.replications),
    }
    for name in shown:
        cells[name] = _cell(point, name)
        cells[f"{name}_mcse"] = Cell("", point[f"{name}_mcse"])
    return cells


def _cell(point: Point, name: str) -> Cell:
    if not point.has(name):
        return Cell(NONE, point[name])
    unit = SHARE if name in SHARES else point.shown
    error = point[f"{name}_mcse"]
    digits = unit.decimals if name in SHARES else min(unit.decimals, places(error, unit) + 1) if error == error else 1
    text = unsigned(point[name], unit, digits).text
    reported = f" ({unsigned(error, unit, digits).text})" if error == error else ""
    return Cell(text + reported, point[name], "estimate" if name == "assurance" else "")
