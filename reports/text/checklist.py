"""Which items of the reporting guidelines a page and its study file meet, and which wait for whom.

The items are data: `reports/guidelines/*.toml`. Nothing here is claimed that the page does not show: an item whose
section was withheld or not run follows that section.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from models.trial.study_file import author
from reports.text import sensitivities
from reports.text.facts import Facts
from reports.text.parts import Section
from reports.text.words import clean

FOLDER = Path(__file__).parent / "guidelines"
ORDER = ("agrema", "consort", "consort_cluster", "barg", "wambs")
"""Files in `FOLDER`, in the order of the page."""
SHOWN, GIVEN, PARTLY, TO_WRITE = "shown", "given", "partly", "to write"
NOT_SHOWN, NOT_APPLICABLE = "not shown", "not applicable"
STATUSES = (SHOWN, GIVEN, PARTLY, TO_WRITE, NOT_SHOWN, NOT_APPLICABLE)
"""On the page; said by the author; a part of it, the rest named; for the author to say; not in this run; with a reason
why it does not apply."""

Page = Mapping[int, Section]
"""Sections by number."""


@dataclass(frozen=True)
class Item:
    """One item; it is met only when everything named is there.

    Attributes
    ----------
    number, words : str
        As in the guideline; in our own words.
    section : tuple of int
        Sections of the page that show it.
    needs : tuple of str
        Tables or figures that must stand in those sections.
    author : tuple of str
        Keys of the study file's `[author]`, see `models.trial.study_file.author.KEYS`.
    rule : str
        Name in `RULES` of what else must be so.
    part : str
        Name in `PARTS` of what a run may lack of it.
    partly : str
        What of the item's own words neither the page nor an entry of the author can hold: it is never met as a whole.
    not_applicable, not_shown : str
        Why it never applies; why no report shows it yet.
    """

    number: str
    words: str
    section: tuple[int, ...] = ()
    needs: tuple[str, ...] = ()
    author: tuple[str, ...] = ()
    rule: str = ""
    part: str = ""
    partly: str = ""
    not_applicable: str = ""
    not_shown: str = ""


@dataclass(frozen=True)
class Guideline:
    """One guideline; `applies` names the rule in `APPLIES` by which it does, always if it is empty."""

    key: str
    name: str
    about: str
    source: str
    applies: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Finding:
    """An item with its status.

    Attributes
    ----------
    sections : tuple of int
        Where it stands or would stand.
    keys : tuple of str
        Entries of `[author]` that say it or, where it is to be written, lack.
    reason : str
        Why it is not shown or does not apply; what a part of it lacks.
    """

    guideline: Guideline
    item: Item
    status: str
    sections: tuple[int, ...] = ()
    keys: tuple[str, ...] = ()
    reason: str = ""


@cache
def guidelines() -> tuple[Guideline, ...]:
    """All guidelines, as their files have them; an unknown key in a file raises TypeError."""
    return tuple(_read(key) for key in ORDER)


def _read(key: str) -> Guideline:
    content = tomllib.loads((FOLDER / f"{key}.toml").read_text(encoding="utf-8"))
    items = tuple(_item(row) for row in content.pop("item"))
    return Guideline(**{"key": key, "applies": "", **content, "items": items})


def _item(row: dict[str, Any]) -> Item:
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    return Item(**values)


def _mediators(facts: Facts) -> str:
    return "" if facts.study.mediators else "the study file names no mediator"


def _clusters(facts: Facts) -> str:
    return "" if facts.study.randomised_in_groups else "participants were randomised one by one"


APPLIES: dict[str, Callable[[Facts], str]] = {"mediators": _mediators, "clusters": _clusters}
"""Why a guideline does not apply, empty where it does; by the name that its file gives."""


def _every_outcome(facts: Facts, page: Page) -> tuple[int, str]:
    """Outcomes beside the primary one stand in § 11."""
    return 11, hidden(page[11]) if facts.study.further_outcomes else ""


RULES: dict[str, Callable[[Facts, Page], tuple[int, str]]] = {
    "every outcome": _every_outcome,
}
"""The section asked, and why it does not show an item, empty where it does; by the name that the item gives."""


def _informed(facts: Facts) -> str:
    """A prior that stands on other trials, beside broad and default ones."""
    others = (refit.informed and not refit.reason for refit in sensitivities.refits(facts, "priors"))
    return "" if any([facts.manifest["priors"]["informed"], *others]) else "no informed prior is among them"


def _planned(facts: Facts) -> str:
    """Which analyses were planned is the author's to say."""
    said = author.stated(facts.study.author)
    return "" if {"protocol", "changes"} & set(said) else "whether they were planned is not stated"


