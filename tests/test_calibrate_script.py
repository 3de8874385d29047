"""calibrate.py and design.py as a person runs them: refusals, kills, resumption, the page, section 10."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from priors import prior_set
from tests.command_line import ROOT, files, messages, run
from tests.replicated import until
from tests.test_report_asked import record
from tests.test_report_script import saved

pytestmark = pytest.mark.slow

SMALL = ("effect", "--replications", "2", "--draws", "100", "--tune", "100", "--kind", "prior", "--kind", "null")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nothing_like_it",), "scenario"),
        (("effect", "--model", "regression"), "--model cannot be regression"),
        (("effect", "--model", "mediation"), "no mediator"),
        (("effect", "--likelihood", "guessed"), "--likelihood cannot be guessed"),
        (("effect", "--kind", "posterior"), "--kind cannot be posterior"),
        (("effect", "--priors", "wishful"), "wishful"),
        (("effect", "--replications", "1", "--scheduler", "tcp://127.0.0.1:1"), "no Dask scheduler"),
    ],
)
def test_what_cannot_be_calibrated_is_refused_and_nothing_is_left(tmp_path, arguments, words):
    found = run("calibrate", *arguments, "--out", tmp_path / "out")
    assert found.exit_code == 3
    assert messages(found.stderr)[-3:] == ["What", "Why", "Fix"]
    assert words in found.stderr
    assert not list(tmp_path.glob("out/*.csv"))


@pytest.mark.parametrize(
    "option",
    [
        ("--participants", "1"),
        ("--participants", "60", "--attrition", "1.5"),
        ("--participants", "60", "--mediated", "0,1"),
        ("--participants", "60", "--effect", ",".join(map(str, range(25)))),
    ],
)
def test_an_impossible_design_is_refused(tmp_path, option):
    found = run("design", "effect", *option, "--out", tmp_path / "out")
    assert found.exit_code == 3
    assert not (tmp_path / "out").exists()


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("chapter 1")
    for force in ((), ("--force",)):
        refused = run("calibrate", "effect", "--out", tmp_path, *force)
        assert refused.exit_code == 7
        assert "move away what is there" in refused.stderr  # --force would not help
    assert files(tmp_path) == {"thesis.txt": b"chapter 1"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A calibration by one process at a stretch, shown in a run; its folder and the run's."""
    folder, run_folder = tmp_path_factory.mktemp("whole"), saved(tmp_path_factory.mktemp("run") / "run")
    manifest = json.loads((run_folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["priors"]["rows"] = prior_set.load().rows()  # those of the calibration, in place of the invented run's
    (run_folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    found = run("calibrate", *SMALL, "--workers", "1", "--into", run_folder, "--out", folder)
    assert found.exit_code == 0, found.stderr
    return folder, run_folder


def test_a_calibration_goes_into_a_run_that_it_speaks_of_and_into_no_other(whole, tmp_path):
    folder, run_folder = whole
    refused = run("calibrate", *SMALL, "--into", run_folder, "--priors", "sceptical", "--out", tmp_path / "other")
    assert refused.exit_code == 3
    assert "sceptical" in refused.stderr
    assert not (tmp_path / "other").exists()
    for ending in ("csv", "json"):
        copied = run_folder / "calibration" / f"effect-effect.{ending}"
        assert copied.read_bytes() == (folder / f"calibration.{ending}").read_bytes()
    told = record(run_folder)["sentences"]["calibration_effect"]["text"]
    assert "simulated trials of this size (107 participants" in told
    assert "Of 4 fits" in record(run_folder)["sentences"]["sampling_effect"]["text"]


@pytest.mark.slow
def test_interrupted_killed_and_resumed_with_other_workers_it_gives_the_same_bytes(whole, tmp_path):
    """The machinery has tests of its own, with cheap work: `test_replications`."""
    out, journal = tmp_path / "out", tmp_path / "out" / "journal.jsonl"
    words = [sys.executable, "scripts/calibrate.py", *SMALL, "--workers", "2", "--out", str(out)]
    for lines, sent, code in ((1, signal.SIGINT, 130), (2, signal.SIGKILL, -9)):
        with subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True) as started:
            until(lambda lines=lines: journal.is_file() and journal.read_bytes().count(b"\n") >= lines, 300)
            os.killpg(started.pid, sent)
            told = started.communicate(timeout=20)[1]
        assert started.returncode == code, told
        if sent == signal.SIGINT:
            assert [line for line in told.splitlines() if not line.startswith((" ", "·"))] == [
                "Interrupted; nothing was left half-written."
            ]
    assert 1 <= journal.read_text().count('"number"') < 4
    resumed = run("calibrate", *SMALL, "--workers", "1", "--out", out)
    assert resumed.exit_code == 0, resumed.stderr
    for name in ("calibration.csv", "replications.csv"):
        assert (out / name).read_bytes() == (whole[0] / name).read_bytes(), name
    assert (out / "report.html").is_file()


def test_a_trial_whose_traits_would_not_fit_in_memory_is_refused_before_sampling(tmp_path, monkeypatch):
    monkeypatch.setattr("models.runs.job.MOST_HELD", 100_000)
    found = run("fit", ROOT / "studies" / "respiratory", "--out", tmp_path / "run")
    assert found.exit_code == 3
    assert "too large" in found.stderr
    assert "--likelihood integrated" in found.stderr
    assert "111 participants" in found.stderr
    assert not (tmp_path / "run").exists()
