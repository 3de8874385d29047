"""A saved run as the report reads it: words, estimates, draws and counts, each asked for by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from models.trial.standard import amounts
from reports.text import check_words
from reports.text.check_words import WordedCheck
from reports.text.elements import SHARES
from reports.text.estimate import ReportedEstimate
from reports.text.numbers import AMOUNT, Number, rounded, score_decimals, show
from reports.text.outcome_words import DISTRIBUTIONS, SCALES, Distribution, Scale, favourable, has_proportion, per
from reports.text.parts import Label
from reports.text.people import ARMS, Groups, People, grouped
from reports.text.privacy import Limit
from reports.text.words import short

if TYPE_CHECKING:
    import xarray as xr

    from models.checks.gate_table import Check, CheckName
    from models.runs.folder import Run
    from models.trial.study_file.study import Study, Wave

DEFAULT_AVERAGE = "population"


class MissingFact(LookupError):  # noqa: N818 - named after what happened
    """The run lacks something that a page needs; the message names it."""


def scale(study: Study) -> Scale:
    """Scale of a study's outcome; a favourable outcome has a proportion rather than a risk."""
    own = SCALES[study.outcome.kind]
    if study.outcome.exposure:
        return per(own, study.outcome.exposure)
    return favourable(own) if has_proportion(study.outcome) else own


