"""How many women lived through violence at baseline, by seed: `python -m tests.records.undarga_seed`.

Writes one row a seed to standard output, for the seeds before that of the shipped study.
"""

from __future__ import annotations

import csv
import sys

from models.simulation.simulated_trial import load, simulate
from tests.test_simulate_studies import FIRST, SEED

if __name__ == "__main__":
    write = csv.writer(sys.stdout, lineterminator="\n")
    write.writerow(["seed", "violent"])
    scenario = load("undarga")
    for seed in range(FIRST, SEED):
        write.writerow([seed, int(simulate(scenario, seed).outcomes["violence_any"][:, 0].sum())])
