"""How often each finding of the data check is a false alarm, and how often it sees its defect: `python -m` this file.

Correct trials: a third each of binary, count and continuous outcomes; 60 to 400 participants, 1 to 4 waves, traits of
SD .5 to 2, attrition up to 15%, up to 2 mediators and 3 covariates; columns of sites, households, ages and dates.
"""

from __future__ import annotations

import sys
from collections import Counter
from functools import cache

import numpy as np
import pandas as pd

from models.trial import data_check
from models.trial.data_check import alias, undeclared_groups
from models.trial.study_file.study import Study
from tests.made_trials import study_of, trial_of

_STUDY = cache(study_of)


def correct(rng: np.random.Generator, kind: str) -> set[str]:
    """Findings on a correct trial; a refusal would raise."""
    waves, people = int(rng.integers(1, 5)), int(rng.integers(60, 401))
    mediators, covariates, arm = int(rng.integers(0, 3)), int(rng.integers(0, 4)), rng.permutation(people) % 2
    study = _STUDY(kind, waves, mediators, covariates, waves > 1)
    level = rng.choice([0.5, 1.2, 2.0]) * rng.normal(size=(people, 1)) + rng.normal(-1, 0.7)
    level = level + np.cumsum(rng.normal(0, 0.5, waves)) + rng.normal(0, 0.7) * arm[:, None] * (np.arange(waves) > 0)
    outcome = drawn(rng, kind, level)
    lost = np.maximum.accumulate(rng.random(level.shape) < 0.15 * np.arange(waves) / max(1, waves - 1), axis=1)
    outcome[lost] = np.nan
    paths = 50 + 10 * rng.normal(size=(mediators, people, 1)) + 5 * rng.normal(size=(mediators, people, waves))
    about = rng.normal(size=(people, covariates))
    about[:, :1] = np.round(35 + 10 * about[:, :1])
    about[:, 1:2] = about[:, 1:2] > 0
    trial = trial_of(study, arm, outcome, np.round(paths, int(rng.integers(0, 2))), about)
    data_check.refuse(study, trial)
    return {finding.kind for finding in data_check.findings(study, trial)}


def drawn(rng: np.random.Generator, kind: str, level: np.ndarray) -> np.ndarray:
    if kind == "binary":
        return (rng.random(level.shape) < 1 / (1 + np.exp(-level))).astype(float)
    if kind == "count":
        return rng.negative_binomial(2, 2 / (2 + np.exp(np.minimum(0.6 * level, 6)))).astype(float)
    return np.round(20 + 5 * (level + rng.normal(size=level.shape)), int(rng.integers(0, 3)))


def table(study: Study, arm: np.ndarray, **columns: np.ndarray) -> pd.DataFrame:
    """A file with one row a participant and some columns without a role."""
    names, values = study.columns, np.array([study.arms.control.value, study.arms.treated.value])
    people = [f"p{n}" for n in range(arm.size)]
    content = {names.participant: people, str(names.wave): "0", names.arm: values[arm], "sick": "0"}
    return pd.DataFrame(content | {name: column.astype(str) for name, column in columns.items()})


def columns_at_random(rng: np.random.Generator) -> bool:
    """Whether any column of a trial randomised person by person looks like groups."""
    people = int(rng.integers(60, 401))
    arm = (rng.permutation(people) < rng.choice([0.5, 0.33]) * people).astype(int)
    columns = {
        "site": rng.integers(0, rng.integers(2, 30), people),
        "household": rng.permutation(people) // 2,
        "age": rng.integers(18, 60, people),
        "date": np.sort(rng.integers(0, 200, people)),
        "sex": rng.integers(0, 2, people),
        "sessions": rng.integers(0, 12, people),
    }
    study = _STUDY("binary", 1, baseline=False)
    return bool(undeclared_groups.groupings(study, table(study, arm, **columns)))


def defects(rng: np.random.Generator) -> dict[str, bool]:
    """Whether each defect is seen, in trials of 120 unless said otherwise."""
    arm, trait = rng.permutation(120) % 2, rng.normal(size=(120, 1))
    outcome = 20 + 5 * (trait + rng.normal(size=(120, 3)))
    before, still = outcome + 7.07 * 0.8 * arm[:, None], outcome.copy()
    still[:, 0] = 0
    binary, three = _STUDY("binary", 4), _STUDY("continuous", 3)
    event = np.maximum.accumulate(rng.random((120, 4)) < 0.12, axis=1).astype(float)
    entry = (rng.random((120, 4)) < 1 / (1 + np.exp(0.5 - 1.2 * trait))).astype(float)
    entry[:, 0] = 1
    named = np.where(rng.random((120, 1)) < 0.03, 1 - arm[:, None], arm[:, None]).astype(float)
    once = _STUDY("binary", 1, baseline=False)
    of_12, of_40, of_60 = (np.repeat(np.arange(sites), size) for sites, size in ((12, 16), (40, 3), (60, 2)))
    sites = {f"{where[-1] + 1} groups": where for where in (of_12, of_40, of_60)}

    def kinds(study: Study, values: np.ndarray) -> set[str]:
        return {f.kind for f in data_check.findings(study, trial_of(study, arm[: len(values)], values))}

    adjusted = _STUDY("continuous", 3, 0, 1)
    return {
        "baseline .8 SD apart": "baseline difference" in kinds(three, before),
        "a wave of zeros": "wave without variation" in kinds(three, still),
        "a condition of entry": "wave without variation" in kinds(binary, entry),
        "first event, 4 waves": "absorbing outcome" in kinds(binary, event),
        "first event, 4 waves, 60 people": "absorbing outcome" in kinds(binary, event[:60]),
        "first event, 3 waves": "absorbing outcome" in kinds(_STUDY("binary", 3), event[:, :3]),
        "arm as covariate, 3% wrong": bool(alias.aliases(adjusted, trial_of(adjusted, arm, outcome, None, named))),
    } | {
        name: bool(
            undeclared_groups.groupings(once, table(once, rng.permutation(where[-1] + 1)[where] % 2, site=where))
        )
        for name, where in sites.items()
    }


def main(trials: int, seed: int) -> None:
    """Print the rates."""
    rng = np.random.default_rng(seed)
    alarms: Counter[str] = Counter()
    for place in range(trials):
        alarms.update(correct(rng, ("binary", "count", "continuous")[place % 3]))
        alarms["groups"] += columns_at_random(rng)
    seen: Counter[str] = Counter()
    for _ in range(trials // 10):
        seen.update(name for name, fired in defects(rng).items() if fired)
    print(f"{trials} correct trials:", dict(alarms), f"\n{trials // 10} of each defect:", dict(seen))  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
