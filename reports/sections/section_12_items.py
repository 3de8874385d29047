"""Section 12: which reporting items are met."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from models.trial.study_file import author
from reports.text import checklist, report_files
from reports.text.checklist import GIVEN, NOT_APPLICABLE, NOT_SHOWN, PARTLY, SHOWN, STATUSES, TO_WRITE, Finding
from reports.text.facts import Facts
from reports.text.numbers import Number
from reports.text.parts import Cell, Column, Linked, Section, Sentence, Table, sentence
from reports.text.words import capital, clean, listed

NUMBER, QUESTION, ESTIMATES, READS_OTHERS = 12, "Which reporting items are met?", False, True
LISTS = {guideline.key: f"items_{guideline.key}" for guideline in checklist.guidelines()}
TABLES = ("items", "items_open", "items_author", *LISTS.values())
FIGURES: tuple[str, ...] = ()
MARKS = {SHOWN: "✓", GIVEN: "✓", PARTLY: "◐", TO_WRITE: "!", NOT_SHOWN: "○", NOT_APPLICABLE: "–"}
HEADS = {
    SHOWN: "Shown",
    GIVEN: "Given",
    PARTLY: "Partly",
    TO_WRITE: "To write",
    NOT_SHOWN: "Not shown",
    NOT_APPLICABLE: "Do not apply",
}
CSV = ("guideline", "item", "words", "status", "where_or_text")
"""Columns of `checklist.csv`."""


def compose(facts: Facts, others: Sequence[Section]) -> Section:
    """How many items are met, what is missing, the author's texts, and every item; `others` are the page's sections."""
    page = {section.number: section for section in others}
    found, said = checklist.check(facts, page), author.stated(facts.study.author)
    tables = {
        "items": _counts(found),
        "items_open": _open(found, page),
        "items_author": _author(said),
        **{name: _list(found, key, page) for key, name in LISTS.items()},
    }
    values = {
        "lists": [
            (guideline.about, guideline.source, tables[LISTS[guideline.key]], _none_applies(found, guideline.key))
            for guideline in checklist.guidelines()
        ],
        "csv": [(one, checklist.where(one, said)) for one in found],
        "doubts": [clean(note) for note in author.doubts(facts.study.author)],
    }
    return Section(
        NUMBER, QUESTION, "section_12.html.j2", sentences={"items": _lead(found)}, tables=tables, values=values
    )


def csv_text(sections: Sequence[Section]) -> str:
    """`checklist.csv`: every item with its status, where it stands or the author's own text."""
    rows = next(section for section in sections if section.number == NUMBER).values["csv"]
    return report_files.csv_text(
        CSV, ((one.guideline.name, one.item.number, one.item.words, one.status, text) for one, text in rows)
    )


def _lead(found: Sequence[Finding]) -> Sentence:
    counts = {status.replace(" ", "_"): sum(one.status == status for one in found) for status in STATUSES}
    be = {name: "is" if number == 1 else "are" for name, number in counts.items()}
    do = "does" if counts["not_applicable"] == 1 else "do"
    return sentence(
        f"{{shown}} of {{all}} reporting items {be['shown']} shown on this page, {{given}} {be['given']} given by the "
        f"study’s author, {{partly}} {be['partly']} met in part, {{to_write}} {be['to_write']} for the "
        f"author to write, {{not_shown}} {be['not_shown']} not shown and {{not_applicable}} {do} not apply.",
        all=Number(len(found), str(len(found))),
        **{name: Number(number, str(number)) for name, number in counts.items()},
    )


def _counts(found: Sequence[Finding]) -> Table:
    columns = (
        Column("guideline", "Guideline"),
        Column("all", "Items", number=True),
        *(Column(status.replace(" ", "_"), HEADS[status], number=True) for status in STATUSES),
    )
    rows = []
    for guideline in checklist.guidelines():
        own = [one for one in found if one.guideline is guideline]
        counts = {status.replace(" ", "_"): sum(one.status == status for one in own) for status in STATUSES}
        numbers = {name: Cell(str(number), number) for name, number in {"all": len(own), **counts}.items()}
        rows.append({"guideline": Cell(guideline.name, guideline.name), **numbers})
    return Table("items", "Items of each guideline, by where they stand", columns, tuple(rows))


