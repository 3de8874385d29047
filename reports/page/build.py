"""The page: sections composed, set and written beside the run that they were read from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup, escape

from reports.page import record
from reports.sections import (
    section_00_file,
    section_01_answer,
    section_02_computation,
    section_03_people,
    section_04_assumptions,
    section_05_waves,
    section_06_paths,
    section_07_prediction,
    section_08_priors,
    section_09_what_if,
    section_10_recovery,
    section_11_other,
    section_12_items,
    section_13_again,
)
from reports.text import gate_status, report_files, theme
from reports.text.facts import Facts
from reports.text.numbers import INTERVAL, Number
from reports.text.parts import Figure, Label, Piece, Section, Sentence, Strong, Table
from reports.text.words import clean, count, short

if TYPE_CHECKING:
    from models.runs.folder import Run

TEMPLATES = Path(__file__).parent / "templates"
COMPOSED: tuple[Any, ...] = (
    section_00_file,
    section_01_answer,
    section_02_computation,
    section_03_people,
    section_04_assumptions,
    section_05_waves,
    section_06_paths,
    section_07_prediction,
    section_08_priors,
    section_09_what_if,
    section_10_recovery,
    section_11_other,
    section_12_items,
    section_13_again,
)
"""Sections that this edition fills; each module has NUMBER, QUESTION, ESTIMATES, TABLES, FIGURES and compose.

