"""The scripts as a person meets them: exit codes, what goes to stdout and stderr, what is written and what is not."""

from __future__ import annotations

import csv
import errno
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w
import typer
from typer.testing import CliRunner, Result

from models import study as studies
from models.faults import SamplerFailed
from priors import prior_set
from scripts import analyse, check, console, fit, report, simulate
from tests.small_trial import ROWS, STUDY, changed, text_of, with_cells, written

ROOT = Path(__file__).parents[1]
APPS = {module.__name__.split(".")[1]: module.app for module in (analyse, check, fit, report, simulate)}
TINY = ("--draws", "100", "--tune", "100", "--chains", "2")
"""Too few draws for any purpose but this: the gate is red."""


def run(script: str, *arguments: str | Path) -> Result:
    """A script in this process."""
    return CliRunner().invoke(APPS[script], [str(argument) for argument in arguments])


def messages(text: str) -> list[str]:
    """First words of the lines of a refusal."""
    return [line.split(":")[0] for line in text.splitlines() if not line.startswith((" ", "·"))]


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(autouse=True)
def _build_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "BUILD", tmp_path / "build")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("study") / "six")


@pytest.fixture(scope="module")
def made(study: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """One run of fit.py, shared by the tests that only look at it."""
    folder = tmp_path_factory.mktemp("run") / "six"
    return folder, run("fit", study, "--out", folder, *TINY)


@pytest.fixture
def finished(made: tuple[Path, Result], tmp_path: Path) -> Path:
    """A copy of that run, to do with as a test likes."""
    return Path(shutil.copytree(made[0], tmp_path / "six"))


# every script


def test_help_needs_nothing_heavy() -> None:
    heavy = "numpy", "pandas", "pydantic", "xarray", "pymc", "rich"
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


# check


def test_a_valid_study_is_summed_up_on_stdout(study: Path) -> None:
    result = run("check", study)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = [line.split() for line in result.stdout.splitlines()]
    assert result.stdout.startswith("Six people · SIMULATED DATA\n")
    assert ["control", "usual", "care", "as", "usual", "not", "stated", "3"] in lines
    assert ["treated", "savings", "with", "savings", "4", "3"] in lines
    # of three in each arm: one of those treated has no row at the end; of the controls two have, one without outcome
    assert ["end", "6.5", "follow-up", "treated", "2", "2", "1", "(33%)", "50%"] in lines
    assert ["end", "6.5", "follow-up", "control", "2", "1", "2", "(67%)", "0%"] in lines
    assert ["middle", "1", "negative", "control", "control", "2", "2", "1", "(33%)", "50%"] in lines
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
    notes = json.loads(run("check", written(tmp_path / "s", text_of(rows)), "--json").stdout)["notes"]
    for words in (
        "No outcome was observed in the arm 'care as usual' at the wave 'after half a year'",
        "No outcome was observed in the arm 'with savings' at the wave 'after half a year'",
        "sex: sex: male does not vary",
        "support: no value in the arm 'care as usual'",
    ):
        assert [note for note in notes if note.startswith(words)], (words, notes)


def test_small_cells_are_not_printed(tmp_path: Path) -> None:
    result = run("check", written(tmp_path / "s", study=changed(("privacy.minimum_cell", 5))), "--json")
    found = json.loads(result.stdout)
    assert {cell["observed"] for cell in found["waves"]} <= {"<5", "suppressed"}
    assert {cell["share"] for cell in found["waves"]} == {"suppressed"}
    assert any("below 5 are not printed" in note for note in found["notes"])


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
    assert str(tmp_path / "build/faults.csv") in result.stderr
    assert "\tx" not in result.stderr
    with (tmp_path / "build/faults.csv").open(encoding="utf-8", newline="") as stream:
        listed = list(csv.reader(stream))
    assert listed[0] == ["row", "column", "value", "allowed"]
    assert [line[0] for line in listed[1:]] == [str(row) for row in range(2, 13)]
    assert [line[2] for line in listed[1:]] == ["'=1+1", "'+1-", "'-x", "'@sum", "x", *hostile[5:]]


def test_faults_that_cannot_be_written_are_still_told(tmp_path: Path) -> None:
    (tmp_path / "build").write_text("in the way", encoding="utf-8")
    rows = [[*row[:3], "x", *row[4:]] for row in ROWS]
    result = run("check", written(tmp_path / "s", text_of(rows)))
    assert result.exit_code == 3
    assert "could not be written" in result.stderr


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
    assert result.exit_code == 3
    assert messages(result.stderr) == ["What", "Why", "Fix"]
    assert str(tmp_path / "study.toml") in result.stderr
    (tmp_path / "study.toml").write_text(result.stdout, encoding="utf-8")
    assert run("check", tmp_path).exit_code == 0
    drafted = tomllib.loads(result.stdout)
    waves = [wave["role"] for wave in drafted["waves"]]
    assert waves == ["baseline", *["follow-up"] * (len(waves) - 1)]
    assert drafted["arms"]["control"]["value"] in ("placebo", "control", "usual")


def test_what_a_draft_guesses(tmp_path: Path) -> None:
    text = (
        "PatientID;Week;Group;Improved;Pain;Remark;Empty;Age\n1;Week 12;B;yes;1,5;a b;;31,5\n"
        "1;Screening;B;no;2,5;c;;\n2;Week 2;A (placebo);no;3,5;d;;40\n2;Week 12;A (placebo);yes;0,5;e;;40\n"
    )
    (tmp_path / "export.csv").write_text(text, encoding="utf-8")
    result = run("check", tmp_path / "export.csv")
    drafted = tomllib.loads(result.stdout)
    assert drafted["data"] == {"file": "export.csv", "separator": ";", "decimal": ","}
    assert drafted["columns"] == {"participant": "PatientID", "wave": "Week", "arm": "Group"}
    assert drafted["arms"]["control"]["value"] == "A (placebo)"
    assert [(wave["value"], wave["month"]) for wave in drafted["waves"]] == [
        ("Screening", 0),
        ("Week 2", 2),
        ("Week 12", 12),
    ]
    assert drafted["outcome"]["column"] == "Improved"
    assert drafted["outcome"]["codes"] == {"yes": 1, "no": 0}
    assert drafted["covariates"] == [{"column": "Age", "kind": "categorical", "label": "Age", "adjust": False}]
    assert result.stdout.splitlines()[-1].endswith(": Pain, Remark, Empty")


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


# fit and analyse


def test_fit_prints_the_run_folder_and_nothing_else(made: tuple[Path, Result]) -> None:
    folder, result = made
    assert result.exit_code == 5  # 200 draws are too few
    assert result.stdout == f"{folder}\n"
    assert result.stderr.splitlines()[0] == "· loading the libraries"
    assert "gate red" in result.stderr.splitlines()[-1]
    assert json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["gate"] == "red"
    assert sorted(path.name for path in folder.parent.iterdir()) == ["six"]


def test_an_identical_run_is_not_repeated_unless_forced(study: Path, finished: Path) -> None:
    before, at = files(finished), (finished / "core.nc").stat().st_mtime_ns
    again = run("fit", study, "--out", finished, *TINY)
    assert (again.exit_code, again.stdout) == (5, f"{finished}\n")
    assert "already done" in again.stderr
    assert (finished / "core.nc").stat().st_mtime_ns == at
    forced = run("fit", study, "--out", finished, "--force", *TINY)
    assert forced.exit_code == 5
    assert "already done" not in forced.stderr
    assert (finished / "core.nc").stat().st_mtime_ns > at
    changed_by = {name for name, content in files(finished).items() if before[name] != content}
    # the command is part of the manifest; the draws are the same bytes
    assert changed_by <= {"manifest.json", "SHA256SUMS", "run.log"}


def test_another_run_is_not_overwritten(study: Path, finished: Path) -> None:
    before = files(finished)
    result = run("fit", study, "--out", finished, "--seed", "2", *TINY)
    assert (result.exit_code, result.stdout) == (7, "")
    assert messages(result.stderr) == ["What", "Why", "Fix"]
    assert "--force" in result.stderr
    assert files(finished) == before
    assert not finished.with_name("six.partial").exists()


@pytest.mark.parametrize("script", ["fit", "analyse"])
def test_force_replaces_nothing_but_runs(study: Path, tmp_path: Path, script: str) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/chapter.md").write_text("mine", encoding="utf-8")
    for place in (tmp_path / "thesis", tmp_path / "thesis/chapter.md", study):
        before = files(place if place.is_dir() else place.parent)
        result = run(script, study, "--out", place, "--force", *TINY)
        assert (result.exit_code, result.stdout) == (7, "")
        assert "--force replaces only runs" in result.stderr
        assert files(place if place.is_dir() else place.parent) == before


def test_analyse_writes_the_report_and_prints_the_folder_last(study: Path, finished: Path) -> None:
    result = run("analyse", study, "--out", finished, *TINY)
    assert result.exit_code == 5
    assert result.stdout.splitlines()[-1] == str(finished)
    assert (finished / "report.html").is_file()
    estimates = json.loads(run("analyse", study, "--out", finished, "--json", *TINY).stdout)
    assert {"estimand", "median", "evidence"} <= set(estimates[0])


@pytest.mark.parametrize(("gate", "code"), [("green", 0), ("amber", 0), ("red", 5)])
def test_the_gate_decides_the_exit_code(study: Path, monkeypatch: pytest.MonkeyPatch, gate: str, code: int) -> None:
    monkeypatch.setattr(console, "fit", lambda *_: (Path("run"), gate))
    monkeypatch.setattr(console, "report", lambda *_: None)
    for script in ("fit", "analyse"):
        result = run(script, study)
        assert (result.exit_code, result.stdout) == (code, "run\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "magic"], "Choose one of effect"),
        (["--priors", "magic"], "weakly_informative"),
        (["--priors", "gone.toml"], "Shipped: weakly_informative, diffuse, sceptical"),
    ],
)
def test_an_unknown_model_or_prior_set_exits_3_with_a_choice(
    study: Path, tmp_path: Path, arguments: list, words: str
) -> None:
    result = run("fit", study, "--out", tmp_path / "run", *arguments)
    assert (result.exit_code, result.stdout) == (3, "")
    assert words in result.stderr
    assert not list(tmp_path.iterdir())


