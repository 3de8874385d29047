"""The part of section 4 on the mediation model: its equations' ingredients, its assumptions, how many can be tested."""

from __future__ import annotations

from reports.figures.paths_graph import Fitted
from reports.text import assumptions, mediated
from reports.text.assumptions import tally
from reports.text.facts import Facts
from reports.text.parts import Sentence, Table, sentence
from reports.text.path_assumptions import assumed
from reports.text.words import listed, short

NAME = "path_assumptions"


def lead(facts: Facts) -> Sentence:
    """How many further assumptions direct and indirect effects rest on; `facts` are those of the mediation fit."""
    numbers = tally(assumed(facts))
    doubt = ", {in_doubt} in doubt (see the table)" if numbers["doubt"].value else ""
    kept = {"in_doubt": numbers["doubt"]} if doubt else {}
    return sentence(
        f"What goes through the mediators (§ 6) rests on {{more}} further ones: {{by_design}} by design, {{seen}} "
        f"checked on this page{doubt}, {{untested}} that these data cannot test or that this page does not check.",
        more=numbers["all"],
        by_design=numbers["design"],
        seen=numbers["checked"],
        untested=numbers["open"],
        **kept,
    )


def table(facts: Facts) -> Table:
    """The assumptions with their status and what goes wrong without them."""
    caption = "Further assumptions of direct and indirect effects (§ 6)"
    return assumptions.table(NAME, caption, assumed(facts))


def model(facts: Facts) -> dict[str, object]:
    """What the template needs to write the equations of the fitted mediation model."""
    fitted = Fitted(facts)
    return {
        "lag": facts.study.lag,
        "kinds": [(mediated.label(facts, name).text, _distribution(facts, name)) for name in fitted.mediators],
        "forms": [_form(facts, name) for name in fitted.mediators],
        "adjusted": fitted.adjusted,
        "lasting": bool(fitted.lasting),
        "correlated": fitted.correlated,
        "interacting": listed([mediated.label(facts, name).text for name in fitted.interacting]),
        "acting": bool(fitted.acting),
        "outcome_lasts": fitted.outcome_lasts,
        "groups": listed([short(part.label, 40) for part in facts.study.groupings]),
    }


def _form(facts: Facts, mediator: str) -> str:
    """Name of a mediator's distribution, as the equations are chosen by."""
    part = next(part for part in facts.study.mediators if part.column == mediator)
    return part.family if part.kind == "continuous" else part.kind


def _distribution(facts: Facts, mediator: str) -> str:
    """Distribution of a mediator, in words."""
    form = _form(facts, mediator)
    if form in ("normal", "student"):
        name = "Student-t" if form == "student" else "normal"
        return f"{name} with standard deviation σ, in SDs of the first wave"
    if form == "binary":
        return "Bernoulli, on the logit scale"
    return (
        "ordered beta, on the logit scale: a beta distribution between the ends, with cutpoints for exactly 0 and 1, "
        "unless that end was never observed"
    )
