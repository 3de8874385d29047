"""The mediation model agrees with another engine on published analyses of other trials, from a study file alone."""

from __future__ import annotations

import pandas as pd
import pytest

from models.equations.mediation import Mediation
from models.inference import nuts
from models.inference.fitted import Specification
from models.runs import analysis
from models.trial import dataset as trials
from models.trial.study_file import study as studies
from priors import prior_set
from tests import published
from tests.conftest import ROOT

mediation = Mediation()

PACKAGES = pd.read_csv(ROOT / "tests" / "records" / "packages.csv")
"""What R's mediation, brms and CMAverse said of the same analyses (`tests/records/packages.R`)."""
SAMPLER = nuts.Sampler(draws=1000, chains=2, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["framing", "jobs, binary mediator", "jobs, binary outcome"])
def test_another_engine_says_the_same(name, tmp_path):
    """Means within 0.3 SD, SDs within 18%.

    The engines differ by the priors: data with information I move a prior mean of variance V all but 1/(1 + I V) of the
    way. The slope of `framing` (n = 265), the best known number, has SD .09 against a prior of .5: 3% of an indirect
    effect of 3.5 SDs is 0.1 SD; its other factor, the arm's effect on the mediator, is pulled as much again.
    Monte-Carlo errors of means are below 0.04 SD. Priors narrow an indirect effect by up to 6%, and the SD of a product
    of two normals (kurtosis up to 9) has an error of 4% in these draws: 6% and three of those.
    """
    case = published.CASES[name]
    study, where = studies.read(published.folder(case, tmp_path))
    trial = trials.load(study, where)
    found = analysis.analyse(Specification.of(study, trial, mediation, prior_set.load(), SAMPLER))
    assert found.gate.status != "red", found.gate.worst
    table = found.table[found.table.average == "population"].set_index("estimand")
    other = published.other_engine(case)
    for effect in other.index:
        assert abs(table["mean"][effect] - other["mean"][effect]) < 0.3 * other["sd"][effect], (name, effect)
        assert table["sd"][effect] == pytest.approx(other["sd"][effect], rel=0.18), (name, effect)
    packages = PACKAGES[(PACKAGES["case"] == name) & (PACKAGES["interaction"] == "no")]
    assert {"mediation"} <= set(packages["package"])
    for row in packages.itertuples():
        assert abs(table["mean"][row.effect] - row.mean) < 0.3 * row.sd, (name, row.package, row.effect)
    assert any("lag = 0" in note for note in found.notes), "the warning about recall windows is printed"
    assert sum("left out" in note for note in found.notes) == 2, "neither equation has a trait, and both say so"


def test_the_record_agrees_with_three_packages():
    """All 54 comparisons: means within 0.25 SD of the package's; 0.12 SD without the pull of the default priors.

    mediate() and CMAverse draw the mediators, brms's draws are integrated: of the last the SDs are held too, within 10%
    (4,000 draws a side: 2 to 4% by chance).
    """
    apart = (PACKAGES["ours_mean"] - PACKAGES["mean"]).abs() / PACKAGES["sd"]
    assert apart.max() < 0.25
    wide = PACKAGES.dropna(subset=["diffuse_mean"])
    drawn = (wide["package"] == "CMAverse") & (wide["case"] == "jobs, binary mediator")
    apart = (wide["diffuse_mean"] - wide["mean"]).abs() / wide["sd"]
    assert apart[~drawn].max() < 0.12
    brms = PACKAGES[PACKAGES["package"] == "brms"]
    assert ((brms["ours_sd"] / brms["sd"] - 1).abs() < 0.1).all()
    assert set(PACKAGES["package"]) == {"mediation", "brms", "CMAverse"}
