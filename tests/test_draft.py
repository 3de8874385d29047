"""Drafts of study files: every usual layout is recognised, and what the data do not say is left open."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from models.faults import InvalidInput
from models.trial import dataset as trials
from models.trial.draft import draft, occasions, wide_names
from models.trial.study_file import study as studies
from models.trial.study_file import undecided
from tests.command_line import run

NAN = float("nan")


def drafted(folder: Path, table: pd.DataFrame, name: str = "d.csv") -> tuple[dict[str, Any], tuple[str, ...]]:
    table.to_csv(folder / name, index=False)
    found = draft.draft(folder / name)
    return tomllib.loads(found.text), found.remarks


def people(count: int = 8, **columns: Any) -> pd.DataFrame:
    table = pd.DataFrame({"pid": [f"W{n:02}" for n in range(count)], "trt": ["usual", "savings"] * (count // 2)})
    return table.assign(**{name: np.resize(values, count) for name, values in columns.items()})


WIDE = [
    # names of one variable's columns, and what the draft makes of the waves: months, role of the first
    (["y_0", "y_1", "y_2", "y_3"], [0, 1, 2, 3], "baseline"),
    (["y0", "y1"], [0, 1], "baseline"),
    (["y.1", "y.2"], [1, 2], "?"),
    (["y_m0", "y_m6", "y_m12"], [0, 6, 12], "baseline"),
    (["yT1", "yT2", "yT3"], [1, 2, 3], "?"),
    (["y_baseline", "y_post"], [0, 1], "baseline"),
    (["y_post", "y_pre"], [0, 1], "baseline"),
    (["t1_y", "t2_y"], [1, 2], "?"),
    (["w2_y", "w3_y"], [0.46, 0.69], "?"),
    (["pre_y", "post_y"], [0, 1], "baseline"),
    (["yBaseline", "yWeek6", "yWeek12"], [0, 1.38, 2.76], "baseline"),
    (["y_bl", "y_3m", "y_12m"], [0, 3, 12], "baseline"),
    (["y_6m", "y_12m", "y_2m"], [2, 6, 12], "?"),
    (["y.pre", "y.2m", "y.8m"], [0, 2, 8], "baseline"),
    (["y_week0", "y_week4"], [0, 0.92], "baseline"),
    (["y_day0", "y_day30", "y_day365"], [0, 0.99, 11.99], "baseline"),
    (["y_1yr", "y_2yr"], [12, 24], "?"),
    (["baseline_y", "month_3_y", "month_6_y"], [0, 3, 6], "baseline"),
    (["0_y", "6_y"], [0, 6], "baseline"),
    (["y visit 1", "y visit 2"], [1, 2], "?"),
    (["y-T0", "y-T1"], [0, 1], "baseline"),
    (["Y_BL", "Y_FU"], [0, 1], "baseline"),
    (["y_enrolment", "y_endline"], [0, 1], "baseline"),
    (["phq9_0", "phq9_3"], [0, 3], "baseline"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("names", "months", "role"), WIDE, ids=lambda value: ",".join(map(str, np.atleast_1d(value))))
def test_a_wide_file_is_recognised_and_read(tmp_path: Path, names: list[str], months: list[float], role: str) -> None:
    table = people(age=[31, 42, 53, 24, 35], **{name: [0, 1, 1, 0, 1] for name in names})
    content, remarks = drafted(tmp_path, table)
    (stem,) = content["wide"]
    assert sorted(content["wide"][stem]) == sorted(names)
    assert content["columns"] == {"participant": "pid", "arm": "trt"}
    assert [wave["month"] for wave in content["waves"]] == pytest.approx(months)
    assert [wave["role"] for wave in content["waves"]] == [role, *["follow-up"] * (len(names) - 1)]
    assert content["outcome"]["column"] == stem
    assert any("wide" in remark for remark in remarks)
    # completed, it is read: each column at its wave
    content["waves"][0]["role"] = "baseline" if role == "?" else role
    content["outcome"]["margin_reason"] = "made up"
    trial = trials.load(studies.parse(content), tmp_path)
    np.testing.assert_array_equal(trial["outcome"], table[content["wide"][stem]])


def test_variables_measured_at_some_waves_and_items_of_a_questionnaire() -> None:
    found = wide_names.recognise(
        ["id", "arm", "q1", "q2", "q3", "y_0", "y_6", "y_12", "m_6", "m_12", "cost_12", "age_0", "sf36", "sf12"]
    )
    assert found == wide_names.Wide(
        ["0", "6", "12"], {"y": ["y_0", "y_6", "y_12"], "m": ["", "m_6", "m_12"], "cost": ["", "", "cost_12"]}
    )


@pytest.mark.parametrize("names", [["id", "arm", "y"], ["id", "age", "phq9", "y_0"], ["participant", "treated at 6"]])
def test_names_without_waves(names: list[str]) -> None:
    assert wide_names.recognise(names) is None


def test_a_participant_entered_twice_hides_no_wide_file(tmp_path: Path) -> None:
    table = people(20, y_0=[0, 1, 1], y_6=[1, 0, 0, 1])
    content, _ = drafted(tmp_path, pd.concat([table, table.iloc[[3]]]))
    assert content["wide"] == {"y": ["y_0", "y_6"]}


def test_a_file_measured_once(tmp_path: Path) -> None:
    content, remarks = drafted(tmp_path, people(y=[0, 1, 1], age=[31, 42, 53, 24, 35]))
    assert content["wide"] == {"y": ["y"]}
    assert [wave["role"] for wave in content["waves"]] == ["follow-up"]
    assert any("No participant has a second row" in remark for remark in remarks)
    content["outcome"]["margin_reason"] = "made up"
    assert trials.load(studies.parse(content), tmp_path)["outcome"].shape == (8, 1)


def _long(waves: list[str], column: str = "visit") -> pd.DataFrame:
    parts = [people(y=[0, 1, 1, 0, 1]).assign(**{column: wave}) for wave in waves]
    return pd.concat(parts).sort_values("pid", kind="stable")


@pytest.mark.parametrize(
    ("waves", "column", "roles"),
    [
        (["VIS1", "VIS2", "VIS3"], "AVISIT", ["?", "follow-up", "follow-up"]),
        (["1", "2"], "visit", ["?", "follow-up"]),
        (["Month 0", "Month 6"], "visit", ["baseline", "follow-up"]),
        (["0", "12"], "month", ["baseline", "follow-up"]),
        (["Week 6", "Week 12"], "visit", ["?", "follow-up"]),
        (["Screening", "Day 0", "Day 28"], "visit", ["baseline", "negative control", "follow-up"]),
        (["Enrolment", "Exit"], "event", ["baseline", "follow-up"]),
        (["post-baseline 1", "post-baseline 2"], "visit", ["?", "follow-up"]),
        (["3 months", "6 months"], "time", ["?", "follow-up"]),
        (["T0", "T1", "T2"], "time", ["baseline", "follow-up", "follow-up"]),
    ],
)
def test_no_baseline_is_guessed(tmp_path: Path, waves: list[str], column: str, roles: list[str]) -> None:
    content, remarks = drafted(tmp_path, _long(waves, column))
    assert [wave["value"] for wave in content["waves"]] == waves
    assert [wave["role"] for wave in content["waves"]] == roles
    assert any("before the programme could act" in remark for remark in remarks) is ("?" in roles)


def test_what_is_open_must_be_decided(tmp_path: Path) -> None:
    content, _ = drafted(tmp_path, _long(["VIS1", "VIS2"], "AVISIT"))
    with pytest.raises(InvalidInput) as caught:
        studies.parse(content)
    places = {fault.column: fault for fault in caught.value.faults}
    assert set(places) == {"waves (no. 1).role", "outcome.margin_reason"}
    assert '"baseline" if it was measured before the programme could act' in places["waves (no. 1).role"].allowed


@pytest.mark.parametrize(("label", "months"), [("Week 6", 1.38), ("12 months", 12), ("Day 28", 0.92), ("2 yrs", 24)])
def test_months_by_their_unit(label: str, months: float) -> None:
    assert occasions.month(label) == months
    assert occasions.month(re.sub(r"\D", "", label), re.sub(r"[\d ]", "", label)) == months, "the column says the unit"


def test_more_than_two_arms_are_named_and_left_to_the_author(tmp_path: Path) -> None:
    table = _long(["0", "6"], "month").assign(arm=lambda t: t.pid.str[-1].map(lambda n: str(int(n) % 3)))
    content, remarks = drafted(tmp_path, table.drop(columns="trt"))
    assert content["arms"] == {arm: {"value": "?", "label": "?"} for arm in ("control", "treated")}
    assert any("arm holds 3 arms: 0, 1, 2" in remark and "leave_out" in remark for remark in remarks)
    with pytest.raises(InvalidInput) as caught:
        studies.parse(content)
    assert {"arms.control.value", "arms.treated.value"} <= {fault.column for fault in caught.value.faults}
    named = table.assign(arm=table.arm.map({"0": "Placebo", "1": "10 mg", "2": "20 mg"})).drop(columns="trt")
    assert drafted(tmp_path, named)[0]["arms"]["control"]["value"] == "Placebo"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("labels", "control"),
    [
        ({0: "Training", 1: "Training + savings"}, "Training"),
        ({0: "Old scheme", 1: "New scheme"}, "Old scheme"),
        ({1: "Savings", 2: "Control"}, "Control"),
    ],
)
@pytest.mark.parametrize("kind", ["dta", "sav"])
def test_codes_give_the_order_of_arms_and_levels(tmp_path: Path, labels: dict, control: str, kind: str) -> None:
    code = sorted(labels)
    table = people(y_0=[0, 1, 1], y_6=[1, 0, 0, 1], edu=[1, 2, 3]).assign(trt=np.resize(code[::-1], 8))
    write = getattr(pyreadstat, f"write_{kind}")
    levels = {1: "Primary", 2: "Higher", 3: "Abroad"}
    write(table, str(tmp_path / f"d.{kind}"), variable_value_labels={"trt": labels, "edu": levels})
    content = tomllib.loads(draft.draft(tmp_path / f"d.{kind}").text)
    assert content["arms"]["control"]["value"] == control
    (edu,) = (part for part in content["covariates"] if part["column"] == "edu")
    assert edu["levels"] == ["Primary", "Higher", "Abroad"]


@pytest.mark.parametrize(("codes", "control"), [(["1", "0"], "0"), (["2", "1"], "1"), (["10", "9"], "9")])
def test_the_smaller_code_is_drafted_as_the_control_arm(tmp_path: Path, codes: list[str], control: str) -> None:
    content, _ = drafted(tmp_path, people(y_0=[0, 1, 1], y_6=[1, 0, 0, 1]).assign(trt=np.resize(codes, 8)))
    assert content["arms"]["control"]["value"] == control


def test_a_draft_exits_0_and_says_on_stderr_what_it_found(tmp_path: Path) -> None:
    people(y_0=[0, 1, 1], y_6=[1, 0, 0, 1], sessions=[3, 8]).to_csv(tmp_path / "d.csv", index=False)
    result = run("check", tmp_path / "d.csv")
    assert result.exit_code == 0
    assert "The file is wide" in result.stderr
    assert str(tmp_path / "study.toml") in result.stderr
    assert 'y = ["y_0", "y_6"]' in result.stdout
    assert "covariates" not in tomllib.loads(result.stdout), "sessions attended are no baseline variable"
    found = json.loads(run("check", tmp_path / "d.csv", "--json").stdout)
    assert found["draft"] == result.stdout
    assert "The file is wide" in found["remarks"][0]


def test_a_file_without_an_arm_is_no_trial(tmp_path: Path) -> None:
    """Measurements of flowers: no column has the name or the values of an arm, and none is made one."""
    rng = np.random.default_rng(1)
    lengths = pd.DataFrame(
        {name: rng.normal(5, 1, 90).round(1) for name in ("sepal_length", "sepal_width", "petal_length", "petal_width")}
    )
    with pytest.raises(InvalidInput, match="No column of the file looks like the arm"):
        drafted(tmp_path, lengths)


# what only looks as if the file said it


@pytest.mark.parametrize(
    ("arms", "control"),
    [
        (("Savings + training", "Training"), "Training"),
        (("Savings group", "Training only"), "Training only"),
        (("Übliche Betreuung", "Fürsorge"), "?"),
        (("B", "A"), "?"),
        (("active", "sham"), "sham"),
        (("0", "1"), "0"),
        (("1", "2"), "1"),
        (("TRUE", "FALSE"), "FALSE"),
    ],
)
def test_no_alphabet_makes_the_control_arm(tmp_path: Path, arms: tuple[str, str], control: str) -> None:
    table = _long(["baseline", "month 6"]).assign(trt=lambda rows: np.where(rows["pid"] < "W04", *arms))
    found, remarks = drafted(tmp_path, table)
    assert found["arms"]["control"]["value"] == control
    assert any("is the control" in remark for remark in remarks) == (control in ("?", "1"))


@pytest.mark.parametrize(
    ("waves", "order", "months"),
    [
        (["05/09/2023", "15/09/2022", "10/03/2023"], [1, 2, 0], [0, 5.78, 11.66]),
        (["2023-03-10", "2022-09-15"], [1, 0], [0, 5.78]),
        (["Dec 2023", "Jan 2023"], [1, 0], [0, 10.97]),
        (["2020", "2019"], [1, 0], [0, 11.99]),
        (["endline", "baseline", "midline"], [1, 2, 0], [0, 1, 2]),
        (["follow-up", "post", "pre"], [2, 1, 0], [0, 1, 2]),
        (["third", "first", "second"], [1, 2, 0], [0, 1, 2]),
    ],
)
def test_waves_stand_in_their_order_in_time(tmp_path: Path, waves: list[str], order: list[int], months: list) -> None:
    found, remarks = drafted(tmp_path, _long(waves))
    assert [wave["value"] for wave in found["waves"]] == [waves[place] for place in order]
    assert [wave["month"] for wave in found["waves"]] == months
    assert any("are their places" in remark for remark in remarks) == (months == [0, 1, 2])


def test_dates_that_could_be_read_in_two_ways_give_no_order(tmp_path: Path) -> None:
    found, remarks = drafted(tmp_path, _long(["05/06/2022", "04/08/2022"]))
    assert [wave["month"] for wave in found["waves"]] == [0, 1]
    assert any("No label says in which months" in remark for remark in remarks)


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        (("yes", "no"), {"yes": 1, "no": 0}),
        (("not yes", "yes"), {"yes": 1, "not yes": 0}),
        (("relapse free", "relapsed"), {"relapse free": "?", "relapsed": "?"}),
        (("alive", "dead"), {"alive": "?", "dead": "?"}),
        (("1", "2"), {"1": "?", "2": "?"}),
    ],
)
def test_no_order_makes_the_event(tmp_path: Path, values: tuple[str, str], codes: dict[str, object]) -> None:
    table = _long(["baseline", "month 6"]).drop(columns="y", errors="ignore")
    table = table.assign(y=np.where(np.arange(len(table)) % 3 == 0, *values))
    found, remarks = drafted(tmp_path, table)
    assert found["outcome"]["codes"] == codes
    assert any("is the event" in remark for remark in remarks) == ("?" in codes.values())


def test_codes_left_open_must_be_decided() -> None:
    (fault,) = undecided.faults({"outcome": {"codes": {"alive": "?", "dead": 1}}})
    assert (fault.column, fault.value) == ("outcome.codes.alive", "?")
    assert "1 if this value is the event" in fault.allowed


@pytest.mark.parametrize("code", ["-99", "9", "refused"])
def test_a_missing_code_makes_no_count_of_yes_and_no(tmp_path: Path, code: str) -> None:
    table = _long(["baseline", "month 6"])
    table = table.assign(y=np.resize(["0", "1", "1", code, "0"], len(table)))
    found, _ = drafted(tmp_path, table)
    assert (found["outcome"]["column"], found["outcome"]["kind"]) == ("y", "binary")
