"""Baseline variables of a trial: one value a participant, and a note wherever that value is in doubt."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from models.trial.readers import value_labels
from models.trial.study_file.study import Covariate, Study
from models.trial.trial_schema import labels, numbers


@dataclass(frozen=True)
class Baseline:
    """Covariates of every participant.

    Attributes
    ----------
    value : ndarray, (participant, covariate)
        In their own units; categorical ones as codes into `levels`; NaN where missing.
    levels : dict of str to list of str
        Levels of each categorical covariate, by column.
    notes : list of str
        Limitations to print: values that stand later than baseline, values that change between rows.
    """

    value: np.ndarray = field(repr=False)
    levels: dict[str, list[str]]
    notes: list[str]


def baseline(study: Study, table: pd.DataFrame, person: np.ndarray, wave: np.ndarray) -> Baseline:
    """Take each participant's earliest value of each covariate.

    The earliest and not the baseline row's alone, because a file may lack that row and repeat a person's age in the
    others; a value from a later wave may have been changed by the programme, so the notes count those.

    Parameters
    ----------
    study : Study
        Names the covariates.
    table : DataFrame
        The trial's rows, as text.
    person, wave : ndarray of int, (row,)
        Which participant and which wave each row is of.
    """
    value = np.full((person.max() + 1, len(study.covariates)), np.nan)
    levels: dict[str, list[str]] = {}
    notes: list[str] = []
    for place, covariate in enumerate(study.covariates):
        text = table[covariate.column]
        if covariate.kind == "categorical":
            text = labels(text)
            found = set(text.dropna())
            coded = value_labels.of(table).get(covariate.column)  # a labelled file orders its levels
            levels[covariate.column] = list(covariate.levels) or (
                [level for level in coded.order if level in found] if coded else sorted(found)
            )
            codes = pd.Categorical(text, categories=levels[covariate.column]).codes.astype(float)
            values = np.where(codes < 0, np.nan, codes)
        else:
            values = numbers(text, study, covariate).to_numpy()
        rows = pd.DataFrame({"person": person, "wave": wave, "value": values}).dropna().sort_values(["person", "wave"])
        first = rows.drop_duplicates("person")
        value[first["person"], place] = first["value"]
        notes += _notes(study, covariate, rows, first)
    return Baseline(value, levels, notes)


def _notes(study: Study, covariate: Covariate, rows: pd.DataFrame, first: pd.DataFrame) -> list[str]:
    late = int((first["wave"] > 0).sum()) if study.waves[0].role == "baseline" else 0
    changed = int((rows.groupby("person")["value"].nunique() > 1).sum())
    notes = []
    if late:
        notes.append(
            f"{covariate.label}: no value at baseline for {_people(late, study)}; one from a later wave is used, "
            "although the programme may have changed it."
        )
    if changed:
        notes.append(
            f"{covariate.label}: another value in a later row for {_people(changed, study)}; the earliest is used."
        )
    return notes


def _people(count: int, study: Study) -> str:
    smallest = study.privacy.minimum_cell
    return f"fewer than {smallest} participants" if count < smallest else f"{count} participant{'s'[: count > 1]}"
