"""What changed between two runs: what went in, what was made of it, what came out."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reports.text import shifts
from reports.text.facts import Facts
from reports.text.gate_status import checks
from reports.text.people import ARMS
from reports.text.shifts import Shift

if TYPE_CHECKING:
    from models.runs.folder import Run

ABSENT = "—"
GROUPS = ("data", "study file", "priors", "models and sampler", "code and versions", "gate")
"""What is compared besides the numbers, in the order of cause and consequence."""


@dataclass(frozen=True)
class Change:
    """One thing that differs; `first` and `second` as text, `ABSENT` where a run does not have it."""

    what: str
    first: str
    second: str


@dataclass(frozen=True)
class Comparison:
    """Two runs side by side.

    Attributes
    ----------
    identical : bool
        Whether inputs, draws, checks and gates are the same to the byte.
    warnings : tuple of str
        Why numbers of the two may not be comparable; simulated beside real data is always named.
    changes : mapping of str to tuple of Change
        By the names in `GROUPS`.
    gates : mapping of str to dict
        Every check by "model: check", with status and value in both runs.
    shifts : tuple of Shift
        Every estimate that is not withheld.
    withheld : tuple of str
        Models whose numbers are not compared because a gate is red.
    """

    identical: bool
    warnings: tuple[str, ...]
    changes: Mapping[str, tuple[Change, ...]]
    gates: Mapping[str, dict[str, Any]]
    shifts: tuple[Shift, ...]
    withheld: tuple[str, ...]

    @property
    def moved(self) -> list[Shift]:
        """Estimates that are not the same in both."""
        return [shift for shift in self.shifts if not shift.same]

    @property
    def nothing(self) -> bool:
        """Whether nothing that is compared differs."""
        return not (any(self.changes.values()) or self.moved)

    def as_json(self) -> str:
        """Everything, for other programs: equal estimates too, numbers in the units of the run, NaN as null."""
        content = {
            "identical": self.identical,
            "warnings": list(self.warnings),
            "changes": {
                group: [{"what": one.what, "first": one.first, "second": one.second} for one in found]
                for group, found in self.changes.items()
            },
            "gate": dict(self.gates),
            "withheld": list(self.withheld),
            "estimates": [shift.record() for shift in self.shifts],
        }
        return json.dumps(_finite(content), ensure_ascii=False, indent=1, allow_nan=False)


def compare(first: Run, second: Run, show_anyway: bool = False) -> Comparison:
    """Compare two saved runs, with every further fit.

    Parameters
    ----------
    first, second : models.runs.folder.Run
        Complete saved runs.
    show_anyway : bool
        Compare numbers of fits whose gate is red as well.
    """
    one, two = Facts(first), Facts(second)
    gates = _gates(one, two)
    red = sorted({model for facts in (one, two) for model, fit in fits(facts).items() if fit.gate.status == "red"})
    withheld = () if show_anyway else tuple(red)
    found = [shift for shift in shifts.shifts(_runs(one), _runs(two)) if shift.key[0] not in withheld]
    groups = (
        _differences(_data(one), _data(two)),
        _differences(_flat(first.study.model_dump(mode="json")), _flat(second.study.model_dump(mode="json"))),
        _differences(_priors(first.manifest), _priors(second.manifest)),
        _differences(_settings(first), _settings(second)),
        _differences(_code(first.manifest), _code(second.manifest)),
        tuple(
            Change(name, _reported(both["first"]), _reported(both["second"]))
            for name, both in gates.items()
            if _status(both["first"]) != _status(both["second"])
        ),
    )
    return Comparison(
        _same(first.manifest, second.manifest),
        tuple(_warnings(first, second, red)),
        dict(zip(GROUPS, groups, strict=True)),
        gates,
        tuple(found),
        withheld,
    )


def fits(facts: Facts) -> dict[str, Facts]:
    """Facts of each fit by its model's name."""
    return {str(facts.manifest["model"]): facts, **facts.further}


def _runs(facts: Facts) -> dict[str, Run]:
    return {name: fit.run for name, fit in fits(facts).items()}


def _same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return bool(first["run_id"] == second["run_id"] and first["files"] == second["files"])


