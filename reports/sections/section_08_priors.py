"""Section 8: do the priors matter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.estimands.coordinates import VARIABLE
from reports.figures import prior_posterior
from reports.sections import path_priors, prior_refits
from reports.sections.section_01_answer import posterior_cells
from reports.text import before, sensitivities, sentences
from reports.text.elements import worded
from reports.text.facts import DEFAULT_AVERAGE, Facts
from reports.text.numbers import PLAIN, RISK, Number, interval, show
from reports.text.parts import Cell, Column, Section, Sentence, Table, joined, sentence
from reports.text.words import agreeing, capital

NUMBER, QUESTION, ESTIMATES = 8, "Do the priors matter?", True
TABLES = ("contraction", "prior_posterior", "power_scaling", "path_power_scaling", "refits")
FIGURES = ("priors", "refits")


def compose(facts: Facts) -> Section:
    """Prior beside posterior, contraction, and what happens when a prior counts more or less."""
    said, drawn = {"priors": _lead(facts)}, {"priors": prior_posterior.draw(facts)}
    tables = {"contraction": _contraction(facts), "prior_posterior": _every(facts), "power_scaling": _power(facts)}
    of_paths = path_priors.scaling(facts)
    if of_paths is not None:
        tables["path_power_scaling"] = of_paths
    reason = sensitivities.not_run(facts)
    if not reason:
        said["refits"] = prior_refits.sentence_of(facts)
        drawn["refits"] = prior_refits.draw(facts)
        tables["refits"] = prior_refits.table(facts)
    return Section(
        NUMBER,
        QUESTION,
        "section_08.html.j2",
        sentences=said,
        figures=drawn,
        tables=tables,
        values={
            "refits_reason": reason,
            "sets": [] if reason else prior_refits.stands_for(facts),
            **path_priors.not_run(facts),
        },
    )


def _lead(facts: Facts) -> Sentence:
    share, parts = before.contraction(facts, facts.primary), []
    if share is not None and share < 1:
        reported = "The posterior variance of the effect’s own parameter ({scale}) is {share} of its prior variance."
        parts.append(sentence(reported, scale=facts.parameter_scale, share=_percent(1 - share)))
    wanted = (facts.scale.difference, facts.primary)
    for row in (row for row in _scaled(facts) if (row.estimand, row.wave) == wanted):
        reported = (
            "Letting the priors count from {low} to {high} times moves the median difference by {shift} {points}."
        )
        numbers = {"low": Number(0.8, "0.8"), "high": Number(1.25, "1.25")}
        shift = path_priors.signed(row.shift, facts.scale.difference_unit, facts.scale.difference_unit.decimals)
        parts.append(sentence(reported, shift=shift, points=agreeing(shift.text, facts.scale.points), **numbers))
    by_prior = sentences.by_prior(facts)
    return joined(*([by_prior] if by_prior else []), *parts)


def _percent(value: float) -> Number:
    return Number(value, show(100 * value, decimals=0).text + "%")


@dataclass(frozen=True)
class Scaled:
    """Power-scaling of one difference: sensitivity indices, and the shift of its median in its own units."""

    estimand: str
    wave: str
    prior: float
    likelihood: float
    shift: float
    flag: bool


def _scaled(facts: Facts) -> list[Scaled]:
    """Rows of the run's table."""
    names = Scaled.__dataclass_fields__
    return [Scaled(**{name: row[name] for name in names}) for row in facts.run.power_scaling.to_dict("records")]


def _contraction(facts: Facts) -> Table:
    """The effect's own parameter at each follow-up: what the data taught is not read off a difference of risks."""
    columns = (
        Column("wave", "Wave"),
        Column("posterior", "Posterior", "median (95% interval)", number=True),
        Column("prior", "Prior", "median (95% interval)", number=True),
        Column("contraction", "Contraction", "1: data, 0: prior", number=True),
    )
    rows = []
    for wave in facts.contrasts:
        share = before.contraction(facts, wave)
        if share is None:
            continue
        prior, posterior = (
            facts.parameter(before.EFFECT, prior=is_prior, follow_up=wave) for is_prior in (True, False)
        )
        rows.append(
            {
                "wave": Cell(capital(facts.wave(wave, 60)), wave),
                "posterior": _quantiles(posterior, "estimate"),
                "prior": _quantiles(prior, ""),
                "contraction": Cell(show(share).text, share),
            }
        )
    caption = f"How far the data narrowed the effect’s own parameter ({facts.parameter_scale})"
    return Table("contraction", caption, columns, tuple(rows))


def _quantiles(draws: np.ndarray, kind: str) -> Cell:
    lower, median, upper = (show(float(value)) for value in np.quantile(draws, [0.025, 0.5, 0.975]))
    text = f"{median.text} ({interval(lower, upper)})"
    return Cell(text, text, kind)


def _every(facts: Facts) -> Table:
    columns = (
        Column("quantity", "Quantity"),
        Column("wave", "Wave"),
        Column("unit", "Unit"),
        Column("posterior", "Posterior", "median (95% interval)", number=True),
        Column("prior", "Prior", "median (95% interval)", number=True),
        Column("evidence", "Evidence"),
    )
    rows = []
    for row in facts.estimates:
        if row.printed and row.average in (DEFAULT_AVERAGE, "") and row.has_prior:
            name = facts.named(row) + (
                f", {facts.arm(row.arm, 40).text}" if row.arm and facts.arm(row.arm, 40).text not in row.label else ""
            )
            known = any(wave.value == row.wave for wave in facts.study.waves)
            # a difference of risks is in points: in percent it would read as a relative change
            unit = "%" if row.shown is RISK else row.shown.name
            rows.append(
                {
                    "quantity": Cell(capital(name), f"{row.estimand}[{row.arm}]"),
                    "wave": Cell(facts.wave(row.wave, 40) if known else "", row.wave),
                    "unit": Cell(unit, row.unit),
                    **posterior_cells(row),
                    "evidence": Cell(row.evidence, row.evidence, "evidence"),
                }
            )
    caption = "Prior and posterior of every estimand, average over the population"
    return Table("prior_posterior", caption, columns, tuple(rows))


def _power(facts: Facts) -> Table:
    columns = (
        Column("quantity", "Quantity"),
        Column("wave", "Wave"),
        Column("prior", "Prior", "sensitivity index", number=True),
        Column("likelihood", "Likelihood", "sensitivity index", number=True),
        Column("shift", "Shift of the median", facts.scale.points, number=True),
        Column("flag", "Verdict"),
    )
    rows = []
    for row in _scaled(facts):
        unit = facts.scale.difference_unit if row.estimand == facts.scale.difference else PLAIN
        shift = path_priors.signed(row.shift, unit, unit.decimals)
        rows.append(
            {
                "quantity": Cell(capital(worded({VARIABLE: row.estimand}, facts.study)), row.estimand),
                "wave": Cell(_wave(facts, row.wave), row.wave),
                "prior": Cell(show(row.prior).text, row.prior),
                "likelihood": Cell(show(row.likelihood).text, row.likelihood),
                "shift": Cell(shift.text, row.shift),
                "flag": Cell("! Look" if row.flag else "✓ Pass", row.flag, "nowrap"),
            }
        )
    return Table(
        "power_scaling",
        "Power-scaling: priors or likelihood made to count from 0.8 to 1.25 times",
        columns,
        tuple(rows),
    )


def _wave(facts: Facts, wave: str) -> str:
    return facts.wave(wave, 40) if any(known.value == wave for known in facts.study.waves) else wave
