"""Columns of groups that lie in one arm each: what was randomised, or treated, together without being declared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from models.trial.data_check.finding import Finding
from models.trial.readers.dialect import numbers
from models.trial.study_file.study import Study

CHANCE = 1e-5
"""Of groups so pure, had their members been randomised one by one; a file has tens of columns."""
EXCEPTIONS = 0.05
"""Share of participants who may be in the other arm than their group, and of rows with another group than the others of
their participant: crossed over, or entered wrongly."""


@dataclass(frozen=True)
class Grouping:
    """A column whose values go with the arms.

    Attributes
    ----------
    column : str
        Its name.
    control, treated : int
        Values with several participants, most of them in this arm.
    participants, exceptions : int
        Who has such a value, and how many of them are in the other arm than the others with theirs.
    number : bool
        Whether every value is a number.
    """

    column: str
    control: int
    treated: int
    participants: int
    exceptions: int
    number: bool


def groupings(study: Study, table: pd.DataFrame) -> list[dict]:
    """Groupings of a table, as plain records that a trial can carry.

    Parameters
    ----------
    study : Study
        Names the columns that play a role; of these only covariates are looked at.
    table : DataFrame
        The file's rows, as text.
    """
    names = study.columns
    covariates = {covariate.column for covariate in study.covariates}
    other = {*study.role_columns, *(name for places in study.wide.values() for name in places)} - covariates
    arm = (table[[names.participant, names.arm]].dropna().drop_duplicates(names.participant)).set_index(
        names.participant
    )
    treated = arm[names.arm] == study.arms.treated.value
    asked = [name for name in table.columns if name not in other and not _inside(study, table, name)]
    found = (_grouping(table, name, names.participant, treated, study) for name in asked)
    return [asdict(grouping) for grouping in found if grouping]


def _inside(study: Study, table: pd.DataFrame, name: str) -> bool:
    """Whether each value lies in one of the groups that were randomised: they are why it lies in one arm."""
    together = study.randomised_in_groups
    if together is None:
        return False
    pairs = table[[name, together.column]].dropna().drop_duplicates()
    return not pairs[name].duplicated().any()


def _grouping(table: pd.DataFrame, name: str, who: str, treated: pd.Series, study: Study) -> Grouping | None:
    rows = table[[who, name]].dropna()
    pairs = rows.groupby([who, name], sort=False).size().sort_values(ascending=False, kind="stable").reset_index()
    pairs = pairs.drop_duplicates(who)
    if len(rows) - pairs[0].sum() > EXCEPTIONS * len(rows):  # it changes over the waves, and not by slips of the pen
        return None
    inside = treated.reindex(pairs[who]).to_numpy(dtype=float)
    counts = pd.DataFrame({"value": pairs[name].to_numpy(), "control": 1 - inside, "treated": inside})
    sizes = counts.groupby("value").sum().to_numpy()
    sizes = sizes[sizes.sum(1) > 1]
    participants, exceptions = int(sizes.sum()), int(sizes.min(1).sum()) if len(sizes) else 0
    differ = 2 * treated.mean() * (1 - treated.mean())
    if len(sizes) < 2 or exceptions > EXCEPTIONS * participants:
        return None
    if stats.binom.cdf(exceptions, participants - len(sizes), differ) > CHANCE:
        return None
    in_control = int((np.argmax(sizes, axis=1) == 0).sum())
    number = numbers(table[name], study.data.decimal_mark) == table[name].nunique()
    return Grouping(name, in_control, len(sizes) - in_control, participants, exceptions, number)


def findings(study: Study, trial: xr.Dataset) -> Iterator[Finding]:
    """What the groupings that a trial carries mean for its analysis."""
    covariates = {covariate.column for covariate in study.covariates}
    for found in (Grouping(**record) for record in json.loads(trial.attrs.get("groups", "[]"))):
        few, many = sorted((found.control, found.treated))
        but = "" if not found.exceptions else " (but for a few participants)"
        if (few, many) == (1, 1):
            yield Finding(
                "another name of the arm",
                f"The two values of {found.column!r} are the two arms{but}. Where they are places or groups and not "
                "names of the arms, the arms differ in them too, and nothing can tell that from the effect.",
                "amber" if found.column in covariates else "note",
            )
        elif few > 1:
            yield Finding(
                "undeclared groups",
                f"All {found.control + found.treated} values of {found.column!r} lie in one arm each{but}: was it "
                f'randomised? Then declare it ([[groupings]], column = {found.column!r}, kind = "randomised"): '
                "intervals that take participants as independent are too narrow. Where it only names the arm in more "
                "detail, take the column out of the file.",
                "amber",
            )
        else:
            yield Finding(
                "groups in one arm",
                f"{many} values of {found.column!r} lie in one arm alone{but}. Where they are groups in which the "
                f"programme was delivered, declare them ([[groupings]], column = {found.column!r}, "
                'kind = "delivery"): members share what happened there, and intervals that take them as independent '
                "are too narrow.",
                "note" if found.number else "amber",
            )
