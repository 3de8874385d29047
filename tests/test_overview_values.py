"""`check.py` shows the range of every column of numbers and the counts of every column of labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from models.trial.study_file import study as studies
from reports.text import overview_values
from tests.small_trial import changed, loaded, text_of, with_cells


def shown(folder: Path, *changes: tuple[str, Any]) -> tuple[dict[str, list[str]], dict[tuple[str, str], str]]:
    content = changed(*changes)
    trial = loaded(folder, text_of(with_cells()), content)
    ranges, levels = overview_values.tables(studies.parse(content), trial)
    columns = ("values", "least", "mean", "greatest", "distinct")
    return (
        {row["column"].text: [row[key].text for key in columns] for row in ranges.rows},
        {(row["column"].text, row["level"].text): row["count"].text for row in levels.rows},
    )


def test_ranges_and_counts(tmp_path: Path) -> None:
    ranges, levels = shown(tmp_path, ("covariates.1.levels", ["female", "male", "other"]))
    assert ranges == {
        "visits": ["11", "0", "3.90909", "12", "9"],
        "support": ["11", "39", "51.7159", "66", "11"],
        "income": ["11", "0", "0.3", "1", "10"],
        "sessions": ["5", "0", "14", "34", "5"],
        "age": ["5", "28.5", "38.5", "52", "5"],
    }
    assert levels == {
        ("sick", "0"): "6",
        ("sick", "1"): "6",
        ("sex", "female"): "2",
        ("sex", "male"): "3",
        ("sex", "other"): "0",
    }


def test_small_cells_and_the_extremes_of_few_are_not_shown(tmp_path: Path) -> None:
    ranges, levels = shown(tmp_path, ("privacy.minimum_cell", 3), ("simulated", False))
    assert ranges["age"] == ["5", "…", "38.5", "…", "5"]
    assert ranges["income"][1:4] == ["…", "0.3", "…"]
    # one small count and the one from which it could be worked out
    assert (levels["sex", "female"], levels["sex", "male"]) == ("< 3", "…")
    assert levels["sick", "1"] == "6"
    assert shown(tmp_path, ("privacy.minimum_cell", 3))[0]["age"][1] == "28.5", "simulated data hide nothing"
