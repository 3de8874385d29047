"""What the rows of a trial must agree on, and what must be there at all, once every cell is known to be possible."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from models.faults import Fault
from models.trial.study_file.study import ARMS, Arm, Attendance, Grouping, Study
from models.trial.trial_schema import numbers


def between_rows(study: Study, table: pd.DataFrame) -> list[Fault]:
    """Rows that contradict each other: repeated, in two arms, in none, or with attendance that cannot be.

    Parameters
    ----------
    study : Study
        Names the columns.
    table : DataFrame
        Of text, labels made plain, indexed by row number.
    """
    names = study.columns
    arm = table[names.arm]
    first = table.groupby(names.participant)[names.arm].transform("first")
    nobody = first.isna() & ~table.duplicated(names.participant)
    faults = [
        *_repeated(study, table),
        *_at(
            table.loc[arm.notna() & (arm != first), names.arm], "one arm a participant; an earlier row names the other"
        ),
        *_at(table.loc[nobody, names.arm].fillna(""), "an arm in at least one row of each participant"),
    ]
    faults += _exposures(study, table)
    for grouping in study.groupings:
        faults += _groups(study, grouping, table.assign(**{names.arm: first}))
    if study.attendance:
        faults += _attendance(study, study.attendance, table.assign(**{names.arm: first}))
    return sorted(faults, key=lambda fault: fault.row or 0)


def _repeated(study: Study, table: pd.DataFrame) -> list[Fault]:
    """Second rows of a participant at a wave, or in a wide file of a participant, each with the row that it repeats."""
    names = study.columns
    key = [names.participant] if names.wave is None else [names.participant, names.wave]
    unit = "a participant" if names.wave is None else "a participant and wave"
    first = table.assign(row=table.index).groupby(key)["row"].transform("first")
    faults = []
    for row, found in table[table.duplicated(key)].iterrows():
        same = found.equals(table.loc[first[row]])
        how = "the two rows are alike: leave one out" if same else "their values differ: which one is right?"
        allowed = f"one row {unit}; {found[names.participant]!r} has it in row {first[row]} too; {how}"
        faults.append(Fault(int(str(row)), key[-1], str(found[key[-1]]), allowed))
    return faults


def _at(wrong: pd.Series, allowed: str) -> list[Fault]:
    return [Fault(int(str(row)), str(wrong.name), str(cell), allowed) for row, cell in wrong.items()]


def _groups(study: Study, grouping: Grouping, table: pd.DataFrame) -> list[Fault]:
    """Participants in two groups or none, and groups that are not as their kind says."""
    names, group = study.columns, table[grouping.column]
    own = group.groupby(table[names.participant]).transform("first")
    faults = _at(group[group.notna() & (group != own)], "one group a participant; an earlier row names the other")
    once = ~table.duplicated(names.participant)
    if grouping.kind == "delivery":
        inside = once & own.notna() & (table[names.arm] == study.arms.control.value)
        return faults + _at(own[inside], f"no group in the arm {study.arms.control.value!r}: the programme's groups")
    faults += _at(own[once & own.isna()].fillna(""), "a group in at least one row of each participant")
    if grouping.kind == "randomised":
        arms = table[names.arm].groupby(own).transform("first")
        crossing = once & own.notna() & (table[names.arm] != arms)
        faults += _at(own[crossing], 'groups that lie in one arm each; if arms cross within them, kind = "site"')
    return faults


def groups(study: Study, trial: xr.Dataset) -> list[Fault]:
    """Groupings that can tell nothing: one group in all, or one in an arm."""
    faults, arm = [], trial["arm"].to_numpy()
    for grouping in study.groupings:
        codes = trial["group"].sel(grouping=grouping.column).to_numpy()
        found = [np.unique(codes[(arm == code) & (codes >= 0)]).size for code in (0, 1)]
        if grouping.kind == "randomised" and 1 in found:
            arms = " and ".join(
                repr(getattr(study.arms, name).value) for name, many in zip(ARMS, found, strict=True) if many == 1
            )
            allowed = "two groups or more in each arm: with one, nothing tells its own level from the effect"
            faults.append(Fault(None, grouping.column, f"one group in {arms}", allowed))
        elif sum(found) < 2:
            allowed = "two groups or more, or no such grouping"
            faults.append(Fault(None, grouping.column, f"{sum(found)} group", allowed))
    return faults


def _exposures(study: Study, table: pd.DataFrame) -> list[Fault]:
    """Counts over nobody knows how much, and events where there was nothing for them to arise over."""
    faults = []
    for part in (one for one in study.outcomes if one.exposure):
        assert part.exposure is not None  # or it would not be among them
        pairs = zip(study.file_columns(part), study.file_columns(part.exposure), strict=True)
        if study.wide:
            pairs = zip(study.wide[part.column], study.wide[part.exposure.column], strict=True)
        for column, over in pairs:
            if not column:
                continue
            counts = numbers(table[column], study, part)
            if not over:
                faults += _at(
                    table.loc[counts.notna(), column],
                    f"no count at a wave where {part.exposure.column!r} has no column",
                )
                continue
            amount = numbers(table[over], study, part.exposure)
            unknown, none = counts.notna() & amount.isna(), (counts > 0) & (amount == 0)
            faults += _at(
                table.loc[unknown, over].fillna(""), f"a value wherever {column!r} has one; or leave that count blank"
            )
            faults += _at(table.loc[none, over], f"more than 0 where {column!r} counts events")
    return faults


def _attendance(study: Study, attendance: Attendance, table: pd.DataFrame) -> list[Fault]:
    names, column = study.columns, table[attendance.column]
    attended = numbers(column, study)
    first = attended.groupby(table[names.participant]).transform("first")
    faults = _at(column[attended.notna() & (attended != first)], "one number a participant; an earlier row has another")
    for arm, number in attendance.offered.items():
        inside = table[names.arm] == getattr(study.arms, arm).value
        faults += _at(column[inside & (attended > number)], f"at most {number}, the sessions offered in this arm")
    return faults


def of_arms(study: Study, trial: xr.Dataset) -> list[Fault]:
    """Arms that cannot be compared: nobody in one, no outcome in one, or more people than were randomised."""
    faults = []
    for code, name in enumerate(ARMS):
        arm, inside = getattr(study.arms, name), trial["arm"].to_numpy() == code
        people = int(inside.sum())
        if not people:
            faults.append(Fault(None, study.columns.arm, "no rows", f"at least one participant in {arm.value!r}"))
        elif np.isnan(trial["outcome"].to_numpy()[inside]).all():
            faults.append(
                Fault(None, study.outcome.column, "all missing", f"at least one value in the arm {arm.value!r}")
            )
        elif (absent := _at_primary(study, arm, trial, inside)) is not None:
            faults.append(absent)
        if arm.randomised is not None and people > arm.randomised:
            allowed = f"at least {people}, the participants that the data file has in {arm.value!r}"
            faults.append(Fault(None, f"arms.{name}.randomised", str(arm.randomised), allowed))
    return faults


def _at_primary(study: Study, arm: Arm, trial: xr.Dataset, inside: np.ndarray) -> Fault | None:
    """A fault where an arm has no outcome at the wave of the primary comparison: no analysis could answer it."""
    if not np.isnan(trial["outcome"].sel(wave=study.primary_wave).to_numpy()[inside]).all():
        return None
    where = f"all missing at the primary wave {study.primary_wave!r} in {arm.value!r}"
    return Fault(None, study.outcome.column, where, "at least one value, or another primary_wave")
