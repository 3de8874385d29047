"""Section 6: how much goes through the mediators."""

from __future__ import annotations

from models.estimands.ledger import Evidence
from reports.figures import common_change_parts, decomposition
from reports.sections import path_tables, slope_table
from reports.text import mediated, sentences, sentences_paths
from reports.text.facts import Facts
from reports.text.parts import Section, Sentence, joined, sentence
from reports.text.words import capital, clean, listed, short

NUMBER, QUESTION, ESTIMATES = 6, "How much goes through the mediators?", True
TABLES = (
    *("mediators", "decomposition", "decomposition_other", "mediator_slopes"),
    *("common_change", "common_change_prior", "path_estimates"),
)
FIGURES = ("paths", "common_change")


def judged(facts: Facts) -> Facts | None:
    """The fit whose gate decides whether these estimates are printed: the mediation model's own."""
    return facts.paths


def compose(facts: Facts) -> Section:
    """Sentences, each arm's mediators, what goes through them, and the change that both arms share."""
    fit = facts.paths
    if fit is None:
        reason = mediated.not_run(facts)
        return Section(NUMBER, QUESTION, "not_run.html.j2", "not run", reason)
    ordered, changing = mediated.ordered(fit), mediated.changing(fit)
    made = {"path_estimates": path_tables.every(fit), "mediators": path_tables.mediators(fit)}
    said, figures = {"M1": _lead(fit), **_legs(fit)}, {}
    values = _words(fit, facts)
    if ordered:
        made["decomposition"] = path_tables.decomposition(fit, ordered[:1])
        figures["paths"] = decomposition.draw(fit, ordered[0])
    if ordered[1:]:
        made["decomposition_other"] = path_tables.decomposition(fit, ordered[1:], "decomposition_other")
    slopes = slope_table.table(fit)
    if slopes:
        made[slope_table.NAME] = slopes
    if changing:
        made["common_change"] = path_tables.change(fit, changing[0])
        figures["common_change"] = common_change_parts.draw(fit, changing[0])
        said["T1_paths"] = _change(fit, changing[0])
        by_prior = path_tables.by_prior(fit, changing[0])
        made |= {by_prior.name: by_prior} if by_prior else {}
    return Section(NUMBER, QUESTION, "section_06.html.j2", sentences=said, tables=made, figures=figures, values=values)


def _lead(facts: Facts) -> Sentence:
    """M1 and the sentences around it; where no wave has an ordered mediator, that there is none."""
    ordered = mediated.ordered(facts)
    labels = listed([mediated.label(facts, name).text for name in mediated.mediators(facts)])
    parts = [] if facts.primary in ordered else [sentence("{reason}", reason=mediated.unordered(facts)[facts.primary])]
    if not ordered:
        return joined(*parts, sentence("Nothing can be said on how much goes through {labels}.", labels=labels))
    wave = ordered[0]
    about = sentences_paths.through(facts, wave)
    return joined(*parts, sentences_paths.m1(about), sentences_paths.share(about))


def _legs(facts: Facts) -> dict[str, Sentence]:
    """How far randomisation moved the mediators that precede the outcome, where there are such."""
    ordered = mediated.ordered(facts)
    reported = sentences_paths.first_leg(facts, ordered[0]) if ordered else None
    return {"M2": reported} if reported else {}


def _change(facts: Facts, wave: str) -> Sentence:
    """T1 by the mediation model, how it splits, and that it is no effect."""
    change = facts.estimate(mediated.CHANGE, wave, arm="control")
    since, until = facts.wave(facts.study.waves[0].value), facts.wave(wave)
    reported = sentences.t1(
        change, facts.arm("control"), facts.outcome, since, until, facts.scale.points, "mediation model"
    )
    return joined(reported, sentences_paths.moves_with(facts, wave))