def _open(found: Sequence[Finding], page: Mapping[int, Section]) -> Table:
    """What is missing, and the items that wait for it: what this run does not show, then what the author has to say."""
    columns = (Column("missing", "Missing"), Column("what", "What"), Column("items", "Items waiting"))
    rows: list[dict[str, Cell]] = []
    not_shown: dict[tuple[str, str], list[Finding]] = {}
    for one in found:
        if one.status in (NOT_SHOWN, PARTLY):
            place = checklist.listed_sections(one.sections) or "This page"
            absent = _absent(one, page)
            reported = f"“{absent.question}” is {absent.status}" if absent else capital(one.reason)
            not_shown.setdefault((place, reported), []).append(one)
    # sections in their order, then what no section holds
    for (place, reported), waiting in sorted(not_shown.items(), key=lambda row: row[1][0].sections or (len(page) + 1,)):
        rows.append({"missing": _linked(place, page), "what": _linked(reported, page), "items": _waiting(waiting)})
    for key, what in author.KEYS.items():
        waiting = [one for one in found if one.status == TO_WRITE and key in one.keys]
        if waiting:
            entry, words = Cell(key, key, "code"), Cell(capital(what), what)
            rows.append({"missing": entry, "what": words, "items": _waiting(waiting)})
    caption = "What is missing: analyses of this run, and entries under [author] in the study file"
    return Table("items_open", caption, columns, tuple(rows))


def _waiting(found: Iterable[Finding]) -> Cell:
    """Items by guideline, in one line where they are few."""
    by_guideline: dict[str, list[str]] = {}
    for one in found:
        by_guideline.setdefault(one.guideline.name.split()[0], []).append(one.item.number)  # the year fills a line
    words = "; ".join(f"{name} {', '.join(numbers)}" for name, numbers in by_guideline.items())
    return Cell(words, words)


def _author(said: Mapping[str, str]) -> Table:
    columns = (Column("entry", "Entry"), Column("text", "Text"))
    known = [key for key in author.KEYS if key in said]
    rows = tuple(
        {"entry": Cell(_entry(clean(key)), key), "text": Cell(clean(said[key]), said[key])}
        for key in [*known, *(key for key in said if key not in author.KEYS)]
    )
    return Table("items_author", "In the words of the study’s author, not checked here", columns, rows)


def _list(found: Sequence[Finding], key: str, page: Mapping[int, Section]) -> Table:
    columns = (
        Column("item", "No."),
        Column("words", "Item"),
        Column("status", "Status"),
        Column("where", "Where, or why not"),
    )
    own = [one for one in found if one.guideline.key == key]
    rows = tuple(
        {
            "item": Cell(one.item.number, one.item.number),
            "words": Cell(one.item.words, one.item.words),
            "status": Cell(f"{MARKS[one.status]} {one.status}", one.status, "nowrap"),
            "where": _linked(_where(one, page), page),
        }
        for one in own
    )
    return Table(LISTS[key], f"Items of {own[0].guideline.name}", columns, rows)


def _none_applies(found: Sequence[Finding], key: str) -> str:
    """Why no item of a guideline applies; empty where some do."""
    own = [one for one in found if one.guideline.key == key]
    reasons = {one.reason for one in own}
    return own[0].reason if all(one.status == NOT_APPLICABLE for one in own) and len(reasons) == 1 else ""


def _where(one: Finding, page: Mapping[int, Section]) -> str:
    """Where an item stands, in short: the author's texts and the reasons of sections are printed once, elsewhere."""
    places, entries = checklist.listed_sections(one.sections), listed([_entry(key) for key in one.keys])
    if one.status in (SHOWN, GIVEN, PARTLY):
        return "; ".join(part for part in (entries, places, one.reason) if part)
    if one.status == TO_WRITE:
        return f"{entries}; the rest: {places}" if places else entries
    return _reported(one, page)


def _entry(key: str) -> str:
    """An entry of the study file in words."""
    return key.replace("_", " ")


def _reported(one: Finding, page: Mapping[int, Section]) -> str:
    """Why an item is not shown or does not apply; of a section that is absent as a whole, only that it is."""
    absent = _absent(one, page)
    return f"§ {absent.number} is {absent.status}" if absent else one.reason


def _absent(one: Finding, page: Mapping[int, Section]) -> Section | None:
    """The section whose absence hides an item; None where the section is there and lacks a part."""
    places = [page[number] for number in one.sections] if one.status == NOT_SHOWN else []
    return next((place for place in places if checklist.hidden(place)), None)


def _linked(text: str, page: Mapping[int, Section]) -> Linked:
    """Cell in which every "§ 5" that is a section of the page leads to it."""
    found = (match for match in re.finditer(r"§ (\d+)", text) if int(match[1]) in page)
    return Linked(text, text, "linked", places=tuple((match[0], f"section-{match[1]}") for match in found))
