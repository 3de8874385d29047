"""Tables of a calibration study: operating characteristics, one table a kind of true values."""

from __future__ import annotations

import math
from collections.abc import Mapping

from reports.text.calibration_file import KINDS, NULL, NUMBERS, PRIOR, SHARE, SHARES, TRUTH, Calibration, Row
from reports.text.numbers import fixed, unsigned
from reports.text.parts import Cell, Column, Table
from reports.text.words import capital, count

NAMES = {PRIOR: "truths_from_the_prior", TRUTH: "scenario_truth", NULL: "no_effect"}
NONE = "—"
HEADS = {
    "truth": Column("truth", "True value", "", number=True),
    "bias": Column("bias", "Bias", "(MCSE)", number=True),
    "rmse": Column("rmse", "RMSE", number=True),
    "coverage": Column("coverage", "Contains the truth", "% of intervals (MCSE)", number=True),
    "width": Column("width", "Width of the interval", "mean", number=True),
    "excludes_0": Column("excludes_0", "Excludes 0", "% of intervals (MCSE)", number=True),
    "sign_error": Column("sign_error", "Wrong side of 0", "% of intervals (MCSE)", number=True),
}
SHOWN = {
    PRIOR: ("bias", "rmse", "coverage", "width", "excludes_0", "sign_error"),
    TRUTH: ("truth", "bias", "coverage", "width", "excludes_0", "sign_error"),
    NULL: ("truth", "bias", "coverage", "width", "excludes_0"),
}
WITH_ERROR = ("bias", "coverage", "excludes_0", "sign_error")


def tables(study: Calibration) -> dict[str, Table]:
    """One table for each kind that the study has."""
    return {NAMES[kind]: _table(study, kind) for kind in KINDS if study.of(kind)}


def _table(study: Calibration, kind: str) -> Table:
    found = study.of(kind)
    columns = (Column("quantity", "Quantity"), *(HEADS[name] for name in SHOWN[kind]))
    extra = ("key", "estimand", "unit", "replications", *(name for name in NUMBERS if name not in SHOWN[kind]))
    trials = sorted({row.replications for row in found})
    over = count(trials[-1], "trial") if len(trials) == 1 else f"{fixed(trials[0])} to {count(trials[-1], 'trial')}"
    caption = f"{capital(KINDS[kind])}: how the method did over {over}"
    return Table(NAMES[kind], caption, columns, tuple(_row(row, SHOWN[kind]) for row in found), extra)


def _row(row: Row, shown: tuple[str, ...]) -> Mapping[str, Cell]:
    cells = {"quantity": quantity(row)} | {name: cell(row, name) for name in shown}
    cells |= {"key": Cell("", row.quantity), "estimand": Cell("", row.estimand), "unit": Cell("", row.unit)}
    cells["replications"] = Cell("", row.replications)
    hidden = {name: Cell("", row[name]) for name in NUMBERS if name not in shown}
    return cells | hidden


def quantity(row: Row) -> Cell:
    """Label with its unit."""
    return Cell(capital(row.label), row.label, unit="" if row.unit == "" else row.shown.name)


def cell(row: Row, name: str) -> Cell:
    """One number, with its Monte Carlo error where it has one."""
    if not row.has(name):
        return Cell(NONE, math.nan)
    text = (unsigned(row[name], SHARE) if name in SHARES else unsigned(row[name], row.shown, row.digits)).text
    error = row.numbers.get(f"{name}_mcse", math.nan)
    if name in WITH_ERROR and math.isfinite(error):
        beside = unsigned(error, SHARE) if name != "bias" else unsigned(error, row.shown, row.digits)
        text = f"{text} ({beside.text})"
    return Cell(text, row[name], "estimate" if name == "coverage" else "")
