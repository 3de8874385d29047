"""Scripts that make a run: what goes to stdout and stderr, what is written, and what an interruption leaves."""

from __future__ import annotations

import errno
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w
import typer
from typer.testing import Result

from models.faults import SamplerFailed
from models.inference import nuts as sampling
from models.runs import folder as runs
from models.trial.study_file import study as studies
from priors import prior_set
from reports.diagnostics import diagnostic_plots
from scripts import console, progress
from tests.command_line import ROOT, TINY, files, messages, run
from tests.small_trial import REMOVED, changed, written

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _build_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "BUILD", tmp_path / "build")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, short_refits: None) -> Path:
    """Six people and no mediators: one model, seconds to fit."""
    return written(tmp_path_factory.mktemp("study") / "six", study=changed(("mediators", REMOVED)))


@pytest.fixture(scope="module")
def made(study: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """One run of fit.py, shared by the tests that only look at it."""
    folder = tmp_path_factory.mktemp("run") / "six"
    return folder, run("fit", study, "--out", folder, *TINY)


@pytest.fixture
def finished(made: tuple[Path, Result], tmp_path: Path) -> Path:
    """A copy of that run, to do with as a test likes."""
    return Path(shutil.copytree(made[0], tmp_path / "six"))


# fit and analyse


def test_fit_prints_the_run_folder_and_nothing_else(made: tuple[Path, Result]) -> None:
    folder, result = made
    assert result.exit_code == 5  # 200 draws are too few
    assert result.stdout == f"{folder}\n"
    assert result.stderr.splitlines()[0] == "· loading the libraries"
    assert "gate red" in result.stderr.splitlines()[-1]
    assert json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["gate"] == "red"
    assert sorted(path.name for path in folder.parent.iterdir()) == ["six"]


@pytest.mark.slow
def test_an_identical_run_is_not_repeated_unless_forced(study: Path, finished: Path) -> None:
    before, at = files(finished), (finished / "run.nc").stat().st_mtime_ns
    again = run("fit", study, "--out", finished, *TINY)
    assert (again.exit_code, again.stdout) == (5, f"{finished}\n")
    assert "already done" in again.stderr
    assert (finished / "run.nc").stat().st_mtime_ns == at
    forced = run("fit", study, "--out", finished, "--force", *TINY)
    assert forced.exit_code == 5
    assert "already done" not in forced.stderr
    assert (finished / "run.nc").stat().st_mtime_ns > at
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


# diagnose


def test_diagnose_draws_every_picture_and_leaves_the_run_as_it_was(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnostic_plots, "MOST_SHOWN", 3)
    before = files(finished)
    result = run("diagnose", finished)
    assert (result.exit_code, result.stdout) == (0, f"{finished / 'diagnostics'}\n"), result.stderr
    said = result.stderr.splitlines()
    assert said[1].startswith("· effect: the 3 that mix worst of ")
    assert said[2:] == [f"· effect: {name}.png" for name in diagnostic_plots.PICTURES]
    drawn = {name: content for name, content in files(finished).items() if name.startswith("diagnostics/")}
    assert set(drawn) == {f"diagnostics/effect/{name}.png" for name in diagnostic_plots.PICTURES}
    assert all(content.startswith(b"\x89PNG") for content in drawn.values())
    assert {name: content for name, content in files(finished).items() if name not in drawn} == before
    runs.write_sums(finished)  # as the next report does
    assert files(finished)["SHA256SUMS"] == before["SHA256SUMS"]
    assert run("diagnose", finished, "--to", "pdf").exit_code == 0
    assert {path.suffix for path in (finished / "diagnostics/effect").iterdir()} == {".pdf"}


def test_diagnose_refuses_what_is_no_run_and_keeps_what_it_cannot_replace(finished: Path, tmp_path: Path) -> None:
    nothing = run("diagnose", tmp_path)
    assert (nothing.exit_code, nothing.stdout) == (3, "")
    assert messages(nothing.stderr) == ["What", "Why", "Fix"]
    (finished / "diagnostics").mkdir()
    (finished / "diagnostics/earlier.png").write_bytes(b"")
    (finished / "diagnostics.partial").write_text("in the way", encoding="utf-8")
    blocked = run("diagnose", finished)
    assert (blocked.exit_code, blocked.stdout) == (7, "")
    assert messages(blocked.stderr) == ["What", "Why", "Fix"]
    assert (finished / "diagnostics/earlier.png").is_file()


@pytest.mark.parametrize(("gate", "code"), [("green", 0), ("amber", 0), ("red", 5)])
def test_the_gate_decides_the_exit_code(study: Path, monkeypatch: pytest.MonkeyPatch, gate: str, code: int) -> None:
    monkeypatch.setattr(console, "fit", lambda *_, **__: (Path("run"), gate))
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
    mine["name"] = "mine"
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
        (OSError(errno.ENOSPC, "No space left on device", "run.nc"), 7, "No space left on device (run.nc)"),
        (KeyboardInterrupt(), 130, "Interrupted"),
        (ZeroDivisionError("a bug"), 1, "ZeroDivisionError: a bug"),
    ],
)
def test_what_fails_on_the_way_leaves_nothing(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, words: str
) -> None:
    from models.runs import job

    monkeypatch.setattr(job, "analyse", raising(error))
    for arguments in ([], ["--debug"]):
        result = run("analyse", study, "--out", tmp_path / "run", *arguments)
        assert (result.exit_code, result.stdout) == (code, "")
        assert words in result.stderr
        assert ("Traceback" in result.stderr) == (arguments == ["--debug"] and code != 130)
        assert not list(tmp_path.iterdir())


