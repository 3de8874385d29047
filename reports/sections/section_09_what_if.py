"""Section 9: what if an assumption fails."""

from __future__ import annotations

import math
from dataclasses import dataclass

from reports.figures import forest
from reports.sections import mediators_before, what_if_tables
from reports.text import decision, sensitivities
from reports.text.estimate import ReportedEstimate
from reports.text.facts import Facts
from reports.text.mediated import Part
from reports.text.numbers import INTERVAL, Number, fixed
from reports.text.parts import Figure, Piece, Section, Sentence, sentence
from reports.text.words import capital, clean, count

NUMBER, QUESTION, ESTIMATES = 9, "What if an assumption fails?", True
TABLES = ("what_if", "tipping", "missing_not_at_random", "misreporting", "confounding", "other_baseline")
FIGURES = ("what_if",)
SURFACES = ("missing_not_at_random", "misreporting")
HEADS = {
    "missing_not_at_random": "Missing not at random",
    "misreporting": "Misreporting",
    "confounding": "Unmeasured causes of a mediator and the outcome",
    "other_baseline": "Mediators before the programme",
}
NO_TIPS = {"tipping_reason": "No assumption with a scale was examined."}
CHANGED = {
    "complete cases": "participants with every outcome",
    "random slopes": "participants may change differently",
}


def compose(facts: Facts) -> Section:
    """Every changed analysis beside the main one, what was not run, and where the verdict would tip."""
    reason = sensitivities.not_run(facts)
    if reason:
        return Section(NUMBER, QUESTION, "not_run.html.j2", "not run", reason)
    parts, missing = _parts(facts)
    tables, tips = {"what_if": what_if_tables.scenarios(facts, parts)}, what_if_tables.tipping(facts)
    if tips.rows:
        tables["tipping"] = tips
    reasons: dict[str, str] = {}
    first: list[str] = []
    for name in SURFACES:
        surface = sensitivities.surface(facts, name)
        if isinstance(surface, str):
            reasons[name] = surface
        else:
            tables[name] = what_if_tables.surface(facts, name, surface)
    confounding = sensitivities.of_paths(facts, "confounding", "effect")
    if isinstance(confounding, str):
        reasons["confounding"] = confounding
    else:
        tables["confounding"] = what_if_tables.confounding(facts, confounding)
        first = what_if_tables.left_out(facts, confounding)
    before = sensitivities.of_paths(facts, "other_baseline", "estimand")
    if isinstance(before, str):
        reasons["other_baseline"] = before
    else:
        tables["other_baseline"] = mediators_before.table(facts, before)
    values = {f"{name}_reason": f"{HEADS[name]}. Not run: {why}" for name, why in reasons.items()}
    return Section(
        NUMBER,
        QUESTION,
        "section_09.html.j2",
        sentences={"what_if": _lead(facts, parts)},
        figures={"what_if": _draw(facts, parts)},
        tables=tables,
        values={
            "first": first,
            "not_run": [*missing, *values.values()],
            "delta": facts.scale.delta,
            **values,
            **NO_TIPS,
        },
    )


def _parts(facts: Facts) -> tuple[list[Part], list[str]]:
    """The main result and every change of it that was run; what was not, with the reason."""
    parts, missing = [sensitivities.as_analysed(facts)], []
    for refit in sensitivities.refits(facts, "participants", "model"):
        name = capital(sensitivities.named(refit.name))
        found = sensitivities.part(facts, refit, name, CHANGED.get(refit.name, ""))
        if found is None:
            missing.append(f"{name}. Not run: {clean(refit.reason)}")
        else:
            # who stays to the end was not randomised
            parts.append(sensitivities.assumed(found) if refit.kind == "participants" else found)
    for name, words, step in (
        ("missing_not_at_random", "Missing outcomes differ", facts.scale.step),
        ("misreporting", "Events go unreported", "80% reported"),
    ):
        parts += _chosen(facts, name, words, step)
    return parts, missing


def _chosen(facts: Facts, name: str, words: str, step: str) -> list[Part]:
    """One step of a bias parameter in either arm alone, and the average over its prior; none where it was not run."""
    surface = sensitivities.surface(facts, name)
    if isinstance(surface, str):
        return []
    none, one = (0.0, 1.0) if name == "missing_not_at_random" else (1.0, 0.8)
    grid = surface[surface["kind"] == "grid"].set_index(["control", "treated"])
    rows = {
        f"treated arm: {step}": grid.loc[(none, one)],
        f"control arm: {step}": grid.loc[(one, none)],
        "both arms: averaged over the prior": surface[surface["kind"] == "prior"].iloc[0],
    }
    return [sensitivities.scenario(facts, row.to_dict(), words, note) for note, row in rows.items()]


