"""Tables of section 6: mediators by arm, parts of the total, parts of the control arm's change, each with its class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from models.estimands import ledger
from reports.figures.forest import reported
from reports.text import known_truth, mediated
from reports.text.estimate import ReportedEstimate
from reports.text.facts import Facts
from reports.text.numbers import PLAIN, show
from reports.text.parts import Cell, Column, Table
from reports.text.people import ARMS
from reports.text.sentences_paths import unit_words
from reports.text.words import capital, short

NUMBERS = ("median", "lower", "upper", "prior_median", "prior_lower", "prior_upper")
IDENTITY = ("estimand", "unit", "mediator", "wave")
CROSS_WORLD = "needs the cross-world assumption"
WORDS = (
    *("estimand", "label", "unit", "average", "arm", "wave", "mediator"),
    *("evidence", "assumptions", "bias_parameters", "reason"),
)
FIELDS = (
    *("median", "mean", "sd", "lower", "upper", "prior_median", "prior_sd", "prior_lower", "prior_upper"),
    *("contraction", "integration_error", "mcse_median", "mcse_lower", "mcse_upper"),
    *("ess_bulk", "ess_tail", "rhat", "p_below_zero"),
)


def cells(facts: Facts, estimate: ReportedEstimate) -> dict[str, Cell]:
    """Posterior, truth where it is known, prior and evidence class of a row; its numbers for the CSV."""
    prior = estimate.prior_reported if estimate.has_prior and not estimate.constant else "—"
    return {
        "posterior": Cell(reported(estimate), None, "estimate"),
        **known_truth.cells(facts, estimate),
        "prior": Cell(prior, None),
        "evidence": Cell(estimate.evidence, estimate.evidence, "evidence"),
        **numbers(estimate),
    }


def numbers(estimate: ReportedEstimate) -> dict[str, Cell]:
    """Identity and numbers as stored."""
    found = {name: Cell("", getattr(estimate, name)) for name in IDENTITY}
    return found | {name: Cell("", getattr(estimate, name)) for name in NUMBERS}


def _columns(facts: Facts, first: str) -> tuple[Column, ...]:
    return (
        Column("quantity", first, facts.scale.points),
        Column("posterior", "Posterior", "median (95% interval)", number=True),
        *known_truth.columns(facts),
        Column("prior", "Prior", "median (95% interval)", number=True),
        Column("evidence", "Evidence"),
    )


def _line(facts: Facts, name: str, note: str, estimate: ReportedEstimate) -> Mapping[str, Cell]:
    return {"quantity": Cell(capital(name), name, unit=note), **cells(facts, estimate)}


def mediators(facts: Facts) -> Table:
    """Effect of randomisation on each mediator at each wave after baseline, in time order."""
    columns = (
        Column("mediator_label", "Mediator"),
        Column("means", "Means", "treated · control", number=True),
        Column("posterior", "Difference", "median (95% interval)", number=True),
        *known_truth.columns(facts),
        Column("prior", "Prior", "median (95% interval)", number=True),
        Column("evidence", "Evidence"),
    )
    rows = [
        _mediator(facts, name, wave) for name in mediated.mediators(facts) for wave in mediated.differences(facts, name)
    ]
    caption = (
        "Mediators by arm: means, and the randomised difference, treated minus control, at every wave after baseline "
        "where they were measured"
    )
    return Table("mediators", caption, columns, tuple(rows), (*IDENTITY, "mean_control", "mean_treated", *NUMBERS))


def _mediator(facts: Facts, name: str, wave: str) -> Mapping[str, Cell]:
    found = facts.estimate("mediator_difference", wave, mediator=name)
    means = {arm: facts.estimate("mediator_mean", wave, arm=arm, mediator=name) for arm in ARMS}
    label = capital(mediated.label(facts, name).text)
    numbers_of = cells(facts, found)
    numbers_of["posterior"] = replace(numbers_of["posterior"], unit=unit_words(found))
    return {
        "mediator_label": Cell(label, label, unit=f"{facts.wave(wave, 40)}{_role(facts, wave)}"),
        "means": Cell(" · ".join(means[arm].number("median").text for arm in reversed(ARMS)), None),
        **{f"mean_{arm}": Cell("", mean.median) for arm, mean in means.items()},
        **numbers_of,
    }


def _role(facts: Facts, wave: str) -> str:
    """What a wave is to the question: primary, negative control, or the one whose values precede an outcome."""
    if facts.role(wave) == "negative control":
        return " (negative control)"
    after = [later for later in mediated.ordered(facts) if mediated.before(facts, later) == wave]
    reported = ["primary wave"] if wave == facts.primary else []
    if wave not in after and after:
        reported.append(f"precedes {'the primary' if facts.primary in after else 'a later'} outcome")
    return f" ({'; '.join(reported)})" if reported else ""


def decomposition(facts: Facts, waves: list[str], name: str = "decomposition") -> Table:
    """Total, direct and indirect effects of some waves, every row with prior and evidence class."""
    rows = [
        _line(facts, label, f"{facts.wave(wave, 40)}; {note}" if len(waves) > 1 else note, estimate)
        for wave in waves
        for label, note, estimate in _rows(facts, wave)
    ]
    where = facts.wave(waves[0]) if len(waves) == 1 else "other waves"
    caption = f"What goes directly and what goes through the mediators, {where}: treated minus control"
    return Table(name, caption, _columns(facts, "Effect"), tuple(rows), (*IDENTITY, *NUMBERS))


def _rows(facts: Facts, wave: str) -> list[tuple[str, str, ReportedEstimate]]:
    """Name, note and estimate of each row, in the order of the page."""
    notes = {
        "total": "by the mediation model",
        "interventional_direct": "interventional",
        "dependence": "interventional",
    }
    found = [
        (part.name, notes.get(part.estimate.estimand, "interventional"), part.estimate)
        for part in mediated.decomposition(facts, wave)
    ]
    for name in mediated.mediators(facts):
        if facts.has(mediated.REVERSED, wave, mediator=name) and len(mediated.mediators(facts)) > 1:
            label = mediated.label(facts, name).text
            estimate = facts.estimate(mediated.REVERSED, wave, mediator=name)
            found.append((f"Via {label}", "interventional, mediators switched in the other order", estimate))
    return found + [
        (label, note, facts.estimate(estimand, wave)) for estimand, label, note in _further(facts, wave)
        if facts.has(estimand, wave)
    ]  # fmt: skip


def _further(facts: Facts, wave: str) -> tuple[tuple[str, str, str], ...]:
    """Natural and controlled effects and the four-way decomposition: estimand, name, note."""
    held = short(mediated.held(facts), 200)
    four = "four-way; " if facts.has("mediated_interaction", wave) else ""
    return (
        ("natural_direct", "Natural direct effect", CROSS_WORLD),
        ("natural_indirect", "Natural indirect effect", f"through all mediators; {CROSS_WORLD}"),
        ("natural_direct_total", "Total natural direct effect", f"mediators as when treated; {CROSS_WORLD}"),
        ("controlled_direct", "Controlled direct effect", f"{four}mediators held at {held}"),
        ("reference_interaction", "Reference interaction", "four-way; interaction alone"),
        ("mediated_interaction", "Mediated interaction", "four-way; interaction and mediation"),
        ("natural_indirect_pure", "Pure indirect effect", f"four-way; {CROSS_WORLD}"),
        ("proportion_mediated", "Proportion mediated", f"natural indirect / total; no unit; {CROSS_WORLD}"),
    )


def change(facts: Facts, wave: str) -> Table:
    """The control arm's change since baseline and its parts."""
    rows = tuple(_line(facts, part.name, part.note, part.estimate) for part in mediated.split(facts, wave))
    caption = (
        f"Change in the {facts.arm('control', 40).text} arm from {facts.wave(facts.study.waves[0].value)} to "
        f"{facts.wave(wave)}, split; no row is an effect"
    )
    return Table("common_change", caption, _columns(facts, "Part"), rows, (*IDENTITY, *NUMBERS))


