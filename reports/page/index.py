"""The page that lists the runs in a folder, each with its gate and its answer; read from saved files, sampled never."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from models.checks import gate_table
from models.checks.gate_table import Gate, Status
from models.faults import InvalidInput
from models.runs import folder as runs
from models.trial.study_file.study import Study
from reports.page import build as page
from reports.text import check_words, report_files
from reports.text.words import capital, clean, count, listed, short

NAME = "index.html"
MARKS = (runs.MANIFEST, runs.RESOLVED, *runs.FIT)
"""A folder with one of these files is, or was to be, a run."""


@dataclass(frozen=True)
class Entry:
    """One run as the index shows it.

    Attributes
    ----------
    name, link : str
        The folder, as printed and as an address.
    problem : str
        Why it cannot be listed like the others; then only `name` is filled.
    report : bool
        Whether its report.html is there.
    status, badge : str
        The gate over all fits, and what it counted or why it is not green.
    answer : str
        The first sentence of its report, or why there is none to print.
    """

    name: str
    link: str
    problem: str = ""
    title: str = ""
    simulated: bool = False
    model: str = ""
    priors: str = ""
    run_id: str = ""
    report: bool = False
    status: str = ""
    badge: str = ""
    answer: str = ""
    answered: bool = False


def build(folder: Path) -> Path:
    """Write `index.html` into a folder; equal runs give equal bytes.

    Raises
    ------
    InvalidInput
        If there is no such folder, or no run in it.
    OSError
        If the folder cannot be written; an earlier index stays as it was.
    """
    if (folder / runs.MANIFEST).is_file():  # its inner folders are fits of the same run
        raise InvalidInput(f"{folder} is a run.", "An index lists runs.", "Give the folder in which this run lies.")
    found = entries(folder)
    if not found:
        why, fix = "None of its folders holds a run's files.", "Run scripts/analyse.py first, or give another folder."
        raise InvalidInput(f"{folder} holds no runs.", why, fix)
    report_files.write(folder, {NAME: html(found)})
    return folder / NAME


def entries(folder: Path) -> list[Entry]:
    """Every run in a folder, by name; those that cannot be read with their reason."""
    if not os.path.isdir(folder):
        raise InvalidInput(f"There is no folder {folder}.", "--index names it.", "Give the folder that holds the runs.")
    inner = sorted((path for path in folder.iterdir() if path.is_dir()), key=lambda path: path.name)
    return [_entry(path) for path in inner if any((path / mark).exists() for mark in MARKS)]


def _entry(folder: Path) -> Entry:
    name, link = short(folder.name, 80), quote(os.fsencode(folder.name))
    try:
        return _read(folder, name, link)
    except InvalidInput as error:
        why = f"{error.what} {error.why}"
    except Exception as error:  # one damaged folder must not hide the others; its reason is printed
        why = f"{type(error).__name__}: {error}."
    # where the folder lies is nobody's business, and would make the same runs another page
    return Entry(name, link, problem=clean(why.replace(str(folder), folder.name)))


def _read(folder: Path, name: str, link: str) -> Entry:
    manifest = runs.verified(folder)
    study = runs.read_study(folder)
    gates = {str(manifest["model"]): gate_table.read(folder / runs.GATE)}
    for model in manifest["further"]:
        gates[str(model)] = gate_table.read(folder / model / runs.GATE)
    status = gate_table.worst(gates.values())
    answer, answered = _answer(folder, str(manifest["run_id"]), status)
    return Entry(
        name,
        link,
        title=short(study.title, 160),
        simulated=study.simulated,
        model=listed([clean(model) for model in gates]),
        priors=short(manifest["priors"]["name"], 60),
        run_id=short(manifest["run_id"], 24),
        report=(folder / report_files.PAGE).is_file(),
        status=status,
        badge=_badge(gates, status, study),
        answer=answer,
        answered=answered,
    )


def _badge(gates: dict[str, Gate], status: Status, study: Study) -> str:
    made = [check for gate in gates.values() for check in gate.checks if check.applies]
    reported = f"{sum(check.passed for check in made)} of {count(len(made), 'check')} pass"
    worst = [
        check_words.worded(check, study).reported((f"{model} model, " if len(gates) > 1 else "") + check.name)
        for model, gate in gates.items()
        for check in gate.checks
        if check.status is status and not check.passed
    ]
    return f"{reported}. {capital(short('; '.join(worst), 200))}" if worst else reported


def _answer(folder: Path, run_id: str, status: Status) -> tuple[str, bool]:
    """First sentence of the report; where the gate is red never, however the report was built."""
    page_there = (folder / report_files.PAGE).is_file()
    if status is Status.RED:
        missing = "" if page_there else " There is no report.html."
        return f"Withheld: the computation cannot be trusted.{missing}", False
    if not page_there:
        return "There is no report.html: scripts/report.py makes it.", False
    record: Any = json.loads((folder / report_files.RECORD).read_text(encoding="utf-8"))
    if str(record["run"]["run_id"]) != run_id:
        return "The report in this folder is that of another run: scripts/report.py makes it again.", False
    return short(record["sentences"]["A1"]["text"], 800), True


def html(found: list[Entry]) -> str:
    """The index as one string."""
    return page.rendered(
        "index.html.j2",
        entries=found,
        some=any(entry.simulated for entry in found),
        total=count(len(found), "run"),
    )
