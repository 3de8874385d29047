"""A saved run as the report reads it: words, estimates, draws and counts, each asked for by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from reports.elements import SHARES, worded
from reports.estimate import Estimate
from reports.numbers import AMOUNT, EVENTS, POINTS, RISK, Number, Unit, rounded, score_decimals, show
from reports.parts import Label
from reports.people import ARMS, People
from reports.privacy import Limit
from reports.words import minus, short

if TYPE_CHECKING:
    import xarray as xr

    from models.gate_table import Check, Gate
    from models.run import Run
    from models.study import Study, Wave

DEFAULT_AVERAGE = "population"
NOT_APPLICABLE = "not applicable"
"""Value of a check that a run has no use for; it is shown, and counted neither as passed nor at all."""


class MissingFact(LookupError):  # noqa: N818 - named after what happened
    """The run lacks something that a page needs; the message names it."""


@dataclass(frozen=True)
class Scale:
    """Names of the estimands of one kind of outcome, in code and words; the units of a level and a difference.

    `ratio` and `odds` are empty where the outcome has none; `level_name` is the unit of a level in the main table.
    """

    level: str
    difference: str
    ratio: str
    odds: str
    level_unit: Unit
    difference_unit: Unit
    level_word: str
    points: str
    difference_name: str
    ratio_name: str
    level_name: str


SCALES = {
    "binary": Scale(
        "risk",
        "risk_difference",
        "risk_ratio",
        "odds_ratio",
        RISK,
        POINTS,
        "risk",
        "percentage points",
        "Risk difference",
        "Risk ratio",
        "% of participants",
    ),
    "count": Scale(
        "mean",
        "mean_difference",
        "rate_ratio",
        "",
        EVENTS,
        EVENTS,
        "mean",
        "events",
        "Mean difference",
        "Rate ratio",
        "events per participant",
    ),
    "continuous": Scale(
        "mean",
        "mean_difference",
        "",
        "",
        AMOUNT,
        AMOUNT,
        "mean",
        "units",
        "Mean difference",
        "",
        "units",
    ),
}


def as_found(check: Check, name: str) -> str:
    """A check, what was found, where it is worst and the limit: "R̂ max: 1.04 (τ; pass: ≤ 1.01)"."""
    beside = "; ".join(part for part in (check.element, check.green and f"pass: {minus(check.green)}") if part)
    return f"{name}: {minus(check.value)}" + (f" ({beside})" if beside else "")


def scale(study: Study) -> Scale:
    """Scale of a study's outcome; of what is better when there is more of it, nobody has a risk."""
    own = SCALES[study.outcome.kind]
    if study.outcome.kind != "binary" or study.outcome.better == "lower":
        return own
    return replace(own, level_word="share", difference_name="Difference in shares", ratio_name="Ratio of shares")