def by_prior(facts: Facts, wave: str) -> Table | None:
    """What rests on d and w, which have their priors alone; None where the run has neither."""
    control = facts.arm("control", 40).text
    rows = []
    if facts.has(mediated.TRAINING, wave, arm="control"):
        left = facts.estimate(mediated.TRAINING, wave, arm="control")
        rows.append(
            _assumed("Remainder − d", f"d, the change without {control}, by its prior alone", left, left.reported)
        )
    if facts.has(mediated.SHARE, wave, arm="control"):
        part = facts.estimate(mediated.SHARE, wave, arm="control")
        same_way = short(ledger.same_way(facts.study.arms.control.label), 200)
        # w may be 0: an interval that excludes 0 would say no more than that w cannot be negative
        far = max((part.number("lower"), part.number("upper")), key=lambda limit: abs(limit.value))
        rows.append(_assumed("Share w of the remainder", f"{same_way}; w by its prior", part, f"0 to {far.text}"))
    if facts.has(mediated.TIPPING, wave, arm="control"):
        rows.append(_tipping(facts, facts.estimate(mediated.TIPPING, wave, arm="control")))
    columns = (
        Column("quantity", "Part", facts.scale.points),
        Column("posterior", "By the prior of d or w", "median (95% interval)", number=True),
        Column("evidence", "Evidence"),
    )
    caption = (
        f"What of the remainder would be {control}’s if d or w were as their priors say: the data do not inform it"
    )
    return Table("common_change_prior", caption, columns, tuple(rows), (*IDENTITY, *NUMBERS)) if rows else None


def _assumed(name: str, note: str, estimate: ReportedEstimate, text: str) -> Mapping[str, Cell]:
    return {
        "quantity": Cell(name, name, unit=note),
        "posterior": Cell(text, None),
        "evidence": Cell(estimate.evidence, estimate.evidence, "evidence"),
        **numbers(estimate),
    }


def _tipping(facts: Facts, estimate: ReportedEstimate) -> Mapping[str, Cell]:
    """Smallest w that would matter: a number without an interval, or none."""
    known = estimate.median == estimate.median
    text = show(estimate.median, PLAIN, 2).text if known else "none reaches it"
    note = f"no unit; that share is {facts.margin.text} {facts.scale.points} or more better with probability 0.95"
    return _assumed("Smallest such w", note, estimate, text)


def every(facts: Facts) -> Table:
    """Every row of the mediation model's summary, for the CSV and report.json."""
    columns = tuple(Column(name, name, number=name in FIELDS) for name in (*WORDS, *FIELDS))
    rows = tuple(
        {name: Cell(short(row.text(name), 400), row.text(name)) for name in (*WORDS, *FIELDS)}
        for row in mediated.rows(facts)
    )
    return Table("path_estimates", "Every estimate of the mediation model", columns, rows)
