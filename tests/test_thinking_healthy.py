"""The shipped study of a trial that randomised groups: laid out from its public file, read, and known counts."""

from __future__ import annotations

import importlib.util
import shutil

import numpy as np
import pandas as pd
import pytest

from models.design.layout import design
from models.trial import dataset
from models.trial.study_file import study as studies
from tests.conftest import ROOT

STUDY = ROOT / "studies" / "thinking_healthy"
DATA = ROOT.parent / "shared" / "data" / "thinking_healthy" / "data.csv"


@pytest.fixture
def data() -> pd.DataFrame:
    if not DATA.is_file():
        pytest.skip("the public data of the trial are not on this machine")
    return pd.read_csv(DATA)


def laid_out(public: pd.DataFrame) -> pd.DataFrame:
    """By the study's own program, which is no module of a package."""
    spec = importlib.util.spec_from_file_location("lay_out", STUDY / "lay_out.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: pd.DataFrame = module.laid_out(public)
    return found


def as_published(rows: pd.DataFrame) -> pd.DataFrame:
    """The public file's shape, one row a woman, of rows a woman and month, and a woman who was in no trial."""
    names = {
        (0, "support"): "mspss_baseline", (6, "support"): "mspss_6m", (12, "support"): "mspss_1y",
        (0, "controls_spending"): "mo_emp", (6, "controls_spending"): "empowered_6m",
        (84, "controls_spending"): "empowered", (12, "violence"): "nonviolent_1y", (84, "violence"): "nonviolent",
    }  # fmt: skip
    fixed = {"age": "age_baseline", "schooling": "edu_mo_baseline", "children": "kids_no", "wealth": "wealth_baseline"}
    first = rows.drop_duplicates("woman").set_index("woman")
    found = first[list(fixed)].rename(columns=fixed)
    found["uc"] = first["union_council"].str.removeprefix("uc").astype(float)
    found["treat"] = (first["arm"] == "therapy").astype(int)
    found["THP_sample"] = 1
    for (month, name), column in names.items():
        values = rows[rows["month"] == month].set_index("woman")[name].reindex(found.index)
        found[column] = 1 - values if name == "violence" else values
    return pd.concat([found, found.iloc[:1].assign(THP_sample=0)])


def test_the_public_file_is_laid_out_as_the_study_reads_it():
    """A made-up woman seen three times, and one who was never asked anything at month 6."""
    public = pd.DataFrame(
        {"THP_sample": [1, 0, 1], "uc": [3.0, 3.0, 12.0], "treat": [1, 1, 0], "age_baseline": [25.0, 30, 31],
         "edu_mo_baseline": [5.0, 5, 0], "kids_no": [2, 2, 0], "wealth_baseline": [0.123, 0, -1.5],
         "mspss_baseline": [40.0, 1, 50], "mspss_6m": [41.0, 1, np.nan], "mspss_1y": [np.nan, 1, np.nan],
         "mo_emp": [1.0, 1, 0], "empowered_6m": [np.nan, 1, np.nan], "empowered": [0.0, 1, np.nan],
         "nonviolent_1y": [np.nan, 1, 0.0], "nonviolent": [1.0, 1, np.nan]}
    )  # fmt: skip
    found = laid_out(public)
    assert found[["woman", "union_council", "arm", "month"]].to_numpy().tolist() == [
        ["w001", "uc03", "therapy", 0], ["w001", "uc03", "therapy", 6], ["w001", "uc03", "therapy", 84],
        ["w002", "uc12", "usual care", 0], ["w002", "uc12", "usual care", 12],
    ]  # fmt: skip
    assert found["violence"].fillna(-1).tolist() == [-1, -1, 0, -1, 1]
    assert found["support"].fillna(-1).tolist() == [40, 41, -1, 50, -1]
    assert found["wealth"].tolist() == [0.12, 0.12, 0.12, -1.5, -1.5]


def test_the_trial_is_the_published_one(data, tmp_path):
    """Counts by simple arithmetic elsewhere: women, councils, answers at each wave."""
    measured = data[["violence", "support", "controls_spending"]].notna().any(axis=1).sum()
    assert len(laid_out(as_published(data))) == measured
    for name in ("study.toml", "data.csv"):
        shutil.copy(STUDY / name if name != "data.csv" else DATA, tmp_path)
    study, folder = studies.read(tmp_path)
    trial = dataset.load(study, folder)
    layout = design(study, trial)
    assert not study.simulated
    assert layout.groups.count == (40,)
    assert int((trial["arm"] == 1).sum()) == 463
    assert trial["outcome"].notnull().sum("participant").to_numpy().tolist() == [0, 0, 786, 568]
    risks = trial["outcome"].sel(wave="12").groupby(trial["arm"]).mean().to_numpy()
    np.testing.assert_allclose(risks, [0.319, 0.270], atol=5e-4)
    means = trial["mediator_value"].sel(mediator="support", wave="6").groupby(trial["arm"]).mean().to_numpy()
    np.testing.assert_allclose(means, [43.7, 50.7], atol=0.06)
