"""Section 7: does the model reproduce the data."""

from __future__ import annotations

import numpy as np
import xarray as xr

from models.checks.gate_table import CheckName
from reports.figures import mediator_pit, patterns, replicated_outcomes
from reports.sections import mediators_checked
from reports.sections.group_spread import SPREADS
from reports.text import decision
from reports.text.assumption_checks import UNCHECKED, by_gate
from reports.text.facts import Facts
from reports.text.numbers import INTERVAL, Number, fixed, rounded, show
from reports.text.parts import Cell, Column, Section, Sentence, Table, joined, sentence
from reports.text.privacy import HIDDEN, SUPPRESSED
from reports.text.words import capital, clean

NUMBER, QUESTION, ESTIMATES = 7, "Does the model reproduce the data?", True
TABLES = ("predictive", "patterns", "pareto", "mediator_pit")
FIGURES = ("predictive", "patterns", "mediator_pit")


def compose(facts: Facts) -> Section:
    """Shares (or means) by arm and wave, never and always, response patterns, mediators, Pareto k."""
    figures, tables = {"predictive": replicated_outcomes.draw(facts)}, {"predictive": _predictive(facts)}
    reasons = {"note": facts.limit.note, "what": "shares" if facts.binary else "means"}
    paths = patterns.rows(facts)
    if paths:
        figures["patterns"], tables["patterns"] = patterns.draw(facts), _patterns(paths)
    else:
        reasons["patterns_reason"] = _no_patterns(facts)
    if "loo" in facts.run.tree.children:
        tables["pareto"] = _pareto(facts)
    else:
        check = facts.check(CheckName.PARETO_K)
        why = " ".join(check.remarks) if check else ""
        reasons["pareto_reason"] = f"Not run: {clean(why) or 'leave-one-out is not part of this run.'}"
    said = {"prediction": _lead(facts, paths)}
    reasons["mediator_pit_reason"], gated = mediators_checked.reason(facts), False
    if facts.paths is not None and not reasons["mediator_pit_reason"]:
        said["mediator_pit"] = mediators_checked.lead(facts.paths)
        tables["mediator_pit"] = mediators_checked.table(facts.paths)
        figures["mediator_pit"] = mediator_pit.draw(facts.paths)
        gated = by_gate(facts.paths, 2, CheckName.DISTRIBUTIONS) != UNCHECKED
    values: dict[str, object] = {**reasons, "pit_gated": gated}
    return Section(NUMBER, QUESTION, "section_07.html.j2", "shown", "", said, tables, figures, values)


def _no_patterns(facts: Facts) -> str:
    if not facts.binary:
        others = "means and the standard deviation" if facts.continuous else "means and zeros"
        return f"Not run: response patterns are for yes-or-no outcomes; {others} are checked instead."
    if len(facts.study.waves) == 1:
        return "Not run: a single wave makes no pattern."
    return "Not run: too many waves for a table of patterns, or nobody was observed at every wave."


def _lead(facts: Facts, paths: list[patterns.Row]) -> Sentence:
    rows = replicated_outcomes.rows(facts)
    inside, what = sum(row.inside for row in rows), "shares" if facts.binary else "means"
    first = sentence(
        f"{{inside}} of {{all}} observed {what} by arm and wave lie inside their {{ci}} predictive intervals.",
        ci=INTERVAL,
        inside=Number(inside, str(inside)),
        all=Number(len(rows), str(len(rows))),
    )
    if not paths:
        return first
    fit = sum(row.inside for row in paths)
    return joined(
        first,
        sentence(
            "So do {fit} of {paths} response patterns.",
            fit=Number(fit, str(fit)),
            paths=Number(len(paths), str(len(paths))),
        ),
    )


def _predictive(facts: Facts) -> Table:
    columns = (
        Column("check", "Check"),
        Column("where", "Where"),
        Column("n", "n", "observed", number=True),
        Column("observed", "Observed", "% or number", number=True),
        Column("predicted", "Predicted", "median (95% interval)", number=True),
        Column("inside", "Inside"),
    )
    rows = []
    for row in facts.run.predictive_checks.to_dict("records"):
        where = (
            f"{facts.arm(row['arm'], 40).text}, {facts.wave(str(row['wave']), 40)}"
            if row["arm"] and row["wave"]
            else facts.arm(row["arm"], 40).text
            if row["arm"]
            else f"both arms, {facts.wave(str(row['wave']), 40)}"
            if row["wave"]
            else "both arms"
        )
        percent = (facts.binary and row["check"] not in SPREADS) or row["check"] == "zeros"
        shown = [_shown(float(row[key]), percent) for key in ("observed", "median", "lower", "upper")]
        hidden = _untold(facts, row)
        inside = "✓ inside" if row["inside"] else "✗ outside"
        rows.append(
            {
                "check": Cell(capital(str(row["check"])), str(row["check"])),
                "where": Cell(where, f"{row['arm']} {row['wave']}".strip()),
                "n": _n(facts, row),
                "observed": _observed(facts, row, shown[0]),
                "predicted": Cell(HIDDEN if hidden else f"{shown[1]} ({shown[2]} to {shown[3]})", None),
                "inside": Cell(inside, bool(row["inside"]), "nowrap"),
                **{field: _limit(row, field, hidden=hidden) for field in ("median", "lower", "upper")},
            }
        )
    return Table(
        "predictive",
        "Observed data against 95% predictive intervals",
        columns,
        tuple(rows),
        ("median", "lower", "upper"),
    )


def _shown(value: float, percent: bool) -> str:
    return f"{fixed(100 * value)}%" if percent else fixed(value, 2)


