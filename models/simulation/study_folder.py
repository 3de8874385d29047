"""The study folder of a simulated trial: data.csv, study.toml and truth.json, byte-identical for equal seeds."""

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from math import isnan
from pathlib import Path
from typing import Any

from models.simulation.innovations import Array
from models.simulation.scenario import Scenario
from models.simulation.scenario_parts import ARMS, Covariate, Mediator, Outcome
from models.simulation.simulated_trial import SimulatedTrial
from models.simulation.true_values import Truth

FILES = ("data.csv", "study.toml", "truth.json")
_TEXTS = {"label", "better", "margin", "margin_reason", "decimals", "link", "kind", "column", "family", "interaction"}


def write(folder: Path, trial: SimulatedTrial, truths: tuple[Truth, ...] = ()) -> None:
    """Write the files into an existing folder; without the truths where none are given.

    Raises
    ------
    OSError
        If the folder cannot be written to.
    """
    texts = [data_text(trial), study_text(trial), *([truth_text(trial.scenario, truths)] if truths else [])]
    for name, text in zip(FILES, texts, strict=False):
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def data_text(trial: SimulatedTrial) -> str:
    """Return data.csv: one row a visit; covariates and attendance in a woman's first row; blanks are missing."""
    scenario, columns = trial.scenario, trial.columns
    cells = {name: [str(v) for v in columns[name]] for name in ("participant", "wave", "arm")}
    first = [wave == scenario.waves[0].value for wave in cells["wave"]]
    for equation in scenario.equations:
        cells[equation.column] = _numbers(columns[equation.column], equation)
    for column in trial.amounts:
        cells[column] = [f"{v:.6f}" for v in columns[column].tolist()]
    for covariate in scenario.covariates:
        values = columns[covariate.column]
        texts = [str(v) for v in values] if covariate.kind == "categorical" else _numbers(values, covariate)
        cells[covariate.column] = [text if keep else "" for text, keep in zip(texts, first, strict=True)]
    for grouping in scenario.groupings:
        cells[grouping.column] = [str(name) for name in columns[grouping.column]]
    if scenario.attendance:
        sessions = columns[scenario.attendance.column]
        cells[scenario.attendance.column] = [str(int(s)) if k else "" for s, k in zip(sessions, first, strict=True)]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(cells)
    writer.writerows(zip(*cells.values(), strict=True))
    return buffer.getvalue()


def study_text(trial: SimulatedTrial) -> str:
    """Return study.toml; it says that the data are simulated, from which scenario and with which seed."""
    scenario = trial.scenario
    origin = f"SIMULATED DATA: made by scripts/simulate.py from the scenario {scenario.name!r} with seed {trial.seed}."
    head = {
        "title": scenario.title,
        "simulated": True,
        "seed": trial.seed,
        "question": scenario.question,
        "primary_wave": scenario.primary_wave,
        "add_on": scenario.add_on,
        **({"lag": scenario.lag, "acts_at_baseline": scenario.acts_at_baseline} if scenario.mediators else {}),
        "description": f"{origin} {scenario.description}".strip(),
    }
    parts = [_lines({k: v for k, v in head.items() if v != ""}), "[data]\n" + _lines({"file": FILES[0]})]
    parts.append("[columns]\n" + _lines({name: name for name in ("participant", "wave", "arm")}))
    for name, arm in zip(ARMS, scenario.arms, strict=True):
        texts = {"value": arm.value, "label": arm.label or arm.value, "randomised": arm.participants}
        parts.append(f"[arms.{name}]\n" + _lines(texts))
    for wave in scenario.waves:
        told = {"value": wave.value, "label": wave.label or wave.value, "month": wave.month, "role": wave.role}
        parts.append("[[waves]]\n" + _lines(told | ({"exposed": wave.exposed} if wave.exposed else {})))
    parts.append("[outcome]\n" + _lines(_outcome(scenario.outcome)))
    parts += ["[[further_outcomes]]\n" + _lines(_outcome(o)) for o in scenario.outcomes[1:]]
    parts += ["[[mediators]]\n" + _lines(_mediator(m)) for m in scenario.mediators]
    if scenario.attendance:
        offered = dict(zip(ARMS, scenario.attendance.offered, strict=True))
        parts.append("[attendance]\n" + _lines({"column": scenario.attendance.column, "offered": offered}))
    parts += [
        "[[groupings]]\n" + _lines({"column": g.column, "kind": g.kind, "label": g.label or g.column})
        for g in scenario.groupings
    ]
    parts += ["[[covariates]]\n" + _lines(_covariate(c)) for c in scenario.covariates]
    parts.append("[privacy]\n" + _lines({"minimum_cell": scenario.minimum_cell}))
    if scenario.author:
        parts.append("[author]\n" + _lines(scenario.author))
    return "\n".join(parts)


