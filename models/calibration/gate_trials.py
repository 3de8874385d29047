"""Trials for the record of the gate's rates: correct ones of mixed kinds, and ones with one defect each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import xarray as xr

from models.calibration.simulated_trials import simulated
from models.simulation import simulated_trial
from models.simulation.scenario import Scenario
from models.simulation.scenario_parts import Missingness
from models.trial.study_file.study import Study

CORRECT = ("binary", "count", "continuous", "mediation")
DEFECTS = ("sd by wave", "sd by arm", "zero counts", "zero participants", "own slopes", "log-normal mediator")
KNOWN = ("sd by wave", "sd by arm")
"""Of these, what the model has come to know: the gate is to be green."""
BEFORE = ("covariate is the arm", "baseline apart", "still wave", "never comes back", "repeated extremes")
"""Defects that the data check sees, before any fit."""
KINDS = (*CORRECT, *DEFECTS, *BEFORE)
MEDIATED = ("mediation", "log-normal mediator")
"""Kinds that are fitted with the mediation model."""
MONTHS = (0.0, 3.0, 6.0, 12.0)
FOLD = 2.5
"""By how much the wider standard deviation exceeds the others."""
OF_A_HUNDRED = {"binary": 80, "count": 30, "continuous": 70, "mediation": 20}
"""Correct trials of each kind where a hundred of every defect are judged: two hundred in all."""
SIZES = (60, 80, 107, 120, 150, 200, 300, 400)
DEFECT_SIZE = {"zero counts": 150, "zero participants": 150}
"""Participants of a trial with a defect: 120 unless stated."""


def trial_of(kind: str, number: int, seed: int) -> tuple[Study, xr.Dataset]:
    """One trial of a kind, a function of the arguments alone.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    number : int
        Of the trial within its kind.
    seed : int
        Of the whole record.
    """
    rng = np.random.default_rng([seed, KINDS.index(kind), number])
    scenario, size = _scenario(kind, rng)
    study, trial = simulated(scenario, int(rng.integers(2**31)), size)
    return study, SPOILT[kind](study, trial, rng) if kind in SPOILT else trial


def _scenario(kind: str, rng: np.random.Generator) -> tuple[Scenario, int]:
    """A scenario of the kind, and participants: waves, levels, effects, spreads and losses all vary."""
    if kind in MEDIATED:
        return simulated_trial.load("mediation_clean"), 120  # of one size
    size = int(rng.choice(SIZES)) if kind in CORRECT else DEFECT_SIZE.get(kind, 120)
    waves = int(rng.integers(1 if kind in CORRECT else 3 if kind in BEFORE else 2, 5))
    outcome = {
        "binary": "binary", "count": "count", "zero counts": "count", "zero participants": "count"
    }.get(kind, "binary" if kind == "never comes back" else "continuous")  # fmt: skip
    return _of_outcome(outcome, waves, rng, lost=kind in CORRECT), size


def _of_outcome(kind: str, waves: int, rng: np.random.Generator, lost: bool) -> Scenario:
    base = simulated_trial.load("effect")
    # a baseline, but for half of the trials of two waves
    begun = waves > 2 or (waves == 2 and bool(rng.random() < 0.5))
    kept = tuple(
        replace(base.waves[0], value=f"m{month:g}", label=f"month {month:g}", month=month, role=role)
        for month, role in zip(
            MONTHS[-waves:] if not begun else (0.0, *MONTHS[len(MONTHS) - waves + 1 :]),
            ("baseline" if begun else "follow-up", *("follow-up",) * (waves - 1)),
            strict=True,
        )
    )
    drift = np.concatenate([[0.0], rng.normal(0, 0.3, waves - 1).cumsum()])
    first = {"binary": rng.uniform(-1.5, 0.5), "count": rng.uniform(0.0, 1.8), "continuous": rng.uniform(10, 50)}[kind]
    unit = float(rng.uniform(3, 12)) if kind == "continuous" else 1.0
    effect = rng.choice([0.0, -0.3, -0.5]) * unit
    outcome = replace(
        base.outcomes[0],
        kind=kind,
        intercepts=tuple(float(v) for v in first + drift * unit),
        arm_effects=tuple(0.0 if wave.role == "baseline" else float(effect) for wave in kept),
        trait_sd=float(rng.uniform(0.3, 1.3)) * unit * (0.7 if kind == "count" else 1.0),
        residual_sd=unit,
        dispersion=float(rng.uniform(0.2, 0.9)) if kind == "count" else 0.0,
        margin={"binary": 0.1, "count": 0.3 * float(np.exp(first)), "continuous": 0.5 * unit}[kind],
        covariates={name: _scaled(value, unit) for name, value in base.outcomes[0].covariates.items()},
    )
    leaving = lost and waves > 1 and bool(rng.random() < 0.6)
    loss = Missingness("dropout", (0.0, *(0.08,) * (waves - 1)), last_outcome=0.4 if kind == "binary" else 0.0)
    missing = (loss,) if leaving else ()
    return replace(base, waves=kept, primary_wave=kept[-1].value, outcomes=(outcome,), missingness=missing)


def _scaled(value: object, unit: float) -> object:
    return tuple(unit * each for each in value) if isinstance(value, tuple | list) else unit * float(value)  # type: ignore[arg-type]


Spoil = Callable[[Study, xr.Dataset, np.random.Generator], xr.Dataset]


def _around(trial: xr.Dataset, factor: xr.DataArray) -> xr.Dataset:
    """Outcomes' departures from the mean of their arm and wave, multiplied."""
    mean = trial["outcome"].groupby(trial["arm"]).mean("participant").sel(arm=trial["arm"]).drop_vars("arm")
    return trial.assign(outcome=(mean + (trial["outcome"] - mean) * factor).transpose("participant", "wave"))


