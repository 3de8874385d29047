"""The scripts as a person meets them: help, usage, and what check.py says of a study."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from scripts import console
from tests.command_line import APPS, ROOT, messages, run
from tests.small_trial import ROWS, changed, text_of, with_cells, written


@pytest.fixture(autouse=True)
def _build_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "BUILD", tmp_path / "build")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("study") / "six")


# every script


def test_help_needs_nothing_heavy() -> None:
    heavy = "numpy", "pandas", "pydantic", "xarray", "pymc", "rich", "arviz", "matplotlib"
    code = f"import sys, scripts.{', scripts.'.join(APPS)}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("script", sorted(APPS))
def test_help_names_the_exit_codes(script: str) -> None:
    result = run(script, "--help")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Usage:" in result.stdout
    assert "Exit codes: 0" in result.stdout
    assert "--debug" in result.stdout


@pytest.mark.parametrize(
    ("script", "arguments", "words"),
    [
        *((script, [], "Missing") for script in sorted(APPS)),
        *((script, ["--colour"], "--colour") for script in sorted(APPS)),
        ("fit", ["x", "--draws", "99"], "--draws"),
        ("fit", ["x", "--tune", "many"], "--tune"),
        ("analyse", ["x", "--chains", "1"], "--chains"),
        ("analyse", ["x", "--seed", "-1"], "--seed"),
        ("analyse", ["x", "--seed", str(2**63)], "--seed"),
        ("check", ["a", "b"], "unexpected extra argument"),
    ],
)
def test_wrong_usage_exits_2(script: str, arguments: list[str], words: str) -> None:
    result = run(script, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


@pytest.mark.parametrize("script", ["analyse", "check", "fit"])
def test_a_study_that_is_not_there_exits_3(script: str, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere.toml", tmp_path / ("long" * 80)):
        result = run(script, path)
        assert (result.exit_code, result.stdout) == (3, "")
        assert messages(result.stderr) == ["What", "Why", "Fix"]
        assert "·" not in result.stderr, "told before the libraries are loaded"


# check


def test_a_valid_study_is_summed_up_on_stdout(study: Path) -> None:
    result = run("check", study)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = [line.split() for line in result.stdout.splitlines()]
    assert result.stdout.startswith("Six people · SIMULATED DATA\n")
    assert ["control", "usual", "care", "as", "usual", "not", "stated", "3"] in lines
    assert ["treated", "savings", "with", "savings", "4", "3"] in lines
    # of three in each arm: one of those treated has no row at the end; of the controls two have, one without outcome
    assert ["end", "6.5", "follow-up", "treated", "2", "2", "1", "(33%)", "50.0%"] in lines
    assert ["end", "6.5", "follow-up", "control", "2", "1", "2", "(67%)", "0.0%"] in lines
    assert ["middle", "1", "negative", "control", "control", "2", "2", "1", "(33%)", "50.0%"] in lines
    assert ["support", "mediator", "continuous", "2", "13"] in lines
    assert ["age", "covariate,", "adjusted", "for", "continuous", "1", "6"] in lines
    assert ["sessions", "attendance", "count", "1", "6"] in lines
    assert "Note: age: no value at baseline for 1 participant" in result.stdout
    assert "Note: sex: missing for 1 of 6" in result.stdout
    assert result.stdout.splitlines()[-1] == "Valid: this study can be analysed."


def test_the_study_file_itself_may_be_given(study: Path) -> None:
    assert run("check", study / "study.toml").stdout == run("check", study).stdout


def test_json_holds_the_same_numbers(study: Path) -> None:
    result = run("check", study, "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["valid"] is True
    assert found["simulated"] is True
    assert [arm["in_file"] for arm in found["arms"]] == [3, 3]
    (end,) = [cell for cell in found["waves"] if (cell["wave"], cell["arm"]) == ("end", "control")]
    assert (end["rows"], end["observed"], end["missing"], end["share"]) == (2, 1, 2, 0.0)
    assert {column["column"]: column["missing"] for column in found["columns"]}["visits"] == 2


def test_limitations_are_named(tmp_path: Path) -> None:
    rows = [[*row[:5], "" if row[2] != "savings" else row[5], *row[6:9], "female"] for row in ROWS if row[1] != "end"]
    for row in rows:
        row[2] = {"p3": "savings"}.get(row[0], row[2])
    # the primary wave has outcomes in both arms, or the study is refused
    plan = changed(("waves.1.role", "follow-up"), ("primary_wave", "middle"))
    notes = json.loads(run("check", written(tmp_path / "s", text_of(rows), plan), "--json").stdout)["notes"]
    for words in (
        "No outcome was observed in the arm 'care as usual' at the wave 'after half a year'",
        "No outcome was observed in the arm 'with savings' at the wave 'after half a year'",
        "sex: sex: male does not vary",
        "support: no value in the arm 'care as usual'",
    ):
        assert [note for note in notes if note.startswith(words)], (words, notes)


def test_small_cells_are_not_printed(tmp_path: Path) -> None:
    plan = changed(("privacy.minimum_cell", 5), ("privacy.hide_outcome_counts", True), ("simulated", False))
    result = run("check", written(tmp_path / "s", study=plan), "--json")
    found = json.loads(result.stdout)
    assert {cell["observed"] for cell in found["waves"]} == {1, 2, 3}, "who was seen gives nobody away"
    assert {cell["share"] for cell in found["waves"]} == {"suppressed"}
    assert any("Counts from 1 to 4 are not printed" in note for note in found["notes"])


def test_faults_are_named_on_stderr_and_nothing_is_on_stdout(tmp_path: Path) -> None:
    folder = written(tmp_path / "s", text_of(with_cells((2, "sick", "often"), (9, "income", "2"))))
    result = run("check", folder)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.splitlines()[2:4] == [
        "  - row 2, sick: 'often' (allowed: 0 or 1; other words: codes in the study file)",
        "  - row 9, income: '2' (allowed: a share from 0 to 1)",
    ]
    found = json.loads(run("check", folder, "--json").stdout)
    assert found["valid"] is False
    assert found["faults"][1] == {"row": 9, "column": "income", "value": "2", "allowed": "a share from 0 to 1"}
    assert not (tmp_path / "build").exists()


def test_more_than_ten_faults_go_to_a_file_that_a_spreadsheet_can_open(tmp_path: Path) -> None:
    hostile = ["=1+1", "+1-", "-x", "@sum", "\tx", 'a "b"', "x,y", "line\nbreak", "e", "f", "g"]
    rows = [
        [*row[:3], *([word] if word else row[3:4]), *row[4:]]
        for row, word in zip(ROWS, [*hostile, "", ""], strict=True)
    ]
    folder = written(tmp_path / "s", text_of(rows))
    result = run("check", folder)
    assert result.exit_code == 3
    assert "… and 1 more" in result.stderr
    assert str(folder / "faults.csv") in result.stderr
    assert "\tx" not in result.stderr
    with (folder / "faults.csv").open(encoding="utf-8", newline="") as stream:
        listed = list(csv.reader(stream))
    assert listed[0] == ["row", "column", "value", "allowed"]
    assert [line[0] for line in listed[1:]] == [str(row) for row in range(2, 13)]
    assert [line[2] for line in listed[1:]] == ["'=1+1", "'+1-", "'-x", "'@sum", "x", *hostile[5:]]


def test_a_header_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    folder = written(tmp_path / "s", 'who,"\x1b[2Jx","\x1b[2Jx"\n1,2,3\n')
    result = run("check", folder)
    assert result.exit_code == 3
    assert "row 1, '\\x1b[2Jx'" in result.stderr
    assert "\x1b" not in result.stderr


def test_faults_that_cannot_be_written_are_still_told(tmp_path: Path) -> None:
    rows = [[*row[:3], "x", *row[4:]] for row in ROWS]
    folder = written(tmp_path / "s", text_of(rows))
    (folder / "faults.csv").mkdir()
    result = run("check", folder)
    assert result.exit_code == 3
    assert "could not be written" in result.stderr
    assert (
        "13 cells of sick: 'x' (allowed: 0 or 1; other words: codes in the study file), the first in row 2"
        in result.stderr
    )


def test_a_list_of_faults_takes_no_other_files_place(tmp_path: Path) -> None:
    folder = written(tmp_path / "s", text_of([[*row[:3], "x", *row[4:]] for row in ROWS]))
    (folder / "faults.csv").write_text("mine\n", encoding="utf-8")
    assert "is another file" in run("check", folder).stderr
    assert (folder / "faults.csv").read_text(encoding="utf-8") == "mine\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("data.csv", (ROOT / "studies/respiratory/data.csv").read_bytes()),
        ("data.csv", (ROOT / "studies/undarga/data.csv").read_bytes()),
        ("six.csv", text_of(ROWS).encode()),
        ("six.csv", text_of([[c.replace(".", ",") for c in r] for r in ROWS], delimiter=";").encode("utf-16")),
        ("six.CSV", text_of([[c.replace("start", "début") for c in r] for r in ROWS], delimiter="\t").encode("cp1252")),
    ],
)
def test_a_data_file_alone_gets_a_draft_that_validates(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    result = run("check", tmp_path / name)
    assert result.exit_code == 0
    assert str(tmp_path / "study.toml") in result.stderr
    assert json.loads(run("check", tmp_path / name, "--json").stdout)["draft"] == result.stdout
    (tmp_path / "study.toml").write_text(result.stdout, encoding="utf-8")
    unread = run("check", tmp_path)  # nobody but its author can say why the margin matters
    assert unread.exit_code == 3
    assert "outcome.margin_reason" in unread.stderr
    reasoned = result.stdout.replace('margin_reason = ""', 'margin_reason = "a reason"')
    decided = reasoned.replace('role = "?"', 'role = "baseline"')  # "début" says nothing to the draft
    assert (decided != reasoned) is name.endswith("CSV")
    (tmp_path / "study.toml").write_text(decided, encoding="utf-8")
    assert run("check", tmp_path).exit_code == 0
    drafted = tomllib.loads(decided)
    waves = [wave["role"] for wave in drafted["waves"]]
    assert waves == ["baseline", *["follow-up"] * (len(waves) - 1)]
    assert drafted["arms"]["control"]["value"] in ("placebo", "control", "usual")


def test_what_a_draft_guesses(tmp_path: Path) -> None:
    text = (
        "EventDate;PatientID;Week;Group;Improved;Pain;Remark;Empty;Age\n3.5.;1;Week 12;B;yes;1,5;a b;;31,5\n"
        ";1;Screening;B;no;2,5;c;;\n7.5.;2;Week 2;A (placebo);no;3,5;d;;40\n"
        "8.5.;2;Week 12;A (placebo);yes;0,5;e;;40\n"
    )
    (tmp_path / "export.csv").write_text(text, encoding="utf-8")
    result = run("check", tmp_path / "export.csv")
    drafted = tomllib.loads(result.stdout)
    assert drafted["data"] == {"file": "export.csv", "separator": ";", "decimal": ","}
    assert drafted["columns"] == {"participant": "PatientID", "wave": "Week", "arm": "Group"}
    assert drafted["arms"]["control"]["value"] == "A (placebo)"
    assert [(wave["value"], wave["month"]) for wave in drafted["waves"]] == [
        ("Screening", 0),
        ("Week 2", 0.46),
        ("Week 12", 2.76),
    ]
    assert drafted["outcome"]["column"] == "Improved"
    assert drafted["outcome"]["codes"] == {"yes": 1, "no": 0}
    assert "second row" not in result.stdout
    assert drafted["covariates"] == [{"column": "Age", "kind": "categorical", "label": "Age", "adjust": False}]
    assert result.stdout.splitlines()[-1].endswith(": EventDate, Pain, Remark, Empty")


def test_a_draft_without_any_wave_says_so_when_checked(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("who,when,group,sick\n1,,a,0\n1,,a,1\n2,,b,0\n", encoding="utf-8")
    result = run("check", tmp_path / "d.csv")
    (tmp_path / "study.toml").write_text(result.stdout, encoding="utf-8")
    assert (result.exit_code, tomllib.loads(result.stdout)["primary_wave"]) == (0, "?")
    assert "- waves: 'missing'" in run("check", tmp_path).stderr


@pytest.mark.parametrize(("text", "words"), [("a,b\n1,2\n", "2 columns"), ("", "is empty"), ("a,b,c,d\n", "no rows")])
def test_a_data_file_without_a_trial_gets_no_draft(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "d.csv").write_text(text, encoding="utf-8")
    result = run("check", tmp_path / "d.csv")
    assert (result.exit_code, result.stdout) == (3, "")
    assert words in result.stderr
    assert json.loads(run("check", tmp_path / "d.csv", "--json").stdout)["valid"] is False
    assert "There is no file" in run("check", tmp_path / "gone.csv").stderr


def test_fit_names_the_draft_where_a_data_file_is_given(study: Path) -> None:
    result = run("fit", study / "data.csv")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "check.py" in result.stderr