def truth_text(scenario: Scenario, truths: tuple[Truth, ...]) -> str:
    """Return truth.json: the primary outcome's true values, then those of the further outcomes by column."""
    primary = truths[0]
    content: dict[str, Any] = {
        "scenario": scenario.name,
        "outcome": primary.outcome,
        "population": primary.population,
        "monte_carlo_se": round(primary.monte_carlo_se, 7),
        "parameters": _parameters(scenario),
        **_rounded(primary.estimands),
        "standard_error": _rounded(primary.standard_error, 7),
    }
    if truths[1:]:
        content["further_outcomes"] = {t.outcome: _rounded(t.estimands) for t in truths[1:]}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _numbers(values: Array, source: Outcome | Mediator | Covariate) -> list[str]:
    decimals = 0 if source.kind in ("binary", "count") or getattr(source, "whole", False) else 4
    decimals = min(decimals, getattr(source, "decimals", decimals))
    step = 10.0**-decimals
    texts = []
    for value in values.tolist():
        # Rounding must not turn an inner share into one of the exact 0s and 1s, which mean something else.
        inner = source.kind == "share" and 0 < value < 1
        shown = min(max(value, step), 1 - step) if inner else value
        texts.append("" if isnan(value) else f"{round(shown, decimals) + 0.0:.{decimals}f}")
    return texts


def _outcome(outcome: Outcome) -> dict[str, Any]:
    table: dict[str, Any] = {"column": outcome.column, "kind": outcome.kind, "label": outcome.label or outcome.column}
    table["better"] = outcome.better
    if outcome.kind == "binary":
        table["link"] = outcome.link
    if outcome.exposure:
        over = outcome.exposure
        table["exposure"] = {"column": over.column, "per": over.per, "at": over.at}
    margin = {} if outcome.margin is None else {"margin": outcome.margin, "margin_reason": outcome.margin_reason}
    return {**table, **margin}


def _mediator(mediator: Mediator) -> dict[str, Any]:
    table = {"column": mediator.column, "kind": mediator.kind, "label": mediator.label or mediator.column}
    asked = {"family": mediator.family, "interaction": mediator.interaction}
    return table | {name: value for name, value in asked.items() if value not in ("normal", False)}


def _covariate(covariate: Covariate) -> dict[str, Any]:
    label = covariate.label or covariate.column
    table = {"column": covariate.column, "kind": covariate.kind, "label": label, "adjust": covariate.adjust}
    return {**table, "levels": list(covariate.levels)} if covariate.levels else table


def _parameters(scenario: Scenario) -> dict[str, Any]:
    table: dict[str, Any] = {
        "outcomes": {o.column: _plain(o) for o in scenario.outcomes},
        "mediators": {m.column: _plain(m) for m in scenario.mediators},
        "trait_correlations": [_plain(c) for c in scenario.correlations],
        "missingness": [{"kind": m.kind, **_plain(m)} for m in scenario.missingness],
    }
    if scenario.groupings:
        table["groupings"] = [_plain(each) for each in scenario.groupings]
    for name in ("confounder", "selection", "attendance"):
        if getattr(scenario, name) is not None:
            table[name] = _plain(getattr(scenario, name))
    return {key: value for key, value in table.items() if value}


def _plain(item: Any) -> Any:
    if is_dataclass(item):
        stated = {f.name: _plain(getattr(item, f.name)) for f in fields(item) if f.name not in _TEXTS}
        # A list or table left empty has no part in the equations.
        return {name: value for name, value in stated.items() if value not in ([], {}, "", None)}
    if isinstance(item, Mapping):
        return {key: _plain(value) for key, value in item.items()}
    return list(item) if isinstance(item, tuple) else item


def _rounded(table: Any, digits: int = 6) -> Any:
    # Six digits lie far below the Monte-Carlo error and far above what differs between two processors.
    if isinstance(table, Mapping):
        return {key: _rounded(value, digits) for key, value in table.items()}
    return round(table, digits) + 0.0


def _lines(table: Mapping[str, Any]) -> str:
    return "".join(f"{_key(key)} = {_toml(value)}\n" for key, value in table.items())


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _toml(key)


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, str):
        # JSON's escapes are TOML's, but for DEL, which TOML refuses unescaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, float) and value.is_integer():
        return repr(int(value)) if abs(value) < 1e15 else repr(value)
    return json.dumps(value)
