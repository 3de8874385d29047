"""MODEL.md is held true: every function that it names exists, every public one is named, its tables are the code's."""

from __future__ import annotations

import ast
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

from models import (
    analysis,
    design,
    effect,
    gate,
    integrated,
    leave_one_out,
    mediator_checks,
    predictive,
    quadrature,
    tipping,
)
from models.calibration import replication, summary
from models.histories import kernel
from priors import prior_set

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "MODEL.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`((?:models|priors)(?:\.\w+)+)`", TEXT)
COVERED = (
    "common_change",
    "confounding",
    "count_means",
    "effect",
    "effect_integrated",
    "estimands",
    "gate",
    "gate_limits",
    "integrated",
    "leave_one_out",
    "mediation",
    "mediator_checks",
    "mediator_kinds",
    "model_free",
    "outcome_checks",
    "path_checks",
    "path_estimates",
    "paths",
    "points",
    "predictive",
    "proportion",
    "quadrature",
    "recovery",
    "refits",
    "sensitivity",
    "spread_checks",
    "tipping",
    "totals",
    "what_if",
    "worlds",
    "zero_inflation",
)
PARTS = re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]


def _cells(part: str) -> dict[str, list[str]]:
    """Rows of the table under one heading, by their first cell."""
    text = next(text for text in PARTS if text.startswith(f"{part}\n"))
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {row[0].strip("` "): [cell.strip() for cell in row[1:]] for row in rows}


@pytest.mark.parametrize("name", sorted(set(NAMED)))
def test_every_function_that_it_names_exists(name):
    found = pkgutil.resolve_name(name)
    assert not inspect.ismodule(found), f"{name} names a module: name the function"
    assert callable(found)


@pytest.mark.parametrize("module", COVERED)
def test_every_public_function_is_named(module):
    tree = ast.parse((ROOT / "models" / f"{module}.py").read_text(encoding="utf-8"))
    public = {
        f"models.{module}.{node.name}"
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }
    assert public, f"models/{module}.py has no public function: drop it from COVERED"
    assert public <= set(NAMED), f"MODEL.md does not name {sorted(public - set(NAMED))}"


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.splitlines()[0])
def test_every_part_ends_with_the_functions_that_do_it(part):
    last = part.strip().split("\n\n")[-1]
    assert last.startswith("Functions: `"), f"“{part.splitlines()[0]}” does not end with its functions"


def test_the_prior_table_is_that_of_the_files():
    table = _cells("Priors")
    header = [re.findall(r"`(\w+)`", cell)[0] for cell in table.pop("parameter")]
    table = {name: row for name, row in table.items() if set(name) != {"-"}}
    assert sorted(header) == sorted(prior_set.shipped()), "one column a set"
    for column, name in enumerate(header):
        rows = {row["parameter"]: row["distribution"] for row in prior_set.load(name).rows()}
        assert {parameter: cells[column] for parameter, cells in table.items() if parameter[0] != "-"} == rows


def test_the_gates_limits_are_the_codes():
    table = _cells("The gate")
    for name, limit in gate.LIMITS.items():
        assert table[name] == [limit.green, limit.amber], f"MODEL.md misstates {name!r}"


def test_other_numbers_are_the_codes():
    # each text stands beside the constant that it states
    assert f"⌈{quadrature.REACH:g}/h⌉" in TEXT
    assert f"h = min({quadrature._WIDEST:g}, 2π² / ({quadrature._DIGITS:g} τ + π² / (2τ)))" in TEXT
    assert f"x_k = kh over ±{integrated.REACH:g}" in TEXT
    assert f"h starts at {integrated.COARSEST:g} and is halved (at most eight times" in TEXT
    assert integrated.HALVINGS == 8
    assert f"in {integrated.GROUPS} groups" in TEXT
    assert f"comes from {analysis.PRIOR_DRAWS:,} draws" in TEXT
    assert f"about {leave_one_out.DRAWS:,} evenly spaced draws" in TEXT
    assert f"histories fewer, at least {leave_one_out.FEWEST:,}" in TEXT
    assert f"exceed {effect.MOST_TRAITS // 10**6} million no trait is formed" in TEXT
    assert f"up to {predictive.MOST_CELLS // predictive.FEWEST_REPLICATES:,} outcomes" in TEXT
    assert f"up to {tipping.MOST_MISSING} of each arm" in TEXT
    assert f"share nodes over ±{kernel.REACH:g} (±{2 * kernel.REACH:g}" in TEXT
    assert f"2πd/({kernel._DIGITS:g} + d²/2)" in TEXT
    assert "below e⁻³⁶ of the largest" in TEXT
    assert kernel._NEGLIGIBLE == 36
    assert f"among {replication.RANKS} evenly spaced draws" in TEXT
    assert f"at 1 − {summary.CHANCE:g}/m" in TEXT
    assert f"About {predictive.REPLICATES:,} evenly spaced draws" in TEXT
    assert f"participants' means exceeds {design.RELIABLE:g}" in TEXT
    assert f"of more than {mediator_checks.MOST_VALUES:,} a random part" in TEXT
    assert f"averaged over {mediator_checks.DRAWS:,} posterior draws" in TEXT
    assert f"found from {mediator_checks.SIMULATIONS:,} samples" in TEXT
    assert f"at most {predictive.MOST_PATTERNS} patterns" in TEXT
