"""Section 0: what is this file."""

from __future__ import annotations

from reports.text.facts import Facts
from reports.text.parts import Section
from reports.text.words import clean

NUMBER, QUESTION, ESTIMATES = 0, "What is this file?", False
TABLES: tuple[str, ...] = ()
FIGURES: tuple[str, ...] = ()


def compose(facts: Facts) -> Section:
    """Study, data, priors, verdict and the hash that names the run."""
    manifest, study = facts.manifest, facts.study
    models = " and ".join([manifest["model"], *manifest["further"]])
    entries = (
        ("Study", clean(study.title)),
        ("Data", f"{manifest['study']['data_file']}, {'simulated' if study.simulated else 'not simulated'}"),
        ("Arms", f"{facts.arm('control').text} (control), {facts.arm('treated').text} (treated)"),
        (
            "Outcome",
            f"{facts.outcome.text} ({facts.scale.kind}; {study.outcome.better} is better)",
        ),
        ("Primary wave", facts.wave(facts.primary)),
        (
            "Smallest difference that matters",
            f"{facts.margin.text} {facts.scale.points}: {clean(study.outcome.margin_reason)}",
        ),
        (
            "Model and priors",
            f"{models}, {manifest['priors']['name'].replace('_', ' ')}",
        ),
        ("Run", manifest["run_id"]),
    )
    return Section(
        NUMBER, QUESTION, "section_00.html.j2", values={"entries": entries, "description": paragraphs(facts)}
    )


def paragraphs(facts: Facts) -> list[str]:
    """Description of the study, as its author divided it."""
    blocks = (clean(block) for block in facts.study.description.split("\n\n"))
    return [block for block in blocks if block]
