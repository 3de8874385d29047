"""Section 10: the calibration that applies to a run, its own before a committed one; "Not run" where there is none."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from scipy.stats import binom

from models.outcomes import family_of
from reports.page import build
from reports.sections import calibrated, section_10_recovery
from reports.text import calibration_file, calibrations
from tests import report_fixture as fixture
from tests.calibration_fixture import Study, make
from tests.report_fixture import RED, Recipe
from tests.test_calibration_page import HOSTILE
from tests.test_calibration_page import rows as rows_of
from tests.test_report_asked import record, rows, section, words
from tests.test_report_page import Page, contents, fresh
from tests.test_report_schema import faults

MEDIATED = Recipe(mediators=("continuous", "share"))
OWN_SIZE = "scripts/calibrate.py effect --model effect --priors weakly_informative --participants "


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of committed studies, empty."""
    folder = tmp_path / "docs"
    folder.mkdir()
    monkeypatch.setattr(calibrations, "COMMITTED", folder)
    return folder


def commit(shelf: Path, **settings: object) -> None:
    """A committed study: settings and summary alone."""
    study = Study(**settings)  # type: ignore[arg-type]
    made = make(shelf.parent / f"made-{study.scenario[:9]}-{study.model}", study)
    for ending in ("json", "csv"):
        shutil.copy(made / f"calibration.{ending}", shelf / f"{study.scenario[:9].strip('<>')}-{study.model}.{ending}")


def test_without_a_study_it_says_not_run(shelf: Path, tmp_path: Path) -> None:
    folder = fresh(tmp_path / "run", MEDIATED)
    assert calibrated.NOT_RUN in words(folder, 10)
    assert rows(folder, "calibration")[0]["reason"].startswith(calibrated.NOT_RUN)
    assert "recovery" in record(folder)["sentences"]
    assert "calibration" not in record(folder)["tables"]


@pytest.mark.slow
def test_the_committed_studies_of_its_models_are_shown(shelf: Path, tmp_path: Path) -> None:
    commit(shelf, participants=200)
    commit(shelf, model="mediation", scenario="mediation_clean")
    folder = fresh(tmp_path / "run", MEDIATED)
    found, told, text = record(folder), rows(folder, "calibration"), words(folder, 10)
    assert faults(found) == []
    assert {one["model"] for one in told} == {"effect", "mediation"}
    assert {"natural_indirect[6 months]", "natural_direct[6 months]"} < {one["key"] for one in told}
    assert not [one for one in told if one["key"].startswith(("theta", "tau", "risk_ratio"))]
    source = {(one["kind"], one["quantity"]): one for one in rows_of(shelf / "effect-effect.csv")}
    for one in (one for one in told if one["model"] == "effect"):
        for column, kind, name in (("coverage_prior", "prior", "coverage"), ("bias_truth", "truth", "bias")):
            assert float(one[column]) == pytest.approx(float(source[kind, one["key"]][name]), abs=1e-7)
        assert one["uniform"] == source["prior", one["key"]]["uniform"].casefold()
        assert one["key"].endswith("6 months]")
    said = found["sentences"]["elsewhere_effect"]
    assert said["numbers"]["share"]["value"] == pytest.approx(
        float(source["prior", "risk_difference[6 months]"]["coverage"]), abs=1e-7
    )
    assert said["text"].startswith(
        "The effect model with the priors weakly informative, tried on simulated trials of another size "
        "(200 participants, 4 waves)"
    )
    assert calibrated.NOT_RUN in text
    assert said["text"] in text
    assert "calibration_mediation" in found["sentences"], "of this size: 107 participants, 4 waves"
    # at another size than this trial's, the command that makes one at its own
    here = fixture.make(tmp_path, MEDIATED).tree["trial"].to_dataset().sizes["participant"]
    assert here != 200
    assert f"{OWN_SIZE}{here} --replications 200" in words(folder, 13)
    assert "uv run" not in text
    assert text.index("Calibration on simulated trials") < text.index("Of 10 trials of this size")


