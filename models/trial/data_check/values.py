"""Values that do not vary where a measurement would: constant outcomes, waves that are no measurement, empty waves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import xarray as xr

from models.faults import Fault
from models.trial.data_check.finding import Finding
from models.trial.study_file.study import Mediator, Outcome, Study

CHANCE = 1e-4
"""Of so many equal values at one wave, were they drawn from those of the others."""
LEFT_OUT = (
    "(a change score at baseline, a condition of entry): leave the wave out of the data and of [[waves]], or put there "
    "what was measured"
)
BLANK = "(what the programme brings, before it): leave the values blank, unless they were"
"""What to do about a wave at which nobody varies: of an outcome, and of a mediator."""
FEWEST = 5
"""Values at a wave of which it can be said that none differs."""


def constant(study: Study, trial: xr.Dataset) -> list[Fault]:
    """Outcomes that cannot be analysed: the primary one, or any continuous one, has the same value everywhere."""
    every = [trial["outcome"].to_numpy(), *trial["further_outcome"].to_numpy()]
    return [
        Fault(None, part.column, f"{_first(values):g} in every row", "values that differ")
        for part, values in zip(study.outcomes, every, strict=True)
        if (part is study.outcome or part.family.standardised) and _constant(values)
    ]


def findings(study: Study, trial: xr.Dataset) -> Iterator[Finding]:
    """Waves at which nobody varies, outcomes that never do, a primary wave without outcomes, lone participants."""
    yield from _still_waves(study.outcome, trial["outcome"].to_numpy(), study)
    for mediator, values in zip(study.mediators, trial["mediator_value"].to_numpy(), strict=True):
        yield from (replace(found, status="note") for found in _still_waves(mediator, values, study, BLANK))
    for part, values in zip(study.further_outcomes, trial["further_outcome"].to_numpy(), strict=True):
        yield from _still_waves(part, values, study)
        if _constant(values):
            yield Finding(
                "constant outcome",
                f"{part.label}: every observed value is {_first(values):g}; its results rest on the priors.",
                "note",
            )
    yield from _few(study, trial)


def _constant(values: np.ndarray) -> bool:
    present = values[~np.isnan(values)]
    return present.size > 1 and np.ptp(present) == 0


def _first(values: np.ndarray) -> float:
    return float(values[~np.isnan(values)][0])


def _still_waves(
    part: Outcome | Mediator, values: np.ndarray, study: Study, advice: str = LEFT_OUT
) -> Iterator[Finding]:
    for place, wave in enumerate(study.waves):
        here, others = values[:, place], np.delete(values, place, axis=1)
        here, others = here[~np.isnan(here)], others[~np.isnan(others)]
        if here.size < FEWEST or not _constant(here) or others.size < FEWEST or np.ptp(others) == 0:
            continue
        # the share of this value at the other waves, drawn towards one half as by one observation
        share = ((others == here[0]).sum() + 0.5) / (others.size + 1)
        if share**here.size < CHANCE:
            yield Finding(
                "wave without variation",
                f"{part.label}: every value at the wave {wave.label!r} is {here[0]:g}; at other waves they vary. Where "
                f"nobody can differ nothing was measured {advice}.",
                "red" if part.kind == "continuous" else "amber",
            )


def _few(study: Study, trial: xr.Dataset) -> Iterator[Finding]:
    """Cells with a single outcome, and a primary wave at which an arm has none."""
    observed = trial["outcome"].notnull().to_numpy()
    arm = trial["arm"].to_numpy()
    for place, wave in enumerate(study.waves):
        for code, name in enumerate((study.arms.control, study.arms.treated)):
            count, primary = int(observed[arm == code, place].sum()), wave.value == study.primary_wave
            if count == 0 and primary:
                yield Finding(
                    "empty primary wave",
                    f"{study.outcome.label}: no value in the arm {name.label!r} at {wave.label!r}, the primary wave: "
                    "the data do not answer the question.",
                    "red",
                )
            if count == 1:
                shown = "fewer participants than are printed" if study.privacy.minimum_cell > 1 else "one participant"
                yield Finding(
                    "lone participant",
                    f"{study.outcome.label}: {shown} observed in the arm {name.label!r} at the wave {wave.label!r}.",
                    "amber" if primary else "note",
                )
