"""Ways to break a study folder, and the verdict on one: refused with faults named, or read without a wrong number."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from models.faults import InvalidInput
from models.trial import dataset as trials
from models.trial.study_file import study as studies
from reports.text.overview import overview
from tests import naive_reader


def many(examples: int) -> settings:
    """Settings under which the same examples are tried every time."""
    return settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def explained(error: InvalidInput) -> str:
    """A refusal says what, why, fix, and where each fault is."""
    assert all(text.strip() for text in (error.what, error.why, error.fix))
    assert all(fault.column and fault.allowed for fault in error.faults)
    assert json.loads(error.as_json())["valid"] is False
    assert str(error).count("\n") <= 15
    return "refused with faults" if error.faults else "refused"


def verdict(folder: Path) -> str:
    """What check.py does with a study folder; any exception but InvalidInput is a failure."""
    try:
        study, where = studies.read(folder)
        trial = trials.load(study, where)
        overview(study, trial).as_json()
    except InvalidInput as error:
        return explained(error)
    raw = tomllib.loads((folder / "study.toml").read_text(encoding="utf-8-sig"))
    naive_reader.assert_holds(trial, (folder / raw["data"]["file"].strip()).read_bytes(), raw)
    return "valid"


def tally(counts: Counter[str], least: int) -> None:
    """Neither side of the property may be empty."""
    refused = counts["refused"] + counts["refused with faults"]
    assert counts["valid"] >= least, counts
    assert refused >= least, counts


BYTES = st.lists(
    st.tuples(
        st.sampled_from(["flip", "flip", "flip", "insert", "delete", "cut"]),
        st.integers(0, 10_000),
        st.binary(min_size=1, max_size=4)
        | st.sampled_from([b'"', b",", b"\n", b"\r", b";", b"\xff", b"\xef\xbb\xbf", b"1"]),
    ),
    min_size=1,
    max_size=4,
)


def bent(content: bytes, changes: list[tuple[str, int, bytes]]) -> bytes:
    """Bytes after some changes."""
    found = bytearray(content)
    for what, at, new in changes:
        place = at % max(len(found), 1)
        if what == "flip":
            found[place : place + 1] = new[:1]
        elif what == "insert":
            found[place:place] = new
        elif what == "delete":
            del found[place : place + len(new)]
        elif at % 5 == 0:
            del found[place:]
    return bytes(found)
