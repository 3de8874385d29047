"""Wide files, where each wave has columns of its own: `[wide]` in the study file, and the rows that it stands for."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from models.faults import Fault

if TYPE_CHECKING:
    from models.study import Study


def faults(study: Study) -> Iterable[Fault]:
    """What contradicts itself in the layout that a study file describes."""
    wave = study.columns.wave
    if not study.wide:
        if wave is None:
            allowed = "the column that says which wave a row is of; or a table [wide], if each wave has its own columns"
            yield Fault(None, "columns.wave", "missing", allowed)
        return
    if wave is not None:
        yield Fault(None, "columns.wave", wave, "no entry beside [wide], which says which columns are of which wave")
    fixed = study.fixed_columns
    for part in study.varying:
        if part.column in fixed:
            yield Fault(None, "wide", part.column, "a name that no other role's column has")
        if part.column not in study.wide:
            near = difflib.get_close_matches(part.column, study.wide, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            yield Fault(None, f"wide.{part.column}", "missing", f"a list of its columns, one for each wave{hint}")
    for name, places in study.wide.items():
        if len(places) != len(study.waves):
            allowed = f'{len(study.waves)} columns, in the order of [[waves]]; "" where it was not measured'
            yield Fault(None, f"wide.{name}", f"{len(places)} columns", allowed)
        elif not any(places):
            yield Fault(None, f"wide.{name}", "no column", "a column of the file for one wave at least")


@dataclass(frozen=True)
class Rows:
    """A table with a row for each participant and wave.

    Attributes
    ----------
    table : DataFrame
        Of text; columns are named as the study file's parts name them.
    wave : ndarray of int, (row,)
        Which wave each row is of.
    seen : ndarray of bool, (row,)
        Whether the file has a row there; of a wide file, whether it has any value.
    """

    table: pd.DataFrame
    wave: np.ndarray
    seen: np.ndarray


def rows(study: Study, table: pd.DataFrame) -> Rows:
    """The rows of a file of either layout, every cell and label known to be possible."""
    if study.columns.wave is not None:
        waves = [wave.value for wave in study.waves]
        wave = pd.Categorical(table[study.columns.wave], categories=waves).codes.astype(int)
        return Rows(table, wave, np.ones(len(table), bool))
    pieces = list(_waves(study, table))
    long = pd.concat(pieces)
    seen = long[[part.column for part in study.varying]].notna().any(axis=1).to_numpy()
    return Rows(long, np.repeat(np.arange(len(pieces)), len(table)), seen)


def _waves(study: Study, table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    nothing = pd.Series(np.nan, table.index, dtype=table.dtypes.iloc[0])
    for place in range(len(study.waves)):
        columns = {part.column: study.wide[part.column][place] for part in study.varying}
        values = {name: table[column] if column else nothing for name, column in columns.items()}
        yield table[study.fixed_columns].assign(**values)
