"""A made-up run of the report's tests against real ones: it holds nothing that the product does not write."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import xarray as xr

from models.runs import folder as runs
from models.runs.folder import Run
from tests import report_job
from tests.report_fixture import make
from tests.report_recipe import Recipe
from tests.test_report_build import HEAVY

ROOT = Path(__file__).parents[1]
RECIPES = {
    "binary": Recipe(mediators=("continuous", "share"), further=("count", "binary"), interaction=True, slopes=True),
    "count": Recipe(kind="count", covariates=False),
    "continuous": Recipe(kind="continuous", mediators=("binary",), further=("binary",)),
    "one wave": Recipe(baseline=False, negative_control=False, several_waves=False, covariates=False),
}
NOT_RUN = "reason"
"""Column of why something was not asked: only where something was not."""
WORDS = ("estimand", "unit", "evidence", "average", "arm", "check", "method", "kind")
"""Columns of words that decide what a page says."""
SOMETIMES = {"not run", "randomised + MAR", "change_training_share", "training_tipping_share", "proportion"}
"""Words that the product uses where something is missing, was not asked, or a change has one sign."""
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=list(RECIPES))
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """A run by the product's own job with few draws, and the made-up one of the same recipe."""
    work = tmp_path_factory.mktemp("job")
    report_job.execute(RECIPES[request.param], work)
    return runs.load(work / "run"), make(tmp_path_factory.mktemp("made up"), RECIPES[request.param])


def _fits(pair: tuple[Run, Run]) -> Iterator[tuple[str, Run, Run]]:
    real, made = pair
    assert set(made.further) == set(real.further)
    yield "effect", real, made
    yield from ((name, real.further[name], made.further[name]) for name in made.further)


def _form(variable: xr.Variable) -> tuple[frozenset[str], str]:
    """Dimensions, and whether it holds text or numbers: a count is a float where some rows lack it."""
    return frozenset(map(str, variable.dims)), "text" if variable.dtype.kind in "UTO" else "number"


def _asked(group: xr.DataTree) -> bool:
    """Whether the real run's table says more than why it was not made."""
    return "kind" not in group.data_vars or set(group["kind"].to_numpy().tolist()) != {"not run"}


def _tables(real: Run, made: Run) -> Iterator[tuple[str, xr.Dataset, xr.Dataset]]:
    """Groups that both have, those of the made-up run first."""
    for name, group in made.tree.children.items():
        if _asked(real.tree[name]):
            yield name, group.to_dataset(), real.tree[name].to_dataset()


def test_groups_and_variables_are_those_of_real_runs(pair: tuple[Run, Run]) -> None:
    for fit, real, made in _fits(pair):
        assert set(made.tree.children) <= set(real.tree.children), fit
        for name, mine, theirs in _tables(real, made):
            own, other = mine.variables, theirs.variables
            assert set(own) - {NOT_RUN} <= set(other), (fit, name)
            for variable in set(own) & set(other):
                if own[variable].size and other[variable].size:
                    assert _form(own[variable]) == _form(other[variable]), (fit, name, variable)


def test_words_in_tables_are_those_of_real_runs(pair: tuple[Run, Run]) -> None:
    for fit, real, made in _fits(pair):
        for name, own, other in _tables(real, made):
            for column in (column for column in WORDS if column in own and column in other):
                if own[column].dims == ("row",):
                    used, known = (set(each[column].to_numpy().tolist()) for each in (own, other))
                    assert used - SOMETIMES <= known, (fit, name, column)


def test_manifest_priors_and_gate_are_those_of_real_runs(pair: tuple[Run, Run]) -> None:
    for fit, real, made in _fits(pair):
        assert set(made.manifest) == set(real.manifest), fit
        for key in ("priors", "study", "sampler"):
            assert set(made.manifest[key]) <= set(real.manifest[key]), (fit, key)
        rows = {row["parameter"] for row in real.manifest["priors"]["rows"]}
        assert {row["parameter"] for row in made.manifest["priors"]["rows"]} <= rows
        assert {check.name for check in made.gate.checks} <= {check.name for check in real.gate.checks}, fit


def test_a_real_run_has_its_page_and_no_sampler_is_loaded(pair: tuple[Run, Run]) -> None:
    """Red for its few draws: shown anyway, every section is composed."""
    folder = pair[0].folder
    code = (
        "import sys; from pathlib import Path; from models.runs.folder import load; from reports.page import build\n"
        f"build.build(load(Path({str(folder)!r})), show_anyway=True)\n"
        f"print(sorted(name for name in sys.modules if name.split('.')[0] in {HEAVY}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.stdout.strip() == "[]", done.stderr
    assert (folder / "report.html").is_file()
