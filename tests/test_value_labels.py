"""Value labels of Stata and SPSS files: what each code stands for, in names and in numbers."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from models.faults import InvalidInput
from models.trial import dataset as trials
from models.trial import trial_schema
from models.trial.readers import data_file, labelled_numbers, value_labels
from models.trial.study_file import study as studies
from models.trial.study_file.study import Data
from tests.small_trial import STUDY

SCORE = [0, 3, 9, 27, 3, 0]
ENDS = {0: "no symptoms", 27: "worst"}
# codes of a column, their labels, kind and codes in the study file, what stands in the table in the end
CASES: dict[str, tuple[list[Any], dict[Any, str], str, dict[str, float], str]] = {
    "full": ([0, 1, 1], {0: "usual", 1: "new"}, "name", {}, "usual new new"),
    "blank": ([0, 1, 1], {0: "", 1: "new"}, "name", {}, "0 new new"),
    "blanks": ([0, 1, 1], {0: "  ", 1: "new"}, "name", {}, "0 new new"),
    "na": ([1, 2, 2], {1: "NA", 2: "EU"}, "name", {}, "1 EU EU"),  # North America
    "dot": ([1, 2, 2], {1: ".", 2: "x"}, "name", {}, "1 x x"),
    "nan": ([1, 2, 2], {1: "NaN", 2: "x"}, "name", {}, "1 x x"),
    "partial": ([1, 2, 3], {1: "x"}, "name", {}, "x 2 3"),
    "padded": ([1, 2, 2], {1: " x ", 2: "y"}, "name", {}, "x y y"),
    "shared": ([1, 2, 3], {1: "Clinic", 2: "Clinic", 3: "Hospital"}, "name", {}, "Clinic_(1) Clinic_(2) Hospital"),
    "shared_absent": ([1, 3, 3], {1: "Clinic", 2: "Clinic", 3: "Hospital"}, "name", {}, "Clinic Hospital Hospital"),
    "anothers_code": ([1, 2, 2], {1: "2"}, "name", {}, "2_(1) 2_(2) 2_(2)"),
    "listed_word": ([1, 2, 2], {1: "refused", 2: "y"}, "name", {}, "— y y"),
    "listed_code": ([-99, 2, 2], {-99: "told nothing", 2: "y"}, "name", {}, "— y y"),
    "text_codes": (["a", "b", "b"], {"a": "Ann"}, "name", {}, "Ann b b"),
    "whole": ([1, 2, 2], {1: "1.0", 2: "2.0"}, "name", {}, "1 2 2"),
    "ends": (SCORE[:4], ENDS, "continuous", {}, "0 3 9 27"),
    "count": ([0, 3, 4], {0: "none"}, "count", {}, "0 3 4"),
    "share": ([0.0, 0.5, 1.0], {0: "nothing", 1: "all"}, "share", {}, "0 0.5 1"),
    "age": ([90, 61, 87], {90: "90 or over"}, "continuous", {}, "90 61 87"),
    "age_given": ([90, 61, 87], {90: "90 or over"}, "continuous", {"90 or over": 90}, "90_or_over 61 87"),
    "not_asked": ([0, 5, 99], {0: "none", 99: "not asked"}, "continuous", {}, "0 5 not_asked!"),
    "dont_know": ([0, 5, 98], {98: "Don't know"}, "continuous", {}, "0 5 Don't_know!"),
    "refused": ([0, 5, 98], {98: "refused"}, "continuous", {}, "0 5 —"),
    "blank_number": ([0, 5, 7], {0: "", 7: "most"}, "continuous", {}, "0 5 7"),
    "encoded": ([1, 2, 3], {1: "0", 2: "1", 3: "12"}, "continuous", {}, "0 1 12"),
    "encoded_words": ([1, 2, 3], {1: "0", 2: "1", 3: "lots"}, "continuous", {}, "0 1 lots!"),
    "recoded": (
        [1, 2, 3],
        {1: "never", 2: "often"},
        "continuous",
        {"never": 0, "often": 1},
        "never often 3_(no_label)!",
    ),
    "binary": ([0, 1, 1], {0: "no", 1: "yes"}, "binary", {}, "no! yes! yes!"),
    "binary_blank": ([0, 1, 1], {0: "", 1: "relapse"}, "binary", {"relapse": 1, "none": 0}, "0 relapse relapse"),
    "binary_recoded": ([0, 1, 2], {1: "no", 2: "yes"}, "binary", {"yes": 1, "no": 0}, "0_(no_label)! no yes"),
}


@pytest.fixture(scope="module", params=["sav", "dta"])
def table(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Every case as a column of one file."""
    folder = tmp_path_factory.mktemp("labels")
    rows = {name: [*case[0], *[case[0][-1]] * (4 - len(case[0]))] for name, case in CASES.items()}
    frame = pd.DataFrame(
        {name: np.array(cells, dtype=object if "text" in name else float) for name, cells in rows.items()}
    )
    labels = {name: case[1] for name, case in CASES.items()}
    if request.param == "dta":  # Stata labels whole numbers only, and no text
        frame = frame.drop(columns="text_codes")
        labels.pop("text_codes")
        labels = {name: {int(code): label for code, label in codes.items()} for name, codes in labels.items()}
        pyreadstat.write_dta(frame, str(folder / "d.dta"), variable_value_labels=labels)
    else:
        pyreadstat.write_sav(frame, str(folder / "d.sav"), variable_value_labels=labels)
    return data_file.read(Data(file=f"d.{request.param}", missing=("refused", -99)), folder)


