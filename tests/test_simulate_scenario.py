"""Scenarios: every shipped one loads and says what it is for; every impossible value is named, all at once."""

import re
import tomllib
from dataclasses import fields, replace
from pathlib import Path

import pytest

from models.calibration import simulated_trials
from models.simulation import scenario_file
from models.simulation.scenario import Scenario, ScenarioError
from models.simulation.scenario_file import FOLDER, load, names
from models.simulation.scenario_parts import (
    Attendance,
    Confounder,
    Correlation,
    Covariate,
    Missingness,
    Selection,
    Wave,
)

ROOT = Path(__file__).parents[1]
EXPECTED = {
    "correlated_traits",
    "counts",
    "effect",
    "exposure_induced",
    "mar",
    "mcar",
    "mediation_clean",
    "misreporting",
    "mnar",
    "null",
    "regression_to_the_mean",
    "time_varying_confounding",
    "undarga",
}
FLAT = {"intercepts": (0.0,) * 4, "arm_effects": (0.0,) * 4}


def base() -> Scenario:
    return load("undarga")


def test_all_scenarios_are_there():
    assert set(names()) == EXPECTED


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_each_scenario_says_what_it_is_for_and_that_it_is_simulated(name):
    text = (FOLDER / f"{name}.toml").read_text(encoding="utf-8")
    comment = "".join(line for line in text.splitlines() if line.startswith("#"))
    assert len(comment) > 80
    scenario = load(name)
    assert scenario.name == name
    assert "simulated" in scenario.title
    assert scenario.description
    assert all(o.margin and o.margin_reason for o in scenario.outcomes)


def change(**changes: object) -> Scenario:
    return replace(base(), **changes)


def outcome(position: int, **changes: object) -> Scenario:
    outcomes = list(base().outcomes)
    outcomes[position] = replace(outcomes[position], **changes)
    return change(outcomes=tuple(outcomes))


def mediator(**changes: object) -> Scenario:
    return base().with_mediator("income_share", **changes)


def covariate(**changes: object) -> Scenario:
    return change(covariates=(*base().covariates, replace(Covariate("extra"), **changes)))


def missing(**changes: object) -> Scenario:
    return change(missingness=(replace(Missingness("dropout", (0.0, 0.1, 0.1, 0.1)), **changes),))


