"""A page on simulated trials, calibration or design: sections set one after the other, and its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from reports.page import build
from reports.text import report_files
from reports.text.parts import Cell, Column, Section, Table
from reports.text.words import clean, short


def write(
    folder: Path, kicker: str, title: str, standfirst: str, sections: Sequence[Section], about: Mapping[str, object]
) -> Path:
    """Set the page and write it with its tables and figures into a study's folder.

    Parameters
    ----------
    folder : Path
        Where the study lies; other files in it are left alone.
    kicker, title, standfirst : str
        Head of the page, as plain text.
    sections : sequence of Section
        What it says; the template shows sentences, figures, tables and `values["reading"]` in this order.
    about : mapping
        Settings of the study.

    Raises
    ------
    OSError
        If the folder cannot be written; an earlier page stays as it was.
    """
    text = build.rendered(
        "simulations.html.j2",
        kicker=kicker,
        title=short(title, 160),
        standfirst=short(standfirst, 400),
        command=clean(about["command"]),
        sections=sections,
    )
    files = {report_files.PAGE: text}
    for section in sections:
        for name, table in section.tables.items():
            files[f"tables/{name}.csv"] = build.table_csv(table)
        for name, figure in section.figures.items():
            files[f"figures/{name}.svg"] = build.alone(figure, simulated=True)
            files[f"figures/{name}.csv"] = report_files.csv_text(figure.columns, figure.rows)
    report_files.write(folder, files)
    return folder / report_files.PAGE


def built(what: str, make: Callable[[], Section]) -> Section:
    """Compose a section; what fails stops the page by its name, so that nothing vanishes from it unsaid."""
    try:
        return make()
    except Exception as error:
        raise build.FigureFailed(f"{what} could not be built: {type(error).__name__}: {error}") from error


def numbered(sections: Sequence[Section]) -> list[Section]:
    """Number sections from 1 in their order, with every value that the template asks for."""
    plain: dict[str, object] = {"answer": False, "lines": (), "reading": (), "command": False, "form": "stack"}
    return [
        replace(section, number=place, values={**plain, **section.values}) for place, section in enumerate(sections, 1)
    ]


def settings(about: Mapping[str, object]) -> Table:
    """Every setting of a study that a reader needs to run it again, tables within it opened."""
    rows = []
    for key, value in about.items():
        if key in ("schema", "command", "title") or value is None:
            continue
        parts = value.items() if isinstance(value, Mapping) else [("", value)]
        for inner, content in parts:
            name = short(", ".join(part.replace("_", " ") for part in (str(key), str(inner)) if part), 80)
            text = _listed(content)
            rows.append({"setting": Cell(name, name), "value": Cell(short(text, 200), text, _kind(key))})
    columns = (Column("setting", "Setting"), Column("value", "Value"))
    return Table("settings", "Settings, software and code", columns, tuple(rows))


def again(about: Mapping[str, object]) -> Section:
    """The section that says how to run a study again."""
    table = settings(about)
    return Section(
        0,
        "How to get the same numbers again?",
        "",
        tables={table.name: table},
        values={"command": True, "form": "plain"},
    )


def _kind(key: str) -> str:
    return "code" if key.endswith("sha256") else ""


def _listed(value: object) -> str:
    return ", ".join(str(part) for part in value) if isinstance(value, list) else str(value)