def _counts(facts: Facts) -> str:
    """Numbers observed in each arm stand on the page for the primary outcome alone."""
    return "numbers observed by arm are of the primary outcome alone" if facts.study.further_outcomes else ""


PARTS: dict[str, Callable[[Facts], str]] = {
    "informed prior": _informed,
    "planned": _planned,
    "counts of every outcome": _counts,
}
"""What of an item a run lacks, empty where it lacks nothing; by the name that the item gives."""


def hidden(section: Section) -> str:
    """Why a section shows nothing; empty where it does."""
    return "" if section.status == "shown" else section.reason


def check(facts: Facts, page: Page) -> list[Finding]:
    """Status of every item, in the order of the guidelines."""
    said = author.stated(facts.study.author)
    found = []
    for guideline in guidelines():
        reason = APPLIES[guideline.applies](facts) if guideline.applies else ""
        for item in guideline.items:
            found.append(
                Finding(guideline, item, NOT_APPLICABLE, reason=reason)
                if reason
                else _judged(guideline, item, facts, page, said)
            )
    return found


def _judged(guideline: Guideline, item: Item, facts: Facts, page: Page, said: Mapping[str, str]) -> Finding:
    if item.not_applicable:
        return Finding(guideline, item, NOT_APPLICABLE, reason=item.not_applicable)
    if item.not_shown:
        return Finding(guideline, item, NOT_SHOWN, reason=item.not_shown)
    lacking = tuple(key for key in item.author if key not in said)
    if lacking:
        return Finding(guideline, item, TO_WRITE, item.section, lacking)
    number, reason = _lacking(item, facts, page)
    if reason:
        return Finding(guideline, item, NOT_SHOWN, (number,), reason=reason)
    lack = item.partly or (PARTS[item.part](facts) if item.part else "")
    if lack:
        return Finding(guideline, item, PARTLY, item.section, item.author, lack)
    return Finding(guideline, item, GIVEN if item.author else SHOWN, item.section, item.author)


def _lacking(item: Item, facts: Facts, page: Page) -> tuple[int, str]:
    """The first section that lacks what an item needs, and why; a section without its table is not enough."""
    for number in item.section:
        if reason := hidden(page[number]):
            return number, reason
    for name in item.needs:
        parts = [page[number] for number in item.section]
        if not any(name in part.figures or (name in part.tables and part.tables[name].rows) for part in parts):
            lacking = next((part for part in parts if part.values.get(f"{name}_reason")), parts[0])
            reason = lacking.values.get(f"{name}_reason") or f"it holds no {name.replace('_', ' ')}"
            return lacking.number, str(reason)
    return RULES[item.rule](facts, page) if item.rule else (0, "")


def where(finding: Finding, said: Mapping[str, str]) -> str:
    """Where an item stands, or the author's text, or what is missing, for readers of the CSV file."""
    places = listed_sections(finding.sections)
    if finding.status == SHOWN:
        return places
    if finding.status == GIVEN:
        texts = " ".join(f"{key}: {clean(said[key])}" for key in finding.keys)
        return f"{texts} {places}".rstrip()
    if finding.status == PARTLY:
        texts = " ".join(f"{key}: {clean(said[key])}" for key in finding.keys)
        return f"{texts} {places} partly: {finding.reason}".strip()
    if finding.status == TO_WRITE:
        return f"missing in [author]: {', '.join(finding.keys)}" + (f"; the rest: {places}" if places else "")
    return f"{places}: {finding.reason}" if places else finding.reason


def listed_sections(numbers: tuple[int, ...]) -> str:
    """Sections by number: "§ 3, § 4"."""
    return ", ".join(f"§ {number}" for number in numbers)
