"""`models.trial.study_file.study`: what a study file may say, and how each fault is named."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from models.faults import InvalidInput
from models.trial.study_file import study as studies
from tests.small_trial import REMOVED, STUDY, changed

ROOT = Path(__file__).parents[1]


def faults(content: dict[str, Any]) -> list[tuple[str, str]]:
    """Place and value of every fault."""
    with pytest.raises(InvalidInput) as caught:
        studies.parse(content)
    assert all(fault.row is None and fault.allowed for fault in caught.value.faults)
    return [(fault.column, fault.value) for fault in caught.value.faults]


def allowed(*changes: tuple[str, Any]) -> str:
    """What may stand in the place of the only fault."""
    with pytest.raises(InvalidInput) as caught:
        studies.parse(changed(*changes))
    (fault,) = caught.value.faults
    return fault.allowed


def test_a_study_file_is_read_with_its_defaults(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(tomli_w.dumps(STUDY), encoding="utf-8")
    study, folder = studies.read(tmp_path)
    assert folder == tmp_path
    assert (study, folder) == studies.read(tmp_path / "study.toml")
    assert study.arms.treated.randomised == 4
    assert study.arms.control.randomised is None
    assert [wave.month for wave in study.waves] == [0.0, 1.0, 6.5]
    assert study.outcome.link == "logit"
    assert study.privacy.minimum_cell == 0
    assert study.covariates[0].adjust
    assert study.role_columns == [
        "who",
        "when",
        "group",
        "sick",
        "visits",
        "support",
        "income",
        "age",
        "sex",
        "sessions",
    ]


@pytest.mark.parametrize("name", ["undarga", "respiratory", "thinking_healthy"])
def test_the_shipped_studies_are_valid_and_survive_a_second_writing(name: str) -> None:
    study, _ = studies.read(ROOT / "studies" / name)
    text = tomli_w.dumps(study.model_dump(mode="json", exclude_none=True))
    assert studies.parse(tomllib.loads(text)) == study


@pytest.mark.parametrize("key", ["title", "simulated", "seed", "primary_wave", "data", "columns", "arms", "outcome"])
def test_a_missing_key_is_named(key: str) -> None:
    assert faults(changed((key, REMOVED))) == [(key, "missing")]


def test_all_faults_at_once() -> None:
    content = changed(
        ("simulated", "yes"), ("outcome.margin", REMOVED), ("waves.1.month", "later"), ("titel", "x"), ("mediators", 3)
    )
    assert faults(content) == [
        ("simulated", "yes"),
        ("waves (no. 2).month", "later"),
        ("outcome.margin", "missing"),
        ("mediators", "3"),
        ("titel", "unknown"),
    ]


def test_an_unknown_key_is_compared_with_those_there_are() -> None:
    assert "did you mean margin_reason?" in allowed(("outcome.margin_reasons", "x"))
    assert allowed(("zzzz", "x")).startswith("a key of the study file: title, simulated, seed")


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("outcome.weight", "a key of [outcome]: column, kind, label"),
        ("arms.second", "a key of [arms]: control, treated; only two arms are compared"),
        ("outcome.interaction", "a key of [outcome]; interaction is a key of [mediators]; those of outcome: column,"),
        ("data.seed", "a key of [data]; seed is a key of the top of the file; those of data: file,"),
        ("arms.control.randomized", "a key of [arms.control]; did you mean randomised?"),
        ("privacy.minimum", "a key of [privacy]; did you mean minimum_cell?"),
    ],
)
def test_an_unknown_key_names_the_keys_of_its_table(place: str, words: str) -> None:
    assert allowed((place, "x")).startswith(words)


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        ("seed", 1.0, "a whole number"),
        ("seed", True, "a whole number"),
        ("seed", "1", "a whole number"),
        ("seed", -1, "greater than or equal to 0"),
        ("seed", 2**63, "less than"),
        ("simulated", 1, "true or false"),
        ("simulated", "true", "true or false"),
        ("title", "  ", "not empty"),
        ("title", 5, "a text in quotes"),
        ("data", "data.csv", "a table"),
        ("waves", "start", "a list"),
        ("waves.0.month", True, "a number"),
        ("waves.0.month", math.nan, "a finite number"),
        ("waves.0.month", -math.inf, "a finite number"),
        ("waves.1.role", "followup", "'follow-up'"),
        ("waves.2.exposed", "none", 'only of a wave whose role is "negative control"'),
        ("waves.1.exposed", "wholly", "'none' or 'partly'"),
        ("outcome.margin", math.nan, "a finite number"),
        ("outcome.margin", math.inf, "a finite number"),
        ("outcome.margin", 0, "greater than 0"),
        ("outcome.margin", "0.1", "a number"),
        ("outcome.kind", "ordinal", "'binary', 'count' or 'continuous'"),
        ("outcome.better", "smaller", "'lower' or 'higher'"),
        ("arms.control.randomised", 0, "greater than or equal to 1"),
        ("arms.control.value", True, "a text in quotes"),
        ("covariates.0.adjust", "no", "true or false"),
        ("privacy.minimum_cell", -1, "greater than or equal to 0"),
        ("privacy", {"hide_outcome_counts": True}, "1 or more where something is sensitive"),
        ("privacy", {"minimum_cell": 5, "sensitive": ["colour"]}, "a column that has a role"),
        ("privacy", {"minimum_cell": 5, "sensitive": ["sick"]}, "hide_outcome_counts = true"),
        ("data.separator", ",,", "at most 1 character"),
        ("data.separator", "", "not empty"),
        ("data.decimal", ";", "'.' or ','"),
        ("attendance.offered.control", 0, "greater than or equal to 1"),
        ("author.ethics", 7, "a text in quotes"),
    ],
)
def test_a_value_of_the_wrong_type_or_size(place: str, value: Any, words: str) -> None:
    assert words in allowed((place, value))


def test_values_that_cannot_be_printed() -> None:
    huge = int("f" * 5000, 16)  # a TOML file can hold it; Python refuses to write it out in decimals
    assert faults(changed(("seed", huge))) == [("seed", "a number of thousands of digits")]
    assert faults(changed(("outcome.margin", huge))) == [("outcome.margin", "a number of thousands of digits")]
    assert "valid characters" in allowed(("title", "a\ud800"))


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        ("data.encoding", "latin-99", "encoding"),
        ("data.encoding", "hex", "that Python knows"),
        ("data.encoding", "undefined", "that Python knows"),
        ("data.encoding", "a\0", "that Python knows"),
        ("data.separator", "\n", "one character"),
        ("data.separator", '"', "one character"),
        ("data.decimal", ",", "a character other than the separator"),
        ("outcome.margin", 10, "10 percentage points are 0.10"),
        ("outcome.margin", 1, "10 percentage points are 0.10"),
        ("outcome.codes", {"yes": 1}, "both"),
        ("outcome.codes", {"yes": 1, "no": 2}, "both"),
        ("further_outcomes.0.codes", {"none": 0, "some": 1.5}, "whole number"),
        ("mediators.1.codes", {"half": 50}, "between 0 and 1"),
        ("covariates.1.levels", ["a", "b", "a"], "each level once"),
        ("covariates.1.levels", [1, "1.0"], "each level once"),
        ("covariates.0.levels", ["young", "old"], 'kind = "categorical"'),
    ],
)
def test_rules_within_a_table_name_the_entry(place: str, value: Any, words: str) -> None:
    *_, key = place.split(".")
    ((column, _),) = faults(changed((place, value)))
    assert column.endswith(f".{key}")
    if "encoding" not in place:
        assert words in allowed((place, value))


def test_both_arms_are_offered_sessions() -> None:
    assert faults(changed(("attendance.offered", {"control": 4}))) == [("attendance.offered", "…")]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([("waves.2.month", 1)], ("waves.month", "0, 1, 1")),
        ([("waves.1.month", 7)], ("waves.month", "0, 7, 6.5")),
        ([("waves.1.role", "baseline")], ("waves (no. 2).role", "baseline")),
        ([("primary_wave", "middle")], ("primary_wave", "middle")),
        ([("primary_wave", "never")], ("primary_wave", "never")),
        ([("waves.2.role", "negative control")], ("primary_wave", "end")),
        ([("arms.control.value", "savings")], ("arms.value", "savings")),
        ([("arms.control.label", "with savings")], ("arms.label", "with savings")),
        ([("waves.1.value", "start")], ("waves.value", "start")),
        ([("waves.1.label", "before")], ("waves.label", "before")),
        ([("covariates.0.column", "sick")], ("columns", "sick")),
        ([("columns.arm", "who")], ("columns", "who")),
        ([("data.missing", ["start"])], ("waves.value", "start")),
        ([("arms.control.value", "NA")], ("arms.value", "NA")),
        ([("covariates.1.levels", ["a", "."])], ("covariates.levels", ".")),
        ([("outcome.codes", {"NA": 0, "yes": 1})], ("codes", "NA")),
        ([("data.missing", [-9]), ("covariates.1.levels", ["-9", "1"])], ("covariates.levels", "-9")),
    ],
)
def test_entries_that_contradict_each_other(changes: list[tuple[str, Any]], expected: tuple[str, str]) -> None:
    assert faults(changed(*changes)) == [expected]


def test_contradictions_are_all_named() -> None:
    content = changed(("primary_wave", "never"), ("waves.1.value", "start"), ("columns.arm", "who"))
    assert faults(content) == [("primary_wave", "never"), ("waves.value", "start"), ("columns", "who")]


def test_labels_may_be_numbers_and_are_the_same_with_and_without_decimals() -> None:
    content = changed(
        ("waves.0.value", 0),
        ("waves.1.value", 1.0),
        ("waves.2.value", "2.0"),
        ("primary_wave", 2),
        ("data.missing", [-9.0]),
    )
    study = studies.parse(content)
    assert [wave.value for wave in study.waves] == ["0", "1", "2"]
    assert study.primary_wave == "2"
    assert study.data.missing == ("-9",)


def test_leading_zeros_of_a_label_are_kept() -> None:
    assert studies.parse(changed(("arms.control.value", "01"))).arms.control.value == "01"


def test_a_tab_is_a_separator() -> None:
    assert studies.parse(changed(("data.separator", "\t"))).data.separator == "\t"


def test_the_decimal_mark_is_that_of_a_csv() -> None:
    comma = [("data.separator", ";"), ("data.decimal", ",")]
    assert studies.parse(changed(*comma)).data.decimal_mark == ","
    assert studies.parse(changed(*comma, ("data.file", "data.PARQUET"))).data.decimal_mark == "."


@pytest.mark.parametrize("codes", [{"yes": 1, "no": 0}, {"1": 0, "2": 1, "3": 1.0}])
def test_codes(codes: dict[str, float]) -> None:
    assert studies.parse(changed(("outcome.codes", codes))).outcome.codes == codes


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"title = \n", "line 1"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"x = " + b"[" * 5000, "not TOML"),
        (b"seed = " + b"9" * 5000, "not TOML"),
        (b"a = 1\na = 2\n", "line 2"),
    ],
)
def test_a_file_that_is_not_toml(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "study.toml").write_bytes(content)
    with pytest.raises(InvalidInput) as caught:
        studies.read(tmp_path)
    assert words in str(caught.value)
    assert "study.toml cannot be read" in caught.value.what


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(tomli_w.dumps(STUDY), encoding="utf-8-sig")
    assert studies.read(tmp_path)[0].title == "Six people"


def test_no_file_a_data_file_a_folder_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "data.csv").write_text("a,b\n", encoding="utf-8")
    (tmp_path / "file").write_text("", encoding="utf-8")
    for path, words in (
        (tmp_path, "There is no study file"),
        (tmp_path / "nowhere", "There is no study file"),
        (tmp_path / "folder.toml", "There is no study file"),
        (tmp_path / "data.csv", "is a data file"),
        (tmp_path / "file" / "study.toml", "cannot be read"),
        (tmp_path / ("x" * 300), "cannot be read"),
    ):
        with pytest.raises(InvalidInput) as caught:
            studies.read(path)
        assert words in caught.value.what
        assert caught.value.why
        assert caught.value.fix


def test_a_list_is_not_called_too_short_for_entries_that_are_wrong() -> None:
    places = range(len(STUDY["waves"]))
    wrong = faults(changed(*((f"waves.{place}.month", "soon") for place in places)))
    assert wrong == [(f"waves (no. {place + 1}).month", "soon") for place in places]
    assert allowed(("waves", [])) == "at least 1 of them"
