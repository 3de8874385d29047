"""A trial's data as one labelled Dataset over (participant, wave), after every fault has been named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from models import data_file, trial_schema
from models.faults import Fault, InvalidInput
from models.study import Covariate, Study
from models.trial_schema import numbers, plain_label


def load(study: Study, folder: Path) -> xr.Dataset:
    """Read, check and label a trial.

    Parameters
    ----------
    study : Study
        Names the columns and what may stand in them.
    folder : Path
        Where its data file is.

    Returns
    -------
    Dataset
        dims participant, wave, further, mediator, covariate. Variables: `arm` (participant) 0 control, 1 treated;
        `seen` (participant, wave) True where the file has a row; `outcome` (participant, wave) and `further_outcome`
        (further, participant, wave), `mediator_value` (mediator, participant, wave), in their own units; `covariate_value`
        (participant, covariate), categorical ones as codes into attrs["levels"] (JSON); `attendance` (participant)
        sessions. Missing values are NaN. Participants are in the order of their identifiers, whatever the row order.

    Raises
    ------
    InvalidInput
        With every fault: unknown labels, values outside their kind, duplicates, a participant in two arms, an empty arm.
    """
    table = data_file.read(study.data, folder)
    _refuse(trial_schema.absent(study, table), study, "The data file lacks columns that the study file names.")
    _refuse(trial_schema.cell_faults(study, table), study, "The data file holds values that cannot be used.")
    table = _labelled(study, table)
    _refuse(_row_faults(study, table), study, "The rows of the data file contradict each other.")
    trial = _assemble(study, table)
    _refuse(_empty_faults(study, trial), study, "There is nothing to compare.")
    return trial


def _refuse(faults: list[Fault], study: Study, what: str) -> None:
    if faults:
        why = f"{len(faults)} fault{'s' if len(faults) > 1 else ''} in {study.data.file} (row 1 is the header):"
        raise InvalidInput(what, why, "Correct the data, or the study file where it describes them wrongly.", faults)


def _labelled(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    columns = study.columns
    labels = {name: plain_label(table[name]) for name in (columns.participant, columns.wave, columns.arm)}
    table = table.assign(**labels)
    # an arm written once a participant is enough
    arm = table.groupby(columns.participant)[columns.arm].transform("first")
    return table.assign(**{columns.arm: table[columns.arm].fillna(arm)})


def _row_faults(study: Study, table: pd.DataFrame) -> list[Fault]:
    columns = study.columns
    faults = []
    repeated = table[table.duplicated([columns.participant, columns.wave], keep="first")]
    for row, cell in repeated[columns.wave].items():
        faults.append(
            Fault(_row(row), columns.wave, cell, "one row for each participant and wave; this one is repeated")
        )
    first = table.groupby(columns.participant)[columns.arm].transform("first")
    for row, cell in table.loc[table[columns.arm].notna() & (table[columns.arm] != first), columns.arm].items():
        faults.append(Fault(_row(row), columns.arm, cell, "one arm a participant; an earlier row names the other"))
    for row, _ in table.loc[
        table[columns.arm].isna() & ~table.duplicated(columns.participant), columns.participant
    ].items():
        faults.append(Fault(_row(row), columns.arm, "", "an arm in at least one row of each participant"))
    if study.attendance:
        faults += _attendance_faults(study, table)
    return sorted(faults, key=lambda fault: fault.row or 0)


def _attendance_faults(study: Study, table: pd.DataFrame) -> list[Fault]:
    assert study.attendance is not None
    offered = {getattr(study.arms, arm).value: number for arm, number in study.attendance.offered.items()}
    attended = numbers(table[study.attendance.column], study)
    beyond = attended > table[study.columns.arm].map(offered).astype(float)
    return [
        Fault(
            _row(row),
            study.attendance.column,
            f"{attended[row]:g}",
            f"at most {offered[table.at[row, study.columns.arm]]}, the sessions offered",
        )
        for row in table.index[beyond]
    ]


def _row(label: object) -> int:
    return int(str(label))


def _assemble(study: Study, table: pd.DataFrame) -> xr.Dataset:
    names = study.columns
    waves = [wave.value for wave in study.waves]
    person, participants = pd.factorize(table[names.participant], sort=True)
    wave = pd.Categorical(table[names.wave], categories=waves).codes.astype(int)
    shape = (len(participants), len(waves))

    def grid(column: pd.Series) -> np.ndarray:
        values = np.full(shape, np.nan)
        values[person, wave] = column.to_numpy(float)
        return values

    def grids(parts: tuple) -> np.ndarray:
        return np.array([grid(numbers(table[part.column], study, part.codes)) for part in parts]).reshape(-1, *shape)

    by_wave = table.assign(_person=person, _wave=wave).sort_values(["_person", "_wave"], kind="stable")
    earliest = by_wave.groupby("_person")  # first() takes the earliest value that is not missing
    arm = (earliest[names.arm].first() == study.arms.treated.value).to_numpy(int)
    seen = np.zeros(shape, bool)
    seen[person, wave] = True
    codes, levels = _covariates(study, earliest, len(participants))
    dims = ("participant", "wave")
    variables = {
        "arm": ("participant", arm),
        "seen": (dims, seen),
        "outcome": (dims, grid(numbers(table[study.outcome.column], study, study.outcome.codes))),
        "further_outcome": (("further", *dims), grids(study.further_outcomes)),
        "mediator_value": (("mediator", *dims), grids(study.mediators)),
        "covariate_value": (("participant", "covariate"), codes),
    }
    if study.attendance:
        variables["attendance"] = ("participant", numbers(earliest[study.attendance.column].first(), study).to_numpy())
    coordinates = {
        "participant": np.asarray(participants, dtype=str),
        "wave": waves,
        "month": ("wave", [wave.month for wave in study.waves]),
        "role": ("wave", [wave.role for wave in study.waves]),
        "further": [part.column for part in study.further_outcomes],
        "mediator": [part.column for part in study.mediators],
        "covariate": [part.column for part in study.covariates],
    }
    return xr.Dataset(variables, coordinates, attrs={"levels": json.dumps(levels, ensure_ascii=False, sort_keys=True)})


def _covariates(study: Study, earliest: pd.api.typing.DataFrameGroupBy, participants: int) -> tuple[np.ndarray, dict[str, list[str]]]:
    codes, levels = [], {}
    for covariate in study.covariates:
        values = earliest[covariate.column].first()
        if covariate.kind == "continuous":
            codes.append(numbers(values, study).to_numpy())
            continue
        levels[covariate.column] = _levels(covariate, values)
        found = pd.Categorical(plain_label(values), categories=levels[covariate.column]).codes.astype(float)
        codes.append(np.where(found < 0, np.nan, found))
    return np.array(codes, dtype=float).reshape(len(codes), participants).T, levels


def _levels(covariate: Covariate, values: pd.Series) -> list[str]:
    return list(covariate.levels) or sorted(plain_label(values).dropna().astype(str).unique())


def _empty_faults(study: Study, trial: xr.Dataset) -> list[Fault]:
    faults = []
    for code, arm in enumerate((study.arms.control, study.arms.treated)):
        inside = trial["arm"].to_numpy() == code
        if not inside.any():
            faults.append(Fault(None, study.columns.arm, "no rows", f"at least one participant in {arm.value!r}"))
        elif not trial["outcome"].to_numpy()[inside].size or np.isnan(trial["outcome"].to_numpy()[inside]).all():
            faults.append(
                Fault(None, study.outcome.column, "all missing", f"at least one value in the arm {arm.value!r}")
            )
    return faults
