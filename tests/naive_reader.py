"""A second reader of trial files, slow and plain, that shares no code with the product: the numbers to expect."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import xarray as xr

Cells = dict[str, str | None]
TRUE_FALSE = {"TRUE": 1.0, "True": 1.0, "true": 1.0, "FALSE": 0.0, "False": 0.0, "false": 0.0}


def records(text: str, separator: str) -> Iterator[list[str]]:
    """RFC 4180, one character at a time; blanks before an opening quote are allowed."""
    record, cell, quoted, place = [], "", False, 0
    while place < len(text):
        sign = text[place]
        if quoted and text[place : place + 2] == '""':
            cell, place = cell + '"', place + 1
        elif sign == '"' and (quoted or not cell.strip(" ")):
            quoted = not quoted
            if quoted:
                cell = ""
        elif quoted or sign not in (separator, "\n", "\r"):
            cell += sign
        else:
            record, cell = [*record, cell], ""
            if sign != separator:
                yield record
                record = []
                place += text[place : place + 2] == "\r\n"
        place += 1
    assert not quoted, "a quote is left open"
    if record or cell:
        yield [*record, cell]


def label(text: str) -> str:
    whole, _, decimals = text.partition(".")
    return whole if decimals and not decimals.strip("0") and digits(whole.removeprefix("-")) else text


def digits(text: str) -> bool:
    return text != "" and set(text) <= set("0123456789")


def number(text: str | None, decimal: str = ".") -> float:
    if text is None:
        return math.nan
    assert set(text) <= set("0123456789+-eE" + decimal), text
    value = float(text.replace(decimal, "."))
    assert math.isfinite(value), text
    return value


def value(text: str | None, part: dict[str, Any], decimal: str) -> float:
    """An outcome or mediator, checked against its kind."""
    if text is None:
        return math.nan
    if part.get("codes"):
        return {label(word.strip()): code for word, code in part["codes"].items()}[label(text)]
    words = TRUE_FALSE if part["kind"] == "binary" else {}
    found = words[text] if text in words else number(text, decimal)
    assert part["kind"] != "binary" or found in (0, 1)
    assert part["kind"] != "share" or 0 <= found <= 1
    assert part["kind"] != "count" or (found >= 0 and found == round(found))
    return found


def rows(content: bytes, study: dict[str, Any]) -> list[Cells]:
    data = study["data"]
    text = content.decode(data.get("encoding", "utf-8")).removeprefix("\ufeff")
    missing = {"", *(label(str(word).strip()) for word in data.get("missing", ["NA", "NaN", "nan", "."]))}
    found = [record for record in records(text, data.get("separator", ",")) if any(cell.strip() for cell in record)]
    header = [name.strip() for name in found[0]]
    named = [name for name in header if name]
    assert len(set(named)) == len(named), "two columns of one name"
    table = []
    for record in found[1:]:
        assert len(record) >= len(header)
        assert not any(cell.strip() for cell in record[len(header) :])
        cells = zip(header, (cell.strip() for cell in record), strict=False)
        table.append({name: None if label(cell) in missing else cell for name, cell in cells if name})
    return [row for row in table if any(row.values())]


def text_of(entry: Any) -> str:
    return label(str(entry).strip())


def assert_holds(trial: xr.Dataset, content: bytes, study: dict[str, Any]) -> None:
    """Every value of the Dataset is what the file says, and the file breaks no rule."""
    who, when, group = (study["columns"][name].strip() for name in ("participant", "wave", "arm"))
    decimal = study["data"].get("decimal", ".")
    waves = [text_of(wave["value"]) for wave in study["waves"]]
    arms = [text_of(study["arms"][name]["value"]) for name in ("control", "treated")]
    people: dict[str, dict[int, Cells]] = {}
    for row in rows(content, study):
        seen = people.setdefault(label(row[who] or ""), {})
        wave = waves.index(label(row[when] or ""))
        assert wave not in seen, "one row for each participant and wave"
        seen[wave] = row
    assert list(trial["participant"].values) == sorted(people)
    assert list(trial["wave"].values) == waves
    assert set(trial["arm"].values) == {0, 1}
    found = {str(name): values.to_numpy() for name, values in trial.data_vars.items()}
    for place, name in enumerate(sorted(people)):
        seen = people[name]
        (arm,) = {label(row[group] or "") for row in seen.values() if row[group] is not None}
        assert found["arm"][place] == arms.index(arm)
        for wave in range(len(waves)):
            cells = seen.get(wave, {})
            assert bool(found["seen"][place, wave]) == (wave in seen)
            same(found["outcome"][place, wave], cells, study["outcome"], decimal)
            for order, part in enumerate(study.get("further_outcomes", [])):
                same(found["further_outcome"][order, place, wave], cells, part, decimal)
            for order, part in enumerate(study.get("mediators", [])):
                same(found["mediator_value"][order, place, wave], cells, part, decimal)
        for order, covariate in enumerate(study.get("covariates", [])):
            same_covariate(found["covariate_value"][place, order], seen, covariate, trial, decimal)
        if "attendance" in study:
            attended = {number(row[study["attendance"]["column"].strip()], decimal) for row in seen.values()}
            attended = {sessions for sessions in attended if not math.isnan(sessions)} or {math.nan}
            assert len(attended) == 1
            sessions = found["attendance"][place]
            equal(sessions, attended.pop())
            assert not sessions > study["attendance"]["offered"][("control", "treated")[int(found["arm"][place])]]


def equal(found: float, expected: float) -> None:
    assert found == expected or (math.isnan(found) and math.isnan(expected)), (found, expected)


def same(found: float, cells: Cells, part: dict[str, Any], decimal: str) -> None:
    equal(found, value(cells.get(part["column"].strip()), part, decimal))


def same_covariate(
    found: float, seen: dict[int, Cells], covariate: dict[str, Any], trial: xr.Dataset, decimal: str
) -> None:
    texts = [seen[wave][covariate["column"].strip()] for wave in sorted(seen)]
    first = next((text for text in texts if text is not None), None)
    if covariate["kind"] == "continuous" or first is None:
        equal(found, number(first, decimal))
        return
    levels = json.loads(trial.attrs["levels"])[covariate["column"].strip()]
    assert levels[int(found)] == label(first)
    if covariate.get("levels"):
        assert levels == [text_of(level) for level in covariate["levels"]]