@pytest.mark.parametrize("name", CASES)
def test_each_code_stands_for(table: pd.DataFrame, name: str) -> None:
    if name not in table:
        pytest.skip("Stata labels no text")
    codes, _, kind, given, expected = CASES[name]
    content = STUDY | {"columns": {"participant": "i", "wave": "w", "arm": "a"}, "mediators": [], "covariates": []}
    content.pop("attendance", None)
    outcome = {**STUDY["outcome"], "column": "y"}
    if kind == "name":
        content["covariates"] = [{"column": name, "kind": "categorical", "label": "x"}]
    elif kind == "share":
        content["mediators"] = [{"column": name, "kind": kind, "label": "x", "codes": given}]
    else:
        outcome |= {"column": name, "kind": kind, "codes": given}
    study = studies.parse(content | {"outcome": outcome, "further_outcomes": []})
    found = labelled_numbers.read(study, value_labels.attach(table[[name]].copy(), value_labels.of(table)))
    variable = next(one for one in study.variables if one.column == name)
    words = []
    for text in found[name][: len(codes)]:
        shown = "—" if pd.isna(text) else str(text).replace(" ", "_")
        number = trial_schema.numbers(pd.Series([text]), study, variable)
        words.append(shown + "!" * bool(kind != "name" and not pd.isna(text) and number.isna().all()))
    assert " ".join(words) == expected


def test_the_order_is_that_of_the_codes(table: pd.DataFrame) -> None:
    order = {name: found.order for name, found in value_labels.of(table).items()}
    assert order["full"] == ["usual", "new"]
    assert order["shared_absent"] == ["Clinic", "Hospital"]
    assert order["ends"] == ["no symptoms", "3", "9", "worst"]
    assert value_labels.of(table)["age"].code == {"61": "61", "87": "87", "90 or over": "90"}


def written(folder: Path, labels: dict[str, dict[float, str]], **columns: list[Any]) -> studies.Study:
    """A trial of 12 people at one wave as an SPSS file, and its study file."""
    frame = pd.DataFrame({"id": [f"p{n:02d}" for n in range(12)], "wave": 1.0, "arm": [0.0, 1.0] * 6} | columns)
    pyreadstat.write_sav(frame, str(folder / "d.sav"), variable_value_labels={"arm": {0: "usual", 1: "new"}, **labels})
    return studies.parse(
        {
            **{"title": "T", "simulated": True, "seed": 1, "primary_wave": "1", "data": {"file": "d.sav"}},
            "columns": {"participant": "id", "wave": "wave", "arm": "arm"},
            "arms": {arm: {"value": value, "label": arm} for arm, value in (("control", "usual"), ("treated", "new"))},
            "waves": [{"value": 1, "label": "end", "month": 12, "role": "follow-up"}],
            "outcome": STUDY["outcome"] | {"column": "y", "kind": "continuous", "codes": {}, "label": "y", "margin": 1},
            "covariates": [{"column": "site", "kind": "categorical", "label": "site"}] if "site" in columns else [],
        }
    )


def test_levels_follow_the_codes_and_what_was_done_with_labels_is_noted(tmp_path: Path) -> None:
    labels = {"site": {1: "Z", 2: "Clinic", 3: "Clinic"}, "y": {0: "none"}}
    study = written(tmp_path, labels, y=[0.0, 1, 2] * 4, site=[1.0, 2, 3] * 4)
    trial = trials.load(study, tmp_path)
    assert json.loads(trial.attrs["levels"]) == {"site": ["Z", "Clinic (2)", "Clinic (3)"]}
    assert json.loads(trial.attrs["notes"]) == [
        "y: labels are read as their codes: 'none' as 0.",
        "site: codes 2 and 3 have one label, 'Clinic'; they are kept apart, as 'Clinic (2)' and 'Clinic (3)'.",
    ]
    assert trial["outcome"].to_numpy().ravel().tolist() == [0, 1, 2] * 4


