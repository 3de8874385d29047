"""Who is not seen and what is not answered: dropout, missed visits and blank cells, at random or not."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models.simulation.innovations import Array, Innovations, logistic
from models.simulation.potential_outcomes import arm_code
from models.simulation.scenario import Scenario
from models.simulation.scenario_parts import Missingness


@dataclass(frozen=True)
class Observation:
    """seen : (woman, wave), the visit took place; answered : column → (woman, wave), the cell is in the data."""

    seen: Array
    answered: Mapping[str, Array]


def observe(scenario: Scenario, draws: Innovations, arm: Array, values: Mapping[str, Array]) -> Observation:
    """Return what is in the data, given the values that would be recorded, column → (woman, wave)."""
    waves = len(scenario.waves)
    seen = np.ones((len(arm), waves), bool)
    answered = {column: np.ones((len(arm), waves), bool) for column in values}
    last = {column: np.zeros(len(arm)) for column in values}
    centre = {m.column: m.centre for m in scenario.mediators}
    gone = np.zeros(len(arm), bool)
    for t in range(waves):
        for number, mechanism in enumerate(scenario.missingness):
            eta = _log_odds(scenario, mechanism, t, arm, last)
            eta = eta + np.asarray(mechanism.current_outcome)[arm] * values[scenario.outcome.column][:, t]
            missed = draws.uniform("missing", number, t) < logistic(eta)
            if mechanism.columns:
                for column in mechanism.columns:
                    answered[column][:, t] &= ~missed
            else:
                gone |= missed & (mechanism.kind == "dropout")
                seen[:, t] &= ~missed
        seen[:, t] &= ~gone
        for column, value in values.items():
            answered[column][:, t] &= seen[:, t]
            last[column] = np.where(answered[column][:, t], value[:, t] - centre.get(column, 0.0), last[column])
    return Observation(seen, answered)


def _log_odds(scenario: Scenario, mechanism: Missingness, wave: int, arm: Array, last: Mapping[str, Array]) -> Array:
    rate = mechanism.rates[wave]
    if rate == 0:
        return np.full(len(arm), -np.inf)
    eta: Array = np.log(rate / (1.0 - rate)) + mechanism.arm * arm_code(scenario, arm, wave)
    eta = eta + mechanism.last_outcome * last[scenario.outcome.column]
    for source, slope in mechanism.last_mediators.items():
        eta = eta + slope * last[source]
    return eta
