"""Design studies: each point is the scenario that it says, and the shares count what they say."""

from __future__ import annotations

import numpy as np
import pytest

from models import fit, simulate
from models.calibration import grid
from models.calibration.grid import Grid, Point
from models.calibration.plan import Plan
from models.simulation.scenario import ScenarioError
from priors import prior_set
from scripts import planned


def _grid(**axes):
    sampler = fit.Sampler(draws=200, tune=200, chains=2, seed=2)
    plan = Plan(simulate.load("effect"), "effect", "integrated", prior_set.load(), sampler)
    return Grid.over(plan, **({"participants": [60], "attrition": [0.0], "effect": [0.0]} | axes))


@pytest.mark.parametrize("attrition", [0.0, 0.15, 0.5])
def test_a_point_loses_the_share_that_it_says(attrition):
    scenario = Point(20_000, attrition, -0.8).scenario(simulate.load("effect"))
    seen = simulate.simulate(scenario, 3).seen
    # 20,000 participants: 4 binomial standard errors
    assert abs((1 - seen[:, -1].mean()) - attrition) <= 4 * np.sqrt(max(attrition, 1e-9) / 20_000)
    assert seen[:, 0].all()
    assert scenario.outcome.arm_effects == (0.0, 0.0, -0.8, -0.8)


def test_an_impossible_point_is_refused_before_any_work():
    with pytest.raises(ScenarioError):
        _ = _grid(participants=[60, 1]).scenarios


def test_points_are_summarised_by_what_their_trials_ended_with():
    found = _grid(participants=[60, 107])
    rows = [
        {"truth": -0.1, "benefit": benefit, "harm": 1 - benefit, "width": width, "covered": covered}
        for benefit, width, covered in ((0.99, 0.08, True), (0.94, 0.2, False), (0.01, 0.09, True))
    ]
    results = [{"point": 1, "replication": k, "rows": {"risk_difference[6 months]": row}} for k, row in enumerate(rows)]
    results.append({"point": 1, "replication": 3, "failed": "no chain could start"})
    row = grid.summarise(found, results).iloc[0]
    assert (row["participants"], row["replications"]) == (107, 3)
    assert row["assurance"] == pytest.approx(1 / 3)
    assert row["harm"] == pytest.approx(1 / 3)
    assert row["narrow"] == pytest.approx(2 / 3)  # the margin is .10
    assert row["coverage"] == pytest.approx(2 / 3)
    assert row["width"] == pytest.approx(0.37 / 3)


@pytest.mark.slow
def test_a_large_effect_is_found_more_often_in_a_larger_trial():
    found = _grid(participants=[40, 400], effect=[-1.5])
    results = [grid.replicate(found, number) for number in range(16)]
    table = grid.summarise(found, results).set_index("participants")
    assert table.loc[400, "assurance"] == 1.0
    assert table.loc[40, "width"] > 1.8 * table.loc[400, "width"]  # √10 = 3.2 without the prior's help at 40
    assert table.loc[400, "harm"] == 0.0
    assert table["truth"].nunique() == 1


def test_lists_of_numbers_are_read_or_refused():
    assert planned.numbers("--effect", "-0.5,0,.3") == [-0.5, 0.0, 0.3]
    assert planned.numbers("--attrition", "0,0,.15", below=1.0) == [0.0, 0.15]
    for wrong in ("1.2", "a", "0,,1", "nan", "-.1"):
        with pytest.raises(planned.InvalidInput, match="cannot be"):
            planned.numbers("--attrition", wrong, below=1.0)