def _words(facts: Facts, first: Facts) -> dict[str, object]:
    """Everything that the template prints beside sentences, tables and figures."""
    ordered, changing = mediated.ordered(facts), mediated.changing(facts)
    shared = first.manifest["notes"] if first is not facts else []
    nothing = "No wave has an ordered mediator."
    return {
        "notes": [clean(note) for note in facts.manifest["notes"] if note not in shared],
        "unordered": {
            capital(facts.wave(wave)): short(reason, 300) for wave, reason in mediated.unordered(facts).items()
        },
        "by_construction": bool(ordered) and facts.estimate(mediated.DEPENDENCE, ordered[0]).constant,
        "several": len(mediated.mediators(facts)) > 1,
        "four_way": bool(ordered) and facts.has("mediated_interaction", ordered[0]),
        "proportion": bool(ordered) and facts.has("proportion_mediated", ordered[0]),
        "training": _training(facts, changing),
        "control": facts.arm("control").text,
        "treated": facts.arm("treated").text,
        "points": facts.scale.points,
        "assumptions": _phrases(facts, "assumptions", ordered, changing),
        "bias": _phrases(facts, "bias_parameters", ordered, changing),
        "decomposition_reason": "" if ordered else nothing,
        "paths_reason": "" if ordered else nothing,
        "decomposition_other_reason": "" if ordered[1:] else "No other wave has an ordered mediator.",
        "mediator_slopes_reason": "No mediator precedes an outcome.",
        "common_change_reason": "" if changing else _no_change(facts),
        "common_change_prior_reason": "Nothing is set apart by a prior alone.",
        "evidence": _classes(facts, ordered, changing),
    }


def _classes(facts: Facts, ordered: list[str], changing: list[str]) -> dict[str, str]:
    """Evidence class of the numbers in each sentence, by its name."""
    first = mediated.before(facts, ordered[0]) if ordered else None
    moved = [name for name in mediated.mediators(facts) if first in mediated.differences(facts, name)]
    direct = facts.estimate(mediated.DIRECT, ordered[0]).evidence if ordered else Evidence.NOT_IDENTIFIED
    found: dict[str, str] = {"M1": direct}
    if first is not None and moved:
        found["M2"] = facts.estimate("mediator_difference", first, mediator=moved[0]).evidence
    if changing:
        found["T1_paths"] = facts.estimate(mediated.CHANGE, changing[0], arm="control").evidence
    return found


def _no_change(facts: Facts) -> str:
    """Why the control arm's change is not split."""
    head = "The change over time that both arms share cannot be split:"
    if facts.baseline is None:
        return f"{head} no wave was measured before treatment."
    measured = [
        facts.has("mediator_mean", facts.baseline, arm="control", mediator=m) for m in mediated.mediators(facts)
    ]
    if not all(measured):
        return f"{head} not every mediator was measured at baseline."
    return f"{head} at no follow-up are there mediators that changed after baseline and come before the outcome."


def _training(facts: Facts, changing: list[str]) -> list[str]:
    """What is said on d and w: where they come from, and why they are absent."""
    control = facts.arm("control").text
    if not changing:
        return []
    if not facts.has(mediated.TRAINING, changing[0], arm="control"):
        return [
            f"The study file does not say that both arms received {control} (add_on): nothing of the remainder is "
            "set apart for it."
        ]
    priors = {row["parameter"]: row for row in facts.manifest["priors"]["rows"]}
    reported = [_by_prior("d", priors.get("change_without_training"))]
    if facts.has(mediated.SHARE, changing[0], arm="control"):
        return [*reported, _by_prior("w", priors.get("training_share"))]
    return [*reported, "A share w of the remainder is not offered: its sign is not known with probability above 0.975."]


def _by_prior(symbol: str, row: dict[str, str] | None) -> str:
    if row is None:
        return f"{symbol} has its prior alone: the data do not inform it."
    return f"{symbol} is in no data, its prior is all there is: {clean(row['distribution'])}. {short(row['why'], 400)}"


def _phrases(facts: Facts, field: str, ordered: list[str], changing: list[str]) -> list[str]:
    """Assumptions or bias parameters of all rows shown, each once; d and w are told with their priors."""
    shown = {*ordered[:1], *changing[:1]}
    found = [
        phrase
        for row in mediated.rows(facts)
        if row.wave in shown and row.estimand not in (mediated.TRAINING, mediated.SHARE, mediated.TIPPING)
        for phrase in getattr(row, field)
    ]
    return [clean(phrase) for phrase in dict.fromkeys(found)]
