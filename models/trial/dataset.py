"""A trial's data as one labelled Dataset over (participant, wave), after every fault has been named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from models.faults import Fault, InvalidInput
from models.trial import baseline_variables, missing_codes, other_arms, trial_rules, trial_schema
from models.trial.data_check import undeclared_groups
from models.trial.readers import data_file, labelled_numbers
from models.trial.study_file import wide_layout
from models.trial.study_file.study import Exposure, Mediator, Outcome, Study
from models.trial.trial_schema import labels, numbers


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
        dims participant, wave, further, mediator, exposure, covariate. Variables: `arm` (participant) 0 control, 1
        treated; `seen` (participant, wave) True where the file has a row; `outcome` (participant, wave),
        `further_outcome` (further, participant, wave) and `mediator_value` (mediator, participant, wave), in their own
        units; `amount` (exposure, participant, wave), what counts arose over; `covariate_value` (participant,
        covariate), categorical ones as codes into attrs["levels"] (JSON); `attendance` (participant) sessions; `group`
        (grouping, participant), which of a grouping's groups, −1 for none. Missing values are NaN. Participants are in
        the order of their identifiers, whatever the row order. attrs["notes"] (JSON) lists limitations in sentences,
        attrs["groups"] columns of the file whose values lie in one arm each.

    Raises
    ------
    InvalidInput
        With every fault: unknown labels, values outside their kind, duplicates, a participant in two arms, an empty
        arm.
    """
    names = study.columns
    keys = [name for name in (names.participant, names.wave) if name is not None]
    table = data_file.read(study.data, folder, study.role_columns, keys)
    _refuse(trial_schema.absent(study, table), study, "The data file lacks columns that the study file names.")
    table, notes, unknown = other_arms.without(study, table)
    _refuse(unknown, study, "The study file leaves out arms that are not in the data.")
    table = labelled_numbers.read(study, table)
    _refuse_cells(study, table)
    grouped = [grouping.column for grouping in study.groupings]
    table = table.assign(**{name: labels(table[name]) for name in (*keys, names.arm, *grouped)})
    _refuse(trial_rules.between_rows(study, table), study, "The rows of the data file contradict each other.")
    notes += labelled_numbers.notes(study, table)
    together = undeclared_groups.groupings(study, table)
    trial = _assemble(study, wide_layout.rows(study, table), {"notes": notes, "groups": together})
    _refuse(trial_rules.of_arms(study, trial), study, "The arms cannot be compared.")
    _refuse(trial_rules.groups(study, trial), study, "The groups cannot be told from the arms.")
    return trial


MEND = "Correct the data, or the study file where it describes them wrongly."


def _refuse(faults: list[Fault], study: Study, what: str, fix: str = MEND) -> None:
    if faults:
        why = f"{len(faults)} fault{'s' if len(faults) > 1 else ''} in {study.data.file} (row 1 is the header):"
        raise InvalidInput(what, why, fix, faults)


def _refuse_cells(study: Study, table: pd.DataFrame) -> None:
    faults, further = trial_schema.cell_faults(study, table), other_arms.further(study, table)
    if not further:
        _refuse(faults, study, "The data file holds values that cannot be used.")
    _refuse(
        [*further, *other_arms.of_values(faults, study, further)],
        study,
        "The data file has more than two arms, and two can be compared.",
        "Name those two in [arms], and list the values of the others in [data] leave_out: their participants are then "
        "left out, and counted.",
    )


def _assemble(study: Study, rows: wide_layout.Rows, found: dict[str, list]) -> xr.Dataset:
    names, waves = study.columns, [wave.value for wave in study.waves]
    table, wave = rows.table, rows.wave
    person, participants = pd.factorize(table[names.participant], sort=True)
    shape = (len(participants), len(waves))

    def grids(parts: tuple[Outcome | Mediator | Exposure, ...]) -> np.ndarray:
        values = np.full((len(parts), *shape), np.nan)
        for place, part in enumerate(parts):
            values[place, person, wave] = numbers(table[part.column], study, part)
        return values

    seen = np.zeros(shape, bool)
    seen[person, wave] = rows.seen
    covariates = baseline_variables.baseline(study, table, person, wave)
    dims = ("participant", "wave")
    variables = {
        "arm": ("participant", (_once(table[names.arm], person) == study.arms.treated.value).to_numpy(int)),
        "seen": (dims, seen),
        "outcome": (dims, grids((study.outcome,))[0]),
        "further_outcome": (("further", *dims), grids(study.further_outcomes)),
        "mediator_value": (("mediator", *dims), grids(study.mediators)),
        "covariate_value": (("participant", "covariate"), covariates.value),
    }
    if study.exposures:
        variables["amount"] = (("exposure", *dims), grids(study.exposures))
    if study.groupings:
        groups = [_once(table[part.column], person) for part in study.groupings]
        codes = np.array([pd.factorize(each, sort=True)[0] for each in groups])
        variables["group"] = (("grouping", "participant"), codes)
    if study.attendance:
        sessions = numbers(_once(table[study.attendance.column], person), study)
        variables["attendance"] = ("participant", sessions.to_numpy())
    coordinates = {
        "participant": np.asarray(participants, dtype=str),
        "wave": waves,
        "month": ("wave", [wave.month for wave in study.waves]),
        "role": ("wave", [wave.role for wave in study.waves]),
        "further": [part.column for part in study.further_outcomes],
        "mediator": [part.column for part in study.mediators],
        "covariate": [part.column for part in study.covariates],
    }
    if study.exposures:
        coordinates["exposure"] = [part.column for part in study.exposures]
    if study.groupings:
        coordinates["grouping"] = [part.column for part in study.groupings]
    notes = [*found["notes"], *covariates.notes]
    attributes = found | {"levels": covariates.levels, "notes": notes}
    written = {name: json.dumps(value, ensure_ascii=False, sort_keys=True) for name, value in attributes.items()}
    trial = xr.Dataset(variables, coordinates, attrs=written)
    notes = [*attributes["notes"], *missing_codes.questions(study, trial)]
    return trial.assign_attrs(notes=json.dumps(notes, ensure_ascii=False))


def _once(column: pd.Series, person: np.ndarray) -> pd.Series:
    """The one value that a participant's rows share, in the order of the participants."""
    return column.groupby(person).first()
