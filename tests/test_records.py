"""What the long runs found, held to what they must show; `tests/records/` says how each was made."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.conftest import ROOT

RECORD = pd.read_csv(ROOT / "tests" / "records" / "mediation_recovery.csv")
GROUPS = list(RECORD.groupby(["scenario", "participants", "effect"]))
FAMILY_WISE = 0.01


@pytest.mark.parametrize("group", [rows for _, rows in GROUPS], ids=[str(key) for key, _ in GROUPS])
def test_k9_effects_are_unbiased_over_replications_and_covered(group):
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
