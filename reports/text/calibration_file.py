"""A calibration study as `scripts/calibrate.py` saves it: settings, one row a quantity, one row a replication."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from models.calibration.operating_characteristics import STANDARD, of_wave
from models.faults import InvalidInput
from reports.text import study_files
from reports.text.numbers import AMOUNT, EVENTS, POINTS, RATIO, Number, Unit, places, show
from reports.text.words import short

SCHEMA = "microsavings calibration 1"
PRIOR, TRUTH, NULL = "prior", "truth", "null"
KINDS = {
    PRIOR: "true values drawn from the prior",
    TRUTH: "the scenario’s own true values",
    NULL: "the scenario without any effect of the arm",
}
UNITS = {
    "points": replace(POINTS, decimals=2),
    "ratio": RATIO,
    "events": EVENTS,
    "units": AMOUNT,
    "score": Unit(1, 2, "", "score"),
    **{name: Unit(1, 3, "", name) for name in ("log-odds", "probits", "log-mean", STANDARD, "")},
}
SHARE = Unit(100, 1, "%", "percent")
ABOUT = ("scenario", "title", "participants", "waves", "model", "priors", "command", "seed", "replications", "failed")
NUMBERS = (
    *("truth", "bias", "bias_mcse", "rmse", "sd", "coverage", "coverage_mcse", "width"),
    *(
        "sign_error",
        "sign_error_mcse",
        "excludes_0",
        "excludes_0_mcse",
        "expected_coverage",
        "ecdf_deviation",
        "ecdf_limit",
    ),
)
SHARES = tuple(
    name for name in NUMBERS if name.startswith(("coverage", "sign_error", "excludes_0", "expected_coverage"))
)
COLUMNS = ("kind", "quantity", "label", "estimand", "unit", "replications", *NUMBERS, "uniform")
LEVEL = 0.95
MAIN = ("risk_difference", "mean_difference", "total")
"""Estimands that a study is about, the first that is there, at the primary wave."""


@dataclass(frozen=True)
class Row:
    """How one quantity came out over the replications of one kind; shares lie between 0 and 1.

    Attributes
    ----------
    kind : str
        "prior", "truth" or "null": where the true values came from.
    quantity, label, unit : str
        Key, words for it, and a key of `UNITS`.
    estimand : bool
        Whether it is an estimand; a parameter otherwise.
    replications : int
        Trials that it is taken over.
    numbers : mapping of str to float
        `NUMBERS`, NaN where the file has none; in the units of the run (a risk of 12% is 0.12). `expected_coverage`
        is that of no effect to which shrinkage by the prior alone leads.
    uniform : bool or None
        The file's own verdict on the ranks.
    """

    kind: str
    quantity: str
    label: str
    estimand: bool
    unit: str
    replications: int
    numbers: Mapping[str, float]
    uniform: bool | None

    def __getitem__(self, name: str) -> float:
        """One of its numbers."""
        return self.numbers[name]

    def has(self, name: str) -> bool:
        """Whether the file has that number."""
        return math.isfinite(self.numbers[name])

    @property
    def name(self) -> str:
        """Estimand or parameter, without wave and arm."""
        return self.quantity.split("[", 1)[0]

    def at(self, wave: str) -> bool:
        """Whether it is of that wave."""
        return of_wave(self.quantity, wave)

    @property
    def shown(self) -> Unit:
        """The unit it is printed in."""
        return UNITS[self.unit]

    @property
    def digits(self) -> int:
        """Decimals that the Monte Carlo error of the bias allows; one more than that shows the error itself."""
        error = self["bias_mcse"]
        return min(self.shown.decimals, places(error, self.shown) + 1) if math.isfinite(error) else 1

    def number(self, name: str) -> Number:
        """One of its numbers, printed: shares in percent, the others in its own unit."""
        return show(self[name], SHARE) if name in SHARES else show(self[name], self.shown, self.digits)


@dataclass(frozen=True)
class Calibration:
    """A study: `about` as in its JSON file, `rows` in the order of its CSV file."""

    about: Mapping[str, Any]
    rows: tuple[Row, ...]

    def of(self, kind: str, estimands: bool = False) -> list[Row]:
        """Rows of a kind, estimands first."""
        found = [row for row in self.rows if row.kind == kind and (row.estimand or not estimands)]
        return sorted(found, key=lambda row: not row.estimand)

    def find(self, kind: str, quantity: str) -> Row | None:
        """One row; None where there is none."""
        return next((row for row in self.rows if (row.kind, row.quantity) == (kind, quantity)), None)

    @cached_property
    def main(self) -> str:
        """Key of the quantity that the study is about."""
        keys = {row.quantity: row for row in self.rows}
        wave = str(self.about.get("primary_wave", ""))
        for name in MAIN:
            found = [key for key, row in keys.items() if row.name == name]
            if found:
                return max(found, key=lambda key: keys[key].at(wave))
        return next((key for key, row in keys.items() if row.estimand), next(iter(keys)))

    def requested(self, kind: str) -> int:
        """Replications asked for."""
        return int(self.about["replications"].get(kind, 0))

    def text(self, key: str, length: int = 120) -> str:
        """One of the settings as printed."""
        return short(self.about[key], length)


@dataclass(frozen=True)
class Ranks:
    """Ranks of the truths of one quantity among posterior draws, truths drawn from the prior.

    Attributes
    ----------
    rank : ndarray of int, (replication,)
        Draws below the truth, 0 to `ranks`.
    ranks : int
        Draws.
    """

    rank: np.ndarray
    ranks: int


def read(settings: Path, table: Path) -> Calibration:
    """Settings and summary.

    Raises
    ------
    InvalidInput
        If a file is missing or holds what it may not.
    """
    about = study_files.about(settings, SCHEMA, ABOUT)
    if not isinstance(about["replications"], Mapping):
        raise InvalidInput(f"{settings} cannot be used.", "Its replications are no table.", study_files.MADE)
    return Calibration(about, tuple(study_files.rows(table, COLUMNS, _row)))


def _row(row: Mapping[str, str]) -> Row:
    kind, unit = study_files.word(row, "kind", KINDS), row["unit"] or ""
    if unit not in UNITS:
        raise study_files.Wrong("unit", ", ".join(name or "nothing" for name in UNITS))
    numbers = {
        name: study_files.optional(row, name, *((0.0, 1.0) if name in SHARES else ())) for name in NUMBERS
    }  # fmt: skip
    return Row(
        kind,
        study_files.word(row, "quantity"),
        short(row["label"] or row["quantity"], 80),
        bool(study_files.truth(row, "estimand")),
        unit,
        int(study_files.number(row, "replications", 1, 1e9)),
        numbers,
        study_files.truth(row, "uniform"),
    )


def ranks(path: Path) -> dict[str, Ranks]:
    """Ranks by quantity from the table of replications, where truths came from the prior.

    Raises
    ------
    InvalidInput
        If the file cannot be used, or one quantity was ranked among different numbers of draws.
    """
    listed = study_files.rows(path, ("kind", "quantity", "rank", "ranks"), _replication)
    found: dict[str, list[tuple[int, int]]] = {}
    for kind, quantity, rank, among in listed:
        if kind == PRIOR and among:
            found.setdefault(quantity, []).append((rank, among))
    mixed = [quantity for quantity, pairs in found.items() if len({among for _, among in pairs}) > 1]
    if mixed:
        why = f"Not all truths of {mixed[0]} were ranked among the same number of draws."
        raise InvalidInput(f"{path} cannot be used.", why, study_files.MADE)
    return {key: Ranks(np.array([rank for rank, _ in pairs]), pairs[0][1]) for key, pairs in found.items()}


def _replication(row: Mapping[str, str]) -> tuple[str, str, int, int]:
    kind = study_files.word(row, "kind", KINDS)
    among = study_files.optional(row, "ranks", 1, 1e9)
    rank = study_files.optional(row, "rank", 0, among if math.isfinite(among) else 1e9)
    there = math.isfinite(among) and math.isfinite(rank)
    return kind, study_files.word(row, "quantity"), int(rank) if there else 0, int(among) if there else 0


def expected(replications: int) -> tuple[float, float]:
    """Range of the share of right intervals that contain the truth, in 19 of 20 studies of so many trials."""
    low, high = stats.binom.ppf([0.025, 0.975], replications, LEVEL) / replications
    return float(low), float(high)


def most_excluding(replications: int) -> float:
    """Share of intervals that leave a true 0 out which 39 of 40 such sets do not pass, where each does by 0.05."""
    return float(stats.binom.ppf(0.975, replications, 1 - LEVEL) / replications)
