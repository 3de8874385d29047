"""A short fit, for a process of its own: prints the hash of its draws."""

from __future__ import annotations

import hashlib
import sys

from models import effect_integrated, fit, simulate
from models.calibration import trials
from models.design import design
from priors import prior_set


def main() -> None:
    layout = design(*trials.simulated(simulate.load("effect"), 1))
    ready = fit.compile_model(effect_integrated.build(layout, prior_set.load()), {})
    draws = fit.sample(ready, fit.Sampler(draws=100, tune=100, chains=2, seed=1), cores=1)["posterior"]
    found = hashlib.sha256(b"".join(draws[name].to_numpy().tobytes() for name in sorted(draws.data_vars)))
    sys.stdout.write(found.hexdigest())


if __name__ == "__main__":
    main()