def interrupted(command: list[str | Path], when: str) -> tuple[int, str]:
    """Exit code and stderr of a script that gets Ctrl-C once it says `when`."""
    process = subprocess.Popen(
        [sys.executable, *map(str, command)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    said = ""
    for line in process.stderr:
        said += line
        if when in line:
            process.send_signal(signal.SIGINT)
            break
    out, rest = process.communicate(timeout=60)
    assert out == ""
    return process.returncode, said + rest


def test_an_interruption_in_mid_sampling_leaves_what_was_there(
    study: Path, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C when the sampler first tells how far it is, of draws that would take hours."""
    before, told = files(finished), []

    def press(_: object, chains: list[Any]) -> None:
        told.append(sum(chain.finished_draws for chain in chains))
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(sampling, "_report", press)
    result = run("fit", study, "--out", finished, "--force", "--draws", "3000000", "--chains", "2")
    assert len(told) == 1
    assert result.exit_code == 130, result.stderr
    assert "nothing was left half-written" in result.stderr
    assert "Traceback" not in result.stderr
    assert files(finished) == before
    assert sorted(path.name for path in finished.parent.iterdir()) == ["six"]


def test_an_interruption_before_sampling_leaves_nothing(study: Path, tmp_path: Path) -> None:
    code, said = interrupted(["scripts/fit.py", study, "--out", tmp_path / "run"], "preparing the model")
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
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "TERM": "xterm-256color",
            "COLUMNS": "120",
            **environment,
        },
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
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with progress.draws() as update:
        for second in range(25):
            now[0] = float(second)
            update(second, 24, 1)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == ["  10 of 24 draws, 1 divergent", "  20 of 24 draws, 1 divergent"]


def test_replications_tell_their_pace_and_the_time_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with progress.replications() as update:
        update(100, 1000)  # an earlier run did these: they say nothing of this one's pace
        for second in range(1, 25):
            now[0] = float(second)
            update(100 + second, 1000)
    assert capsys.readouterr().err.splitlines() == [
        "  110 of 1000 replications, 60 a minute, 14 min 50 s left",
        "  120 of 1000 replications, 60 a minute, 14 min 40 s left",
    ]


def test_a_fault_says_in_which_replication(capsys: pytest.CaptureFixture[str]) -> None:
    error = OSError(28, "No space left on device")
    error.add_note("This was replication 17.")
    with pytest.raises(typer.Exit) as left, console.exits():
        raise error
    assert left.value.exit_code == console.DISK
    assert "\nThis was replication 17." in capsys.readouterr().err


def test_exits_pass_on_what_typer_means() -> None:
    with pytest.raises(typer.Exit), console.exits():
        raise typer.Exit(9)
    with pytest.raises(BrokenPipeError), console.exits():
        raise BrokenPipeError


def test_studies_are_read_the_same_from_anywhere(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(study)
    assert run("check", ".").stdout == run("check", study).stdout
    assert studies.read(Path())[0] == studies.parse(changed(("mediators", REMOVED)))
