"""Section 9: what if an assumption fails."""

from __future__ import annotations

import pandas as pd

from reports import asked
from reports.facts import Facts
from reports.figures import forest
from reports.numbers import Number, fixed
from reports.parts import Figure, Section, Sentence, sentence
from reports.paths import Part
from reports.sections import what_if_tables
from reports.words import capital, clean, count

NUMBER, QUESTION, ESTIMATES = 9, "What if an assumption fails?", True
TABLES = ("what_if", "tipping", "missing_not_at_random", "misreporting", "confounding")
FIGURES = ("what_if",)
SURFACES = ("missing_not_at_random", "misreporting")


def compose(facts: Facts) -> Section:
    """Every changed analysis beside the main one, what was not run, and where the verdict would tip."""
    reason = asked.not_run(facts)
    if reason:
        return Section(NUMBER, QUESTION, "not_run.html.j2", "not run", reason)
    parts, missing = _parts(facts)
    tables = {"what_if": what_if_tables.scenarios(facts, parts), "tipping": what_if_tables.tipping(facts)}
    reasons: dict[str, str] = {}
    for name in SURFACES:
        surface = _surface(facts, name)
        if isinstance(surface, str):
            reasons[name] = surface
        else:
            tables[name] = what_if_tables.surface(facts, name, surface)
    confounding = _confounding(facts)
    if isinstance(confounding, str):
        reasons["confounding"] = confounding
    else:
        tables["confounding"] = what_if_tables.confounding(facts, confounding)
    values = {f"{name}_reason": f"Not run: {why}" for name, why in reasons.items()}
    return Section(
        NUMBER,
        QUESTION,
        "section_09.html.j2",
        sentences={"what_if": _lead(facts, parts)},
        figures={"what_if": _draw(facts, parts)},
        tables=tables,
        values={"not_run": missing, "reasons": list(values.values()), **values},
    )


def _parts(facts: Facts) -> tuple[list[Part], list[str]]:
    """The main result and every change of it that was run; what was not, with the reason."""
    parts, missing = [asked.as_analysed(facts)], []
    for refit in asked.refits(facts, "participants", "model"):
        name = capital(asked.named(refit.name))
        found = asked.part(facts, refit, name)
        if found is None:
            missing.append(f"{name}. Not run: {clean(refit.reason)}")
        else:
            parts.append(found)
    chosen: list[tuple[str, float, float, str, str]] = [
        ("missing_not_at_random", 0.0, 1.0, "Missing outcomes differ", "treated arm: odds up e-fold"),
        ("missing_not_at_random", 1.0, 0.0, "Missing outcomes differ", "control arm: odds up e-fold"),
        ("misreporting", 1.0, 0.8, "Under-reporting", "treated arm: 80% of events told"),
        ("misreporting", 0.8, 1.0, "Under-reporting", "control arm: 80% of events told"),
    ]
    if not facts.binary:
        chosen = [(*row[:4], row[4].replace("odds up e-fold", "by 1 on the link scale")) for row in chosen]
    for name, control, treated, words, note in chosen:
        surface = _surface(facts, name)
        if isinstance(surface, str):
            continue
        wanted = (surface["kind"] == "grid") & (surface["control"] == control) & (surface["treated"] == treated)
        parts.append(asked.scenario(facts, surface[wanted].iloc[0], words, note))
    for name, words in (("missing_not_at_random", "Missing outcomes differ"), ("misreporting", "Misreporting")):
        surface = _surface(facts, name)
        if not isinstance(surface, str):
            row = surface[surface["kind"] == "prior"].iloc[0]
            parts.append(asked.scenario(facts, row, words, "averaged over its prior"))
    return parts, missing


def _surface(facts: Facts, name: str) -> pd.DataFrame | str:
    """A tipping table, or why there is none to print."""
    table = facts.run.asked(name)
    if table is None:
        return "the run holds none."
    if str(table["kind"].iloc[0]) == "not run":
        return clean(table["reason"].iloc[0])
    if name == "missing_not_at_random" and facts.people.concealed(facts.primary):
        return "how far the answer moves would give a small number of missing outcomes away."
    return table


def _confounding(facts: Facts) -> pd.DataFrame | str:
    """Effects by strength of unmeasured causes, or why there are none."""
    if facts.paths is None:
        return "no mediation model was fitted."
    if facts.paths.withheld:
        return "the mediation model's gate is red."
    checks = facts.paths.run.checks
    if "confounding" not in checks.children:
        return "the run holds none."
    group = checks["confounding"].to_dataset()
    table = pd.DataFrame({str(name): group[name].to_numpy() for name in group.data_vars})
    if "effect" not in table:
        return clean(table["reason"].iloc[0])
    return table


def _lead(facts: Facts, parts: list[Part]) -> Sentence:
    """How many changed analyses would say something else than the main one."""
    main, *changed = [asked.excludes_zero(part.estimate) for part in parts]
    other = sum(one != main for one in changed)
    medians = [part.estimate for part in parts[1:]]
    low, high = min(medians, key=lambda one: one.median), max(medians, key=lambda one: one.median)
    told = (
        "As analysed, the 95% interval of the primary difference {does} 0. Of {changed} with one assumption changed, "
        "{other} would say otherwise; their medians lie between {low} and {high} {points}."
    )
    return sentence(
        told,
        does="excludes" if main else "does not exclude",
        changed=Number(len(changed), count(len(changed), "analysis", "analyses")),
        other=Number(other, str(other) if other else "none"),
        low=low.number("median"),
        high=high.number("median"),
        points=facts.scale.points,
    )


def _draw(facts: Facts, parts: list[Part]) -> Figure:
    main, *changed = [asked.excludes_zero(part.estimate) for part in parts]
    other = sum(one != main for one in changed)
    state = "excludes" if main else "includes"
    title = (
        f"The interval {state} 0 as analysed and in {fixed(len(changed) - other)} of {len(changed)} analyses with one "
        "assumption changed"
    )
    words = ("better", "worse") if facts.lower_is_better else ("worse", "better")
    what = f"Primary difference, {facts.wave(facts.primary)}, with one assumption changed at a time"
    return forest.figure("what_if", facts, parts, title, what, words)