WAVES = base().waves
FAULTS = {
    "no waves": (lambda: change(waves=()), "waves or outcomes are empty"),
    "wave twice": (lambda: change(waves=(*WAVES[:3], WAVES[2])), "appears twice"),
    "role": (lambda: change(waves=(*WAVES[:3], Wave("x", role="later"))), "role 'later'"),
    "exposed": (lambda: change(waves=(*WAVES[:3], Wave("x", exposed="none"))), "of a negative control give none or"),
    "late baseline": (lambda: change(waves=(*WAVES[:3], Wave("x", role="baseline"))), "baseline after the first"),
    "primary wave": (lambda: change(primary_wave="post-test"), "not a follow-up wave"),
    "column twice": (lambda: mediator(column="age"), "column 'age' is used twice"),
    "attendance column": (lambda: change(attendance=Attendance("arm", (4, 34), (0.5, 0.5))), "column 'arm' is used"),
    "empty arm": (lambda: base().with_participants(0, 57), "0 participants"),
    "arm values": (lambda: change(treated=base().control), "both arms have the value"),
    "cell": (lambda: change(minimum_cell=-1), "minimum_cell is -1"),
    "too few": (lambda: outcome(1, intercepts=(0.0,)), "intercepts has 1 values for 4 waves"),
    "not finite": (lambda: outcome(1, intercepts=(0.0, 0.0, 0.0, float("nan"))), "not finite"),
    "baseline effect": (lambda: outcome(1, arm_effects=(0.5, 0, 0, 0)), "arm effect 0.5 at baseline"),
    "negative sd": (lambda: outcome(1, trait_sd=-1.0), "trait_sd is -1.0"),
    "nan sd": (lambda: outcome(1, trait_sd=float("nan")), "outcomes[violence_physical].trait_sd is not finite (nan)"),
    "infinite dispersion": (lambda: outcome(3, dispersion=float("inf")), "dispersion is not finite (inf)"),
    "infinite margin": (lambda: outcome(1, margin=float("inf")), "margin is not finite (inf)"),
    "nan slope": (lambda: outcome(1, mediators={"income_share": float("nan")}), "mediators.income_share is not finite"),
    "shock": (lambda: outcome(1, shock_sd=-1.0), "cannot be negative"),
    "loading": (lambda: outcome(1, confounder=0.5), "without a [confounder] table"),
    "covariate": (lambda: outcome(1, covariates={"height": 1.0}), "unknown covariate 'height'"),
    "levels of effect": (lambda: outcome(1, covariates={"audit_zone": 1.0}), "each of its 4 levels"),
    "slope of effect": (lambda: outcome(1, covariates={"age": (0, 1)}), "one number (per SD)"),
    "kind": (lambda: outcome(3, kind="time"), "kind 'time' is unknown"),
    "link": (lambda: outcome(1, link="log"), "link 'log' is unknown"),
    "better": (lambda: outcome(1, better="more"), "better is 'more'"),
    "margin": (lambda: outcome(1, margin=-0.1), "margin -0.1 must be above 0"),
    "reason": (lambda: outcome(1, margin_reason=""), "have a margin_reason"),
    "floor": (lambda: outcome(3, floor=(2, 0, 0, 0)), "only a 0 can be raised"),
    "sensitivity": (lambda: outcome(1, sensitivity=(1.2, 1.0)), "two probabilities"),
    "specificity": (lambda: outcome(3, specificity=(0.9, 0.9)), "no meaning for kind 'count'"),
    "outcome's mediator": (lambda: outcome(1, mediators={"hope": 1.0}), "unknown mediator 'hope'"),
    "gate": (lambda: outcome(1, gated_by="violence_sexual"), "only an ungated count outcome"),
    "union part": (lambda: outcome(0, union_of=("violence_physical", "hope")), "another binary outcome"),
    "union gate": (lambda: outcome(0, gated_by=""), "gated_by differs"),
    "union equation": (lambda: outcome(0, trait_sd=1.0), "no equation of its own"),
    "union report": (lambda: outcome(0, sensitivity=(0.9, 0.9)), "reported through its parts"),
    "mediator kind": (lambda: mediator(kind="count"), "kind 'count' is unknown"),
    "cutpoints": (lambda: mediator(cutpoints=(1.0, -1.0)), "two rising numbers"),
    "precision": (lambda: mediator(precision=0.0), "precision is 0.0"),
    "path": (lambda: mediator(previous={"hope": 1.0}), "unknown mediator 'hope'"),
    "order": (lambda: base().with_mediator("social_support", same_wave={"income_share": 1.0}), "list that mediator"),
    "covariate kind": (lambda: covariate(kind="text"), "kind 'text' is unknown"),
    "covariate sd": (lambda: covariate(sd=0.0), "sd must be above 0"),
    "shares": (lambda: covariate(kind="categorical", levels=("a", "b"), shares=(0.5, 0.4)), "sum to 1"),
    "no levels": (lambda: covariate(kind="categorical"), "one probability a level"),
    "negative share": (
        lambda: covariate(kind="categorical", levels=("a", "b"), shares=(1.5, -0.5)),
        "cannot be negative",
    ),
    "counts": (lambda: covariate(kind="categorical", levels=("a", "b"), control=(1,), treated=(1,)), "for each level"),
    "one list": (lambda: covariate(control=(1, 2)), "for one arm only"),
    "deck": (lambda: covariate(control=(1,), treated=(1,), deck="age and years in sex work"), "different lengths"),
    "missing kind": (lambda: missing(kind="lost"), "kind 'lost' is unknown"),
    "rates": (lambda: missing(rates=(0.0, 1.0, 0.0, 0.0)), "probabilities below 1"),
    "first wave": (lambda: missing(rates=(0.1,) * 4), "a woman never seen"),
    "current": (lambda: missing(current_outcome=(1.0,)), "two numbers, (control, treated)"),
    "dropout columns": (lambda: missing(columns=("income_share",)), "belong to kind intermittent"),
    "missing column": (lambda: missing(kind="intermittent", columns=("hope",)), "unknown column 'hope'"),
    "missing mediator": (lambda: missing(last_mediators={"hope": 1.0}), "unknown mediator 'hope'"),
    "no trait": (
        lambda: change(correlations=(Correlation("age", "violence_sexual", 0.1),)),
        "each needs its own trait",
    ),
    "range": (
        lambda: change(correlations=(Correlation("violence_physical", "violence_sexual", 1.1),)),
        "outside -1 to 1",
    ),
    "pair twice": (lambda: change(correlations=base().correlations[:1] * 2), "two correlations"),
    "contradiction": (
        lambda: change(
            correlations=(
                Correlation("violence_physical", "violence_sexual", 0.9),
                Correlation("violence_physical", "social_support", 0.9),
                Correlation("violence_sexual", "social_support", -0.9),
            )
        ),
        "contradict one another",
    ),
    "one wave": (
        lambda: replace(base(), waves=base().waves[-1:]),
        "mediators act on the outcome so many waves later, and there are 1",
    ),
    "family": (lambda: base().with_mediator("social_support", family="cauchy"), "family 'cauchy' is unknown"),
    "family of a share": (lambda: base().with_mediator("income_share", family="student"), "of a continuous mediator"),
    "persistence": (lambda: change(confounder=Confounder(persistence=1.0)), "between -1 and 1"),
    "selection": (lambda: change(selection=Selection("violence_any", 0.0)), "selection on 'violence_any'"),
    "attendance": (lambda: change(attendance=Attendance("s", (4,), (0.5, 0.5))), "offered and mean"),
    "sessions": (lambda: change(attendance=Attendance("s", (0, 34), (0.5, 1.0))), "offered must be 1 or more"),
    "attendance precision": (lambda: change(attendance=Attendance("s", (4, 34), (0.5, 0.5), -1.0)), "-1.0 must be"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_impossible_value_is_named(fault):
    build, text = FAULTS[fault]
    with pytest.raises(ScenarioError, match=re.escape(text)):
        build()


def test_all_faults_are_reported_at_once():
    with pytest.raises(ValueError, match="cannot be simulated") as caught:
        replace(outcome(1), minimum_cell=-1, primary_wave="never", confounder=Confounder(persistence=2.0))
    assert len(str(caught.value).splitlines()) == 4


def test_unknown_mediator_to_change():
    with pytest.raises(KeyError, match="hope"):
        base().with_mediator("hope", trait_sd=1.0)


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_of_ones_own_and_what_it_inherits(tmp_path):
    scenario = load(write(tmp_path, 'like = "effect"\ntitle = "Mine (simulated)"'))
    assert (scenario.name, scenario.title) == ("mine", "Mine (simulated)")
    assert scenario.outcomes == load("effect").outcomes


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        (
            'like = "effect"\ncolour = 1\nminimum_cell = "5"',
            ["colour: unknown key", "minimum_cell: '5' has the wrong type"],
        ),
        ('title = "x"', ["waves: missing", "control: missing", "outcomes: missing"]),
        (
            'like = "effect"\nwaves = [{ label = "x", month = true }]',
            ["waves[1].value: missing", "waves[1].month: True"],
        ),
        ("title = ", ["is not valid TOML"]),
        ('like = "nothing"', ["there is no scenario 'nothing'", "mediation_clean"]),
        ('like = "effect"\noutcomes = []', ["waves or outcomes are empty"]),
    ],
)
def test_a_bad_file_names_each_fault(tmp_path, text, messages):
    with pytest.raises(ScenarioError) as caught:
        load(write(tmp_path, text))
    for message in messages:
        assert message in str(caught.value)