class Facts:
    """What sections ask of a run.

    Parameters
    ----------
    run : models.runs.folder.Run
        A complete saved run.
    show_anyway : bool
        Print estimates although the gate is red.
    """

    def __init__(self, run: Run, show_anyway: bool = False) -> None:
        self.run, self.study, self.gate, self.manifest = run, run.study, run.gate, run.manifest
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
        return next((fit for fit in fits if "path_estimands" in fit.run.tree.children), None)

    @property
    def binary(self) -> bool:
        """Whether the outcome is yes or no; a number otherwise."""
        return self.study.outcome.family.binary

    @property
    def continuous(self) -> bool:
        """Whether the outcome may be any number."""
        return self.study.outcome.family.standardised

    @property
    def has_trait(self) -> bool:
        """Whether the model holds what lasts in a participant; it cannot where nobody has two outcomes."""
        return "tau" in self.group("posterior")

    @property
    def correlated(self) -> bool:
        """Whether any two waves of a participant have a correlation of their own in place of what lasts."""
        return "wave_partial_correlation" in self.group("posterior")

    @property
    def lasting(self) -> bool:
        """Whether a participant's outcomes at two waves are alike, in whichever way the model has it."""
        return self.has_trait or self.correlated

    @property
    def distribution(self) -> Distribution:
        """The outcome's likelihood in words."""
        return DISTRIBUTIONS[self.study.outcome.likelihood]

    @property
    def parameter_scale(self) -> str:
        """Scale of the model's parameters, in words."""
        return self.distribution.scale

    @property
    def withheld(self) -> str:
        """Why estimates are not printed; empty where they are."""
        if self.gate.status != "red" or self.show_anyway:
            return ""
        return f"Withheld: the computation cannot be trusted. {self.verdict_reason}"

    @property
    def verdict_reason(self) -> str:
        """The checks that made the gate amber or red, each with the element that came out worst."""
        named = [self._worded(check).reported(check.name) for check in self.gate.worst]
        return f"{'Failed' if self.gate.status == 'red' else 'To look at'}: {'; '.join(named)}." if named else ""

    @property
    def checks(self) -> list[WordedCheck]:
        """Every check of its gate, as printed."""
        return [self._worded(check) for check in self.gate.checks]

    def check(self, name: CheckName) -> Check | None:
        """One check of its gate; None where it has not made it."""
        return next((check for check in self.gate.checks if check.name is name), None)

    def _worded(self, check: Check) -> WordedCheck:
        return check_words.worded(check, self.study)

    @property
    def pulled(self) -> bool:
        """Whether the primary difference is flagged: by power-scaling, or by a model-free check that disagrees."""
        scaled = self.run.power_scaling
        primary = (scaled["estimand"] == self.scale.difference) & (scaled["wave"] == self.primary)
        return any(row["flag"] for row in self._at_primary) or bool(scaled["flag"][primary].any())

    @property
    def _at_primary(self) -> list[dict]:
        return [row for row in self.run.model_free.to_dict("records") if str(row["wave"]) == self.primary]

    # words

    def named(self, estimate: ReportedEstimate, length: int = 60) -> str:
        """Printed name of an estimand."""
        shares = SHARES if has_proportion(self.study.outcome) else {}
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
    def shared_baseline(self) -> bool:
        """Whether the model gives the arms one level at a baseline."""
        return self.baseline is not None and not self.study.recruited_after

    @property
    def who_was_randomised(self) -> str:
        """Of participants: "they", or "their groups"."""
        return "their groups" if self.study.randomised_in_groups else "they"

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
    ) -> ReportedEstimate:
        """Row of the summary; MissingFact names the row that is not there."""
        for where in (average, ""):
            row = self._rows.get((estimand, where, arm, wave, mediator))
            if row is not None:
                return self._estimate(row)
        raise MissingFact(f"the run's summary has no row {estimand} [{average}, {arm or 'both arms'}, {wave}]")

    def _estimate(self, row: dict) -> ReportedEstimate:
        return self.completed(ReportedEstimate.of(row))

    def completed(self, found: ReportedEstimate) -> ReportedEstimate:
        """Add the decimals of a score or a mean count to a row of the summary."""
        if found.unit == "mediator units":
            return replace(found, digits=self._mediator_decimals(found.mediator))
        return replace(found, digits=self._score_decimals) if found.unit in ("events", "units") else found

    @cached_property
    def _score_decimals(self) -> int:
        """Decimals of an outcome that is a count or a score, by its SD at the first wave."""
        return score_decimals(_spread(self.group("trial")["outcome"]))

    def _mediator_decimals(self, mediator: str) -> int:
        known = self.group("trial")
        if "mediator_value" not in known:
            return AMOUNT.decimals
        return score_decimals(_spread(known["mediator_value"].sel(mediator=mediator)))

    def has(self, estimand: str, wave: str, average: str = DEFAULT_AVERAGE, arm: str = "", mediator: str = "") -> bool:
        """Whether the summary holds this row."""
        return any((estimand, where, arm, wave, mediator) in self._rows for where in (average, ""))

    @cached_property
    def estimates(self) -> list[ReportedEstimate]:
        """Every row of the summary, in its order."""
        return [self._estimate(row) for row in self._rows.values()]

    def draws(self, estimand: str, where: Mapping[str, str], prior: bool = False) -> np.ndarray:
        """Draws of an estimand, all chains in one row; `where` selects average, arm, wave, contrast or mediator."""
        name = "prior_" if prior else ""
        group = self.group(f"{name}estimands")
        if estimand not in group and f"{name}path_estimands" in self.run.tree.children:
            group = self.group(f"{name}path_estimands")
        return self._select(group, estimand, where).to_numpy().ravel()

    def parameter(self, name: str, prior: bool = False, **where: str) -> np.ndarray:
        """Draws of a parameter, shape (chain, draw)."""
        group = self.group("prior" if prior else "posterior")
        return self._select(group, name, where).transpose("chain", "draw").to_numpy()

    def spread(self, name: str, prior: bool = False) -> tuple[np.ndarray, str]:
        """Draws of a spread, (chain, draw), and the wave that they are of: the primary one, where each has its own."""
        if "wave" not in self.group("posterior")[name].dims:
            return self.parameter(name, prior=prior), ""
        return self.parameter(name, prior=prior, wave=self.primary), self.wave(self.primary)

    def chains(self, estimand: str, **where: str) -> np.ndarray:
        """Draws of an estimand, shape (chain, draw)."""
        return self._select(self.group("estimands"), estimand, where).transpose("chain", "draw").to_numpy()

    def group(self, name: str) -> xr.Dataset:
        """Group of the run's tree."""
        if name not in self.run.tree.children:
            raise MissingFact(f"the run has no group {name!r}")
        return self.run.tree[name].to_dataset()

    def _select(self, group: xr.Dataset, name: str, where: Mapping[str, str]) -> xr.DataArray:
        if name not in group:
            raise MissingFact(f"the run holds no draws of {name!r}")
        found = group[name]
        return found.sel({dim: value for dim, value in where.items() if dim in found.dims})

    @cached_property
    def groups(self) -> dict[str, dict[str, Groups]]:
        """Groups of each grouping in each arm, by column and arm."""
        known = self.group("trial")
        return {
            part.column: grouped(known["group"].sel(grouping=part.column).to_numpy(), self.people.arm)
            for part in self.study.groupings
        }

    @cached_property
    def people(self) -> People:
        """Participants, as counts."""
        known = self.group("trial")
        return People(
            known["arm"].to_numpy().astype(int),
            known["seen"].transpose("participant", "wave").to_numpy().astype(bool),
            known["outcome"].transpose("participant", "wave").to_numpy().astype(float),
            [wave.value for wave in self.study.waves],
            self.binary,
            self.limit,
            amounts(self.study.outcome, known),
        )


def _spread(values: xr.DataArray) -> float:
    """SD between participants at the first wave at which it can be had; NaN where there is none."""
    grid = values.transpose("participant", "wave").to_numpy().astype(float)
    columns = (column[~np.isnan(column)] for column in grid.T)
    return next((float(column.std(ddof=1)) for column in columns if np.unique(column).size > 1), np.nan)


def _key(row: dict) -> tuple[str, str, str, str, str]:
    return str(row["estimand"]), str(row["average"]), str(row["arm"]), str(row["wave"]), str(row.get("mediator", ""))