class Facts:
    """What sections ask of a run.

    Parameters
    ----------
    run : models.run.Run
        A complete saved run.
    show_anyway : bool
        Print estimates although the gate is red.
    """

    def __init__(self, run: Run, show_anyway: bool = False) -> None:
        self.run, self.study, self.gate, self.manifest = run, run.study, printed(run.gate, run.study), run.manifest
        self.show_anyway = show_anyway
        self.limit = Limit.of(run.study, run.study.outcome.column)
        self._rows = {_key(row): row for row in run.estimates.to_dict("records")}

    @cached_property
    def further(self) -> dict[str, Facts]:
        """Facts of the fits of other models, by name: each has its own draws, checks and gate."""
        return {name: Facts(run, self.show_anyway) for name, run in self.run.further.items()}

    @cached_property
    def scale(self) -> Scale:
        """Scale of the outcome, with the decimals that its SD gives a score or a mean count."""
        own = scale(self.study)
        if self.binary:
            return own
        units = (own.level_unit, own.difference_unit)
        level, difference = (replace(unit, decimals=self._score_decimals) for unit in units)
        return replace(own, level_unit=level, difference_unit=difference)

    @property
    def paths(self) -> Facts | None:
        """Facts of the fit that holds direct and indirect effects; None where there is none."""
        fits = (self, *self.further.values())
        return next((fit for fit in fits if "path_estimands" in fit.run.core.children), None)

    @property
    def binary(self) -> bool:
        """Whether the outcome is yes or no; a number otherwise."""
        return self.study.outcome.kind == "binary"

    @property
    def continuous(self) -> bool:
        """Whether the outcome may be any number."""
        return self.study.outcome.kind == "continuous"

    @property
    def has_trait(self) -> bool:
        """Whether the model holds what lasts in a participant; it cannot where nobody has two outcomes."""
        return "tau" in self.group("core", "posterior")

    @property
    def parameter_scale(self) -> str:
        """Scale of the model's parameters, in words."""
        if self.binary:
            return "log-odds" if self.study.outcome.link == "logit" else "probit"
        return "SDs of the outcome at the first wave" if self.continuous else "log-mean"

    @property
    def withheld(self) -> str:
        """Why estimates are not printed; empty where they are."""
        if self.gate.status != "red" or self.show_anyway:
            return ""
        return f"Withheld: the computation cannot be trusted. {self.verdict_reason}"

    @property
    def verdict_reason(self) -> str:
        """The checks that made the gate amber or red, each with the element that came out worst."""
        named = [as_found(check, check.name) for check in self.gate.worst]
        return f"{'Failed' if self.gate.status == 'red' else 'To look at'}: {'; '.join(named)}." if named else ""

    @property
    def counted(self) -> list[Check]:
        """Checks that this run has a use for."""
        return [check for check in self.gate.checks if check.value != NOT_APPLICABLE]

    @property
    def pulled(self) -> bool:
        """Whether the primary difference is flagged: by power-scaling, or by a model-free check that disagrees."""
        wanted = f"{self.scale.difference}[{self.primary}]"
        return any(row["flag"] for row in self._at_primary) or any(
            row["flag"] for row in self.run.power_scaling.to_dict("records") if str(row["element"]) == wanted
        )

    @property
    def _at_primary(self) -> list[dict]:
        return [row for row in self.run.model_free.to_dict("records") if str(row["wave"]) == self.primary]

    # words

    def named(self, estimate: Estimate, length: int = 60) -> str:
        """Printed name of an estimand."""
        shares = SHARES if self.binary and not self.lower_is_better else {}
        return shares.get(estimate.estimand) or short(estimate.label, length)

    def arm(self, arm: str, length: int = 60) -> Label:
        """Label of "control" or "treated", as printed."""
        return Label(short(getattr(self.study.arms, arm).label, length))

    @property
    def outcome(self) -> Label:
        """Printed label of the outcome."""
        return Label(short(self.study.outcome.label, 120))

    def wave(self, value: str, length: int = 60) -> str:
        """Label of a wave, as printed."""
        return short(self._waves[value].label, length)

    @cached_property
    def _waves(self) -> dict[str, Wave]:
        return {wave.value: wave for wave in self.study.waves}

    def role(self, value: str) -> str:
        """Role of a wave: baseline, negative control or follow-up."""
        return self._waves[value].role

    def exposed(self, value: str) -> str | None:
        """How much of the programme came before a negative control: "none", "partly", or nothing said."""
        return self._waves[value].exposed

    def month(self, value: str) -> float:
        """Month of a wave."""
        return self._waves[value].month

    @property
    def primary(self) -> str:
        """Value of the primary wave."""
        return self.study.primary_wave

    @property
    def baseline(self) -> str | None:
        """Value of the baseline wave, if there is one."""
        first = self.study.waves[0]
        return first.value if first.role == "baseline" else None

    @property
    def after_baseline(self) -> list[str]:
        """Waves after baseline."""
        return [wave.value for wave in self.study.waves if wave.role != "baseline"]

    @property
    def contrasts(self) -> list[str]:
        """Waves after baseline at which the outcome was observed in both arms."""
        return [wave for wave in self.after_baseline if self._compared(wave)]

    def _compared(self, wave: str) -> bool:
        """Whether both arms were observed at a wave: else its difference is not identified, and the row says why."""
        return self.has(self.scale.difference, wave) and self.estimate(self.scale.difference, wave).identified

    @property
    def level_waves(self) -> list[str]:
        """Waves at which the level of both arms is identified."""
        waves = [wave.value for wave in self.study.waves]
        return [w for w in waves if all(self.estimate(self.scale.level, w, arm=arm).identified for arm in ARMS)]

    @property
    def lower_is_better(self) -> bool:
        """Direction of a benefit."""
        return self.study.outcome.better == "lower"

    @property
    def directions(self) -> tuple[str, str]:
        """What lies below 0 on an axis of differences, and above."""
        return ("better", "worse") if self.lower_is_better else ("worse", "better")

    @property
    def margin(self) -> Number:
        """Smallest difference that matters, in the unit of a difference, with the digits of the study file."""
        value, shown = self.study.outcome.margin, self.scale.difference_unit
        digits = next((d for d in range(4) if abs(rounded(value * shown.factor, d) - value * shown.factor) < 1e-9), 4)
        return show(value, shown, digits)

    # numbers

    def estimate(
        self, estimand: str, wave: str, average: str = DEFAULT_AVERAGE, arm: str = "", mediator: str = ""
    ) -> Estimate:
        """Row of the summary; MissingFact names the row that is not there."""
        for where in (average, ""):
            row = self._rows.get((estimand, where, arm, wave, mediator))
            if row is not None:
                return self._estimate(row)
        raise MissingFact(f"the run's summary has no row {estimand} [{average}, {arm or 'both arms'}, {wave}]")

    def _estimate(self, row: dict) -> Estimate:
        return self.completed(Estimate.of(row))

    def completed(self, found: Estimate) -> Estimate:
        """Add the decimals of a score or a mean count to a row of the summary."""
        if found.unit == "mediator units":
            return replace(found, digits=self._mediator_decimals(found.mediator))
        return replace(found, digits=self._score_decimals) if found.unit in ("events", "units") else found

    @cached_property
    def _score_decimals(self) -> int:
        """Decimals of an outcome that is a count or a score, by its SD at the first wave."""
        return score_decimals(_spread(self.group("core", "observed_data")["outcome"]))

    def _mediator_decimals(self, mediator: str) -> int:
        known = self.group("core", "constant_data")
        if "mediator_value" not in known:
            return AMOUNT.decimals
        return score_decimals(_spread(known["mediator_value"].sel(mediator=mediator)))

    def has(self, estimand: str, wave: str, average: str = DEFAULT_AVERAGE, arm: str = "", mediator: str = "") -> bool:
        """Whether the summary holds this row."""
        return any((estimand, where, arm, wave, mediator) in self._rows for where in (average, ""))

    @cached_property
    def estimates(self) -> list[Estimate]:
        """Every row of the summary, in its order."""
        return [self._estimate(row) for row in self._rows.values()]

    def draws(self, estimand: str, where: Mapping[str, str], prior: bool = False) -> np.ndarray:
        """Draws of an estimand, all chains in one row; `where` selects average, arm, wave, contrast or mediator."""
        tree, name = ("checks", "prior_") if prior else ("core", "")
        group = self.group(tree, f"{name}estimands")
        if estimand not in group and f"{name}path_estimands" in getattr(self.run, tree).children:
            group = self.group(tree, f"{name}path_estimands")
        return self._select(group, estimand, where).to_numpy().ravel()

    def parameter(self, name: str, prior: bool = False, **where: str) -> np.ndarray:
        """Draws of a parameter, shape (chain, draw)."""
        group = self.group("checks", "prior") if prior else self.group("core", "posterior")
        return self._select(group, name, where).transpose("chain", "draw").to_numpy()

    def chains(self, estimand: str, **where: str) -> np.ndarray:
        """Draws of an estimand, shape (chain, draw)."""
        return self._select(self.group("core", "estimands"), estimand, where).transpose("chain", "draw").to_numpy()

    def group(self, tree: str, name: str) -> xr.Dataset:
        """Group of core.nc or checks.nc."""
        found = getattr(self.run, tree)
        if name not in found.children:
            raise MissingFact(f"{tree}.nc has no group {name!r}")
        return found[name].to_dataset()

    def _select(self, group: xr.Dataset, name: str, where: Mapping[str, str]) -> xr.DataArray:
        if name not in group:
            raise MissingFact(f"the run holds no draws of {name!r}")
        found = group[name]
        return found.sel({dim: value for dim, value in where.items() if dim in found.dims})

    @cached_property
    def people(self) -> People:
        """Participants, as counts."""
        known, observed = self.group("core", "constant_data"), self.group("core", "observed_data")
        return People(
            known["arm"].to_numpy().astype(int),
            known["seen"].transpose("participant", "wave").to_numpy().astype(bool),
            observed["outcome"].transpose("participant", "wave").to_numpy().astype(float),
            [wave.value for wave in self.study.waves],
            self.binary,
            self.limit,
        )


def printed(gate: Gate, study: Study) -> Gate:
    """Gate in words: elements that name no code and no participant, true minus signs."""
    checks = (
        replace(check, element=worded(check.element, study) if check.element else "", value=minus(check.value))
        for check in gate.checks
    )
    return replace(gate, checks=tuple(checks))


def _spread(values: xr.DataArray) -> float:
    """SD between participants at the first wave at which it can be had; NaN where there is none."""
    grid = values.transpose("participant", "wave").to_numpy().astype(float)
    columns = (column[~np.isnan(column)] for column in grid.T)
    return next((float(column.std(ddof=1)) for column in columns if np.unique(column).size > 1), np.nan)


def _key(row: dict) -> tuple[str, str, str, str, str]:
    return str(row["estimand"]), str(row["average"]), str(row["arm"]), str(row["wave"]), str(row.get("mediator", ""))
