"""Standard deviations by arm and wave: twenty ways in which they differ, and as many trials in which they do not.

On pinned replicates: trials of the equal-SD model with the spread pooled over the data's cells, as its fit would find.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.checks import outcome_checks, predictive, spread_checks
from models.checks.gate_limits import LIMITS
from models.checks.gate_table import CheckName, Status
from models.design.layout import Design

REPLICATES = 1000


def _trial(rng: np.random.Generator, **of: Any) -> Design:
    """A trial of normal outcomes: `sd` (arm, wave) or one for all, `trait` its share of the variance, `lost` a wave."""
    n, waves = of.get("n", 120), of.get("waves", 4)
    arm = np.where(rng.permutation(n) < n * of.get("control", 0.5), -0.5, 0.5)
    person, wave = np.indices((n, waves)).reshape(2, -1)
    sd = np.broadcast_to(of.get("sd", 1.0), (2, waves))[(arm[person] > 0).astype(int), wave]
    share = of.get("trait", 0.5)
    noise = np.sqrt(share) * rng.standard_normal(n)[person] + np.sqrt(1 - share) * rng.standard_normal(person.size)
    mean = of.get("means", np.zeros(waves))[wave] + of.get("effect", 0.0) * arm[person] * (wave > 0)
    kept = (wave == 0) | (rng.random(person.size) > of.get("lost", 0.0))
    location, scale = of.get("unit", (0.0, 1.0))
    return Design(
        "normal", tuple(map(str, range(waves))), ("baseline",) * (waves > 1) + ("follow-up",) * (waves - (waves > 1)),
        arm, np.zeros((n, 0)), (), person[kept], wave[kept], (mean + sd * noise)[kept],
        location=location, scale=scale, has_trait=waves > 1,
    )  # fmt: skip


def _replicates(design: Design, rng: np.random.Generator, trait: float = 0.5) -> np.ndarray:
    """New trials with the cells' means and their pooled standard deviation, itself as uncertain as a fit's."""
    cells = list(predictive.cells(design))
    free = design.outcome.size - len(cells)
    pooled = np.sqrt(sum(design.outcome[inside].var() * inside.sum() for _, _, inside in cells) / free)
    mean = np.zeros(design.outcome.size)
    for _, _, inside in cells:
        mean[inside] = design.outcome[inside].mean()
    scale = pooled * np.sqrt(free / rng.chisquare(free, REPLICATES))[:, None]
    person = design.participant_of
    lasting = rng.standard_normal((REPLICATES, design.participants))[:, person]
    noise = np.sqrt(trait) * lasting + np.sqrt(1 - trait) * rng.standard_normal((REPLICATES, person.size))
    return design.natural(mean + scale * noise)


def _check(of: dict[str, Any], seed: int):
    rng = np.random.default_rng([seed, 3])
    design = _trial(rng, **of)
    return outcome_checks.spreads(_replicates(design, rng, of.get("trait", 0.5)), design)


LAST, FIRST, MIDDLE = (1, 1, 1, 2.5), (2.5, 1, 1, 1), (1, 2.5, 1, 1)
UNEQUAL = {
    "last wave": {"sd": LAST},
    "first wave": {"sd": FIRST},
    "a wave between": {"sd": MIDDLE},
    "growing from wave to wave": {"sd": (1, 1.4, 1.8, 2.5)},
    "shrinking towards a floor": {"sd": (2.5, 1.8, 1.4, 1)},
    "the treated arm, all along": {"sd": [[1], [2.5]]},
    "the control arm, all along": {"sd": [[2.5], [1]]},
    "the treated arm after baseline": {"sd": [[1, 1, 1, 1], [1, 2.5, 2.5, 2.5]]},
    "the treated arm at the last wave alone": {"sd": [[1, 1, 1, 1], LAST]},
    "arms in opposite ways": {"sd": [LAST, FIRST]},
    "two waves": {"waves": 2, "sd": (1, 2.5)},
    "one wave, by arm": {"waves": 1, "sd": [[1], [2.5]]},
    "80 participants": {"n": 80, "sd": LAST},
    "400 participants, half as much": {"n": 400, "sd": (1, 1, 1, 1.6)},
    "two in three treated": {"control": 1 / 3, "sd": [[2.5], [1]]},
    "a third lost": {"lost": 0.33, "sd": LAST},
    "hardly a lasting level": {"trait": 0.05, "sd": LAST},
    "lasting levels almost alone": {"trait": 0.95, "sd": LAST},
    "large numbers": {"unit": (1e6, 3e4), "sd": LAST},
    "tiny numbers, an effect": {"unit": (0, 1e-6), "effect": 1.0, "sd": LAST},
}
EQUAL = {
    "plain": {},
    "one wave": {"waves": 1},
    "two waves": {"waves": 2},
    "40 participants": {"n": 40},
    "400 participants": {"n": 400},
    "levels that fall": {"means": np.array([0.0, -2.0, -4.0, -6.0])},
    "a large effect": {"effect": 3.0},
    "a third lost": {"lost": 0.33},
    "two in three treated": {"control": 1 / 3},
    "lasting levels almost alone": {"trait": 0.95},
    "large numbers": {"unit": (1e6, 3e4)},
}


@pytest.mark.parametrize("name", UNEQUAL)
def test_unequal_standard_deviations_are_seen(name):
    assert _check(UNEQUAL[name], 1).status != Status.GREEN


@pytest.mark.parametrize("name", EQUAL)
def test_equal_ones_are_not(name):
    # 11 fixed seeds, each out of the band in at most .5% of trials: all inside in 94% of choices of seeds
    assert _check(EQUAL[name], 2).status == Status.GREEN


def test_it_cries_wolf_in_one_trial_of_200_at_most():
    # 400 correct trials at .5%: 2 expected, more than 7 with probability .001 (Poisson)
    alarms = sum(_check({"n": 60, "waves": 2}, seed).status != Status.GREEN for seed in range(100, 500))
    assert alarms <= 7


def test_the_worst_cell_is_named_with_what_was_expected():
    found = _check({"sd": [[1, 1, 1, 1], LAST]}, 1)
    assert found.where == ({"arm": "treated", "wave": "3"},)
    assert found.figures["observed"] > found.figures["upper"] > found.figures["lower"] > 0


def test_values_all_alike_are_not_green():
    rng = np.random.default_rng(1)
    design = _trial(rng)
    replicates = _replicates(design, rng)
    design.outcome[design.wave_of == 0] = 0.0
    assert outcome_checks.spreads(replicates, design).status == "red"


def test_cells_of_two_are_left_aside():
    rng = np.random.default_rng(1)
    design = _trial(rng, n=4, waves=2)
    assert spread_checks.widest(_replicates(design, rng), design) is None
    assert not outcome_checks.spreads(_replicates(design, rng), design).applies


def test_the_limit_stands_in_the_table():
    assert LIMITS[CheckName.SPREADS].good == 1.0
