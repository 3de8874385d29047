"""MODEL.md is held true: every function that it names exists, every public one is named, its tables are the code's."""

from __future__ import annotations

import ast
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

from models.calibration import operating_characteristics, replication
from models.checks import leave_one_out, mediator_checks, predictive, tipping
from models.checks.gate_limits import LIMITS
from models.checks.gate_table import Check, Status
from models.design import layout
from models.equations import integrated, model
from models.equations.histories import integrals
from models.inference import effort
from models.numerics import quadrature
from priors import prior_set
from reports.text import check_words

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "MODEL.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`((?:models|priors)(?:\.\w+)+)`", TEXT)
COVERED = (
    "common_change",
    "confounding",
    "count_means",
    "counterfactuals",
    "effect",
    "effect_integrated",
    "estimands",
    "gate",
    "gate_limits",
    "integrated",
    "leave_one_out",
    "left_out",
    "mediation",
    "mediator_checks",
    "mediator_kinds",
    "model",
    "model_free",
    "outcome_checks",
    "path_checks",
    "path_effects",
    "path_estimates",
    "points",
    "predictive",
    "proportion",
    "quadrature",
    "random_slopes",
    "recovery",
    "refits",
    "response",
    "sensitivity",
    "spread_checks",
    "tipping",
    "totals",
    "what_if",
    "zero_inflation",
)
MODELS = ("Model", "Computation", "Effect")
"""Classes whose methods are named wherever a class is made of them."""
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


def _public(body: list[ast.stmt]) -> list[str]:
    """Functions, and the methods of models and of how they are computed; properties describe themselves."""
    found = [node.name for node in body if isinstance(node, ast.FunctionDef) and node.name[0] != "_"]
    for node in body:
        if isinstance(node, ast.ClassDef) and {ast.unparse(base) for base in node.bases} & {*MODELS, "ABC"}:
            found += [f"{node.name}.{name}" for name in _public(node.body)]
    return found


@pytest.mark.parametrize("module", COVERED)
def test_every_public_function_is_named(module):
    (path,) = (ROOT / "models").rglob(f"{module}.py")
    dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    public = {f"{dotted}.{name}" for name in _public(tree.body)}
    assert public, f"{path} has no public function: drop it from COVERED"
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
    for name, limit in LIMITS.items():
        check = Check(name, 0.0, limit, (), Status.GREEN)
        told = [check_words.limit(check, good=good).text for good in (True, False)]
        assert table[name] == told, f"MODEL.md misstates {name!r}"


def test_other_numbers_are_the_codes():
    # each text stands beside the constant that it states
    assert f"⌈{quadrature.REACH:g}/h⌉" in TEXT
    assert f"h = min({quadrature._WIDEST:g}, 2π² / ({quadrature._DIGITS:g} τ + π² / (2τ)))" in TEXT
    assert f"x_k = kh over ±{integrated.REACH:g}" in TEXT
    assert f"h starts at {integrated.COARSEST:g} and is halved (at most eight times" in TEXT
    assert integrated.HALVINGS == 8
    assert f"in {integrated.GROUPS} groups" in TEXT
    assert f"comes from {effort.PRIOR:,} draws" in TEXT
    assert f"about {leave_one_out.DRAWS:,} evenly spaced draws" in TEXT
    assert f"histories fewer, at least {leave_one_out.FEWEST:,}" in TEXT
    assert f"exceed {model.MOST_TRAITS // 10**6} million no trait is formed" in TEXT
    assert f"up to {predictive.MOST_CELLS // predictive.FEWEST_REPLICATES:,} outcomes" in TEXT
    assert f"up to {tipping.MOST_MISSING} of each arm" in TEXT
    assert f"share nodes over ±{integrals.REACH:g} (±{2 * integrals.REACH:g}" in TEXT
    assert f"2πd/({integrals._DIGITS:g} + d²/2)" in TEXT
    assert "below e⁻³⁶ of the largest" in TEXT
    assert integrals._NEGLIGIBLE == 36
    assert f"among {replication.RANKS} evenly spaced draws" in TEXT
    assert f"at 1 − {operating_characteristics.CHANCE:g}/m" in TEXT
    assert f"About {predictive.REPLICATES:,} evenly spaced draws" in TEXT
    assert f"participants' means exceeds {layout.RELIABLE:g}" in TEXT
    assert f"of more than {mediator_checks.MOST_VALUES:,} a random part" in TEXT
    assert f"averaged over {mediator_checks.DRAWS:,} posterior draws" in TEXT
    assert f"at most {predictive.MOST_PATTERNS} patterns" in TEXT
