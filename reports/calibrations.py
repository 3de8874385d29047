"""Which calibration studies apply to a run: its own, or those that the repository brings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reports import calibration_file
from reports.calibration_file import PRIOR, Calibration
from reports.facts import Facts

COMMITTED = Path(__file__).parents[1] / "docs" / "calibration"
"""Studies of the method itself, `<scenario>-<model>.json` and `.csv`, made once for each edition."""
OWN = "calibration"
"""Folder of a run in which studies at its own size may lie; `scripts/calibrate.py --into` writes there."""


@dataclass(frozen=True)
class Applicable:
    """A study of one of the run's models; `own` where it lies in the run's folder."""

    study: Calibration
    own: bool


def applicable(facts: Facts) -> list[Applicable]:
    """One study a model of the run, in the run's order; models without one are left out.

    Raises
    ------
    InvalidInput
        If a file of a study holds what it may not.
    """
    found = []
    own, committed = _read(facts.run.folder / OWN), _read(COMMITTED)
    for model in (str(facts.manifest["model"]), *facts.further):
        for studies, mine in ((own, True), (committed, False)):
            fitting = [study for study in studies if study.about["model"] == model and _alike(facts, study)]
            if fitting:
                # the one nearest in size, and of those the largest
                best = min(fitting, key=lambda one: (abs(_size(one) - participants(facts)), -one.asked(PRIOR)))
                found.append(Applicable(best, mine))
                break
    return found


def participants(facts: Facts) -> int:
    """Participants of the run, both arms together."""
    return facts.people.size("control") + facts.people.size("treated")


def _size(study: Calibration) -> int:
    return int(study.about["participants"])


def _alike(facts: Facts, study: Calibration) -> bool:
    """Whether priors and kind of outcome are the run's: only yes-or-no outcomes have differences in points."""
    if study.about["priors"] != facts.manifest["priors"]["name"]:
        return False
    return facts.binary == any(row.unit == "points" for row in study.rows)


def _read(folder: Path) -> list[Calibration]:
    pairs = [(path, path.with_suffix(".csv")) for path in sorted(folder.glob("*.json"))]
    return [calibration_file.read(settings, table) for settings, table in pairs if table.is_file()]
