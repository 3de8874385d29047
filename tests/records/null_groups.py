"""How often the interval of a trial that randomised groups leaves out 0 where nothing had an effect.

`python -m tests.records.null_groups` writes one row a trial and analysis to standard output: waves, grouped (whether
the analysis knows of the groups), seed, lower, upper. 200 trials of 12 groups of 16, an intraclass correlation of .05
on the link scale: at one wave, all of it lasting; with a baseline, half of it new at each wave and participants with
levels of their own. Outcomes are drawn by NumPy alone.
"""

from __future__ import annotations

import csv
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import product

import numpy as np

from models.design.groupings import NO_GROUPS, Groupings
from models.design.layout import Design
from models.equations.effect import Effect
from models.equations.effect_integrated import Integrated
from models.estimands.response import response
from models.inference import nuts
from priors import prior_set

GROUPS, SIZE, TRIALS, ICC = 12, 16, 200, 0.05
COLUMNS = ("waves", "grouped", "seed", "lower", "upper")
MODEL = Effect(Integrated())


def trial(seed: int, waves: int) -> Design:
    """One trial without any effect, at one wave or with a baseline before it."""
    rng = np.random.default_rng([seed, waves, GROUPS])
    member = np.repeat(np.arange(GROUPS), SIZE)
    arm = rng.permutation(np.arange(GROUPS) % 2)[member] - 0.5
    sd = np.sqrt(ICC / (1 - ICC) * np.pi**2 / 3)
    half = np.sqrt(0.5)
    lasting = rng.normal(size=GROUPS) * sd * (1.0 if waves == 1 else half)
    of_waves = rng.normal(size=(GROUPS, waves)) * sd * (0.0 if waves == 1 else half)
    own = rng.normal(size=member.size) * (0.0 if waves == 1 else 1.0)
    linear = -0.3 + (lasting[member] + own)[:, None] + of_waves[member]
    outcome = (rng.random(linear.shape) < 1 / (1 + np.exp(-linear))).astype(int)
    person, wave = np.indices(outcome.shape).reshape(2, -1)
    groups = Groupings(
        ("site",), ("randomised",), (GROUPS,), member[None], np.ones((1, waves), bool), varying=(waves > 1,)
    )
    return Design(
        likelihood="logit",
        wave=("0", "12")[-waves:],
        role=("baseline", "follow-up")[-waves:],
        arm=arm,
        covariates=np.zeros((member.size, 0)),
        covariate=(),
        participant_of=person,
        wave_of=wave,
        outcome=outcome.ravel(),
        month=(0.0, 12.0)[-waves:],
        has_trait=waves > 1,
        groups=groups,
    ).parametrised()


def interval(case: tuple[int, bool, int]) -> tuple[int, bool, int, float, float]:
    """The 95% interval of the risk difference."""
    waves, grouped, seed = case
    design, priors = trial(seed, waves), prior_set.load()
    design = design if grouped else replace(design, groups=NO_GROUPS)
    sampler = nuts.Sampler(draws=1000, tune=500, chains=2, seed=seed)
    draws = nuts.sample(MODEL.ready(design, priors), sampler, cores=1)["posterior"].to_dataset()
    risk = response(MODEL, draws, design, ("population",)).isel(average=0, wave=-1)
    difference = (risk.sel(arm="treated") - risk.sel(arm="control")).to_numpy()
    return (*case, *(float(limit) for limit in np.quantile(difference, [0.025, 0.975])))


if __name__ == "__main__":
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(COLUMNS)
    with ProcessPoolExecutor(2) as executor:
        for waves, grouped, seed, lower, upper in executor.map(interval, product((1, 2), (True, False), range(TRIALS))):
            writer.writerow((waves, int(grouped), seed, f"{lower:.4f}", f"{upper:.4f}"))