def test_a_prior_set_that_lacks_a_row_exits_3(study: Path, tmp_path: Path) -> None:
    text = (prior_set.FOLDER / "weakly_informative.toml").read_text(encoding="utf-8")
    mine = tomllib.loads(text)
    del mine["parameters"]["tau"]
    (tmp_path / "mine.toml").write_text(tomli_w.dumps(mine), encoding="utf-8")
    result = run("fit", study, "--out", tmp_path / "run", "--priors", tmp_path / "mine.toml", *TINY)
    assert (result.exit_code, result.stdout) == (3, "")
    assert "no row [parameters.tau]" in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.toml"]


def raising(error: BaseException) -> Callable[..., Any]:
    def raise_it(*_: object, **__: object) -> None:
        raise error

    return raise_it


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (SamplerFailed("no chain could start"), 4, "no chain could start"),
        (OSError(errno.ENOSPC, "No space left on device", "core.nc"), 7, "No space left on device (core.nc)"),
        (KeyboardInterrupt(), 130, "Interrupted"),
        (ZeroDivisionError("a bug"), 1, "ZeroDivisionError: a bug"),
    ],
)
def test_what_fails_on_the_way_leaves_nothing(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, words: str
) -> None:
    from models import job

    monkeypatch.setattr(job, "analyse", raising(error))
    for arguments in ([], ["--debug"]):
        result = run("analyse", study, "--out", tmp_path / "run", *arguments)
        assert (result.exit_code, result.stdout) == (code, "")
        assert words in result.stderr
        assert ("Traceback" in result.stderr) == (arguments == ["--debug"] and code != 130)
        assert not list(tmp_path.iterdir())


