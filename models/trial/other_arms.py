"""Arms of the data beside the two that are compared: left out where the study file says so, else refused by name."""

from __future__ import annotations

import pandas as pd

from models.faults import Fault
from models.trial import cells
from models.trial.study_file.study import Study
from models.trial.trial_schema import labels

FEWEST = 2
"""Participants of a further arm; a single one is a misspelling."""


def without(study: Study, table: pd.DataFrame) -> tuple[pd.DataFrame, list[str], list[Fault]]:
    """Leave out the participants of the arms that `[data] leave_out` lists.

    Returns
    -------
    table : DataFrame
        The rows of the others; whoever has a row in another arm too stays, to be named as a fault.
    notes : list of str
        How many were left out of each arm.
    faults : list of Fault
        Listed values that no row has.
    """
    listed, smallest = study.data.leave_out, study.privacy.minimum_cell
    if not listed:
        return table, [], []
    arm, person = labels(table[study.columns.arm]), table[study.columns.participant]
    elsewhere = person[arm.notna() & ~arm.isin(listed)]
    gone = person.isin(person[arm.isin(listed)]) & ~person.isin(elsewhere)
    notes, faults = [], []
    for value in listed:
        count = int(person[gone & (arm == value)].nunique())
        if not (arm == value).any():
            faults.append(Fault(None, "data.leave_out", value, f"a value of the column {study.columns.arm!r}"))
        shown = f"fewer than {smallest}" if count < smallest else str(count)
        people = "participant is" if count == 1 else "participants are"
        notes.append(f"{shown} {people} left out: the arm {value!r}, as [data] leave_out says.")
    return table[~gone], notes, faults


def further(study: Study, table: pd.DataFrame) -> list[Fault]:
    """Arms that neither the study file names nor misspelling explains; none where one of the two is not in the data."""
    arm, person = labels(table[study.columns.arm]), table[study.columns.participant]
    people = person.groupby(arm).nunique()
    two = [study.arms.control.value, study.arms.treated.value]
    if not set(two) <= set(people.index):
        return []
    words = f"one of the two arms that are compared, {' and '.join(map(repr, two))}, or a value in [data] leave_out"
    return [
        Fault(None, study.columns.arm, f"{value} ({count} participants)", words)
        for value, count in people.drop(two).items()
        if count >= FEWEST
    ]


def of_values(faults: list[Fault], study: Study, further: list[Fault]) -> list[Fault]:
    """Faults of single cells, less those that are of a further arm."""
    named = {fault.value.rsplit(" (", 1)[0] for fault in further}
    return [f for f in faults if not (f.column == study.columns.arm and cells.label(f.value) in named)]
