"""What calibration studies say of a run's models, for section 10: a sentence a study, one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from reports.text.calibration_file import NULL, PRIOR, TRUTH, Calibration, Row
from reports.text.calibration_tables import NONE, cell, quantity
from reports.text.calibrations import Applicable, applicable, participants
from reports.text.facts import Facts
from reports.text.parts import Cell, Column, Label, Sentence, Table, joined, sentence
from reports.text.simulation_sentences import at_the_truth, held_in_short, inside, left_out_in_short, sampled, whole
from reports.text.words import count, listed, short

NAME, ELSEWHERE = "calibration", "elsewhere"
NOT_RUN = "Not run for trials of this size: bias, coverage and type I error over hundreds of simulated trials"
SHOWN = (
    *("risk_difference", "mean_difference", "risk", "mean"),
    *("total", "natural_direct", "natural_indirect", "interventional_direct", "interventional_via", "dependence"),
)
COLUMNS = (
    Column("bias_truth", "Bias", "one fixed truth (MCSE)", number=True),
    Column("coverage_truth", "Coverage", "one fixed truth, % (MCSE)", number=True),
    Column("coverage_prior", "Coverage", "truths from the prior, % (MCSE)", number=True),
    Column("uniform", "Ranks", "uniform"),
    Column("width_truth", "Width of the interval", "mean", number=True),
    Column("excludes_0_null", "Type I error", "arms alike, % (MCSE)", number=True),
)
EXTRA = ("key", "scenario", "participants", "coverage_prior_mcse", "coverage_truth_mcse", "bias_truth_mcse",
         "excludes_0_null_mcse", "replications_prior", "replications_truth", "replications_null")  # fmt: skip
KINDS = {"prior": PRIOR, "truth": TRUTH, "null": NULL}


def parts(facts: Facts) -> dict[str, Mapping[str, Any]]:
    """Sentences, tables and values to add to the section; models without a study of this size are named.

    Raises
    ------
    InvalidInput
        If a file of a study holds what it may not.
    """
    found = applicable(facts)
    reported = {f"{NAME if one.alike else ELSEWHERE}_{one.study.about['model']}": _reported(one) for one in found}
    reported |= {f"sampling_{one.study.about['model']}": sampled(one.study.about) for one in found}
    reason = _lacking(facts, [str(one.study.about["model"]) for one in found if one.alike])
    tables = {NAME: _table(facts, found)} if found else {}
    elsewhere = bool(found) and not any(one.alike for one in found)
    title = "The same method on trials of another size" if elsewhere else "Bias, coverage and type I error of each"
    values = {"calibration_reason": reason, "calibration_title": title}
    return {"sentences": reported, "tables": tables, "values": values}


def commands(facts: Facts) -> list[str]:
    """What makes a study of this trial's own size, for each model that has one of another size alone."""
    size = participants(facts)
    return [_command(facts, one) for one in applicable(facts) if int(one.study.about["participants"]) != size]


def _lacking(facts: Facts, reported: Sequence[str]) -> str:
    models = [name for name in (str(facts.manifest["model"]), *facts.further) if name not in reported]
    if not models:
        return ""
    waves = count(len(facts.study.waves), "wave")
    return f"{NOT_RUN} ({listed(models)} model; {participants(facts)} participants, {waves})."


def _reported(one: Applicable) -> Sentence:
    """One study: bias, coverage and type I error of its main quantity, ranks."""
    study = one.study
    first = sentence(
        "The {model} model with the priors {priors}, tried on simulated trials of {whose} ({size} participants, "
        "{waves} waves), whose levels, baseline variables and losses are their own, not on this trial’s data:",
        model=Label(study.text("model")),
        priors=Label(study.text("priors").replace("_", " ")),
        whose="this size" if one.alike else "another size",
        size=whole(int(study.about["participants"])),
        waves=whole(int(study.about["waves"])),
    )
    prior, truth, null = (study.find(kind, study.main) for kind in (PRIOR, TRUTH, NULL))
    ranked = [row for row in study.of(PRIOR) if row.uniform is not None]
    more = [held_in_short(prior)] if prior else []
    more += [at_the_truth(truth)] if truth else []
    more += [left_out_in_short(null)] if null else []
    more += [inside(sum(bool(row.uniform) for row in ranked), len(ranked))] if ranked else []
    return joined(first, *more)


def _command(facts: Facts, one: Applicable) -> str:
    """What makes the same study at this trial's own size."""
    about = one.study.about
    requested = f"uv run scripts/calibrate.py {about['scenario']} --model {about['model']}"
    return (
        f"{requested} --priors {about['priors']} --participants {participants(facts)} "
        f"--replications {one.study.requested(PRIOR)} --into RUN"
    )


def _table(facts: Facts, found: Sequence[Applicable]) -> Table:
    studies = [one.study for one in found]
    labels = {part.column: part.label for part in facts.study.mediators}
    several = (Column("model", "Model"),) if len(studies) > 1 else ()
    rows = [_row(study, key, labels) for study in studies for key in _keys(study)]
    units = {row["quantity"].unit for row in rows}
    unit = units.pop() if len(units) == 1 else ""
    if unit:  # said once, in the caption
        rows = [row | {"quantity": replace(row["quantity"], unit="")} for row in rows]
    extra = EXTRA if several else ("model", *EXTRA)
    sizes = " and ".join(dict.fromkeys(str(study.about["participants"]) for study in studies))
    caption = f"Calibration on simulated trials of {sizes} participants" + (
        f"; bias and width in {unit}" if unit else ""
    )
    return Table(NAME, caption, (Column("quantity", "Quantity"), *several, *COLUMNS), tuple(rows), extra)


def _keys(study: Calibration) -> list[str]:
    """Quantities at the primary wave in the order of `SHOWN`; all estimands where there is none of them."""
    rows = list({row.quantity: row for row in study.rows if row.estimand}.values())
    wave = str(study.about.get("primary_wave", ""))
    rows = [row for row in rows if row.at(wave)] or rows
    wanted = [row.quantity for name in SHOWN for row in rows if row.name == name]
    return wanted or [row.quantity for row in rows] or [study.main]


def _row(study: Calibration, key: str, labels: Mapping[str, str]) -> dict[str, Cell]:
    rows: dict[str, Row | None] = {name: study.find(kind, key) for name, kind in KINDS.items()}
    there = next(row for row in rows.values() if row)
    named = quantity(there)
    for mediator, label in labels.items():
        named = replace(named, text=named.text.replace(mediator, short(label, 60)))
    cells = {"quantity": replace(named, text=named.text.replace("_", " ")), "uniform": _verdict(rows["prior"])}
    for column in COLUMNS:
        if column.key != "uniform":
            name, kind = column.key.rsplit("_", 1)
            row = rows[kind]
            cells[column.key] = cell(row, name) if row else Cell(NONE, float("nan"))
            cells[f"{column.key}_mcse"] = Cell("", row.numbers.get(f"{name}_mcse") if row else None)
    cells |= {f"replications_{name}": Cell("", row.replications if row else None) for name, row in rows.items()}
    about = study.about
    cells |= {"key": Cell("", key), "model": Cell(study.text("model"), study.text("model"))}
    return cells | {"scenario": Cell("", str(about["scenario"])), "participants": Cell("", int(about["participants"]))}


def _verdict(row: Row | None) -> Cell:
    if row is None or row.uniform is None:
        return Cell(NONE, float("nan"))
    return Cell("✓ inside" if row.uniform else "! outside", row.uniform, "nowrap")
