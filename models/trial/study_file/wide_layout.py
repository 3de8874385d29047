"""Wide files, where each wave has columns of its own: `[wide]` in the study file, and the rows that it stands for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.trial.study_file.study import Study


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
    seen = long[[part.column for part in study.read_by_wave]].notna().any(axis=1).to_numpy()
    return Rows(long, np.repeat(np.arange(len(pieces)), len(table)), seen)


def _waves(study: Study, table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    nothing = pd.Series(np.nan, table.index, dtype=table.dtypes.iloc[0])
    for place in range(len(study.waves)):
        columns = {part.column: study.wide[part.column][place] for part in study.read_by_wave}
        values = {name: table[column] if column else nothing for name, column in columns.items()}
        yield table[study.fixed_columns].assign(**values)
