"""Section 13: how to get the same numbers again."""

from __future__ import annotations

from models.trial.study_file.study import FILE
from reports.sections import calibrated, section_00_file
from reports.text.facts import Facts
from reports.text.parts import Cell, Column, Section, Table
from reports.text.words import clean

NUMBER, QUESTION, ESTIMATES = 13, "How to get the same numbers again?", False
TABLES = ("settings", "versions", "files")
FIGURES: tuple[str, ...] = ()


def compose(facts: Facts) -> Section:
    """Command, settings, versions, hashes and what deviates."""
    manifest = facts.manifest
    tables = {
        "settings": _pairs("settings", "What was run", ("Setting", "Value"), _settings(facts)),
        "versions": _pairs("versions", "Software", ("Package", "Version"), manifest["versions"]),
        "files": _pairs(
            "files",
            "Content of each file, SHA-256",
            ("File", "SHA-256"),
            {**_study(facts), **manifest["files"]},
        ),
    }
    # printed here, so that the answer keeps its place on the first sheet of paper
    values = {
        "description": section_00_file.paragraphs(facts),
        "command": clean(manifest["command"]),
        "calibrations": calibrated.commands(facts),
        "notes": [clean(note) for note in manifest["notes"]],
    }
    return Section(NUMBER, QUESTION, "section_13.html.j2", tables=tables, values=values)


def _settings(facts: Facts) -> dict[str, object]:
    manifest, sampler = facts.manifest, facts.manifest["sampler"]
    names = {
        "name": "Sampler",
        "chains": "Chains",
        "tune": "Warm-up draws a chain",
        "draws": "Draws a chain",
        "target_accept": "Target acceptance",
        "seed": "Seed",
    }
    settings = {words: sampler[key] for key, words in names.items()}
    draws = names["draws"]
    for model, fit in manifest["further"].items():  # of which one may have been sampled for longer
        own = fit["sampler"]["draws"]
        if own != sampler["draws"]:
            settings[draws] = f"{settings[draws]}; {model} {own}"
    return {
        "Run": manifest["run_id"],
        "microsavings": manifest["microsavings"],
        "Model": " and ".join([manifest["model"], *manifest["further"]]),
        "Priors": manifest["priors"]["name"],
        **settings,
        "Code, git commit": manifest["git"] or "not under git",
        "Code, SHA-256": manifest["code_sha256"],
        "Platform": manifest["platform"],
    }


def _study(facts: Facts) -> dict[str, object]:
    study = facts.manifest["study"]
    return {study["data_file"]: study["data_sha256"], FILE: study["study_sha256"]}


def _pairs(name: str, caption: str, heads: tuple[str, str], content: dict[str, object]) -> Table:
    columns = (Column("name", heads[0]), Column("value", heads[1]))
    rows = tuple(
        {"name": Cell(clean(key), str(key)), "value": Cell(clean(value), str(value), "code")}
        for key, value in content.items()
    )
    return Table(name, caption, columns, rows)
