"""A run whose every text is hostile: made by walking the study file's model, so that a new field is hostile unasked."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import numpy as np
import pandas as pd
import xarray as xr
from pydantic import BaseModel

from models.checks.gate_table import Gate
from models.runs.folder import Run
from models.trial.study_file.study import Study, parse
from tests.report_fixture import Recipe, make

MARK = "Qx7"
"""Stands in every payload, so that what came from one can be found wherever it lands."""
PAYLOADS = (
    "<script>alert('{m}')</script>",
    '"><img src=x onerror="alert(\'{m}\')" data-{m}=1>',
    "</title></style></svg></text></bdi></td></table><{m}-tag {m}=1>",
    "' onmouseover='{m}' style='background:url(//example.invalid)' {m}='",
    "\u202e{m}\u2066\u200f reversed مدخرات \u2069\u202c",
    "🏦💰👩‍👩‍👧 {m} \U0001f3f3\ufe0f\u200d\U0001f308",
    '=HYPERLINK("http://example.invalid";"{m}")',
    "+{m}+cmd|' /C calc'!A0",
    "-{m}-2+3",
    "@SUM({m})",
    "\t={m}",
    "\r\n@{m}",
    "\u00a0\u200b=1+{m}",
    "＝{m}＋＠",
    "{{{{ 7 * 7 }}}} {{% raw %}} {m} ${{jndi:ldap}} %s \\x00 \x00\x07\x1b[31m",
    "]]> <!-- {m} --> <![CDATA[ &#60;script&#62; &lt;b&gt;",
    "{m}" + "W" * 10_000,
    "{m} " + "long words " * 900,
)
KEPT = {
    ("Data", "separator"): "one sign, or the study file is refused",
    ("Data", "encoding"): "a name that Python knows, or the study file is refused",
    ("Data", "missing"): "beside the usual words, it is empty unless a study asks for more",
    ("Data", "leave_out"): "arms that stand in no page",
    ("Study", "wide"): "names of columns, which a page shows by their labels",
    ("Privacy", "sensitive"): "columns with a role, or the study file is refused",
    ("Covariate", "codes"): "words of the data, which a page shows as numbers",
}
"""String fields that no hostile text can enter."""


def hostile(text: str) -> str:
    """Equal texts give equal payloads, for some are keys of others; different texts different ones."""
    payload = PAYLOADS[zlib.crc32(text.encode()) % len(PAYLOADS)].format(m=MARK)
    return f"{payload} {text}".strip()  # as the study file strips it


def fields(model: type[BaseModel] = Study) -> Iterator[tuple[str, str]]:
    """Every (model, field) of the study file that takes free text."""
    for name, field in model.model_fields.items():
        parts, text = _inside(field.annotation)
        if text:
            yield model.__name__, name
        for part in parts:
            yield from fields(part)


def _inside(annotation: Any) -> tuple[list[type[BaseModel]], bool]:
    """Models within a type, and whether it takes free text; a Literal does not."""
    if annotation is str:
        return [], True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation], False
    if get_origin(annotation) is Literal:
        return [], False
    found = [_inside(inner) for inner in get_args(annotation) if not isinstance(inner, str)]
    return [part for parts, _ in found for part in parts], any(text for _, text in found)


def _spoilt(value: Any, annotation: Any, model: str, name: str) -> Any:
    if (model, name) in KEPT or get_origin(annotation) is Literal or value is None:
        return value
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return spoil(value, annotation)
    if isinstance(value, str):
        return hostile(value)
    inner = [part for part in get_args(annotation) if part is not Ellipsis]
    if get_origin(annotation) in (Union, UnionType):
        return _spoilt(value, next(part for part in inner if part is not type(None)), model, name)
    if isinstance(value, Mapping):
        return {_spoilt(k, inner[0], model, name): _spoilt(v, inner[1], model, name) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_spoilt(part, inner[0], model, name) for part in value]
    return value


def spoil(content: Mapping[str, Any], model: type[BaseModel] = Study) -> dict[str, Any]:
    """Content of a study file with hostile text in every free-text field."""
    return {name: _spoilt(content[name], field.annotation, model.__name__, name)
            for name, field in model.model_fields.items() if content.get(name) is not None}  # fmt: skip


CLINIC = "clinic"


def grouped(run: Run) -> Run:
    """The made-up run with eight clinics that were randomised, and the spread between them."""
    trial, posterior = (run.tree[name].to_dataset() for name in ("trial", "posterior"))
    arm, rng = trial["arm"].to_numpy(), np.random.default_rng(5)
    codes = 4 * arm + np.arange(arm.size) % 4
    trial = trial.assign(group=(("grouping", "participant"), codes[None])).assign_coords(grouping=[CLINIC])
    names = {"group_tau": "grouping"} | ({"group_wave_tau": "varying_grouping"} if len(run.study.waves) > 1 else {})
    shape = (posterior.sizes["chain"], posterior.sizes["draw"], 1)
    for name, dim in names.items():
        posterior[name] = (("chain", "draw", dim), rng.random(shape))
        posterior = posterior.assign_coords({dim: [CLINIC]})
        if "mediator" in posterior.dims:
            spread = rng.random((*shape, posterior.sizes["mediator"]))
            posterior[f"mediator_{name}"] = (("chain", "draw", dim, "mediator"), spread)
    tree = run.tree.assign(trial=xr.DataTree(trial), posterior=xr.DataTree(posterior))
    return replace(run, tree=tree, further={name: grouped(fit) for name, fit in run.further.items()})


def complete(study: Study) -> dict[str, Any]:
    """Content of a study file that leaves no optional table out."""
    content = study.model_dump(mode="json", exclude_none=True)
    content["outcome"]["codes"] = {"yes": 1, "no": 0} if study.outcome.kind == "binary" else {"none": 0}
    for mediator in content["mediators"]:
        mediator["codes"] = {"has": 1, "has not": 0} if mediator["kind"] == "binary" else {}
    further = content["outcome"] | {"column": "visits", "codes": {}, "kind": "count", "label": "visits"}
    content["further_outcomes"] = content.get("further_outcomes") or [further]
    for outcome in content["further_outcomes"]:
        if outcome["kind"] == "count":
            outcome["exposure"] = {"column": "months", "per": "12 months", "at": 12}
    content["attendance"] = {"column": "sessions", "offered": {"control": 4, "treated": 34}}
    content["groupings"] = [{"column": CLINIC, "kind": "randomised", "label": "clinic"}]
    for name in ("question", "description"):
        content[name] = content[name] or "a text"
    return content


def run(folder: Path, recipe: Recipe) -> Run:
    """The made-up run of a recipe, all of its texts hostile: study file, codes in the draws, priors, notes, command."""
    plain = grouped(make(folder, recipe))
    study = parse(spoil(complete(plain.study)))
    keys = [wave.value for wave in plain.study.waves]
    keys += [part.column for part in (*plain.study.covariates, *plain.study.mediators)]
    keys += [text for part in plain.study.further_outcomes for text in (part.column, part.label)]
    keys.append(CLINIC)
    levels = [level for part in plain.study.covariates for level in part.levels]
    renamed = {key: hostile(key) for key in keys}
    return _renamed(plain, study, renamed, {level: hostile(level) for level in levels})


def _renamed(plain: Run, study: Study, keys: dict[str, str], levels: dict[str, str]) -> Run:
    def word(text: str) -> str:
        if text in keys:
            return keys[text]
        for old, new in sorted(keys.items(), key=lambda pair: -len(pair[0])):
            if f"[{old}" in text or f", {old}" in text or f" at {old}" in text:
                text = text.replace(old, new)
        return text

    def tree(found: xr.DataTree) -> xr.DataTree:
        return xr.DataTree.from_dict(
            {path: _dataset(node.to_dataset(inherit=False), word, levels) for path, node in found.children.items()}
        )

    def place(where: Mapping[str, Any]) -> dict[str, Any]:
        return {dim: keys.get(label, label) for dim, label in where.items()}

    gate = Gate(tuple(replace(check, where=tuple(map(place, check.where))) for check in plain.gate.checks))
    told = plain.manifest
    manifest = told | {
        "command": hostile(told["command"]),
        "platform": hostile(told["platform"]),
        "notes": [hostile(note) for note in told["notes"]],
        "study": {key: hostile(text) if isinstance(text, str) else text for key, text in told["study"].items()},
        "priors": {key: hostile(text) if isinstance(text, str) else text for key, text in told["priors"].items()}
        | {"rows": [row | {key: hostile(row[key]) for key in ("why", "source")} for row in told["priors"]["rows"]]},
    }
    further = {name: _renamed(fit, study, keys, levels) for name, fit in plain.further.items()}
    return Run(plain.folder, manifest, study, tree(plain.tree), gate, further)


def _dataset(found: xr.Dataset, word: Callable[[str], str], levels: dict[str, str]) -> xr.Dataset:
    changed = {}
    for name, values in found.variables.items():
        if values.dtype.kind in "OUT" and values.size:
            words = [word(text) if isinstance(text, str) else text for text in values.to_numpy().ravel()]
            changed[name] = (values.dims, np.array(words, dtype=object).reshape(values.shape))
    made = found.assign({name: value for name, value in changed.items() if name not in found.coords})
    made = made.assign_coords({name: pd.Index(value[1]) if len(value[0]) == 1 and value[0][0] == name else value
                               for name, value in changed.items() if name in found.coords})  # fmt: skip
    if "levels" in made.attrs:
        known = json.loads(made.attrs["levels"])
        made.attrs["levels"] = json.dumps({word(key): [levels.get(level, level) for level in found_levels]
                                           for key, found_levels in known.items()})  # fmt: skip
    return made