def _warnings(first: Run, second: Run, red: Sequence[str]) -> Iterator[str]:
    one, two = first.study, second.study
    if one.simulated != two.simulated:
        which = "first" if one.simulated else "second"
        yield (
            f"SIMULATED AGAINST REAL: the {which} run is of simulated data, the other of a real trial. A shift between "
            "them says nothing about anybody."
        )
    elif one.simulated:
        yield "SIMULATED DATA in both runs: these numbers describe nobody."
    requested = {
        "arms": (one.arms, two.arms),
        "outcome": (one.outcome.column, two.outcome.column),
        "kind of outcome": (one.outcome.kind, two.outcome.kind),
        "primary wave": (one.primary_wave, two.primary_wave),
    }
    if other := [name for name, (mine, yours) in requested.items() if mine != yours]:
        yield f"NOT THE SAME QUESTION: {', '.join(other)} differ; estimates of one name are not one quantity."
    if red:
        yield f"GATE RED: the computation of {', '.join(red)} cannot be trusted in one run or both."


def _data(facts: Facts) -> dict[str, str]:
    """Hash and counts, as the report of the run prints them: small cells stay suppressed."""
    reported = facts.manifest["study"]
    people = facts.people
    found = {"file": str(reported["data_file"]), "SHA-256": str(reported["data_sha256"])}
    found["simulated"] = str(facts.study.simulated).lower()
    found |= {f"participants, {arm} arm": str(people.size(arm)) for arm in ARMS}
    found |= {f"outcome observed, {arm} arm at {wave}": cell.text for (arm, wave), cell in people.observed.items()}
    return found


def _priors(manifest: dict[str, Any]) -> dict[str, str]:
    reported = manifest["priors"]
    found = {"set": str(reported["name"]), "why": str(reported["why"]), "SHA-256": str(reported["sha256"])}
    for row in reported["rows"]:
        found |= {f"{row['parameter']}, {key}": str(row[key]) for key in ("distribution", "why", "source")}
    return found


def _settings(run: Run) -> dict[str, str]:
    reported = run.manifest
    found = {"model": str(reported["model"]), "further fits": ", ".join(run.further) or "none"}
    found |= {f"not run: {name}": str(why) for name, why in reported["not_run"].items()}
    found |= {f"sampler: {key}": str(value) for key, value in reported["sampler"].items()}
    notes = {name: fit.manifest["notes"] for name, fit in {"": run, **run.further}.items()}
    for name, said in notes.items():
        found[f"limitations named{f' by {name}' if name else ''}"] = " ".join(map(str, said)) or "none"
    return found


def _code(manifest: dict[str, Any]) -> dict[str, str]:
    names = {"microsavings": "microsavings", "code_sha256": "code, SHA-256", "git": "commit", "platform": "platform"}
    found = {words: str(manifest[key]) for key, words in names.items()}
    return found | {name: str(value) for name, value in manifest["versions"].items()}


def _gates(one: Facts, two: Facts) -> dict[str, dict[str, Any]]:
    sides = [
        {
            f"{one.model}: {one.check.name}": {
                "status": one.check.status,
                "value": one.worded.found.text,
                "element": one.worded.element,
            }
            for one in checks(facts)
        }
        for facts in (one, two)
    ]
    names = dict.fromkeys(name for side in sides for name in side)
    return {name: {"first": sides[0].get(name), "second": sides[1].get(name)} for name in names}


def _status(check: dict[str, str] | None) -> str:
    return check["status"] if check else ""


def _reported(check: dict[str, str] | None) -> str:
    if not check:
        return ABSENT
    element = f" ({check['element']})" if check["element"] else ""
    return f"{check['status']}: {check['value']}{element}"


def _flat(content: Any, name: str = "") -> dict[str, str]:
    """Nested tables as one: `arms.control.label`, `waves (no. 2).month`, as messages about a study file name them."""
    if isinstance(content, Mapping):
        inner = [(f"{name}.{key}" if name else str(key), value) for key, value in content.items()]
    elif isinstance(content, list) and any(isinstance(part, Mapping) for part in content):
        inner = [(f"{name} (no. {place})", value) for place, value in enumerate(content, start=1)]
    else:
        return {} if content is None else {name: content if isinstance(content, str) else json.dumps(content)}
    return {key: text for path, value in inner for key, text in _flat(value, path).items()}


def _differences(first: Mapping[str, str], second: Mapping[str, str]) -> tuple[Change, ...]:
    names = dict.fromkeys([*first, *second])
    return tuple(
        Change(name, first.get(name, ABSENT), second.get(name, ABSENT))
        for name in names
        if first.get(name) != second.get(name)
    )


def _finite(content: Any) -> Any:
    if isinstance(content, Mapping):
        return {str(key): _finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_finite(value) for value in content]
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    return content
