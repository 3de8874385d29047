"""What the long runs found, held to what they must show; `tests/records/` says how each was made."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.conftest import ROOT
from tests.records import made_with

RECORD = pd.read_csv(ROOT / "tests" / "records" / "mediation_recovery.csv")
GROUPS = list(RECORD.groupby(["scenario", "participants", "effect"]))
FAMILY_WISE = 0.01
BESIDE_PYMC = pd.read_csv(ROOT / "tests" / "records" / "mediation_pymc.csv")


@pytest.mark.parametrize("group", [rows for _, rows in GROUPS], ids=[str(key) for key, _ in GROUPS])
def test_effects_are_unbiased_over_replications_and_covered(group):
    """Family-wise false alarm .01 for means and for coverage alike (Bonferroni over the groups).

    At 2,000 participants the mean error over the trials is compared with its own standard error (Student's t). At 107
    the priors draw indirect effects towards 0 and only coverage is asked: priors inside the truth's range over-cover.
    """
    errors = (group["mean"] - group["truth"]).to_numpy()
    level = FAMILY_WISE / len(GROUPS)
    if group["participants"].iloc[0] == 2000:
        standard_error = errors.std(ddof=1) / np.sqrt(errors.size)
        assert abs(errors.mean()) < stats.t.ppf(1 - level / 2, errors.size - 1) * standard_error
    held = ((group["lower"] <= group["truth"]) & (group["truth"] <= group["upper"])).sum()
    assert held >= stats.binom.ppf(level, errors.size, 0.95)
    assert errors.size >= 9, "too few trials to speak of replications"


@pytest.mark.parametrize("waves", [1, 2])
def test_the_interval_of_a_trial_that_randomised_groups_seldom_leaves_out_0_where_nothing_had_an_effect(waves):
    """At most 17 of 200, which a right 95% interval passes with probability .01; and fewer than without the groups."""
    record = pd.read_csv(ROOT / "tests" / "records" / "null_groups.csv").query("waves == @waves")
    out = (record["lower"] > 0) | (record["upper"] < 0)
    found = {bool(grouped): (int(rows.sum()), rows.size) for grouped, rows in out.groupby(record["grouped"])}
    assert {size for _, size in found.values()} == {200}
    assert found[True][0] <= 17
    assert found[False][0] >= 2 * found[True][0]


@pytest.mark.parametrize("lag", [0, 1])
def test_the_mediation_model_agrees_with_a_program_written_from_its_mathematics(lag):
    """Means within .1 posterior SD, SDs within 6%.

    With 1,700 effective draws or more a mean has an error of .024 SD at most and, the other's added, a difference one
    of .03: .1 is three of them. An SD of 1,700 draws has one of 1.7% of its size, a ratio of two 2.4% at most.
    """
    rows = BESIDE_PYMC[BESIDE_PYMC["lag"] == lag]
    assert len(rows) == 18
    assert (rows[["ours_ess", "theirs_ess"]] > 1700).all(axis=None)
    assert ((rows["ours"] - rows["theirs"]).abs() < 0.1 * rows["theirs_sd"]).all()
    assert ((rows["ours_sd"] / rows["theirs_sd"] - 1).abs() < 0.06).all()


@pytest.mark.filterwarnings("default::UserWarning")
@pytest.mark.parametrize("record", made_with.RECORDS)
def test_a_record_that_other_code_made_is_told(record):
    """A warning in the summary of the tests, not a failure: most changes of code move no number."""
    assert (ROOT / record).is_file()
    if made_with.outdated(record):
        told = f"{record} was made with other code: make it again (make records), or show that its numbers stand"
        warnings.warn(told, UserWarning, stacklevel=1)


def test_a_change_of_code_is_seen_and_one_of_words_is_not(tmp_path, monkeypatch):
    (tmp_path / "models").mkdir()
    monkeypatch.setattr(made_with, "ROOT", tmp_path)

    def code(text: str) -> str:
        (tmp_path / "models" / "one.py").write_text("from models import two\n", encoding="utf-8")
        (tmp_path / "models" / "two.py").write_text(text, encoding="utf-8")
        return made_with.code(["models.one"])

    assert code("def f():\n    return 1\n") == code('"""Text."""\ndef f():\n    """Text."""\n    return 1  # one\n')
    assert code("def f():\n    return 1\n") != code("def f():\n    return 2\n")
