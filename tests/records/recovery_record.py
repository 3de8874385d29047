"""Replications too long for the test suite: `python -m tests.records.recovery_record SCENARIO SIZE COUNT`.

Writes one row a trial and effect to standard output: scenario, participants, seed, effect, truth, posterior mean, SD
and 95% limits. The trials are those of seeds 0 to COUNT − 1, the fits those of `tests/test_mediation_recovery.py`.
"""

from __future__ import annotations

import csv
import sys

import numpy as np

from models.simulation import simulated_trial
from tests.test_mediation_recovery import _effects, _truths

COLUMNS = ("scenario", "participants", "seed", "effect", "truth", "mean", "sd", "lower", "upper")


def main(name: str, participants: int, count: int) -> None:
    """Print the rows."""
    scenario = simulated_trial.load(name)
    known = _truths(scenario)
    write = csv.writer(sys.stdout)
    write.writerow(COLUMNS)
    for seed in range(count):
        found = _effects(scenario, seed, participants)
        for effect, truth in known.items():
            draws = found[effect]
            numbers = (truth, draws.mean(), draws.std(), *np.quantile(draws, [0.025, 0.975]))
            write.writerow([name, participants, seed, effect, *(f"{number:.6f}" for number in numbers)])
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
