"""`report.json`: every number on the page. `report.schema.json` beside this file describes it, key by key."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from reports.text import gate_status
from reports.text.facts import Facts
from reports.text.parts import Figure, Section, Sentence, Table

SCHEMA = "microsavings report 1"


def text(facts: Facts, sections: Sequence[Section]) -> str:
    """File's content: sorted keys, no clock, non-finite numbers as null."""
    manifest = facts.manifest
    content = {
        "schema": SCHEMA,
        "run": {
            "run_id": manifest["run_id"],
            "title": facts.study.title,
            "simulated": facts.study.simulated,
            "model": manifest["model"],
            "priors": manifest["priors"]["name"],
            "microsavings": manifest["microsavings"],
        },
        "interval": {"kind": "equal-tailed", "probability": 0.95},
        "gate": {
            "status": gate_status.status(facts),
            **_gate(facts),
            "further": {name: {"status": fit.gate.status, **_gate(fit)} for name, fit in facts.further.items()},
        },
        "withheld": facts.withheld or None,
        "sections": [
            {"number": part.number, "question": part.question, "status": part.status, "reason": part.reason}
            for part in sections
        ],
        "sentences": {name: _sentence(one) for part in sections for name, one in part.sentences.items()},
        "tables": {name: _table(one) for part in sections for name, one in part.tables.items()},
        "figures": {name: _figure(one) for part in sections for name, one in part.figures.items()},
    }
    return json.dumps(_finite(content), ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False) + "\n"


def _gate(facts: Facts) -> dict[str, Any]:
    return {"checks": [check.record for check in facts.checks]}


def _sentence(one: Sentence) -> dict[str, Any]:
    return {
        "text": one.text,
        "numbers": {name: {"value": number.value, "printed": number.text} for name, number in one.numbers.items()},
    }


def _table(one: Table) -> dict[str, Any]:
    rows = [{key: {"value": row[key].value, "printed": row[key].text} for key in one.header} for row in one.rows]
    return {"caption": one.caption, "rows": rows}


def _figure(one: Figure) -> dict[str, Any]:
    return {
        "title": one.title,
        "description": one.description,
        "columns": list(one.columns),
        "rows": [list(row) for row in one.rows],
    }


def _finite(content: Any) -> Any:
    if isinstance(content, dict):
        return {str(key): _finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_finite(value) for value in content]
    if isinstance(content, str | bool | int) or content is None:
        return content
    number = float(content)
    return float(f"{number:.8g}") if math.isfinite(number) else None