One whose estimates come from another fit than the first says by `judged` whose gate decides on it, None where there
is no such fit. One with READS_OTHERS is composed last, from the other sections.
"""


_SECTION = re.compile(r"§\s(1[0-3]|\d)\b")
SIMULATED = '<text class="stop-text strong" x="756" y="12" text-anchor="end">SIMULATED DATA</text>'
"""On every drawing that leaves the page, where the data are simulated."""


class FigureFailed(RuntimeError):  # noqa: N818 - named after what happened
    """A section could not be built; the message names it. The report stops: nothing vanishes from it unsaid."""


def build(run: Run, show_anyway: bool = False) -> None:
    """Write the report into the run's folder; equal runs give equal bytes.

    Parameters
    ----------
    run : models.runs.folder.Run
        A complete saved run.
    show_anyway : bool
        Print estimates although the gate is red, beside the reason why not to use them.

    Raises
    ------
    FigureFailed
        If a table or figure cannot be built.
    OSError
        If the folder cannot be written; an earlier report stays as it was.

    Notes
    -----
    Writes `report.html`, `report.json` (schema: `reports/report.schema.json`), `checklist.csv`, `tables/*.csv`,
    `figures/*.svg` and `figures/*.csv`.
    """
    facts = Facts(run, show_anyway)
    sections = compose(facts)
    files = {
        report_files.PAGE: html(facts, sections),
        report_files.RECORD: record.text(facts, sections),
        "checklist.csv": section_12_items.csv_text(sections),
        **_data(facts, sections),
    }
    report_files.write(run.folder, files)


def compose(facts: Facts) -> list[Section]:
    """All sections in the order of the page."""
    made: list[Section] = []
    for module in sorted(COMPOSED, key=_reads_others):
        made.append(_composed(facts, module, made))
    return sorted(made, key=lambda section: section.number)


def _reads_others(module: Any) -> bool:
    return getattr(module, "READS_OTHERS", False)


def _composed(facts: Facts, module: Any, others: Sequence[Section]) -> Section:
    judged: Facts | None = getattr(module, "judged", lambda first: first)(facts)
    if module.ESTIMATES and judged and judged.withheld:
        return Section(module.NUMBER, module.QUESTION, "withheld.html.j2", "withheld", judged.withheld)
    try:
        section: Section = module.compose(facts, *([others] if _reads_others(module) else []))
    except Exception as error:
        raise FigureFailed(
            f"section {module.NUMBER} ({module.QUESTION}) could not be built: {type(error).__name__}: {error}"
        ) from error
    if module.ESTIMATES and judged and judged.gate.status == "red" and section.status == "shown":
        return replace(section, reason=judged.verdict_reason)
    return section


def html(facts: Facts, sections: Sequence[Section]) -> str:
    """Page as one string."""
    counted, status = gate_status.counted(facts), gate_status.status(facts)
    passed = sum(one.check.passed for one in counted)
    every = f"{passed} of {count(len(counted), 'check')} pass"
    badge = f"{every}." if status == "green" else f"{every}. {short(gate_status.reason(facts), 260)}"
    return rendered(
        "page.html.j2",
        title=short(facts.study.title, 160),
        question=short(facts.study.question, 400),
        simulated=facts.study.simulated,
        manifest=facts.manifest,
        status=status,
        badge=badge,
        sections=sections,
    )


def rendered(template: str, **values: Any) -> str:
    """Fill a template; it finds the stylesheet of every page as `css`."""
    css = (
        theme.stylesheet()
        + (TEMPLATES / "style.css").read_text(encoding="utf-8")
        + (TEMPLATES / "figure.css").read_text(encoding="utf-8")
    )
    return _environment().get_template(template).render(css=css, **values)


@cache
def _environment() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(TEMPLATES)
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"prose": prose, "markup": Markup, "short": short, "clean": clean, "breakable": breakable}
    environment.filters["linked"] = linked
    return environment


def prose(sentence: Sentence) -> Markup:
    """Sentence as HTML: labels kept apart from the text around them, numbers unbroken and machine-readable."""
    return Markup("").join(_set(piece) for piece in sentence.pieces)


def breakable(text: object) -> Markup:
    """Escaped text whose words may break every 20 characters where they are longer than 24: hashes, hostile labels."""
    words = str(text).split(" ")
    return Markup(" ").join(Markup("<wbr>").join(_pieces(word)) for word in words)


def linked(text: object) -> Markup:
    """Escaped text in which "§ 7" leads to that section; for the page's own words, never for a study's."""
    return Markup(_SECTION.sub(r'<a href="#section-\1">§ \1</a>', str(escape(text))))


def _pieces(word: str) -> list[str]:
    return [word] if len(word) <= 24 else [word[start : start + 20] for start in range(0, len(word), 20)]


def _set(piece: Piece) -> Markup:
    if isinstance(piece, Label):
        return Markup("<bdi>{}</bdi>").format(piece.text)
    if isinstance(piece, Strong):
        return Markup("<strong>{}</strong>").format(piece.text)
    if piece is INTERVAL:
        return Markup(INTERVAL.text)
    if isinstance(piece, Number):
        return Markup('<data value="{}">{}</data>').format(f"{piece.value:.8g}", piece.text)
    return linked(piece)


def _data(facts: Facts, sections: Sequence[Section]) -> dict[str, str]:
    """Tables and figures as files; withheld ones keep their names and say why."""
    files: dict[str, str] = {}
    by_number = {section.number: section for section in sections}
    for module in COMPOSED:
        section = by_number[module.NUMBER]
        for name in module.TABLES:
            reason = section.reason or str(section.values.get(f"{name}_reason", ""))
            files[f"tables/{name}.csv"] = table_csv(section.tables.get(name), reason)
        for name in module.FIGURES:
            files |= _figure_files(
                facts, name, section.figures.get(name), section.reason or str(section.values.get(f"{name}_reason", ""))
            )
    return files


def table_csv(table: Table | None, reason: str = "") -> str:
    """A table as CSV; the reason alone where there is no table."""
    if table is None:
        return report_files.csv_text(("reason",), [(reason,)])
    return report_files.csv_text(
        table.header,
        (
            [row[key].text if row[key].value is None and row[key].text else row[key].value for key in table.header]
            for row in table.rows
        ),
    )


def _figure_files(facts: Facts, name: str, figure: Figure | None, reason: str) -> dict[str, str]:
    if figure is None:
        drawing = (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 60" role="img">'
            f'<title>{escape(reason)}</title><text x="8" y="34">{escape(short(reason, 90))}</text>'
            f"{SIMULATED if facts.study.simulated else ''}</svg>\n"
        )
        return {f"figures/{name}.svg": drawing, f"figures/{name}.csv": report_files.csv_text(("reason",), [(reason,)])}
    return {
        f"figures/{name}.svg": alone(figure, facts.study.simulated),
        f"figures/{name}.csv": report_files.csv_text(figure.columns, figure.rows),
    }


def alone(figure: Figure, simulated: bool) -> str:
    """Figure as a file of its own: its colours inside, and the word that the data are simulated."""
    css = (
        theme.stylesheet("svg")
        + (TEMPLATES / "figure.css").read_text(encoding="utf-8")
        + "svg{background:var(--paper)}"
    )
    head, rest = figure.wide.split("</desc>", 1)
    mark = SIMULATED if simulated else ""
    return f"{head}</desc><style>{css}</style>{rest.removesuffix('</svg>')}{mark}</svg>\n"


def names() -> Mapping[str, tuple[str, ...]]:
    """Tables and figures that every report writes, whatever the run."""
    return {
        "tables": tuple(name for module in COMPOSED for name in module.TABLES),
        "figures": tuple(name for module in COMPOSED for name in module.FIGURES),
    }
