"""Section 4: what was assumed."""

from __future__ import annotations

from reports.figures import graph, paths_graph
from reports.sections import section_04_paths
from reports.text import assumptions, mediated
from reports.text.assumptions import assumed
from reports.text.facts import Facts
from reports.text.mediator_words import SYMBOLS
from reports.text.parts import Cell, Column, Section, Sentence, Table, sentence
from reports.text.words import clean, listed, minus, short

NUMBER, QUESTION, ESTIMATES = 4, "What was assumed?", False
TABLES = ("assumptions", "path_assumptions", "priors_used")
FIGURES = ("graph", "paths_graph")

PARAMETERS = {
    "mu_0": ("μ₀", "level at the first wave"),
    "step": ("s", "change from a wave to the next, both arms"),
    "theta": ("θ", "effect of the treated arm at each follow-up"),
    "theta_negative_control": ("θ₁", "contrast at the negative control"),
    "gamma": ("γ", "slope of a baseline variable, per SD"),
    "tau": ("τ", "spread between participants"),
    "group_tau": ("τg", "spread between groups"),
    "group_wave_tau": ("τgt", "spread between groups at one wave"),
    "dispersion": ("1/√α", "extra variation of the counts"),
    "residual_sd": ("σ", "spread of the outcomes at each wave, where a lasting level is in the model: around it"),
    "log_sd_ratio": ("δ", "log of that spread, treated over control arm, at each follow-up"),
    "wave_partial_correlation": ("ρ", "correlations between the waves, as partial ones"),
    **SYMBOLS,
}
"""Symbol and meaning of each parameter of a prior set."""


def compose(facts: Facts) -> Section:
    """Graph, model, priors with reasons, assumptions with their status."""
    adjusted = [short(one.label, 60) for one in facts.study.covariates if one.adjust]
    values = {
        "binary": facts.binary,
        "continuous": facts.continuous,
        "distribution": facts.distribution,
        "trait": facts.has_trait,
        "correlated": facts.correlated,
        "exposure": _exposure(facts),
        "groups": [
            {"label": short(each.label, 40), "kind": each.kind, "varying": each.kind == "randomised"}
            for each in facts.study.groupings
        ],
        "waves": len(facts.study.waves),
        "follow_ups": sum(wave.role == "follow-up" for wave in facts.study.waves),
        "covariates": bool(adjusted),
        "adjusted": listed(adjusted),
        "described": listed([short(one.label, 60) for one in facts.study.covariates if not one.adjust]),
        "baseline": facts.shared_baseline,
        "own_baseline": facts.baseline is not None and not facts.shared_baseline,
        "negative_control": any(wave.role == "negative control" for wave in facts.study.waves),
        "priors_why": clean(facts.manifest["priors"]["why"]),
        "priors_name": facts.manifest["priors"]["name"].replace("_", " "),
        "treated": facts.arm("treated").text,
        "outcome": facts.outcome.text,
        "paths": section_04_paths.model(facts.paths) if facts.paths else None,
        "path_assumptions_reason": mediated.not_run(facts),
        "paths_graph_reason": mediated.not_run(facts),
    }
    said, figures = {"assumed": _lead(facts)}, {"graph": graph.draw(facts)}
    tables = {
        "assumptions": assumptions.table("assumptions", "Assumptions and what stands behind each", assumed(facts)),
        "priors_used": _priors(facts),
    }
    if facts.paths:
        said["assumed_paths"] = section_04_paths.lead(facts.paths)
        tables["path_assumptions"] = section_04_paths.table(facts.paths)
        figures["paths_graph"] = paths_graph.draw(facts.paths)
    return Section(
        NUMBER, QUESTION, "section_04.html.j2", sentences=said, figures=figures, tables=tables, values=values
    )


def _exposure(facts: Facts) -> dict[str, str] | None:
    """Names of what counts arose over, and of the amount at which means are compared."""
    over = facts.study.outcome.exposure
    return {"column": short(over.column, 40), "per": short(over.per, 40)} if over else None


def _lead(facts: Facts) -> Sentence:
    numbers = assumptions.tally(assumed(facts))
    reported = ", {doubt} is in doubt (see the table)" if numbers["doubt"].value else ""
    if not reported:
        del numbers["doubt"]
    return sentence(
        f"The answer rests on {{all}} assumptions: {{design}} by design, {{checked}} checked on this page{reported}, "
        "{open} that these data cannot test or that this page does not check.",
        **numbers,
    )


def _priors(facts: Facts) -> Table:
    columns = (
        Column("parameter", "Parameter"),
        Column("meaning", "Meaning"),
        Column("distribution", "Prior"),
        Column("why", "Why"),
        Column("source", "Source"),
    )
    rows = []
    fitted = {name for fit in (facts, *facts.further.values()) for name in fit.group("posterior")}
    for row in (row for row in facts.manifest["priors"]["rows"] if row["parameter"] in fitted):
        symbol, meaning = PARAMETERS.get(row["parameter"], (row["parameter"], ""))
        rows.append(
            {
                "parameter": Cell(clean(symbol), row["parameter"]),
                "meaning": Cell(meaning, meaning),
                "distribution": Cell(minus(clean(row["distribution"])), row["distribution"]),
                "why": Cell(short(row["why"], 400), row["why"]),
                "source": Cell(short(row["source"], 200), row["source"]),
            }
        )
    scale = f"in {facts.parameter_scale}" if facts.continuous else f"on the {facts.parameter_scale} scale"
    own = "; of mediators, on their own link scales" if facts.paths else ""
    return Table("priors_used", f"Priors, {scale}{own}", columns, tuple(rows))
