"""The data check: each finding fires on its defect and seldom on a correct trial; what no fit can answer is refused.

The tests here are single trials with fixed seeds. Rates: docs/calibration/gate.csv for the defects that it names;
`python -m tests.data_check_rates TRIALS SEED` prints them for every finding.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.faults import InvalidInput
from models.trial import data_check
from models.trial.data_check import alias, undeclared_groups
from tests.command_line import run
from tests.made_trials import study_of, trial_of
from tests.small_trial import HEADER, REMOVED, ROWS, changed, text_of, written

RNG = np.random.default_rng


def arms(people: int, seed: int = 1) -> np.ndarray:
    return RNG(seed).permutation(np.arange(people) % 2)


def continuous(people: int, waves: int, seed: int = 1) -> np.ndarray:
    rng = RNG(seed)
    return 20 + 5 * (rng.normal(size=(people, 1)) + rng.normal(size=(people, waves)))


def found(study, trial) -> dict[str, str]:
    data_check.refuse(study, trial)
    return {finding.kind: finding.status for finding in data_check.findings(study, trial)}


def test_a_correct_trial_has_no_finding() -> None:
    study = study_of("continuous", 3, mediators=1, covariates=2)
    rng = RNG(2)
    mediators, covariates = 50 + rng.normal(size=(1, 120, 3)), rng.normal(size=(120, 2))
    assert found(study, trial_of(study, arms(120), continuous(120, 3), mediators, covariates)) == {}


# baseline


def test_a_baseline_at_which_the_arms_differ() -> None:
    study, arm = study_of("continuous", 3), arms(120)
    outcome = continuous(120, 3) + 6 * arm[:, None]  # .85 SD, seen in 99% of trials
    (finding,) = data_check.findings(study, trial_of(study, arm, outcome))
    assert (finding.kind, finding.status) == ("baseline difference", "amber")
    assert "at the wave 'wave 0' the arms differ more than chance allows (mean 2" in finding.message
    assert "before the programme could act" in finding.message
    later = study_of("continuous", 3, baseline=False)
    assert found(later, trial_of(later, arm, outcome)) == {}, "a follow-up may differ"


def test_covariates_let_a_smaller_difference_be_seen() -> None:
    rng, arm = RNG(3), arms(120)
    before = rng.normal(size=(120, 1))
    outcome = 20 + 5 * before + rng.normal(size=(120, 2)) + 1.2 * arm[:, None]  # a quarter of an SD
    plain, adjusted = study_of("continuous", 2), study_of("continuous", 2, covariates=1)
    assert found(plain, trial_of(plain, arm, outcome)) == {}
    assert found(adjusted, trial_of(adjusted, arm, outcome, None, before)) == {"baseline difference": "amber"}


@pytest.mark.parametrize("which", ["mediator", "covariate"])
def test_whatever_was_measured_before_is_looked_at(which: str) -> None:
    study, arm, rng = study_of("binary", 2, mediators=1, covariates=1), arms(200), RNG(4)
    outcome = (rng.random((200, 2)) < 0.4).astype(float)
    mediators, covariates = rng.normal(size=(1, 200, 2)), rng.normal(size=(200, 1))
    (mediators[0] if which == "mediator" else covariates)[:] += arm[:, None]
    assert found(study, trial_of(study, arm, outcome, mediators, covariates)) == {"baseline difference": "amber"}


def test_shares_of_small_cells_are_not_told() -> None:
    study, arm = study_of("binary", 2), arms(80)
    outcome = np.column_stack([arm, RNG(1).random(80) < 0.5]).astype(float)
    private = study.model_copy(update={"privacy": study.privacy.model_copy(update={"minimum_cell": 5})})
    told, untold = (
        next(f.message for f in data_check.findings(one, trial_of(one, arm, outcome)) if f.kind.startswith("baseline"))
        for one in (study, private)
    )
    assert "mean 1 in" in told
    assert "mean" not in untold


# values that do not vary


@pytest.mark.parametrize("kind", ["continuous", "count", "binary"])
def test_a_constant_outcome_is_refused(kind: str) -> None:
    study = study_of(kind, 2)
    with pytest.raises(InvalidInput, match="1 in every row"):
        data_check.refuse(study, trial_of(study, arms(40), np.ones((40, 2))))


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_wave_at_which_nobody_varies(place: int) -> None:
    study, outcome = study_of("continuous", 3), continuous(60, 3)
    outcome[:, place] = 0
    assert found(study, trial_of(study, arms(60), outcome)) == {"wave without variation": "red"}


def test_a_condition_of_entry_is_no_measurement() -> None:
    study, outcome = study_of("binary", 3), (RNG(5).random((120, 3)) < 0.4).astype(float)
    outcome[:, 0] = 1
    assert found(study, trial_of(study, arms(120), outcome))["wave without variation"] == "amber"


def test_a_rare_event_that_nobody_had_at_one_wave_is_chance() -> None:
    study, outcome = study_of("binary", 3), (RNG(6).random((80, 3)) < 0.05).astype(float)
    outcome[:, 1] = 0  # at 5% nobody has it in 1.7% of waves of 80
    assert found(study, trial_of(study, arms(80), outcome)) == {}


def test_a_primary_wave_without_outcomes_in_an_arm() -> None:
    study, arm, outcome = study_of("continuous", 2), arms(60), continuous(60, 2)
    outcome[arm == 1, 1] = np.nan
    assert found(study, trial_of(study, arm, outcome)) == {"empty primary wave": "red"}
    outcome[np.flatnonzero(arm)[0], 1] = 20
    assert found(study, trial_of(study, arm, outcome)) == {"lone participant": "amber"}


# outcomes that never come back


def first_event(people: int, waves: int, seed: int = 7, hazard: float = 0.12) -> np.ndarray:
    return np.maximum.accumulate(RNG(seed).random((people, waves)) < hazard, axis=1).astype(float)


@pytest.mark.parametrize("state", [1, 0])
@pytest.mark.parametrize("losses", [0.0, 0.1])
def test_an_outcome_that_never_comes_back(state: int, losses: float) -> None:
    outcome = first_event(120, 4) if state else 1 - first_event(120, 4)
    outcome[RNG(8).random(outcome.shape) < losses] = np.nan
    study = study_of("binary", 4)
    assert found(study, trial_of(study, arms(120), outcome)) == {"absorbing outcome": "amber"}


def test_one_return_is_enough_to_come_back() -> None:
    outcome, study = first_event(120, 4), study_of("binary", 4)
    outcome[np.flatnonzero(outcome[:, 2])[0], 3] = 0
    assert found(study, trial_of(study, arms(120), outcome)) == {}


def test_few_events_that_last_are_chance() -> None:
    outcome, study = first_event(40, 2, hazard=0.05), study_of("binary", 2)
    assert found(study, trial_of(study, arms(40), outcome)) == {}


def test_lasting_differences_between_participants_are_no_absorption() -> None:
    rng = RNG(9)
    level = 2 * rng.normal(size=(300, 1)) + np.array([-2, -1, 0, 1])  # rising, and strongly personal
    outcome, study = (rng.random((300, 4)) < 1 / (1 + np.exp(-level))).astype(float), study_of("binary", 4)
    assert found(study, trial_of(study, arms(300), outcome)) == {}


# the arm under another name


@pytest.mark.parametrize("wrong", [0, 3])
def test_a_covariate_that_is_the_arm_is_refused(wrong: int) -> None:
    study, arm = study_of("continuous", 2, covariates=2), arms(120)
    clinic = arm.copy()
    clinic[:wrong] = 1 - clinic[:wrong]
    covariates = np.column_stack([RNG(1).normal(size=120), clinic]).astype(float)
    with pytest.raises(InvalidInput, match=r"c1.*the arm under another name"):
        data_check.refuse(study, trial_of(study, arm, continuous(120, 2), None, covariates))


def test_covariates_that_are_the_arm_together_are_refused() -> None:
    study, arm, noise = study_of("continuous", 2, covariates=2), arms(120), RNG(1).normal(size=120)
    covariates = np.column_stack([noise, arm - noise])
    with pytest.raises(InvalidInput, match="together they are the arm"):
        data_check.refuse(study, trial_of(study, arm, continuous(120, 2), None, covariates))


def test_a_covariate_that_goes_with_the_arm_by_chance_is_kept() -> None:
    study, arm = study_of("continuous", 2, covariates=1), arms(120)
    half = np.where(RNG(1).random(120) < 0.7, arm, 1 - arm).astype(float)[:, None]
    trial = trial_of(study, arm, continuous(120, 2), None, half)
    data_check.refuse(study, trial)
    assert alias.aliases(study, trial) == []


# groups


def grouped(arm: np.ndarray, **columns: object) -> list[dict]:
    study = study_of("binary", 1, baseline=False)
    names, values = study.columns, np.array([study.arms.control.value, study.arms.treated.value])
    people = [f"p{n}" for n in range(arm.size)]
    table = pd.DataFrame({names.participant: people, str(names.wave): "0", names.arm: values[arm], "sick": "0"})
    return undeclared_groups.groupings(
        study, table.assign(**{name: np.asarray(of, str) for name, of in columns.items()})
    )


def status(records: list[dict]) -> list[tuple[str, str]]:
    study = study_of("binary", 1, baseline=False)
    trial = trial_of(study, arms(40), (RNG(1).random((40, 1)) < 0.5).astype(float), groups=records)
    return [(finding.kind, finding.status) for finding in data_check.findings(study, trial)]


@pytest.mark.parametrize(("sites", "size"), [(12, 16), (8, 15), (40, 3), (60, 2)])
@pytest.mark.parametrize("crossed", [0, 1])
def test_groups_that_lie_in_one_arm_each(sites: int, size: int, crossed: int) -> None:
    site = np.repeat(np.arange(sites), size)
    arm = arms(sites)[site]
    arm[:crossed] = 1 - arm[:crossed]
    assert status(grouped(arm, site=site)) == [("undeclared groups", "amber")]


def test_columns_that_go_with_no_arm() -> None:
    rng, arm = RNG(10), arms(200)
    columns = {
        "site": rng.integers(0, 12, 200),
        "household": np.arange(200) // 2,
        "age": rng.integers(18, 60, 200),
        "other_identifier": np.arange(200),
        "sessions": rng.integers(0, 9, 200),
        "stratum": rng.integers(0, 2, 200),
        "constant": np.zeros(200),
    }
    assert grouped(arm, **columns) == []


def test_names_of_the_arm_and_groups_of_one_arm() -> None:
    arm = arms(120)
    place = np.where(arm == 1, "savings group " + np.arange(120).astype("U3").astype(object), "none").astype(str)
    delivered = np.where(arm == 1, np.char.add("group ", (np.arange(120) % 7).astype(str)), "none")
    assert status(grouped(arm, words=np.where(arm == 1, "A", "B"))) == [("another name of the arm", "note")]
    assert status(grouped(arm, delivered=delivered)) == [("groups in one arm", "amber")]
    assert status(grouped(arm, dose=np.where(arm == 1, 1 + np.arange(120) % 7, 0))) == [("groups in one arm", "note")]
    assert grouped(arm, alone=place) == []


def test_a_file_with_sites_says_so_before_any_fit(tmp_path: Path) -> None:
    site, rng = np.repeat(np.arange(12), 8), RNG(11)
    arm = np.array(["usual", "savings"])[arms(12)[site]]
    rows = [[f"p{n}", wave, arm[n], f"site {site[n]}", str(rng.integers(2))] for n in range(96) for wave in ("0", "6")]
    roles = {"0": "baseline", "6": "follow-up"}
    study = changed(
        ("waves", [{"value": v, "label": v, "month": int(v), "role": role} for v, role in roles.items()]),
        ("primary_wave", "6"),
        ("arms.treated.randomised", 96),
        *((part, REMOVED) for part in ("further_outcomes", "mediators", "covariates", "attendance")),
    )
    folder = written(tmp_path / "s", text_of(rows, ["who", "when", "group", "site", "sick"]), study)
    result = run("check", folder)
    assert result.exit_code == 0
    assert "Note: All 12 values of 'site' lie in one arm each: was it randomised?" in result.stdout
    notes = json.loads(run("check", folder, "--json").stdout)["notes"]
    assert any(note.startswith("All 12 values of 'site'") for note in notes)


# repeated participants


@pytest.mark.parametrize(("pairs", "expected"), [(1, "note"), (9, "amber")])
def test_participants_who_are_alike_in_everything(pairs: int, expected: str) -> None:
    study, rng = study_of("continuous", 3, mediators=1), RNG(12)
    outcome, mediators = continuous(120, 3).round(2), (50 + 10 * rng.normal(size=(1, 120, 3))).round(2)
    outcome[5, 2] = np.nan
    outcome[-pairs:], mediators[:, -pairs:] = outcome[5 : 5 + pairs], mediators[:, 5 : 5 + pairs]
    assert found(study, trial_of(study, arms(120), outcome, mediators)) == {"identical participants": expected}


def test_people_alike_in_few_answers_are_no_repetition() -> None:
    study = study_of("binary", 4)
    outcome = (RNG(13).random((200, 4)) < 0.3).astype(float)
    assert found(study, trial_of(study, arms(200), outcome)) == {}


# the models' own notes


def test_check_tells_what_the_models_would(tmp_path: Path) -> None:
    place = HEADER.index("support")
    rows = [[*row[:place], "0" if row[0] in ("007", "7", "p6") else row[place], *row[place + 1 :]] for row in ROWS]
    result = run("check", written(tmp_path / "s", text_of(rows)))
    assert "support: every observed value in the arm 'care as usual' is 0" in result.stdout
    constant = [[*row[:place], "5", *row[place + 1 :]] for row in ROWS]
    result = run("check", written(tmp_path / "t", text_of(constant)))
    assert "support: every observed value is 5; it is left out of the mediation model." in result.stdout


# what repeats the outcome, names that differ in spelling


def test_a_mediator_or_covariate_that_is_the_outcome() -> None:
    study, arm, outcome = study_of("continuous", 3, mediators=1, covariates=1), arms(120), continuous(120, 3)
    other, free = 50 + RNG(5).normal(size=(1, 120, 3)), RNG(6).normal(size=(120, 1))
    assert found(study, trial_of(study, arm, outcome, other, free)) == {}
    copy = 3 - 2 * outcome[None]
    assert found(study, trial_of(study, arm, outcome, copy, free)) == {"mediator that is the outcome": "red"}
    study = study.model_copy(
        update={"covariates": tuple(part.model_copy(update={"adjust": True}) for part in study.covariates)}
    )
    for wave, status_ in ((0, "amber"), (2, "red")):
        made = trial_of(study, arm, outcome, other, outcome[:, [wave]])
        assert found(study, made) == {"covariate that is the outcome": status_}
    unused = study.model_copy(
        update={"covariates": tuple(part.model_copy(update={"adjust": False}) for part in study.covariates)}
    )
    assert found(unused, trial_of(unused, arm, outcome, other, outcome[:, [0]])) == {}


@pytest.mark.parametrize(("twice", "expected"), [(2, "note"), (20, "amber")])
def test_participants_whose_names_differ_in_spelling_alone(twice: int, expected: str) -> None:
    study = study_of("continuous", 2)
    names = [f"p{n:03}" for n in range(120)]
    made = trial_of(study, arms(120), continuous(120, 2)).assign_coords(participant=names)
    assert found(study, made) == {}
    names[:twice] = [f"P{n:03}" for n in range(60, 60 + twice)]
    assert found(study, made.assign_coords(participant=names)) == {"participants alike in name": expected}
    numbers = made.assign_coords(participant=["7", "007", *(str(n) for n in range(1000, 1118))])
    assert found(study, numbers) == {"participants alike in name": "note"}
    (finding,) = data_check.findings(study, numbers)
    assert "007" not in finding.message, "what is found is printed on the page, where nobody may be recognised"


def test_a_mediator_that_nobody_has_yet_at_one_wave() -> None:
    study = study_of("continuous", 3, mediators=1)
    values = 50 + RNG(5).normal(size=(1, 120, 3))
    values[:, :, 0] = 0
    assert found(study, trial_of(study, arms(120), continuous(120, 3), values)) == {"wave without variation": "note"}


def test_a_slip_of_the_pen_hides_no_groups() -> None:
    """12 sites of 10 in one arm each, four rows a person; one row in twenty names another site."""
    site, rng = np.repeat(np.arange(12), 10), RNG(3)
    study, arm = study_of("continuous", 4), arms(12)[site]
    treated, control = study.arms.treated.value, study.arms.control.value
    table = pd.DataFrame({study.columns.participant: np.repeat([f"p{n}" for n in range(120)], 4)})
    table[study.columns.arm] = np.repeat(np.where(arm == 1, treated, control), 4)
    table["site"] = np.repeat(site, 4).astype(str)
    slips = rng.choice(480, 20, replace=False)
    table.loc[slips, "site"] = rng.integers(0, 12, 20).astype(str)
    (record,) = undeclared_groups.groupings(study, table)
    assert (record["control"] + record["treated"], record["exceptions"]) == (12, 0)
    table.loc[rng.choice(480, 200, replace=False), "site"] = "elsewhere"
    assert undeclared_groups.groupings(study, table) == [], "what changes from wave to wave is no grouping"
