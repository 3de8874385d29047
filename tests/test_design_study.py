"""Design studies: each point is the scenario that it says, and the shares count what they say."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from models.calibration import design_study, grid, quantities, replication, simulated_trials
from models.calibration.grid import Grid, Point
from models.calibration.plan import Plan, number_of
from models.design.layout import design
from models.equations.mediation import Mediation
from models.inference import nuts
from models.replications.journal import Journal
from models.simulation import scenario_file, simulated_trial
from models.simulation.scenario import ScenarioError
from models.simulation.true_values import truth
from priors import prior_set
from reports.simulations import design_page as page
from scripts import planned

mediation = Mediation()


def _grid(**axes):
    sampler = nuts.Sampler(draws=200, tune=200, chains=2, seed=2)
    plan = Plan(simulated_trial.load("effect"), "effect", "integrated", prior_set.load(), sampler)
    return Grid.over(plan, **({"participants": [60], "attrition": [0.0], "effect": [0.0]} | axes))


@pytest.mark.parametrize("attrition", [0.0, 0.15, 0.5])
def test_a_point_loses_the_share_that_it_says(attrition):
    scenario = Point(20_000, attrition, -0.8).scenario(simulated_trial.load("effect"))
    seen = simulated_trial.simulate(scenario, 3).seen
    # 20,000 participants: 4 binomial standard errors
    assert abs((1 - seen[:, -1].mean()) - attrition) <= 4 * np.sqrt(max(attrition, 1e-9) / 20_000)
    assert seen[:, 0].all()
    assert scenario.outcome.arm_effects == (0.0, 0.0, -0.8, -0.8)


def test_other_waves_keep_their_proportion_to_the_primary_ones():
    base = simulated_trial.load("effect").with_outcome(arm_effects=(0.0, 0.1, -0.1, -0.4))
    for effect, moved in ((-0.4, (0.0, 0.1, -0.1, -0.4)), (-0.8, (0.0, 0.1, -0.2, -0.8)), (0.0, (0.0, 0.1, 0.0, 0.0))):
        assert Point(60, 0.0, effect).scenario(base).outcome.arm_effects == pytest.approx(moved)
    still = base.with_outcome(arm_effects=(0.0, 0.0, 0.0, 0.0))
    assert Point(60, 0.0, 0.3).scenario(still).outcome.arm_effects == (0.0, 0.0, 0.3, 0.3)
    assert planned.effect_of(base) == -0.4


def test_nobody_is_lost_where_there_is_one_wave():
    base = simulated_trial.load("effect")
    one = replace(
        base,
        waves=base.waves[-1:],
        outcomes=(replace(base.outcome, intercepts=(-1.0,), arm_effects=(-0.5,)),),
        missingness=(),
    )
    assert Point(60, 0.0, -0.5).scenario(one).waves == one.waves
    with pytest.raises(ScenarioError, match="no later one"):
        Point(60, 0.3, -0.5).scenario(one)


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
    table = grid.summarise(found, results).set_index("participants")
    # every fit failed there, or none was made: a row that says so, not a point that is missing
    assert table.loc[60, "replications"] == 0
    assert table.loc[60, ["truth", "assurance", "width"]].isna().all()
    row = table.loc[107]
    assert row["replications"] == 3
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


@pytest.mark.slow
def test_a_mediation_design_from_its_grid_to_its_page(tmp_path):
    """Trials whose mediators are missing here and there; cut off on the way, it ends with the same bytes."""
    scenario = simulated_trial.resized(simulated_trial.load("undarga"), 60)
    sampler = nuts.Sampler(draws=100, tune=100, chains=2, seed=2)
    plan = Plan(scenario, "mediation", "sampled", prior_set.load(), sampler)
    wish = design_study.Wish(Grid.over(plan, [60], [0.0], [0.0], [0.0, 1.0]), 2, "a command", workers=1)
    table = design_study.run(wish, tmp_path).set_index(["mediated", "quantity"])
    assert set(table["replications"]) == {2}
    assert table.loc[(0.0, "natural_indirect[6 months]"), "truth"] == 0
    assert table.loc[(1.0, "natural_indirect[6 months]"), "truth"] < 0
    through = {name for _, name in table.index if name.startswith("interventional_via")}
    assert len(through) == len(scenario.mediators)
    assert page.build(tmp_path).is_file()
    whole, journal = (tmp_path / "design.csv").read_bytes(), tmp_path / "journal.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-2]))
    design_study.run(wish, tmp_path)
    assert (tmp_path / "design.csv").read_bytes() == whole
    # truths from the prior: every path has its rank
    rows = replication.replicate(plan, number_of("prior", 0))["rows"]
    assert through | {"natural_indirect[6 months]", "risk_difference[6 months]", "tau"} <= set(rows)
    assert all(0 <= row["rank"] <= row["ranks"] and row["sd"] > 0 for row in rows.values())
    assert not any(name.startswith("dependence") for name in rows)  # the model has no path between mediators


@pytest.mark.slow
def test_a_design_prior_gives_each_trial_an_effect_of_its_own(monkeypatch):
    seen = []
    one = simulated_trials.simulated(simulated_trial.load("effect"), 1)
    monkeypatch.setattr(grid.simulated_trials, "simulated", lambda scenario, _seed: seen.append(scenario) or one)
    fitted = SimpleNamespace(draws=None, diagnostics={})
    monkeypatch.setattr(grid, "fit_to", lambda *_: fitted)
    found = {
        "risk_difference[6 months]": quantities.Quantity(np.array([[-0.1, 0.2]]), True, True, False, ("6 months",))
    }
    monkeypatch.setattr(grid.quantities, "quantities", lambda *_: found)
    for spread in (0.0, 0.4):
        given = replace(_grid(participants=[60, 107], effect=[-0.5]), spread=spread)
        rows = [grid.replicate(given, number)["rows"]["risk_difference[6 months]"] for number in range(400)]
        effects = np.array([scenario.outcome.arm_effects[-1] for scenario in seen[-400:]])
        assert {row["covered"] for row in rows} == ({True} if spread == 0 else {None})
        # SD of 200 draws: 4 standard errors of .4/√400; both sizes have the same 200 effects
        assert abs(effects.std() - spread) <= 4 * spread / np.sqrt(400)
        np.testing.assert_array_equal(effects[::2], effects[1::2])


def test_the_effects_asked_are_those_of_the_primary_wave_through_each_mediator_too():
    one = quantities.Quantity(np.zeros((1, 2)), True, True)
    keys = (
        "risk_difference[6 months]", "risk_difference[16 months]", "natural_indirect[6 months]", "tau",
        "interventional_via[6 months, social_support]", "interventional_via[3 months, social_support]",
        "mediator_difference[6 months, social_support]",
    )  # fmt: skip
    assert list(grid.asked(dict.fromkeys(keys, one), "6 months")) == [keys[0], keys[2], keys[4]]


def test_the_simulator_knows_the_effects_through_each_mediator():
    """By the keys that a fitted mediation model gives them."""
    scenario = simulated_trial.load("mediation_clean")
    study, data = simulated_trials.simulated(scenario, 1)
    layout = design(study, data)
    names = quantities.quantities(mediation.prior(layout, prior_set.load(), 2, 1), mediation, layout, study)
    via = {name: each for name, each in names.items() if name.startswith("interventional_via[6 months")}
    assert len(via) == 2
    assert set(quantities.known(truth(scenario, population=400), via)) == set(via)


@pytest.mark.parametrize("name", scenario_file.names())
def test_every_scenario_can_be_shifted(name):
    base = simulated_trial.load(name)
    moved = Point(base.participants, 0.0, -0.7).scenario(base)
    changed = [one.column for one, was in zip(moved.outcomes, base.outcomes, strict=True) if one != was]
    assert set(changed) <= set(base.outcome.union_of or (base.outcome.column,))
    found = truth(moved, population=400).estimands
    shifted = found.get("risk_difference") or found["mean_difference"]
    assert shifted[base.primary_wave] < 0


@pytest.mark.slow
def test_mediators_are_moved_as_far_as_a_point_says():
    base = simulated_trial.load("mediation_clean")
    paths = {factor: truth(Point(base.participants, 0.0, -0.5, factor).scenario(base)).estimands["natural_indirect"]
             for factor in (0.0, 1.0, 2.0)}  # fmt: skip
    none, one, two = (paths[factor][base.primary_wave] for factor in (0.0, 1.0, 2.0))
    assert none == 0
    # a product of two slopes on the log-odds scale: not double on that of risks, but near it
    assert 1.7 <= two / one <= 2.3
    for name in ("effect", "null"):
        with pytest.raises(planned.InvalidInput, match="--mediated"):
            planned.factors(simulated_trial.load(name), "0,1")
    assert planned.factors(base, None) == planned.factors(simulated_trial.load("effect"), None) == [1.0]
    assert planned.factors(base, "0,.5") == [0.0, 0.5]


def test_sizes_are_whole_and_enough_for_two_arms():
    assert planned.sizes("--participants", "60,107,60") == [60, 107]
    for wrong in ("60.5", "3", "0", "-60", "a"):
        with pytest.raises(planned.InvalidInput, match="cannot be"):
            planned.sizes("--participants", wrong)


@pytest.mark.slow
def test_nothing_is_forgotten_for_a_scheduler_that_is_not_there_or_beside_another_process(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl", {"seed": 1})
    journal.begin()
    with pytest.raises(planned.InvalidInput, match="in use"):
        planned.begin(tmp_path, True, None)
    journal.close()
    with pytest.raises(planned.InvalidInput, match="no Dask scheduler"):
        planned.begin(tmp_path, True, "tcp://127.0.0.1:1")
    planned.begin(tmp_path, False, None)
    assert journal.is_at(tmp_path / "journal.jsonl")
    planned.begin(tmp_path, True, None)
    assert not tmp_path.exists()
    tmp_path.mkdir()
    (tmp_path / "journal.jsonl").write_text('{"diary": "of something else"}\n')
    with pytest.raises(planned.OutputForeign):
        planned.begin(tmp_path, True, None)


def test_lists_of_numbers_are_read_or_refused():
    assert planned.numbers("--effect", "-0.5,0,.3") == [-0.5, 0.0, 0.3]
    assert planned.numbers("--attrition", "0,0,.15", below=1.0) == [0.0, 0.15]
    for wrong in ("1.2", "a", "0,,1", "nan", "-.1"):
        with pytest.raises(planned.InvalidInput, match="cannot be"):
            planned.numbers("--attrition", wrong, below=1.0)
