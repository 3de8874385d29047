"""The kernel of integrals, for a process of its own: prints the hash of what it finds."""

from __future__ import annotations

import hashlib
import sys

import numpy as np

from models.equations.histories import integrals
from models.outcomes import FAMILIES
from tests import pinned


def main() -> None:
    found, rng = hashlib.sha256(), np.random.default_rng(1)
    for likelihood, family in FAMILIES.items():
        seen = pinned.layout(likelihood).histories
        for _ in range(50):
            eta, logs = rng.normal(-0.5, 1.0, seen.arm.size * 4), np.empty(seen.count.size)
            slopes = np.empty((2, eta.size))
            scale = (rng.uniform(0.2, 3.0), rng.uniform(0.2, 3.0, eta.size))
            whole = integrals.each(family.number, 1.0, eta, *scale, *seen.structure.values(), logs, *slopes)
            found.update(np.concatenate([whole, logs, slopes.ravel()]).tobytes())
    sys.stdout.write(found.hexdigest())


if __name__ == "__main__":
    main()
