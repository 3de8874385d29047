"""The part of section 4 on the mediation model: its equations' ingredients, its assumptions, how many can be tested."""

from __future__ import annotations

from reports import paths
from reports.assumptions import DESIGN
from reports.facts import Facts
from reports.figures.paths_graph import Fitted
from reports.numbers import Number
from reports.parts import Cell, Column, Sentence, Table, sentence
from reports.path_assumptions import assumed
from reports.words import listed

NAME = "path_assumptions"


def lead(facts: Facts) -> Sentence:
    """How many further assumptions direct and indirect effects rest on; `facts` are those of the mediation fit."""
    found = [str(one.status) for one in assumed(facts)]
    numbers = {
        "more": len(found),
        "by_design": sum(status == DESIGN for status in found),
        "seen": sum(status.startswith(("checked", "looked")) for status in found),
        "untested": sum(status.startswith("not ") for status in found),
    }
    return sentence(
        "What goes through the mediators (§ 6) rests on {more} further ones: {by_design} by design, {seen} looked at "
        "on this page, {untested} that these data cannot test.",
        **{name: Number(value, str(value)) for name, value in numbers.items()},
    )


def table(facts: Facts) -> Table:
    """The assumptions with their status and what goes wrong without them."""
    columns = (
        Column("assumption", "Assumption"),
        Column("status", "Status"),
        Column("consequence", "If it does not hold"),
    )
    rows = tuple(
        {
            "assumption": Cell(one.claim, one.claim),
            "status": Cell(str(one.status), str(one.status), "status"),
            "consequence": Cell(one.consequence, one.consequence),
        }
        for one in assumed(facts)
    )
    return Table(NAME, "Further assumptions of direct and indirect effects (§ 6)", columns, rows)


def model(facts: Facts) -> dict[str, object]:
    """What the template needs to write the equations of the fitted mediation model."""
    fitted = Fitted(facts)
    return {
        "lag": facts.study.lag,
        "kinds": [(paths.label(facts, name).text, _distribution(facts, name)) for name in fitted.mediators],
        "adjusted": fitted.adjusted,
        "lasting": bool(fitted.lasting),
        "correlated": fitted.correlated,
        "interacting": listed([paths.label(facts, name).text for name in fitted.interacting]),
        "acting": bool(fitted.acting),
        "outcome_lasts": fitted.outcome_lasts,
    }


def _distribution(facts: Facts, mediator: str) -> str:
    """Distribution of a mediator, in words."""
    part = next(part for part in facts.study.mediators if part.column == mediator)
    if part.kind == "continuous":
        form = "Student-t" if part.family == "student" else "normal"
        return f"{form} with standard deviation σ, in SDs of the first wave"
    if part.kind == "binary":
        return "Bernoulli, on the logit scale"
    return "ordered beta, on the logit scale: a beta distribution between the ends, with cutpoints for exactly 0 and 1"
