"""The one table of the gate's limits, and how a figure is held against its own."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, nan

from models.checks.gate_table import Check, CheckName, Coords, Kind, Limit, Status

LIMITS = {
    CheckName.R_HAT: Limit(1.01, 1.05, ideal=1.0),
    CheckName.CORE_ESS: Limit(1000, 400, Kind.AT_LEAST),
    CheckName.OTHER_ESS: Limit(400, 200, Kind.AT_LEAST),
    CheckName.MEDIAN_ERROR: Limit(0.05, 0.10),
    CheckName.INTERVAL_ERROR: Limit(0.10, 0.20),
    CheckName.DIVERGENCES: Limit(0.0, 0.001),
    CheckName.TREE_DEPTH: Limit(0.0, 0.01),
    CheckName.ENERGY: Limit(0.3, 0.2, Kind.AT_LEAST),
    CheckName.PARETO_K: Limit(0.0, 0.02),
    CheckName.TAILS: Limit(0.005, 0.0005, Kind.AT_LEAST),
    CheckName.SPREADS: Limit(1.0, 1.5),
    CheckName.ZEROS: Limit(7.5, inf),
    CheckName.MEANS: Limit(2.5, 2.5),
    CheckName.WIDTH: Limit(1.3, 2.0),
    CheckName.WIDTH_OF_COUNTS: Limit(1.8, 2.5),
    CheckName.PLACE: Limit(2.5, 4.0),
    CheckName.DISTRIBUTIONS: Limit(0.001, -inf, Kind.AT_LEAST),
    CheckName.INTEGRATION: Limit(0.01, 0.05),
    CheckName.POWER_SCALING: Limit(0.10, inf),
    CheckName.CONTRACTION: Limit(0.33, -inf, Kind.AT_LEAST),
    CheckName.GROUPS: Limit(8, -inf, Kind.AT_LEAST),
    CheckName.SUMS: Limit(1e-8, 1e-8, Kind.BELOW),
}
"""Limits that are the same for every trial; the report prints them. How often each is passed:
docs/calibration/gate.csv."""
AGREEMENT_SDS, AGREEMENT_ERRORS = 0.25, 4
"""Two models' totals may differ by so many posterior SDs plus so many Monte-Carlo standard errors."""


def limited(
    name: CheckName,
    value: float,
    *where: Coords,
    figures: Mapping[str, float] | None = None,
    limit: Limit | None = None,
    remarks: tuple[str, ...] = (),
) -> Check:
    """The check of that name, by its limits or by one that this trial alone has."""
    used = limit or LIMITS[name]
    return Check(name, float(value), used, where, used.status(value), figures or {}, remarks)


def decided(name: CheckName, status: Status, *where: Coords, value: float = nan, **figures: float) -> Check:
    """The check of that name where no figure decides."""
    return Check(name, value, None, where, status, figures)


def unneeded(name: CheckName, why: str = "") -> Check:
    """The check of that name where there is nothing to check."""
    return Check(name, nan, LIMITS.get(name), (), Status.NOT_APPLICABLE, remarks=(why,) if why else ())
