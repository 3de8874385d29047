"""Which calibration studies apply to a run: its own, or those that the repository brings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.calibration import analysed
from models.outcomes import of_kind
from priors.prior_set import of_fits
from reports.text import calibration_file
from reports.text.calibration_file import PRIOR, Calibration
from reports.text.facts import Facts

if TYPE_CHECKING:
    from models.trial.study_file.study import Study

COMMITTED = Path(__file__).parents[2] / "docs" / "calibration"
"""Studies of the method itself, `<scenario>-<model>.json` and `.csv`, made once for each edition."""
GATE = "gate.json"
"""The record of the gate's rates (`scripts/gate_rates.py`): no study of a model."""
OF_GROUPS = (
    *("group_tau", "group_wave_tau", "mediator_group_tau", "mediator_group_wave_tau"),
    "group_partial_correlation",
)
"""Rows of a prior set that only trials with groups use."""
OWN = "calibration"
"""Folder of a run in which studies at its own size may lie; `scripts/calibrate.py --into` writes there."""


@dataclass(frozen=True)
class Applicable:
    """A study of one of the run's models; `alike` where its trials have the run's number of participants and waves."""

    study: Calibration
    alike: bool


def applicable(facts: Facts) -> list[Applicable]:
    """One study a model of the run, in the run's order; models without one are left out.

    Raises
    ------
    InvalidInput
        If a file of a study holds what it may not.
    """
    found = []
    own, committed = _read(facts.run.folder / OWN), _read(COMMITTED)
    priors = facts.manifest["priors"]
    for model in (str(facts.manifest["model"]), *facts.further):
        for studies in (own, committed):
            fitting = [study for study in studies if not unlike((model,), priors, facts.study, study.about)]
            if fitting:
                # the one nearest in size, and of those the largest
                best = min(fitting, key=lambda one: (abs(_size(one) - participants(facts)), -one.requested(PRIOR)))
                found.append(Applicable(best, _alike(facts, best)))
                break
    return found


def participants(facts: Facts) -> int:
    """Participants of the run, both arms together."""
    return facts.people.size("control") + facts.people.size("treated")


def _size(study: Calibration) -> int:
    return int(study.about["participants"])


def _alike(facts: Facts, study: Calibration) -> bool:
    return _size(study) == participants(facts) and int(study.about["waves"]) == len(facts.study.waves)


def unlike(models: Collection[str], priors: Mapping[str, Any], study: Study, about: Mapping[str, Any]) -> str:
    """Why a calibration says nothing of a run; empty where it applies.

    Parameters
    ----------
    models, priors, study : collection of str, mapping, Study
        Of the run: its models, its priors as the manifest has them, its study file.
    about : mapping
        Settings of the calibration, as its JSON file has them; what an older file lacks is taken as alike.

    Returns
    -------
    str
        What differs, in words.
    """
    outcome = study.outcome
    if about["model"] not in models:
        return f"The run holds no {about['model']} model."
    if about["priors"] != priors["name"]:
        return f"The run’s priors are {priors['name']}, the calibration’s {about['priors']}."
    kinds = [sorted(grouping.kind for grouping in study.groupings), about.get("groupings", [])]
    if kinds[0] != kinds[1]:
        mine, theirs = (" and ".join(each) or "no" for each in kinds)
        return f"The run has {mine} groups, the calibration {theirs}."
    if differing := _differing(priors, about, grouped=bool(study.groupings)):
        return f"The priors of the run and of the calibration have one name, but differ in {differing}."
    outcomes = outcome.kind, about.get("outcome", "binary")
    if len(set(outcomes)) > 1:
        return f"The run’s outcome is {outcomes[0]}, the calibration’s {outcomes[1]}."
    links = outcome.family.link, about.get("link") or "logit"  # as every calibration before probits
    if len(of_kind(outcome.kind)) > 1 and len(set(links)) > 1:
        return f"The run’s link is {links[0]}, the calibration’s {links[1]}."
    if about["model"] == "mediation" and about.get("analysed"):
        return analysed.unlike(analysed.analysed(study.mediators, study.lag, study.acts_at_baseline), about["analysed"])
    return ""


def _differing(priors: Mapping[str, Any], about: Mapping[str, Any], grouped: bool) -> str:
    """Which rows differ of those that a fit uses; files as a whole where a calibration kept no rows."""
    if "priors_rows" in about:
        mine, theirs = of_fits(priors["rows"]), about["priors_rows"]
        used = {name for name in (*mine, *theirs) if grouped or name not in OF_GROUPS}
        return ", ".join(sorted(name for name in used if mine.get(name) != theirs.get(name)))
    return "their files" if len({about.get("priors_sha256"), priors.get("sha256")} - {None}) > 1 else ""


def _read(folder: Path) -> list[Calibration]:
    pairs = [(path, path.with_suffix(".csv")) for path in sorted(folder.glob("*.json")) if path.name != GATE]
    return [calibration_file.read(settings, table) for settings, table in pairs if table.is_file()]
