"""The numbers of the shipped simulated study have not moved; where they are meant to, tests/baseline/make.py."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.runs import job
from tests.baseline import make
from tests.command_line import run
from tests.conftest import ROOT

BASELINE = ROOT / "tests" / "baseline" / "undarga.csv"
# On one machine a run repeats to the byte. On another the chains part, so that two runs differ by independent errors:
# SD √2 MCSE. Five of these have a false alarm of 6e-7 a number; as the MCSE of a tail is itself known to about 20%,
# four remain, 6e-5 a number, below 1% over the 126 numbers, which are far from independent.
ERRORS = 5 * np.sqrt(2)
ROUNDING = 1e-5
"""Six digits are kept; where nothing is drawn, only rounding may differ."""


@pytest.mark.slow
def test_the_numbers_have_not_moved(tmp_path, monkeypatch):
    monkeypatch.setattr(job, "what_if", lambda *_: {})  # refits come after, and none is in the baseline
    done = run("fit", ROOT / "studies" / "undarga", "--out", tmp_path / "run")
    assert done.exit_code == 0, done.stderr
    new = make.rows(tmp_path / "run").set_index(make.KEYS)
    old = pd.read_csv(BASELINE, comment="#").set_index(make.KEYS)
    assert sorted(new.index) == sorted(old.index), "other quantities than in the baseline"
    new = new.loc[old.index]
    for number in make.NUMBERS:
        allowed = ERRORS * new[f"mcse_{number}"] + ROUNDING * (1 + old[number].abs())
        # a number that became NaN is not within any error
        moved = ~((new[number] - old[number]).abs() <= allowed)
        both = pd.DataFrame({"was": old[number], "is": new[number], "allowed": allowed})
        assert not moved.any(), f"{number} moved:\n{both[moved]}"
