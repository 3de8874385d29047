"""Section 13: how to get the same numbers again."""

from __future__ import annotations

from reports.facts import Facts
from reports.parts import Cell, Column, Section, Table
from reports.sections import calibrated, section_00_file
from reports.words import clean

NUMBER, QUESTION, ESTIMATES = 13, "How to get the same numbers again?", False
TABLES = ("settings", "versions", "files")
FIGURES: tuple[str, ...] = ()


def compose(facts: Facts) -> Section:
    """Command, settings, versions, hashes and what deviates."""
    manifest = facts.manifest
    tables = {
        "settings": _pairs("settings", "What was run", ("Setting", "Value"), _settings(facts)),
        "versions": _pairs("versions", "Software", ("Package", "Version"), manifest.get("versions", {})),
        "files": _pairs(
            "files",
            "Content of each file, SHA-256",
            ("File", "SHA-256"),
            {**_study(facts), **manifest.get("files", {})},
        ),
    }
    # printed here, so that the answer keeps its place on the first sheet of paper
    values = {
        "description": section_00_file.paragraphs(facts),
        "command": clean(manifest.get("command", "")),
        "calibrations": calibrated.commands(facts),
        "notes": [clean(note) for note in manifest.get("notes", [])],
    }
    return Section(NUMBER, QUESTION, "section_13.html.j2", tables=tables, values=values)


def _settings(facts: Facts) -> dict[str, object]:
    manifest, sampler = facts.manifest, facts.manifest.get("sampler", {})
    names = {
        "name": "Sampler",
        "chains": "Chains",
        "tune": "Warm-up draws a chain",
        "draws": "Draws a chain",
        "target_accept": "Target acceptance",
        "seed": "Seed",
    }
    settings = {words: sampler[key] for key, words in names.items() if key in sampler}
    draws = names["draws"]
    for model, fit in manifest.get("further", {}).items():  # of which one may have been sampled for longer
        own = fit.get("sampler", {}).get("draws", sampler.get("draws"))
        if draws in settings and own != sampler["draws"]:
            settings[draws] = f"{settings[draws]}; {model} {own}"
    return {
        "Run": manifest["run_id"],
        "microsavings": manifest.get("microsavings", ""),
        "Model": " and ".join([manifest["model"], *manifest.get("further", {})]),
        "Priors": manifest["priors"]["name"],
        **settings,
        "Code, git commit": manifest.get("git") or "not under git",
        "Code, SHA-256": manifest.get("code_sha256", ""),
        "Platform": manifest.get("platform", ""),
    }


def _study(facts: Facts) -> dict[str, object]:
    study = facts.manifest["study"]
    return {study.get("data_file", "data"): study.get("data_sha256", ""), "study.toml": study.get("study_sha256", "")}


def _pairs(name: str, caption: str, heads: tuple[str, str], content: dict[str, object]) -> Table:
    columns = (Column("name", heads[0]), Column("value", heads[1]))
    rows = tuple(
        {"name": Cell(clean(key), str(key)), "value": Cell(clean(value), str(value), "code")}
        for key, value in content.items()
    )
    return Table(name, caption, columns, rows)
