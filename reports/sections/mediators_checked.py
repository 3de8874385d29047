"""The part of section 7 on the mediators themselves: do their values look like draws from their distributions."""

from __future__ import annotations

from reports.figures.mediator_pit import NAME
from reports.text import mediated
from reports.text.facts import Facts
from reports.text.mediator_curves import GROUP, Curve, curves
from reports.text.numbers import POINTS, Number, show
from reports.text.parts import Cell, Column, Sentence, Table, sentence
from reports.text.words import capital

FORMS = {
    "normal": "normal",
    "student": "Student-t",
    "binary": "yes or no",
    "share": "ordered beta",
}
"""A mediator's distribution in a word or two."""


def reason(facts: Facts) -> str:
    """Why mediators are not checked; empty where they are, and where the study has none."""
    if facts.paths is None:
        return mediated.not_run(facts) if facts.study.mediators else "Not run: the study file names no mediator."
    if GROUP not in facts.paths.run.tree.children:
        return "Not run: this run was made before mediators were checked."
    return ""


def lead(facts: Facts) -> Sentence:
    """How many stay within their band; `facts` are those of the mediation fit."""
    found = curves(facts)
    inside = sum(curve.inside for curve in found)
    return sentence(
        "{inside} of {all} mediators stay within the band of what their fitted distribution predicts, looked at value "
        "by value, each left out in turn.",
        inside=Number(inside, str(inside)),
        all=Number(len(found), str(len(found))),
    )


def table(facts: Facts) -> Table:
    """One row a mediator: distribution, values, furthest point, verdict."""
    columns = (
        Column("mediator", "Mediator"),
        Column("distribution", "Fitted distribution"),
        Column("values", "Values", "n", number=True),
        Column("furthest", "Furthest from 0", "percentage points", number=True),
        Column("at", "At", "probability", number=True),
        Column("unreliable", "Pareto k > 0.7", "% of values", number=True),
        Column("inside", "Inside the band"),
    )
    rows = tuple(_row(facts, curve) for curve in curves(facts))
    return Table(NAME, "Mediators’ leave-one-out probabilities against uniform ones", columns, rows)


def _row(facts: Facts, curve: Curve) -> dict[str, Cell]:
    part = next(part for part in facts.study.mediators if part.column == curve.mediator)
    form = FORMS[part.family if part.kind == "continuous" else part.kind]
    known = curve.difference.size > 0
    size, at = (float(part[curve.furthest]) if known else 0.0 for part in (curve.difference, curve.probability))
    return {
        "mediator": Cell(capital(curve.label), curve.mediator),
        "distribution": Cell(form, form),
        "values": curve.values,
        "furthest": Cell(show(size, POINTS, 0).text, size) if known else Cell("—"),
        "at": Cell(f"{at:.2f}", at) if known else Cell("—"),
        "unreliable": curve.unreliable,
        "inside": Cell("✓ inside" if curve.inside else "! outside", curve.inside, "nowrap"),
    }
