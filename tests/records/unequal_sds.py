"""How often the 95% interval of a difference in means holds it where standard deviations differ by wave or by arm.

`python -m tests.records.unequal_sds` writes one row a trial to standard output: design, seed, truth, lower, upper, and
the limits of an analysis of covariance (statsmodels), all in units of the outcome. 300 trials a design, of 60 an arm at
months 0, 3, 6 and 12, outcomes multivariate normal, drawn by NumPy alone, their effects from the default prior:
"waves" has SDs of 5.8, 7, 9.3 and 15.2 and correlations of .52 to .78 in both arms; "arms" has 10 at baseline, and from
then on 5.5 in the treated arm and 23.5 in the control arm, correlated .5.
"""

from __future__ import annotations

import csv
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import product

import numpy as np
from statsmodels.regression.linear_model import OLS

from models.design.layout import Design
from models.equations.effect import Effect
from models.equations.effect_integrated import Integrated
from models.estimands.response import response
from models.inference import nuts
from priors import prior_set

TRIALS, PEOPLE = 300, 60
COLUMNS = ("design", "seed", "truth", "lower", "upper", "ancova_lower", "ancova_upper")
MODEL = Effect(Integrated())
WAVES, ROLES = ("0", "3", "6", "12"), ("baseline", *("follow-up",) * 3)
SDS = {
    "waves": ((5.8, 7.0, 9.3, 15.2), (5.8, 7.0, 9.3, 15.2)),
    "arms": ((10.0, 23.5, 23.5, 23.5), (10.0, 5.5, 5.5, 5.5)),
}
"""Of the control and the treated arm."""
CORRELATION = {
    "waves": [[1, 0.74, 0.64, 0.52], [0.74, 1, 0.78, 0.65], [0.64, 0.78, 1, 0.7], [0.52, 0.65, 0.7, 1]],
    "arms": 0.5 + 0.5 * np.eye(4),
}


def trial(kind: str, seed: int) -> tuple[Design, float]:
    """One trial in SDs of its first wave, and the true difference at month 12 in units of the outcome."""
    rng = np.random.default_rng([seed, 40 + len(kind)])
    theta = prior_set.load()["theta"].sample(rng, (3,)) * SDS[kind][0][0]
    arm = np.repeat([0, 1], PEOPLE)
    values = np.concatenate([rng.multivariate_normal(np.zeros(4), _covariance(kind, each), PEOPLE) for each in (0, 1)])
    values += 50 + np.array([0.0, -0.5, 0.5, 1.0]) + arm[:, None] * np.array([0.0, *theta])
    location, scale = values[:, 0].mean(), values[:, 0].std(ddof=1)
    person, wave = np.indices(values.shape).reshape(2, -1)
    design = Design(
        likelihood="normal",
        wave=WAVES,
        role=ROLES,
        arm=arm - 0.5,
        covariates=np.zeros((arm.size, 0)),
        covariate=(),
        participant_of=person,
        wave_of=wave,
        outcome=((values - location) / scale).ravel(),
        month=tuple(map(float, WAVES)),
        location=float(location),
        scale=float(scale),
    )
    return MODEL.seen(replace(design, unstructured=True)), float(theta[-1])


def _covariance(kind: str, arm: int) -> np.ndarray:
    sd = np.array(SDS[kind][arm])
    return sd[:, None] * sd * np.array(CORRELATION[kind])


def intervals(case: tuple[str, int]) -> tuple[str, int, float, float, float, float, float]:
    """Truth, the model's limits and those of an analysis of covariance."""
    kind, seed = case
    design, truth = trial(kind, seed)
    sampler = nuts.Sampler(draws=1000, tune=500, chains=2, seed=seed)
    draws = nuts.sample(MODEL.ready(design, prior_set.load()), sampler, cores=1)["posterior"].to_dataset()
    mean = response(MODEL, draws, design, ("population",)).isel(average=0, wave=-1)
    difference = (mean.sel(arm="treated") - mean.sel(arm="control")).to_numpy()
    values = design.natural(design.outcome).reshape(-1, len(WAVES))
    plain = OLS(values[:, -1], np.column_stack([np.ones(len(values)), design.arm, values[:, 0]])).fit()
    return (kind, seed, truth, *map(float, np.quantile(difference, [0.025, 0.975])), *map(float, plain.conf_int()[1]))


if __name__ == "__main__":
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(COLUMNS)
    with ProcessPoolExecutor(2) as executor:
        for kind, seed, *numbers in executor.map(intervals, product(SDS, range(TRIALS))):
            writer.writerow((kind, seed, *(f"{number:.4f}" for number in numbers)))
