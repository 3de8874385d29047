"""What calibration studies say of a run's models, for section 10: a sentence a study, one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from reports.calibration_file import NULL, PRIOR, TRUTH, Calibration, Row
from reports.calibration_tables import NONE, cell, quantity
from reports.calibrations import Applicable, applicable, participants
from reports.facts import Facts
from reports.parts import Cell, Column, Label, Sentence, Table, joined, sentence
from reports.simulation_sentences import at_the_truth, held_in_short, inside, left_out_in_short, sampled, whole

NAME = "calibration"
NOT_RUN = (
    "Not run: calibration over hundreds of trials, and what a trial of this size could detect, are not part of a run, "
    "and no study with its model and priors is at hand."
)
SHOWN = (
    *("risk_difference", "mean_difference", "risk", "mean"),
    *("total", "natural_direct", "natural_indirect", "interventional_direct", "interventional_via", "dependence"),
)
COLUMNS = (
    Column("coverage_prior", "Holds the truth", "truths from the prior, % (MCSE)", number=True),
    Column("uniform", "Ranks", "uniform"),
    Column("coverage_truth", "Holds the truth", "scenario’s truth, % (MCSE)", number=True),
    Column("bias_truth", "Bias", "scenario’s truth (MCSE)", number=True),
    Column("width_truth", "Width of the interval", "mean", number=True),
    Column("excludes_0_null", "Leaves 0 out", "arms alike, % (MCSE)", number=True),
)
EXTRA = ("key", "scenario", "participants", "coverage_prior_mcse", "coverage_truth_mcse", "bias_truth_mcse",
         "excludes_0_null_mcse", "replications_prior", "replications_truth", "replications_null")  # fmt: skip
KINDS = {"prior": PRIOR, "truth": TRUTH, "null": NULL}


def parts(facts: Facts) -> dict[str, Mapping[str, Any]]:
    """Sentences, tables and values to add to the section; without a study the words that say so.

    Raises
    ------
    InvalidInput
        If a file of a study holds what it may not.
    """
    found = applicable(facts)
    if not found:
        return {"sentences": {}, "tables": {}, "values": {"calibration_reason": NOT_RUN, "commands": ()}}
    told = {f"{NAME}_{one.study.about['model']}": _told(one) for one in found}
    values = {
        "calibration_reason": "",
        "commands": [_command(facts, one) for one in found if not _own_size(facts, one)],
    }
    return {"sentences": told, "tables": {NAME: _table(found)}, "values": values}


def _told(one: Applicable) -> Sentence:
    """One study: coverage of its main quantity, false alarms, ranks."""
    study = one.study
    first = sentence(
        "The {model} model with the priors {priors} on trials of {size} participants simulated by scenario "
        "“{scenario}”, not on this trial’s data:",
        model=Label(study.text("model")),
        priors=Label(study.text("priors").replace("_", " ")),
        size=whole(int(study.about["participants"])),
        scenario=Label(study.text("scenario")),
    )
    prior, null = (study.find(kind, study.main) for kind in (PRIOR, NULL))
    ranked = [row for row in study.of(PRIOR) if row.uniform is not None]
    more = [held_in_short(prior)] if prior else []
    if truth := study.find(TRUTH, study.main):
        more.append(at_the_truth(truth))
    more += [left_out_in_short(null)] if null else []
    more += [inside(sum(bool(row.uniform) for row in ranked), len(ranked))] if ranked else []
    return joined(first, *more, sampled(study.about))


def _own_size(facts: Facts, one: Applicable) -> bool:
    return one.own or int(one.study.about["participants"]) == participants(facts)


def _command(facts: Facts, one: Applicable) -> str:
    """What makes the same study at this trial's own size."""
    about = one.study.about
    asked = f"uv run scripts/calibrate.py {about['scenario']} --model {about['model']}"
    return (
        f"{asked} --priors {about['priors']} --participants {participants(facts)} "
        f"--replications {one.study.asked(PRIOR)} --into RUN"
    )


def _table(found: Sequence[Applicable]) -> Table:
    studies = [one.study for one in found]
    several = (Column("model", "Model"),) if len(studies) > 1 else ()
    rows = [_row(study, key) for study in studies for key in _keys(study)]
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


def _row(study: Calibration, key: str) -> dict[str, Cell]:
    rows: dict[str, Row | None] = {name: study.find(kind, key) for name, kind in KINDS.items()}
    there = next(row for row in rows.values() if row)
    cells = {"quantity": quantity(there), "uniform": _verdict(rows["prior"])}
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