def _untold(facts: Facts, row: dict) -> bool:
    """Whether predictive limits would give a hidden number away: replicated shares are multiples of 1/n."""
    if row["arm"] and row["wave"]:
        return facts.people.hidden((row["arm"], str(row["wave"])))
    return facts.limit.minimum > 0


def _limit(row: dict, field: str, *, hidden: bool) -> Cell:
    return Cell("", SUPPRESSED, SUPPRESSED) if hidden else Cell("", float(row[field]))


def _observed(facts: Facts, row: dict, text: str) -> Cell:
    """Observed value, unless it rests on a small count."""
    if row["arm"] and row["wave"]:
        value = facts.people.mean((row["arm"], str(row["wave"])))
        return Cell(HIDDEN, SUPPRESSED, SUPPRESSED) if value is None else Cell(text, value)
    if row["check"] in ("never", "always", "zeros") and facts.limit.small(row["observed"] * row["n"], row["n"]):
        return Cell(HIDDEN, SUPPRESSED, SUPPRESSED)
    # two digits: more of a share give its denominator away
    return Cell(text, rounded(row["observed"], 2) if facts.limit.minimum else float(row["observed"]))


def _n(facts: Facts, row: dict) -> Cell:
    place = (row["arm"], str(row["wave"]))
    if place in facts.people.observed:
        return facts.people.observed[place]
    # with it a hidden number of another row could be found by subtraction
    return Cell(HIDDEN, SUPPRESSED, SUPPRESSED) if facts.limit.minimum else Cell(str(int(row["n"])), int(row["n"]))


def _patterns(paths: list[patterns.Row]) -> Table:
    columns = (
        Column("pattern", "Pattern"),
        Column("observed", "Observed", "participants", number=True),
        Column("predicted", "Predicted", "median (95% interval)", number=True),
        Column("inside", "Inside"),
    )
    rows = tuple(
        {
            "pattern": Cell(row.pattern, row.pattern),
            "observed": row.observed,
            "predicted": Cell(f"{row.median:.0f} ({row.lower:.0f} to {row.upper:.0f})", None),
            "inside": Cell("✓ inside" if row.inside else "✗ outside", row.inside, "nowrap"),
            "median": Cell("", row.median),
            "lower": Cell("", row.lower),
            "upper": Cell("", row.upper),
        }
        for row in paths
    )
    return Table(
        "patterns",
        "Response patterns (1 yes, 0 no, in the order of the waves), participants with every wave observed",
        columns,
        rows,
        ("median", "lower", "upper"),
    )


def _pareto(facts: Facts) -> Table:
    group = facts.group("loo")
    k, unit = group["pareto_k"].to_numpy().ravel(), str(group["pareto_k"].dims[0])
    bands = (
        ("k ≤ 0.5", "good", k <= 0.5),
        ("0.5 < k ≤ 0.7", "usable", (k > 0.5) & (k <= 0.7)),
        ("k > 0.7", f"importance sampling cannot leave this {unit} out", ~(k <= 0.7)),
    )
    columns = (
        Column("band", "Pareto k"),
        Column("meaning", "Meaning"),
        Column("rows", capital(f"{unit}s"), "n", number=True),
        Column("share", "Share", f"% of {unit}s", number=True),
    )
    rows = tuple(
        {
            "band": Cell(band, band),
            "meaning": Cell(meaning, meaning),
            "rows": Cell(HIDDEN, SUPPRESSED, SUPPRESSED)
            if facts.limit.minimum
            else Cell(str(int(np.sum(inside))), int(np.sum(inside))),
            "share": _share(facts, float(np.mean(inside))),
        }
        for band, meaning, inside in bands
    )
    caption = f"Does a single {unit} dominate? Leave-one-{unit}-out{_left_out(facts, group)}"
    return Table("pareto", caption, columns, rows)


def _left_out(facts: Facts, group: xr.Dataset) -> str:
    """How well those left out are predicted, who was left out by a refit, and how far that moves the answer."""
    reported = [f"expected log predictive density {float(group['elpd']):.1f} (standard error {float(group['se']):.1f})"]
    unit = facts.scale.difference_unit
    low, high = (show(float(group[name]), unit, 1) for name in ("shift_lower", "shift_upper"))
    points = f"{facts.scale.points} ({facts.estimate(facts.scale.difference, facts.primary).evidence})"
    reported.append(f"leaving any one out changes the mean difference by {low.text} to {high.text} {points}")
    moved = _moved(facts, group)
    if moved:
        single = f"single {group['pareto_k'].dims[0]}s"
        reported.append(f"an interval moved that far would make the verdict {moved}: here {single} count")
    if int(group["unweighed"]):
        reported.append("participants for whom importance sampling fails are not included in that range")
    if int(group["refitted"]) and not facts.limit.minimum:
        reported.append(f"{int(group['refitted'])} of them left out by refitting")
    return "; " + "; ".join(reported).replace("-", "−")


def _moved(facts: Facts, group: xr.Dataset) -> str:
    """Other verdicts that the interval would give if it moved as far as the mean when one is left out."""
    estimate = facts.estimate(facts.scale.difference, facts.primary)
    shifts = (0.0, float(group["shift_lower"]), float(group["shift_upper"]))
    found = [decision.moved(facts, estimate, shift) for shift in shifts]
    return " or ".join(name for name in dict.fromkeys(found) if name != found[0])


def _share(facts: Facts, value: float) -> Cell:
    """Share of the rows, to whole percent where their number is not to be told."""
    digits = 0 if facts.limit.minimum else 1
    return Cell(f"{fixed(100 * value, digits)}%", rounded(value, 2) if facts.limit.minimum else value)
