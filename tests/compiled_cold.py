"""A short fit, for a process of its own: prints the hash of its draws."""

from __future__ import annotations

import hashlib
import sys

from models.calibration import simulated_trials
from models.design.layout import design
from models.equations.effect import Effect
from models.equations.effect_integrated import Integrated
from models.inference import nuts
from models.simulation import simulated_trial
from priors import prior_set

effect_integrated = Effect(Integrated())


def main() -> None:
    layout = design(*simulated_trials.simulated(simulated_trial.load("effect"), 1))
    ready = nuts.compile_model(effect_integrated.to_fit(layout, prior_set.load()))
    draws = nuts.sample(ready, nuts.Sampler(draws=100, tune=100, chains=2, seed=1), cores=1)["posterior"]
    found = hashlib.sha256(b"".join(draws[name].to_numpy().tobytes() for name in sorted(draws.data_vars)))
    sys.stdout.write(found.hexdigest())


if __name__ == "__main__":
    main()