@pytest.mark.slow
def test_the_runs_own_study_comes_first(shelf: Path, tmp_path: Path) -> None:
    commit(shelf, participants=200)
    commit(shelf, model="mediation", scenario="mediation_clean", participants=200)
    make(tmp_path / "run" / "calibration", Study(scenario="own", participants=93))
    folder = fresh(tmp_path / "run", MEDIATED)
    said = record(folder)["sentences"]
    assert "(93 participants" in said["elsewhere_effect"]["text"]
    assert "scenario" not in said["elsewhere_effect"]["text"], "a name of the program's own"
    assert "(200 participants" in said["elsewhere_mediation"]["text"]
    assert (tmp_path / "run" / "calibration" / "replications.csv").is_file()


def test_bias_coverage_and_type_i_error_are_told_of_this_design_alone(shelf: Path, tmp_path: Path) -> None:
    here = fixture.make(tmp_path, Recipe()).tree["trial"].to_dataset().sizes["participant"]
    commit(shelf, participants=here)
    folder = fresh(tmp_path / "alike", Recipe())
    text = record(folder)["sentences"]["calibration_effect"]["text"]
    assert "of this size" in text
    assert all(word in text for word in ("coverage, the share", "bias, the mean error", "Type I error, the share"))
    assert calibrated.NOT_RUN not in words(folder, 10)
    path = next(shelf.glob("*.json"))
    path.write_text(re.sub(r'"waves": \d+', '"waves": 2', path.read_text()))
    folder = fresh(tmp_path / "other waves", Recipe())
    assert calibrated.NOT_RUN in words(folder, 10)
    assert "calibration_effect" not in record(folder)["sentences"]


@pytest.mark.slow
def test_only_studies_of_its_models_and_its_kind_of_outcome(shelf: Path, tmp_path: Path) -> None:
    commit(shelf, model="mediation", scenario="mediation_clean")
    assert calibrated.NOT_RUN in words(fresh(tmp_path / "effect alone", Recipe()), 10)
    commit(shelf)
    assert calibrated.NOT_RUN in words(fresh(tmp_path / "counts", Recipe(kind="count")), 10)
    assert calibrated.NOT_RUN not in words(fresh(tmp_path / "binary", Recipe()), 10)


def test_a_study_with_other_priors_is_not_shown(shelf: Path, tmp_path: Path) -> None:
    commit(shelf)
    path = next(shelf.glob("*.json"))
    path.write_text(path.read_text().replace('"weakly_informative"', '"sceptical"'))
    assert calibrated.NOT_RUN in words(fresh(tmp_path / "run", Recipe()), 10)


def test_what_differs_between_a_run_and_a_calibration_is_named() -> None:
    """Whatever decides the posterior's shape; what an older file does not tell is taken as alike."""
    models: tuple[str, ...] = ("effect", "mediation")
    priors: dict[str, object] = {"name": "mine", "sha256": "a"}
    parts = [("continuous", "normal"), ("share", "normal")]
    mediators = [SimpleNamespace(kind=kind, family=family, interaction=False) for kind, family in parts]
    about = {"model": "effect", "priors": "mine", "priors_sha256": "a", "outcome": "binary", "link": "logit"}

    together = SimpleNamespace(kind="randomised")

    def told(kind: str = "binary", link: str = "logit", groupings: tuple[object, ...] = (), **changes: object) -> str:
        outcome = SimpleNamespace(kind=kind, family=family_of(kind, link))
        study = SimpleNamespace(outcome=outcome, mediators=mediators, lag=1, acts_at_baseline=True, groupings=groupings)
        return calibrations.unlike(models, priors, study, about | changes)  # type: ignore[arg-type]

    assert told() == told(model="mediation") == ""
    assert "no dose model" in told(model="dose")
    assert "mine" in told(priors="diffuse")
    assert "their files" in told(priors_sha256="b")
    rows = [{"parameter": "tau", "distribution": "one"}, {"parameter": "sensitivity", "distribution": "two"}]
    priors["rows"] = rows
    assert told(priors_sha256="b", priors_rows={"tau": "one"}) == "", "what no fit uses makes no difference"
    assert "differ in tau" in told(priors_sha256="a", priors_rows={"tau": "other"})
    assert "differ in theta" in told(priors_rows={"tau": "one", "theta": "new"})
    assert "randomised groups, the calibration no" in told(groupings=(together,))
    assert "count" in told(kind="count")
    assert "probit" in told(link="probit")
    assert told(kind="continuous", link="logit", outcome="continuous") == ""
    first = {"kinds": ["continuous", "share"], "families": ["normal"], "interaction": False, "lag": 1}
    assert "at baseline too in the run" in told(model="mediation", analysed=first), "as the first edition's models"
    clean = first | {"acts_at_baseline": True}
    assert told(model="mediation", analysed=clean) == ""
    assert told(model="effect", analysed=None) == ""
    assert "share" in told(model="mediation", analysed=clean | {"kinds": ["continuous"]})
    assert "normal" in told(model="mediation", analysed=clean | {"families": ["student"]})
    assert "calibration has arm × mediator" in told(model="mediation", analysed=clean | {"interaction": True})
    assert "after 0" in told(model="mediation", analysed=clean | {"lag": 0})
    older = {"model": "effect", "priors": "mine"}
    binary = SimpleNamespace(outcome=SimpleNamespace(kind="binary", family=family_of("binary", "logit")), groupings=())
    assert calibrations.unlike(models, priors, binary, older) == ""  # type: ignore[arg-type]