def _lead(facts: Facts, parts: list[Part]) -> Sentence:
    """What the main interval says of 0, and how many changed analyses say the same."""
    main, *changed = (part.estimate for part in parts)
    excludes = sensitivities.excludes_zero(main)
    word = _verdict(facts, main)
    reported = (
        "As analysed, the verdict beside the margin of ±{margin} is “{word}”, and the {interval} interval of the "
        "primary difference {does} 0."
    )
    does = "excludes" if excludes else "includes"
    said: dict[str, Piece] = {"interval": INTERVAL, "does": does, "margin": facts.margin, "word": word}
    if not changed:
        return sentence(reported + " No analysis with another assumption was run.", **said)
    same = sum(sensitivities.excludes_zero(one) == excludes for one in changed)
    found = _counted(facts, parts)
    kept = found.changed - found.other - found.close
    reported += f" With one assumption changed the verdict is the same in {{kept}} of {{changed}}{_close(found.close)}"
    reported += "; the interval {does} 0 in {same}. Their medians lie between {low} and {high} {points}."
    low, high = (pick(changed, key=lambda one: one.median) for pick in (min, max))
    return sentence(
        reported,
        **said,
        kept=Number(kept, str(kept) if kept else "none"),
        same=Number(same, str(same) if same else "none"),
        changed=Number(len(changed), count(len(changed), "analysis", "analyses")),
        low=low.number("median"),
        high=high.number("median"),
        points=facts.scale.points,
        **({"near": Number(found.close, str(found.close))} if found.close else {}),
    )


def _verdict(facts: Facts, estimate: ReportedEstimate) -> str:
    """Verdict on a changed analysis; limits whose own Monte Carlo errors are not known have those of the main one."""
    errors = decision.errors(estimate)
    if not all(math.isfinite(error) for error in errors):
        errors = decision.errors(facts.estimate(facts.scale.difference, facts.primary))
    margin = facts.study.outcome.margin
    return decision.verdict(estimate.lower, estimate.upper, margin, facts.lower_is_better, errors)


@dataclass(frozen=True)
class Elsewhere:
    """Verdicts of analyses with one assumption changed: how many are another one, how many too close to call."""

    other: int = 0
    close: int = 0
    changed: int = 0


def others(facts: Facts) -> Elsewhere:
    """How many verdicts of changed analyses are not that of the main one."""
    return Elsewhere() if sensitivities.not_run(facts) else _counted(facts, _parts(facts)[0])


def _counted(facts: Facts, parts: list[Part]) -> Elsewhere:
    main, *changed = (_verdict(facts, part.estimate) for part in parts)
    apart = [one for one in changed if one != main]
    close = apart.count(decision.AT_THE_MARGIN)
    return Elsewhere(len(apart) - close, close, len(changed))


def elsewhere(found: Elsewhere) -> Sentence | None:
    """`others` in words, for the first screen; nothing where the verdict is the same throughout."""
    if not found.other + found.close:
        return None
    reported = f"With one assumption changed the verdict is another in {{other}} of {{changed}}{_close(found.close)}."
    return sentence(
        reported,
        other=Number(found.other, str(found.other) if found.other else "none"),
        changed=Number(found.changed, count(found.changed, "analysis", "analyses")),
        **({"near": Number(found.close, str(found.close))} if found.close else {}),
    )


def _close(near: int) -> str:
    return " and in {near} too close to call" if near else ""


def _draw(facts: Facts, parts: list[Part]) -> Figure:
    main, *changed = [sensitivities.excludes_zero(part.estimate) for part in parts]
    same = sum(one == main for one in changed)
    title = f"The interval {'excludes' if main else 'includes'} 0 as analysed"
    if changed:
        title += f" and in {fixed(same)} of {count(len(changed), 'analysis', 'analyses')} with one assumption changed"
    words = facts.directions
    what = f"Primary difference, {facts.wave(facts.primary)}, with one assumption changed at a time"
    return forest.figure("what_if", facts, parts, title, what, words)