def test_a_label_of_a_missing_value_is_told_with_its_code(tmp_path: Path) -> None:
    study = written(tmp_path, {"y": {99: "not asked"}}, y=[0.0, 1, 99] * 4)
    with pytest.raises(InvalidInput) as caught:
        trials.load(study, tmp_path)
    assert (
        "  - 4 cells of y: 'not asked' (allowed: a number; 'not asked' is the file's label of code 99; if it means a "
        "missing value, list it in [data] missing, else give its number in codes), the first in row 4"
    ) in str(caught.value)


def test_codes_in_place_of_labels_and_other_cases_are_guessed(tmp_path: Path) -> None:
    study = written(tmp_path, {}, y=[0.0, 1, 2] * 4)
    arms = {"control": {"value": "0", "label": "c"}, "treated": {"value": "NEW ", "label": "t"}}
    with pytest.raises(InvalidInput) as caught:
        trials.load(studies.parse(study.model_dump() | {"arms": arms}), tmp_path)
    allowed = {fault.value: fault.allowed for fault in caught.value.faults}
    assert allowed["usual"].endswith("'usual' is the file's label of code 0: write the label in the study file")
    assert allowed["new"].endswith("did you mean 'NEW'?")


def test_midnight_is_the_day(tmp_path: Path) -> None:
    times = [datetime.datetime(2024, 1, 15), datetime.datetime(2024, 1, 15, 9, 30)]
    pyreadstat.write_sav(pd.DataFrame({"x": times, "y": [1.0, 2]}), str(tmp_path / "d.sav"))
    found = data_file.read(Data(file="d.sav"), tmp_path)
    assert found["x"].tolist() == ["2024-01-15", "2024-01-15 09:30:00"]


def foreign(folder: Path, name: str, where: str) -> Path:
    """A file that says UTF-8 and holds a byte that is none, in a value of `city` or in a label of `arm`."""
    frame = pd.DataFrame({"id": ["a", "b"], "arm": [0.0, 1], "city": ["Liège", "Rome"] if where == "city" else "Rome"})
    labels = {"arm": {0: "témoin" if where == "arm" else "usual", 1: "new"}}
    pyreadstat.write_sav(frame, str(folder / name), variable_value_labels=labels)
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content.replace("è".encode(), b"\xe8e").replace("é".encode(), b"\xe9e"))
    return folder / name


@pytest.mark.slow
def test_text_that_is_not_needed_may_be_in_any_encoding(tmp_path: Path) -> None:
    foreign(tmp_path, "d.sav", "city")
    found = data_file.read(Data(file="d.sav"), tmp_path, needed=["id", "arm"])
    assert found.to_numpy().tolist() == [["a", "usual"], ["b", "new"]]
    with pytest.raises(InvalidInput) as caught:
        data_file.read(Data(file="d.sav"), tmp_path, needed=["id", "city"])
    assert "encoding" in caught.value.fix
    assert data_file.read(Data(file="d.sav", encoding="latin-1"), tmp_path)["city"].tolist() == ["Lièege", "Rome"]


@pytest.mark.slow
def test_labels_that_are_not_needed_may_be_in_any_encoding(tmp_path: Path) -> None:
    foreign(tmp_path, "d.sav", "arm")
    assert data_file.read(Data(file="d.sav"), tmp_path, needed=["id", "city"])["id"].tolist() == ["a", "b"]
    with pytest.raises(InvalidInput) as caught:
        data_file.read(Data(file="d.sav"), tmp_path, needed=["id", "arm"])
    assert "another encoding" in caught.value.what
    cp1252 = data_file.read(Data(file="d.sav", encoding="cp1252"), tmp_path)
    assert cp1252["arm"].tolist() == ["téemoin", "new"]


def test_a_sas_transport_file(tmp_path: Path) -> None:
    pyreadstat.write_xport(pd.DataFrame({"id": ["a", "b"], "y": [1.0, 2.5]}), str(tmp_path / "d.xpt"))
    assert data_file.read(Data(file="d.xpt"), tmp_path).to_numpy().tolist() == [["a", "1"], ["b", "2.5"]]
    (tmp_path / "d.sas7bdat").write_text("x\n", encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        data_file.read(Data(file="d.sas7bdat"), tmp_path)
    assert "cannot be read" in caught.value.what