def test_it_is_shown_where_the_run_holds_no_refits(shelf: Path, tmp_path: Path) -> None:
    commit(shelf)
    folder = fresh(tmp_path / "run", Recipe(asked="none"))
    found = record(folder)
    assert found["sections"][10] == {
        "number": 10, "question": "Would the method find the truth?", "status": "shown", "reason": ""
    }  # fmt: skip
    assert "Trials simulated from this posterior. Not run: this run holds no refits" in words(folder, 10)
    assert rows(folder, "recovery")[0]["reason"].startswith("Not run: this run holds no refits")
    assert len(rows(folder, "calibration")) == 2


def test_a_red_gate_withholds_it_with_the_section(shelf: Path, tmp_path: Path) -> None:
    commit(shelf)
    folder = fresh(tmp_path / "run", Recipe(status=RED))
    assert record(folder)["sections"][10]["status"] == "withheld"
    assert "reason" in rows(folder, "calibration")[0]


@pytest.mark.slow
def test_hostile_words_are_inert_and_two_builds_equal(shelf: Path, tmp_path: Path) -> None:
    made = make(tmp_path / "made", HOSTILE)
    for ending in ("json", "csv"):
        shutil.copy(made / f"calibration.{ending}", shelf / f"hostile-effect.{ending}")
    one, two = (contents(fresh(tmp_path / name)) for name in ("one", "two"))
    assert one == two
    assert "<script" not in one["report.html"]
    Page(section(tmp_path / "one", 10))
    assert not re.search("[\u202e\x1b]", section(tmp_path / "one", 10))
    assert faults(record(tmp_path / "one")) == []


def test_a_broken_study_stops_the_report_by_its_name(shelf: Path, tmp_path: Path) -> None:
    commit(shelf)
    (shelf / "effect-effect.csv").write_text("kind\nprior\n", encoding="utf-8")
    with pytest.raises(build.FigureFailed, match=r"section 10 .*effect-effect\.csv"):
        fresh(tmp_path / "run")


@pytest.mark.parametrize("trials", range(1, 41))
def test_fewest_is_the_quantile_that_it_says(trials: int) -> None:
    least = section_10_recovery.fewest(trials)
    assert binom.sf(least - 1, trials, 0.95) >= 0.99
    assert binom.sf(least, trials, 0.95) < 0.99
    assert least == binom.ppf(0.01, trials, 0.95)


def test_an_effect_via_one_mediator_is_shown_at_the_primary_wave() -> None:
    """Its key names the mediator after the wave."""
    study = calibration_file.read(
        *(calibrations.COMMITTED / f"mediation_clean-mediation.{ending}" for ending in ("json", "csv"))
    )
    found = [key for key in calibrated._keys(study) if key.startswith("interventional_via")]
    assert found == [f"interventional_via[6 months, {name}]" for name in ("social_support", "income_share")]
