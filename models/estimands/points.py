"""Points over which g-computation averages: traits, innovations and covariates, the same in all worlds."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import special, stats

REPLICATES = 4
"""Independent scrambles of the Sobol sequence, whose spread is the integration error."""
WANTED = 1024
"""Points in all, unless a test asks for more; rounded up until every participant stands equally often."""
MOST = 4096
"""Participants up to whom each replicate holds all of them; beyond, a random part."""


@dataclass(frozen=True)
class Points:
    """Points of a population.

    Attributes
    ----------
    normal : ndarray, (trait, point)
        Standard normal scores of the traits.
    uniform : ndarray, (innovation, point)
        In (0, 1).
    person : ndarray of int, (point,)
        Whose covariates stand at each point.
    replicates : int
        The points are so many equal blocks, each an independent scramble.
    """

    normal: np.ndarray = field(repr=False)
    uniform: np.ndarray = field(repr=False)
    person: np.ndarray = field(repr=False)
    replicates: int = REPLICATES


def population(traits: int, innovations: int, participants: int, wanted: int = WANTED, seed: int = 0) -> Points:
    """Randomised quasi-Monte-Carlo points (Sobol, scrambled; Owen 1998); a function of the arguments alone.

    Parameters
    ----------
    traits, innovations : int
        Dimensions of the normal scores and of the uniforms.
    participants : int
        Whose covariates are averaged over: each stands equally often; of more than `MOST` a random part, anew in each
        replicate.
    wanted : int
        Points in all, at least.
    seed : int
        Of the scrambles.
    """
    rng = np.random.default_rng([seed, 11])
    some = min(participants, MOST)
    block = some * -(-wanted // (REPLICATES * some))
    draws, people = [], []
    for _ in range(REPLICATES):
        sequence = stats.qmc.Sobol(max(traits + innovations, 1), scramble=True, rng=rng)
        # a power of two is the rule's own size; what is beyond `block` is cut off
        draws.append(sequence.random_base2(int(np.ceil(np.log2(block))))[:block].T)
        # everybody equally often in each replicate, so that their differences are no error of integration
        who = np.arange(participants) if some == participants else rng.choice(participants, some, replace=False)
        people.append(rng.permutation(np.resize(who, block)))
    # a scrambled point can be 0 to the last bit
    uniform = np.clip(np.concatenate(draws, axis=1), 1e-12, 1 - 1e-12)
    return Points(special.ndtri(uniform[:traits]), uniform[traits : traits + innovations], np.concatenate(people))


def participants_themselves(innovations: int, participants: int, wanted: int = WANTED // 4, seed: int = 0) -> Points:
    """Points with each participant's own trait: innovations alone are drawn; one replicate."""
    person = np.tile(np.arange(participants), max(1, -(-wanted // participants)))
    sequence = stats.qmc.Sobol(max(innovations, 1), scramble=True, rng=np.random.default_rng([seed, 13]))
    uniform = sequence.random_base2(int(np.ceil(np.log2(person.size))))[: person.size].T
    return Points(np.zeros((0, person.size)), np.clip(uniform, 1e-12, 1 - 1e-12)[:innovations], person, 1)