def _sd_by_wave(study: Study, trial: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:  # noqa: ARG001
    last = trial["wave"] == study.primary_wave
    return _around(trial, xr.where(last, FOLD, 1.0))


def _sd_by_arm(study: Study, trial: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:  # noqa: ARG001
    after = trial["role"] != "baseline"
    return _around(trial, xr.where(after & (trial["arm"] == 1), FOLD, 1.0))


def _zero_counts(study: Study, trial: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:  # noqa: ARG001
    kept = xr.DataArray(rng.random(trial["outcome"].shape) < 0.5, dims=("participant", "wave"))
    return trial.assign(outcome=trial["outcome"] * kept)


def _zero_participants(study: Study, trial: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:  # noqa: ARG001
    kept = xr.DataArray(rng.random(trial.sizes["participant"]) < 0.5, dims="participant")
    return trial.assign(outcome=(trial["outcome"] * kept).transpose("participant", "wave"))


def _own_slopes(study: Study, trial: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
    """Participants who change each at their own pace: by the last wave as much again as they differ at the first."""
    month = trial["month"] / max(wave.month for wave in study.waves)
    pace = xr.DataArray(rng.standard_normal(trial.sizes["participant"]), dims="participant")
    wide = 2.0 * float(trial["outcome"].isel(wave=0).std())
    return trial.assign(outcome=(trial["outcome"] + wide * pace * month).transpose("participant", "wave"))


def _log_normal(study: Study, trial: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:  # noqa: ARG001
    kinds = {part.column: part.kind for part in study.mediators}
    value = trial["mediator_value"].copy()
    for place, name in enumerate(value["mediator"].to_numpy()):
        if kinds[str(name)] == "continuous":
            own = value[place]
            value[place] = np.exp((own - own.mean()) / own.std())
    return trial.assign(mediator_value=value)


def _covariate(study: Study, trial: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:  # noqa: ARG001
    value = trial["covariate_value"].copy()
    value[:, 0] = 30.0 + 5.0 * trial["arm"].to_numpy()
    return trial.assign(covariate_value=value)


def _apart(study: Study, trial: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:  # noqa: ARG001
    """A shift of .9 SD: of 120 participants 4.9 standard errors."""
    first = trial["role"] == "baseline"
    shift = 0.9 * float(trial["outcome"].isel(wave=0).std())
    moved = trial["outcome"] + xr.where(first & (trial["arm"] == 1), shift, 0.0)
    return trial.assign(outcome=moved.transpose("participant", "wave"))


def _still(study: Study, trial: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:  # noqa: ARG001
    return trial.assign(outcome=trial["outcome"].where(trial["role"] != "baseline", 0.0))


def _never_back(study: Study, trial: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:  # noqa: ARG001
    return trial.assign(outcome=(trial["outcome"].cumsum("wave") > 0).astype(float))


def _extremes(study: Study, trial: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:  # noqa: ARG001
    code = xr.DataArray(rng.random(trial["outcome"].shape) < 0.08, dims=("participant", "wave"))
    return trial.assign(outcome=trial["outcome"].where(~code, -99.0))


SPOILT: Mapping[str, Spoil] = {
    "sd by wave": _sd_by_wave, "sd by arm": _sd_by_arm, "zero counts": _zero_counts,
    "zero participants": _zero_participants, "own slopes": _own_slopes, "log-normal mediator": _log_normal,
    "covariate is the arm": _covariate, "baseline apart": _apart, "still wave": _still,
    "never comes back": _never_back, "repeated extremes": _extremes,
}  # fmt: skip