def interrupted(command: list[str | Path], when: str) -> tuple[int, str]:
    """Exit code and stderr of a script that gets Ctrl-C a second after it says `when`."""
    process = subprocess.Popen(
        [sys.executable, *map(str, command)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    said = ""
    for line in process.stderr:
        said += line
        if when in line:
            time.sleep(1)
            process.send_signal(signal.SIGINT)
            break
    out, rest = process.communicate(timeout=60)
    assert out == ""
    return process.returncode, said + rest


def test_an_interruption_in_mid_sampling_leaves_what_was_there(study: Path, finished: Path) -> None:
    before = files(finished)
    long = ("--draws", "3000000", "--chains", "2")
    code, said = interrupted(["scripts/fit.py", study, "--out", finished, "--force", *long], "sampling")
    assert code == 130, said
    assert "nothing was left half-written" in said
    assert "Traceback" not in said
    assert files(finished) == before
    assert sorted(path.name for path in finished.parent.iterdir()) == ["six"]


def test_an_interruption_while_compiling_leaves_nothing(study: Path, tmp_path: Path) -> None:
    code, said = interrupted(["scripts/fit.py", study, "--out", tmp_path / "run"], "reading the data")
    assert code == 130, said
    assert not list(tmp_path.iterdir())


# the terminal


def on_a_terminal(command: list[str | Path], **environment: str) -> str:
    """What a script shows on a terminal, colours and all."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, *map(str, command)],
        cwd=ROOT,
        stdout=theirs,
        stderr=theirs,
        env={"PATH": os.environ["PATH"], "TERM": "xterm-256color", "COLUMNS": "120", **environment},
    )
    os.close(theirs)
    shown = b""
    while select.select([ours], [], [], 60)[0]:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux: the other end is closed
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    assert process.wait(timeout=60) == 0
    return shown.decode()


def test_tables_are_drawn_on_a_terminal_and_no_colour_where_none_is_wanted(study: Path) -> None:
    shown = on_a_terminal(["scripts/check.py", study], NO_COLOR="1")
    assert "┃" in shown
    assert "with savings" in shown
    assert "\x1b[3" not in shown
    assert "\x1b[9" not in shown


def test_labels_are_no_markup(tmp_path: Path) -> None:
    study = changed(("arms.control.label", "[red]usual[/red] [/]"))
    assert "[red]usual[/red] [/]" in on_a_terminal(["scripts/check.py", written(tmp_path / "s", study=study)])


def test_progress_without_a_terminal_is_a_line_every_ten_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: now[0])
    with console.progress_bar() as update:
        for second in range(25):
            now[0] = float(second)
            update(second, 24, 1)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == ["  10 of 24 draws, 1 divergent", "  20 of 24 draws, 1 divergent"]


def test_exits_pass_on_what_typer_means() -> None:
    with pytest.raises(typer.Exit), console.exits():
        raise typer.Exit(9)
    with pytest.raises(BrokenPipeError), console.exits():
        raise BrokenPipeError


def test_studies_are_read_the_same_from_anywhere(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(study)
    assert run("check", ".").stdout == run("check", study).stdout
    assert studies.read(Path())[0] == studies.parse(STUDY)
