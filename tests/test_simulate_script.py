"""scripts/simulate.py: what it writes, what it refuses, and what it says then."""

import csv
import json
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from models.simulation.simulated_trial import load, simulate
from models.simulation.study_folder import FILES, data_text, study_text
from scripts.simulate import app

ROOT = Path(__file__).parent.parent
SMALL = ["--population", "2000"]


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_writes_a_study_folder_and_names_it(tmp_path):
    out = tmp_path / "new" / "trial"
    result = run("undarga", "--seed", "7", "--out", out, *SMALL)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == str(out)
    assert sorted(path.name for path in out.iterdir()) == sorted(FILES)
    assert not out.with_name("trial.partial").exists()
    study = tomllib.loads((out / "study.toml").read_text(encoding="utf-8"))
    assert study["simulated"] is True
    assert "'undarga' with seed 7" in study["description"]
    truth = json.loads((out / "truth.json").read_text(encoding="utf-8"))
    assert truth["population"] == 2000
    assert set(truth["risk"]["control"]) == {wave["value"] for wave in study["waves"]}
    assert set(truth["interventional_via"]) == {mediator["column"] for mediator in study["mediators"]}
    assert set(truth["further_outcomes"]) == {outcome["column"] for outcome in study["further_outcomes"]}


def test_equal_seeds_write_equal_bytes_and_others_do_not(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert run("exposure_induced", "--seed", str(seed), "--out", tmp_path / name, *SMALL).exit_code == 0
    for file in FILES:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    assert (tmp_path / "a/data.csv").read_bytes() != (tmp_path / "c/data.csv").read_bytes()
    assert (tmp_path / "a/truth.json").read_bytes() == (tmp_path / "c/truth.json").read_bytes()


def test_what_a_check_would_refuse_is_said_at_once(tmp_path):
    """A scenario without a margin can be simulated, and no study can be made of it as it stands."""
    mine = tmp_path / "mine.toml"
    lines = [
        'like = "effect"',
        "[[outcomes]]",
        'column = "fell"',
        "intercepts = [0, 0, 0, 0]",
        "arm_effects = [0, 0, 0, 0]",
    ]
    mine.write_text("\n".join(lines), encoding="utf-8")
    result = run(mine, "--seed", "1", "--out", tmp_path / "trial", *SMALL)
    assert result.exit_code == 0
    assert "correct the scenario" in result.stderr
    assert "outcome.margin" in result.stderr
    mine.write_text("\n".join([*lines, "margin = 0.1", 'margin_reason = "one in ten"']), encoding="utf-8")
    assert "correct the scenario" not in run(mine, "--seed", "1", "--out", tmp_path / "again", *SMALL).stderr
    study = tomllib.loads((tmp_path / "again" / "study.toml").read_text(encoding="utf-8"))
    assert study["outcome"]["label"] == "fell"  # the column, where there is no label


def test_overwrites_only_when_told_to_and_leaves_other_files(tmp_path):
    out = tmp_path / "trial"
    run("effect", "--seed", "1", "--out", out, *SMALL)
    before = (out / "data.csv").read_bytes()
    (out / "notes.md").write_text("mine", encoding="utf-8")
    refused = run("effect", "--seed", "2", "--out", out, *SMALL)
    assert refused.exit_code == 7
    assert "add --force" in refused.stderr
    assert refused.stdout == ""
    assert (out / "data.csv").read_bytes() == before
    assert run("effect", "--seed", "2", "--out", out, "--force", *SMALL).exit_code == 0
    assert (out / "data.csv").read_bytes() != before
    assert (out / "notes.md").read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "trial.partial").exists()


def test_a_partial_folder_of_someone_else_is_left_alone(tmp_path):
    partial = tmp_path / "trial.partial"
    partial.mkdir()
    (partial / "thesis.txt").write_text("mine", encoding="utf-8")
    result = run("effect", "--seed", "1", "--out", tmp_path / "trial", *SMALL)
    assert result.exit_code == 7
    assert "thesis.txt" in result.stderr
    assert not (tmp_path / "trial").exists()


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = run("effect", "--seed", "1", "--out", tmp_path / "file" / "trial", *SMALL)
    assert result.exit_code == 7
    assert "cannot be written" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nope", "--seed", "1"], 3, "one of: correlated_traits, counts"),
        (["effect", "--seed", "1", "--participants", "2", "--population", "1"], 2, "population"),
        (["effect"], 2, "--seed"),
        (["effect", "--seed", "-1"], 2, "--seed"),
        (["effect", "--seed", "x"], 2, "--seed"),
        (["effect", "--seed", "1", "--participants", "1"], 2, "--participants"),
    ],
)
def test_refusals(tmp_path, arguments, code, message):
    result = run(*arguments, "--out", tmp_path / "trial")
    assert result.exit_code == code
    assert message in result.stderr
    assert result.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_an_impossible_scenario_names_every_fault(tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text('like = "effect"\nprimary_wave = "never"\nminimum_cell = -1', encoding="utf-8")
    result = run(mine, "--seed", "1", "--out", tmp_path / "trial")
    assert result.exit_code == 3
    assert "primary_wave 'never'" in result.stderr
    assert "minimum_cell is -1" in result.stderr


def test_number_of_women(tmp_path):
    assert run("undarga", "--seed", "1", "--out", tmp_path / "big", "--participants", "300", *SMALL).exit_code == 0
    with (tmp_path / "big/data.csv").open(encoding="utf-8", newline="") as file:
        arms = {row["participant"]: row["arm"] for row in csv.DictReader(file)}
    study = tomllib.loads((tmp_path / "big/study.toml").read_text(encoding="utf-8"))
    assert len(arms) == 300
    for arm in study["arms"].values():
        assert arm["randomised"] == sum(a == arm["value"] for a in arms.values())


def test_any_text_survives_the_study_file():
    nasty = 'a "quoted" \\ back\\slash\n\ttab\r é 月 \x7f \x01 \U0001f600'
    scenario = replace(load("undarga"), title=nasty, description=nasty, author={"odd key.": nasty})
    study = tomllib.loads(study_text(simulate(scenario, 1)))
    assert study["title"] == nasty
    assert study["description"].endswith(nasty)
    assert study["author"] == {"odd key.": nasty}


def test_rounding_makes_no_new_exact_shares():
    scenario = load("undarga").with_mediator("income_share", decimals=1, cutpoints=(-40.0, 40.0), precision=0.5)
    trial = simulate(scenario, 1, 2000)
    rows = list(csv.DictReader(data_text(trial).splitlines()))
    shares = {row["income_share"] for row in rows}
    assert {"0.1", "0.9"} <= shares
    assert not shares & {"0.0", "1.0"}


def test_covariates_stand_in_the_first_row_only():
    rows = list(csv.DictReader(data_text(simulate(load("undarga"), 1)).splitlines()))
    for row in rows:
        assert (row["age"] != "") == (row["sessions_attended"] != "") == (row["wave"] == "baseline")


def test_help_needs_no_numpy():
    code = "import sys; import scripts.simulate; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
    assert run("--help").exit_code == 0