def test_scenarios_that_inherit_from_each_other_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("models.simulation.scenario_file.FOLDER", tmp_path)
    (tmp_path / "a.toml").write_text('like = "b"', encoding="utf-8")
    (tmp_path / "b.toml").write_text('like = "a"', encoding="utf-8")
    with pytest.raises(ScenarioError, match="like it in turn"):
        load("a")


def test_an_unreadable_path(tmp_path):
    folder = tmp_path / "folder.toml"
    folder.mkdir()
    with pytest.raises(ScenarioError, match="cannot be read"):
        load(folder)


def test_values_given_are_values_used():
    """Nothing in a shipped file is dropped on the way: each number of the primary outcome is found again."""
    for name in names():
        table = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
        scenario = load(name)
        for given, built in zip(table.get("outcomes", []), scenario.outcomes, strict=not table.get("like")):
            for key, value in given.items():
                kept = getattr(built, key)
                assert (list(kept) if isinstance(kept, tuple) else kept) == value or key == "covariates"


def test_the_simulator_imports_no_other_part_of_the_project():
    files = [*FOLDER.parent.glob("*.py")]
    assert len(files) > 10
    seen = set()
    for path in files:
        seen |= set(re.findall(r"^\s*(?:from|import) ([\w.]+)", path.read_text(encoding="utf-8"), flags=re.M))
    project = {module for module in seen if module.split(".")[0] in {"models", "priors", "reports", "scripts"}}
    assert not {module for module in project if not module.startswith("models.simulation")}
    outside = {module.split(".")[0] for module in seen - project}
    assert outside.isdisjoint({"pymc", "pytensor", "pandas", "xarray", "arviz", "scipy"})


def test_the_documented_scenario_has_every_key_and_works(tmp_path):
    """`docs/scenarios.md` is all that a person has who writes one."""
    text = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    block = text.split("```toml\n")[1].split("```")[0]
    scenario = load(write(tmp_path, block))
    study, data = simulated_trials.simulated(scenario, 1)
    assert (data.sizes["participant"], [part.interaction for part in study.mediators]) == (160, [True, False])
    told = {line.split("#")[0].split("=")[0].strip(" []").split(".")[-1] for line in block.splitlines()}
    for table in (*scenario_file._TABLES, Scenario):
        assert {each.name for each in fields(table)} - told <= {"name"}, table


def test_like_takes_a_file_beside_it_too(tmp_path):
    (tmp_path / "base.toml").write_text('like = "effect"\ntitle = "Base (simulated)"', encoding="utf-8")
    found = load(write(tmp_path, 'like = "base.toml"\nminimum_cell = 5'))
    assert (found.title, found.minimum_cell) == ("Base (simulated)", 5)
    with pytest.raises(ScenarioError, match=r"looked for .*none\.toml"):
        load(write(tmp_path, 'like = "none.toml"'))
